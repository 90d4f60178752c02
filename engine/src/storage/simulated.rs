//! A disk in memory that forgets, when the power goes, whatever was not fsynced.
//!
//! What a crash keeps of the rest is up to a seed: any part of an unsynced file, with holes of
//! zeros, and any subset of the operations on names since the directory's last fsync. It knows only these
//! rules; a disk that lies about an fsync is not in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{FileBytes, FileLock, FileSystem, Held, LockMode, WritableFile};
use crate::error::{Error, Result};

/// Bytes that reach the disk together or not at all.
const SECTOR_LEN: usize = 16;

/// Which fsyncs do nothing, by the path they are of; for showing that a test misses them.
pub(crate) type Ignored = fn(path: &Path, dir_syncs: u64) -> bool;

/// See the module.
#[derive(Clone)]
pub(crate) struct SimulatedFileSystem {
    machine: Arc<Mutex<Machine>>,
}

struct Machine {
    disk: Disk,
    ignored: Ignored,
    dir_syncs: u64,
    /// The disk after each operation that changed it.
    history: Vec<Disk>,
    /// Who holds a lock on which inode, and how.
    locks: BTreeMap<usize, Vec<LockMode>>,
}

/// Everything that is on the disk or on its way there.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    stable_names: BTreeMap<PathBuf, usize>,
    stable_dirs: BTreeSet<PathBuf>,
    pending: Vec<NameChange>,
}

#[derive(Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    stable_len: usize,
}

/// A change to the names of a directory that was not fsynced since.
#[derive(Clone)]
enum NameChange {
    MakeDir(PathBuf),
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn dir(&self) -> Option<&Path> {
        let (Self::MakeDir(path) | Self::Link(path, _) | Self::Unlink(path)) = self else {
            let Self::Rename(_, to, _) = self else {
                return None;
            };
            return to.parent();
        };
        path.parent()
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, usize>, dirs: &mut BTreeSet<PathBuf>) {
        match self {
            Self::MakeDir(path) => drop(dirs.insert(path)),
            Self::Link(path, inode) => drop(names.insert(path, inode)),
            Self::Unlink(path) => drop(names.remove(&path)),
            Self::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

impl Disk {
    /// What is there after the power has gone, and come back.
    pub(crate) fn crash(&self, seed: u64) -> Self {
        let mut dice = Dice(seed);
        // Nothing, everything, or some of it: the first two are the ones that happen most.
        let mood = dice.roll(4);
        let mut keep = |dice: &mut Dice| mood == 0 || (mood != 1 && dice.roll(2) == 0);
        let (mut names, mut dirs) = (self.stable_names.clone(), self.stable_dirs.clone());
        for change in &self.pending {
            if keep(&mut dice) {
                change.clone().apply(&mut names, &mut dirs);
            }
        }
        names.retain(|path, _| path.parent().is_none_or(|dir| dirs.contains(dir)));
        let torn = |inode: &Inode| inode.torn(&mut dice, &mut keep);
        let inodes = self.inodes.iter().map(torn).collect();
        let (stable_names, stable_dirs) = (names.clone(), dirs.clone());
        Self {
            inodes,
            names,
            dirs,
            stable_names,
            stable_dirs,
            pending: Vec::new(),
        }
    }
}

impl Inode {
    fn torn(&self, dice: &mut Dice, keep: &mut impl FnMut(&mut Dice) -> bool) -> Self {
        let mut bytes = self.bytes.clone();
        let unstable = bytes.len() - self.stable_len;
        if unstable > 0 && !keep(dice) {
            bytes.truncate(self.stable_len + dice.roll(unstable + 1));
        }
        for sector in bytes[self.stable_len..].chunks_mut(SECTOR_LEN) {
            if !keep(dice) {
                sector.fill(0);
            }
        }
        Self {
            stable_len: bytes.len(),
            bytes,
        }
    }
}

impl SimulatedFileSystem {
    /// A machine with this disk, on which the fsyncs that `ignored` names do nothing.
    pub(crate) fn new(disk: Disk, ignored: Ignored) -> Self {
        let (history, locks) = (Vec::new(), BTreeMap::new());
        let machine = Machine {
            disk,
            ignored,
            dir_syncs: 0,
            history,
            locks,
        };
        Self {
            machine: Arc::new(Mutex::new(machine)),
        }
    }

    /// The disk as it is.
    pub(crate) fn disk(&self) -> Disk {
        self.lock().disk.clone()
    }

    /// The disk after each operation so far that changed it; forgets them.
    pub(crate) fn take_history(&self) -> Vec<Disk> {
        std::mem::take(&mut self.lock().history)
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Machine) -> Result<T>) -> Result<T> {
        let mut machine = self.lock();
        let result = change(&mut machine)?;
        let disk = machine.disk.clone();
        machine.history.push(disk);
        Ok(result)
    }
}

impl std::fmt::Debug for SimulatedFileSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedFileSystem")
    }
}

impl Machine {
    fn inode(&self, path: &Path) -> Result<usize> {
        let missing = || Error::io("open", path, io::ErrorKind::NotFound.into());
        self.disk.names.get(path).copied().ok_or_else(missing)
    }

    fn rename(&mut self, change: NameChange) {
        self.disk.pending.push(change.clone());
        let Disk { names, dirs, .. } = &mut self.disk;
        change.apply(names, dirs);
    }
}

impl FileSystem for SimulatedFileSystem {
    fn create_new(&self, path: &Path) -> Result<Box<dyn WritableFile>> {
        let inode = self.change(|machine| {
            let refused = |kind: io::ErrorKind| Err(Error::io("create", path, kind.into()));
            if machine.inode(path).is_ok() {
                return refused(io::ErrorKind::AlreadyExists);
            }
            if !path
                .parent()
                .is_some_and(|dir| machine.disk.dirs.contains(dir))
            {
                return refused(io::ErrorKind::NotFound);
            }
            let inode = machine.disk.inodes.len();
            machine.disk.inodes.push(Inode::default());
            machine.rename(NameChange::Link(path.to_owned(), inode));
            Ok(inode)
        })?;
        Ok(Box::new(SimulatedFile {
            fs: self.clone(),
            inode,
            path: path.to_owned(),
        }))
    }

    fn read(&self, path: &Path, len_max: u64) -> Result<Vec<u8>> {
        let machine = self.lock();
        let bytes = machine.disk.inodes[machine.inode(path)?].bytes.clone();
        match bytes.len() as u64 <= len_max {
            true => Ok(bytes),
            false => Err(Error::corrupt("too long").at_path(path)),
        }
    }

    fn open(&self, path: &Path, len: u64) -> Result<FileBytes> {
        let bytes = self.read(path, u64::MAX)?;
        match bytes.len() as u64 == len {
            true => Ok(FileBytes::from(bytes)),
            false => Err(Error::corrupt("wrong length").at_path(path)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.change(|machine| {
            let inode = machine.inode(from)?;
            machine.rename(NameChange::Rename(from.to_owned(), to.to_owned(), inode));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.change(|machine| {
            machine.inode(path)?;
            machine.rename(NameChange::Unlink(path.to_owned()));
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        let machine = self.lock();
        let here = machine
            .disk
            .names
            .keys()
            .filter(|path| path.parent() == Some(dir));
        Ok(here
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect())
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        self.change(|machine| {
            if !machine.disk.dirs.contains(dir) {
                machine.rename(NameChange::MakeDir(dir.to_owned()));
            }
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.change(|machine| {
            machine.dir_syncs += 1;
            if (machine.ignored)(dir, machine.dir_syncs) {
                return Ok(());
            }
            let Disk {
                pending,
                stable_names,
                stable_dirs,
                ..
            } = &mut machine.disk;
            for change in pending.extract_if(.., |change| change.dir() == Some(dir)) {
                change.apply(stable_names, stable_dirs);
            }
            Ok(())
        })
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> Result<Option<FileLock>> {
        let mut machine = self.lock();
        let inode = machine.inode(path)?;
        let held = machine.locks.entry(inode).or_default();
        if held
            .iter()
            .any(|held| *held == LockMode::Exclusive || mode == LockMode::Exclusive)
        {
            return Ok(None);
        }
        held.push(mode);
        Ok(Some(FileLock::new(Box::new(SimulatedLock {
            fs: self.clone(),
            inode,
        }))))
    }
}

#[derive(Debug)]
struct SimulatedFile {
    fs: SimulatedFileSystem,
    inode: usize,
    path: PathBuf,
}

impl WritableFile for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.fs.change(|machine| {
            machine.disk.inodes[self.inode]
                .bytes
                .extend_from_slice(bytes);
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<()> {
        self.fs.change(|machine| {
            if !(machine.ignored)(&self.path, 0) {
                let inode = &mut machine.disk.inodes[self.inode];
                inode.stable_len = inode.bytes.len();
            }
            Ok(())
        })
    }
}

#[derive(Debug)]
struct SimulatedLock {
    fs: SimulatedFileSystem,
    inode: usize,
}

impl Held for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        // Whoever holds it alone is the only one; shared ones are all alike.
        if let Some(held) = self.fs.lock().locks.get_mut(&self.inode) {
            held.pop();
        }
    }
}

//! Names in a store that nobody needs any more, to room on the disk.
//!
//! Runs when a transaction begins and after its commit, under the writer's lock, so no file is just being made. A name is needed if the newest
//! manifest has it, or an older one that a reader holds. Everything else goes: what a commit
//! replaced, and what dead writers left. Files go before the manifest that named them, so that a crash in
//! between leaves nothing that is not found next time. Failures leave garbage, never harm.

use std::collections::HashSet;
use std::path::Path;

use super::current::{is_temporary, manifest_name, manifest_number};
use super::file::{FileEntry, FileId};
use super::manifest::{MANIFEST_LEN_MAX, Manifest};
use crate::storage::{FileLock, FileSystem, LockMode};

/// Deletes what neither `newest` nor a reader needs; gives how many names went.
pub(super) fn collect(fs: &dyn FileSystem, dir: &Path, newest: &Manifest) -> usize {
    let Ok(names) = fs.list(dir) else { return 0 };
    let mut needed: HashSet<FileId> = newest.files().map(FileEntry::id).collect();
    let mut unread: Vec<(u64, FileLock)> = Vec::new();
    let older = names.iter().filter_map(|name| manifest_number(name));
    for number in older.filter(|number| *number != newest.number) {
        match fs.try_lock(&dir.join(manifest_name(number)), LockMode::Exclusive) {
            Ok(Some(lock)) => unread.push((number, lock)),
            // A reader is there, or one cannot know.
            Ok(None) | Err(_) => {
                let Some(held) = read(fs, dir, number) else {
                    return 0;
                };
                needed.extend(held.files().map(FileEntry::id));
            }
        }
    }
    let stored = names
        .iter()
        .filter(|name| FileId::from_name(name).is_some_and(|id| !needed.contains(&id)));
    let temporary = names.iter().filter(|name| is_temporary(name));
    let mut gone = 0;
    for name in stored.chain(temporary) {
        // Whatever refuses to go keeps the manifests that may name it.
        if fs.remove(&dir.join(name)).is_err() {
            return gone;
        }
        gone += 1;
    }
    for (number, lock) in unread {
        gone += usize::from(fs.remove(&dir.join(manifest_name(number))).is_ok());
        drop(lock);
    }
    gone
}

fn read(fs: &dyn FileSystem, dir: &Path, number: u64) -> Option<Manifest> {
    let bytes = fs
        .read(&dir.join(manifest_name(number)), MANIFEST_LEN_MAX)
        .ok()?;
    Manifest::from_bytes(&bytes).ok()
}

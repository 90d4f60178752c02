//! A file that comes over a connection to an import and its receipt.
//!
//! The bytes are put aside in the store's directory, then taken in as any file is: a slow sender holds
//! no lock, and a file that was cut short leaves nothing. The receipt is sent when the import is on
//! stable storage.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use footfall_engine::ingest::pipeline::{Options, Outcome, Progress, Receipt};
use footfall_engine::{Error, ErrorKind};
use footfall_protocol::{Code, Fault};
use tokio::sync::{mpsc, oneshot};

use crate::aside::{Aside, step_aside};
use crate::context::Context;
use crate::counter::one;
use crate::fault::fault_of;
use crate::log;

/// What files that are put aside begin with; a hidden name is nobody else's.
const SPOOL: &str = ".upload-";
/// How long another process may hold the writer's lock before an upload is refused.
const WRITER_WAIT: Duration = Duration::from_secs(20);
/// How often it is tried.
const WRITER_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a file for each thread: a small one leaves a core to who asks meanwhile, and is hardly slower.
const THREAD_BYTES: u64 = 4 << 20;
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// A piece of a file.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Its next bytes.
    Bytes(Bytes),
    /// It is whole.
    End,
}

/// What is uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// The name it is known by.
    pub(crate) name: String,
    /// A publisher CSV adds to what is there and replaces nothing else.
    pub(crate) partial: bool,
}

impl Upload {
    /// Fails for a name that no file can have.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let is_bad = self.name.is_empty()
            || self.name == "-"
            || self.name.len() > NAME_BYTES_MAX
            || self.name.chars().any(char::is_control);
        if is_bad {
            return Err(Fault::new(
                Code::Syntax,
                "a file needs a name without control characters",
            ));
        }
        Ok(())
    }
}

/// Takes the pieces in. `tell` hears how far the import is.
pub(crate) async fn take_in(
    context: &Arc<Context>,
    upload: Upload,
    pieces: mpsc::Receiver<Piece>,
    tell: Option<mpsc::Sender<Progress>>,
) -> Result<Receipt, Fault> {
    upload.check()?;
    let Ok(room) = Arc::clone(&context.uploads).try_acquire_owned() else {
        one(&context.counters.busy);
        return Err(Fault::new(Code::Busy, "too many uploads at a time"));
    };
    let (give, receipt) = oneshot::channel();
    let shared = Arc::clone(context);
    let work = move || {
        step_aside(Aside::Some);
        // Whoever sent the file may be gone.
        let _ = give.send(spool_and_take(&shared, &upload, pieces, tell));
        drop(room);
    };
    thread::Builder::new()
        .name("upload".to_owned())
        .spawn(work)
        .map_err(|_| Fault::new(Code::Busy, "no thread for the upload"))?;
    receipt
        .await
        .unwrap_or_else(|_| Err(Fault::new(Code::Internal, "the import ended early")))
}

fn spool_and_take(
    context: &Context,
    upload: &Upload,
    pieces: mpsc::Receiver<Piece>,
    tell: Option<mpsc::Sender<Progress>>,
) -> Result<Receipt, Fault> {
    let spool = Spool::create(context.store.dir(), context.number())?;
    let len = spool.fill(pieces, context.limits.upload_bytes_max)?;
    let threads = usize::try_from(1 + len / THREAD_BYTES).unwrap_or(usize::MAX);
    let threads = threads.min(context.limits.query_threads);
    if threads == 1 {
        step_aside(Aside::Far);
    }
    let options = Options {
        memory_bytes: context.limits.ingest_memory,
        hub_partial: upload.partial,
        ..Options::new(threads, Arc::clone(&context.clock))
    };
    let _one_at_a_time = context
        .writer
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let running = context.taking.begin();
    let mut progress = |progress: Progress| {
        running.tell(progress);
        if let Some(tell) = &tell {
            // Who cannot hear so often hears less.
            let _ = tell.try_send(progress);
        }
    };
    let named = (upload.name.as_str(), spool.path.as_path());
    let mut receipt = patiently(|| context.store.ingest_spooled(named, &options, &mut progress))
        .map_err(|error| fault_of(&error, None))?;
    context
        .store
        .count_revisions(&mut receipt)
        .map_err(|error| fault_of(&error, None))?;
    // Whoever asks next finds the commit opened. If it cannot be, they hear why.
    let _ = context.store.view();
    count(context, &receipt);
    Ok(receipt)
}

/// Adds what a receipt says to the counters.
pub(crate) fn count(context: &Context, receipt: &Receipt) {
    for file in &receipt.files {
        if let Outcome::Taken(taken) = &file.outcome {
            one(&context.counters.files);
            let rows = &context.counters.rows;
            rows.fetch_add(taken.rows, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// Tries again while another process holds the writer's lock.
pub(crate) fn patiently<T>(
    mut work: impl FnMut() -> footfall_engine::Result<T>,
) -> footfall_engine::Result<T> {
    let begin = Instant::now();
    loop {
        match work() {
            Err(error) if error.kind() == ErrorKind::Conflict && begin.elapsed() < WRITER_WAIT => {
                thread::sleep(WRITER_PAUSE);
            }
            done => return done,
        }
    }
}

/// A file that is put aside; it goes when this does.
struct Spool {
    path: PathBuf,
}

impl Spool {
    fn create(store: &Path, number: u64) -> Result<Self, Fault> {
        let path = store.join(format!("{SPOOL}{}-{number}", std::process::id()));
        private(&path).map_err(|error| fault_of(&Error::io("create", &path, error), None))?;
        Ok(Self { path })
    }

    /// Writes all pieces; gives how many bytes. Fails if the sender went before the end.
    fn fill(&self, mut pieces: mpsc::Receiver<Piece>, bytes_max: u64) -> Result<u64, Fault> {
        let fail = |error| fault_of(&Error::io("write", &self.path, error), None);
        let mut file = OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(fail)?;
        let mut len = 0_u64;
        loop {
            match pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    len += bytes.len() as u64;
                    if len > bytes_max {
                        let text = format!("an upload has at most {bytes_max} bytes");
                        return Err(Fault::new(Code::Limit, text));
                    }
                    file.write_all(&bytes).map_err(fail)?;
                }
                Some(Piece::End) => return Ok(len),
                None => {
                    let text = "the file was cut short: nothing of it was taken";
                    return Err(Fault::new(Code::Proto, text));
                }
            }
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::error("spool", &format!("{}: {error}", self.path.display()));
        }
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Removes what a server that was killed had put aside. Only while no other server has this store.
pub(crate) fn remove_leftovers(store: &Path) {
    let names = fs::read_dir(store).into_iter().flatten().flatten();
    for entry in names {
        if entry.file_name().to_string_lossy().starts_with(SPOOL) {
            // It is tried again at the next start.
            let _ = fs::remove_file(entry.path());
        }
    }
}

//! A connection to what hyper reads and writes, within limits of time.
//!
//! A client must begin a request in the idle time, and have sent its head in the request time; it must
//! take some of what is written in the write time. While a request is answered nothing is asked of it.
//!
//! Who waits for the client is [`Pace::is_over`], beside hyper: hyper does not read again from a
//! connection that it has found empty, so a limit that a read looks at would come too late.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::config::Limits;
use crate::unread::{COUNTED_BYTES_MIN, Kept, LOOK_EVERY, Unread};

/// Bytes that are read at once.
const READ_BYTES: usize = 8 << 10;

/// What is asked of a client now.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// To begin a request.
    Waiting(Instant),
    /// To end the head of a request.
    Head(Instant),
    /// Nothing.
    Busy,
}

/// What is asked of the client of a connection.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// What is asked, and whether the client has begun a request before.
    now: Mutex<(Phase, bool)>,
    changed: Notify,
    unread: Arc<Unread>,
}

impl Pace {
    pub(super) fn new(unread: Arc<Unread>) -> Self {
        Self(Arc::new(Shared {
            now: Mutex::new((Phase::Waiting(Instant::now()), false)),
            changed: Notify::new(),
            unread,
        }))
    }

    /// Ends when the client has let a limit pass.
    pub(super) async fn is_over(&self, limits: &Limits) {
        loop {
            match self.deadline(limits) {
                Some(deadline) if deadline <= Instant::now() => return,
                Some(deadline) => tokio::select! {
                    () = sleep_until(deadline) => {}
                    () = self.0.changed.notified() => {}
                },
                None => self.0.changed.notified().await,
            }
        }
    }

    /// A request is being answered from now on, until the result is dropped.
    pub(super) fn begin(&self) -> Busy {
        self.set(Phase::Busy, true);
        Busy(self.clone())
    }

    fn set(&self, phase: Phase, has_asked: bool) {
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (phase, has_asked);
        drop(now);
        self.0.changed.notify_one();
    }

    fn get(&self) -> (Phase, bool) {
        *self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written is taken: the client is there, and has just got it.
    fn has_written(&self) {
        if let (Phase::Waiting(_), has_asked) = self.get() {
            self.set(Phase::Waiting(Instant::now()), has_asked);
        }
    }

    fn has_read(&self) {
        if let (Phase::Waiting(_), has_asked) = self.get() {
            self.set(Phase::Head(Instant::now()), has_asked);
        }
    }

    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match self.get() {
            (Phase::Waiting(since), true) => Some(since + limits.idle_time),
            (Phase::Waiting(since), false) => Some(since + limits.fresh_idle_time),
            (Phase::Head(since), _) => Some(since + limits.request_time),
            (Phase::Busy, _) => None,
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy(Pace);

impl Busy {
    /// Bytes of its answer, counted as long as they are kept.
    pub(super) fn keep(&self, bytes: Bytes) -> Bytes {
        if bytes.len() < COUNTED_BYTES_MIN {
            return bytes;
        }
        let kept = self.0.0.unread.keep(bytes.len() as u64);
        Bytes::from_owner(KeptBytes { bytes, _kept: kept })
    }
}

/// Bytes that are kept for a client.
struct KeptBytes {
    bytes: Bytes,
    _kept: Kept,
}

impl AsRef<[u8]> for KeptBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(Phase::Waiting(Instant::now()), true);
    }
}

/// A connection with limits of time.
pub(super) struct Timed<S> {
    stream: S,
    pace: Pace,
    limits: Limits,
    /// Since when nothing was taken, and when that is looked at; `None` while nothing waits.
    writing: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, pace: Pace, limits: Limits) -> Self {
        Self {
            stream,
            pace,
            limits,
            writing: None,
        }
    }

    fn patience(&mut self, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        let usual = self.limits.write_time;
        let step = LOOK_EVERY.min(usual);
        let begin = || (Instant::now(), Box::pin(sleep(step)));
        let (since, pause) = self.writing.get_or_insert_with(begin);
        loop {
            ready!(pause.as_mut().poll(task));
            if since.elapsed() >= self.pace.0.unread.patience(usual) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            pause.as_mut().reset(Instant::now() + step);
        }
    }

    /// What became of bytes for the client.
    fn took(
        &mut self,
        task: &mut Task<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(wrote, Poll::Ready(Ok(_))) {
            self.pace.has_written();
        }
        self.wrote(task, wrote)
    }

    fn wrote<T>(&mut self, task: &mut Task<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.writing = None;
            return wrote;
        }
        match self.patience(task) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> Read for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut bytes = [0; READ_BYTES];
        let room = bytes.len().min(to.remaining());
        let mut buffer = ReadBuf::new(bytes.get_mut(..room).unwrap_or_default());
        match Pin::new(&mut this.stream).poll_read(task, &mut buffer) {
            Poll::Ready(Ok(())) => {
                if !buffer.filled().is_empty() {
                    this.pace.has_read();
                }
                to.put_slice(buffer.filled());
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.took(task, wrote)
    }

    // Without this, bodies are copied into one buffer, and are then no longer counted while they wait.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(task, pieces);
        self.took(task, wrote)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_flush(task);
        self.wrote(task, wrote)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_shutdown(task);
        self.wrote(task, wrote)
    }
}

//! A client's bytes to requests, within limits of time.
//!
//! # Limits
//!
//! | what | how long | why |
//! |---|---|---|
//! | the first byte, the rest of a line | `request_time` | a connection costs memory |
//! | the next request | `idle_time`, `fresh_idle_time` before the first one | people think, programs end |
//! | a body | `request_time` and a second for each [`BODY_RATE`] bytes | it holds room for an upload |

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use footfall_protocol::{
    Code, Command, Fault, Frame, Frames, Ingest, Request, Tag, looks_like_http,
};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::mark::Mark;
use super::waiting::Waiting;
use crate::context::Context;
use crate::upload::Piece;

/// Bytes a second that a body has at least.
pub(crate) const BODY_RATE: u64 = 1_024;
/// Pieces of a body that wait.
const PIECES_MAX: usize = 2;
/// First size of the buffer; most connections never need more.
const BUFFER_BYTES: usize = 1 << 10;
/// Last size of it.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// A request, ready to be answered.
pub(super) struct Item {
    pub(super) mark: Mark,
    /// Set when it is to stop.
    pub(super) asked: Arc<std::sync::atomic::AtomicBool>,
    pub(super) what: What,
}

/// What is to be answered.
pub(super) enum What {
    /// A command without a body.
    Command(Command),
    /// A file, whose pieces come.
    File(Ingest, mpsc::Receiver<Piece>),
    /// A line that is no request.
    Fault(Fault),
    /// A cancel that was done: how many requests it stopped.
    Cancelled(usize),
}

/// Reads a client's requests.
pub(super) struct Reader {
    context: Arc<Context>,
    give: mpsc::Sender<Box<Item>>,
    waiting: Arc<Waiting>,
    frames: Frames,
    body: Option<Body>,
    has_asked: bool,
    /// Nothing more is read: the client said so, or broke the protocol.
    is_over: bool,
}

/// A body that is being read.
struct Body {
    pieces: mpsc::Sender<Piece>,
    begin: Instant,
    bytes: u64,
}

impl Reader {
    pub(super) fn new(
        context: Arc<Context>,
        give: mpsc::Sender<Box<Item>>,
        waiting: Arc<Waiting>,
    ) -> Self {
        Self {
            context,
            give,
            waiting,
            frames: Frames::default(),
            body: None,
            has_asked: false,
            is_over: false,
        }
    }

    /// Reads until the client has nothing more to say. A client that goes without `QUIT` gets no
    /// answers any more.
    pub(super) async fn run<R: AsyncRead + Unpin>(mut self, stream: &mut R) {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut since = Instant::now();
        while !self.is_over {
            let read = timeout_at(self.deadline(since), stream.read(&mut buffer)).await;
            let len = match read {
                Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(len)) => len,
                Err(_) if self.body.is_none() && !self.waiting.is_empty() => {
                    since = Instant::now();
                    continue;
                }
                Err(_) => {
                    self.fail(Fault::new(Code::Timeout, "nothing came for too long"))
                        .await;
                    break;
                }
            };
            if !self.frames.is_midway() {
                since = Instant::now();
            }
            self.frames.push(buffer.get(..len).unwrap_or_default());
            if let Err(fault) = self.frames().await {
                self.fail(fault).await;
                break;
            }
            if !self.frames.is_midway() {
                since = Instant::now();
            }
            if len == buffer.len() && len < BUFFER_BYTES_MAX {
                buffer.resize(len * 8, 0);
            }
        }
        if !self.is_over {
            self.waiting.leave();
        }
    }

    /// Until when the next bytes must come.
    fn deadline(&self, since: Instant) -> Instant {
        let limits = &self.context.limits;
        if let Some(body) = &self.body {
            return body.begin + limits.request_time + Duration::from_secs(body.bytes / BODY_RATE);
        }
        let time = match (self.frames.is_midway(), self.has_asked) {
            (true, _) => limits.request_time,
            (false, true) => limits.idle_time,
            (false, false) => limits.fresh_idle_time,
        };
        since + time
    }

    async fn frames(&mut self) -> Result<(), Fault> {
        while !self.is_over
            && let Some(frame) = self.frames.next_frame()?
        {
            match frame {
                Frame::Line(line) => self.line(&line).await?,
                Frame::Chunk(bytes) => self.chunk(bytes.into()).await?,
            }
        }
        Ok(())
    }

    async fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if self.body.is_some() {
            return Err(Fault::new(Code::Proto, "a body is not ended with $ 0"));
        }
        if !self.has_asked && looks_like_http(line) {
            // A page in a browser was made to send this. It hears nothing.
            self.is_over = true;
            self.waiting.leave();
            return Ok(());
        }
        if line.is_empty() {
            return Ok(());
        }
        self.has_asked = true;
        match Request::parse(line) {
            Ok(request) => self.request(request).await,
            Err(fault) if fault.code.is_last() => return Err(fault),
            Err(fault) => {
                let tag = Request::split_tag(line).ok().and_then(|(tag, _)| tag);
                self.send(tag, What::Fault(fault)).await;
            }
        }
        Ok(())
    }

    async fn request(&mut self, Request { tag, command }: Request) {
        match command {
            Command::Cancel(of) => {
                let stopped = self.waiting.cancel(of.as_ref());
                self.send(tag, What::Cancelled(stopped)).await;
            }
            Command::Ingest(ingest) => {
                let (pieces, body) = mpsc::channel(PIECES_MAX);
                self.body = Some(Body {
                    pieces,
                    begin: Instant::now(),
                    bytes: 0,
                });
                self.send(tag, What::File(ingest, body)).await;
            }
            command => {
                self.is_over = command == Command::Quit;
                self.send(tag, What::Command(command)).await;
            }
        }
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Fault> {
        let Some(body) = &mut self.body else {
            return Err(Fault::new(Code::Proto, "a body without INGEST before it"));
        };
        body.bytes += bytes.len() as u64;
        let is_end = bytes.is_empty();
        let piece = if is_end {
            Piece::End
        } else {
            Piece::Bytes(bytes)
        };
        // Of a file that was refused the rest is read all the same: the next request comes after it.
        let _ = body.pieces.send(piece).await;
        if is_end {
            self.body = None;
        }
        Ok(())
    }

    async fn fail(&mut self, fault: Fault) {
        self.is_over = true;
        self.body = None;
        self.send(None, What::Fault(fault)).await;
    }

    async fn send(&mut self, tag: Option<Tag>, what: What) {
        let asked = self.waiting.add(tag.as_ref());
        let mark = Mark::new(tag, self.context.number());
        // A channel has room for many items from the beginning, and most connections send few.
        let item = Box::new(Item { mark, asked, what });
        let sent = self.give.send(item).await;
        // Without anybody to answer, nothing more is to be read.
        self.is_over |= sent.is_err();
    }
}

//! Bytes to and from bodies.

use std::pin::Pin;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use footfall_protocol::{Code, Fault};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout_at};

use super::io::Busy;
use crate::config::Limits;
use crate::download::Part;
use crate::line::BODY_RATE;
use crate::upload::Piece;

/// Longest body of a query in bytes.
const QUERY_BYTES_MAX: usize = 64 << 10;

/// What is sent.
pub(super) enum Content {
    /// All of it.
    Whole(Bytes),
    /// Nothing, in answer to `HEAD`.
    Withheld,
    /// As it comes.
    Parts(mpsc::Receiver<Part>),
}

/// The body of a response. The connection is busy until it goes.
pub(super) struct Body {
    content: Content,
    busy: Option<Busy>,
}

impl Body {
    pub(super) fn new(content: Content, busy: Busy) -> Self {
        let content = match content {
            Content::Whole(bytes) => Content::Whole(busy.keep(bytes)),
            other => other,
        };
        Self {
            content,
            busy: Some(busy),
        }
    }
}

/// An export that failed after its beginning was sent; the connection is cut, so that nobody takes a
/// part for the whole.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the export failed")
    }
}

impl std::error::Error for Cut {}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => {
                self.busy = None;
                Poll::Ready(None)
            }
            Content::Whole(bytes) => {
                let all = std::mem::take(bytes);
                Poll::Ready(Some(Ok(Frame::data(all))))
            }
            Content::Withheld => Poll::Ready(None),
            Content::Parts(parts) => parts.poll_recv(task).map(|part| match part {
                Some(Part::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
                Some(Part::End(_)) => None,
                Some(Part::Failed(_)) | None => Some(Err(Cut)),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Withheld => true,
            Content::Parts(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Withheld => SizeHint::with_exact(0),
            Content::Parts(_) => SizeHint::default(),
        }
    }
}

/// The next bytes of a request's body; `None` at its end.
async fn next(body: &mut Incoming, deadline: Instant) -> Result<Option<Bytes>, Fault> {
    loop {
        let mut pinned = Pin::new(&mut *body);
        let frame = std::future::poll_fn(|task| pinned.as_mut().poll_frame(task));
        let frame = timeout_at(deadline, frame).await;
        let frame = frame.map_err(|_| Fault::new(Code::Timeout, "the body came too slowly"))?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Fault::new(Code::Proto, "the body was cut short")),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// All of a small body, as text.
pub(super) async fn text(body: &mut Incoming, limits: &Limits) -> Result<String, Fault> {
    let deadline = Instant::now() + limits.request_time;
    let mut all = Vec::new();
    while let Some(bytes) = next(body, deadline).await? {
        if all.len() + bytes.len() > QUERY_BYTES_MAX {
            let text = format!("a query has at most {QUERY_BYTES_MAX} bytes");
            return Err(Fault::new(Code::TooLong, text));
        }
        all.extend_from_slice(&bytes);
    }
    String::from_utf8(all).map_err(|_| Fault::new(Code::Syntax, "the body is not UTF-8"))
}

/// Hands a body on as pieces of a file. Returns only if it fails: whoever takes the pieces says when
/// it is done.
pub(super) async fn pieces(
    body: &mut Incoming,
    limits: &Limits,
    give: mpsc::Sender<Piece>,
) -> Fault {
    match send(body, limits, give).await {
        Err(fault) => fault,
        Ok(()) => std::future::pending().await,
    }
}

async fn send(
    body: &mut Incoming,
    limits: &Limits,
    give: mpsc::Sender<Piece>,
) -> Result<(), Fault> {
    let (begin, mut len) = (Instant::now(), 0_u64);
    loop {
        let deadline = begin + limits.request_time + Duration::from_secs(len / BODY_RATE);
        let piece = match next(body, deadline).await? {
            Some(bytes) => {
                len += bytes.len() as u64;
                Piece::Bytes(bytes)
            }
            None => Piece::End,
        };
        let is_end = matches!(piece, Piece::End);
        // Who takes them has failed and says why.
        let is_gone = give.send(piece).await.is_err();
        if is_end || is_gone {
            return Ok(());
        }
    }
}

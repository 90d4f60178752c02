//! An export to pieces that a client takes at its own pace.
//!
//! A thread of its own writes, and waits while the client does not take what it wrote. How many such
//! threads there are is limited, so they never keep queries waiting.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use footfall_engine::query::{self, text};
use footfall_engine::store::{RawFormat, Store};
use footfall_engine::{Error, Result};
use footfall_protocol::{Code, Export, Fault};
use tokio::sync::{mpsc, oneshot};

use crate::context::Context;
use crate::counter::one;
use crate::fault::fault_of;

/// Bytes of a piece.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that wait to be taken.
const PIECES_MAX: usize = 2;

/// What is written out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sheet {
    /// Rows of the logs of a range of days, as CSV or JSON lines.
    Raw(query::Range, RawFormat),
    /// A publisher CSV.
    Hub {
        /// Of this org alone.
        org: Option<String>,
        /// Counts from the logs; else the Hub's own numbers where there are any.
        from_logs: bool,
        /// Counting rule of counts from the logs.
        rule: Option<String>,
        /// What was known at the end of that day.
        as_of: Option<String>,
    },
}

impl Sheet {
    /// What a command of the line protocol asks for; `None` for what is no sheet.
    pub(crate) fn of(export: Export) -> std::result::Result<Option<Self>, Fault> {
        Ok(Some(match export {
            Export::Raw(range) => Self::Raw(range_of(&range)?, RawFormat::Csv),
            Export::Hub {
                org,
                from_logs,
                rule,
                as_of,
            } => Self::Hub {
                org,
                from_logs,
                rule,
                as_of,
            },
            Export::Imports | Export::Revisions => return Ok(None),
        }))
    }

    /// Writes it; gives the number of rows.
    pub(crate) fn write(&self, store: &Store, out: &mut dyn Write) -> Result<u64> {
        match self {
            Self::Raw(range, format) => {
                let days = match range {
                    query::Range::All => None,
                    range => Some(store.whole_days(range)?),
                };
                store.export_raw(days, out, *format)
            }
            Self::Hub {
                org,
                from_logs,
                rule,
                as_of,
            } => {
                let org = org.as_deref();
                let has_hub = !store.view()?.manifest().hub.is_empty();
                if has_hub && !from_logs {
                    let as_of = as_of.as_deref().map(text::end_of).transpose()?;
                    return store.export_hub_csv(org, as_of, out);
                }
                if as_of.is_some() {
                    return Err(Error::invalid("as_of is of the Hub's own numbers")
                        .with_help("leave it out to count from the logs"));
                }
                store.export_log_counts(org, rule.as_deref(), out)
            }
        }
    }
}

/// A range as it stands in a query's text; all if empty.
pub(crate) fn range_of(range: &str) -> std::result::Result<query::Range, Fault> {
    let query = text::parse(&format!("requests {range}"));
    match query {
        Ok(query) if query.by.is_empty() && query.filter.is_empty() && query.rule.is_none() => {
            Ok(query.range)
        }
        Ok(_) => Err(Fault::new(
            Code::Syntax,
            "expected a range and nothing else",
        )),
        Err(error) => Err(fault_of(&error, None)),
    }
}

/// A piece of an export, or how it ended.
pub(crate) enum Part {
    /// Its next bytes.
    Bytes(Bytes),
    /// It is whole: the number of rows.
    End(u64),
    /// It failed.
    Failed(Fault),
}

/// A part of what is written at a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Window {
    /// Which bytes.
    pub(crate) bytes: Range<u64>,
    /// Number of the commit: of another one the bytes may be others.
    pub(crate) snapshot: u64,
}

/// How many bytes a sheet has. It is written for that, for nobody.
pub(crate) async fn length(
    context: &Arc<Context>,
    (sheet, store): (Sheet, Store),
) -> std::result::Result<u64, Fault> {
    let (give, len) = oneshot::channel();
    on_thread(context, move || {
        let mut out = Length { bytes: 0, give };
        let written = sheet.write(&store, &mut out);
        let len = written.map(|_| out.bytes);
        // Whoever asked may be gone.
        let _ = out.give.send(len.map_err(|error| fault_of(&error, None)));
    })?;
    len.await
        .unwrap_or_else(|_| Err(Fault::new(Code::Internal, "the export ended early")))
}

/// Counts bytes for as long as somebody wants to know.
struct Length {
    bytes: u64,
    give: oneshot::Sender<std::result::Result<u64, Fault>>,
}

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.give.is_closed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Works on a thread of its own, if there is room for one.
fn on_thread(
    context: &Context,
    work: impl FnOnce() + Send + 'static,
) -> std::result::Result<(), Fault> {
    let Ok(room) = Arc::clone(&context.exports).try_acquire_owned() else {
        one(&context.counters.busy);
        return Err(Fault::new(Code::Busy, "too many exports at a time"));
    };
    let thread = thread::Builder::new().name("export".to_owned());
    let started = thread.spawn(move || {
        work();
        drop(room);
    });
    let no_thread = |_| Fault::new(Code::Busy, "no thread for the export");
    started.map(drop).map_err(no_thread)
}

/// Starts to write all, or a window of it; the pieces come from the receiver. Dropping it ends the writing.
pub(crate) fn start(
    context: &Arc<Context>,
    (sheet, store): (Sheet, Store),
    window: Option<Window>,
    asked: Arc<AtomicBool>,
) -> std::result::Result<mpsc::Receiver<Part>, Fault> {
    let (give, parts) = mpsc::channel(PIECES_MAX);
    let span = window
        .as_ref()
        .map_or(0..u64::MAX, |window| window.bytes.clone());
    on_thread(context, move || {
        let mut out = Pieces {
            bytes: Vec::with_capacity(PIECE_BYTES),
            span,
            give,
            asked,
        };
        let written = sheet.write(&store, &mut out);
        let flushed = written.and_then(|rows| {
            let flushed = out.flush();
            flushed.map_err(|error| Error::io("write", "output", error))?;
            Ok(rows)
        });
        let is_same = |window: &Window| {
            let view = store.view();
            view.is_ok_and(|view| view.manifest().number == window.snapshot)
        };
        let is_other = window.as_ref().is_some_and(|window| !is_same(window));
        let end = match flushed {
            _ if is_other => Part::Failed(Fault::new(Code::Busy, "there is a newer commit")),
            Ok(rows) => Part::End(rows),
            // Nothing more is wanted.
            Err(_) if out.span.is_empty() => Part::End(0),
            Err(_) if out.asked.load(Ordering::Relaxed) => {
                Part::Failed(Fault::new(Code::Cancelled, "stopped on request"))
            }
            Err(_) if out.give.is_closed() => return,
            Err(error) => Part::Failed(fault_of(&error, None)),
        };
        // Whoever wanted it may be gone.
        let _ = out.give.blocking_send(end);
    })?;
    Ok(parts)
}

struct Pieces {
    bytes: Vec<u8>,
    /// The bytes that are sent, counted from the next one.
    span: Range<u64>,
    give: mpsc::Sender<Part>,
    asked: Arc<AtomicBool>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let least = |a: u64, b: usize| usize::try_from(a).unwrap_or(usize::MAX).min(b);
        let skipped = least(self.span.start, bytes.len());
        if skipped > 0 {
            self.span.start -= skipped as u64;
            self.span.end -= skipped as u64;
            return Ok(skipped);
        }
        let room = PIECE_BYTES - self.bytes.len().min(PIECE_BYTES);
        let (fits, _) = bytes.split_at(bytes.len().min(room).min(least(self.span.end, room)));
        self.bytes.extend_from_slice(fits);
        self.span.end -= fits.len() as u64;
        if self.bytes.len() >= PIECE_BYTES || self.span.is_empty() {
            self.flush()?;
        }
        if self.span.is_empty() {
            return Err(io::Error::other("nothing more is wanted"));
        }
        Ok(fits.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.asked.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped on request"));
        }
        if self.bytes.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.bytes, Vec::with_capacity(PIECE_BYTES));
        let sent = self.give.blocking_send(Part::Bytes(full.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

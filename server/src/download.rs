//! An export to pieces that a client takes at its own pace.
//!
//! A thread of its own writes, and waits while the client does not take what it wrote. How many such
//! threads there are is limited, so they never keep queries waiting.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use footfall_engine::query::{Range, text};
use footfall_engine::store::{RawFormat, Store};
use footfall_engine::{Error, Result};
use footfall_protocol::{Code, Export, Fault};
use tokio::sync::mpsc;

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
    Raw(Range, RawFormat),
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
                    Range::All => None,
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
pub(crate) fn range_of(range: &str) -> std::result::Result<Range, Fault> {
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

/// Starts to write; the pieces come from the receiver. Dropping it ends the writing.
pub(crate) fn start(
    context: &Arc<Context>,
    (sheet, store): (Sheet, Store),
    asked: Arc<AtomicBool>,
) -> std::result::Result<mpsc::Receiver<Part>, Fault> {
    let Ok(room) = Arc::clone(&context.exports).try_acquire_owned() else {
        one(&context.counters.busy);
        return Err(Fault::new(Code::Busy, "too many exports at a time"));
    };
    let (give, parts) = mpsc::channel(PIECES_MAX);
    let work = move || {
        let mut out = Pieces {
            bytes: Vec::with_capacity(PIECE_BYTES),
            give,
            asked,
        };
        let written = sheet.write(&store, &mut out);
        let flushed = written.and_then(|rows| {
            let flushed = out.flush();
            flushed.map_err(|error| Error::io("write", "output", error))?;
            Ok(rows)
        });
        let end = match flushed {
            Ok(rows) => Part::End(rows),
            Err(_) if out.asked.load(Ordering::Relaxed) => {
                Part::Failed(Fault::new(Code::Cancelled, "stopped on request"))
            }
            Err(_) if out.give.is_closed() => return,
            Err(error) => Part::Failed(fault_of(&error, None)),
        };
        // Whoever wanted it may be gone.
        let _ = out.give.blocking_send(end);
        drop(room);
    };
    let thread = thread::Builder::new().name("export".to_owned());
    thread
        .spawn(work)
        .map_err(|_| Fault::new(Code::Busy, "no thread for the export"))?;
    Ok(parts)
}

struct Pieces {
    bytes: Vec<u8>,
    give: mpsc::Sender<Part>,
    asked: Arc<AtomicBool>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES - self.bytes.len().min(PIECE_BYTES);
        let (fits, _) = bytes.split_at(bytes.len().min(room));
        self.bytes.extend_from_slice(fits);
        if self.bytes.len() >= PIECE_BYTES {
            self.flush()?;
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

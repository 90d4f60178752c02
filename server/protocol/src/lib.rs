//! The line protocol, without I/O: frames, commands and replies to and from bytes.
//!
//! A client sends lines, `[@tag] VERB arguments`. A server answers each with lines whose first byte
//! says what they are, the last one `+OK …` or `-ERR …`. The whole protocol is in
//! `format-spec/protocol.md`.
//!
//! ```
//! use footfall_protocol::{Command, Request};
//!
//! let request = Request::parse(b"@7 QUERY downloads by month")?;
//! assert_eq!(request.tag.as_ref().map(|tag| tag.as_str()), Some("7"));
//! assert_eq!(request.command, Command::Query("downloads by month".to_owned()));
//! # Ok::<(), footfall_protocol::Fault>(())
//! ```
//!
//! # Invariants
//!
//! 1. Every request and reply reads back as what it was written from (`laws` in `tests/`).
//! 2. No byte sequence makes a parser panic, and none makes it keep more than a line
//!    ([`LINE_BYTES_MAX`]) or a chunk ([`CHUNK_BYTES_MAX`]).
//! 3. A value never ends a line or a field early.
//!
//! # To add one
//!
//! A command: its variant in [`Command`], its row in [`VERBS`], its row in `format-spec/protocol.md`,
//! what the server does in `server/src/line/`.
//!
//! # Not here
//!
//! Sockets, time limits, tokens, and what a query means.
#![forbid(unsafe_code)]

mod command;
mod fault;
mod field;
mod frame;
mod reply;

pub use command::{
    Command, Export, Ingest, Limits, Needs, Request, Syntax, Tag, VERBS, Verb, looks_like_http,
};
pub use fault::{CODES, Code, Fault};
pub use field::Fields;
pub use frame::{Frame, Frames};
pub use reply::{Reply, Status, push_cells};

/// The version that this is.
pub const VERSION: u32 = 1;
/// Longest line in bytes, without its end. A query that people write has hundreds.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Longest chunk of a body in bytes: what a side must be ready to keep.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Longest tag in bytes.
pub const TAG_BYTES_MAX: usize = 64;

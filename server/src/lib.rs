//! Serves a store over the line protocol and HTTP: two doors, one meaning.
//!
//! ```text
//! listen --> line (format-spec/protocol.md) --\
//!        \-> http (paths, pages) --------------> gate (who) --> pool (threads) --> store
//! ```
//!
//! | module | turns into what |
//! |---|---|
//! | `listen` | addresses to connections, for as long as the server runs |
//! | `line` | a connection of the line protocol to its end |
//! | `http` | a connection of HTTP to its end |
//! | [`token`], `gate` | a token to what its bearer may do |
//! | `pool` | work to a fixed number of threads |
//! | `upload`, `download` | files that come to imports; exports to pieces that are taken |
//! | `aside` | a thread that takes files in to one that gives way to those that answer |
//! | `unread` | answers that wait for their clients to how long these may stall |
//! | `taking` | what an ingest says of itself to what others hear of it |
//! | `watch` | finished files of directories to imports |
//! | `context` | what all connections share |
//!
//! # Invariants
//!
//! 1. A connection holds no thread while its client is slow; work for it has a limit of time.
//! 2. Nobody who may not see a repo can tell it from one that does not exist: the store is asked under
//!    the terms of who asks ([`footfall_engine::catalog::terms`]), by each door.
//! 3. A row whose receipt was sent is on stable storage, however the server ends.
//!
//! # Not here
//!
//! TLS: put a reverse proxy in front (`cli/docs/server.md`).
#![forbid(unsafe_code)]

mod aside;
mod config;
mod context;
mod counter;
mod download;
mod fault;
mod gate;
mod http;
mod line;
mod listen;
mod log;
mod pool;
mod taking;
pub mod token;
mod unread;
mod upload;
mod watch;

pub use config::{Config, Limits, frame_source};
pub use http::openapi;
pub use listen::{Ender, Server};

//! Log files to rows.
//!
//! `Input` (bytes of a file, unwrapped and hashed) → [`sniff::sniff`] (what it is, its header) →
//! [`block::LogReader`] (blocks that end where lines end) → [`log_format::parse_block`] (rows) →
//! [`pipeline::ingest`] (segments, in one commit or a few).

pub mod block;
#[cfg(test)]
mod collect;
pub mod container;
pub mod foreign;
mod found;
pub mod header;
pub mod input;
pub mod log_format;
pub mod pipeline;
pub mod reject;
pub mod row;
pub mod sniff;
pub mod timestamp;

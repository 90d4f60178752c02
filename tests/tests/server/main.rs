//! A server in this process, and clients that speak to it as others would: bytes over sockets.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

mod doors;
mod fuzz;
mod http;
mod ingest;
mod limits;
mod line;
mod login;
mod rights;
mod scene;
mod soak;
mod spec;

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

/// As in the command: giving back millions of values, and memory for others meanwhile, is a matter of the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

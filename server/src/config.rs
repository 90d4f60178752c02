//! What a server is asked to be: addresses, limits, what it watches.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a server is asked to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store's directory; a store is made if there is none.
    pub store: PathBuf,
    /// Where the line protocol is spoken.
    pub listen: Vec<SocketAddr>,
    /// Where HTTP is spoken.
    pub http: Vec<SocketAddr>,
    /// A socket file for the line protocol, which its owner alone may use.
    pub unix: Option<PathBuf>,
    /// Names under which browsers may ask, beside those of this machine.
    pub hosts: Vec<String>,
    /// Directories whose finished files are taken in.
    pub watch: Vec<PathBuf>,
    /// Repos whose badges everybody may see, as globs.
    pub badges: Vec<String>,
    /// Whether each request of HTTP is a line of the log.
    pub logs_requests: bool,
    /// Limits.
    pub limits: Limits,
}

/// What nobody may exceed. The defaults suit a machine of two cores.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Threads that answer queries.
    pub query_threads: usize,
    /// Queries that wait for them.
    pub queue_max: usize,
    /// Connections at a time, of both doors.
    pub connections_max: usize,
    /// Longest time of a query, and what a client gets that asks for none.
    pub query_time: Duration,
    /// Most values (rows times columns) of an answer.
    pub values_max: u64,
    /// Uploads at a time.
    pub uploads_max: usize,
    /// Longest upload in bytes.
    pub upload_bytes_max: u64,
    /// Exports at a time.
    pub exports_max: usize,
    /// Memory to work in for an ingest, in bytes.
    pub ingest_memory: u64,
    /// Time for the first byte, and for a request whose beginning came.
    pub request_time: Duration,
    /// Time between requests of a connection that never asked anything.
    pub fresh_idle_time: Duration,
    /// Time between requests of any other.
    pub idle_time: Duration,
    /// Time in which a client must take something of what is sent to it.
    pub write_time: Duration,
    /// Time for requests that are being answered when the server is asked to end.
    pub grace_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            query_threads: cores,
            queue_max: 512,
            connections_max: 10_000,
            query_time: Duration::from_secs(30),
            values_max: 20_000_000,
            uploads_max: 8,
            upload_bytes_max: 64 << 30,
            exports_max: 4,
            ingest_memory: 512 << 20,
            request_time: Duration::from_secs(10),
            fresh_idle_time: Duration::from_secs(20),
            idle_time: Duration::from_secs(300),
            write_time: Duration::from_secs(20),
            grace_time: Duration::from_secs(4),
        }
    }
}

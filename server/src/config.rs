//! What a server is asked to be: addresses, limits, what it watches.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use footfall_engine::{Error, Result};

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
    /// Where pages may be shown inside a page of another host, as sources of `frame-ancestors`; see
    /// [`frame_source`].
    pub frames: Vec<String>,
    /// Directories whose finished files are taken in.
    pub watch: Vec<PathBuf>,
    /// Repos whose badges everybody may see, as globs.
    pub badges: Vec<String>,
    /// Whether each request of HTTP is a line of the log.
    pub logs_requests: bool,
    /// Limits.
    pub limits: Limits,
}

/// What a browser is told of a host that may show pages inside its own: `stats.acme.org` is
/// `https://stats.acme.org`, and what has a scheme stays.
///
/// # Errors
///
/// `Invalid` for what is no host, with or without scheme and port.
pub fn frame_source(host: &str) -> Result<String> {
    let (scheme, rest) = host.split_once("://").unwrap_or(("https", host));
    let name = rest.strip_prefix("*.").unwrap_or(rest);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
    let is_host = !name.is_empty() && name.bytes().all(is_name);
    if ["http", "https"].contains(&scheme) && is_host {
        return Ok(format!("{scheme}://{rest}"));
    }
    Err(Error::invalid(format!("{host:?} is no host"))
        .with_help("write acme.org, *.acme.org or http://localhost:8080"))
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
    /// About how many bytes a query's groups may take.
    pub query_memory: u64,
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
            query_memory: 1 << 30,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_frames_is_a_host() {
        for (host, source) in [
            ("acme.org", "https://acme.org"),
            ("*.acme.org", "https://*.acme.org"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(frame_source(host).unwrap(), source);
        }
        for wrong in [
            "",
            "*",
            "https://",
            "a b",
            "a;script-src *",
            "'self'",
            "a/b",
        ] {
            assert!(frame_source(wrong).is_err(), "{wrong}");
        }
    }
}

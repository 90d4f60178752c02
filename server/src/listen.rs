//! Addresses to connections, for as long as the server runs.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use footfall_engine::storage::{Clock, SystemClock};
use footfall_engine::store::Store;
use footfall_engine::{Error, Result};
use footfall_protocol::Fields;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::context::Context;
use crate::gate::Gate;
use crate::pool::Pool;
use crate::{http, line, log, upload, watch as directories};

/// How often tokens are looked at.
const TOKENS_PAUSE: Duration = Duration::from_millis(250);
/// Pause after a connection that could not be taken, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A server whose addresses are taken.
pub struct Server {
    runtime: Runtime,
    context: Arc<Context>,
    line: Vec<TcpListener>,
    http: Vec<TcpListener>,
    unix: Option<UnixListener>,
    ending: watch::Sender<bool>,
}

/// Asks a server to end.
#[derive(Clone, Debug)]
pub struct Ender(watch::Sender<bool>);

impl Ender {
    /// Lets requests that are being answered end, and takes no more.
    pub fn end(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Opens the store, which is made if there is none, and takes the addresses.
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that other machines reach while there is no token; `Io` for one that
    /// cannot be taken; those of the store.
    pub fn open(config: Config) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::open_or_create(&config.store)?;
        let gate = Gate::open(config.store.clone(), Arc::clone(&clock))?;
        for address in config.listen.iter().chain(&config.http) {
            gate.check_address(*address)?;
        }
        upload::remove_leftovers(&config.store);
        let system = |error| Error::io("start", &config.store, error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(system)?;
        let limits = &config.limits;
        let pool = Pool::start(limits.query_threads, limits.queue_max).map_err(system)?;
        let (ending, is_ending) = watch::channel(false);
        let entered = runtime.enter();
        let line = take(&config.listen)?;
        let http = take(&config.http)?;
        let unix = config.unix.as_deref().map(take_file).transpose()?;
        drop(entered);
        let context = Context::new((config, store, gate), pool, is_ending, clock);
        Ok(Self {
            runtime,
            context: Arc::new(context),
            line,
            http,
            unix,
            ending,
        })
    }

    /// Addresses of the line protocol; a port that was 0 is the one that was given.
    #[must_use]
    pub fn line_addresses(&self) -> Vec<SocketAddr> {
        addresses(&self.line)
    }

    /// Addresses of HTTP.
    #[must_use]
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        addresses(&self.http)
    }

    /// What ends it.
    #[must_use]
    pub fn ender(&self) -> Ender {
        Ender(self.ending.clone())
    }

    /// Serves until it is asked to end, and until requests that are being answered are answered or the
    /// time for them is over.
    pub fn run(self) {
        let Self {
            runtime,
            context,
            line,
            http,
            unix,
            ending,
        } = self;
        let room = Arc::new(Semaphore::new(context.limits.connections_max));
        let all = u32::try_from(context.limits.connections_max).unwrap_or(u32::MAX);
        directories::start(&context);
        // One thread does all reading and writing; work is for the pool.
        LocalSet::new().block_on(&runtime, async {
            let line = line.into_iter().map(Door::Line);
            let http = http.into_iter().map(Door::Http);
            for door in line.chain(http).chain(unix.map(Door::Unix)) {
                spawn_local(accept(Arc::clone(&context), door, Arc::clone(&room)));
            }
            spawn_local(look_at_tokens(Arc::clone(&context)));
            context.until_ending().await;
            log::info("ending", &Fields::default());
            // When all room is free, every connection has ended.
            let _ = timeout(context.limits.grace_time, room.acquire_many(all)).await;
        });
        if let Some(path) = &context.config.unix {
            // It may have been removed by hand.
            let _ = std::fs::remove_file(path);
        }
        drop(ending);
        runtime.shutdown_background();
    }
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addresses = listeners.iter().map(TcpListener::local_addr);
    addresses.filter_map(io::Result::ok).collect()
}

fn take(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>> {
    let take = |address: &SocketAddr| {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    let taken = addresses.iter().map(|address| {
        take(address).map_err(|error| Error::io("listen", address.to_string(), error))
    });
    taken.collect()
}

/// A socket file that its owner alone may use. One that a server left that was killed is replaced.
fn take_file(path: &Path) -> Result<UnixListener> {
    let fail = |error| Error::io("listen", path, error);
    if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
        let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| {
            use std::os::unix::fs::FileTypeExt;
            metadata.file_type().is_socket()
        });
        if is_socket {
            std::fs::remove_file(path).map_err(fail)?;
        }
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    Ok(listener)
}

async fn look_at_tokens(context: Arc<Context>) {
    loop {
        sleep(TOKENS_PAUSE).await;
        context.gate.tick();
    }
}

/// A place among the connections, and in their count.
struct Place {
    context: Arc<Context>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.context.counters.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where clients come in.
enum Door {
    Line(TcpListener),
    Http(TcpListener),
    Unix(UnixListener),
}

/// A client that came in.
enum Guest {
    Line(TcpStream),
    Http(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Door {
    async fn next(&self) -> io::Result<Guest> {
        // Replies are whole when they are written: nothing is gained by waiting for more.
        match self {
            Self::Line(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Guest::Line(stream))
            }
            Self::Http(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let local = stream.local_addr()?;
                Ok(Guest::Http(stream, local))
            }
            Self::Unix(listener) => Ok(Guest::Unix(listener.accept().await?.0)),
        }
    }
}

/// Lets clients in while there is room, until the server ends.
async fn accept(context: Arc<Context>, door: Door, room: Arc<Semaphore>) {
    while let Ok(own) = Arc::clone(&room).acquire_owned().await {
        let guest = tokio::select! {
            biased;
            () = context.until_ending() => return,
            guest = door.next() => guest,
        };
        let Ok(guest) = guest else {
            // Descriptors are short, or the client went while it waited.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        context.counters.open.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            context: Arc::clone(&context),
            _room: own,
        };
        let context = Arc::clone(&context);
        spawn_local(async move {
            match guest {
                Guest::Line(stream) => line::serve(context, stream, false).await,
                Guest::Unix(stream) => line::serve(context, stream, true).await,
                Guest::Http(stream, local) => http::serve(context, stream, local).await,
            }
            drop(place);
        });
    }
}

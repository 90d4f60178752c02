//! A connection of HTTP to its end: heads to handlers, what they find to responses.
//!
//! hyper reads and writes HTTP/1.1; paths are a table of ours ([`route::ROUTES`]), from which the
//! description for programs is made (`describe`) and over which the tests of rights loop.
//!
//! # Invariants
//!
//! 1. Nothing is answered to a request that does not name this server, or that a browser says another
//!    site began, but for paths that are open to all sites.
//! 2. A handler runs only after the rights of its row were checked.
//! 3. A request whose client went away is stopped.
//!
//! # To add one
//!
//! A path: its handler in a file here, its row in [`route::ROUTES`].

mod address;
mod analysis;
mod badge;
mod body;
mod dashboard;
mod describe;
mod export;
mod guard;
mod hub;
mod ingest;
mod io;
mod kept;
mod login;
mod media;
mod metrics;
mod notice;
mod query;
mod respond;
mod restricted;
mod route;
mod series;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use footfall_protocol::{Code, Fault, Fields};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::context::Context;
use crate::counter::one;
use crate::gate::Access;
use crate::log;
use address::Address;
use body::Body;
use io::{Busy, Pace, Timed};
use respond::{Found, fault, policy, respond, wrong_method};
use route::{Entry, ROUTES, Route, matches};

pub use describe::openapi;
pub(crate) use kept::Answers;

/// Longest head of a request in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// A request on its way to its handler.
pub(crate) struct Call {
    context: Arc<Context>,
    access: Arc<Access>,
    /// Set when the client is gone.
    asked: Arc<AtomicBool>,
    /// What stands for the `{…}` of the path, in order.
    names: Vec<String>,
    parameters: Vec<(String, String)>,
    headers: HeaderMap,
    body: Incoming,
}

impl Call {
    /// A parameter's value.
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Speaks HTTP with a client until either ends it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    context: Arc<Context>,
    stream: S,
    local: SocketAddr,
) {
    let pace = Pace::new(Arc::clone(&context.unread));
    let waiting = pace.clone();
    let stream = Timed::new(stream, pace.clone(), context.limits.clone());
    let shared = Arc::clone(&context);
    let service = service_fn(move |request| {
        let (context, busy) = (Arc::clone(&shared), pace.begin());
        async move { Ok::<_, Infallible>(answer(context, request, local, busy).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
    tokio::select! {
        // An error is the client's: it went, was too slow, or spoke something else.
        _ = &mut connection => return,
        () = waiting.is_over(&context.limits) => return,
        () = context.until_ending() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = waiting.is_over(&context.limits) => {}
    }
}

/// Stops what is done for a client that went away.
struct Leave(Arc<AtomicBool>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn answer(
    context: Arc<Context>,
    request: Request<Incoming>,
    local: SocketAddr,
    busy: Busy,
) -> Response<Body> {
    let begin = Instant::now();
    one(&context.counters.http_requests);
    let number = context.number();
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let mut seen = Seen::default();
    let found = find(&context, (&head, body, local), number, &mut seen).await;
    let policy = policy(&context);
    let response = respond(found, (&head.headers, is_head, &policy), number, busy);
    if !context.config.logs_requests {
        return response;
    }
    let mut fields = Fields::default();
    fields.push("id", number);
    fields.push("method", &head.method);
    fields.push("path", seen.path);
    fields.push("who", seen.who);
    fields.push("status", response.status().as_u16());
    fields.push(
        "ms",
        format!("{:.1}", begin.elapsed().as_secs_f64() * 1_000.0),
    );
    log::info("request", &fields);
    response
}

/// What the log says of a request.
struct Seen {
    path: &'static str,
    who: String,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            path: "-",
            who: "-".to_owned(),
        }
    }
}

async fn find(
    context: &Arc<Context>,
    (head, body, local): (&Parts, Incoming, SocketAddr),
    number: u64,
    seen: &mut Seen,
) -> Found {
    let refused = |why: Fault| notice::fault_of(&why, head, number);
    if let Err(why) = guard::check_host(&head.headers, (&context.config.hosts, local)) {
        return fault(&why, number);
    }
    let uri = &head.uri;
    let Some(address) = Address::parse(uri.path(), uri.query().unwrap_or_default()) else {
        return refused(Fault::new(
            Code::Syntax,
            "the address has escapes that are no text",
        ));
    };
    let mut fitting = ROUTES
        .iter()
        .filter_map(|route| Some((route, matches(route, &address.segments)?)))
        .peekable();
    if fitting.peek().is_none() {
        return refused(Fault::new(
            Code::NotFound,
            "no such path; /openapi.json lists them",
        ));
    }
    let fitting: Vec<_> = fitting.collect();
    let method = if head.method == Method::HEAD {
        "GET"
    } else {
        head.method.as_str()
    };
    let Some((route, names)) = fitting.iter().find(|(route, _)| route.method == method) else {
        let methods: Vec<&str> = fitting.iter().map(|(route, _)| route.method).collect();
        return wrong_method(&methods.join(", ").replace("GET", "GET, HEAD"), number);
    };
    seen.path = route.path;
    let access = match enter(context, head, route) {
        Ok(access) => access,
        Err(why) => return refused(why),
    };
    access.name().clone_into(&mut seen.who);
    let asked = Arc::new(AtomicBool::new(false));
    let _leave = Leave(Arc::clone(&asked));
    let call = Call {
        context: Arc::clone(context),
        access: Arc::new(access),
        asked,
        names: names.clone(),
        parameters: address.parameters,
        headers: head.headers.clone(),
        body,
    };
    if let Err(why) = route::check_parameters(route, &call.parameters) {
        return refused(why);
    }
    (route.run)(call).await.unwrap_or_else(refused)
}

/// Who may have what a path gives.
fn enter(context: &Context, head: &Parts, route: &Route) -> Result<Access, Fault> {
    if route.entry == Entry::Open {
        return Ok(Access::Nobody);
    }
    let (headers, is_get) = (&head.headers, route.method == "GET");
    // Which sites may have it in a frame, the browser holds to.
    let is_framed = !context.config.frames.is_empty() && guard::is_frame(headers);
    if !(is_framed && is_get && route.is_page()) {
        guard::check_site(headers)?;
    }
    let right = match route.entry {
        Entry::Open | Entry::Door => return Ok(Access::Nobody),
        Entry::Right(right) | Entry::WholeStore(right) => right,
    };
    let access = guard::who(context, headers, is_get)?;
    let access = access.ok_or_else(|| Fault::new(Code::Auth, "a token is needed"))?;
    if !access.has(right) {
        let text = format!("the token has no right to {}", right.name());
        return Err(Fault::new(Code::Denied, text));
    }
    if matches!(route.entry, Entry::WholeStore(_)) && !access.sees_all() {
        let text = "the token is for some repos, this shows the store as a whole";
        return Err(Fault::new(Code::Denied, text));
    }
    Ok(access)
}

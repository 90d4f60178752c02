//! A request to a row as a reader of the file must see it.

use crate::day::{DayRequests, Request};
use crate::plan::{HeaderSet, Plan};
use crate::world::World;
use footfall_engine::Result;
use std::sync::Arc;

/// One row, read the way the header set asks for: v0 has only the statuses that its
/// `requestType` stands for, and it alone has `internal`; v2 alone has `user_agent`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GeneratedRow {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ts_ms: u64,
    /// HTTP status.
    pub status: u16,
    /// HTTP method.
    pub method: &'static str,
    /// `model`, `dataset` or `space`.
    pub repo_type: &'static str,
    /// `org/name`.
    pub repo: String,
    /// `hashedUserId`.
    pub user_hash: Option<String>,
    /// `hashedIp`.
    pub ip_hash: Option<String>,
    /// Country code.
    pub country: Option<&'static str>,
    /// Region or city.
    pub region: Option<&'static str>,
    /// `userAgent`.
    pub user_agent: Option<String>,
    /// `isInternal`.
    pub internal: Option<bool>,
}

/// The rows of a plan, in the order of its files. See [`rows`].
#[derive(Debug)]
pub struct Rows {
    world: Arc<World>,
    /// The day being read, and its requests.
    day: u32,
    requests: DayRequests,
}

/// The rows that [`generate`](crate::generate) writes for `plan`, in that order.
///
/// # Errors
/// `Invalid` if the plan is.
pub fn rows(plan: &Plan) -> Result<Rows> {
    let world = Arc::new(World::new(plan)?);
    Ok(Rows {
        requests: DayRequests::new(&world, plan.written().start),
        day: plan.written().start,
        world,
    })
}

impl Iterator for Rows {
    type Item = GeneratedRow;

    fn next(&mut self) -> Option<GeneratedRow> {
        loop {
            if let Some(request) = self.requests.next() {
                return Some(self.row(request));
            }
            if self.day + 1 >= self.world.plan.written().end {
                return None;
            }
            self.day += 1;
            self.requests = DayRequests::new(&self.world, self.day);
        }
    }
}

impl Rows {
    fn row(&self, request: Request) -> GeneratedRow {
        let world = &*self.world;
        let visit = self.requests.visit(request.slot);
        let header = world.plan.header;
        let repo = world.repos.get(visit.repo);
        let place = world.places.get(visit.place);
        let text = |digits: [u8; 64]| digits.iter().map(|&digit| char::from(digit)).collect();
        let (method, status) = match header {
            HeaderSet::V0 => v0_verb(request.verb.method, request.verb.status),
            HeaderSet::V1 | HeaderSet::V2 => (request.verb.method, request.verb.status),
        };
        let mut agent = Vec::new();
        if header == HeaderSet::V2 {
            visit.agent.write(&mut agent);
        }
        let agent = String::from_utf8_lossy(&agent).into_owned();
        GeneratedRow {
            ts_ms: world.calendar_day(self.day).start().get() + u64::from(request.ms),
            status,
            method,
            repo_type: repo.repo_type,
            repo: repo.name.clone(),
            user_hash: world.hashes(self.day).user(visit.who).map(text),
            ip_hash: world.hashes(self.day).ip(visit.who).map(text),
            country: present(place.country),
            region: present(place.region),
            user_agent: Some(agent).filter(|agent| !agent.is_empty()),
            internal: (header == HeaderSet::V0).then_some(visit.internal),
        }
    }
}

fn present(text: &'static str) -> Option<&'static str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What v0's `requestType` says of a request.
pub(crate) fn request_type(method: &'static str, status: u16) -> &'static str {
    if (method, status) == ("GET", 206) {
        "GET-partial"
    } else {
        method
    }
}

/// What a reader makes of [`request_type`].
pub(crate) fn v0_verb(method: &'static str, status: u16) -> (&'static str, u16) {
    match (method, status) {
        ("GET", 206) => ("GET", 206),
        ("GET" | "HEAD", _) => (method, 200),
        _ => (method, 0),
    }
}

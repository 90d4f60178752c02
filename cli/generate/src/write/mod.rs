//! Requests to lines: what differs between two requests of a visit is written each time, the rest
//! is kept as bytes and copied.
//!
//! To add a syntax: a variant of [`Syntax`], a module with a `head` and a `tail`, an arm in each
//! `match` below.

mod csv;
mod file;
mod json;

pub(crate) use file::write_day;

use crate::day::{Request, Visit};
use crate::downloader::{HASH_DIGITS, Hashes};
use crate::place::Place;
use crate::plan::{HeaderSet, Syntax};
use crate::repo::Repo;
use crate::world::World;

/// What every line of a visit ends with, as values.
pub(crate) struct TailFields<'a> {
    repo: &'a Repo,
    user: Option<[u8; HASH_DIGITS]>,
    ip: Option<[u8; HASH_DIGITS]>,
    place: Place,
    agent: &'a [u8],
    internal: bool,
}

/// The same as bytes, and the visit's stamp when they were made.
#[derive(Default)]
struct Tail {
    stamp: u64,
    bytes: Vec<u8>,
}

/// Writes the lines of one day.
pub(crate) struct LineWriter<'a> {
    world: &'a World,
    hashes: Hashes,
    /// `2025-01-01T`
    date: Vec<u8>,
    /// By slot of the visit.
    tails: Vec<Tail>,
    agent: Vec<u8>,
}

impl<'a> LineWriter<'a> {
    pub(crate) fn new(world: &'a World, day: u32) -> Self {
        Self {
            world,
            hashes: world.hashes(day),
            date: format!("{}T", world.calendar_day(day)).into_bytes(),
            tails: Vec::new(),
            agent: Vec::new(),
        }
    }

    /// Appends the header line, if the syntax has one.
    pub(crate) fn header(&self, out: &mut Vec<u8>) {
        if self.world.plan.syntax == Syntax::Csv {
            csv::header(self.world.plan.header, out);
        }
    }

    /// Appends the line of a request.
    pub(crate) fn line(&mut self, request: Request, visit: &Visit, out: &mut Vec<u8>) {
        let slot = request.slot as usize;
        if slot >= self.tails.len() {
            self.tails.resize_with(slot + 1, Tail::default);
        }
        if self.tails[slot].stamp != visit.stamp {
            self.render_tail(slot, visit);
        }
        let header = self.world.plan.header;
        let time = timestamp(&self.date, request.ms);
        match self.world.plan.syntax {
            Syntax::Csv => csv::head(header, &time, request.verb, out),
            Syntax::JsonLines => json::head(header, false, &time, request.verb, out),
            Syntax::WrappedJsonLines => json::head(header, true, &time, request.verb, out),
        }
        out.extend_from_slice(&self.tails[slot].bytes);
    }

    fn render_tail(&mut self, slot: usize, visit: &Visit) {
        let header = self.world.plan.header;
        self.agent.clear();
        if header == HeaderSet::V2 {
            visit.agent.write(&mut self.agent);
        }
        let fields = TailFields {
            repo: self.world.repos.get(visit.repo),
            user: self.hashes.user(visit.who),
            ip: self.hashes.ip(visit.who),
            place: self.world.places.get(visit.place),
            agent: &self.agent,
            internal: visit.internal,
        };
        let tail = &mut self.tails[slot];
        tail.stamp = visit.stamp;
        tail.bytes.clear();
        match self.world.plan.syntax {
            Syntax::Csv => csv::tail(header, &fields, &mut tail.bytes),
            Syntax::JsonLines => json::tail(header, false, &fields, &mut tail.bytes),
            Syntax::WrappedJsonLines => json::tail(header, true, &fields, &mut tail.bytes),
        }
    }
}

/// Bytes of a timestamp.
const TIMESTAMP_LEN: usize = 24;

/// `2025-01-01T00:00:12.345Z`
fn timestamp(date: &[u8], ms: u32) -> [u8; TIMESTAMP_LEN] {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    text[..11].copy_from_slice(&date[..11]);
    let mut two = |at: usize, value: u32| {
        text[at] = b'0' + (value / 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    };
    two(11, ms / 3_600_000);
    two(14, ms / 60_000 % 60);
    two(17, ms / 1_000 % 60);
    two(20, ms % 1_000 / 10);
    text[22] = b'0' + (ms % 10) as u8;
    text
}

/// Three digits at least; statuses have three.
fn status(value: u16) -> [u8; 3] {
    [value / 100 % 10, value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_milliseconds() {
        let text = |ms| String::from_utf8(timestamp(b"2025-01-31T", ms).to_vec()).unwrap();
        assert_eq!(text(12_345), "2025-01-31T00:00:12.345Z");
        assert_eq!(text(86_399_999), "2025-01-31T23:59:59.999Z");
        assert_eq!(text(45_296_007), "2025-01-31T12:34:56.007Z");
        assert_eq!(&status(206), b"206");
    }
}

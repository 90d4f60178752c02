//! Downloaders in the order of time to the counts of buckets that depend on when each was seen before.
//!
//! Of each downloader only the last bucket and the last day are kept, so that the memory is a few bytes
//! per downloader and group, whatever the number of buckets.

use super::distinct::IdSet;
use super::groups::{Key, KeyMap};
use super::timeline::{FIRST, Place, Timeline};
use crate::metrics::Metric;

/// Values of the metrics of history that are asked for, in their order.
pub(super) type Values = Vec<u64>;

/// Counts of one group and bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Downloaders of the full calendar bucket.
    full: u64,
    /// Those that the answer counts.
    now: u64,
    /// Those of them that were never seen before.
    new: u64,
    /// Those of them that were seen in the bucket before.
    retained: u64,
}

impl Tally {
    fn value(&self, metric: Metric, before: &Self) -> u64 {
        match metric {
            Metric::New => self.new,
            Metric::Returning => self.now - self.new,
            Metric::Retained => self.retained,
            Metric::Resurrected => self.now - self.new - self.retained,
            Metric::Churned => before.full - self.retained,
            _ => 0,
        }
    }
}

/// The last bucket of a downloader: 0 is none, else its number plus 1 above two flags.
type Last = u32;
/// The answer counts the downloader in that bucket.
const COUNTED: Last = 1;
/// The downloader was seen in the bucket before that one.
const WAS_BEFORE: Last = 2;

/// By group and day: how much a rolling count changes on it.
type Changes = KeyMap<(u32, u32), i64>;

/// Bytes of the states of groups that have a place for each downloader, all but the first together.
const DENSE_BYTES_MAX: usize = 64 << 20;
/// A group of fewer downloaders than one in so many has no place for all: to clear it would cost more than a map does.
const FEW_SHARE: usize = 32;

/// What is kept of the downloaders of a group: last bucket, and last day if that is asked for.
#[derive(Debug)]
enum State {
    /// Of those that were seen.
    Few(KeyMap<u32, (Last, u32)>),
    /// By downloader.
    Dense { lasts: Vec<Last>, days: Vec<u32> },
}

/// What is kept of each downloader of each group.
#[derive(Debug)]
struct States {
    groups: Vec<State>,
    /// How many more may be dense.
    dense_left: usize,
    /// Downloaders are below.
    limit: usize,
    has_days: bool,
}

impl States {
    fn new(limit: u32, has_days: bool) -> Self {
        let limit = limit as usize;
        let bytes = limit * size_of::<Last>() * (1 + usize::from(has_days));
        Self {
            groups: Vec::new(),
            dense_left: 1 + DENSE_BYTES_MAX / bytes.max(1),
            limit,
            has_days,
        }
    }

    /// Makes room for a group that is the next one.
    fn push_group(&mut self) {
        self.groups.push(State::Few(KeyMap::default()));
    }

    /// Those of a group; with a place for each downloader once it has many, as long as there is room.
    fn of(&mut self, group: u32) -> Option<&mut State> {
        let state = self.groups.get_mut(group as usize)?;
        if let State::Few(few) = state
            && few.len() > self.limit / FEW_SHARE
            && self.dense_left > 0
        {
            self.dense_left -= 1;
            let mut lasts = vec![0; self.limit];
            let mut days = vec![0; if self.has_days { self.limit } else { 0 }];
            for (id, (last, day)) in few.drain() {
                if let Some(place) = lasts.get_mut(id as usize) {
                    *place = last;
                }
                if let Some(place) = days.get_mut(id as usize) {
                    *place = day;
                }
            }
            *state = State::Dense { lasts, days };
        }
        Some(state)
    }
}

/// Downloaders seen so far.
#[derive(Debug)]
pub(super) struct Seen {
    states: States,
    /// Numbers of the groups.
    groups: KeyMap<Key, u32>,
    keys: Vec<Key>,
    /// By group: those of its buckets, ascending.
    tallies: Vec<Vec<(u32, Tally)>>,
    /// By number of days of a rolling count.
    rolling: Vec<(u32, Changes)>,
}

impl Seen {
    /// Nothing seen yet; downloaders are below `limit`.
    pub(super) fn new(metrics: &[Metric], limit: u32) -> Self {
        let rolling = metrics.iter().filter_map(|metric| match metric {
            Metric::Rolling(days) => Some((*days, KeyMap::default())),
            _ => None,
        });
        let rolling: Vec<_> = rolling.collect();
        Self {
            states: States::new(limit, !rolling.is_empty()),
            groups: KeyMap::default(),
            keys: Vec::new(),
            tallies: Vec::new(),
            rolling,
        }
    }

    /// Adds downloaders of one place; places come in the order of time.
    pub(super) fn add(&mut self, key: Key, place: Place, ids: &IdSet) {
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let group = *self.groups.entry(key).or_insert(next);
        if group == next {
            self.keys.push(key);
            self.tallies.push(Vec::new());
            self.states.push_group();
        }
        let tallies = self.tallies.get_mut(group as usize);
        let (Some(tallies), Some(state)) = (tallies, self.states.of(group)) else {
            return;
        };
        let before = tallies.pop_if(|(bucket, _)| *bucket == place.bucket);
        let (_, mut sums) = before.unwrap_or_default();
        let rolling = &mut self.rolling;
        ids.for_each(|id| {
            let mut unused = 0;
            let (last, day) = match state {
                State::Dense { lasts, days } => {
                    let day = days.get_mut(id as usize).unwrap_or(&mut unused);
                    let Some(last) = lasts.get_mut(id as usize) else {
                        return;
                    };
                    (last, day)
                }
                State::Few(few) => {
                    let (last, day) = few.entry(id).or_default();
                    (last, day)
                }
            };
            if !rolling.is_empty() {
                let known = (*last != 0).then_some(*day);
                *day = place.day.get();
                roll(rolling, group, known, *day);
            }
            see(last, place, &mut sums);
        });
        tallies.push((place.bucket, sums));
    }

    /// Values that are not all zero by group and number of bucket.
    pub(super) fn values(
        &self,
        metrics: &[Metric],
        timeline: &Timeline,
    ) -> Vec<((Key, u32), Values)> {
        let buckets = FIRST + u32::try_from(timeline.buckets.len().max(1)).unwrap_or(0);
        // Group, bucket, place of the metric, value.
        let mut found: Vec<(u32, u32, usize, u64)> = Vec::new();
        for (group, tallies) in (0..).zip(&self.tallies) {
            each_pair(tallies, |bucket, before, own| {
                if bucket < FIRST || bucket >= buckets {
                    return;
                }
                for (at, metric) in metrics.iter().enumerate() {
                    found.push((group, bucket, at, own.value(*metric, before)));
                }
            });
        }
        for (at, metric) in metrics.iter().enumerate() {
            let rolling = self.rolling.iter();
            let own = rolling.filter(|(days, _)| *metric == Metric::Rolling(*days));
            for (_, changes) in own {
                self.rolled(changes, timeline, |group, bucket, value| {
                    found.push((group, bucket, at, value));
                });
            }
        }
        found.retain(|(.., value)| *value > 0);
        found.sort_unstable();
        let of_groups = found.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
        let values = of_groups.filter_map(|found| {
            let (group, bucket, ..) = found.first()?;
            let mut values = vec![0; metrics.len()];
            for (.., at, value) in found {
                if let Some(place) = values.get_mut(*at) {
                    *place = *value;
                }
            }
            Some(((*self.keys.get(*group as usize)?, *bucket), values))
        });
        values.collect()
    }

    fn rolled(&self, changes: &Changes, timeline: &Timeline, mut set: impl FnMut(u32, u32, u64)) {
        let mut sorted: Vec<_> = changes.iter().collect();
        sorted.sort_unstable_by_key(|(place, _)| **place);
        let mut rest = sorted.as_slice();
        while let Some(((group, _), _)) = rest.first() {
            let len = rest.partition_point(|((other, _), _)| other <= group);
            let (own, after) = rest.split_at(len);
            let (mut own, mut count) = (own.iter().peekable(), 0);
            for day in &timeline.buckets {
                while let Some((_, change)) = own.next_if(|((_, at), _)| at <= day) {
                    count += **change;
                }
                if let (Some(bucket), 1..) = (timeline.number(*day), count) {
                    set(*group, bucket, count.unsigned_abs());
                }
            }
            rest = after;
        }
    }
}

/// Gives each bucket that has a tally, or follows on one that has, with those of the bucket before and its own.
fn each_pair(tallies: &[(u32, Tally)], mut give: impl FnMut(u32, &Tally, &Tally)) {
    let none = Tally::default();
    let mut before: Option<&(u32, Tally)> = None;
    for own in tallies.iter().map(Some).chain([None]) {
        // What is left of a bucket is lost in the next one, also if nobody is there.
        if let Some((bucket, tally)) = before
            && own.is_none_or(|(next, _)| *next > bucket + 1)
        {
            give(bucket + 1, tally, &none);
        }
        if let Some((bucket, tally)) = own {
            let before = before.filter(|(before, _)| before + 1 == *bucket);
            give(*bucket, before.map_or(&none, |(_, before)| before), tally);
        }
        before = own;
    }
}

/// Notes that a downloader is at a place.
#[inline]
fn see(last: &mut Last, place: Place, sums: &mut Tally) {
    let own = (place.bucket + 1) << 2;
    let known = *last & !(COUNTED | WAS_BEFORE);
    if known != own {
        sums.full += 1;
        let was_before = known + (1 << 2) == own && known != 0;
        *last = own | if was_before { WAS_BEFORE } else { 0 };
    }
    if place.counts && *last & COUNTED == 0 {
        *last |= COUNTED;
        sums.now += 1;
        sums.new += u64::from(known == 0);
        sums.retained += u64::from(*last & WAS_BEFORE != 0);
    }
}

/// Notes that a downloader, last active on the day `known`, is active on `day`: it counts on the days
/// from there, N of them.
fn roll(rolling: &mut [(u32, Changes)], group: u32, known: Option<u32>, day: u32) {
    if known == Some(day) {
        return;
    }
    for (days, changes) in rolling {
        let mut change = |day: u32, by: i64| *changes.entry((group, day)).or_insert(0) += by;
        match known.map(|known| known.saturating_add(*days)) {
            // It had not left yet.
            Some(end) if end >= day => change(end, 1),
            _ => change(day, 1),
        }
        change(day.saturating_add(*days), -1);
    }
}

//! Visits to requests by downloader: a counter for each id, of which only the first become groups.
//!
//! Downloaders are a million groups of which a query wants a hundred. Both threads that read days count in
//! the same counters.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Level;
use super::attribute_runs::attributes;
use super::groups::{Groups, Key};
use super::leading;
use super::lens::OUT;
use super::scan::DayReader;
use super::scope::Scope;
use super::shape::Cover;
use super::space::Space;
use super::time::DayPart;
use super::walk::{Rows, WalkedVisits};
use crate::error::Result;
use crate::metrics::Metric;
use crate::segment::{RepoRange, VisitSlice};

/// Most ids that have a counter each: 256 MiB.
const COUNTERS_MAX: u32 = 1 << 26;

/// Requests of each downloader.
#[derive(Debug)]
pub(super) struct Tally(Vec<AtomicU32>);

impl Tally {
    /// Counters at zero, if the query asks for nothing but the downloaders of most requests, and visits
    /// decide.
    pub(super) fn new(scope: &Scope<'_>, lowest: Level) -> Option<Self> {
        let ids = scope.view.identities().next_id();
        let is_asked = matches!(scope.axes.as_slice(), [axis] if axis.space == Space::Downloader)
            && matches!(scope.query.metrics.as_slice(), [Metric::Requests])
            && leading::first_count(scope.query).is_some();
        if !is_asked {
            return None;
        }
        let is_decided = lowest != Level::Rows
            && scope.days.iter().all(DayPart::is_whole)
            && attributes(scope).next().is_none()
            && scope.kind.is_idle()
            && scope.downloaders.is_none();
        let partitions = &scope.view.manifest().partitions;
        let segments = partitions.iter().flat_map(|partition| &partition.segments);
        let rows: u64 = segments.map(|segment| segment.rows).sum();
        let fits = ids <= COUNTERS_MAX && rows <= u64::from(u32::MAX);
        (is_decided && fits).then(|| {
            let mut counts = Vec::new();
            counts.resize_with(ids as usize, AtomicU32::default);
            Self(counts)
        })
    }

    /// Adds the requests of some repos of a day.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add(&self, reader: &DayReader<'_, '_>, repos: &[RepoRange]) -> Result<()> {
        let mut slice = VisitSlice::default();
        reader.segment.ranks_shapes_and_rows(repos, &mut slice)?;
        let shapes = (0_u32..).take(reader.segment.shapes()?.len());
        let kept: Vec<Cover> = shapes
            .map(|code| reader.shape(code).map_or(Cover::None, |shape| shape.kept))
            .collect();
        let mut some = Vec::new();
        let mut visits = (0..).zip(slice.rank.iter().zip(slice.rows.iter().zip(&slice.shape)));
        for repo in repos {
            let own = visits.by_ref().take(repo.visits.len());
            if reader.scope.repo.part(repo.code) == OUT {
                own.for_each(drop);
                continue;
            }
            for (visit, (rank, (rows, shape))) in own {
                match kept.get(*shape as usize) {
                    Some(Cover::All) => self.count(reader, *rank, *rows),
                    Some(Cover::Some) => some.push((visit, *rank, *shape)),
                    _ => {}
                }
            }
        }
        if some.is_empty() {
            return Ok(());
        }
        let walked = WalkedVisits::read(reader, &slice)?;
        for (visit, rank, shape) in some {
            let rows = walked.count(reader, (visit, shape), Rows::Kept);
            let rows = rows.unwrap_or_default();
            // A visit has fewer rows than its segment, which has less than 2³².
            self.count(reader, rank, u32::try_from(rows).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    #[inline]
    fn count(&self, reader: &DayReader<'_, '_>, rank: u32, rows: u32) {
        // The greatest rank is "none".
        let id = reader.downloaders.get(rank as usize).copied().unwrap_or(0);
        if let Some(count) = self.0.get(id as usize) {
            count.fetch_add(rows, Ordering::Relaxed);
        }
    }

    /// Makes groups of the first downloaders; gives how many more there are.
    pub(super) fn first(self, scope: &Scope<'_>, groups: &mut Groups) -> u64 {
        let counts = || {
            self.0
                .iter()
                .map(|count| u64::from(count.load(Ordering::Relaxed)))
        };
        let top = leading::first_count(scope.query).unwrap_or(usize::MAX);
        let least = leading::least_of_first(counts(), top).max(1);
        let mut left_out = 0;
        for (id, count) in (0_u32..).zip(counts()) {
            if count >= least {
                let slot = groups.slot(scope.downloader_stride * Key::from(id));
                groups.sums(slot).requests += count;
            } else {
                left_out += u64::from(count > 0);
            }
        }
        left_out
    }
}

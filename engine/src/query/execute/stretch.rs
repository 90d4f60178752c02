//! Visits whose attributes change inside to groups, without their rows' verbs and instants.
//!
//! Where the filter keeps and the rule accepts every verb of the shape, or none, all rows between two
//! changes are alike.

use std::ops::Range;

use super::attribute_runs::Runs;
use super::groups::Groups;
use super::lens::OUT;
use super::rows::Attributes;
use super::scan::{DayReader, Waiting};
use super::shape::{Cover, Shape};
use crate::rules::Collapse;

impl DayReader<'_, '_> {
    /// Adds a visit of these rows of the slice, stretch by stretch; `false` if that cannot be done.
    pub(super) fn stretches(
        &self,
        visit: &Waiting,
        (shape, rows): (&Shape, Range<u32>),
        runs: &Runs<'_>,
        groups: &mut Groups,
    ) -> bool {
        let (Some(verb_part), Some(evidence)) = (shape.part, shape.evidence) else {
            return false;
        };
        let wants = self.wants;
        let each_counts = visit.id == 0 || self.scope.rule.collapse == Collapse::None;
        let is_decided = shape.kept != Cover::Some
            && shape.accepted != Cover::Some
            && (!wants.downloads || each_counts)
            && runs.session.is_none();
        let Some(time) = visit.time else {
            return false;
        };
        if shape.kept == Cover::None || !is_decided {
            return is_decided;
        }
        let mut attributes = Attributes::new(runs, visit.visit, rows.start);
        let mut row = rows.start;
        while row < rows.end {
            attributes.advance(row);
            let end = attributes.next_change().min(rows.end);
            let count = u64::from(end - row);
            row = end;
            let part = attributes.part();
            if part == OUT {
                continue;
            }
            let key = visit.part + time + verb_part + part;
            let slot = groups.slot(key);
            groups.sums(slot).requests += u64::from(wants.requests) * count;
            if shape.accepted == Cover::None || attributes.is_internal() {
                continue;
            }
            self.accepted(visit, (slot, count), attributes.place(), groups);
            if wants.downloads && evidence != OUT {
                let slot = groups.slot(key + evidence);
                groups.sums(slot).downloads += count;
                groups.whole_downloads += count;
            }
        }
        true
    }

    /// Adds what is distinct of accepted rows, and those without identity.
    #[inline]
    pub(super) fn accepted(
        &self,
        visit: &Waiting,
        (slot, count): (usize, u64),
        place: Option<u32>,
        groups: &mut Groups,
    ) {
        let who = (visit.id, visit.repo);
        self.wants.add_accepted(who, (slot, count), groups);
        if let Some(place) = place {
            groups.add_country(slot, self.country(place));
        }
    }
}

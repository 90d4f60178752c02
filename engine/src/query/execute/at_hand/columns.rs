//! A stretch of visits that are at hand to the columns that most conditions look at, without a copy of them.

use std::ops::Range;

use crate::query::execute::attribute_runs::attributes;
use crate::query::execute::lens::{ASK_SESSION, Lens, OUT};
use crate::query::execute::scan::DayReader;
use crate::segment::{Attribute, RepoRange, RunSlice, VisitSlice};

/// Of so many visits one may have a code that is kept: of more it is not cheaper to know which.
const FEW_SHARE: usize = 6;

/// Columns of a stretch of visits; each has a value for each visit.
pub(super) struct ColumnsAtHand<'r> {
    /// Number of the first visit in the segment.
    first_visit: u32,
    /// Shapes.
    pub(super) shapes: &'r [u16],
    /// Downloaders, 0 for none.
    pub(super) ids: &'r [u32],
    /// First rows, by their number in the segment, and the end of the last visit.
    pub(super) starts: &'r [u32],
    /// Milliseconds of the day of the first rows.
    pub(super) firsts: &'r [u32],
    /// The attribute that a condition or a dimension is on, if there is one.
    pub(super) coded: Option<Coded<'r>>,
}

/// Codes of an attribute.
#[derive(Clone, Copy)]
pub(super) struct Coded<'r> {
    /// What they say.
    pub(super) lens: &'r Lens,
    /// Of the first row of each visit.
    pub(super) codes: &'r [u16],
    /// Rows of the segment where the code changes inside a visit.
    rows: &'r [u32],
    /// And what it is from then on.
    values: &'r [u16],
}

impl<'r> Coded<'r> {
    /// The codes that some rows of the segment change to.
    pub(super) fn changes(&self, start: u32, end: u32) -> impl Iterator<Item = (u32, u32)> + 'r {
        let from = self.rows.partition_point(|row| *row < start);
        let pairs = self.rows.iter().zip(self.values).skip(from);
        let pairs = pairs.map(|(row, value)| (*row, u32::from(*value)));
        pairs.take_while(move |(row, _)| *row < end)
    }
}

impl DayReader<'_, '_> {
    /// The columns of some repos, if they are all that conditions and dimensions of the query look at beside verbs and
    /// instants.
    pub(super) fn columns_at_hand(&self, repos: &[RepoRange]) -> Option<ColumnsAtHand<'_>> {
        let at_hand = self.at_hand?;
        let visits = repos.first()?.visits.start..repos.last()?.visits.end;
        let wants = self.wants;
        let has_internal = wants.has_accepted()
            && !self.scope.rule.internal
            && self.segment.len(Attribute::INTERNAL.values()) > 0;
        if has_internal || wants.countries {
            return None;
        }
        let starts = at_hand.starts(visits.clone());
        let mut looked_at = attributes(self.scope);
        let coded = match (looked_at.next(), looked_at.next()) {
            (None, _) => None,
            (Some((attribute, lens)), None) => {
                if attribute == Attribute::AGENT && lens.parts.contains(&ASK_SESSION) {
                    return None;
                }
                let known = self.segment.attribute_at_hand(attribute)?;
                let (rows, values) = known.changes().between(*starts.first()?..*starts.last()?);
                Some(Coded {
                    lens,
                    codes: known.values(visits.clone()),
                    rows,
                    values,
                })
            }
            _ => return None,
        };
        Some(ColumnsAtHand {
            first_visit: visits.start,
            shapes: at_hand.shapes(visits.clone()),
            ids: at_hand.ids(visits.clone()),
            firsts: at_hand.firsts(visits),
            starts,
            coded,
        })
    }
}

/// What is in either of two ascending lists, each once.
fn union(one: Vec<usize>, other: &[usize]) -> Vec<usize> {
    if other.is_empty() {
        return one;
    }
    let mut all = Vec::with_capacity(one.len() + other.len());
    let mut other = other.iter().copied().peekable();
    for own in one {
        all.extend(std::iter::from_fn(|| other.next_if(|more| *more < own)));
        other.next_if_eq(&own);
        all.push(own);
    }
    all.extend(other);
    all
}

impl ColumnsAtHand<'_> {
    /// Visits.
    pub(super) fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Number of a visit in the segment.
    pub(super) fn number(&self, visit: usize) -> u32 {
        // A segment has fewer than 2³² visits.
        self.first_visit.saturating_add(visit as u32)
    }

    /// The visits whose first row has a code that is kept, and those inside of which the code changes, ascending; `None` if
    /// those are not few.
    pub(super) fn few_by_code(&self, varied: &[usize]) -> Option<Vec<usize>> {
        let coded = self.coded.as_ref().filter(|coded| coded.lens.has_filter)?;
        let parts = Some(&coded.lens.parts).filter(|parts| !parts.is_empty())?;
        let keeps: Vec<bool> = parts.iter().map(|part| *part != OUT).collect();
        let most = coded.codes.len() / FEW_SHARE;
        let mut few = vec![0; most + 1];
        let mut count = 0;
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        for (visit, code) in coded.codes.iter().enumerate() {
            *few.get_mut(count)? = visit;
            count += usize::from(keeps.get(usize::from(*code)) == Some(&true));
        }
        if count + varied.len() > most {
            return None;
        }
        few.truncate(count);
        Some(union(few, varied))
    }

    /// The first row of a visit, and that of the next one.
    #[inline]
    pub(super) fn rows_of(&self, visit: usize) -> (u32, u32) {
        let start = |visit: usize| self.starts.get(visit).copied().unwrap_or(0);
        (start(visit), start(visit + 1))
    }

    /// Rows of some visits.
    #[inline]
    pub(super) fn rows_between(&self, visits: Range<usize>) -> u64 {
        let start = |visit: usize| self.starts.get(visit).copied().unwrap_or(0);
        u64::from(start(visits.end) - start(visits.start))
    }

    /// The visits inside of which the attribute changes in a way that makes a difference to the query.
    pub(super) fn varied(&self) -> Vec<usize> {
        let mut varied = Vec::new();
        let Some(coded) = &self.coded else {
            return varied;
        };
        // The first row after the visit of the change before, and what its last row adds to keys.
        let (mut visit, mut end, mut before) = (0_usize, 0, 0);
        for (row, value) in coded.rows.iter().zip(coded.values) {
            if *row >= end {
                let rest = self.starts.get(visit..).unwrap_or_default();
                visit += rest.partition_point(|start| *start <= *row).max(1) - 1;
                end = self.rows_of(visit).1;
                let code = coded.codes.get(visit).copied().unwrap_or(0);
                before = coded.lens.part(code.into());
            }
            let part = coded.lens.part((*value).into());
            if part != before && varied.last() != Some(&visit) {
                varied.push(visit);
            }
            before = part;
        }
        varied
    }

    /// Puts one visit alone, as it stands in its segment, in place of what is in `slice` and `run`.
    pub(super) fn put(&self, visit: usize, slice: &mut VisitSlice, run: &mut RunSlice) {
        let (start, end) = self.rows_of(visit);
        slice.clear();
        slice.first_visit = self.number(visit);
        slice.first_row = start;
        slice.rows.push(end - start);
        slice.starts.extend([0, end - start]);
        let value = |values: &[u16]| values.get(visit).copied().map_or(0, u32::from);
        slice.shape.push(value(self.shapes));
        run.values.clear();
        run.changes.clear();
        if let Some(coded) = &self.coded {
            run.values.push(value(coded.codes));
            let changes = coded.changes(start, end);
            run.changes
                .extend(changes.map(|(row, value)| (row - start, value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_union_is_that_of_sets(one: BTreeSet<u8>, other: BTreeSet<u8>) {
            let list = |set: &BTreeSet<u8>| set.iter().map(|value| usize::from(*value)).collect::<Vec<_>>();
            let want: BTreeSet<u8> = one.union(&other).copied().collect();
            prop_assert_eq!(union(list(&one), &list(&other)), list(&want));
        }
    }
}

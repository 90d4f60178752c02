//! Repos of a segment to the stretches of them that are read at once.

use std::ops::Range;

use super::groups::Key;
use super::lens::{Lens, OUT};
use super::scope::{Scope, Wants};
use crate::segment::{RepoRange, Segment, VisitsAtHand, column};

/// Visits that are read at once, unless a repo has more: a value of each is 128 KiB.
const PORTION_VISITS: u32 = 1 << 15;

/// A page is told to have been read for so many times the visits of it that were asked for, at most.
const PAGE_SHARE: u32 = 4;

/// Stretches of repos to read: those that the filter keeps, and what lies between near ones. Long ones are cut, between
/// two repos, so that what is decoded of one is still in a cache when it is looked at.
pub(super) fn portions<'r>(
    repos: &'r [RepoRange],
    lens: &Lens,
    gap_visits_max: u32,
) -> Vec<&'r [RepoRange]> {
    let runs = kept_runs(repos, lens, gap_visits_max);
    runs.into_iter().flat_map(cut).collect()
}

/// The visits of a segment, if they are at hand, or can be for what a question reads of it anyway.
pub(super) fn at_hand<'g>(
    segment: &'g Segment,
    repos: &[RepoRange],
    (scope, wants): (&Scope<'_>, Wants),
) -> Option<&'g VisitsAtHand> {
    let at_hand = segment.visits_if_at_hand();
    // How much is read of many repos would take as long to find out as to read them.
    if at_hand.is_some() && repos.len() > 1 {
        return at_hand;
    }
    let visit_count = segment.meta().visit_count;
    let (page_values, _) = column::page_of(column::VISIT_SHAPE, visit_count);
    // Of a page that has some of them all are decoded, but not again for the next question.
    let pages_of = |run: &[RepoRange]| {
        let (first, last) = run.first().zip(run.last())?;
        let start = first.visits.start / page_values * page_values;
        let end = last.visits.end.checked_next_multiple_of(page_values);
        let pages = end.map_or(visit_count, |end| end.min(visit_count)) - start;
        let visits = last.visits.end - first.visits.start;
        Some(pages.min(visits.saturating_mul(PAGE_SHARE)))
    };
    let runs = kept_runs(repos, scope.kept_repos(wants), page_values);
    let own = runs.into_iter().filter_map(pages_of).sum();
    if own == 0 {
        return at_hand;
    }
    scope.spare.add(own);
    if at_hand.is_some() {
        return at_hand;
    }
    segment.visits_at_hand(own, &scope.spare)
}

/// Each repo of a stretch that is kept, what it adds to keys, and its visits by number in the stretch.
pub(super) fn each_kept<'r>(
    repos: &'r [RepoRange],
    lens: &'r Lens,
) -> impl Iterator<Item = (&'r RepoRange, Key, Range<usize>)> {
    let mut end = 0;
    let all = repos.iter().map(move |repo| {
        let start = end;
        end += repo.visits.len();
        (repo, lens.part(repo.code), start..end)
    });
    all.filter(|(_, part, _)| *part != OUT)
}

/// The repos of a stretch that are kept, neighbours of the same part together: that part, the repos, and their visits by
/// number in the stretch.
pub(super) fn same_parts(
    repos: &[RepoRange],
    part: impl Fn(&RepoRange) -> Key,
) -> impl Iterator<Item = (Key, &[RepoRange], Range<usize>)> {
    let (mut rest, mut end) = (repos, 0);
    let mut next = rest.first().map(&part);
    let same = std::iter::from_fn(move || {
        let own = next?;
        let mut count = 1;
        loop {
            next = rest.get(count).map(&part);
            if next != Some(own) {
                break;
            }
            count += 1;
        }
        let (same, after) = rest.split_at_checked(count)?;
        rest = after;
        let start = end;
        end += same.iter().map(|repo| repo.visits.len()).sum::<usize>();
        Some((own, same, start..end))
    });
    same.filter(|(part, ..)| *part != OUT)
}

/// Parts of a stretch of repos that each have about [`PORTION_VISITS`] visits, or one repo.
fn cut(run: &[RepoRange]) -> impl Iterator<Item = &[RepoRange]> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let start = rest.first()?.visits.start;
        let is_near = |repo: &RepoRange| repo.visits.end - start <= PORTION_VISITS;
        let (part, after) = rest.split_at(rest.partition_point(is_near).max(1));
        rest = after;
        Some(part)
    })
}

fn kept_runs<'r>(repos: &'r [RepoRange], lens: &Lens, gap_visits_max: u32) -> Vec<&'r [RepoRange]> {
    if !lens.has_filter {
        return vec![repos];
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    let is_near = |run: &Range<usize>, repo: &RepoRange| {
        let last = repos.get(run.end - 1);
        last.is_some_and(|last| repo.visits.start - last.visits.end < gap_visits_max)
    };
    let mut add = |index: usize, repo: &RepoRange| match runs.last_mut() {
        Some(run) if is_near(run, repo) => run.end = index + 1,
        _ => runs.push(index..index + 1),
    };
    match &lens.listed {
        Some(codes) => codes.iter().for_each(|code| {
            let index = repos.binary_search_by_key(code, |repo| repo.code);
            if let Some((index, repo)) = index.ok().and_then(|at| Some((at, repos.get(at)?))) {
                add(index, repo);
            }
        }),
        None => {
            let kept = repos.iter().enumerate();
            let kept = kept.filter(|(_, repo)| lens.part(repo.code) != OUT);
            kept.for_each(|(index, repo)| add(index, repo));
        }
    }
    runs.into_iter().filter_map(|run| repos.get(run)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stretches_are_cut_between_repos(counts in prop::collection::vec(1_u32..40_000, 0..40)) {
            let mut end = 7;
            let repos: Vec<RepoRange> = (0..).zip(&counts).map(|(code, count)| {
                let visits = end..end + count;
                end = visits.end;
                RepoRange { code, visits }
            }).collect();
            let parts: Vec<&[RepoRange]> = cut(&repos).collect();
            prop_assert_eq!(&parts.concat(), &repos);
            let visits = |part: &[RepoRange]| part.iter().map(|repo| repo.visits.len()).sum::<usize>();
            prop_assert!(parts.iter().all(|part| part.len() == 1 || visits(part) <= PORTION_VISITS as usize));
            let pairs = parts.windows(2).map(|pair| visits(pair[0]) + pair[1][0].visits.len());
            prop_assert!(pairs.min().is_none_or(|least| least > PORTION_VISITS as usize));
        }
    }
}

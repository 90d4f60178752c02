//! A query and a snapshot to the answer.
//!
//! ```text
//! Query --scope--> tables over codes, days --scan (visits, rows)--> groups --assemble--> Answer
//! ```
//!
//! Five levels answer: when downloaders had been active before (histograms), sums of a month (series), sums of
//! a day (cells), visits, rows. Each part of a query is answered from the
//! lowest one that covers it; `explain` says which. Visits and rows that are kept decoded in memory have walks of their
//! own (`at_hand`).
//!
//! # Invariants
//!
//! 1. Every level gives the same answer (`random_queries` asks from each level).
//! 2. A number never depends on the order of days or on how many threads read them.
//!
//! # Not here
//!
//! What a query means without a store (`query::check`), the ends of its range (`query::range`), the
//! order of rows (`query::order`).

mod alike;
mod assemble;
mod at_hand;
mod attribute_runs;
mod axis;
mod bucket_ranges;
mod by_code;
mod cells;
mod chain;
mod chunked;
mod closing;
mod counters;
mod day_memory;
mod distinct;
mod each;
mod estimate;
mod explain;
mod family;
mod gaps;
mod groups;
mod held;
mod history;
mod hub;
mod id_list;
mod last_days;
mod late_repo;
mod leading;
mod lens;
mod marks;
mod month_counts;
mod narrow;
mod notes;
mod portions;
mod ranked;
mod reach;
mod requests_of;
mod row_columns;
mod rows;
mod scan;
mod scope;
mod seen;
mod series;
mod set_parts;
mod sets;
mod shape;
mod shares;
mod sieve;
mod slots;
mod space;
mod spare;
mod stretch;
mod sums_by_code;
mod tally;
mod target;
mod ties;
mod time;
mod timeline;
mod unions;
mod visit_ids;
mod walk;

use std::time::Instant;

use serde::Serialize;

use assemble::Counted;
use cells::{Buffers, CellPlan};
use closing::Closing;
use gaps::Covered;
use groups::Groups;
use late_repo::LateRepo;
use marks::Marks;
use month_counts::MonthCount;
use narrow::Narrowed;
use scan::Scanner;
use scope::Scope;
use shares::{Shares, at_once};
use tally::Tally;
use time::DayPart;
use unions::Unions;

use crate::catalog::View;
use crate::catalog::terms::{Allowed, Terms};
use crate::error::Result;
use crate::hub::HubState;
use crate::query::answer::Answer;
use crate::query::value::Query;
use crate::rules::Rule;

/// Gives the user-defined rule of a name.
pub type Rules<'r> = dyn Fn(&str) -> Option<Rule> + 'r;

pub use each::{Asked, EachDownloader, Touch, each_downloader, first_touches};
pub use explain::{Explanation, Part};
pub use scope::log_calendar;
pub use sets::{DownloaderSets, LookAtSets, downloader_sets, each_part_of_sets, meaning};
pub use shares::has_second_thread;

/// What a part of a query is answered from.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// When downloaders of a day had been active before.
    #[default]
    Histograms,
    /// Stored sums of a month.
    Series,
    /// Stored sums of a day.
    Cells,
    /// Visits.
    Visits,
    /// Rows.
    Rows,
}

/// The answer of a query.
///
/// # Errors
///
/// `Invalid` for a query without meaning, `Unsupported` for one that is not answered yet, `Corrupt` or
/// `Io` when the store cannot be read.
pub fn execute(
    view: &View,
    hub: Option<&HubState>,
    rules: &Rules<'_>,
    query: &Query,
) -> Result<Answer> {
    execute_from(Level::default(), (view, hub), rules, query)
}

/// The answer of a query from levels not below `lowest`: the same as that of [`execute`], but slower.
///
/// # Errors
///
/// As [`execute()`].
pub fn execute_from(
    lowest: Level,
    (view, hub): (&View, Option<&HubState>),
    rules: &Rules<'_>,
    query: &Query,
) -> Result<Answer> {
    let begin = Instant::now();
    query.check()?;
    let narrowed = Narrowed::new(view, query);
    let mut scope = Scope::new((view, hub), rules, &narrowed)?;
    let counted = count(&mut scope, lowest, rules)?;
    view.terms().check()?;
    let mut answer = assemble::answer(&scope, &counted)?;
    answer.meta.elapsed_ms = begin.elapsed().as_secs_f64() * 1000.0;
    Ok(answer)
}

/// How [`execute`] would answer a query.
///
/// # Errors
///
/// As [`execute()`].
pub fn explain(
    view: &View,
    hub: Option<&HubState>,
    rules: &Rules<'_>,
    query: &Query,
) -> Result<Explanation> {
    query.check()?;
    let narrowed = Narrowed::new(view, query);
    let scope = Scope::new((view, hub), rules, &narrowed)?;
    explain::explain(&scope, rules, &CellPlan::new(&scope, Level::default()))
}

fn count(scope: &mut Scope<'_>, lowest: Level, rules: &Rules<'_>) -> Result<Counted> {
    let count = match lowest {
        Level::Histograms | Level::Series => MonthCount::new(scope)?,
        Level::Cells | Level::Visits | Level::Rows => None,
    };
    let covered = match (count, lowest) {
        (Some(count), _) => Some(count.covered()?),
        (None, Level::Histograms) => match gaps::covered(scope)? {
            None => {
                let repo = LateRepo::new(scope)?;
                repo.map(|repo| repo.covered(scope)).transpose()?
            }
            covered => covered,
        },
        (None, _) => None,
    };
    let mut covered = covered.unwrap_or_default();
    scope.left = covered.left.take();
    scope.wants.who &= covered.whole.is_none() || scope.left.is_some();
    let (counted, is_marked) = count_days(scope, covered, (lowest, rules))?;
    scope.wants.who &= !is_marked;
    Ok(counted)
}

/// Counts what `covered` has not, and gives whether that is no downloaders any more.
fn count_days(
    scope: &Scope<'_>,
    covered: Covered,
    (lowest, rules): (Level, &Rules<'_>),
) -> Result<(Counted, bool)> {
    let plan = CellPlan::new(scope, lowest);
    let unions = match lowest {
        Level::Histograms | Level::Series | Level::Cells => Unions::new(scope)?,
        Level::Visits | Level::Rows => Unions::default(),
    };
    let tally = Tally::new(scope, lowest);
    let marks = Marks::new(scope, lowest);
    let to = (tally.as_ref(), marks.as_ref());
    let levels = (&plan, &unions, lowest, to);
    let terms = scope.view.terms();
    let all = || std::iter::once(scope.days.as_slice());
    let mut log = match (unions.halves(scope), Shares::new(&plan, &unions)) {
        (Some([own, other]), _) => {
            let levels = (&plan, &own, lowest, to);
            both(terms, || scan(levels, all()), || other.add_all(scope))
        }
        (None, Some(shares)) => {
            let scan = || scan(levels, shares.take());
            // What notes on the answer need of the ledger (`query::change`) is read meanwhile; who notes it says what is wrong.
            let other = || {
                let is_over_time = scope.query.by.iter().any(timeline::is_linear);
                if is_over_time && terms.allowed == Allowed::All {
                    drop(scope.view.header_days());
                }
                scan()
            };
            both(terms, scan, other)
        }
        (None, None) => scan(levels, all()),
    }?;
    let left_out = tally.map_or(Ok(0), |tally| tally.first(scope, &mut log))?;
    let marked = marks.map(|marks| marks.count(&mut log));
    let is_marked = marked.is_some();
    let counted = Counted {
        log,
        hub: hub::groups(scope)?,
        history: history::groups(scope, lowest, rules)?,
        covered: marked.unwrap_or(covered),
        left_out,
    };
    Ok((counted, is_marked))
}

/// The groups of two parts of a query, counted at once.
fn both(
    terms: &Terms,
    one: impl FnOnce() -> Result<Groups>,
    other: impl FnOnce() -> Result<Groups> + Send,
) -> Result<Groups> {
    let (mut groups, other) = at_once(one, other)?;
    groups.append(other, &mut terms.pace())?;
    Ok(groups)
}

/// The groups of some stretches of days, which come in ascending order.
fn scan<'d>(
    (plan, unions, lowest, (tally, marks)): (
        &CellPlan<'_, '_>,
        &Unions,
        Level,
        (Option<&Tally>, Option<&Marks>),
    ),
    stretches: impl Iterator<Item = &'d [DayPart]>,
) -> Result<Groups> {
    let scope = plan.scope();
    let mut groups = match tally.is_some() || marks.is_some() {
        true => scope.groups_of_few(),
        false => scope.groups(),
    };
    let mut scanner = Scanner::new(scope, lowest, tally).with_marks(marks);
    let mut buffers = Buffers::default();
    let mut closing = Closing::new(scope, groups.universe());
    // Sums of months come before their days: groups of later buckets must not be there yet.
    let mut months = closing.is_some().then(|| scope.groups());
    for days in stretches {
        let rests = plan.months(days, months.as_mut().unwrap_or(&mut groups))?;
        for (day, rest) in days.iter().zip(rests) {
            if let Some(closing) = &mut closing {
                closing.begin(day, &mut groups)?;
            }
            unions.add(day, scope, &mut groups)?;
            let mut rest = match rest {
                Some(rest) => rest,
                None => plan
                    .day(day, &mut buffers, &mut groups)
                    .map_err(|error| scope.view.at_cells(error, day.partition))?,
            };
            rest.who &= !unions.has(day);
            if rest.any() {
                scanner.day(day, rest, &mut groups)?;
            }
            scope.view.terms().check_memory(|| groups.bytes())?;
        }
    }
    scanner.finish(&mut groups);
    if let Some(closing) = closing {
        closing.finish(&mut groups);
    }
    if let Some(months) = months {
        groups.append(months, &mut scope.view.terms().pace())?;
    }
    Ok(groups)
}

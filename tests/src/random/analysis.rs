//! A seed and what a store holds to a question made of queries.

use footfall_engine::analysis::{Earlier, Request, SetExpr, Shown, Subject};
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query, Range};
use footfall_engine::rules::RULES;
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::units::Day;

use super::query::random_query;
use super::{Content, Rng};

/// Names of the sets that every random store has.
pub const SETS: [&str; 2] = ["early", "listed"];

/// A request of any analysis about what a store holds.
#[must_use]
pub fn random_request(rng: &mut Rng, content: &Content) -> Request {
    let mut scope = random_scope(rng, content);
    let top = scope.top.take();
    let unit = *rng.pick(&[
        TimeUnit::Day,
        TimeUnit::Week,
        TimeUnit::Month,
        TimeUnit::Year,
    ]);
    let (analysis, subject) = match rng.below(14) {
        0 => ("audience", Subject::Set(random_set(rng, content, 0))),
        1 => {
            scope.top = top;
            let repo = rng.percent(40).then(|| rng.pick(&["a/x", "a/y", "none"]));
            let subject = repo.map_or(Subject::Nothing, |repo| Subject::Repo((*repo).to_owned()));
            ("overlap", subject)
        }
        2 => {
            forget_times(rng, &mut scope);
            let has_shares = rng.percent(50);
            ("retention", Subject::Cohorts { unit, has_shares })
        }
        3 => {
            let (from, to) = (random_set(rng, content, 9), random_set(rng, content, 9));
            ("succession", Subject::Pair { from, to, unit })
        }
        4 => {
            scope = downloaders(Query::default());
            ("compare", random_comparison(rng, content))
        }
        5 => {
            scope.rule = None;
            for name in SETS {
                if rng.percent(30) {
                    let condition = Condition::InSet(name.to_owned(), rng.percent(30));
                    scope.filter.push(condition);
                }
            }
            let names = (0..rng.below(3)).map(|_| rng.pick(RULES).name.to_owned());
            ("explain-count", Subject::Rules(names.collect()))
        }
        6 => {
            scope.top = top;
            let client = rng
                .percent(50)
                .then(|| rng.pick(&["transformers", "curl", "by"]));
            let client = client.map(|client| (*client).to_owned());
            let unit = rng.percent(50).then_some(unit);
            ("clients", Subject::Clients { client, unit })
        }
        _ => random_look(rng, content, &mut scope, top),
    };
    Request {
        analysis,
        subject,
        scope,
    }
}

/// Leaves out most conditions on stretches of time, which some analyses refuse.
fn forget_times(rng: &mut Rng, scope: &mut Query) {
    scope
        .filter
        .retain(|condition| !is_linear(condition) || rng.percent(10));
}

/// A look at days, repos or single downloaders.
fn random_look(
    rng: &mut Rng,
    content: &Content,
    scope: &mut Query,
    top: Option<u64>,
) -> (&'static str, Subject) {
    match rng.below(7) {
        0 => {
            (scope.rule, scope.top) = (None, top.filter(|_| rng.percent(50)));
            let shown = *rng.pick(&[Shown::Found, Shown::All, Shown::All, Shown::Totals]);
            ("machines", Subject::Machines(shown))
        }
        1 => ("shared", Subject::Nothing),
        2 => {
            *scope = downloaders(Query::default());
            ("calendar", Subject::Nothing)
        }
        3 => {
            scope.top = top;
            ("resalt", Subject::Nothing)
        }
        4 => {
            scope.top = top;
            scope.by = match rng.below(3) {
                0 => Vec::new(),
                1 => vec![Dimension::Repo],
                _ => vec![Dimension::Time(TimeUnit::Day)],
            };
            ("reconcile", Subject::Nothing)
        }
        5 => {
            forget_times(rng, scope);
            scope.top = top;
            ("spikes", random_apart(rng))
        }
        _ => {
            forget_times(rng, scope);
            scope.range = Range::All;
            ("spike", random_day(rng, content))
        }
    }
}

fn random_comparison(rng: &mut Rng, content: &Content) -> Subject {
    let (query, _) = random_query(rng, content);
    let mut query = Box::new(query);
    query.order = query.order.filter(|_| rng.percent(5));
    if query.range == Range::All && rng.percent(90) {
        query.range = Range::LastDays(1 + u32::try_from(rng.below(20)).unwrap_or(0));
    }
    query
        .by
        .retain(|one| *one != Dimension::Downloader || rng.percent(10));
    let with = *rng.pick(&[Earlier::Previous, Earlier::LastYear]);
    Subject::Compared { query, with }
}

fn random_apart(rng: &mut Rng) -> Subject {
    let apart = [
        Dimension::Repo,
        Dimension::Country,
        Dimension::Client,
        Dimension::Class,
        Dimension::Identity,
    ];
    Subject::Apart(rng.percent(60).then(|| rng.pick(&apart).clone()))
}

fn random_day(rng: &mut Rng, content: &Content) -> Subject {
    let day = content.rows.get(rng.below(content.rows.len()));
    let day = day.map_or(Day(19_540), |row| row.ts.day());
    let repo = rng.percent(30).then(|| rng.pick(&["a/x", "a/y", "none"]));
    let repo = repo.map(|repo| (*repo).to_owned());
    Subject::Day { day, repo }
}

fn is_linear(condition: &Condition) -> bool {
    match condition {
        Condition::Where(dimension, _) => dimension.time_unit().is_some_and(TimeUnit::is_linear),
        Condition::InSet(..) => false,
    }
}

fn downloaders(query: Query) -> Query {
    Query {
        metrics: vec![Metric::Downloaders],
        ..query
    }
}

/// Filter, range, rule and `top` of a query about downloaders.
fn random_scope(rng: &mut Rng, content: &Content) -> Query {
    let (query, _) = random_query(rng, content);
    let mut filter = of_requests(query.filter);
    if rng.percent(60) {
        // Many conditions at once keep nobody.
        filter.truncate(1);
    }
    if rng.percent(15) {
        filter.push(Condition::InSet(
            (*rng.pick(&SETS)).to_owned(),
            rng.percent(50),
        ));
    }
    downloaders(Query {
        by: Vec::new(),
        filter,
        order: None,
        ..query
    })
}

/// Conditions on requests: those on `evidence` are on downloads.
fn of_requests(mut filter: Vec<Condition>) -> Vec<Condition> {
    filter.retain(|condition| !matches!(condition, Condition::Where(Dimension::Evidence, _)));
    filter
}

fn random_set(rng: &mut Rng, content: &Content, depth: usize) -> SetExpr {
    let several = |rng: &mut Rng| -> Vec<SetExpr> {
        let count = 2 + rng.below(2);
        (0..count)
            .map(|_| random_set(rng, content, depth + 1))
            .collect()
    };
    match rng.below(if depth < 3 { 9 } else { 3 }) {
        8 => SetExpr::Saved((*rng.pick(&SETS)).to_owned()),
        0 | 1 => {
            let scope = random_scope(rng, content);
            match scope.filter.into_iter().next() {
                Some(condition) => SetExpr::Kept(condition),
                None => SetExpr::Scoped(Vec::new(), Some(scope.range)),
            }
        }
        2 => {
            let scope = random_scope(rng, content);
            let has_range = scope.filter.is_empty() || rng.percent(50);
            SetExpr::Scoped(scope.filter, Some(scope.range).filter(|_| has_range))
        }
        3 => SetExpr::Not(Box::new(random_set(rng, content, depth + 1))),
        4 | 5 => SetExpr::Or(several(rng)),
        _ => SetExpr::And(several(rng)),
    }
}

//! What downloaders have asked to those that behave like machines, each with its evidence.
//!
//! Explicit evidence: a user agent that says `is_ci/true`, or a place in the named set
//! [`KNOWN`](super::saved::KNOWN), which the owner may define anew. Behaviour: how many repos, in which order,
//! at which hours. A client such as `python` or `curl` alone is no evidence.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::behaviour::{Behaviour, HOURS_PER_DAY, REQUESTS_MIN, SWEEP_REPOS_MIN};
use super::request::{Request, Subject};
use super::saved::KNOWN;
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::bitmap::BitSet;
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::bucket::buckets;
use crate::query::execute::Asked;
use crate::query::text::Reader;
use crate::query::value::{Bound, Condition, Query, Range, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::{Dimension, IdentityKind, TimeUnit};
use crate::units::Day;

/// `machines [all|totals]`.
pub(super) struct Machines;

/// What is shown of machines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Those that behave like machines.
    Found,
    /// Everybody who is looked at.
    All,
    /// Totals with and without those that behave like machines.
    Totals,
}

impl Shown {
    /// Its word; empty for the usual.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Found => "",
            Self::All => "all",
            Self::Totals => "totals",
        }
    }
}

/// Rows without `top`.
const TOP: u64 = 50;
/// Digits of a hash that are shown.
const HASH_DIGITS: usize = 8;
/// Names of sets that last as long as an answer: no saved set has a space in its name.
const CANDIDATES: &str = "those looked at";
const FOUND: &str = "those found";

const CARD: Card = Card {
    name: "machines",
    about: "Find downloaders that behave like machines, with evidence; totals without them",
    words: "[all|totals]",
    clauses: &["where", "range", "top"],
    examples: &[
        "machines last 90d",
        "machines totals last 90d",
        "machines all where repo ~ \"acme/*\" top 20",
    ],
};

impl Analysis for Machines {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let words = [Shown::All, Shown::Totals];
        let shown = words
            .into_iter()
            .find(|shown| reader.eat_word(shown.word()));
        Ok(Subject::Machines(shown.unwrap_or(Shown::Found)))
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("a machine is two, each with its part of what it did")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Machines(shown) = request.subject else {
            return Err(Error::invalid("machines are asked for without a word"));
        };
        let looked = Looked::at(source, &request.scope)?;
        let found = looked.found(source.limit())?;
        if shown == Shown::Totals {
            return totals(source, &request.scope, &found);
        }
        let mut answer = list(source, request, &looked, shown)?;
        answer.meta.notes.push(format!(
            "{} of the downloaders looked at behave like machines; footfall set save NAME --machines keeps them, \
             machines totals counts without them",
            found.count()
        ));
        if looked.all_repos > 0 {
            answer.meta.notes.push(format!(
                "breadth: {} of {} repos or more; burst: {} or more in one hour; sweep: {SWEEP_REPOS_MIN} or more on a \
                 day, 90 % of steps in the order of names; cadence: 7 days or more, 90 % in one hour of the day or of \
                 all hours; heads: 100 or more, 10 for each GET",
                Behaviour::breadth_min(looked.all_repos),
                looked.all_repos,
                Behaviour::burst_min(looked.all_repos),
            ));
        }
        Ok(answer)
    }
}

/// The whole hashes of those that behave like machines, each with its kind before it.
///
/// # Errors
///
/// As [`Analysis::answer`].
pub fn machine_hashes(source: &Source<'_>, scope: &Query) -> Result<Vec<String>> {
    let looked = Looked::at(source, scope)?;
    let mut hashes = Vec::new();
    for (id, behaviour) in &looked.behaviours {
        if !behaviour.reasons(looked.all_repos).is_empty() {
            let (hash, kind) = source.identity(*id)?;
            hashes.push(format!("{}:{hash}", kind.name()));
        }
    }
    hashes.sort_unstable();
    Ok(hashes)
}

/// Downloaders that are looked at, and what they did.
struct Looked {
    behaviours: BTreeMap<u32, Behaviour>,
    /// Repos that anybody has asked for.
    all_repos: u64,
}

impl Looked {
    fn at(source: &Source<'_>, scope: &Query) -> Result<Self> {
        let lines = Query {
            metrics: vec![Metric::Requests],
            rule: Some("requests".to_owned()),
            top: None,
            ..scope.clone()
        };
        let mut behaviours: BTreeMap<u32, Behaviour> = BTreeMap::new();
        let flagged = with(
            &lines,
            Condition::Where(Dimension::Ci, Test::Equal("flagged".to_owned())),
        );
        for asked in source.each(&flagged)?.asked {
            behaviours.entry(asked.id).or_default().ci_requests = asked.requests;
        }
        let known = source.saved(KNOWN)?;
        for asked in source.each(&lines)?.asked {
            let is_known = known.contains(asked.id);
            if asked.requests >= REQUESTS_MIN || is_known || behaviours.contains_key(&asked.id) {
                let behaviour = behaviours.entry(asked.id).or_default();
                behaviour.requests = asked.requests;
                behaviour.is_known = is_known;
            }
        }
        let all = source.query(&Query {
            metrics: vec![Metric::Repos],
            ..lines.clone()
        })?;
        let all_repos = match all.rows.first().and_then(|row| row.first()) {
            Some(Value::Int(repos)) => *repos,
            _ => 0,
        };
        let mut looked = Self {
            behaviours,
            all_repos,
        };
        let mut ids = BitSet::new(source.limit());
        for id in looked.behaviours.keys() {
            ids.insert(*id)?;
        }
        let view = source.view.with_set(CANDIDATES, ids);
        let source = Source {
            view: &view,
            ..*source
        };
        let lines = with(&lines, Condition::InSet(CANDIDATES.to_owned(), true));
        looked.add_counts(&source, &lines)?;
        looked.add_hours(&source, &lines)?;
        Ok(looked)
    }

    fn add(&mut self, asked: &[Asked], add: impl Fn(&mut Behaviour, &Asked)) {
        for asked in asked {
            if let Some(behaviour) = self.behaviours.get_mut(&asked.id) {
                add(behaviour, asked);
            }
        }
    }

    /// Adds repos, and requests by method.
    fn add_counts(&mut self, source: &Source<'_>, lines: &Query) -> Result<()> {
        let repos = source.each(&Query {
            metrics: vec![Metric::Repos],
            ..lines.clone()
        })?;
        self.add(&repos.asked, |behaviour, asked| {
            behaviour.repos = asked.repos
        });
        let of = |method: &str| {
            let is_method = Test::Equal(method.to_owned());
            source.each(&with(lines, Condition::Where(Dimension::Method, is_method)))
        };
        self.add(&of("HEAD")?.asked, |behaviour, asked| {
            behaviour.heads = asked.requests
        });
        self.add(&of("GET")?.asked, |behaviour, asked| {
            behaviour.gets = asked.requests
        });
        Ok(())
    }

    /// Adds what depends on when they asked: by months, of which the hours of all fit into memory that is near.
    fn add_hours(&mut self, source: &Source<'_>, lines: &Query) -> Result<()> {
        let Some(span) = source.span(lines)? else {
            return Ok(());
        };
        for month in buckets(span, TimeUnit::Month) {
            let Some(month) = TimeUnit::Month.span(month) else {
                continue;
            };
            let bounds = [month.from.max(span.from), month.to.min(span.to)];
            let [from, to] = bounds.map(|at| Some(Bound::Instant(at)));
            let lines = Query {
                range: Range::Between(from, to),
                ..lines.clone()
            };
            self.add_hours_of(source, &lines)?;
        }
        Ok(())
    }

    fn add_hours_of(&mut self, source: &Source<'_>, lines: &Query) -> Result<()> {
        let hours = source.each(&Query {
            metrics: vec![Metric::Repos],
            by: vec![Dimension::Time(TimeUnit::Hour)],
            ..lines.clone()
        })?;
        let keys: BTreeMap<u32, u32> = hours
            .labels
            .iter()
            .filter_map(|(group, label)| match label {
                Value::Text(label) => Some((*group, TimeUnit::Hour.parse(label)?)),
                _ => None,
            })
            .collect();
        let mut days: BTreeMap<Day, BTreeSet<u32>> = BTreeMap::new();
        for asked in &hours.asked {
            let behaviour = self.behaviours.get_mut(&asked.id);
            let (Some(behaviour), Some(hour)) = (behaviour, keys.get(&asked.group)) else {
                continue;
            };
            behaviour.add_hour(*hour, asked.repos);
            if behaviour.repos >= SWEEP_REPOS_MIN {
                let day = Day(hour / HOURS_PER_DAY);
                days.entry(day).or_default().insert(asked.id);
            }
        }
        let touches = source.touches(lines, &days)?;
        let same = |a: &crate::query::execute::Touch, b: &crate::query::execute::Touch| {
            (a.day, a.id) == (b.day, b.id)
        };
        for day in touches.chunk_by(same) {
            let behaviour = day
                .first()
                .and_then(|touch| self.behaviours.get_mut(&touch.id));
            if let Some(behaviour) = behaviour {
                behaviour.add_day(day.iter().map(|touch| touch.repo.as_str()));
            }
        }
        Ok(())
    }

    fn found(&self, limit: u32) -> Result<BitSet> {
        let mut found = BitSet::new(limit);
        for (id, behaviour) in &self.behaviours {
            if !behaviour.reasons(self.all_repos).is_empty() {
                found.insert(*id)?;
            }
        }
        Ok(found)
    }
}

fn with(query: &Query, condition: Condition) -> Query {
    let mut query = query.clone();
    query.filter.push(condition);
    query
}

fn list(source: &Source<'_>, request: &Request, looked: &Looked, shown: Shown) -> Result<Answer> {
    let columns = [
        ("downloader", ColumnType::Text),
        ("identity", ColumnType::Text),
        ("why", ColumnType::Text),
        ("requests", ColumnType::Int),
        ("repos", ColumnType::Int),
        ("repos_in_hour", ColumnType::Int),
        ("in_order", ColumnType::Real),
        ("days", ColumnType::Int),
        ("hours", ColumnType::Int),
        ("same_hour", ColumnType::Real),
        ("heads", ColumnType::Int),
        ("gets", ColumnType::Int),
        ("ci_requests", ColumnType::Int),
    ];
    let mut meta = source.meaning(&request.scope)?;
    meta.rule = "requests".to_owned();
    let mut answer = sheet(&columns, meta);
    let mut rows: Vec<(Reverse<u64>, (String, IdentityKind), &Behaviour)> = Vec::new();
    for (id, behaviour) in &looked.behaviours {
        if shown == Shown::All || !behaviour.reasons(looked.all_repos).is_empty() {
            rows.push((
                Reverse(behaviour.requests),
                source.identity(*id)?,
                behaviour,
            ));
        }
    }
    rows.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let top = usize::try_from(request.scope.top.unwrap_or(TOP)).unwrap_or(usize::MAX);
    answer.meta.truncated = rows.len() > top;
    for (_, (hash, kind), behaviour) in rows.into_iter().take(top) {
        let why = behaviour.reasons(looked.all_repos);
        answer.rows.push(vec![
            text(hash.chars().take(HASH_DIGITS).collect::<String>()),
            text(kind.name()),
            match why.as_slice() {
                [] => Value::Null,
                why => text(why.join(", ")),
            },
            Value::Int(behaviour.requests),
            Value::Int(behaviour.repos),
            Value::Int(behaviour.repos_in_hour),
            behaviour.in_order().map_or(Value::Null, Value::Real),
            Value::Int(behaviour.days()),
            Value::Int(behaviour.hours),
            share(behaviour.hours_at_usual(), behaviour.hours),
            Value::Int(behaviour.heads),
            Value::Int(behaviour.gets),
            Value::Int(behaviour.ci_requests),
        ]);
    }
    Ok(answer)
}

/// What is counted, with and without those that were found.
fn totals(source: &Source<'_>, scope: &Query, found: &BitSet) -> Result<Answer> {
    let metrics = vec![
        Metric::Requests,
        Metric::Downloads,
        Metric::Downloaders,
        Metric::Users,
        Metric::Ips,
    ];
    let query = Query {
        metrics: metrics.clone(),
        top: None,
        ..scope.clone()
    };
    let all = source.query(&query)?;
    let view = source.view.with_set(FOUND, found.clone());
    let others = Source {
        view: &view,
        ..*source
    }
    .query(&with(&query, Condition::InSet(FOUND.to_owned(), false)))?;
    let columns = [
        ("metric", ColumnType::Text),
        ("all", ColumnType::Int),
        ("machines", ColumnType::Int),
        ("others", ColumnType::Int),
        ("share", ColumnType::Real),
    ];
    let mut answer = sheet(&columns, source.meaning(scope)?);
    answer.meta.unidentified = all.meta.unidentified;
    let values = |answer: &Answer| {
        let row = answer.rows.first().cloned().unwrap_or_default();
        row.into_iter().map(|value| match value {
            Value::Int(value) => value,
            _ => 0,
        })
    };
    for ((metric, all), others) in metrics.iter().zip(values(&all)).zip(values(&others)) {
        let machines = all.saturating_sub(others);
        answer.rows.push(vec![
            text(metric.to_string()),
            Value::Int(all),
            Value::Int(machines),
            Value::Int(others),
            share(machines, all),
        ]);
    }
    Ok(answer)
}

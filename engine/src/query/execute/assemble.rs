//! Groups to the rows of an answer and what they mean.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use super::closing::{Distinct, count_all};
use super::gaps::Covered;
use super::groups::{Groups, Key, KeyMap};
use super::history::HistoryGroups;
use super::hub::HubSums;
use super::leading::{self, Totals};
use super::notes::notes;
use super::scope::{Scope, instant};
use super::space::Space;
use super::ties::FirstOfTies;
use crate::error::Result;
use crate::metrics::{Measure, Metric};
use crate::query::answer::{Answer, Column, ColumnType, Meta, Value};
use crate::query::bucket::{self, Coverage};
use crate::query::order::{Unordered, order};
use crate::query::text;
use crate::query::unwaited::Unwaited;
use crate::query::value::Query;
use crate::schema::time::BucketKey;
use crate::schema::{Dimension, IdentityKind, TimeUnit};
use crate::sketch::STANDARD_ERROR;

/// A group and its value for each metric.
struct Line {
    key: Key,
    values: Values,
}

/// A value for each metric; most queries ask for one, and there may be a million lines.
enum Values {
    One([Option<u64>; 1]),
    Several(Vec<Option<u64>>),
}

impl Values {
    fn of(metrics: &[Metric], value: impl Fn(&Metric) -> u64) -> Self {
        match metrics {
            [metric] => Self::One([Some(value(metric))]),
            several => Self::Several(several.iter().map(|metric| Some(value(metric))).collect()),
        }
    }
}

impl Deref for Values {
    type Target = [Option<u64>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(values) => values,
            Self::Several(values) => values,
        }
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::One(values) => values,
            Self::Several(values) => values,
        }
    }
}

/// Everything that was counted.
pub(super) struct Counted {
    /// From the log.
    pub(super) log: Groups,
    /// From the publisher CSV.
    pub(super) hub: KeyMap<Key, HubSums>,
    /// What depends on when downloaders were seen before.
    pub(super) history: HistoryGroups,
    /// Downloaders, where no visits had to be read for them.
    pub(super) covered: Covered,
    /// Groups that are not first ones and were left out of the log's; only of requests, of which nobody asks
    /// what they add up to.
    pub(super) left_out: u64,
}

/// The answer.
///
/// # Errors
///
/// `Corrupt` when an identity cannot be read.
pub(super) fn answer(scope: &Scope<'_>, counted: &Counted) -> Result<Answer> {
    let (by_slot, mut whole) = distinct(scope, counted)?;
    if let Some(known) = counted.covered.whole {
        whole.who = known;
    }
    let floor = leading::floor(scope, counted);
    let mut totals = Totals::new(scope.query);
    totals.lines = counted.left_out;
    let terms = scope.view.terms();
    let mut pace = terms.pace();
    let lines_max = floor.map_or(counted.log.met(), |_| 0);
    let mut lines = lines(scope, counted, (&by_slot, lines_max), |line| {
        pace.steps(1)?;
        let is_kept = floor.is_none_or(|floor| floor.keeps(&line.values));
        if !is_kept {
            totals.add(&line.values);
        }
        Ok(is_kept)
    })?;
    let series = Series::of(scope);
    lines = series.fill(scope, lines);
    for line in &lines {
        pace.steps(1)?;
        totals.add(&line.values);
    }
    let overcount = overcount(scope, &totals, &whole, counted.log.whole_downloads);
    let lines = first_lines(scope, lines)?;
    let columns = columns(scope.query);
    let top = scope.query.top.unwrap_or(u64::MAX);
    terms.check_values(top.min(lines.len() as u64) * columns.len() as u64)?;
    let mut labels = Labels::new(scope);
    let mut unordered = Unwaited::new(Vec::with_capacity(lines.len()));
    for line in &lines {
        pace.steps(1)?;
        unordered.push(labels.row(line)?);
    }
    let unordered = unordered.into_inner();
    let ordered = order(scope.query, unordered, &mut |rows| pace.steps(rows))?;
    let (partial, missing) = series.unsure(scope);
    let is_estimate = is_estimate(scope.query);
    Ok(Answer {
        columns,
        rows: ordered.rows,
        meta: Meta {
            query: text::render(scope.query),
            from: scope.span.map(|span| instant(span.from)),
            to: scope.span.map(|span| instant(span.to)),
            rule: scope.rule.name.clone(),
            exact: !is_estimate,
            error_bound: is_estimate.then_some(STANDARD_ERROR),
            unidentified: counted.log.unidentified,
            overcount,
            partial,
            missing,
            truncated: scope.query.top.is_some_and(|top| totals.lines > top),
            notes: notes(scope),
            snapshot: scope.view.manifest().number,
            elapsed_ms: 0.0,
        },
    })
}

/// Distinct things of each slot, and of the whole.
fn distinct(scope: &Scope<'_>, counted: &Counted) -> Result<(Vec<Distinct>, Distinct)> {
    if !scope.wants.has_sets() {
        return Ok((Vec::new(), Distinct::default()));
    }
    let groups = &counted.log;
    // Where some repos are left, downloaders are all that is counted, and those of the whole are known.
    let has_union = !scope.axes.is_empty() && scope.left.is_none();
    let sets = groups.all_sets();
    let how = (groups.universe(), scope.ips, has_union);
    let (slots, mut counters) = count_all(sets, how, scope.view.terms())?;
    groups
        .closed
        .iter()
        .for_each(|counted| counters.add(counted));
    Ok((slots, counters.union()?))
}

/// The downloaders of each group.
///
/// # Errors
///
/// As [`answer`].
pub(super) fn downloaders(scope: &Scope<'_>, counted: &Counted) -> Result<KeyMap<Key, u64>> {
    let (by_slot, _) = distinct(scope, counted)?;
    let keys = counted.log.all_sums().map(|(key, _)| key);
    let counts = by_slot.iter().map(|distinct| distinct.who.all);
    let mut groups: KeyMap<Key, u64> = keys.zip(counts).collect();
    let covered = counted.covered.groups.iter();
    groups.extend(covered.map(|(key, count)| (*key, count.all)));
    Ok(groups)
}

/// Whether an answer may be an estimate: `approx` was asked for, and a metric that it applies to. The
/// numbers may be exact all the same.
fn is_estimate(query: &Query) -> bool {
    let is_who = |metric: &Metric| matches!(metric.measure(), Measure::Downloaders(_));
    query.approx && query.metrics.iter().any(is_who)
}

fn distinct_value(metric: Metric, distinct: &Distinct) -> u64 {
    let Distinct {
        who,
        repos,
        countries,
    } = distinct;
    match metric.measure() {
        Measure::Downloaders(None) => who.all,
        Measure::Downloaders(Some(IdentityKind::Ip)) => who.ips,
        Measure::Downloaders(Some(IdentityKind::User)) => who.all - who.ips,
        Measure::Repos => repos.all,
        Measure::Countries => countries.all,
        _ => 0,
    }
}

/// The groups for which some metric is not zero, as far as `keeps` does.
fn lines(
    scope: &Scope<'_>,
    counted: &Counted,
    (by_slot, lines_max): (&[Distinct], usize),
    mut keeps: impl FnMut(&Line) -> Result<bool>,
) -> Result<Vec<Line>> {
    let metrics = &scope.query.metrics;
    let mut lines = Vec::with_capacity(lines_max);
    let mut places: KeyMap<Key, usize> = KeyMap::default();
    let none = Distinct::default();
    let has_others = !counted.hub.is_empty()
        || !counted.history.is_empty()
        || !counted.covered.groups.is_empty();
    for (slot, (key, sums)) in counted.log.all_sums().enumerate() {
        let distinct = by_slot.get(slot).unwrap_or(&none);
        let value = |metric: &Metric| match metric.measure() {
            Measure::Requests => sums.requests,
            Measure::Downloads => sums.downloads,
            _ => distinct_value(*metric, distinct),
        };
        let line = Line {
            key,
            values: Values::of(metrics, value),
        };
        if line.values.iter().any(|value| *value != Some(0)) && keeps(&line)? {
            if has_others {
                places.insert(key, lines.len());
            }
            lines.push(line);
        }
    }
    for (key, sums) in &counted.hub {
        let line = line_of(*key, (&mut lines, &mut places), metrics);
        for (metric, value) in metrics.iter().zip(line.values.iter_mut()) {
            match metric {
                Metric::HubDownloads => *value = Some(sums.downloads),
                Metric::HubTotal => *value = Some(sums.total),
                _ => {}
            }
        }
    }
    for (key, who) in &counted.covered.groups {
        let line = line_of(*key, (&mut lines, &mut places), metrics);
        let distinct = Distinct {
            who: *who,
            ..Distinct::default()
        };
        let values = metrics.iter().zip(line.values.iter_mut());
        let own = values.filter(|(metric, _)| matches!(metric.measure(), Measure::Downloaders(_)));
        for (metric, value) in own {
            *value = Some(distinct_value(*metric, &distinct));
        }
    }
    // Where nothing else has a line there is none to look for.
    let is_alone = lines.is_empty();
    for (key, found) in &counted.history {
        let line = match is_alone {
            true => new_line(*key, &mut lines, metrics),
            false => line_of(*key, (&mut lines, &mut places), metrics),
        };
        let values = metrics.iter().zip(line.values.iter_mut());
        let own = values.filter(|(metric, _)| metric.measure() == Measure::History);
        for ((_, value), found) in own.zip(found) {
            *value = Some(*found);
        }
    }
    lines.retain(|line| line.values.iter().any(|value| *value != Some(0)));
    Ok(lines)
}

/// The line of a key, a new one if it has none.
fn line_of<'l>(
    key: Key,
    (lines, places): (&'l mut Vec<Line>, &mut KeyMap<Key, usize>),
    metrics: &[Metric],
) -> &'l mut Line {
    let place = *places.entry(key).or_insert(lines.len());
    if place == lines.len() {
        return new_line(key, lines, metrics);
    }
    &mut lines[place]
}

/// A new line, of a key that has none.
fn new_line<'l>(key: Key, lines: &'l mut Vec<Line>, metrics: &[Metric]) -> &'l mut Line {
    let values = Values::of(metrics, |_| 0);
    lines.push_mut(Line { key, values })
}

/// The lines that can be among the first `top`, where a metric decides: those that are not beaten by as
/// many others. Only they need labels.
fn first_lines(scope: &Scope<'_>, mut lines: Vec<Line>) -> Result<Vec<Line>> {
    let top = scope.query.top.and_then(|top| usize::try_from(top).ok());
    let by = leading::deciding_metric(scope.query);
    let (Some(top), Some((at, descending))) = (top.filter(|top| *top < lines.len()), by) else {
        return Ok(lines);
    };
    // Null comes last in either direction.
    let rank = |line: &Line| {
        let value = line.values.get(at).copied().flatten();
        (
            value.is_none(),
            value.map(|value| if descending { u64::MAX - value } else { value }),
        )
    };
    let mut ranks: Vec<_> = lines.iter().map(rank).collect();
    let Some(last) = top.checked_sub(1) else {
        return Ok(lines);
    };
    let last = *ranks.select_nth_unstable(last).1;
    lines.retain(|line| rank(line) <= last);
    if let ([axis], true) = (scope.axes.as_slice(), lines.len() > top)
        && axis.space == Space::Downloader
    {
        let is_tie = |line: &Line| rank(line) == last;
        let above = lines.iter().filter(|line| !is_tie(line)).count();
        let mut ties = FirstOfTies::new(scope.view.identities(), top - above);
        let mut pace = scope.view.terms().pace();
        for line in lines.iter().filter(|line| is_tie(line)) {
            pace.steps(1)?;
            ties.push(axis.code(line.key))?;
        }
        let ties = ties.into_ids()?;
        lines.retain(|line| !is_tie(line) || ties.binary_search(&axis.code(line.key)).is_ok());
    }
    Ok(lines)
}

/// The only dimension that is a stretch of the time line, if there is exactly one.
struct Series {
    axis: Option<(usize, TimeUnit)>,
    /// How much of its buckets the log, and how much the publisher CSV has; none where it is not read.
    coverage: [Vec<Coverage>; 2],
}

impl Series {
    fn of(scope: &Scope<'_>) -> Self {
        let linear = |dimension: &Dimension| dimension.time_unit().filter(|unit| unit.is_linear());
        let mut axes = scope.axes.iter().enumerate();
        let mut axes = axes
            .by_ref()
            .filter_map(|(at, axis)| Some((at, linear(&axis.dimension)?)));
        let axis = axes.next().filter(|_| axes.next().is_none());
        let mut series = Self {
            axis,
            coverage: Default::default(),
        };
        if let (Some((_, unit)), Some(span)) = (axis, scope.span) {
            let unit = (unit, looks_back(scope.query));
            series.coverage = [&scope.log_days, &scope.hub_days].map(|days| match days {
                Some(days) => bucket::coverages(series.buckets(scope), unit, span, days),
                None => Vec::new(),
            });
        }
        series
    }

    fn buckets<'s>(&self, scope: &'s Scope<'_>) -> &'s [BucketKey] {
        let axis = self.axis.and_then(|(at, _)| scope.axes.get(at));
        axis.map(super::axis::Axis::buckets).unwrap_or_default()
    }

    /// Puts lines in where a series has none, and nulls where a source has no day.
    fn fill(&self, scope: &Scope<'_>, mut lines: Vec<Line>) -> Vec<Line> {
        let zeros = |key: Key| Line {
            key,
            values: Values::of(&scope.query.metrics, |_| 0),
        };
        if scope.axes.is_empty() && lines.is_empty() {
            lines.push(zeros(0));
        }
        if scope.axes.len() == 1 && self.axis.is_some() {
            let count = self.buckets(scope).len();
            let mut by_bucket: Vec<Line> = (0..count as Key).map(zeros).collect();
            for line in lines {
                if let Some(place) = by_bucket.get_mut(line.key as usize) {
                    *place = line;
                }
            }
            lines = by_bucket;
        }
        let has_hub = scope.hub.is_some_and(|hub| !hub.is_empty());
        for line in &mut lines {
            let missing = match self.axis.and_then(|(at, _)| scope.axes.get(at)) {
                Some(axis) => {
                    let code = axis.code(line.key) as usize;
                    let of_bucket = |known: &Vec<Coverage>| known.get(code).copied();
                    self.coverage.each_ref().map(|known| {
                        of_bucket(known).is_none_or(|known| known == Coverage::Missing)
                    })
                }
                None => [false, !has_hub],
            };
            for (metric, value) in scope.query.metrics.iter().zip(line.values.iter_mut()) {
                if missing[usize::from(metric.measure() == Measure::Hub)] {
                    *value = None;
                }
            }
        }
        lines
    }

    /// Labels of partial and of missing buckets.
    fn unsure(&self, scope: &Scope<'_>) -> (Vec<String>, Vec<String>) {
        let Some((_, unit)) = self.axis else {
            return Default::default();
        };
        let of = |wanted| bucket::labels(wanted, (self.buckets(scope), unit), &self.coverage);
        (of(Coverage::Partial), of(Coverage::Missing))
    }
}

/// How many days before a bucket's end its numbers come from.
fn looks_back(query: &Query) -> u32 {
    let days = query.metrics.iter().map(|metric| match metric {
        Metric::Rolling(days) => *days,
        _ => 0,
    });
    days.max().unwrap_or(0)
}

fn overcount(
    scope: &Scope<'_>,
    totals: &Totals,
    whole: &Distinct,
    downloads: u64,
) -> BTreeMap<String, Option<f64>> {
    if scope.axes.is_empty() {
        return BTreeMap::new();
    }
    let metrics = scope.query.metrics.iter().enumerate();
    let ratios = metrics.map(|(at, metric)| {
        let whole = match metric.measure() {
            Measure::Downloads => downloads,
            _ => distinct_value(*metric, whole),
        };
        let sum = totals.sums.get(at).copied().unwrap_or(0);
        let ratio = (whole > 0).then(|| sum as f64 / whole as f64);
        (metric.to_string(), ratio)
    });
    ratios.collect()
}

/// What codes of axes are shown as.
struct Labels<'s, 'a> {
    scope: &'s Scope<'a>,
    /// By axis: labels that were made, where a code is in several lines.
    made: Vec<KeyMap<u32, Value>>,
}

impl<'s, 'a> Labels<'s, 'a> {
    fn new(scope: &'s Scope<'a>) -> Self {
        let made = scope.axes.iter().map(|_| KeyMap::default()).collect();
        Self { scope, made }
    }

    /// A line as rows show it.
    fn row(&mut self, line: &Line) -> Result<Unordered> {
        let (view, axes) = (self.scope.view, &self.scope.axes);
        let mut row = Unordered {
            values: Vec::with_capacity(axes.len() + line.values.len()),
            hidden: None,
        };
        for (axis, made) in axes.iter().zip(&mut self.made) {
            let code = axis.code(line.key);
            let value = match made.get(&code) {
                Some(label) => label.clone(),
                None => {
                    let (value, hidden) = axis.shown(code, view, &self.scope.repos)?;
                    if axes.len() > 1 && hidden.is_none() {
                        made.insert(code, value.clone());
                    }
                    row.hidden = row.hidden.or(hidden);
                    value
                }
            };
            row.values.push(value);
        }
        let values = line.values.iter().copied();
        row.values
            .extend(values.map(|value| value.map_or(Value::Null, Value::Int)));
        Ok(row)
    }
}

fn columns(query: &Query) -> Vec<Column> {
    let dimensions = query.by.iter().map(|dimension| Column {
        name: dimension.to_string(),
        kind: match dimension {
            one if one.is_number() => ColumnType::Int,
            Dimension::Time(_) => ColumnType::Time,
            _ => ColumnType::Text,
        },
    });
    let metrics = query.metrics.iter().map(|metric| Column {
        name: metric.to_string(),
        kind: ColumnType::Int,
    });
    dimensions.chain(metrics).collect()
}

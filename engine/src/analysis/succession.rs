//! A repo and the one that follows it to how its downloaders move over, week by week.

use std::collections::BTreeMap;

use super::request::{Request, Subject};
use super::retention::{UNITS, bucket_of, read_unit};
use super::set::SetExpr;
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::bitmap::BitSet;
use crate::error::{Error, Result};
use crate::query::bucket::{Coverage, buckets, coverages, labels};
use crate::query::text::Reader;
use crate::query::value::Query;
use crate::query::{Answer, ColumnType, Value};
use crate::schema::time::BucketKey;
use crate::schema::{Dimension, TimeUnit};

/// `succession A B [by UNIT]`.
pub(super) struct Succession;

const CARD: Card = Card {
    name: "succession",
    about: "Show what share of one repo's downloaders has touched its successor, week by week",
    words: "'SET' 'SET' [by UNIT]",
    clauses: &["where", "range", "rule"],
    examples: &[
        "succession acme/llama-7b acme/llama-13b",
        "succession 'repo ~ \"acme/llama-1*\"' 'repo ~ \"acme/llama-2*\"' by month where country = DE last 12m",
    ],
};

impl Analysis for Succession {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let mut side = || {
            let column = reader.column();
            let set = SetExpr::read_factor(reader)?;
            if conditions(&set).is_none() {
                let error = Error::invalid(format!("found {set}, expected a repo or conditions"));
                return Err(error.at_column(column.to_string()));
            }
            Ok(set)
        };
        let (from, to) = (side()?, side()?);
        let unit = if reader.eat_word("by") {
            read_unit(reader)?
        } else {
            TimeUnit::Week
        };
        Ok(Subject::Pair { from, to, unit })
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("whoever moved across it seems to have stayed, and is counted on both sides")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Pair { from, to, unit } = &request.subject else {
            return Err(Error::invalid("succession is asked without two sets"));
        };
        let scope = &request.scope;
        let name = UNITS.iter().find(|(_, known)| known == unit);
        let columns = [
            (name.map_or("bucket", |(name, _)| name), ColumnType::Time),
            ("on_first", ColumnType::Int),
            ("only_on_first", ColumnType::Int),
            ("moved", ColumnType::Int),
            ("touched", ColumnType::Int),
            ("share", ColumnType::Real),
        ];
        let mut answer = sheet(&columns, source.meaning(scope)?);
        let Some(span) = source.span(scope)? else {
            return Ok(answer);
        };
        let (first, second) = (
            series(source, scope, from, *unit)?,
            series(source, scope, to, *unit)?,
        );
        let mut all = BitSet::new(source.limit());
        first.values().try_for_each(|set| all.union_with(set))?;
        let begin = first.keys().chain(second.keys()).min().copied();
        let keys = buckets(span, *unit);
        answer.rows = curve(
            keys.iter()
                .copied()
                .filter(|key| Some(*key) >= begin && begin.is_some()),
            *unit,
            (&first, &second),
            &all,
        )?;
        let known = [coverages(&keys, (*unit, 0), span, &source.calendar())];
        answer.meta.partial = labels(Coverage::Partial, (&keys, *unit), &known);
        answer.meta.missing = labels(Coverage::Missing, (&keys, *unit), &known);
        answer.meta.notes.push(format!(
            "of {} downloaders of {from}; on_first: there in the bucket, only_on_first: those of them who have \
             not touched {to} by its end, moved: first touch of {to} in it, touched: so far",
            all.count()
        ));
        Ok(answer)
    }
}

/// The conditions that one request has to meet; `None` for sets that are more than that.
fn conditions(set: &SetExpr) -> Option<Vec<crate::query::Condition>> {
    match set {
        SetExpr::Kept(condition) => Some(vec![condition.clone()]),
        SetExpr::Scoped(conditions, None) => Some(conditions.clone()),
        _ => None,
    }
}

/// Downloaders by bucket.
type Series = BTreeMap<BucketKey, BitSet>;

fn series(source: &Source<'_>, scope: &Query, set: &SetExpr, unit: TimeUnit) -> Result<Series> {
    let conditions = conditions(set).unwrap_or_default();
    let sets = source.sets(&Query {
        by: vec![Dimension::Time(unit)],
        filter: scope.filter.iter().cloned().chain(conditions).collect(),
        ..scope.clone()
    })?;
    let sets = sets.groups.into_iter();
    Ok(sets
        .map(|(values, set)| (bucket_of(&values, unit), set))
        .collect())
}

fn curve(
    keys: impl Iterator<Item = BucketKey>,
    unit: TimeUnit,
    (first, second): (&Series, &Series),
    all: &BitSet,
) -> Result<Vec<Vec<Value>>> {
    let mut touched = BitSet::new(all.limit());
    let count = all.count();
    let mut before = 0;
    let mut rows = Vec::new();
    for key in keys {
        if let Some(here) = second.get(&key) {
            touched.union_with(here)?;
            touched.intersect_with(all);
        }
        let so_far = touched.count();
        let (on_first, stayed) = first.get(&key).map_or((0, 0), |here| {
            let count = here.count();
            (count, count - here.intersection_count(&touched))
        });
        rows.push(vec![
            text(unit.label(key)),
            Value::Int(on_first),
            Value::Int(stayed),
            Value::Int(so_far - before),
            Value::Int(so_far),
            share(so_far, count),
        ]);
        before = so_far;
    }
    Ok(rows)
}

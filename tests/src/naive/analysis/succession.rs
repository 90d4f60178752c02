//! Requests to how the downloaders of one set of requests come to another, bucket by bucket.

use std::collections::BTreeSet;

use footfall_engine::analysis::{Request, SetExpr};
use footfall_engine::query::{Condition, Query, Value};
use footfall_engine::schema::{IdentityKind, Row, TimeUnit};

use super::super::range::millis;
use super::retention::stored;
use super::{Source, int, rule, scope, share};

/// A downloader and when it was there.
type Seen = BTreeSet<((IdentityKind, String), i64)>;

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    (from, to, unit): (&SetExpr, &SetExpr, TimeUnit),
) -> Result<Vec<Vec<Value>>, String> {
    let first = seen(source, request, from)?;
    let second = seen(source, request, to)?;
    let Some(span) = stored(source, &request.scope)? else {
        return Ok(Vec::new());
    };
    let all: BTreeSet<_> = first.iter().map(|(who, _)| who).collect();
    let begin = first.iter().chain(&second).map(|(_, ms)| *ms).min();
    let mut rows = Vec::new();
    let mut before = 0;
    for bucket in span.buckets(unit) {
        if begin.is_none_or(|begin| bucket.to <= begin) {
            continue;
        }
        let touched: BTreeSet<_> = second
            .iter()
            .filter(|(who, ms)| *ms < bucket.to && all.contains(who))
            .map(|(who, _)| who)
            .collect();
        let here: BTreeSet<_> = first
            .iter()
            .filter(|(_, ms)| (bucket.from..bucket.to).contains(ms))
            .map(|(who, _)| who)
            .collect();
        rows.push(vec![
            Value::Text(bucket.label.clone()),
            int(here.len()),
            int(here.difference(&touched).count()),
            int(touched.len() - before),
            int(touched.len()),
            share(touched.len(), all.len()),
        ]);
        before = touched.len();
    }
    Ok(rows)
}

fn seen(source: &Source<'_>, request: &Request, set: &SetExpr) -> Result<Seen, String> {
    let conditions: &[Condition] = match set {
        SetExpr::Kept(condition) => std::slice::from_ref(condition),
        SetExpr::Scoped(conditions, None) => conditions,
        _ => return Err("a set of sets".to_owned()),
    };
    let mut query: Query = request.scope.clone();
    query.filter.extend(conditions.iter().cloned());
    let scope = scope(source, &query)?;
    let mark = |row: &&Row| {
        let (kind, hash) = rule::who(row)?;
        Some(((kind, hash.to_owned()), millis(row)))
    };
    Ok(scope.accepted.iter().filter_map(mark).collect())
}

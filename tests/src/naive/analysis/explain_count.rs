//! Log lines to what each step of a rule leaves.

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Query, Value};

use super::{Source, downloaders, int, rule, scope, share};

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    names: &[String],
) -> Result<Vec<Vec<Value>>, String> {
    let usual = ["5min", "files", "daily"].map(str::to_owned);
    let names = if names.is_empty() { &usual[..] } else { names };
    let lines = Query {
        filter: Vec::new(),
        ..request.scope.clone()
    };
    let lines = scope(source, &lines)?.kept.len();
    let mut rows = Vec::new();
    for name in names {
        let query = Query {
            metrics: vec![Metric::Downloads],
            rule: Some(name.clone()),
            ..request.scope.clone()
        };
        let scope = scope(source, &query)?;
        let counting = &scope.rule;
        let outside = scope
            .kept
            .iter()
            .filter(|row| counting.internal || row.internal != Some(true));
        let by_method = outside
            .clone()
            .filter(|row| counting.methods.is_empty() || counting.methods.contains(&row.method));
        let collapsed: u64 = super::super::count(&scope, Metric::Downloads, &[])
            .values()
            .sum();
        let collapsed = usize::try_from(collapsed).unwrap_or(0);
        let nobody = scope
            .accepted
            .iter()
            .filter(|row| rule::who(row).is_none())
            .count();
        let steps = [
            ("lines", lines),
            ("filter", scope.kept.len()),
            ("internal", outside.count()),
            ("method", by_method.count()),
            ("status", scope.accepted.len()),
            ("collapse", collapsed),
            ("identity", collapsed - nobody),
            ("unique", downloaders(&scope.accepted).len()),
        ];
        let mut before = lines;
        for (step, left) in steps {
            rows.push(vec![
                Value::Text(name.clone()),
                Value::Text(step.to_owned()),
                int(left),
                int(before - left),
                share(before - left, before),
            ]);
            before = left;
        }
    }
    Ok(rows)
}

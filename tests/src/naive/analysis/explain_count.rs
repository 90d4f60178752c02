//! Log lines to what each step of a rule leaves.

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::text::render_condition;
use footfall_engine::query::{Condition, Query, Value};

use super::super::Scope;
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
    let is_set = |condition: &Condition| matches!(condition, Condition::InSet(..));
    let (named, filter): (Vec<Condition>, Vec<Condition>) =
        request.scope.filter.iter().cloned().partition(is_set);
    let mut rows = Vec::new();
    for name in names {
        let mut query = Query {
            metrics: vec![Metric::Downloads],
            filter: filter.clone(),
            rule: Some(name.clone()),
            ..request.scope.clone()
        };
        let asked = query.clone();
        let scope = scope(source, &asked)?;
        let counting = &scope.rule;
        let outside = scope
            .kept
            .iter()
            .filter(|row| counting.internal || row.internal != Some(true));
        let by_method = outside
            .clone()
            .filter(|row| counting.methods.is_empty() || counting.methods.contains(&row.method));
        let steps = [
            ("lines", lines),
            ("filter", scope.kept.len()),
            ("internal", outside.count()),
            ("method", by_method.count()),
            ("status", scope.accepted.len()),
            ("collapse", downloads(&scope)),
        ];
        let mut steps: Vec<(String, usize)> = steps
            .into_iter()
            .map(|(step, left)| (step.to_owned(), left))
            .collect();
        for condition in &named {
            query.filter.push(condition.clone());
            let asked = query.clone();
            let scope = super::scope(source, &asked)?;
            steps.push((render_condition(condition), downloads(&scope)));
        }
        let scope = super::scope(source, &query)?;
        let nobody = scope.accepted.iter().filter(|row| rule::who(row).is_none());
        steps.push(("identity".to_owned(), downloads(&scope) - nobody.count()));
        steps.push(("unique".to_owned(), downloaders(&scope.accepted).len()));
        let mut before = lines;
        for (step, left) in steps {
            rows.push(vec![
                Value::Text(name.clone()),
                Value::Text(step),
                int(left),
                int(before - left),
                share(before - left, before),
            ]);
            before = left;
        }
    }
    Ok(rows)
}

fn downloads(scope: &Scope<'_>) -> usize {
    let groups = super::super::count(scope, Metric::Downloads, &[]);
    usize::try_from(groups.values().sum::<u64>()).unwrap_or(0)
}

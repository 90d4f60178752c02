//! Requests to who uses which client or version, and how many requests each makes of a download.

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query, Test, Value};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::super::evaluate_source;
use super::{Source, int, share};

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    (client, unit): (Option<&String>, Option<TimeUnit>),
) -> Result<Vec<Vec<Value>>, String> {
    let mut scope = Query {
        top: None,
        ..request.scope.clone()
    };
    let mut dimension = Dimension::Client;
    if let Some(client) = client {
        let test = Test::Equal(client.clone());
        scope.filter.push(Condition::Where(Dimension::Client, test));
        dimension = Dimension::ClientVersion;
    }
    let ask = |metric: Metric, by: Vec<Dimension>| {
        let query = Query {
            metrics: vec![metric],
            by,
            ..scope.clone()
        };
        evaluate_source(source, &query).map(|answer| answer.rows)
    };
    let mut greatest = evaluate_source(
        source,
        &Query {
            metrics: vec![Metric::Downloaders, Metric::Requests, Metric::Downloads],
            by: vec![dimension.clone()],
            ..scope.clone()
        },
    )?
    .rows;
    greatest.truncate(usize::try_from(request.scope.top.unwrap_or(10)).unwrap_or(0));
    let by: Vec<Dimension> = unit.map(Dimension::Time).into_iter().collect();
    let mut dimensions = by.clone();
    dimensions.push(dimension);
    let shown = evaluate_source(
        source,
        &Query {
            metrics: vec![Metric::Downloaders, Metric::Requests, Metric::Downloads],
            by: dimensions,
            ..scope.clone()
        },
    )?;
    let whole = ask(Metric::Downloaders, by.clone())?;
    let number = |value: &Value| match value {
        Value::Int(value) => usize::try_from(*value).unwrap_or(0),
        _ => 0,
    };
    let mut rows = Vec::new();
    for row in shown.rows {
        let label = &row[by.len()];
        if greatest.iter().all(|known| known[0] != *label) {
            continue;
        }
        let of = whole
            .iter()
            .find(|whole| whole[..by.len()] == row[..by.len()]);
        let of = of.map_or(0, |whole| number(&whole[by.len()]));
        let numbers: Vec<usize> = row[by.len() + 1..].iter().map(number).collect();
        let mut out = row[..=by.len()].to_vec();
        out.extend([
            int(numbers[0]),
            share(numbers[0], of),
            int(numbers[1]),
            int(numbers[2]),
            share(numbers[1], numbers[2]),
        ]);
        rows.push(out);
    }
    Ok(rows)
}

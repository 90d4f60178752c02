//! A repo's downloads of the last 30 days, as an image and for shields.io. Only of repos that the
//! server's owner has opted in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use footfall_engine::catalog::terms::{Allowed, Stop, Terms};
use footfall_engine::metrics::Metric;
use footfall_engine::query::glob::Glob;
use footfall_engine::query::{Condition, Query, Range, Test, Value};
use footfall_engine::schema::Dimension;
use footfall_protocol::{Code, Fault};
use serde_json::json;

use super::Call;
use super::query::on_pool;
use super::respond::Found;
use crate::fault::fault_of;

const LABEL: &str = "downloads";
/// Width of a character of the badge, in pixels.
const CHARACTER: usize = 7;
/// Room at both ends of a field.
const MARGIN: usize = 5;

/// `GET /badge/{org}/{repo}.svg`.
pub(super) async fn svg(call: Call) -> Result<Found, Fault> {
    let message = message(call).await?;
    Ok(Found::new("image/svg+xml", image(&message)))
}

/// `GET /badge/{org}/{repo}.json`.
pub(super) async fn json(call: Call) -> Result<Found, Fault> {
    let message = message(call).await?;
    Found::json(&json!({"schemaVersion": 1, "label": LABEL, "message": message, "color": "blue"}))
}

async fn message(call: Call) -> Result<String, Fault> {
    let repo = call.names.join("/");
    let is_opted_in = call
        .context
        .config
        .badges
        .iter()
        .any(|badge| Glob::compile(badge).is_ok_and(|glob| glob.matches(&repo)));
    if !is_opted_in {
        return Err(Fault::new(Code::NotFound, "no badge of this repo"));
    }
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let terms = Terms {
            allowed: Allowed::Repos(BTreeSet::from([repo.clone()])),
            stop: Some(Stop::new(Arc::clone(&call.asked), Duration::from_secs(5))),
            ..Terms::default()
        };
        let store = call.context.store.under(terms);
        let has_logs = store
            .view()
            .map(|view| !view.manifest().partitions.is_empty());
        let metric = match has_logs.map_err(|error| fault_of(&error, None))? {
            true => Metric::Downloads,
            false => Metric::HubDownloads,
        };
        let query = Query {
            metrics: vec![metric],
            filter: vec![Condition::Where(Dimension::Repo, Test::Equal(repo))],
            range: Range::LastDays(30),
            ..Query::default()
        };
        let answer = store
            .evaluate(&query)
            .map_err(|error| fault_of(&error, None))?;
        let count = match answer.rows.first().and_then(|row| row.first()) {
            Some(Value::Int(count)) => *count,
            _ => 0,
        };
        Ok(format!("{}/month", short(count)))
    })
    .await
}

/// `1234` as `1.2k`.
fn short(count: u64) -> String {
    for (size, letter) in [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')] {
        if count >= size {
            let whole = count as f64 / size as f64;
            return if whole < 10.0 {
                format!("{whole:.1}{letter}")
            } else {
                format!("{whole:.0}{letter}")
            };
        }
    }
    count.to_string()
}

/// The badge. The message is made of digits and letters of this file alone.
fn image(message: &str) -> String {
    let width = |text: &str| text.len() * CHARACTER + 2 * MARGIN;
    let (left, right) = (width(LABEL), width(message));
    let (all, middle) = (left + right, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{LABEL}: {message}\">\
<rect width=\"{left}\" height=\"20\" fill=\"#444\"/><rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"#1769aa\"/>\
<g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,sans-serif\" font-size=\"11\">\
<text x=\"{}\" y=\"14\">{LABEL}</text><text x=\"{middle}\" y=\"14\">{message}</text></g></svg>\n",
        left / 2
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        for (count, want) in [
            (0, "0"),
            (999, "999"),
            (1_234, "1.2k"),
            (12_345, "12k"),
            (3_000_000, "3.0M"),
            (7_500_000_000, "7.5G"),
        ] {
            assert_eq!(short(count), want);
        }
        assert!(image("1.2k/month").contains("aria-label=\"downloads: 1.2k/month\""));
    }
}

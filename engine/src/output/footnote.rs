//! What an answer's numbers mean, as lines below a table.

use crate::metrics::{Measure, Metric};
use crate::query::{Answer, Meta, Value};

use super::number::thousands;
use super::text::printable;

/// Labels that are named before "and N more".
const LABELS_SHOWN: usize = 4;
/// A ratio that reads 1.00 says nothing.
const RATIO_SHOWN: f64 = 1.005;

/// The foot lines of an answer, in the order of what a reader has to know first.
pub(super) fn lines(answer: &Answer) -> Vec<String> {
    let meta = &answer.meta;
    let mut lines = Vec::new();
    if !meta.partial.is_empty() && shows_time(answer) {
        lines.push(
            "* partial: the range cuts it, or a day of it is missing or not complete".to_owned(),
        );
    }
    if !meta.missing.is_empty() {
        lines.push(format!("– nothing is stored for {}", named(&meta.missing)));
    }
    lines.extend(overcounts(answer));
    if meta.unidentified > 0 {
        let requests = if meta.unidentified == 1 {
            "request has"
        } else {
            "requests have"
        };
        lines.push(format!(
            "{} accepted {requests} no identity: never a downloader",
            thousands(meta.unidentified)
        ));
    }
    if let Some(bound) = meta.error_bound.filter(|_| !meta.rule.is_empty()) {
        lines.push(format!("estimates, standard error {:.1} %", bound * 100.0));
    }
    if meta.truncated {
        lines.push("there are more rows than these".to_owned());
    }
    lines.extend(meta.notes.iter().map(|note| printable(note)));
    lines.extend(basis(answer));
    lines
}

fn shows_time(answer: &Answer) -> bool {
    let kind = crate::query::ColumnType::Time;
    answer.columns.iter().any(|column| column.kind == kind)
}

fn named(labels: &[String]) -> String {
    let shown: Vec<&str> = labels
        .iter()
        .take(LABELS_SHOWN)
        .map(String::as_str)
        .collect();
    let more = labels.len() - shown.len();
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {} more", thousands(more as u64))
    };
    format!("{}{rest}", shown.join(", "))
}

fn overcounts(answer: &Answer) -> Vec<String> {
    let columns = answer.columns.iter().enumerate();
    columns
        .filter_map(|(index, column)| {
            let ratio = (*answer.meta.overcount.get(&column.name)?)?;
            if ratio < RATIO_SHOWN {
                return None;
            }
            if answer.meta.truncated {
                let line = format!(
                    "{}: adding all rows gives {ratio:.2}× the whole",
                    column.name
                );
                return Some(line);
            }
            let sum = answer.rows.iter().filter_map(|row| match row.get(index) {
                Some(Value::Int(value)) => Some(*value),
                _ => None,
            });
            let sum = thousands(sum.fold(0, u64::saturating_add));
            Some(format!(
                "{}: adding these rows gives {sum} ({ratio:.2}×)",
                column.name
            ))
        })
        .collect()
}

/// Rule and range; nothing for an answer that no rule had a part in.
fn basis(answer: &Answer) -> Option<String> {
    let meta = &answer.meta;
    let mut parts = Vec::new();
    let metrics = answer
        .columns
        .iter()
        .filter_map(|column| Metric::from_name(&column.name));
    let (hub, log): (Vec<Metric>, Vec<Metric>) =
        metrics.partition(|metric| metric.measure() == Measure::Hub);
    if !hub.is_empty() && meta.from.is_some() {
        parts.push("Hub's CSV".to_owned());
    }
    if (!log.is_empty() || hub.is_empty()) && !meta.rule.is_empty() {
        parts.push(format!("rule {}", meta.rule));
    }
    parts.extend(range_text(meta));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The range of an answer for people: `2026-06-15 to 2026-07-14 (UTC)` for whole days, else instants;
/// `None` if there is nothing in the store.
#[must_use]
pub fn range_text(meta: &Meta) -> Option<String> {
    Some(range(meta.from.as_deref()?, meta.to.as_deref()?))
}

fn range(from: &str, to: &str) -> String {
    let whole_days = (midnight(from), midnight(to).and_then(day_before));
    match whole_days {
        (Some(from), Some(last)) if from == last => format!("{from} (UTC)"),
        (Some(from), Some(last)) => format!("{from} to {last} (UTC)"),
        _ => format!("{from} until {to}"),
    }
}

fn midnight(instant: &str) -> Option<&str> {
    instant.strip_suffix("T00:00:00.000Z")
}

fn day_before(day: &str) -> Option<String> {
    let day = crate::schema::time::parse_day(day)?;
    Some(crate::units::Day(day.get().checked_sub(1)?).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn the_sum_and_its_ratio_are_said() {
        let lines = lines(&samples::by_country());
        assert!(
            lines.contains(&"downloaders: adding these rows gives 1,500 (1.02×)".to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.contains(&"1 accepted request has no identity: never a downloader".to_owned())
        );
        assert_eq!(
            lines.last().unwrap(),
            "rule 5min, 2026-06-15 to 2026-07-14 (UTC)"
        );
    }

    #[test]
    fn ranges_of_days_include_their_last() {
        let midnight = |day: &str| format!("{day}T00:00:00.000Z");
        assert_eq!(
            range(&midnight("2026-07-01"), &midnight("2026-07-02")),
            "2026-07-01 (UTC)"
        );
        assert_eq!(
            range(&midnight("2026-02-01"), &midnight("2026-03-01")),
            "2026-02-01 to 2026-02-28 (UTC)"
        );
        assert_eq!(
            range("2026-02-01T08:00:00.000Z", &midnight("2026-03-01")),
            "2026-02-01T08:00:00.000Z until 2026-03-01T00:00:00.000Z"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let labels: Vec<String> = (1..=6).map(|day| format!("d{day}")).collect();
        assert_eq!(named(&labels), "d1, d2, d3, d4 and 2 more");
        assert_eq!(named(&labels[..1]), "d1");
    }
}

//! The course of days to those that are far below or above what is usual on their weekday.

use super::super::calendar::{HUB, LOGS, sources};
use super::super::expected::{median, same_weekdays};
use super::super::sheet::day_rows;
use super::{RECENT_DAYS, Search};
use crate::error::Result;
use crate::metrics::Metric;
use crate::query::Value;
use crate::query::value::Query;
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// Fewest days that say what is usual.
const WEEKS_MIN: usize = 3;
/// Less than this is too few to fall from.
const USUAL_MIN: f64 = 50.0;

impl Search<'_> {
    /// Falls and spikes of the newest days.
    pub(super) fn course(&mut self) -> Result<()> {
        for of in sources(self.source) {
            let (name, metric) = match of.name {
                HUB => (HUB, Metric::HubDownloads),
                _ => (LOGS, Metric::Requests),
            };
            let Some(last) = of.calendar.newest_complete() else {
                continue;
            };
            let answer = self.source.query(&Query {
                metrics: vec![metric],
                by: vec![Dimension::Time(TimeUnit::Day)],
                ..Query::default()
            })?;
            let series: Vec<(Day, u64)> = day_rows(&answer)
                .filter_map(|(day, values)| match values {
                    [Value::Int(value), ..] => Some((day, *value)),
                    _ => None,
                })
                .collect();
            let first = last.get().saturating_sub(RECENT_DAYS - 1);
            for (day, value) in &series {
                if day.get() >= first && *day <= last {
                    self.compare(name, (*day, *value), usual(&series, *day));
                }
            }
        }
        Ok(())
    }

    fn compare(&mut self, name: &'static str, (day, value): (Day, u64), usual: Option<f64>) {
        let Some(usual) = usual.filter(|usual| *usual >= USUAL_MIN) else {
            return;
        };
        let (factor, found) = (self.limits.factor(), value as f64);
        let unit = if name == HUB { "downloads" } else { "requests" };
        let (kind, word) = if found < usual * factor {
            ("fall", "below")
        } else if found * factor > usual {
            ("spike", "above")
        } else {
            return;
        };
        let text = format!(
            "{name}: {value} {unit} on {day}, far {word} the usual {usual:.0} of that weekday"
        );
        self.add(kind, name, day, text);
    }
}

/// The median of the same weekday of the weeks before.
fn usual(series: &[(Day, u64)], day: Day) -> Option<f64> {
    let before = same_weekdays(day).filter_map(|day| {
        let at = series.binary_search_by_key(&day, |(day, _)| *day).ok()?;
        series.get(at).map(|(_, value)| *value as f64)
    });
    let values: Vec<f64> = before.collect();
    if values.len() < WEEKS_MIN {
        return None;
    }
    median(values)
}

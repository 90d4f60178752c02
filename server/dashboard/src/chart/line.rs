//! A series over time to a line with axes.
//!
//! The drawing carries its plot's edges and number of points as data attributes; with them and the
//! table beside it a script finds the point below the pointer without knowing how it was drawn.
//!
//! Lines are stretched to the width that there is, texts and circles are not: they stand at shares of width and height.

use std::fmt::Write;

use maud::{Markup, html};

use super::step;
use crate::number::short;

/// Width of the drawing in its own units.
const WIDTH: f64 = 960.0;
/// Height likewise.
const HEIGHT: f64 = 260.0;
/// Left, right, top and bottom of the plot.
const PLOT: (f64, f64, f64, f64) = (4.0, 956.0, 20.0, 232.0);
/// Lines across.
const STEPS: u64 = 4;
/// Labels below the axis.
const LABELS_MAX: usize = 6;
/// Points from which a mean of seven is drawn over them.
const MEAN_FROM: usize = 120;

/// A series: labels and values side by side.
pub(crate) struct Series<'a> {
    /// Label of each bucket.
    pub(crate) labels: &'a [String],
    /// Value of each; `None` where nothing is stored.
    pub(crate) values: &'a [Option<u64>],
    /// Labels whose bucket is not whole.
    pub(crate) partial: &'a [String],
    /// What is counted.
    pub(crate) name: &'a str,
    /// Places at which something is noted.
    pub(crate) notes: &'a [usize],
}

/// Width and height of the drawing.
pub(crate) const SIZE: (f64, f64) = (WIDTH, HEIGHT);

/// The drawing.
pub(crate) fn line(series: &Series<'_>) -> Markup {
    let (left, right, top, bottom) = PLOT;
    let greatest = series.values.iter().flatten().copied().max().unwrap_or(0);
    let each = step(greatest, STEPS);
    let above = greatest.div_ceil(each).max(1).saturating_mul(each);
    let scale = Scale {
        count: series.values.len(),
        above,
    };
    let values: Vec<Option<f64>> = series
        .values
        .iter()
        .map(|value| value.map(|v| v as f64))
        .collect();
    let has_mean = values.len() >= MEAN_FROM;
    let ticks: Vec<usize> = ticks(series.labels.len()).collect();
    html! {
        svg.line role="img" aria-label=(spoken(series))
            data-left=(left / WIDTH) data-right=(right / WIDTH) data-points=(values.len()) {
            svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" width="100%" height="100%" {
                @for value in (0..=above / each).map(|at| at * each) {
                    @let y = scale.y(value as f64);
                    line.grid x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
                }
                @for at in series.notes {
                    line.mark x1=(scale.x(*at)) x2=(scale.x(*at)) y1=(top) y2=(bottom) {}
                }
                path.area d=(area(&values, &scale)) {}
                path.daily.faint[has_mean] d=(path(&values, &scale)) {}
                @if has_mean { path.mean d=(path(&mean(&values), &scale)) {} }
                line.cross x1="0" x2="0" y1=(top) y2=(bottom) {}
            }
            @for value in (0..=above / each).map(|at| at * each) {
                text.tick x="0" y=(down(scale.y(value as f64))) dy="-4" { (short(value)) }
            }
            @for (number, at) in ticks.iter().enumerate() {
                // The first label is told apart from the last one: a year that all have is none of theirs.
                @let before = number.checked_sub(1).and_then(|number| ticks.get(number)).or(ticks.last());
                @if let Some(label) = series.labels.get(*at) {
                    text.tick.odd[number % 2 == 1] x=(across(scale.x(*at))) y="100%" dy="-6" text-anchor=(anchor(*at, series.labels.len())) {
                        (tick_label(label, before.and_then(|at| series.labels.get(*at)).map(String::as_str)))
                    }
                }
            }
            @for (number, at) in series.notes.iter().enumerate() {
                text.tick x=(across(scale.x(*at) + 4.0)) y=(down(top)) dy="10" { (number + 1) }
            }
            @for (at, label) in series.labels.iter().enumerate() {
                @if series.partial.contains(label) && let Some(Some(value)) = values.get(at) {
                    circle.partial cx=(across(scale.x(at))) cy=(down(scale.y(*value))) r="4" {}
                }
            }
        }
    }
}

/// A place as a share of the width.
fn across(x: f64) -> String {
    format!("{:.2}%", x * 100.0 / WIDTH)
}

/// A place as a share of the height.
fn down(y: f64) -> String {
    format!("{:.2}%", y * 100.0 / HEIGHT)
}

/// Which end of a label stands at its point, so that none leaves the drawing.
fn anchor(at: usize, count: usize) -> &'static str {
    match at * 20 / count.saturating_sub(1).max(1) {
        0 => "start",
        19.. => "end",
        _ => "middle",
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A label as an axis has it: `20 Oct`, with its year where that is another than the one `before`.
fn tick_label(label: &str, before: Option<&str>) -> String {
    let mut parts = label.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    let (Some(year), Some(month)) = (year, month) else {
        return label.to_owned();
    };
    let is_known = before.is_some_and(|before| before.split('-').next() == Some(year));
    match day {
        Some(day) if is_known => format!("{} {month}", day.trim_start_matches('0')),
        Some(day) => format!("{} {month} {year}", day.trim_start_matches('0')),
        None => format!("{month} {year}"),
    }
}

struct Scale {
    count: usize,
    above: u64,
}

impl Scale {
    fn x(&self, at: usize) -> f64 {
        let (left, right, ..) = PLOT;
        match self.count {
            0 | 1 => f64::midpoint(left, right),
            count => tenth(left + (right - left) * at as f64 / (count - 1) as f64),
        }
    }

    fn y(&self, value: f64) -> f64 {
        let (_, _, top, bottom) = PLOT;
        tenth(bottom - (bottom - top) * value / self.above as f64)
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A line through what is known; a gap where nothing is.
fn path(values: &[Option<f64>], scale: &Scale) -> String {
    let mut path = String::new();
    let mut is_drawn = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let sign = if is_drawn { 'L' } else { 'M' };
            // Writing to a String cannot fail.
            let _ = write!(path, "{sign}{} {}", scale.x(at), scale.y(*value));
            if !is_drawn && values.get(at + 1).is_none_or(Option::is_none) {
                path.push_str("h0.1");
            }
        }
        is_drawn = value.is_some();
    }
    path
}

/// The same closed down to zero, stretch by stretch.
fn area(values: &[Option<f64>], scale: &Scale) -> String {
    let mut area = String::new();
    let mut start = 0;
    let zero = scale.y(0.0);
    for stretch in values.split(Option::is_none) {
        if !stretch.is_empty() {
            let _ = write!(area, "M{} {zero}", scale.x(start));
            for (at, value) in stretch.iter().enumerate() {
                let y = scale.y(value.unwrap_or(0.0));
                let _ = write!(area, "L{} {y}", scale.x(start + at));
            }
            let _ = write!(area, "L{} {zero}Z", scale.x(start + stretch.len() - 1));
        }
        start += stretch.len() + 1;
    }
    area
}

/// The mean of each value and the six before it, of those that are known.
fn mean(values: &[Option<f64>]) -> Vec<Option<f64>> {
    const DAYS: usize = 7;
    let mean_at = |at: usize| {
        let known: Vec<f64> = values
            .get((at + 1).saturating_sub(DAYS)..=at)?
            .iter()
            .flatten()
            .copied()
            .collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    (0..values.len())
        .map(|at| values.get(at).copied().flatten().and(mean_at(at)))
        .collect()
}

/// About evenly spread places of labels.
fn ticks(count: usize) -> impl Iterator<Item = usize> {
    let each = count.div_ceil(LABELS_MAX).max(1);
    (0..count).step_by(each)
}

/// What a screen reader says.
fn spoken(series: &Series<'_>) -> String {
    let known = || {
        series
            .values
            .iter()
            .zip(series.labels)
            .filter_map(|(value, label)| Some(((*value)?, label)))
    };
    let (Some(most), Some(first), Some(last)) = (
        known().max_by_key(|(value, _)| *value),
        known().next(),
        known().next_back(),
    ) else {
        return format!("{}: nothing stored", series.name);
    };
    format!(
        "{} from {} ({}) to {} ({}), most on {} ({})",
        series.name, first.1, first.0, last.1, last.0, most.1, most.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<u64>]) -> String {
        let labels: Vec<String> = (0..values.len()).map(|at| format!("d{at}")).collect();
        line(&Series {
            labels: &labels,
            values,
            partial: &labels[..1.min(labels.len())],
            name: "Downloads",
            notes: &[0],
        })
        .into_string()
    }

    #[test]
    fn a_gap_ends_the_line() {
        let drawn = drawn(&[Some(1), Some(2), None, Some(4)]);
        assert_eq!(drawn.matches("class=\"daily\" d=\"M").count(), 1);
        let daily = drawn
            .split("class=\"daily\" d=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert_eq!(daily.matches('M').count(), 2, "{daily}");
        assert!(drawn.contains("most on d3 (4)"));
        assert!(drawn.contains("class=\"partial\""));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(drawn(&[]).contains("nothing stored"));
        assert!(drawn(&[None]).contains("nothing stored"));
        assert!(drawn(&[Some(0)]).contains("to d0 (0)"));
    }

    #[test]
    fn labels_of_an_axis_are_short() {
        for (label, before, short) in [
            ("2026-10-20", None, "20 Oct 2026"),
            ("2026-10-04", Some("2026-10-01"), "4 Oct"),
            ("2027-01-01", Some("2026-12-28"), "1 Jan 2027"),
            ("2026-07", Some("2026-06"), "Jul 2026"),
            ("2026-W29", None, "2026-W29"),
            ("2026", None, "2026"),
        ] {
            assert_eq!(tick_label(label, before), short);
        }
    }

    #[test]
    fn means_leave_out_what_is_not_known() {
        let values: Vec<Option<f64>> = vec![Some(7.0), None, Some(9.0)];
        assert_eq!(mean(&values), [Some(7.0), None, Some(8.0)]);
    }
}

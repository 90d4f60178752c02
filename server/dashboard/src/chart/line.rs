//! A series over time to a line with axes.
//!
//! The drawing carries its plot's edges and number of points as data attributes; with them and the
//! table beside it a script finds the point below the pointer without knowing how it was drawn.

use std::fmt::Write;

use maud::{Markup, html};

use super::step;
use crate::number::short;

/// Width of the drawing in its own units.
const WIDTH: f64 = 960.0;
/// Height likewise.
const HEIGHT: f64 = 260.0;
/// Left, right, top and bottom of the plot.
const PLOT: (f64, f64, f64, f64) = (52.0, 948.0, 12.0, 228.0);
/// Lines across.
const STEPS: u64 = 4;
/// Labels below the axis.
const LABELS_MAX: usize = 8;
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
    html! {
        svg.line viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(spoken(series))
            data-left=(left / WIDTH) data-right=(right / WIDTH) data-points=(values.len()) {
            @for value in (0..=above / each).map(|at| at * each) {
                @let y = scale.y(value as f64);
                line.grid x1=(left) x2=(right) y1=(y) y2=(y) {}
                text.tick x=(left - 8.0) y=(y + 4.0) text-anchor="end" { (short(value)) }
            }
            @for (number, at) in ticks(series.labels.len()).enumerate() {
                @if let Some(label) = series.labels.get(at) {
                    text.tick.between[number % 3 > 0] x=(scale.x(at)) y=(bottom + 20.0) text-anchor="middle" { (label) }
                }
            }
            @for (number, at) in series.notes.iter().enumerate() {
                line.mark x1=(scale.x(*at)) x2=(scale.x(*at)) y1=(top) y2=(bottom) {}
                text.tick x=(scale.x(*at) + 3.0) y=(top + 8.0) { (number + 1) }
            }
            path.area d=(area(&values, &scale)) {}
            path.daily.faint[has_mean] d=(path(&values, &scale)) {}
            @if has_mean { path.mean d=(path(&mean(&values), &scale)) {} }
            @for (at, label) in series.labels.iter().enumerate() {
                @if series.partial.contains(label) && let Some(Some(value)) = values.get(at) {
                    circle.partial cx=(scale.x(at)) cy=(scale.y(*value)) r="4" {}
                }
            }
            line.cross x1="0" x2="0" y1=(top) y2=(bottom) {}
        }
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
    fn means_leave_out_what_is_not_known() {
        let values: Vec<Option<f64>> = vec![Some(7.0), None, Some(9.0)];
        assert_eq!(mean(&values), [Some(7.0), None, Some(8.0)]);
    }
}

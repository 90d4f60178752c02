//! A series over time to a figure: drawing, what is read of it, notes, the same numbers as a table, files.

use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::change::Concern;
use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::TimeUnit;

use super::{Asked, Drawing};
use crate::chart::line::{Series, line};
use crate::number::{int_of, percent, text_of};

/// What is drawn: labels are the answer's first column, values its second.
pub(super) struct Course<'a> {
    /// What is counted.
    pub(super) name: &'a str,
    /// The buckets.
    pub(super) unit: TimeUnit,
    /// Headings of the columns behind the label.
    pub(super) headings: &'a [&'a str],
    /// Whose numbers these are.
    pub(super) concern: Concern,
}

/// The figure.
pub(super) fn figure(
    asked: &Asked<'_>,
    course: &Course<'_>,
    answer: Arc<Answer>,
) -> Result<Markup> {
    let labels: Vec<String> = answer.rows.iter().map(|row| text_of(row, 0)).collect();
    let values: Vec<Option<u64>> = answer.rows.iter().map(|row| int_of(row, 1)).collect();
    let notes = notes(asked, course, &labels)?;
    let places: Vec<usize> = notes.iter().map(|(at, _)| *at).collect();
    let svg = line(&Series {
        labels: &labels,
        values: &values,
        partial: &answer.meta.partial,
        name: course.name,
        notes: &places,
    });
    let caption = format!("{} by {}, UTC", course.name, unit_name(course.unit));
    let table = table(&answer, course.headings);
    let has_partial = !answer.meta.partial.is_empty();
    let drawing = Drawing {
        caption: caption.clone(),
        svg: svg.clone(),
    };
    let files = asked.drawn(answer, drawing);
    Ok(html! {
        figure.chart {
            figcaption { (caption) " " (files) }
            (svg)
            p.reading aria-live="polite" {}
            @if !notes.is_empty() { ol.notes { @for (_, text) in &notes { li { (text) } } } }
            (table)
            @if has_partial { p.note { "○ not whole: more may come, or a day is missing" } }
        }
    })
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Day => "day",
        TimeUnit::Month => "month",
        _ => "week",
    }
}

/// Days from which on something else is counted, by the places of their buckets; a series that begins with one does
/// not cross it.
fn notes(
    asked: &Asked<'_>,
    course: &Course<'_>,
    labels: &[String],
) -> Result<Vec<(usize, String)>> {
    let mut notes = Vec::new();
    for change in asked.ask().changes()? {
        let concerns = change.concern == course.concern || change.concern == Concern::All;
        let label = course.unit.label(course.unit.of_day(change.day));
        let at = labels.iter().position(|known| *known == label);
        if let Some(at) = at.filter(|at| concerns && *at > 0) {
            notes.push((at, format!("{}: {}", change.day, change.text)));
        }
    }
    Ok(notes)
}

/// The same numbers for who does not see the drawing; a script reads them too.
fn table(answer: &Answer, headings: &[&str]) -> Markup {
    let label = answer
        .columns
        .first()
        .map_or("", |column| column.name.as_str());
    html! {
        details.numbers { summary { "Numbers" }
            div.scroll { table.series {
                thead { tr { th scope="col" { (label) } @for name in headings { th.number scope="col" { (name) } } } }
                tbody { @for row in &answer.rows { tr {
                    th scope="row" { (text_of(row, 0)) }
                    @for value in row.iter().skip(1) { td.number { (cell(value)) } }
                } } }
            } }
        }
    }
}

/// A count, or a part of a whole.
fn cell(value: &Value) -> String {
    match value {
        Value::Int(value) => thousands(*value),
        Value::Real(part) => percent(*part),
        _ => "–".to_owned(),
    }
}

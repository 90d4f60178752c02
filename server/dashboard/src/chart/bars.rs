//! Named numbers to ranked bars, each a link that filters by its name.

use maud::{Markup, html};

use crate::definition::number_heading;
use crate::number::{count, share};

/// One bar.
pub(crate) struct Bar {
    /// What people read.
    pub(crate) name: String,
    /// More about the name, such as the code of a country.
    pub(crate) more: String,
    /// How many.
    pub(crate) value: u64,
    /// A second number, shown beside.
    pub(crate) beside: Option<u64>,
    /// Where a click leads.
    pub(crate) href: Option<String>,
}

/// The bars as a table; `whole` is what shares are of.
pub(crate) fn bars(bars: &[Bar], whole: u64, columns: (&str, &str, Option<&str>)) -> Markup {
    let greatest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let (name, value, beside) = columns;
    html! {
        table.bars {
            thead { tr {
                th scope="col" { (name) }
                (number_heading(value))
                @if let Some(beside) = beside { (number_heading(beside)) }
                (number_heading("Share"))
            } }
            tbody { @for bar in bars { tr {
                th scope="row" {
                    svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
                        rect width=(format!("{:.1}", bar.value as f64 * 100.0 / greatest as f64)) height="4" {}
                    }
                    @match &bar.href {
                        Some(href) => a href=(href) { (bar.name) },
                        None => (bar.name),
                    }
                    @if !bar.more.is_empty() { " " span.more { (bar.more) } }
                }
                td.number { (count(Some(bar.value))) }
                @if beside.is_some() { td.number { (count(bar.beside)) } }
                td.number { (share(bar.value, whole).unwrap_or_default()) }
            } } }
        }
    }
}

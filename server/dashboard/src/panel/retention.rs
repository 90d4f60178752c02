//! Who comes back? Downloaders by when they were first seen, and how many of them came again later.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::Subject;
use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::TimeUnit;

use super::{Asked, Panel};
use crate::number::{int_of, percent, text_of};
use crate::period::len;

/// Longest range that is shown by week, in days.
const WEEKS_DAYS_MAX: u32 = 120;
/// Cohorts that are shown, the newest.
const SHOWN: usize = 18;
/// Shades above that of nobody, see `asset/style.css`. Half of a cohort has the darkest.
const SHADES: f64 = 5.0;

/// The panel.
pub(crate) const RETENTION: &dyn Panel = &Retention;

struct Retention;

impl Panel for Retention {
    fn id(&self) -> &'static str {
        "retention"
    }

    fn title(&self) -> &'static str {
        "Who comes back?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let days = asked.days("downloaders")?;
        let is_short = days.is_none_or(|days| len(days) <= WEEKS_DAYS_MAX);
        let (unit, name) = if is_short {
            (TimeUnit::Week, "Week")
        } else {
            (TimeUnit::Month, "Month")
        };
        let subject = Subject::Cohorts {
            unit,
            has_shares: false,
        };
        let answer = asked.analyse("retention", (subject, asked.scope()?))?;
        let hidden = answer.rows.len().saturating_sub(SHOWN);
        let shown = answer.rows.get(hidden..).unwrap_or_default();
        if shown.is_empty() {
            return Ok(Some(html! { p.note { "No downloader in this range." } }));
        }
        Ok(Some(html! {
            div.scroll { (grid(&answer, shown, name)) }
            p.legend {
                span.shade-0 { "0 %" } " " span.shade-3 { "25 %" } " " span.shade-5 { "50 % or more" } " "
                span.unfinished { "not finished: may still grow" }
            }
            p.note {
                "First seen looks at the whole store. +1 is the " (name.to_lowercase()) " after the first."
                @if hidden > 0 { " The newest " (SHOWN) " of " (answer.rows.len()) " are shown." }
            }
        }))
    }
}

fn grid(answer: &Answer, shown: &[Vec<Value>], name: &str) -> Markup {
    let ages = shown.len().saturating_sub(1);
    html! {
        table.retention {
            caption.quiet { "Part of the downloaders first seen in a " (name.to_lowercase()) " who came again later" }
            thead { tr {
                th scope="col" { "First seen" } th.number scope="col" { "Downloaders" }
                @for age in 1..=ages { th scope="col" { "+" (age) } }
            } }
            tbody { @for row in shown {
                @let label = text_of(row, 0);
                @let size = int_of(row, 1).unwrap_or(0);
                tr {
                    th scope="row" { (label) @if answer.meta.partial.contains(&label) { " ○" } }
                    td.number { (thousands(size)) }
                    @for age in 1..=ages { (cell(answer, (&label, size), (age, int_of(row, age + 1)))) }
                }
            } }
        }
    }
}

fn cell(answer: &Answer, (label, size): (&str, u64), (age, again): (usize, Option<u64>)) -> Markup {
    let Some(again) = again.filter(|_| size > 0) else {
        return html! { td {} };
    };
    let part = again as f64 / size as f64;
    let shade = (part * 2.0 * SHADES).ceil().min(SHADES);
    let is_unfinished = answer.meta.partial.contains(&format!("{label}+{age}"));
    let title = format!("{} of {}", thousands(again), thousands(size));
    html! {
        td class=(format!("shade-{shade}{}", if is_unfinished { " unfinished" } else { "" })) title=(title) {
            (percent(part).trim_end_matches(" %")) @if is_unfinished { span.quiet { " not finished" } }
        }
    }
}

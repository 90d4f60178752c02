//! New or known? Downloaders first seen in a bucket beside those seen before it.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::schema::{Dimension, TimeUnit};

use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::{count, int_of, share, text_of};
use crate::period::len;

/// Days of history before "new" means anything.
const HISTORY_DAYS_MIN: u32 = 60;
/// Longest range that is shown by week, in days.
const WEEKS_DAYS_MAX: u32 = 120;
/// Longest range that is shown by month, in days.
const MONTHS_DAYS_MAX: u32 = 800;

/// The panel.
pub(crate) const KNOWN: &dyn Panel = &Known;

struct Known;

impl Panel for Known {
    fn id(&self) -> &'static str {
        "known"
    }

    fn title(&self) -> &'static str {
        "New or known?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large_and_filtered()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let logs = asked.status.logs.as_ref();
        let Some((first, last)) = logs.and_then(|logs| logs.first_day.zip(logs.last_day)) else {
            return Ok(None);
        };
        if len((first, last)) < HISTORY_DAYS_MIN {
            return Ok(None);
        }
        let days = asked.days("downloaders")?;
        let days = days.map_or(MONTHS_DAYS_MAX, len);
        let (unit, name) = if days <= WEEKS_DAYS_MAX {
            (TimeUnit::Week, "Week")
        } else if days <= MONTHS_DAYS_MAX {
            (TimeUnit::Month, "Month")
        } else {
            (TimeUnit::Quarter, "Quarter")
        };
        let answer = asked.answer("new, returning", &[Dimension::Time(unit)])?;
        Ok(Some(html! {
            table.known {
                thead { tr {
                    th scope="col" { (name) }
                    (number_heading("New")) (number_heading("Returning")) th.number scope="col" { "Returning, share" }
                } }
                tbody { @for row in &answer.rows {
                    @let (new, back) = (int_of(row, 1), int_of(row, 2));
                    tr {
                        th scope="row" { (text_of(row, 0)) @if answer.meta.partial.contains(&text_of(row, 0)) { " ○" } }
                        td.number { (count(new)) } td.number { (count(back)) }
                        td.number { (back.zip(new).and_then(|(back, new)| share(back, back + new)).unwrap_or_default()) }
                    }
                } }
            }
            p.note { "History starts on " (first) ": who came before that day counts as new. ○ not whole." }
        }))
    }
}

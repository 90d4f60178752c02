//! Which days? A calendar of what is stored.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::store::{DayRange, SourceStatus};
use footfall_engine::units::Day;

use super::{Asked, Panel};
use crate::chart::calendar::{DayKind, calendar};

/// The panel.
pub(crate) const CALENDAR: &dyn Panel = &Calendar;

struct Calendar;

impl Panel for Calendar {
    fn id(&self) -> &'static str {
        "calendar"
    }

    fn title(&self) -> &'static str {
        "Which days?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let status = asked.status;
        let sources = [
            (&status.logs, "Access logs", "requests"),
            (&status.hub, "Publisher CSV", "values"),
        ];
        let known: Vec<(&SourceStatus, &str, &str)> = sources
            .into_iter()
            .filter_map(|(source, name, rows)| Some((source.as_ref()?, name, rows)))
            .collect();
        if known.is_empty() {
            return Ok(None);
        }
        Ok(Some(html! {
            @for (source, name, rows) in known {
                h3 { (name) }
                @if source.rows > 0 { p { (thousands(source.rows)) " " (rows) " of " (thousands(source.repos)) " repos on " (thousands(source.days)) " days" @if source.missing_days > 0 { "; " (thousands(source.missing_days)) " days are missing" } "." } }
                @if let (Some(first), Some(last)) = (source.first_day, source.last_day) {
                    div.scroll { (calendar((first, last), |day| kind(source, day))) }
                }
            }
            p.legend { span.present { "present" } " " span.partial { "partial: more may come" } " " span.missing { "missing" } }
        }))
    }
}

fn kind(source: &SourceStatus, day: Day) -> DayKind {
    let holds = |ranges: &[DayRange]| {
        ranges
            .iter()
            .any(|range| range.from <= day && day <= range.to)
    };
    if holds(&source.missing) {
        DayKind::Missing
    } else if holds(&source.incomplete) {
        DayKind::Partial
    } else {
        DayKind::Whole
    }
}

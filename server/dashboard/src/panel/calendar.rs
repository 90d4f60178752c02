//! Which days? A calendar of what is stored, and what came late or twice.

use std::collections::BTreeSet;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::Subject;
use footfall_engine::metrics::Metric;
use footfall_engine::output::thousands;
use footfall_engine::query::{Query, Value};
use footfall_engine::schema::time::parse_day;
use footfall_engine::store::{DayRange, ImportInfo, SourceStatus};
use footfall_engine::units::Day;

use super::{Asked, Panel};
use crate::chart::calendar::{DayKind, calendar};
use crate::number::{count, int_of, text_of};

/// The panel.
pub(crate) const CALENDAR: &dyn Panel = &Calendar;

struct Calendar;

/// Days that came late, and days that came twice; all days of both sources in runs that are alike.
#[derive(Default)]
struct Odd {
    runs: Vec<Vec<Value>>,
    late: BTreeSet<Day>,
    doubled: BTreeSet<Day>,
}

impl Panel for Calendar {
    fn id(&self) -> &'static str {
        "calendar"
    }

    fn title(&self) -> &'static str {
        "Which days?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let status = asked.status;
        let logs = status
            .logs
            .as_ref()
            .map(|logs| (logs, "Access logs", "requests"));
        let hub = status
            .hub
            .as_ref()
            .map(|hub| (hub, "Publisher CSV", "values"));
        if logs.is_none() && hub.is_none() {
            return Ok(None);
        }
        let odd = odd(asked)?;
        Ok(Some(html! {
            @if let Some(logs) = logs { (source(logs, &odd)) }
            @if let Some(hub) = hub { (source(hub, &Odd::default())) }
            (runs(&odd.runs))
            p.legend {
                span.present { "present" } " " span.partial { "○ partial: more may come" } " " span.missing { "× missing" } " "
                span.late { "+ late: rows came a day or more after a later day" } " " span.doubled { "2 doubled: two files have the same rows" }
            }
        }))
    }
}

fn source((source, name, rows): (&SourceStatus, &str, &str), odd: &Odd) -> Markup {
    html! {
        h3 { (name) }
        @if source.rows > 0 { p { (thousands(source.rows)) " " (rows) " of " (thousands(source.repos)) " repos on " (thousands(source.days)) " days" @if source.missing_days > 0 { "; " (thousands(source.missing_days)) " days are missing" } "." } }
        @if let (Some(first), Some(last)) = (source.first_day, source.last_day) {
            div.scroll { (calendar((first, last), |day| kind(source, odd, day))) }
        }
    }
}

/// The same days in numbers.
fn runs(rows: &[Vec<Value>]) -> Markup {
    html! {
        @if !rows.is_empty() { details.runs { summary { "Numbers" }
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Source" } th scope="col" { "State" } th scope="col" { "From" } th scope="col" { "To" }
                    th.number scope="col" { "Days" } th.number scope="col" { "Rows" }
                } }
                tbody { @for row in rows { tr {
                    th scope="row" { (text_of(row, 0)) } td { (text_of(row, 1)) } td { (text_of(row, 2)) } td { (text_of(row, 3)) }
                    td.number { (count(int_of(row, 4))) } td.number { (count(int_of(row, 5))) }
                } } }
            } }
        } }
    }
}

fn kind(source: &SourceStatus, odd: &Odd, day: Day) -> DayKind {
    let holds = |ranges: &[DayRange]| {
        ranges
            .iter()
            .any(|range| range.from <= day && day <= range.to)
    };
    if holds(&source.missing) {
        DayKind::Missing
    } else if odd.doubled.contains(&day) {
        DayKind::Doubled
    } else if holds(&source.incomplete) {
        DayKind::Partial
    } else if odd.late.contains(&day) {
        DayKind::Late
    } else {
        DayKind::Whole
    }
}

/// What is odd of the access logs' days, for who may see the whole store.
fn odd(asked: &Asked<'_>) -> Result<Odd> {
    if !asked.has_logs() || !asked.ask().sees_all() {
        return Ok(Odd::default());
    }
    let scope = Query {
        metrics: vec![Metric::Downloaders],
        ..Query::default()
    };
    let answer = asked.analyse("calendar", (Subject::Nothing, scope))?;
    let doubled = answer
        .rows
        .iter()
        .filter(|row| text_of(row, 1) == "doubled");
    Ok(Odd {
        runs: answer.rows.clone(),
        doubled: doubled
            .filter_map(|row| parse_day(&text_of(row, 2)))
            .collect(),
        late: late(&asked.imports()?),
    })
}

/// Days that an import has rows of, although an import of an earlier day of the calendar had brought a later one.
fn late(imports: &[ImportInfo]) -> BTreeSet<Day> {
    let day = |instant: &str| parse_day(instant.get(..10)?);
    let spans = imports.iter().filter_map(|import| {
        let (from, to) = (import.from.as_deref()?, import.to.as_deref()?);
        Some((day(&import.ingested_at)?, day(from)?, day(to)?))
    });
    let mut late = BTreeSet::new();
    // The newest day that was there before the day on which files are taken in, and with it.
    let (mut on, mut before, mut so_far) = (Day(0), None, None);
    for (taken, from, to) in spans {
        if taken > on {
            (on, before) = (taken, so_far);
        }
        if let Some(known) = before.filter(|known| from < *known) {
            late.extend((from.get()..=to.get()).map(Day).filter(|day| *day < known));
        }
        so_far = so_far.max(Some(to));
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(taken: &str, from: &str, to: &str) -> ImportInfo {
        let instant = |day: &str| format!("{day}T10:00:00.000Z");
        ImportInfo {
            import: 1,
            path: String::new(),
            log_format: "csv".to_owned(),
            ingested_at: instant(taken),
            rows: 1,
            rejected: 0,
            blank: 0,
            bytes: 1,
            from: Some(instant(from)),
            to: Some(instant(to)),
            content: String::new(),
            columns: Vec::new(),
            counts: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_first_load_is_not_late_and_a_straggler_is() {
        let mut imports = vec![
            import("2026-07-10", "2026-07-05", "2026-07-09"),
            import("2026-07-10", "2026-07-01", "2026-07-04"),
            import("2026-07-11", "2026-07-09", "2026-07-10"),
        ];
        assert!(late(&imports).is_empty());
        imports.push(import("2026-07-12", "2026-07-06", "2026-07-07"));
        let late: Vec<String> = late(&imports).iter().map(ToString::to_string).collect();
        assert_eq!(late, ["2026-07-06", "2026-07-07"]);
    }
}

//! Which days stand out, and why? Days far above what was to be expected, and one of them taken apart.

use maud::{Markup, html};

use footfall_engine::analysis::Subject;
use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, Query, Range, Value};
use footfall_engine::schema::time::parse_day;
use footfall_engine::units::Day;
use footfall_engine::{ErrorKind, Result};

use super::{Asked, Panel};
use crate::country;
use crate::detail::Detail;
use crate::number::{int_of, percent, plain, real_of, signed, text_of};

/// Days that are listed.
const SHOWN: u64 = 8;

/// The panel.
pub(crate) const SPIKES: &dyn Panel = &Spikes;

struct Spikes;

impl Panel for Spikes {
    fn id(&self) -> &'static str {
        "spikes"
    }

    fn title(&self) -> &'static str {
        "Which days stand out, and why?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let scope = Query {
            top: Some(SHOWN),
            ..asked.scope()?
        };
        let answer = asked.analyse("spikes", (Subject::Apart(None), scope))?;
        let is_spike = |row: &&Vec<Value>| row.get(4) == Some(&Value::Bool(true));
        let greatest = answer.rows.iter().find(is_spike);
        let greatest = greatest.and_then(|row| parse_day(&text_of(row, 0)));
        let opened = asked.state.detail.day.or(greatest);
        Ok(Some(html! {
            @if answer.rows.is_empty() {
                p.note { "No day of this range has more downloads than the same weekday of the four weeks before." }
            } @else {
                (list(asked, &answer, opened))
                @if greatest.is_none() { p.note { "None of them is a spike: 1.5 times what was expected or more, and clearly above the usual scatter." } }
            }
            @if let Some(day) = opened { (autopsy(asked, day)?) }
        }))
    }
}

fn list(asked: &Asked<'_>, answer: &Answer, opened: Option<Day>) -> Markup {
    let href = |day: &str| {
        let detail = Detail {
            day: parse_day(day),
            ..asked.state.detail.clone()
        };
        asked.state.opened(detail)
    };
    html! {
        div.scroll { table.spikes {
            thead { tr {
                th scope="col" { "Day" } th.number scope="col" { "Downloads" }
                th.number scope="col" title="Median of the same weekday of the four weeks before" { "Expected" }
                th.number scope="col" { "Excess" } th scope="col" { span.quiet { "Spike" } }
            } }
            tbody { @for row in &answer.rows {
                @let day = text_of(row, 0);
                @let is_opened = opened.is_some_and(|opened| opened.to_string() == day);
                tr aria-current=[is_opened.then_some("true")] {
                    th scope="row" { (asked.link(&href(&day), &day)) }
                    td.number { (thousands(int_of(row, 1).unwrap_or(0))) }
                    td.number { (real_of(row, 2).map_or_else(String::new, plain)) }
                    td.number { (signed(real_of(row, 3))) }
                    td { @if row.get(4) == Some(&Value::Bool(true)) { span.spike { "spike" } } }
                }
            } }
        } }
    }
}

/// The parts of a day, and what each is called.
const PARTS: [(&str, &str); 6] = [
    ("repo", "Repo"),
    ("country", "Country"),
    ("client", "Client"),
    ("class", "Kind of request"),
    ("identity", "Account or address"),
    ("downloaders", "Downloaders new and known"),
];

fn autopsy(asked: &Asked<'_>, day: Day) -> Result<Markup> {
    let scope = Query {
        range: Range::All,
        ..asked.scope_of_all()?
    };
    let subject = Subject::Day {
        day,
        repo: asked.repo(),
    };
    let answer = match asked.analyse("spike", (subject, scope)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
            return Ok(html! { p.note { (error.message()) "." } });
        }
        answer => answer?,
    };
    let of = |part: &str| -> Vec<&Vec<Value>> {
        let rows = answer.rows.iter();
        rows.filter(|row| text_of(row, 0) == part).collect()
    };
    let whole = of("whole");
    Ok(html! {
        h3 { (day) ", taken apart" }
        @for row in whole {
            p { strong { (thousands(int_of(row, 2).unwrap_or(0))) } " downloads"
                @if let Some(expected) = real_of(row, 3) { ", " (plain(expected)) " expected: " strong { (signed(real_of(row, 4))) } }
                ". " (concentration(&of("concentration"))) }
        }
        div.columns.parts-of-day { @for (part, name) in PARTS {
            @let rows = of(part);
            @if !rows.is_empty() { (part_table(name, part, &rows)) }
        } }
        p.note { "Share: part of the day's excess. Rows of a part need not add up to it." }
    })
}

fn part_table(name: &str, part: &str, rows: &[&Vec<Value>]) -> Markup {
    html! {
        table.part {
            thead { tr {
                th scope="col" { (name) } th.number scope="col" { (if part == "downloaders" { "Downloaders" } else { "Downloads" }) }
                th.number scope="col" { "Excess" } th.number scope="col" { "Share" }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (value_name(part, &text_of(row, 1))) }
                td.number { (thousands(int_of(row, 2).unwrap_or(0))) }
                td.number { (signed(real_of(row, 4))) }
                td.number { (real_of(row, 5).map_or_else(String::new, percent)) }
            } } }
        }
    }
}

fn value_name(part: &str, value: &str) -> String {
    match (part, value) {
        (_, "") => "not known".to_owned(),
        ("country", code) => country::name(code).unwrap_or(code).to_owned(),
        ("identity", "user") => "signed-in accounts".to_owned(),
        ("identity", "ip") => "anonymous addresses".to_owned(),
        ("class", value) => value.replace('_', " "),
        (_, value) => value.to_owned(),
    }
}

/// How few downloaders the day is of, in a sentence.
fn concentration(rows: &[&Vec<Value>]) -> String {
    let of = |name: &str| rows.iter().find(|row| text_of(row, 1) == name);
    let (Some(greatest), Some(few)) = (of("greatest downloader"), of("downloaders of 80 %")) else {
        return String::new();
    };
    let part = real_of(greatest, 5).map_or_else(String::new, |part| format!(", {}", percent(part)));
    format!(
        "The greatest downloader has {} of them{part}; {} have 80 %.",
        thousands(int_of(greatest, 2).unwrap_or(0)),
        thousands(int_of(few, 2).unwrap_or(0)),
    )
}

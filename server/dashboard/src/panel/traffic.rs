//! With machines or without? The same numbers for all, for machines, and for the others.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::{Shown, Subject};
use footfall_engine::query::Query;

use super::machine::{set, switch};
use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::{count, int_of, percent, real_of, text_of};

/// Numbers by their metric, and what each is called.
const NUMBERS: [(&str, &str); 5] = [
    ("requests", "Requests"),
    ("downloads", "Downloads"),
    ("downloaders", "Unique downloaders"),
    ("users", "Signed-in"),
    ("ips", "Anonymous"),
];

/// The panel.
pub(crate) const TRAFFIC: &dyn Panel = &Traffic;

struct Traffic;

impl Panel for Traffic {
    fn id(&self) -> &'static str {
        "machines"
    }

    fn title(&self) -> &'static str {
        "With machines or without?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let scope = Query {
            rule: None,
            ..asked.scope()?
        };
        let answer = asked.analyse("machines", (Subject::Machines(Shown::Totals), scope))?;
        let set = set(asked)?;
        Ok(Some(html! {
            p { "Machines are told by what they do, never by a client such as python or curl, which people use too: they say that they run in CI, call themselves bots, fetch many repos in an hour or in the order of names, or come at every hour of the day." }
            div.scroll { table.traffic {
                thead { tr {
                    th scope="col" { "Number" } th.number scope="col" { "All" } th.number scope="col" { "Machines" }
                    th.number scope="col" { "Without" } (number_heading("Share"))
                } }
                tbody { @for row in &answer.rows {
                    @let metric = text_of(row, 0);
                    @let name = NUMBERS.iter().find(|(known, _)| *known == metric).map_or(metric.as_str(), |(_, name)| *name);
                    tr {
                        th scope="row" title=[crate::definition::of(name)] { (name) }
                        td.number { (count(int_of(row, 1))) } td.number { (count(int_of(row, 2))) }
                        td.number { (count(int_of(row, 3))) } td.number { (real_of(row, 4).map_or_else(String::new, percent)) }
                    }
                } }
            } }
            p.note {
                @if set == "machines" { "You keep a set machines: every page can be seen with it and without. " }
                @else { "Keep them to count without them everywhere: " code { "footfall set save machines --machines" } ". Until then the switch leaves out those that call themselves bots. " }
                @if let Some((name, href)) = switch(asked, set) { a href=(href) { (name) } }
            }
        }))
    }
}

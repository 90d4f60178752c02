//! Does the log say what the Hub says? Both by day under the page's rule, and where they part.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::Subject;
use footfall_engine::output::thousands;
use footfall_engine::query::{Query, Value};
use footfall_engine::rules::DEFAULT_RULE;
use footfall_engine::schema::{Dimension, TimeUnit};

use super::{Asked, Panel};
use crate::number::{decimal, int_at, int_of, real_of, signed, text_of};

/// Days that are shown, those that part most.
const SHOWN: u64 = 12;

/// The panel.
pub(crate) const RECONCILE: &dyn Panel = &Reconcile;

struct Reconcile;

impl Panel for Reconcile {
    fn id(&self) -> &'static str {
        "reconcile"
    }

    fn title(&self) -> &'static str {
        "Do the logs say what the Hub says?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        has_both(asked)
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !has_both(asked) {
            return Ok(None);
        }
        let scope = Query {
            by: vec![Dimension::Time(TimeUnit::Day)],
            top: Some(SHOWN),
            ..asked.scope()?
        };
        let answer = asked.analyse("reconcile", (Subject::Nothing, scope))?;
        let whole = asked.answer("hub_downloads, downloads", &[])?;
        let (hub, counted) = (int_at(&whole, 0, 0), int_at(&whole, 0, 1));
        let rule = asked.state.rule.as_deref().unwrap_or(DEFAULT_RULE);
        let usual = answer.rows.iter().find_map(|row| real_of(row, 5));
        Ok(Some(html! {
            p { "The Hub counts " strong { (thousands(hub.unwrap_or(0))) } ", the logs under rule " (rule) " "
                strong { (thousands(counted.unwrap_or(0))) } ". On whole days there are usually " strong { (decimal(usual)) } " of the logs for each of the Hub." }
            div.scroll { table.reconcile {
                thead { tr {
                    th scope="col" { "Day" } th.number scope="col" { "Hub" } th.number scope="col" { "Logs" }
                    th.number scope="col" title="Downloads of the logs ÷ those of the Hub" { "Ratio" }
                    th.number scope="col" title="Downloads of the logs beyond the usual ratio" { "Beyond usual" }
                    th scope="col" { "Why" }
                } }
                tbody { @for row in &answer.rows { tr {
                    th scope="row" { (text_of(row, 0)) }
                    td.number { (thousands(int_of(row, 2).unwrap_or(0))) }
                    td.number { (thousands(int_of(row, 3).unwrap_or(0))) }
                    td.number { (decimal(real_of(row, 4))) }
                    td.number { (signed(real_of(row, 6))) }
                    td { (why(row)) }
                } } }
            } }
            p.note { "Days that part most first. The Hub counts models by its own rule, which the log does not have: a steady ratio is what can be expected." }
        }))
    }
}

fn why(row: &[Value]) -> String {
    match text_of(row, 1).as_str() {
        "no log" => "no log of that day".to_owned(),
        "no Hub" => "not in the Hub's CSV".to_owned(),
        "doubled" => "rows that came twice".to_owned(),
        "partial" => "not whole yet".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether both sources can answer, to who may see the whole store.
fn has_both(asked: &Asked<'_>) -> bool {
    asked.has_logs() && asked.has_hub() && asked.ask().sees_all()
}

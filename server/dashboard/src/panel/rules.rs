//! What is a download? The same requests under every counting rule.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, ColumnType};
use footfall_engine::rules::{DEFAULT_RULE, RULES};

use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::{count, int_at};
use crate::sheet::{int, sheet, text};
use crate::state::State;

/// What is said of a rule that the owner added.
const OWN_MEANING: &str = "a rule of this store: footfall rule list says what it accepts";

/// The panel.
pub(crate) const RULES_COMPARED: &dyn Panel = &Rules;

struct Rules;

impl Panel for Rules {
    fn id(&self) -> &'static str {
        "rules"
    }

    fn title(&self) -> &'static str {
        "What is a download?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let requests = int_at(&*asked.answer("requests", &[])?, 0, 0).unwrap_or(0);
        let mut rows = Vec::new();
        let own = asked.ask().own_rules()?;
        let built_in = RULES.iter().map(|rule| (rule.name, rule.meaning));
        let own = own.iter().map(|name| (name.as_str(), OWN_MEANING));
        let rules: Vec<(&str, &str)> = built_in.chain(own).collect();
        let query = asked.state.query("downloads, downloaders", &[])?;
        let under = |rule: &str| Query {
            rule: Some(rule.to_owned()),
            ..query.clone()
        };
        asked.ahead(rules.iter().map(|(name, _)| under(name)));
        for (name, meaning) in rules {
            let answer = asked.query(under(name))?;
            let numbers = (int_at(&answer, 0, 0), int_at(&answer, 0, 1));
            rows.push(((name, meaning), numbers));
        }
        asked.sheet(file(&rows));
        let chosen = asked.state.rule.as_deref().unwrap_or(DEFAULT_RULE);
        Ok(Some(html! {
            p { "Of " (thousands(requests)) " requests, each rule accepts some and collapses repeated ones. Choose the rule that every page counts by." }
            div.scroll { table.rules {
                thead { tr { th scope="col" { "Rule" } (number_heading("Downloads")) (number_heading("Unique downloaders")) th scope="col" { "Meaning" } } }
                tbody { @for ((name, meaning), (downloads, downloaders)) in rows {
                    @let state = State { rule: Some(name.to_owned()).filter(|name| name != DEFAULT_RULE), ..asked.state.clone() };
                    tr aria-current=[(name == chosen).then_some("true")] {
                        th scope="row" { (asked.link(&state, name)) }
                        td.number { (count(downloads)) } td.number { (count(downloaders)) }
                        td { (meaning) }
                    }
                } }
            } }
        }))
    }
}

/// Name and meaning, downloads and downloaders.
type Counted<'a> = ((&'a str, &'a str), (Option<u64>, Option<u64>));

/// The table as a file.
fn file(rows: &[Counted<'_>]) -> Answer {
    let columns = [
        ("rule", ColumnType::Text),
        ("downloads", ColumnType::Int),
        ("downloaders", ColumnType::Int),
        ("meaning", ColumnType::Text),
    ];
    let row = |((name, meaning), (downloads, downloaders)): &Counted<'_>| {
        let numbers = [int(*downloads), int(*downloaders)];
        let mut row = vec![text(*name)];
        row.extend(numbers);
        row.push(text(*meaning));
        row
    };
    sheet(&columns, rows.iter().map(row).collect())
}

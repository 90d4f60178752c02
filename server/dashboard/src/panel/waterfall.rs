//! What does each step remove? From log lines to downloaders, under several rules side by side.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::Subject;
use footfall_engine::output::thousands;
use footfall_engine::query::{Query, Value};
use footfall_engine::rules::DEFAULT_RULE;

use super::{Asked, Panel};
use crate::number::{int_of, percent, real_of, text_of};

/// Rules beside the page's own.
const BESIDE: [&str; 3] = [DEFAULT_RULE, "files", "daily"];
/// Rules that stand side by side.
const RULES_SHOWN: usize = 3;

/// Steps, what each is called and what it removes.
const STEPS: [(&str, &str, &str); 8] = [
    ("lines", "Log lines", "all of the range"),
    (
        "filter",
        "After the filter",
        "lines that the pills leave out",
    ),
    (
        "internal",
        "Not the Hub's own",
        "lines that the export marks as internal",
    ),
    ("method", "Methods", "methods that the rule does not accept"),
    (
        "status",
        "Statuses",
        "statuses that the rule does not accept",
    ),
    (
        "collapse",
        "Downloads",
        "repeats by the same downloader in the rule's window",
    ),
    (
        "identity",
        "With an identity",
        "downloads without account and address",
    ),
    (
        "unique",
        "Unique downloaders",
        "further downloads of the same downloader",
    ),
];

/// The panel.
pub(crate) const WATERFALL: &dyn Panel = &Waterfall;

struct Waterfall;

impl Panel for Waterfall {
    fn id(&self) -> &'static str {
        "waterfall"
    }

    fn title(&self) -> &'static str {
        "What does each step remove?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let mut rules: Vec<String> = asked.state.rule.iter().cloned().collect();
        for name in BESIDE {
            if rules.len() < RULES_SHOWN && !rules.iter().any(|known| known == name) {
                rules.push(name.to_owned());
            }
        }
        let scope = Query {
            rule: None,
            ..asked.scope()?
        };
        let answer = asked.analyse("explain-count", (Subject::Rules(rules.clone()), scope))?;
        let lines = answer.rows.first().and_then(|row| int_of(row, 2));
        let row = |rule: &str, step: &str| -> Option<&Vec<Value>> {
            let mut rows = answer.rows.iter();
            rows.find(|row| text_of(row, 0) == *rule && text_of(row, 1) == step)
        };
        Ok(Some(html! {
            div.scroll { table.waterfall {
                thead { tr {
                    th scope="col" { "Step" }
                    @for rule in &rules { th scope="col" { "Rule " (rule) } }
                } }
                tbody { @for (step, name, removes) in STEPS { tr {
                    th scope="row" title=(removes) { (name) }
                    @for rule in &rules { (cell(row(rule, step), lines.unwrap_or(0))) }
                } } }
            } }
            dl.meanings { @for (_, name, removes) in STEPS.iter().skip(1) { dt { (name) } dd { "without " (removes) } } }
        }))
    }
}

fn cell(row: Option<&Vec<Value>>, lines: u64) -> Markup {
    let left = row.and_then(|row| int_of(row, 2)).unwrap_or(0);
    let removed = row.and_then(|row| int_of(row, 3)).unwrap_or(0);
    let part = row.and_then(|row| real_of(row, 4)).unwrap_or(0.0);
    let width = left as f64 * 100.0 / lines.max(1) as f64;
    html! {
        td {
            span.left { (thousands(left)) }
            @if removed > 0 { " " span.removed { "−" (thousands(removed)) " (" (percent(part)) ")" } }
            svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" { rect width=(format!("{width:.1}")) height="4" {} }
        }
    }
}

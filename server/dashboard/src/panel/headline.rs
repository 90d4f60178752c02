//! How much? Four numbers with their change against the period before.

use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::value::{Query, Range};
use footfall_engine::query::{Answer, ColumnType};
use footfall_engine::rules::DEFAULT_RULE;
use footfall_engine::schema::Dimension;

use super::machine::{self, machines};
use super::{Asked, Panel};
use crate::number::{Change, change, count, int_at, int_of, text_of};
use crate::sheet::{int, sheet, text};

/// The panel.
pub(crate) const HEADLINE: &dyn Panel = &Headline;

struct Headline;

impl Panel for Headline {
    fn id(&self) -> &'static str {
        "headline"
    }

    fn title(&self) -> &'static str {
        "How much?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let figures = figures(asked)?;
        asked.sheet(file(&figures));
        Ok((!figures.is_empty())
            .then(|| html! { div.figures { @for figure in &figures { (figure.markup()) } } }))
    }
}

/// The numbers that the sources of the store can give.
pub(super) fn figures(asked: &Asked<'_>) -> Result<Vec<Figure>> {
    ahead(asked)?;
    let mut figures = Vec::new();
    if asked.has_hub() {
        figures.push(hub(asked)?);
    }
    if asked.has_logs() {
        figures.push(downloaders(asked)?);
        figures.push(downloads(asked)?);
        figures.push(machines(asked)?);
    }
    Ok(figures)
}

/// What logs are asked for the split into accounts and addresses.
const WHO: &str = "downloaders, users, ips";

/// Finds out side by side what the numbers are made of.
fn ahead(asked: &Asked<'_>) -> Result<()> {
    let whole = |metrics| {
        asked
            .state
            .query(metrics, &[])
            .map(|one| asked.headline(one))
    };
    let mut queries = Vec::new();
    if asked.has_hub() {
        queries.push(whole("hub_downloads")?);
    }
    if asked.has_logs() {
        queries.extend([whole(WHO)?, machine::query(asked)?, whole("downloads")?]);
    }
    let by_evidence = match asked.has_logs() {
        true => Some(by_evidence(asked)?),
        false => None,
    };
    asked.ahead(queries.iter().cloned().chain(by_evidence));
    asked.ahead_before(queries);
    Ok(())
}

fn by_evidence(asked: &Asked<'_>) -> Result<Query> {
    let query = asked.state.query("downloads", &[Dimension::Evidence])?;
    Ok(asked.headline(query))
}

/// The numbers as a file.
fn file(figures: &[Figure]) -> Answer {
    let columns = [
        ("number", ColumnType::Text),
        ("value", ColumnType::Int),
        ("before", ColumnType::Int),
        ("definition", ColumnType::Text),
    ];
    let row = |figure: &Figure| {
        vec![
            text(figure.name.as_str()),
            int(figure.value),
            int(figure.before),
            text(figure.definition.as_str()),
        ]
    };
    sheet(&columns, figures.iter().map(row).collect())
}

/// One number.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: Option<u64>,
    pub(super) before: Option<u64>,
    /// What it consists of.
    pub(super) parts: Vec<(&'static str, String)>,
    pub(super) definition: String,
    /// Where it leads: what the link is called.
    pub(super) leads: Option<(String, String)>,
}

impl Figure {
    pub(super) fn markup(&self) -> Markup {
        let change = self
            .value
            .zip(self.before)
            .map(|(now, before)| change(now, before));
        html! {
            div.figure {
                h3 { (self.name) }
                p.value { (count(self.value)) }
                @if let Some((kind, text)) = change {
                    p.change.up[kind == Change::Up].down[kind == Change::Down] title=(format!("{} in the period before", count(self.before))) {
                        (text) span.more { " against the period before" }
                    }
                }
                @if !self.parts.is_empty() { dl.parts { @for (name, value) in &self.parts { dt { (name) } dd { (value) } } } }
                p.definition { (self.definition) }
                @if let Some((name, href)) = &self.leads { p.definition { a href=(href) { (name) } } }
            }
        }
    }
}

/// The first number of a query, and that of the period before.
pub(super) fn numbers(asked: &Asked<'_>, metrics: &str) -> Result<(Arc<Answer>, Option<u64>)> {
    let query = asked.headline(asked.state.query(metrics, &[])?);
    let now = asked.query(query.clone())?;
    let before = match asked.before(&now) {
        Some(range) => int_at(&*asked.query(Query { range, ..query })?, 0, 0),
        None => None,
    };
    Ok((now, before))
}

fn hub(asked: &Asked<'_>) -> Result<Figure> {
    let (days, before) = numbers(asked, "hub_downloads")?;
    let sum = int_at(&days, 0, 0);
    let mut figure = Figure {
        name: "Downloads (Hub)".to_owned(),
        value: sum,
        before,
        parts: Vec::new(),
        definition: "The Hub's own figures, from its CSV.".to_owned(),
        leads: None,
    };
    if asked.state.range == Range::All {
        // All Time is what the Hub says, not the sum of the days that it lists.
        let total = asked.query(asked.headline(asked.state.query("hub_total", &[])?))?;
        figure.value = int_at(&total, 0, 0);
        if figure.value != sum {
            figure.parts.push(("sum of days", count(sum)));
        }
    }
    Ok(figure)
}

fn downloaders(asked: &Asked<'_>) -> Result<Figure> {
    let (now, before) = numbers(asked, WHO)?;
    let split = [("signed-in", 1), ("anonymous", 2)]
        .map(|(name, column)| (name, count(int_at(&now, 0, column))));
    Ok(Figure {
        name: "Unique downloaders".to_owned(),
        value: int_at(&now, 0, 0),
        before,
        parts: split.to_vec(),
        definition: "Signed-in accounts and anonymous addresses, each counted once in the range."
            .to_owned(),
        leads: None,
    })
}

fn downloads(asked: &Asked<'_>) -> Result<Figure> {
    let (now, before) = numbers(asked, "downloads")?;
    let rule = asked.state.rule.as_deref().unwrap_or(DEFAULT_RULE);
    let by_evidence = asked.query(by_evidence(asked)?)?;
    let part = |name: &'static str| {
        let row = by_evidence
            .rows
            .iter()
            .find(|row| text_of(row, 0) == name)?;
        Some((name, count(int_of(row, 1))))
    };
    let (name, definition) = if rule == DEFAULT_RULE {
        (
            "Downloads (5-minute rule)".to_owned(),
            "One downloader, one repo, five minutes.".to_owned(),
        )
    } else {
        (
            format!("Downloads (rule {rule})"),
            "As the rule says, see Counting.".to_owned(),
        )
    };
    Ok(Figure {
        name,
        value: int_at(&now, 0, 0),
        before,
        parts: ["content", "unclear", "check"]
            .into_iter()
            .filter_map(part)
            .collect(),
        definition,
        leads: None,
    })
}

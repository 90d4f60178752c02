//! How much? Four numbers with their change against the period before.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::rules::DEFAULT_RULE;
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::number::{Change, change, count, int_at, int_of, share, text_of};

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
        let mut figures = Vec::new();
        if asked.has_hub() {
            figures.push(hub(asked)?);
        }
        if asked.has_logs() {
            figures.push(downloaders(asked)?);
            figures.push(downloads(asked)?);
            figures.extend(flagged(asked)?);
        }
        Ok((!figures.is_empty())
            .then(|| html! { div.figures { @for figure in &figures { (figure.markup()) } } }))
    }
}

/// One number.
struct Figure {
    name: String,
    value: Option<u64>,
    before: Option<u64>,
    /// What it consists of.
    parts: Vec<(&'static str, String)>,
    definition: String,
}

impl Figure {
    fn markup(&self) -> Markup {
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
            }
        }
    }
}

/// The first number of a query, and that of the period before.
fn numbers(
    asked: &Asked<'_>,
    metrics: &str,
) -> Result<(footfall_engine::query::Answer, Option<u64>)> {
    let query = asked.headline(asked.state.query(metrics, &[])?);
    let now = asked.query(query.clone())?;
    let before = match asked.before(&now) {
        Some(range) => int_at(&asked.query(Query { range, ..query })?, 0, 0),
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
    let (now, before) = numbers(asked, "downloaders, users, ips")?;
    let split = [("signed-in", 1), ("anonymous", 2)]
        .map(|(name, column)| (name, count(int_at(&now, 0, column))));
    Ok(Figure {
        name: "Unique downloaders".to_owned(),
        value: int_at(&now, 0, 0),
        before,
        parts: split.to_vec(),
        definition: "Signed-in accounts and anonymous addresses, each counted once in the range."
            .to_owned(),
    })
}

fn downloads(asked: &Asked<'_>) -> Result<Figure> {
    let (now, before) = numbers(asked, "downloads")?;
    let rule = asked.state.rule.as_deref().unwrap_or(DEFAULT_RULE);
    let query = asked.headline(asked.state.query("downloads", &[Dimension::Evidence])?);
    let by_evidence = asked.query(query)?;
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
    })
}

/// Downloads whose client says that it runs in CI; `None` where no request has a user agent.
fn flagged(asked: &Asked<'_>) -> Result<Option<Figure>> {
    let query = asked.headline(asked.state.query("downloads", &[Dimension::Ci])?);
    let by_ci = asked.query(query)?;
    let value = |name: &str| {
        by_ci
            .rows
            .iter()
            .find(|row| text_of(row, 0) == name)
            .and_then(|row| int_of(row, 1))
    };
    let (flagged, rest) = (value("flagged"), value("not_flagged"));
    if flagged.is_none() && rest.is_none() {
        return Ok(None);
    }
    let whole: u64 = by_ci.rows.iter().filter_map(|row| int_of(row, 1)).sum();
    let flagged = flagged.unwrap_or(0);
    let mut query = asked.headline(asked.state.query("downloads", &[])?);
    query.filter.push(Condition::Where(
        Dimension::Ci,
        Test::Equal("flagged".to_owned()),
    ));
    let before = match asked.before(&by_ci) {
        Some(range) => int_at(&asked.query(Query { range, ..query })?, 0, 0),
        None => None,
    };
    Ok(Some(Figure {
        name: "Flagged as CI".to_owned(),
        value: Some(flagged),
        before,
        parts: share(flagged, whole).map(|share| ("share of downloads", share)).into_iter().collect(),
        definition: "Downloads whose client says that it runs in CI. What is not flagged may still be a machine.".to_owned(),
    }))
}

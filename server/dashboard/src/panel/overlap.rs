//! With whom shared? The repos that this one has most downloaders in common with.

use std::collections::HashMap;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::Subject;
use footfall_engine::metrics::Metric;
use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, Condition, Query, Test, Value};
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::number::{decimal, int_of, percent, real_of, text_of};
use crate::state::Place;

/// Other repos that are compared.
const COMPARED: u64 = 30;
/// Those of them that are shown.
const SHOWN: usize = 12;

/// The panel.
pub(crate) const OVERLAP: &dyn Panel = &Overlap;

struct Overlap;

impl Panel for Overlap {
    fn id(&self) -> &'static str {
        "overlap"
    }

    fn title(&self) -> &'static str {
        "Shared with which repos?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(repo) = asked.repo().filter(|_| asked.has_logs()) else {
            return Ok(None);
        };
        let scope = Query {
            top: Some(COMPARED),
            ..asked.scope_of_all()?
        };
        let answer = asked.analyse("overlap", (Subject::Repo(repo), scope))?;
        let shared = |row: &&Vec<Value>| int_of(row, 4).unwrap_or(0) > 0;
        let shown: Vec<&Vec<Value>> = answer.rows.iter().filter(shared).take(SHOWN).collect();
        if shown.is_empty() {
            return Ok(Some(html! {
                p.note { "No downloader in common with any of the " (answer.rows.len()) " largest other repos in this range." }
            }));
        }
        asked.sheet(Answer {
            rows: shown.iter().copied().cloned().collect(),
            ..Answer::clone(&answer)
        });
        let names = shown.iter().map(|row| text_of(row, 1)).collect();
        let kinds = kinds(asked, names)?;
        Ok(Some(html! {
            div.scroll { table.overlap {
                thead { tr {
                    th scope="col" { "Repo" }
                    th.number scope="col" title="Downloaders of both in the range" { "In common" }
                    th.number scope="col" title="Part of this repo's downloaders" { "Of this repo" }
                    th.number scope="col" title="Part of the other repo's downloaders" { "Of the other" }
                    th.number scope="col" title="In common ÷ in either" { "Jaccard" }
                    th.number scope="col" title="How many times more are shared than if repos were chosen independently" { "Lift" }
                } }
                tbody { @for row in shown {
                    @let both = int_of(row, 4).unwrap_or(0);
                    tr {
                        th scope="row" { (link(asked, &kinds, &text_of(row, 1))) }
                        td.number { (thousands(both)) }
                        (part(both, int_of(row, 2))) (part(both, int_of(row, 3)))
                        td.number { (decimal(real_of(row, 5))) } td.number { (decimal(real_of(row, 6))) }
                    }
                } }
            } }
            p.note { "Of the " (answer.rows.len()) " other repos with most requests. Lift above 1: more in common than by chance." }
        }))
    }
}

/// A part of a repo's downloaders.
fn part(both: u64, of: Option<u64>) -> Markup {
    let of = of.unwrap_or(0);
    html! {
        td.number title=(format!("of {}", thousands(of))) {
            @if of > 0 { (percent(both as f64 / of as f64)) }
        }
    }
}

/// The types of repos by the names that are shown.
fn kinds(asked: &Asked<'_>, names: Vec<String>) -> Result<HashMap<String, String>> {
    let mut query = asked.scope_of_all()?;
    query.metrics = vec![Metric::Requests];
    query.by = vec![Dimension::RepoType, Dimension::Repo];
    query.rule = None;
    query
        .filter
        .push(Condition::Where(Dimension::Repo, Test::In(names)));
    let answer = asked.aside(&query)?;
    let kinds = answer.rows.iter();
    Ok(kinds
        .map(|row| (text_of(row, 1), text_of(row, 0)))
        .collect())
}

/// A repo that leads to its page.
fn link(asked: &Asked<'_>, kinds: &HashMap<String, String>, shown: &str) -> Markup {
    let Some(kind) = kinds.get(shown) else {
        return html! { (shown) };
    };
    let name = shown.strip_prefix(&format!("{kind}:")).unwrap_or(shown);
    let place = Place::Repo(kind.clone(), name.to_owned());
    asked.link(&asked.state.at(place), shown)
}

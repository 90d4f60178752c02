//! Where do they go? How the downloaders of this repo move on to another one, week by week.

use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::analysis::{SetExpr, Subject};
use footfall_engine::metrics::Metric;
use footfall_engine::output::thousands;
use footfall_engine::query::change::Concern;
use footfall_engine::query::{Answer, Condition, Query, Test};
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::{ErrorKind, Result};

use super::figure::{Course, figure};
use super::{Asked, Medium, Panel};
use crate::detail::Detail;
use crate::number::{int_of, percent, real_of, text_of};

/// Repos that the field offers.
const OFFERED: u64 = 200;

/// The panel.
pub(crate) const SUCCESSION: &dyn Panel = &Succession;

struct Succession;

impl Panel for Succession {
    fn id(&self) -> &'static str {
        "succession"
    }

    fn title(&self) -> &'static str {
        "Who moves on to another repo?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.has_logs() && asked.state.detail.beside.is_some()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(repo) = asked.repo().filter(|_| asked.has_logs()) else {
            return Ok(None);
        };
        let shown = match &asked.state.detail.beside {
            None => {
                html! { p.note { "Choose a repo that follows this one: the curve shows how many of this one's downloaders have come to it." } }
            }
            Some(next) => curve(asked, &repo, next)?,
        };
        Ok(Some(html! {
            @if asked.medium == Medium::Page { (chooser(asked, &repo)?) }
            (shown)
        }))
    }
}

/// The field in which a repo is named.
fn chooser(asked: &Asked<'_>, repo: &str) -> Result<Markup> {
    let mut query = asked.scope_of_all()?;
    query.metrics = vec![Metric::Requests];
    query.by = vec![Dimension::RepoType, Dimension::Repo];
    (query.rule, query.top) = (None, Some(OFFERED));
    let answer = asked.aside(&query)?;
    let names = answer.rows.iter().map(|row| {
        let (kind, shown) = (text_of(row, 0), text_of(row, 1));
        let typed = format!("{kind}:");
        match shown.strip_prefix(&typed) {
            Some(_) => shown,
            None => format!("{typed}{shown}"),
        }
    });
    let detail = Detail {
        beside: None,
        ..asked.state.detail.clone()
    };
    let state = asked.state.opened(detail);
    Ok(html! {
        form.chooser action=(state.path()) method="get" {
            @for (name, value) in state.parameters() { input type="hidden" name=(name) value=(value); }
            label { span.quiet { "The repo that follows" }
                input name="with" list="repos-offered" required placeholder="model:org/name" autocomplete="off" value=(asked.state.detail.beside.as_deref().unwrap_or_default());
            }
            datalist id="repos-offered" { @for name in names.filter(|name| name != repo) { option value=(name) {} } }
            button type="submit" { "Compare" }
        }
    })
}

fn curve(asked: &Asked<'_>, repo: &str, next: &str) -> Result<Markup> {
    let is_repo = |name: &str| {
        let test = Test::Equal(name.to_owned());
        SetExpr::Kept(Condition::Where(Dimension::Repo, test))
    };
    let subject = Subject::Pair {
        from: is_repo(repo),
        to: is_repo(next),
        unit: TimeUnit::Week,
    };
    let scope = Query {
        rule: asked.state.rule.clone(),
        ..asked.scope_of_all()?
    };
    let answer = match asked.analyse("succession", (subject, scope)) {
        // What was typed is no repo: said below the field, which stays.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
            return Ok(html! { p.error role="alert" { (error.message()) } });
        }
        answer => answer?,
    };
    let Some(last) = answer.rows.last() else {
        return Ok(html! { p.note { "Nobody downloaded either in this range." } });
    };
    let (touched, share) = (int_of(last, 4).unwrap_or(0), real_of(last, 5));
    let said = html! {
        p { strong { (thousands(touched)) } " of this repo's downloaders"
            @if let Some(share) = share { ", " strong { (percent(share)) } "," }
            " have come to " strong { (next) } " by the end of " (text_of(last, 0)) "." }
    };
    let course = Course {
        name: "Downloaders of this repo who have come to the other",
        unit: TimeUnit::Week,
        headings: &[
            "so far",
            "share",
            "first came in the week",
            "here in the week",
            "not yet there",
        ],
        concern: Concern::Logs,
    };
    let figure = figure(asked, &course, in_order(answer).into())?;
    Ok(html! { (said) (figure) })
}

/// The columns as they are read: what is drawn behind the label.
fn in_order(answer: Arc<Answer>) -> Answer {
    let mut answer = Arc::unwrap_or_clone(answer);
    const ORDER: [usize; 6] = [0, 4, 5, 3, 1, 2];
    let columns = ORDER
        .iter()
        .filter_map(|at| answer.columns.get(*at))
        .cloned();
    answer.columns = columns.collect();
    for row in &mut answer.rows {
        *row = ORDER
            .iter()
            .filter_map(|at| row.get(*at))
            .cloned()
            .collect();
    }
    answer
}

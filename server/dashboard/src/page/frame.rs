//! Panels to a whole HTML page: head, navigation, range, filter.

use maud::{DOCTYPE, Markup, html};

use footfall_engine::query::value::Range;
use footfall_engine::rules::{DEFAULT_RULE, RULES};
use footfall_engine::store::Status;
use footfall_engine::units::Day;

use crate::ask::Viewer;
use crate::asset;
use crate::period;
use crate::state::{Place, State, USUAL_RANGE, condition_text};

/// Ranges that are one click away.
const RANGES: [(&str, Range); 4] = [
    ("All Time", Range::All),
    ("Last Month", USUAL_RANGE),
    ("7 days", Range::LastDays(7)),
    ("12 months", Range::LastMonths(12)),
];

/// The page.
pub(crate) fn frame(
    state: &State,
    (status, viewer, own_rules): (&Status, &Viewer, &[String]),
    panels: &[Markup],
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                (metas(super::title(state).as_str()))
                script type="module" src=(asset::href("page.js")) {}
            }
            body data-snapshot=(status.snapshot) {
                a.skip href="#main" { "To the numbers" }
                header {
                    (navigation(state, viewer))
                    @if state.place != Place::Data { (range(state, status, own_rules)) (filter(state)) }
                }
                main id="main" {
                    @if let Place::Repo(kind, name) = &state.place {
                        h1 { (name) " " span.more { (kind) } }
                    } @else {
                        h1.quiet { (super::title(state)) }
                    }
                    @if let Some(only) = &viewer.only { p.only { (only) } }
                    @for panel in panels { (panel) }
                }
                footer {
                    p { "A downloader is a signed-in account or an anonymous address. Days are UTC days. “Downloads (Hub)” are the Hub's own figures; downloads counted from logs follow the rule that is named." }
                    @if status.hub.is_some() { p { a href="/api/v1/export/hub.csv" download { "Download the Hub's CSV" } } }
                    p.live aria-live="polite" {}
                }
            }
        }
    }
}

/// What stands in the head of every page.
pub(super) fn metas(title: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) " – Footfall" }
        link rel="icon" href=(asset::href("icon.svg")) type="image/svg+xml";
        link rel="stylesheet" href=(asset::href("style.css"));
    }
}

/// The way home.
pub(super) fn name() -> Markup {
    html! { a.name href="/" { img src=(asset::href("icon.svg")) alt="" width="20" height="20"; "Footfall" } }
}

fn navigation(state: &State, viewer: &Viewer) -> Markup {
    let places = [
        (Place::Overview, "Overview"),
        (Place::Counting, "Counting"),
        (Place::Data, "Data"),
    ];
    html! {
        nav.places aria-label="Pages" {
            (name())
            @for (place, name) in places {
                @let is_here = state.place == place;
                a href=(state.at(place).href()) aria-current=[is_here.then_some("page")] { (name) }
            }
            @if let Some(name) = &viewer.name { form.leave action="/logout" method="post" {
                span.more { (name) } button type="submit" { "Log out" }
            } }
        }
    }
}

fn range(state: &State, status: &Status, own_rules: &[String]) -> Markup {
    let (first, last) = period::picked(state.range)
        .or_else(|| newest(state.range, status))
        .map_or_else(Default::default, |(first, last)| {
            (first.to_string(), last.to_string())
        });
    let kept = || {
        state
            .parameters()
            .into_iter()
            .filter(|(name, _)| !matches!(*name, "range" | "page"))
    };
    html! {
        div.range {
            nav aria-label="Range" { @for (name, range) in RANGES {
                a.tab href=(state.with_range(range).href()) aria-current=[(state.range == range).then_some("true")] { (name) }
            } }
            form.picker action=(state.path()) method="get" {
                @for (name, value) in kept() { input type="hidden" name=(name) value=(value); }
                label { span { "From" } input type="date" name="from" value=(first); }
                label { span { "to" } input type="date" name="to" value=(last); }
                button type="submit" { "Show" }
            }
            form.rule action=(state.path()) method="get" {
                @for (name, value) in state.parameters().into_iter().filter(|(name, _)| !matches!(*name, "rule" | "page")) {
                    input type="hidden" name=(name) value=(value);
                }
                label { span { "Rule" } select name="rule" { (rules(state, own_rules)) } }
                button type="submit" { "Count" }
            }
        }
    }
}

/// The days of a range that ends with the newest complete one; of two sources, the earlier.
fn newest(range: Range, status: &Status) -> Option<(Day, Day)> {
    let Range::LastDays(days) = range else {
        return None;
    };
    let sources = [&status.logs, &status.hub].into_iter().flatten();
    let last = sources
        .filter_map(|source| source.newest_complete_day.or(source.last_day))
        .min()?;
    Some((Day(last.get().checked_sub(days.checked_sub(1)?)?), last))
}

fn rules(state: &State, own: &[String]) -> Markup {
    let chosen = state.rule.as_deref().unwrap_or(DEFAULT_RULE);
    let is_known =
        RULES.iter().any(|rule| rule.name == chosen) || own.iter().any(|name| name == chosen);
    html! {
        @for rule in RULES { option value=(rule.name) selected[rule.name == chosen] title=(rule.meaning) { (rule.name) } }
        @for name in own { option value=(name) selected[name == chosen] { (name) } }
        @if !is_known { option value=(chosen) selected { (chosen) } }
    }
}

/// A pill for each condition: turn it round, or take it away.
fn filter(state: &State) -> Markup {
    html! {
        @if !state.filter.is_empty() { ul.pills aria-label="Filter" {
            @for (at, condition) in state.filter.iter().enumerate() { li {
                @let text = condition_text(condition);
                a.pill href=(state.negated(at).href()) title="Turn round" { (text) }
                a.drop href=(state.without(at).href()) aria-label=(format!("Remove {text}")) { "×" }
            } }
            @if state.filter.len() > 1 { li { a href=(State { filter: Vec::new(), page: 1, ..state.clone() }.href()) { "Remove all" } } }
        } }
    }
}

//! A query to what a reader of its answer should know: names that do not exist, names that two types
//! of repos share, what a rule of the owner's means.

use std::borrow::Cow;

use super::axis::space_len;
use super::scope::Scope;
use super::space::{Space, value};
use crate::catalog::terms::Allowed;
use crate::metrics::Metric;
use crate::query::calendar::Calendar;
use crate::query::suggest::did_you_mean;
use crate::query::text::instant_text;
use crate::query::value::{Bound, Condition, Test};
use crate::rules::by_name;
use crate::schema::Dimension;

/// Sentences for people. A reader who may not see every repo hears of those alone that it may see.
pub(super) fn notes(scope: &Scope<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if by_name(&scope.rule.name).is_none() {
        notes.push(scope.rule.to_string());
    }
    if !scope.repo.is_idle() {
        let allowed = &scope.view.terms().allowed;
        notes.extend(scope.repos.family.notes(&scope.repos, allowed));
    }
    if let Some(as_of) = scope.query.as_of {
        let when = match as_of {
            Bound::Day(day) => format!("at the end of {day}"),
            Bound::Instant(instant) => format!("at {}", instant_text(instant)),
        };
        let is_none = scope.hub.is_none_or(|hub| hub.repos().is_empty());
        let none = if is_none { ": none had come" } else { "" };
        notes.push(format!(
            "the Hub's numbers are as they were known {when}{none}"
        ));
    }
    let is_restricted = scope.view.terms().allowed != Allowed::All;
    for condition in &scope.query.filter {
        let Condition::Where(dimension, test) = condition else {
            continue;
        };
        let wanted = match test {
            Test::Equal(value) => std::slice::from_ref(value),
            Test::In(values) => values.as_slice(),
            _ => continue,
        };
        for value in wanted.iter().filter(|value| !value.is_empty()) {
            if *dimension == Dimension::Repo {
                repo(scope, value, &mut notes);
            } else if !is_restricted {
                other(scope, dimension, value, &mut notes);
            }
        }
    }
    let first = scope.log_days.as_ref().and_then(Calendar::first);
    if let Some(first) = first.filter(|_| scope.query.metrics.contains(&Metric::New)) {
        notes.push(format!(
            "history starts on {first}: whoever was seen before then is new all the same"
        ));
    }
    notes
}

fn repo(scope: &Scope<'_>, wanted: &str, notes: &mut Vec<String>) {
    let repos = &scope.repos;
    let types = repos.types();
    let typed = wanted
        .split_once(':')
        .filter(|(repo_type, _)| types.contains(repo_type));
    let allowed = &scope.view.terms().allowed;
    let is_there = |repo_type: &str, name: &str| {
        allowed.has(repo_type, name) && repos.code(repo_type, name).is_some()
    };
    let exists = match typed {
        Some((repo_type, name)) => is_there(repo_type, name),
        None => types.iter().any(|repo_type| is_there(repo_type, wanted)),
    };
    if !exists {
        let names = (0..repos.len()).map(|code| repos.get(code));
        let seen = names.filter(|(repo_type, name)| allowed.has(repo_type, name));
        let names = seen.map(|(_, name)| name);
        let found = typed.map_or(wanted, |(_, name)| name);
        notes.push(unknown("repo", wanted, did_you_mean(found, names)));
    } else if typed.is_none() && repos.types_of(wanted) > 1 {
        let types = repos.types_of(wanted);
        notes.push(format!(
            "{types} repo types share the name {wanted}; write type:{wanted} for one"
        ));
    }
}

fn other(scope: &Scope<'_>, dimension: &Dimension, wanted: &str, notes: &mut Vec<String>) {
    let is_named = matches!(
        dimension,
        Dimension::RepoType
            | Dimension::Org
            | Dimension::Group
            | Dimension::Country
            | Dimension::Region
            | Dimension::Method
            | Dimension::Extra(_)
    );
    if !is_named {
        return;
    }
    let space = Space::of(dimension, scope.view);
    let codes = 0..space_len(space, scope.view, &scope.repos);
    let known: Vec<Cow<'_, str>> = codes
        .map(|code| value(dimension, code, scope.view, &scope.repos))
        .collect();
    if !known.iter().any(|known| known == wanted) {
        let help = did_you_mean(wanted, known.iter().map(AsRef::as_ref));
        notes.push(unknown(&dimension.to_string(), wanted, help));
    }
}

fn unknown(what: &str, wanted: &str, help: Option<String>) -> String {
    let note = format!("no {what} is called {wanted}");
    match help {
        Some(help) => format!("{note}; {help}"),
        None => note,
    }
}

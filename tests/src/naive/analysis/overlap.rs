//! Requests to the downloaders that each pair of the largest repos has in common.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::analysis::Request;
use footfall_engine::query::{Condition, Test, Value};
use footfall_engine::schema::{Dimension, Row};

use super::super::dimension::{Names, key};
use super::super::filter::keeps;
use super::{Source, downloaders, int, scope, share};

/// Name, type and requests.
type Repo<'a> = ((String, String), Vec<&'a Row>);

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    one: Option<&String>,
) -> Result<Vec<Vec<Value>>, String> {
    let top = request.scope.top.unwrap_or(20);
    if !(2..=500).contains(&top) {
        return Err(format!("top {top}"));
    }
    let scope = scope(source, &request.scope)?;
    let mut repos: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    for row in &scope.kept {
        let repo = key(&Dimension::Repo, row, &scope.names);
        repos
            .entry((repo.text, row.repo_type.clone()))
            .or_default()
            .push(row);
    }
    let mut repos: Vec<Repo<'_>> = repos.into_iter().collect();
    // An absent name is no repo, and of types an absent one comes last.
    repos.retain(|((name, _), _)| !name.is_empty());
    repos.sort_by_key(|((name, kind), rows)| {
        (
            Reverse(rows.len()),
            name.clone(),
            kind.is_empty(),
            kind.clone(),
        )
    });
    let top = usize::try_from(top).unwrap_or(0);
    if !choose(&mut repos, one, (top, &scope.names)) {
        return Ok(Vec::new());
    }
    let all = downloaders(&scope.accepted).len();
    let of = |rows: &[&'_ Row]| -> BTreeSet<_> {
        let accepted = rows
            .iter()
            .filter(|row| scope.accepted.iter().any(|one| std::ptr::eq(*one, **row)));
        accepted
            .filter_map(|row| super::rule::who(row))
            .map(|(kind, hash)| (kind, hash.to_owned()))
            .collect()
    };
    let sets: Vec<_> = repos
        .iter()
        .map(|((name, _), rows)| (name, of(rows)))
        .collect();
    let mut pairs = Vec::new();
    let lefts = if one.is_some() { 1 } else { sets.len() };
    for (at, (name, left)) in sets.iter().enumerate().take(lefts) {
        for (other, right) in sets.iter().skip(at + 1) {
            let both = left.intersection(right).count();
            let lift = if left.is_empty() || right.is_empty() {
                Value::Null
            } else {
                Value::Real(both as f64 * all as f64 / (left.len() as f64 * right.len() as f64))
            };
            pairs.push((
                both,
                vec![
                    Value::Text((*name).clone()),
                    Value::Text((*other).clone()),
                    int(left.len()),
                    int(right.len()),
                    int(both),
                    share(both, left.len() + right.len() - both),
                    lift,
                ],
            ));
        }
    }
    pairs.sort_by_key(|(both, _)| Reverse(*both));
    Ok(pairs.into_iter().map(|(_, row)| row).collect())
}

/// Leaves the `top` first, or one that comes first and the `top` first others; whether that one is there.
fn choose(repos: &mut Vec<Repo<'_>>, one: Option<&String>, (top, names): (usize, &Names)) -> bool {
    let Some(one) = one else {
        repos.truncate(top);
        return true;
    };
    let is_it = [Condition::Where(Dimension::Repo, Test::Equal(one.clone()))];
    let has_it = |rows: &[&Row]| rows.iter().all(|row| keeps(&is_it, row, names));
    let Some(at) = repos.iter().position(|(_, rows)| has_it(rows)) else {
        return false;
    };
    let it = repos.remove(at);
    repos.insert(0, it);
    repos.truncate(top + 1);
    true
}

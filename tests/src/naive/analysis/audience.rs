//! A set expression to how many downloaders are in it, one downloader after the other.

use std::collections::BTreeSet;

use footfall_engine::analysis::{Request, SetExpr};
use footfall_engine::query::{Condition, Query, Value};
use footfall_engine::schema::{IdentityKind, Row};

use super::{Source, Who, downloaders, int, scope, share};

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    set: &SetExpr,
) -> Result<Vec<Vec<Value>>, String> {
    let (audience, parts) = members(source.log, source, &request.scope, set)?;
    let mut rows = vec![row(set, &audience, &audience)];
    for (part, members) in &parts {
        if part != set {
            rows.push(row(part, members, &audience));
        }
    }
    Ok(rows)
}

/// A set, and downloaders.
type Members<'a> = (SetExpr, BTreeSet<Who<'a>>);

/// The downloaders in a set, and those of every set that it is made of.
pub(super) fn members<'a>(
    log: &'a [Row],
    source: &Source<'_>,
    asked: &Query,
    set: &SetExpr,
) -> Result<(BTreeSet<Who<'a>>, Vec<Members<'a>>), String> {
    let mut parts = Vec::new();
    collect(log, source, asked, set, &mut parts)?;
    let mut all = kept(log, source, asked)?;
    parts.iter().for_each(|(_, members)| all.extend(members));
    all.retain(|who| is_in(set, who, &parts));
    Ok((all, parts))
}

fn collect<'a>(
    log: &'a [Row],
    source: &Source<'_>,
    asked: &Query,
    set: &SetExpr,
    parts: &mut Vec<Members<'a>>,
) -> Result<(), String> {
    let mut query = asked.clone();
    match set {
        SetExpr::Not(inner) => return collect(log, source, asked, inner, parts),
        SetExpr::And(several) | SetExpr::Or(several) => {
            let mut several = several.iter();
            return several.try_for_each(|one| collect(log, source, asked, one, parts));
        }
        SetExpr::Saved(name) => {
            let members = source.sets.iter().find(|(known, _)| known == name);
            let Some((_, members)) = members else {
                return Err(format!("no set of that name: {name}"));
            };
            let mut all = downloaders(&log.iter().collect::<Vec<_>>());
            all.retain(|(kind, hash)| members.contains(&(*kind, (*hash).to_owned())));
            if parts.iter().all(|(part, _)| part != set) {
                parts.push((set.clone(), all));
            }
            return Ok(());
        }
        SetExpr::Kept(condition) => query.filter.push(condition.clone()),
        SetExpr::Scoped(conditions, range) => {
            query.filter.extend(conditions.iter().map(Condition::clone));
            query.range = range.unwrap_or(query.range);
        }
    }
    if parts.iter().all(|(part, _)| part != set) {
        parts.push((set.clone(), kept(log, source, &query)?));
    }
    Ok(())
}

fn kept<'a>(
    log: &'a [Row],
    source: &Source<'_>,
    query: &Query,
) -> Result<BTreeSet<Who<'a>>, String> {
    let source = Source { log, ..*source };
    let scope = scope(&source, query)?;
    let found: BTreeSet<(IdentityKind, String)> = downloaders(&scope.accepted)
        .into_iter()
        .map(|(kind, hash)| (kind, hash.to_owned()))
        .collect();
    let rows: Vec<&Row> = log.iter().collect();
    let mut all = downloaders(&rows);
    all.retain(|(kind, hash)| found.contains(&(*kind, (*hash).to_owned())));
    Ok(all)
}

fn is_in(set: &SetExpr, who: &Who<'_>, parts: &[Members<'_>]) -> bool {
    match set {
        SetExpr::Not(inner) => !is_in(inner, who, parts),
        SetExpr::And(several) => several.iter().all(|one| is_in(one, who, parts)),
        SetExpr::Or(several) => several.iter().any(|one| is_in(one, who, parts)),
        part => parts
            .iter()
            .any(|(known, members)| known == part && members.contains(who)),
    }
}

fn row(set: &SetExpr, members: &BTreeSet<Who<'_>>, audience: &BTreeSet<Who<'_>>) -> Vec<Value> {
    let of = |wanted: IdentityKind| members.iter().filter(|(kind, _)| *kind == wanted).count();
    vec![
        Value::Text(set.to_string()),
        int(members.len()),
        int(of(IdentityKind::User)),
        int(of(IdentityKind::Ip)),
        share(members.intersection(audience).count(), members.len()),
    ]
}

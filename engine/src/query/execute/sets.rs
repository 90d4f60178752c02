//! A filter and a range to the downloaders that they keep, as sets: what questions that are made of
//! queries are answered from.
//!
//! The same plan as for counting them (`downloaders by …`), so that whoever wants sets never walks a
//! segment.

use super::axis::Axis;
use super::distinct::IdSet;
use super::groups::Key;
use super::narrow::Narrowed;
use super::scope::{Scope, instant};
use super::unions::Unions;
use super::{Level, Rules, count, notes, set_parts};
use crate::bitmap::BitSet;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::answer::{Meta, Value};
use crate::query::value::Query;

/// Sets of downloaders, and what they mean.
#[derive(Clone, Debug)]
pub struct DownloaderSets {
    /// For each group that is not empty its dimensions' values and its downloaders; in ascending order
    /// if there is one dimension and it is time.
    pub groups: Vec<(Vec<Value>, BitSet)>,
    /// Rule, range, and what else holds of all of them.
    pub meta: Meta,
}

impl DownloaderSets {
    /// The one set of a query without dimensions.
    #[must_use]
    pub fn into_one(self, limit: u32) -> BitSet {
        let first = self.groups.into_iter().next();
        first.map_or_else(|| BitSet::new(limit), |(_, set)| set)
    }
}

/// The downloaders of the requests that the query's filter keeps and its rule accepts, for each group
/// of its dimensions. Its metrics, order and `top` do not matter.
///
/// # Errors
///
/// As [`execute`](super::execute).
pub fn downloader_sets(view: &View, rules: &Rules<'_>, query: &Query) -> Result<DownloaderSets> {
    let query = who(query)?;
    let narrowed = Narrowed::new(view, &query);
    let mut scope = Scope::new((view, None), rules, &narrowed)?;
    scope.keeps_sets = true;
    counted(scope, rules)
}

/// Takes the values of some groups, and words of the set of each.
pub type LookAtSets<'l> = dyn FnMut(&[Vec<Value>], &[&[u64]]) -> Result<()> + 'l;

/// The same, given to `look` range by range of ids, words of all sets for each, where that takes less memory; else at
/// once. Groups may be empty.
///
/// # Errors
///
/// As [`execute`](super::execute), and those of `look`.
pub fn each_part_of_sets(
    view: &View,
    rules: &Rules<'_>,
    query: &Query,
    look: &mut LookAtSets<'_>,
) -> Result<()> {
    let query = who(query)?;
    let narrowed = Narrowed::new(view, &query);
    let mut scope = Scope::new((view, None), rules, &narrowed)?;
    scope.keeps_sets = true;
    let unions = Unions::new(&scope)?;
    let Some(groups) = unions.of_groups(&scope)? else {
        drop(unions);
        let sets = counted(scope, rules)?;
        let (labels, sets): (Vec<_>, Vec<_>) = sets.groups.into_iter().unzip();
        let words: Vec<&[u64]> = sets.iter().map(BitSet::words).collect();
        return look(&labels, &words);
    };
    let labels = groups.keys().map(|key| labels(&scope, *key));
    let labels = labels.collect::<Result<Vec<_>>>()?;
    let terms = (view.identities().next_id(), view.terms());
    set_parts::each_part(terms, groups.into_values().collect(), &mut |words| {
        look(&labels, words)
    })
}

/// The query of downloaders by the dimensions of another one.
fn who(query: &Query) -> Result<Query> {
    let query = Query {
        metrics: vec![Metric::Downloaders],
        approx: false,
        order: None,
        top: None,
        ..query.clone()
    };
    query.check()?;
    Ok(query)
}

fn labels(scope: &Scope<'_>, key: Key) -> Result<Vec<Value>> {
    let label = |axis: &Axis| {
        let (value, _) = axis.shown(axis.code(key), scope.view, &scope.repos)?;
        Ok(value)
    };
    scope.axes.iter().map(label).collect()
}

/// The sets of a query, from whatever has to be read for them.
fn counted(mut scope: Scope<'_>, rules: &Rules<'_>) -> Result<DownloaderSets> {
    // Histograms count downloaders, but do not say who they are.
    let mut counted = count(&mut scope, Level::Series, rules)?;
    let meta = meta(&scope, counted.log.unidentified);
    let limit = counted.log.universe().downloaders;
    let mut sets: Vec<(Key, IdSet)> = counted.log.take_downloaders();
    sets.sort_unstable_by_key(|(key, _)| *key);
    let mut groups = Vec::with_capacity(sets.len());
    for (key, ids) in sets {
        let set = bit_set(ids, limit)?;
        if set.is_empty() {
            continue;
        }
        groups.push((labels(&scope, key)?, set));
    }
    Ok(DownloaderSets { groups, meta })
}

/// What a query's numbers would mean: rule and range, and names in it that do not exist.
///
/// # Errors
///
/// As [`execute`](super::execute).
pub fn meaning(view: &View, rules: &Rules<'_>, query: &Query) -> Result<Meta> {
    query.check()?;
    let narrowed = Narrowed::new(view, query);
    Ok(meta(&Scope::new((view, None), rules, &narrowed)?, 0))
}

fn meta(scope: &Scope<'_>, unidentified: u64) -> Meta {
    Meta {
        from: scope.span.map(|span| instant(span.from)),
        to: scope.span.map(|span| instant(span.to)),
        rule: scope.rule.name.clone(),
        exact: true,
        unidentified,
        notes: notes::notes(scope),
        snapshot: scope.view.manifest().number,
        ..Meta::default()
    }
}

fn bit_set(ids: IdSet, limit: u32) -> Result<BitSet> {
    match ids {
        IdSet::Bits(words) => Ok(BitSet::from_words(words, limit)),
        IdSet::List(list) => {
            let mut set = BitSet::new(limit);
            list.pieces().try_for_each(|ids| set.insert_all(ids))?;
            Ok(set)
        }
        IdSet::Estimate(_) | IdSet::Counted(_) => Err(Error::invalid("a count is no set")),
    }
}

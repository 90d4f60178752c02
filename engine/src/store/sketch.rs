//! The downloaders of a query to a sketch that can be handed to other stores.

use std::collections::BTreeSet;

use super::Store;
use super::query::check_rule_of;
use crate::dictionary::identity::fingerprint;
use crate::error::{Error, Result};
use crate::metrics::Measure;
use crate::query::{Bound, Meta, Query, Range, downloader_sets, text};
use crate::schema::IdentityKind;
use crate::sketch::{Sketch, SketchFile};
use crate::units::{Day, TimestampMs};

impl Store {
    /// The sketch of the downloaders that a query counts. Its hashes are of the identities themselves, so it
    /// merges with sketches of other stores.
    ///
    /// # Errors
    ///
    /// `Invalid` for a query that is not about one of `downloaders`, `users` and `ips`, without dimensions; as
    /// [`Self::query`].
    pub fn sketch(&self, query: &str) -> Result<SketchFile> {
        let view = self.view()?;
        let mut query = text::parse(query)?;
        let kind = kind(&query)?;
        check_rule_of(&query, &view)?;
        let sets = downloader_sets(&view, &|name| view.rule(name), &query)?;
        if query.range != Range::All {
            query.range = meant(&sets.meta)?;
        }
        let keys = view.identities();
        let mut sketch = Sketch::default();
        for id in sets.into_one(keys.next_id()).iter() {
            let key = keys.key(id)?;
            if kind.is_none_or(|kind| kind == key.kind) {
                sketch.insert(fingerprint(key.kind, key.text().as_bytes()));
            }
        }
        Ok(SketchFile {
            sketch,
            queries: BTreeSet::from([text::render(&query)]),
        })
    }
}

/// Which kind of downloaders a query counts; `None` for all.
fn kind(query: &Query) -> Result<Option<IdentityKind>> {
    let measure = match query.metrics.as_slice() {
        [metric] if query.by.is_empty() => Some(metric.measure()),
        _ => None,
    };
    match measure {
        Some(Measure::Downloaders(kind)) => Ok(kind),
        _ => Err(Error::invalid("the query counts no one set of downloaders").with_help(
            "ask for downloaders, users or ips, without by: downloaders where country = DE last 30d",
        )),
    }
}

/// The range that a query meant: days if it can be, else instants; all in an empty store.
fn meant(meta: &Meta) -> Result<Range> {
    let (Some(from), Some(to)) = (&meta.from, &meta.to) else {
        return Ok(Range::All);
    };
    let range = text::parse(&format!("downloaders from {from} to {to}"))?.range;
    let Range::Between(Some(Bound::Instant(from)), Some(Bound::Instant(to))) = range else {
        return Ok(range);
    };
    let is_whole = |instant: TimestampMs| instant.ms_of_day() == 0;
    let last = Day(to.day().get().saturating_sub(1));
    if is_whole(from) && is_whole(to) && from.day() <= last {
        return Ok(Range::Between(
            Some(Bound::Day(from.day())),
            Some(Bound::Day(last)),
        ));
    }
    Ok(range)
}

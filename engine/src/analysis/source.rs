//! A snapshot to what analyses ask of it: answers of queries, and sets of downloaders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::saved::saved;
use crate::bitmap::BitSet;
use crate::catalog::View;
use crate::error::Result;
use crate::hub::{HubState, Revisions};
use crate::query::execute::{
    EachDownloader, LookAtSets, Touch, each_downloader, each_part_of_sets, first_touches,
    log_calendar,
};
use crate::query::{
    Answer, Calendar, Condition, DownloaderSets, Meta, Query, downloader_sets, execute, meaning,
    range,
};
use crate::schema::IdentityKind;
use crate::schema::time::Span;
use crate::units::{Day, TimestampMs};

/// What analyses are answered from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The snapshot.
    pub view: &'a View,
    /// What holds of the publisher CSV, if there is one.
    pub hub: Option<&'a HubState>,
    /// What was known of it at some time.
    pub hub_as_of: &'a (dyn Fn(TimestampMs) -> Result<Option<Arc<HubState>>> + Sync),
    /// The store's own counting rules.
    pub rules: &'a (dyn Fn(&str) -> Option<crate::rules::Rule> + Sync),
    /// What every publisher CSV changed of those before it.
    pub revisions: &'a (dyn Fn() -> Result<Revisions> + Sync),
    /// The time to compute ages from.
    pub now: TimestampMs,
    /// How many named sets are being evaluated around this.
    pub depth: u32,
}

impl Source<'_> {
    /// Evaluates the named sets that a query's conditions name, so that it can be executed.
    ///
    /// # Errors
    ///
    /// `NotFound` for names that there are none of; as [`Self::sets`].
    pub fn provide(&self, query: &Query) -> Result<()> {
        for condition in &query.filter {
            if let Condition::InSet(name, _) = condition {
                self.saved(name)?;
            }
        }
        Ok(())
    }

    /// The answer of a query.
    ///
    /// # Errors
    ///
    /// As [`execute()`].
    pub fn query(&self, query: &Query) -> Result<Answer> {
        self.provide(query)?;
        let Some(as_of) = query.as_of else {
            return execute(self.view, self.hub, self.rules, query);
        };
        let hub = (self.hub_as_of)(as_of.last())?;
        execute(self.view, hub.as_deref(), self.rules, query)
    }

    /// The downloaders of each group of a query.
    ///
    /// # Errors
    ///
    /// As [`downloader_sets`].
    pub fn sets(&self, query: &Query) -> Result<DownloaderSets> {
        self.provide(query)?;
        downloader_sets(self.view, self.rules, query)
    }

    /// Gives the values of each group of a query and the words of its downloaders' set to `look`, range by range of
    /// ids where that takes less memory.
    ///
    /// # Errors
    ///
    /// As [`downloader_sets`], and those of `look`.
    pub fn each_part_of_sets(&self, query: &Query, look: &mut LookAtSets<'_>) -> Result<()> {
        self.provide(query)?;
        each_part_of_sets(self.view, self.rules, query, look)
    }

    /// The downloaders of a query without dimensions.
    ///
    /// # Errors
    ///
    /// As [`downloader_sets`].
    pub fn set(&self, query: &Query) -> Result<BitSet> {
        Ok(self.sets(query)?.into_one(self.limit()))
    }

    /// The days of the log.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        log_calendar(self.view)
    }

    /// The part of a query's range from the first to the last stored day; `None` when nothing is in it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a range without meaning.
    pub fn span(&self, query: &Query) -> Result<Option<Span>> {
        let calendar = self.calendar();
        let (Some(first), Some(last)) = (calendar.first(), calendar.last()) else {
            return Ok(None);
        };
        let span = range::resolve(&query.range, Some(&calendar), None)?.span;
        let stored = span.map(|span| Span {
            from: span.from.max(first.start()),
            to: span.to.min(last.end()),
        });
        Ok(stored.filter(|span| span.from < span.to))
    }

    /// The metrics of a query for each downloader.
    ///
    /// # Errors
    ///
    /// As [`each_downloader`].
    pub fn each(&self, query: &Query) -> Result<EachDownloader> {
        self.provide(query)?;
        each_downloader(self.view, self.rules, query)
    }

    /// When downloaders first asked for each repo on some days.
    ///
    /// # Errors
    ///
    /// As [`first_touches`].
    pub fn touches(
        &self,
        query: &Query,
        wanted: &BTreeMap<Day, BTreeSet<u32>>,
    ) -> Result<Vec<Touch>> {
        self.provide(query)?;
        first_touches(self.view, self.rules, query, wanted)
    }

    /// The text of a downloader's hash, and its kind.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the dictionary is damaged.
    pub fn identity(&self, id: u32) -> Result<(String, IdentityKind)> {
        let key = self.view.identities().key(id)?;
        Ok((key.text(), key.kind))
    }

    /// What the numbers of a query mean, without them.
    ///
    /// # Errors
    ///
    /// As [`execute()`].
    pub fn meaning(&self, query: &Query) -> Result<Meta> {
        self.provide(query)?;
        meaning(self.view, self.rules, query)
    }

    /// The downloaders of a saved set.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name.
    pub fn saved(&self, name: &str) -> Result<Arc<BitSet>> {
        saved(self, name)
    }

    /// Every downloader id is below it.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.view.identities().next_id()
    }

    /// Those of a set that are addresses.
    #[must_use]
    pub fn ips(&self, set: &BitSet) -> u64 {
        let ips = self.view.ip_bits().iter();
        let both = set.words().iter().zip(ips).map(|(set, ips)| set & ips);
        both.map(|word| u64::from(word.count_ones())).sum()
    }
}

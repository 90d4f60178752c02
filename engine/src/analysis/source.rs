//! A snapshot to what analyses ask of it: answers of queries, and sets of downloaders.

use crate::bitmap::BitSet;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::hub::{HubState, Revisions};
use crate::query::execute::{Rules, log_calendar};
use crate::query::{
    Answer, Calendar, DownloaderSets, Meta, Query, downloader_sets, execute, meaning, range,
};
use crate::schema::time::Span;
use crate::units::TimestampMs;

/// What analyses are answered from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The snapshot.
    pub view: &'a View,
    /// What holds of the publisher CSV, if there is one.
    pub hub: Option<&'a HubState>,
    /// The store's own counting rules.
    pub rules: &'a (dyn Fn(&str) -> Option<crate::rules::Rule> + Sync),
    /// What every publisher CSV changed of those before it.
    pub revisions: &'a (dyn Fn() -> Result<Revisions> + Sync),
    /// The time to compute ages from.
    pub now: TimestampMs,
}

impl Source<'_> {
    /// The answer of a query.
    ///
    /// # Errors
    ///
    /// As [`execute()`].
    pub fn query(&self, query: &Query) -> Result<Answer> {
        execute(self.view, self.hub, self.rules(), query)
    }

    /// The downloaders of each group of a query.
    ///
    /// # Errors
    ///
    /// As [`downloader_sets`].
    pub fn sets(&self, query: &Query) -> Result<DownloaderSets> {
        downloader_sets(self.view, self.rules(), query)
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

    /// What the numbers of a query mean, without them.
    ///
    /// # Errors
    ///
    /// As [`execute()`].
    pub fn meaning(&self, query: &Query) -> Result<Meta> {
        meaning(self.view, self.rules(), query)
    }

    /// The downloaders of a saved set.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name.
    pub fn saved(&self, name: &str) -> Result<BitSet> {
        Err(Error::not_found(format!("no set is called {name}")))
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

    fn rules(&self) -> &Rules<'_> {
        self.rules
    }
}

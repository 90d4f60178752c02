//! Gap histograms to distinct downloaders of days in a row, where they cover what is asked.
//!
//! They cover the accept set of the default rule, whole days, and filters and dimensions that rest on the
//! kind of identity, on the country or on one large repo alone, or on one and a country that has many of its visits.

use std::sync::Arc;

use super::cells::countries;
use super::distinct::Count;
use super::groups::{Key, KeyMap};
use super::lens::{Lens, OUT};
use super::scope::Scope;
use super::time::DayPart;
use crate::catalog::View;
use crate::derived::{DayGaps, DayRange, History, HistoryKey, RangeCount, RangeCounts};
use crate::error::Result;
use crate::schema::Dimension;
use crate::schema::time::Span;
use crate::units::{DAY_MS, Day, Month, TimestampMs};

/// Which histograms a query's groups are.
#[derive(Debug)]
enum Keys {
    /// All, and accounts where kinds of identity are told apart; groups of accounts and of addresses.
    Kinds(Vec<KindGroup>),
    /// A group for each country that is kept, ascending by number.
    Countries(Vec<KeyGroup>),
    /// A repo, or a repo in a country, that is one group.
    One(HistoryKey, Key),
    /// A group for each of some repos, ascending by code; there may be others.
    Repos(Vec<KeyGroup>),
}

/// A group of one histogram key, and what it adds to keys of groups.
type KeyGroup = (HistoryKey, Key);

/// Days from which it pays to read the histograms of large repos in place of their visits.
const DAYS_MIN: usize = 7;

/// A group of kinds of identity.
#[derive(Clone, Copy, Debug)]
struct KindGroup {
    part: Key,
    has_users: bool,
    has_ips: bool,
}

/// Counts of a group by range.
#[derive(Clone, Debug)]
pub(super) struct GroupCounts {
    /// What the group adds to keys.
    pub(super) part: Key,
    /// All downloaders.
    pub(super) all: Vec<RangeCount>,
    /// Those of them that are addresses; empty where nobody asks.
    ips: Vec<RangeCount>,
}

impl GroupCounts {
    fn count(&self, at: usize) -> Count {
        let distinct = |counts: &[RangeCount]| counts.get(at).map_or(0, |count| count.distinct);
        Count {
            all: distinct(&self.all),
            ips: distinct(&self.ips),
        }
    }
}

/// Distinct downloaders that are not counted by visits.
#[derive(Debug, Default)]
pub(super) struct Covered {
    /// By group.
    pub(super) groups: KeyMap<Key, Count>,
    /// Of all groups together, where they were.
    pub(super) whole: Option<Count>,
    /// The repos whose downloaders are to be read from visits all the same, if there are any.
    pub(super) left: Option<Lens>,
}

impl Covered {
    /// Those of one group.
    pub(super) fn one(key: Key, count: Count) -> Self {
        let mut covered = Self {
            whole: Some(count),
            ..Self::default()
        };
        covered.groups.insert(key, count);
        covered
    }
}

/// The histograms that cover a query on some days.
#[derive(Debug)]
pub(super) struct GapReader<'s, 'a> {
    scope: &'s Scope<'a>,
    histories: &'s [(Month, Arc<History>)],
    keys: Keys,
    /// Whether accounts and addresses are told apart.
    has_kinds: bool,
}

impl<'s, 'a> GapReader<'s, 'a> {
    /// The histograms of a query; `None` if they do not cover all of these days.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file of histograms is damaged, `Io`.
    pub(super) fn new(scope: &'s Scope<'a>, days: DayRange) -> Result<Option<Self>> {
        let has_kinds = !scope.ips.is_empty();
        let Some(keys) = is_default_who(scope)
            .then(|| keys(scope, has_kinds))
            .flatten()
        else {
            return Ok(None);
        };
        let histories = scope.view.histories()?;
        let reader = Self {
            scope,
            histories: histories_between(histories, days),
            keys,
            has_kinds,
        };
        Ok(reader.covers(scope.view, days)?.then_some(reader))
    }

    /// The histograms of large repos for a query that has a group for each repo: those of the other repos are to be
    /// read from visits. `None` if it asks for anything else, or they do not cover all of these days.
    fn of_large_repos(scope: &'s Scope<'a>, days: DayRange) -> Result<Option<Self>> {
        let repo = &scope.repo;
        let is_covered = is_default_who(scope)
            && scope.wants.is_who_only()
            && scope.days.len() >= DAYS_MIN
            && scope.place.is_idle()
            && scope.kind.is_idle()
            && scope.ips.is_empty()
            && repo.has_axis
            && !repo.has_filter;
        if !is_covered {
            return Ok(None);
        }
        let histories = histories_between(scope.view.histories()?, days);
        let mut groups: Vec<KeyGroup> = Vec::new();
        if let Some((_, history)) = histories.last() {
            let repos = history.keys()?.iter().filter_map(|key| match key {
                HistoryKey::Repo(code) => Some((*key, repo.part(*code))),
                _ => None,
            });
            groups.extend(repos);
        }
        for (_, history) in histories {
            let keys = history.keys()?;
            groups.retain(|(key, _)| keys.binary_search(key).is_ok());
        }
        // Whoever is in several repos of a group would be counted for each.
        let mut repos_of: KeyMap<Key, u32> = KeyMap::default();
        let parts = repo.parts.iter();
        parts.for_each(|part| *repos_of.entry(*part).or_default() += 1);
        groups.retain(|(_, part)| *part != OUT && repos_of.get(part) == Some(&1));
        let reader = Self {
            scope,
            histories,
            keys: Keys::Repos(groups),
            has_kinds: false,
        };
        Ok(reader.covers(scope.view, days)?.then_some(reader))
    }

    /// Whether what it has no groups of is to be read from elsewhere.
    pub(super) fn is_part(&self) -> bool {
        matches!(self.keys, Keys::Repos(_))
    }

    /// The repos that are left.
    fn left(&self) -> Option<Lens> {
        match &self.keys {
            Keys::Repos(groups) => {
                let codes = groups.iter().filter_map(|(key, _)| match key {
                    HistoryKey::Repo(code) => Some(*code),
                    _ => None,
                });
                Some(self.scope.repo.without(codes))
            }
            _ => None,
        }
    }

    fn covers(&self, view: &View, days: DayRange) -> Result<bool> {
        if !has_all_months(view, self.histories, days) {
            return Ok(false);
        }
        let key = match &self.keys {
            Keys::Kinds(_) => HistoryKey::All,
            Keys::Countries(_) => HistoryKey::Country(0),
            Keys::One(key, _) => *key,
            // Each of them is in all histories.
            Keys::Repos(groups) if groups.is_empty() => return Ok(false),
            Keys::Repos(_) => HistoryKey::All,
        };
        for (_, history) in self.histories {
            if !history.covers(key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What it reads, in words.
    pub(super) fn names(&self) -> Vec<String> {
        let names: &[&str] = match &self.keys {
            Keys::Kinds(_) if self.has_kinds => &["gaps of all", "gaps of accounts"],
            Keys::Kinds(_) => &["gaps of all"],
            Keys::Countries(_) => &["gaps of countries"],
            Keys::One(HistoryKey::RepoCountry(..), _) => &["gaps of the repo in the country"],
            Keys::One(..) => &["gaps of the repo"],
            Keys::Repos(_) => &["gaps of large repos"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Counts of every group in ranges, whose first days ascend and last days too.
    ///
    /// # Errors
    ///
    /// `Corrupt` when histograms are damaged.
    pub(super) fn counts(&self, ranges: &[DayRange]) -> Result<Vec<GroupCounts>> {
        match &self.keys {
            Keys::Kinds(groups) => {
                let all = self.read(HistoryKey::All, ranges)?;
                if !self.has_kinds {
                    let own = groups.first().map(|group| GroupCounts {
                        part: group.part,
                        all,
                        ips: Vec::new(),
                    });
                    return Ok(own.into_iter().collect());
                }
                let users = self.read(HistoryKey::Users, ranges)?;
                let ips = all.iter().zip(&users);
                let ips: Vec<_> = ips.map(|(all, users)| less(*all, *users)).collect();
                let groups = groups.iter().map(|group| GroupCounts {
                    part: group.part,
                    all: match (group.has_users, group.has_ips) {
                        (true, true) => all.clone(),
                        (true, false) => users.clone(),
                        _ => ips.clone(),
                    },
                    ips: if group.has_ips {
                        ips.clone()
                    } else {
                        Vec::new()
                    },
                });
                Ok(groups.collect())
            }
            Keys::Countries(groups) | Keys::Repos(groups) => self.several(groups, ranges),
            Keys::One(key, part) => Ok(vec![GroupCounts {
                part: *part,
                all: self.read(*key, ranges)?,
                ips: Vec::new(),
            }]),
        }
    }

    /// Counts of groups whose keys ascend.
    fn several(&self, groups: &[KeyGroup], ranges: &[DayRange]) -> Result<Vec<GroupCounts>> {
        let mut counts = vec![RangeCounts::new(ranges.to_vec()); groups.len()];
        if let (Some((first, _)), Some((last, _))) = (groups.first(), groups.last()) {
            let mut at = 0;
            self.each((*first, *last), ranges, |key, day| {
                // Days of a key follow each other; each month begins with the first key.
                if groups.get(at).map(|(known, _)| *known) != Some(key) {
                    at = groups.partition_point(|(known, _)| *known < key);
                }
                let is_known = groups.get(at).is_some_and(|(known, _)| *known == key);
                if let Some(counts) = counts.get_mut(at).filter(|_| is_known) {
                    counts.add(day);
                }
            })?;
        }
        let groups = groups.iter().zip(counts);
        let groups = groups.map(|((_, part), counts)| GroupCounts {
            part: *part,
            all: counts.counts().to_vec(),
            ips: Vec::new(),
        });
        Ok(groups.collect())
    }

    fn read(&self, key: HistoryKey, ranges: &[DayRange]) -> Result<Vec<RangeCount>> {
        let mut counts = RangeCounts::new(ranges.to_vec());
        self.each((key, key), ranges, |_, day| counts.add(day))?;
        Ok(counts.counts().to_vec())
    }

    fn each(
        &self,
        (from, to): (HistoryKey, HistoryKey),
        ranges: &[DayRange],
        mut each: impl FnMut(HistoryKey, DayGaps<'_>),
    ) -> Result<()> {
        let (Some((first, _)), Some((_, last))) = (ranges.first(), ranges.last()) else {
            return Ok(());
        };
        // Whoever was active before the store's first day is nobody, so those who are new are all.
        let start = self.scope.log_days.as_ref().and_then(|days| days.first());
        let starts_before = |(first, _): &DayRange| start.is_some_and(|start| *first <= start);
        let has_bins = !ranges.iter().all(starts_before);
        for (_, history) in histories_between(self.histories, (*first, *last)) {
            history.read(from..=to, (*first, *last), has_bins, &mut each)?;
        }
        Ok(())
    }

    /// Downloaders of all groups together; `None` where their histograms do not say it.
    fn whole(&self, range: DayRange, groups: &[GroupCounts]) -> Result<Option<Count>> {
        if let ([one], false) = (groups, self.is_part()) {
            return Ok(Some(one.count(0)));
        }
        match &self.keys {
            Keys::Countries(_) if self.scope.place.has_filter => Ok(None),
            Keys::Countries(_) | Keys::Repos(_) => {
                let all = self.read(HistoryKey::All, &[range])?;
                let all = all.first().map_or(0, |count| count.distinct);
                Ok(Some(Count { all, ips: 0 }))
            }
            // Nobody is of two kinds.
            Keys::Kinds(_) | Keys::One(..) => {
                let counts = groups.iter().map(|group| group.count(0));
                Ok(Some(counts.fold(Count::default(), |sum, count| Count {
                    all: sum.all + count.all,
                    ips: sum.ips + count.ips,
                })))
            }
        }
    }
}

/// The distinct downloaders that a query asks for, from histograms; `None` if they do not cover it.
///
/// # Errors
///
/// `Corrupt` when a file of histograms is damaged, `Io`.
pub(super) fn covered(scope: &Scope<'_>) -> Result<Option<Covered>> {
    let Some((reader, parts)) = plan(scope)? else {
        return Ok(None);
    };
    let ranges: Vec<DayRange> = parts.iter().map(|(_, range)| *range).collect();
    let (Some((first, _)), Some((_, last))) = (ranges.first(), ranges.last()) else {
        return Ok(None);
    };
    let range = (*first, *last);
    let counts = reader.counts(&ranges)?;
    let wholes = match ranges.as_slice() {
        [_] => counts.clone(),
        _ if reader.is_part() => Vec::new(),
        _ => reader.counts(&[range])?,
    };
    let Some(whole) = reader.whole(range, &wholes)? else {
        return Ok(None);
    };
    let mut covered = Covered {
        whole: Some(whole),
        left: reader.left(),
        ..Covered::default()
    };
    for group in &counts {
        for (at, (part, _)) in parts.iter().enumerate() {
            covered.groups.insert(part + group.part, group.count(at));
        }
    }
    Ok(Some(covered))
}

/// What adds to keys on the days of a range, and the range.
pub(super) type TimePart = (Key, DayRange);

/// The histograms for a query, and the ranges of days that its buckets are; `None` if it is not covered.
///
/// # Errors
///
/// As [`covered`].
pub(super) fn plan<'s, 'a>(
    scope: &'s Scope<'a>,
) -> Result<Option<(GapReader<'s, 'a>, Vec<TimePart>)>> {
    let ends = (scope.days.first(), scope.days.last());
    let (true, (Some(first), Some(last))) = (scope.wants.who, ends) else {
        return Ok(None);
    };
    let Some(parts) = time_parts(scope) else {
        return Ok(None);
    };
    let days = (first.day, last.day);
    let reader = match GapReader::new(scope, days)? {
        None => GapReader::of_large_repos(scope, days)?,
        reader => reader,
    };
    Ok(reader.map(|reader| (reader, parts)))
}

/// The ranges of days that add the same to keys; `None` unless days are whole, follow each other without
/// one that is left out, and are one range for each bucket.
pub(super) fn time_parts(scope: &Scope<'_>) -> Option<Vec<TimePart>> {
    let partitions = &scope.view.manifest().partitions;
    let follows = |before: &DayPart, day: &DayPart| {
        let between = partitions.get(before.partition + 1..day.partition);
        between.is_some_and(|days| days.iter().all(|day| day.segments.is_empty()))
    };
    let mut parts: Vec<TimePart> = Vec::new();
    let mut before: Option<&DayPart> = None;
    for day in &scope.days {
        if !day.is_whole() || before.is_some_and(|before| !follows(before, day)) {
            return None;
        }
        before = Some(day);
        match parts.last_mut() {
            Some((part, (_, last))) if *part == day.part => *last = day.day,
            _ => parts.push((day.part, (day.day, day.day))),
        }
    }
    let mut keys: Vec<Key> = parts.iter().map(|(part, _)| *part).collect();
    keys.sort_unstable();
    keys.windows(2)
        .all(|keys| matches!(keys, [a, b] if a != b))
        .then_some(parts)
}

/// Whether who counts is who made a request that the default rule accepts, as far as the rule, the verb
/// and what is known of no histogram go.
pub(super) fn is_default_who(scope: &Scope<'_>) -> bool {
    let others = [&scope.verb, &scope.agent, &scope.internal, &scope.evidence];
    !scope.rule.internal
        && scope.accepts == scope.view.meanings().accepts
        && others.into_iter().chain(&scope.extras).all(Lens::is_idle)
        && scope.downloaders.is_none()
        && scope.downloader_stride == 0
}

fn keys(scope: &Scope<'_>, has_kinds: bool) -> Option<Keys> {
    let (repo, place, kind) = (&scope.repo, &scope.place, &scope.kind);
    if repo.is_idle() && place.is_idle() {
        return Some(Keys::Kinds(kinds(scope)));
    }
    if has_kinds || !kind.is_idle() {
        return None;
    }
    let countries = (!place.is_idle()).then(|| countries_apart(scope));
    let repo = (!repo.is_idle()).then(|| match repo.listed.as_deref() {
        Some([code]) => Some((*code, repo.part(*code))),
        _ => None,
    });
    match (repo, countries) {
        (None, Some(groups)) => {
            let key = |(number, part): &(u32, Key)| (HistoryKey::Country(*number), *part);
            Some(Keys::Countries(groups?.iter().map(key).collect()))
        }
        (Some(repo), None) => repo.map(|(code, part)| Keys::One(HistoryKey::Repo(code), part)),
        (Some(repo), Some(groups)) => match (repo?, groups?.as_slice()) {
            ((code, part), [(number, own)]) => {
                let key = HistoryKey::RepoCountry(code, *number);
                Some(Keys::One(key, part + own))
            }
            _ => None,
        },
        (None, None) => None,
    }
}

/// The countries that are kept, by number, and what they add to keys, if each is a group of its own: those of several
/// together are in no histogram, and regions neither.
fn countries_apart(scope: &Scope<'_>) -> Option<Vec<(u32, Key)>> {
    let by = scope.axes.iter().map(|axis| &axis.dimension);
    let is_region = |dimension: &Dimension| *dimension == Dimension::Region;
    if by.chain(scope.place_conditions()).any(is_region) {
        return None;
    }
    let kept = (0..).zip(countries(scope)).filter(|(_, part)| *part != OUT);
    let kept: Vec<(u32, Key)> = kept.collect();
    (scope.place.has_axis || kept.len() == 1).then_some(kept)
}

fn kinds(scope: &Scope<'_>) -> Vec<KindGroup> {
    let [users, ips] = [1, 2].map(|kind| scope.kind.part(kind));
    let group = |part, has_users, has_ips| KindGroup {
        part,
        has_users,
        has_ips,
    };
    match (users, ips) {
        (OUT, OUT) => Vec::new(),
        (OUT, part) => vec![group(part, false, true)],
        (part, OUT) => vec![group(part, true, false)],
        (users, ips) if users == ips => vec![group(users, true, true)],
        (users, ips) => vec![group(users, true, false), group(ips, false, true)],
    }
}

/// What is left without a part.
fn less(all: RangeCount, part: RangeCount) -> RangeCount {
    RangeCount {
        distinct: all.distinct.saturating_sub(part.distinct),
        new: all.new.saturating_sub(part.new),
    }
}

/// Whether these are all histories of the months with rows that have some of these days.
pub(super) fn has_all_months(
    view: &View,
    histories: &[(Month, Arc<History>)],
    (first, last): DayRange,
) -> bool {
    let mut months = view.manifest().months_with_rows();
    months.retain(|month| first < month.end_day() && month.first_day() <= last);
    months.iter().eq(histories.iter().map(|(month, _)| month))
}

/// The histories of the months that have some of these days.
pub(super) fn histories_between<T>(
    histories: &[(Month, T)],
    (first, last): DayRange,
) -> &[(Month, T)] {
    let from = histories.partition_point(|(month, _)| month.end_day() <= first);
    let to = histories.partition_point(|(month, _)| month.first_day() <= last);
    histories.get(from..to.max(from)).unwrap_or_default()
}

/// The first and the last day of a range that cuts no day; `None` for others.
pub(super) fn whole_days(span: Span) -> Option<DayRange> {
    let is_start = |ts: TimestampMs| ts.get().is_multiple_of(DAY_MS);
    let last = Day(span.to.day().get().checked_sub(1)?);
    (is_start(span.from) && is_start(span.to) && span.from < span.to)
        .then(|| (span.from.day(), last))
}

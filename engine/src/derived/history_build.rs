//! Who was active on which day, in the order of days, to gap histograms by month.
//!
//! Of each downloader the last day is kept for all requests and for the country where it was met first;
//! few are met in other countries too, so that the memory is a few bytes per downloader.
//!
//! # Not here
//!
//! Who was active in large repos (`repo_actives`).

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use super::history::{
    BIN_COUNT, BIN_GAP, DAY_BINS, DAY_NEW, HistoryKey, KEY_BINS, KEY_CODE, KEY_COUNTRY, KEY_DAYS,
    KEY_KIND, SECTION_INDEX, SECTION_META, SECTION_PAGES,
};
use crate::encoding::{Choice, ChunkWriter};
use crate::error::Result;
use crate::layout::{ByteWriter, FileBuilder, FileKind};
use crate::units::{Day, Month};

/// Values in a page.
const PAGE_VALUES: u32 = 1024;
/// Most days that can be told apart: last days are kept as 16-bit numbers, 0 being none.
pub const DAYS_MAX: usize = 65_535;
/// Most countries of which histograms are built; beyond, their numbers are no countries.
const COUNTRIES_MAX: usize = 4096;
/// Downloaders in a country beside their first one, of which there may be so many before countries are given
/// up: each takes 16 bytes and more.
const STRAYS_MAX: usize = 4 << 20;

/// Histograms of one key and month.
#[derive(Debug, Default)]
struct KeyDays {
    days: u32,
    new: Vec<u32>,
    lens: Vec<u32>,
    bins: Vec<(u32, u32)>,
}

/// Histograms of a month.
#[derive(Debug, Default)]
pub struct MonthHistory {
    keys: BTreeMap<HistoryKey, KeyDays>,
    /// Bit `kind` is set if all keys of the kind on which somebody was active are there.
    whole_kinds: u32,
}

impl MonthHistory {
    /// Adds a day of a key, after all its earlier days. Bins are ascending gaps in days, and counts.
    pub(super) fn push(
        &mut self,
        key: HistoryKey,
        day: Day,
        new: u32,
        bins: impl Iterator<Item = (u32, u32)>,
    ) {
        let days = self.keys.entry(key).or_default();
        let offset = day.get().saturating_sub(day.month().first_day().get());
        days.days |= 1_u32.checked_shl(offset).unwrap_or(0);
        days.new.push(new);
        let begin = days.bins.len();
        days.bins.extend(bins);
        let len = days.bins.len() - begin;
        days.lens.push(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// Adds the keys of another part of the same month.
    pub fn append(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.whole_kinds |= other.whole_kinds;
    }

    /// Says that nobody is active on a key on other days than those that are added.
    pub fn add_key(&mut self, key: HistoryKey) {
        self.keys.entry(key).or_default();
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// `Limit` when a page is above 4 GiB.
    pub fn to_bytes(&self, month: Month) -> Result<Vec<u8>> {
        let mut writer = ChunkWriter::default();
        let mut write = |id, values: &mut dyn Iterator<Item = u32>| {
            let values: Vec<u32> = values.collect();
            writer.column(id, &values, PAGE_VALUES, Choice::Kept)
        };
        let days = || self.keys.values();
        write(KEY_KIND, &mut self.keys.keys().map(|key| key.parts().0))?;
        write(KEY_CODE, &mut self.keys.keys().map(|key| key.parts().1))?;
        write(KEY_DAYS, &mut days().map(|key| key.days))?;
        let bins = |key: &KeyDays| u32::try_from(key.bins.len()).unwrap_or(u32::MAX);
        write(KEY_BINS, &mut days().map(bins))?;
        let countries = self.keys.keys().filter_map(|key| key.country());
        write(KEY_COUNTRY, &mut { countries })?;
        write(DAY_NEW, &mut days().flat_map(|key| key.new.iter().copied()))?;
        write(
            DAY_BINS,
            &mut days().flat_map(|key| key.lens.iter().copied()),
        )?;
        write(BIN_GAP, &mut days().flat_map(distances))?;
        let counts = |key: &KeyDays| {
            key.bins
                .iter()
                .map(|(_, count)| count - 1)
                .collect::<Vec<_>>()
        };
        write(BIN_COUNT, &mut days().flat_map(counts))?;
        let (index, pages) = writer.finish();
        let mut meta = Vec::new();
        ByteWriter::new(&mut meta)
            .u32(month.get())
            .u32(self.whole_kinds);
        let mut file = FileBuilder::new(FileKind::History);
        file.section(SECTION_META, &meta);
        file.section(SECTION_INDEX, &index);
        file.section(SECTION_PAGES, &pages);
        file.finish()
    }
}

/// How far each gap is from the one before in its day, less 1.
fn distances(key: &KeyDays) -> Vec<u32> {
    let mut distances = Vec::with_capacity(key.bins.len());
    let mut rest = key.bins.as_slice();
    for len in &key.lens {
        let (own, after) = rest.split_at_checked(*len as usize).unwrap_or_default();
        rest = after;
        let mut before = 0;
        for (gap, _) in own {
            distances.push(gap - before - 1);
            before = *gap;
        }
    }
    distances
}

/// Counts of one day by key and by how many days with rows ago; 0 is never.
#[derive(Debug)]
struct Tally {
    width: usize,
    counts: Vec<u32>,
    touched: Vec<u32>,
}

impl Tally {
    fn new(keys: usize, days: usize) -> Self {
        let width = days + 1;
        Self {
            width,
            counts: vec![0; keys * width],
            touched: Vec::new(),
        }
    }

    #[inline]
    fn add(&mut self, key: usize, today: u16, last: u16) {
        let ago = if last == 0 { 0 } else { today - last };
        let at = key * self.width + usize::from(ago);
        if let Some(count) = self.counts.get_mut(at) {
            if *count == 0 {
                self.touched.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            *count += 1;
        }
    }

    /// Gives each key's count of new ones, and bins of gaps in days.
    fn drain(&mut self, days: &[Day], today: u16, mut give: impl FnMut(usize, u32, &[(u32, u32)])) {
        self.touched.sort_unstable();
        let day = |index: usize| days.get(index).map_or(0, |day| day.get());
        let mut bins = Vec::new();
        let mut rest = self.touched.as_slice();
        while let Some(first) = rest.first() {
            let key = *first as usize / self.width;
            let len = rest.partition_point(|at| *at as usize / self.width == key);
            let (own, after) = rest.split_at(len);
            rest = after;
            bins.clear();
            let mut new = 0;
            for at in own {
                let ago = *at as usize % self.width;
                let count = std::mem::take(&mut self.counts[*at as usize]);
                let now = usize::from(today) - 1;
                match ago {
                    0 => new = count,
                    _ => bins.push((day(now) - day(now - ago), count)),
                }
            }
            give(key, new, &bins);
        }
        self.touched.clear();
    }
}

/// Last days of a downloader, as numbers of days with rows from 1; 0 is none.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// Of any request.
    all: u16,
    /// The country that it was met in first, by number plus 1.
    country: u16,
    /// Of a request from there.
    there: u16,
}

/// Positions of keys in a tally; countries follow.
const ALL: usize = 0;
const USERS: usize = 1;
const COUNTRIES: usize = 2;

/// All downloaders, and those of countries, day by day.
#[derive(Debug)]
pub struct Actives<'a> {
    /// Days with rows, ascending.
    days: &'a [Day],
    /// A bit for each id that is an address.
    ips: &'a [u64],
    lasts: Vec<Last>,
    strays: HashMap<(u32, u16), u16>,
    has_countries: bool,
    tally: Tally,
    today: u16,
    is_told: bool,
}

impl<'a> Actives<'a> {
    /// Nobody active yet; downloaders are below `limit`, numbers of countries below `countries`. Days are
    /// at most [`DAYS_MAX`].
    #[must_use]
    pub fn new(days: &'a [Day], limit: u32, countries: usize, ips: &'a [u64]) -> Self {
        let has_countries = countries <= COUNTRIES_MAX;
        let keys = COUNTRIES + if has_countries { countries } else { 0 };
        Self {
            days,
            ips,
            lasts: vec![Last::default(); limit as usize],
            strays: HashMap::new(),
            has_countries,
            tally: Tally::new(keys, days.len()),
            today: 0,
            is_told: false,
        }
    }

    /// Begins the day of this index among the days; days come in ascending order. Nothing is counted of
    /// it unless it `is_told`.
    pub fn begin_day(&mut self, index: usize, is_told: bool) {
        self.today = u16::try_from(index + 1).unwrap_or(u16::MAX);
        self.is_told = is_told;
    }

    /// Notes that each of some downloaders is active in the country of this number. What is known of them is in no cache
    /// mostly: it is read first, so that all of it is waited for at once.
    pub fn add_all(&mut self, actives: &[(u32, u32)]) {
        let all = |id: u32| self.lasts.get(id as usize).map_or(0, |last| last.all);
        black_box(actives.iter().fold(0, |sum, (id, _)| sum ^ all(*id)));
        for (id, country) in actives {
            self.add(*id, *country);
        }
    }

    #[inline]
    fn add(&mut self, id: u32, country: u32) {
        let today = self.today;
        let Some(last) = self.lasts.get_mut(id as usize) else {
            return;
        };
        if last.all != today {
            if self.is_told {
                self.tally.add(ALL, today, last.all);
                let word = self.ips.get(id as usize / 64).copied().unwrap_or(0);
                if word >> (id % 64) & 1 == 0 {
                    self.tally.add(USERS, today, last.all);
                }
            }
            last.all = today;
        }
        if !self.has_countries {
            return;
        }
        let own = u16::try_from(country + 1).unwrap_or(u16::MAX);
        if last.country == 0 {
            last.country = own;
        }
        let there = if last.country == own {
            &mut last.there
        } else {
            self.strays.entry((id, own)).or_default()
        };
        let before = std::mem::replace(there, today);
        if before != today && self.is_told {
            self.tally.add(COUNTRIES + country as usize, today, before);
        }
    }

    /// Ends the day, and adds its histograms to those of its month if it was told.
    pub fn end_day(&mut self, month: &mut MonthHistory) {
        if self.strays.len() > STRAYS_MAX {
            self.has_countries = false;
            self.strays = HashMap::new();
            // What the month has of them is of its first days only.
            month
                .keys
                .retain(|key, _| !matches!(key, HistoryKey::Country(_)));
        }
        let Some(&day) = self.days.get(usize::from(self.today).wrapping_sub(1)) else {
            return;
        };
        let has_countries = self.has_countries;
        let kinds = [
            (HistoryKey::All, true),
            (HistoryKey::Users, true),
            (HistoryKey::Country(0), has_countries),
        ];
        month.whole_kinds = kinds
            .iter()
            .filter(|(_, is_whole)| *is_whole)
            .fold(0, |kinds, (key, _)| kinds | 1 << key.parts().0);
        self.tally.drain(self.days, self.today, |key, new, bins| {
            let key = match key {
                ALL => HistoryKey::All,
                USERS => HistoryKey::Users,
                _ if !has_countries => return,
                key => HistoryKey::Country(u32::try_from(key - COUNTRIES).unwrap_or(u32::MAX)),
            };
            month.push(key, day, new, bins.iter().copied());
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::history::History;
    use super::super::range_counts::{DayRange, RangeCount, RangeCounts};
    use super::super::repo_actives::RepoActives;
    use super::*;
    use crate::storage::FileBytes;

    /// Who is active: day, downloader, country, repo.
    type Active = (u32, u32, u32, u32);

    const LIMIT: u32 = 12;
    const IPS: [u64; 1] = [0b1010_1100_1010];
    const CODES: [u32; 2] = [7, 4];
    const REPO_KEYS: [HistoryKey; 4] = [
        HistoryKey::Repo(7),
        HistoryKey::Repo(4),
        HistoryKey::RepoCountry(7, 2),
        HistoryKey::RepoCountry(7, 0),
    ];

    fn built(actives: &BTreeSet<Active>) -> BTreeMap<Month, History> {
        let days: BTreeSet<Day> = actives.iter().map(|(day, ..)| Day(*day)).collect();
        let days: Vec<Day> = days.into_iter().collect();
        let mut all = Actives::new(&days, LIMIT, 3, &IPS);
        let mut repos = REPO_KEYS.map(|_| RepoActives::new(0));
        let mut months: BTreeMap<Month, MonthHistory> = BTreeMap::new();
        for (index, day) in days.iter().enumerate() {
            let month = months.entry(day.month()).or_default();
            REPO_KEYS.iter().for_each(|key| month.add_key(*key));
            all.begin_day(index, true);
            for one in actives.iter().filter(|one| one.0 == day.get()) {
                let (_, id, country, _) = one;
                all.add_all(&[(*id, *country)]);
                let keys = repos.iter_mut().zip(REPO_KEYS);
                keys.filter(|(_, key)| is_of(*key, one))
                    .for_each(|(repo, _)| repo.add(index, *id));
            }
            all.end_day(month);
        }
        for (repo, key) in repos.into_iter().zip(REPO_KEYS) {
            repo.tell((&days, key), |_| true, &mut months);
        }
        let open = |(month, history): (Month, MonthHistory)| {
            let bytes = history.to_bytes(month).unwrap();
            (
                month,
                History::open(Arc::new(FileBytes::from(bytes))).unwrap(),
            )
        };
        months.into_iter().map(open).collect()
    }

    fn actives() -> impl Strategy<Value = BTreeSet<Active>> {
        let active = (0_u32..100, 0..LIMIT, 0_u32..3, 0_u32..2);
        prop::collection::btree_set(active, 1..150)
    }

    fn is_of(key: HistoryKey, (_, id, country, repo): &Active) -> bool {
        match key {
            HistoryKey::All => true,
            HistoryKey::Users => IPS[0] >> id & 1 == 0,
            HistoryKey::Country(number) => *country == number,
            HistoryKey::Repo(code) => CODES[*repo as usize] == code,
            HistoryKey::RepoCountry(code, number) => {
                CODES[*repo as usize] == code && *country == number
            }
        }
    }

    const KEYS: [HistoryKey; 8] = [
        HistoryKey::All,
        HistoryKey::Users,
        HistoryKey::Country(0),
        HistoryKey::Country(2),
        HistoryKey::Repo(7),
        HistoryKey::Repo(4),
        HistoryKey::RepoCountry(7, 2),
        HistoryKey::RepoCountry(7, 0),
    ];

    const ALL_DAYS: DayRange = (Day(0), Day(200));

    fn counts(
        months: &BTreeMap<Month, History>,
        key: HistoryKey,
        ranges: &[DayRange],
        read: DayRange,
    ) -> Vec<RangeCount> {
        let mut counts = RangeCounts::new(ranges.to_vec());
        for history in months.values() {
            assert!(history.covers(key).unwrap());
            history
                .read(key..=key, read, true, |found, day| {
                    assert_eq!(found, key);
                    counts.add(day);
                })
                .unwrap();
        }
        counts.counts().to_vec()
    }

    proptest! {
        /// The twin has sets.
        #[test]
        fn counts_equal_those_of_sets(
            actives in actives(), key in 0..KEYS.len(),
            firsts in prop::collection::vec(0_u32..100, 1..5), length in 1_u32..60,
        ) {
            let (key, months) = (KEYS[key], built(&actives));
            let mut firsts = firsts;
            firsts.sort_unstable();
            let ids = |from: u32, to: u32| -> BTreeSet<u32> {
                let own = actives.iter().filter(|one| is_of(key, one));
                own.filter(|one| from <= one.0 && one.0 < to).map(|one| one.1).collect()
            };
            let ranges: Vec<DayRange> = firsts.iter().map(|first| (Day(*first), Day(first + length - 1))).collect();
            let wanted = firsts.iter().map(|first| {
                let (here, before) = (ids(*first, first + length), ids(0, *first));
                RangeCount {
                    distinct: here.len() as u64,
                    new: here.difference(&before).count() as u64,
                }
            });
            let wanted: Vec<RangeCount> = wanted.collect();
            prop_assert_eq!(&counts(&months, key, &ranges, ALL_DAYS), &wanted);
            let own = (ranges[0].0, ranges[ranges.len() - 1].1);
            prop_assert_eq!(&counts(&months, key, &ranges, own), &wanted);
        }

        #[test]
        fn many_keys_read_as_each_alone(actives in actives(), first in 0_u32..100, length in 0_u32..60) {
            let months = built(&actives);
            let days = (Day(first), Day(first + length));
            for history in months.values() {
                let read = |from, to, has_bins| {
                    let mut all = Vec::new();
                    history.read(from..=to, days, has_bins, |key, day| {
                        all.push((key, day.day, day.new, day.gaps().collect(), day.counts().collect()));
                    }).unwrap();
                    all
                };
                let keys = history.keys().unwrap().iter();
                let each: Vec<_> = keys.flat_map(|key| read(*key, *key, true)).collect();
                let all = read(HistoryKey::All, HistoryKey::LAST, true);
                prop_assert_eq!(&each, &all);
                let bare = read(HistoryKey::All, HistoryKey::LAST, false);
                let bared = all.iter().map(|(key, day, new, ..)| (*key, *day, *new, vec![], vec![]));
                prop_assert_eq!(bare, bared.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_damaged_history_is_an_error_and_no_panic() {
        let actives = (0..60)
            .map(|n| (n % 30, 1 + n % 11, n % 3, n % 2))
            .collect();
        let months = built(&actives);
        let whole = &months[&Month(0)];
        assert_eq!(whole.keys().unwrap().len(), 9);
        let mut month = MonthHistory::default();
        month.push(HistoryKey::All, Day(3), 5, [(1, 2), (3, 1)].into_iter());
        month.push(HistoryKey::Repo(9), Day(4), 1, [(1, 1)].into_iter());
        let pair = HistoryKey::RepoCountry(9, 3);
        month.push(pair, Day(4), 1, [(1, 1)].into_iter());
        let bytes = month.to_bytes(Month(0)).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let Ok(history) = History::open(Arc::new(FileBytes::from(damaged))) else {
                continue;
            };
            let all = HistoryKey::All..=HistoryKey::LAST;
            let read = history.read(all, ALL_DAYS, true, |_, _| {});
            let is_found = read.is_err() || history.verify().is_err();
            assert!(is_found, "byte {at}");
        }
    }
}

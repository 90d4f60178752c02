//! Stored sums of months to groups.
//!
//! Days that a month's series covers are read together: one slice of a column for each key that the
//! query keeps, with a value for each day. What is read from which table is the plan's business
//! (`cells`).

use std::sync::Arc;

use super::cells::{CellPlan, Source, Sources, has};
use super::groups::{Groups, Key};
use super::lens::OUT;
use super::scope::Wants;
use super::target::Target;
use super::time::DayPart;
use crate::derived::series::{DaySet, SeriesBuffers, bits};
use crate::derived::{Base, Series};
use crate::error::Result;

/// Most days of a month.
const DAYS_MAX: usize = 31;

/// Days of one month that its series covers: all whole, or all cut at hours.
struct MonthDays<'d> {
    series: Arc<Series>,
    set: DaySet,
    days: [Option<&'d DayPart>; DAYS_MAX],
    /// What every day adds to keys, if all add the same.
    part: Option<Key>,
}

impl<'d> MonthDays<'d> {
    fn new(series: Arc<Series>) -> Self {
        Self {
            series,
            set: 0,
            days: [None; DAYS_MAX],
            part: None,
        }
    }

    fn push(&mut self, day: &'d DayPart) {
        let bit = self.series.bit(day.day);
        self.part = match self.part {
            _ if self.set == 0 => Some(day.part),
            known => known.filter(|part| *part == day.part),
        };
        self.set |= bit;
        if let Some(place) = self.days.get_mut(bit.trailing_zeros() as usize) {
            *place = Some(day);
        }
    }

    /// Its days without rows marked internal.
    fn without_internal(&self) -> DaySet {
        let days = self.series.days().iter();
        let internal = days.filter(|day| day.internal_count > 0);
        internal.fold(self.set, |set, day| set & !self.series.bit(day.day))
    }
}

impl CellPlan<'_, '_> {
    /// Adds what series cover of some days; gives, for each of them, what has to come from elsewhere, and
    /// `None` where no series is read.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a series is damaged, `Io`.
    pub(super) fn months(
        &self,
        days: &[DayPart],
        groups: &mut Groups,
    ) -> Result<Vec<Option<Wants>>> {
        let mut rests = vec![None; days.len()];
        let mut buffers = SeriesBuffers::default();
        let mut begin = 0;
        while let Some(first) = days.get(begin) {
            let Some(month) = self.series_of(first) else {
                begin += 1;
                continue;
            };
            let later = days.iter().skip(begin);
            let count = later
                .take_while(|day| self.series_of(day) == Some(month))
                .count();
            let range = begin..begin + count;
            if let (Some(days), Some(rests)) = (days.get(range.clone()), rests.get_mut(range)) {
                self.month(month, (days, rests), &mut buffers, groups)
                    .map_err(|error| self.scope().view.at_series(error, month))?;
            }
            begin += count;
        }
        Ok(rests)
    }

    /// Adds what the series of a month covers of its days.
    fn month(
        &self,
        month: usize,
        (days, rests): (&[DayPart], &mut [Option<Wants>]),
        buffers: &mut SeriesBuffers,
        groups: &mut Groups,
    ) -> Result<()> {
        for sources in [&self.series.whole_days, &self.series.by_hour] {
            let is_own = |day: &DayPart| {
                let own = self.sources_of(day);
                own.is_some_and(|own| std::ptr::eq(own, sources))
            };
            if !days.iter().any(is_own) {
                continue;
            }
            let mut own = MonthDays::new(self.scope().view.series(month)?);
            days.iter()
                .filter(|day| is_own(day))
                .for_each(|day| own.push(day));
            let served = self.add_month(sources, &own, buffers, groups)?;
            for (day, rest) in days.iter().zip(rests.iter_mut()) {
                let bit = own.series.bit(day.day);
                if own.set & bit != 0 {
                    let own = served.iter().filter(|(_, days)| days & bit != 0);
                    let wants = self.scope().wants;
                    *rest = Some(own.fold(wants, |wants, (target, _)| wants.without(*target)));
                }
            }
        }
        Ok(())
    }

    fn add_month(
        &self,
        sources: &Sources,
        month: &MonthDays<'_>,
        buffers: &mut SeriesBuffers,
        groups: &mut Groups,
    ) -> Result<Served> {
        let mut served = Served::with_capacity(sources.0.len());
        let held = sources.held(&month.series, self.listed_repos())?;
        for source in &sources.0 {
            let all = match source.has_internal {
                true => month.without_internal(),
                false => month.set,
            };
            let days = all & held.days(source.target);
            if days == 0 {
                continue;
            }
            self.add_source(source, (month, days), buffers, groups)?;
            served.push((source.target, days));
        }
        Ok(served)
    }

    fn add_source(
        &self,
        source: &Source,
        (month, wanted): (&MonthDays<'_>, DaySet),
        buffers: &mut SeriesBuffers,
        groups: &mut Groups,
    ) -> Result<()> {
        let position = source.table.position(source.measure).unwrap_or(usize::MAX);
        let used = |place: usize| {
            let base = source.table.bases.get(place).copied();
            base.filter(|base| has(source.bases, *base))
        };
        let bases = [used(0), used(1)];
        let listed = bases[0].and_then(|base| self.first_keys(base));
        let read = (source.table, position);
        month.series.read(read, listed, buffers, |cell| {
            let days = cell.days & wanted;
            let (mut key, mut hour, mut counted) = (0, None, 0);
            for (base, code) in bases.iter().zip(cell.keys) {
                if base.is_some() && *base == source.target.counted() {
                    counted = code;
                }
                match base {
                    Some(Base::Hour) => hour = Some(code),
                    Some(base) => match self.code_part(source, *base, code) {
                        OUT => return,
                        part => key += part,
                    },
                    None => {}
                }
            }
            if let (Some(part), None) = (month.part, hour) {
                let sum = sum(cell.values, cell.days, days);
                return groups.add_sum(source.target, (key + part, counted), sum);
            }
            for (day, value) in bits(cell.days).zip(cell.values) {
                let day = month.days.get(day as usize).copied().flatten();
                let Some(day) = day.filter(|day| days & month.series.bit(day.day) != 0) else {
                    continue;
                };
                let part = hour.map_or(day.part, |hour| day.hour_part(hour));
                if part != OUT {
                    groups.add_sum(source.target, (key + part, counted), u64::from(*value));
                }
            }
        })
    }
}

/// What was added, and of which days.
type Served = Vec<(Target, DaySet)>;

/// Sum of the values of those days that are wanted.
fn sum(values: &[u32], days: DaySet, wanted: DaySet) -> u64 {
    if days == wanted {
        return values.iter().map(|value| u64::from(*value)).sum();
    }
    // Days in a row that no other one is between are a part of the values.
    let (first, end) = (
        wanted.trailing_zeros(),
        DaySet::BITS - wanted.leading_zeros(),
    );
    if wanted != 0 && days & below(end) & !below(first) == wanted {
        let place = |day: u32| (days & below(day)).count_ones() as usize;
        let own = values.get(place(first)..place(end)).unwrap_or_default();
        return own.iter().map(|value| u64::from(*value)).sum();
    }
    let pairs = bits(days).zip(values);
    let kept = pairs.filter(|(day, _)| wanted >> day & 1 == 1);
    kept.map(|(_, value)| u64::from(*value)).sum()
}

/// All days before one.
fn below(day: u32) -> DaySet {
    DaySet::MAX.checked_shr(DaySet::BITS - day).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_those_of_the_days_that_are_wanted(days: u32, wanted: u32, (first, count) in (0_u32..32, 0_u32..33)) {
            let values: Vec<u32> = bits(days).map(|day| 1 << (day % 20)).collect();
            let in_a_row = below((first + count).min(DaySet::BITS)) & !below(first);
            for wanted in [wanted & days, in_a_row & days, 0, days] {
                let naive: u64 = bits(wanted).map(|day| 1 << (day % 20)).sum();
                prop_assert_eq!(sum(&values, days, wanted), naive);
            }
        }
    }
}

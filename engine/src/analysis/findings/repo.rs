//! The downloads of large repos to those that are far below or above what is usual on their weekday.
//!
//! A repo is noisier than a whole store, and many are looked at. So only the largest are, a repo says at most
//! once that it fell and once that it rose, the newest day of each, and says nothing of a day on which all of the
//! logs did the same.

use std::collections::{BTreeMap, BTreeSet};

use super::super::calendar::LOGS;
use super::super::expected::{WEEKS, between, median, references};
use super::{RECENT_DAYS, Search};
use crate::error::Result;
use crate::metrics::Metric;
use crate::query::value::{Condition, Query, Test};
use crate::query::{Calendar, Value};
use crate::schema::time::parse_day;
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// How many repos are looked at.
const REPOS: u64 = 50;
/// Fewest downloads that are usual of a repo on a weekday.
const USUAL_MIN: f64 = 100.0;
/// Fewest weeks that say what is usual.
const WEEKS_MIN: usize = 3;
/// How many square roots of what is usual a day is away from it at least.
const DEVIATIONS_MIN: f64 = 10.0;
/// A spike of a repo is that many times one of all logs.
const TIMES: f64 = 2.0;

/// Downloads of a repo by day.
type Course = BTreeMap<Day, u64>;

/// A day that is far from what is usual.
#[derive(Clone, Copy)]
struct Far {
    day: Day,
    count: u64,
    usual: f64,
}

impl Search<'_> {
    /// Falls and spikes of large repos on the newest days.
    pub(super) fn repos(&mut self) -> Result<()> {
        let calendar = self.source.calendar();
        let Some(last) = calendar.newest_complete() else {
            return Ok(());
        };
        let first = Day(last.get().saturating_sub(RECENT_DAYS - 1));
        let common: BTreeSet<(&str, Day)> = self
            .found
            .iter()
            .filter_map(|one| Some((one.kind, one.day.filter(|_| one.source == LOGS)?)))
            .collect();
        let factor = self.limits.factor();
        let mut found = Vec::new();
        for (repo, course) in self.courses((first, last))? {
            let days = (first.get()..=last.get()).map(Day);
            let days = days.filter(|day| !self.known.contains(day));
            let far: Vec<Far> = days
                .filter_map(|day| far(&course, day, &calendar))
                .collect();
            let newest = |common_kind: &str, is_so: &dyn Fn(&Far) -> bool| {
                let is_common = |one: &Far| common.contains(&(common_kind, one.day));
                let mut found = far.iter().filter(|one| is_so(one) && !is_common(one));
                found.next_back().copied()
            };
            let fall = newest("fall", &|one| (one.count as f64) < one.usual * factor);
            let spike = newest("spike", &|one| {
                one.count as f64 * factor > one.usual * TIMES
            });
            found.extend(fall.map(|one| ("repo_fall", "below", repo.clone(), one)));
            found.extend(spike.map(|one| ("repo_spike", "above", repo.clone(), one)));
        }
        for (kind, word, repo, Far { day, count, usual }) in found {
            let text = format!(
                "{LOGS}: {count} downloads of {repo} on {day}, far {word} the usual {usual:.0} of that weekday"
            );
            self.add(kind, LOGS, day, text);
        }
        Ok(())
    }

    /// The downloads of the repos that had most of them, before the days that are looked at and then.
    fn courses(&self, (first, last): (Day, Day)) -> Result<BTreeMap<String, Course>> {
        let first = Day(first.get().saturating_sub(7 * WEEKS));
        let by_repo = Query {
            metrics: vec![Metric::Downloads],
            by: vec![Dimension::Repo],
            top: Some(REPOS),
            ..between(&Query::default(), first, last)
        };
        let largest = self.source.query(&by_repo)?;
        let names = largest
            .rows
            .into_iter()
            .filter_map(|row| match row.first() {
                Some(Value::Text(name)) => Some(name.clone()),
                _ => None,
            });
        let is_one = Condition::Where(Dimension::Repo, Test::In(names.collect()));
        let answer = self.source.query(&Query {
            by: vec![Dimension::Repo, Dimension::Time(TimeUnit::Day)],
            filter: vec![is_one],
            top: None,
            ..by_repo
        })?;
        let mut courses: BTreeMap<String, Course> = BTreeMap::new();
        for row in &answer.rows {
            if let [Value::Text(repo), Value::Text(day), Value::Int(count)] = row.as_slice()
                && let Some(day) = parse_day(day)
            {
                courses.entry(repo.clone()).or_default().insert(day, *count);
            }
        }
        Ok(courses)
    }
}

/// A day, if it is far from what is usual on its weekday.
fn far(course: &Course, day: Day, calendar: &Calendar) -> Option<Far> {
    let count = |day: &Day| course.get(day).copied().unwrap_or(0);
    let before = references(day, calendar);
    let usual = median(before.iter().map(|day| count(day) as f64))?;
    let count = count(&day);
    let is_far = (count as f64 - usual).abs() >= DEVIATIONS_MIN * usual.sqrt();
    let is_known = calendar.is_complete(day) && before.len() >= WEEKS_MIN && usual >= USUAL_MIN;
    (is_far && is_known).then_some(Far { day, count, usual })
}

//! Questions of pages to the answers that they had before.
//!
//! A page asks some questions for several of its panels, and the next page mostly the same. What is asked for while it
//! is being found out is waited for, and not found out twice.
//!
//! # Invariants
//!
//! 1. An answer is kept under the commit, the restriction and the text of its question: what a reader may not see is
//!    not in what it is given.
//! 2. At most [`VALUES_MAX`] values are kept, those that were asked for last.
//! 3. A question that failed is asked again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use footfall_engine::Result;
use footfall_engine::hub::Revisions;
use footfall_engine::query::Answer;
use footfall_engine::store::Status;
use footfall_engine::units::Day;

/// Most values that are kept, of some 50 bytes each.
const VALUES_MAX: usize = 2_000_000;

/// The answer of one question, once it was found out.
type Place = Arc<Mutex<Option<Arc<Answer>>>>;

/// Answers that were given.
#[derive(Default)]
pub(crate) struct Answers {
    kept: Mutex<Kept>,
    /// What is there, at a commit and on a day.
    pub(crate) status: Last<(u64, Day), Status>,
    /// What the Hub said differently later, at a commit.
    pub(crate) revisions: Last<u64, Arc<Revisions>>,
}

/// What was found out last, and of what.
pub(crate) struct Last<K, V>(Mutex<Option<(K, V)>>);

impl<K, V> Default for Last<K, V> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, V: Clone> Last<K, V> {
    /// What is kept of it, else what is found out now.
    ///
    /// # Errors
    ///
    /// Those of `find`.
    pub(crate) fn get(&self, of: K, find: impl FnOnce() -> Result<V>) -> Result<V> {
        let mut kept = lock(&self.0);
        if let Some((known, value)) = &*kept
            && *known == of
        {
            return Ok(value.clone());
        }
        let value = find()?;
        *kept = Some((of, value.clone()));
        Ok(value)
    }
}

#[derive(Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    values: usize,
    /// How often something was asked for.
    asked: u64,
}

struct Entry {
    place: Place,
    values: usize,
    last_asked: u64,
}

impl Answers {
    /// The answer that is kept under a key, else what is found out now.
    ///
    /// # Errors
    ///
    /// Those of `find`.
    pub(crate) fn get(
        &self,
        key: &str,
        find: impl FnOnce() -> Result<Answer>,
    ) -> Result<Arc<Answer>> {
        let place = self.lock().place(key);
        let mut kept = lock(&place);
        if let Some(answer) = &*kept {
            return Ok(Arc::clone(answer));
        }
        let answer = Arc::new(find()?);
        *kept = Some(Arc::clone(&answer));
        drop(kept);
        let values = answer.rows.len() * answer.columns.len();
        self.lock().grow(key, values.max(1));
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

impl Kept {
    fn place(&mut self, key: &str) -> Place {
        self.asked += 1;
        let entry = self.entries.entry(key.to_owned()).or_insert_with(|| Entry {
            place: Place::default(),
            values: 0,
            last_asked: 0,
        });
        entry.last_asked = self.asked;
        Arc::clone(&entry.place)
    }

    /// Notes how large an answer is, and lets go of those that nobody asked for in the longest time.
    fn grow(&mut self, key: &str, values: usize) {
        if let Some(entry) = self.entries.get_mut(key) {
            self.values += values - std::mem::replace(&mut entry.values, values).min(values);
        }
        while self.values > VALUES_MAX {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, entry)| entry.last_asked);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            let values = self.entries.remove(&oldest).map_or(0, |entry| entry.values);
            self.values -= values.min(self.values);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is half done when a question panics: its place is empty.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::Error;
    use footfall_engine::query::{Column, ColumnType, Value};

    fn answer(rows: usize) -> Answer {
        let column = Column {
            name: "requests".to_owned(),
            kind: ColumnType::Int,
        };
        Answer {
            columns: vec![column],
            rows: vec![vec![Value::Int(7)]; rows],
            ..Answer::default()
        }
    }

    #[test]
    fn a_question_is_asked_once_unless_it_failed() {
        let answers = Answers::default();
        assert!(answers.get("a", || Err(Error::invalid("no"))).is_err());
        assert_eq!(answers.get("a", || Ok(answer(1))).unwrap().rows.len(), 1);
        let again = answers.get("a", || Err(Error::invalid("asked again")));
        assert_eq!(again.unwrap().rows.len(), 1);
        assert_eq!(answers.get("b", || Ok(answer(2))).unwrap().rows.len(), 2);
    }

    #[test]
    fn what_was_not_asked_for_in_the_longest_time_goes_first() {
        let answers = Answers::default();
        for key in ["a", "b", "a", "c"] {
            answers.get(key, || Ok(answer(VALUES_MAX / 2))).unwrap();
        }
        let kept = answers.lock();
        assert_eq!(kept.values, VALUES_MAX);
        assert!(kept.entries.contains_key("a") && !kept.entries.contains_key("b"));
    }

    #[test]
    fn who_asks_at_the_same_time_waits_for_one_answer() {
        let (answers, count) = (Answers::default(), std::sync::atomic::AtomicU64::new(0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    answers.get("a", || {
                        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        Ok(answer(1))
                    })
                });
            }
        });
        assert_eq!(count.into_inner(), 1);
    }
}

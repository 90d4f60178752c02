//! Imports, one after the other, to what holds after each.
//!
//! A history holds the newest import of each repo and lets go of those that are replaced, so that a
//! walk over years of imports needs the memory of a few.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::import::{HubHead, HubImport};
use super::revision::{Move, Revisions};
use super::series::Series;
use super::state::HubState;
use super::table::HubRepo;
use crate::error::{Error, Result};
use crate::units::{Day, ImportNumber, TimestampMs};

/// Positions in `heads` of the imports that were known at `as_of` (`None`: now), in the order in which
/// they take effect.
#[must_use]
pub fn known(heads: &[HubHead], as_of: Option<TimestampMs>) -> Vec<usize> {
    let mut positions: Vec<_> = heads
        .iter()
        .enumerate()
        .filter(|(_, head)| as_of.is_none_or(|as_of| head.known_at <= as_of))
        .map(|(position, head)| (head.order_key(), position))
        .collect();
    positions.sort_unstable();
    positions
        .into_iter()
        .map(|(_, position)| position)
        .collect()
}

/// Those of [`known`] that still have a say: not every org of theirs was replaced by a later snapshot.
///
/// Folding these gives the same state as folding all.
#[must_use]
pub fn needed(heads: &[HubHead], as_of: Option<TimestampMs>) -> Vec<usize> {
    let mut replaced: HashSet<Option<&str>> = HashSet::new();
    let mut needed = Vec::new();
    for position in known(heads, as_of).into_iter().rev() {
        let Some(head) = heads.get(position) else {
            continue;
        };
        let orgs = || head.orgs.iter().map(Option::as_deref);
        if orgs().any(|org| !replaced.contains(&org)) {
            needed.push(position);
        }
        if !head.partial {
            replaced.extend(orgs());
        }
    }
    needed.reverse();
    needed
}

/// A repo that has values now.
#[derive(Clone, Debug)]
pub(super) struct Current {
    /// The newest import that names the repo, and where in its table: gives total and place.
    pub(super) home: Arc<HubImport>,
    pub(super) home_index: usize,
    pub(super) series: Series,
}

impl Current {
    /// Type, name and total of the repo, as the newest import has them.
    pub(super) fn repo(&self) -> Option<&HubRepo> {
        self.home.table.repos().get(self.home_index)
    }
}

/// What holds after some imports. See the module docs.
#[derive(Debug, Default)]
pub struct HubHistory {
    /// By type, NUL and name.
    repos: HashMap<Box<str>, Current>,
    applied: Option<(TimestampMs, ImportNumber)>,
}

impl HubHistory {
    /// Nothing imported.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next import, which must not be older than those before it ([`HubImport::order_key`]).
    ///
    /// # Errors
    ///
    /// `Invalid` when it is.
    pub fn apply(&mut self, import: &Arc<HubImport>) -> Result<()> {
        self.check_order(import)?;
        self.advance(import, None);
        Ok(())
    }

    /// As [`HubHistory::apply`], and adds to `revisions` what the import changed.
    ///
    /// # Errors
    ///
    /// `Invalid` when it is older than one before it.
    pub fn apply_listing(
        &mut self,
        import: &Arc<HubImport>,
        revisions: &mut Revisions,
    ) -> Result<()> {
        self.check_order(import)?;
        self.advance(import, Some(revisions));
        Ok(())
    }

    fn check_order(&self, import: &HubImport) -> Result<()> {
        if self.applied > Some(import.order_key()) {
            let message = format!("hub import {} out of order", import.number.get());
            return Err(Error::invalid(message));
        }
        Ok(())
    }

    /// What holds now.
    #[must_use]
    pub fn state(&self) -> HubState {
        HubState::collect(self.repos.values())
    }

    pub(super) fn advance(&mut self, import: &Arc<HubImport>, revisions: Option<&mut Revisions>) {
        self.applied = Some(import.order_key());
        let mut moves = revisions
            .is_some()
            .then(|| Move::new(import, self.newest_days()));
        let mut key = String::new();
        for (repo_index, repo) in import.table.repos().iter().enumerate() {
            key.clear();
            key.extend([&repo.repo_type, "\0", &repo.repo]);
            let known = self.repos.get_mut(key.as_str());
            if let Some(moves) = &mut moves {
                moves.compare(known.as_deref(), Some(repo_index));
            }
            let whole = || Series::Whole(Arc::clone(import), repo_index);
            match known {
                None => {
                    let current = Current {
                        home: Arc::clone(import),
                        home_index: repo_index,
                        series: whole(),
                    };
                    self.repos.insert(key.as_str().into(), current);
                }
                Some(current) => {
                    current.home = Arc::clone(import);
                    current.home_index = repo_index;
                    if import.partial {
                        current.series.overlay(import, repo_index);
                    } else {
                        current.series = whole();
                    }
                }
            }
        }
        if !import.partial {
            self.drop_unnamed(import, moves.as_mut());
        }
        if let (Some(moves), Some(revisions)) = (moves, revisions) {
            moves.finish(revisions);
        }
    }

    /// Lets go of the repos of a snapshot's orgs that it does not name.
    fn drop_unnamed(&mut self, import: &Arc<HubImport>, mut moves: Option<&mut Move<'_>>) {
        let orgs: HashSet<_> = import.table.orgs().into_iter().collect();
        self.repos.retain(|_, current| {
            let is_covered = current
                .repo()
                .is_some_and(|repo| orgs.contains(&repo.org()));
            let stays = !is_covered || Arc::ptr_eq(&current.home, import);
            if let (false, Some(moves)) = (stays, &mut moves) {
                moves.compare(Some(current), None);
            }
            stays
        });
    }

    /// The newest day of each org that has values.
    fn newest_days(&self) -> HashMap<Option<String>, Day> {
        let mut newest: HashMap<Option<&str>, Day> = HashMap::new();
        for current in self.repos.values() {
            let (days, _) = current.series.values();
            if let (Some(repo), Some(day)) = (current.repo(), days.last()) {
                let known = newest.entry(repo.org()).or_insert(*day);
                *known = (*known).max(*day);
            }
        }
        let owned = |(org, day): (Option<&str>, Day)| (org.map(str::to_owned), day);
        newest.into_iter().map(owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::revision::revisions;
    use super::super::samples::{Key, any_rows, csv_of, import, total_of};
    use super::*;
    use crate::schema::repo::org;

    /// Value and the number of the import it came from, by repo and day.
    type Cells = BTreeMap<(Key, Day), (u64, u32)>;

    /// (import, old import), repo, day, (old, new), was complete.
    type Moved = (
        (u32, Option<u32>),
        Key,
        Day,
        (Option<u64>, Option<u64>),
        bool,
    );

    /// What holds, value by value, as the definitions say it.
    #[derive(Default)]
    struct Replay {
        cells: Cells,
        totals: BTreeMap<Key, (u64, u32)>,
        moved: Vec<Moved>,
        growth: u64,
    }

    impl Replay {
        fn take(&mut self, import: &HubImport) {
            let table = &import.table;
            let is_covered = |key: &Key| {
                !import.partial && table.repos().iter().any(|repo| repo.org() == org(&key.1))
            };
            let old = self.cells.clone();
            self.cells.retain(|(key, _), _| !is_covered(key));
            self.totals.retain(|key, _| !is_covered(key));
            for (index, repo) in table.repos().iter().enumerate() {
                let key = (repo.repo_type.clone(), repo.repo.clone());
                let (days, downloads) = table.series(index);
                for (day, value) in days.iter().zip(downloads) {
                    self.cells
                        .insert((key.clone(), *day), (*value, import.number.get()));
                }
                self.totals.insert(key, (repo.total, import.number.get()));
            }
            self.list(import.number.get(), &old);
        }

        fn list(&mut self, number: u32, old: &Cells) {
            let newest = old.keys().map(|(_, day)| *day).max();
            let mut all: Vec<_> = old.keys().chain(self.cells.keys()).collect();
            all.sort();
            all.dedup();
            for cell in all {
                let (before, now) = (old.get(cell), self.cells.get(cell));
                if before.map(|(value, _)| value) == now.map(|(value, _)| value) {
                    continue;
                }
                let (key, day) = cell;
                let same_org = old.keys().filter(|(other, _)| org(&other.1) == org(&key.1));
                let org_newest = same_org.map(|(_, day)| day).max();
                if before.is_none() && org_newest < Some(day) {
                    self.growth += u64::from(org_newest.is_some());
                    continue;
                }
                let imports = (number, before.map(|(_, import)| *import));
                let values = (
                    before.map(|(value, _)| *value),
                    now.map(|(value, _)| *value),
                );
                self.moved
                    .push((imports, key.clone(), *day, values, newest > Some(*day)));
            }
        }
    }

    fn cells_of(state: &HubState) -> Cells {
        let mut cells = Cells::new();
        for (index, repo) in state.repos().iter().enumerate() {
            let key = (repo.repo_type.clone(), repo.repo.clone());
            let (days, downloads) = state.days(index);
            assert!(!days.is_empty() && days.is_sorted_by(|left, right| left < right));
            for ((day, value), import) in days.iter().zip(downloads).zip(state.provenance(index)) {
                cells.insert((key.clone(), *day), (*value, import.get()));
            }
        }
        assert_eq!(cells.len() as u64, state.row_count());
        cells
    }

    fn any_imports() -> impl Strategy<Value = Vec<Arc<HubImport>>> {
        let one = (any_rows(12), 0_u64..4, any::<bool>(), 0_u64..4);
        prop::collection::vec(one, 1..6).prop_map(|imports| {
            (1..)
                .zip(imports)
                .map(|(number, (rows, known_at, partial, seed))| {
                    import(number, known_at, partial, &csv_of(&rows, seed))
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn fold_and_revisions_equal_a_replay(imports in any_imports(), as_of in 0_u64..5) {
            let as_of = Some(TimestampMs(as_of)).filter(|as_of| as_of.get() < 4);
            let mut ordered = imports.clone();
            ordered.sort_by_key(|import| (import.known_at, import.number));
            ordered.retain(|import| as_of.is_none_or(|as_of| import.known_at <= as_of));
            let mut replay = Replay::default();
            for import in &ordered {
                replay.take(import);
            }
            let state = HubState::fold(&imports, as_of);
            prop_assert_eq!(&cells_of(&state), &replay.cells);
            for (index, repo) in state.repos().iter().enumerate() {
                let total = (repo.total, state.total_import(index).unwrap().get());
                prop_assert_eq!(replay.totals.get(&(repo.repo_type.clone(), repo.repo.clone())), Some(&total));
                prop_assert_eq!(state.find(&repo.repo_type, &repo.repo), Some(index));
            }
            let mut days: Vec<_> = replay.cells.keys().map(|(_, day)| *day).collect();
            days.sort();
            days.dedup();
            prop_assert_eq!(state.present_days(), &days);
            let complete: Vec<_> = days.iter().copied().filter(|day| state.is_complete(*day)).collect();
            prop_assert_eq!(complete.last().copied(), state.newest_complete_day());
            prop_assert_eq!(complete.len() + usize::from(!days.is_empty()), days.len());

            let found = revisions(&ordered);
            prop_assert_eq!(found.growth, replay.growth);
            let listed: Vec<_> = found
                .days
                .into_iter()
                .map(|r| {
                    let key = (r.repo_type.to_string(), r.repo.to_string());
                    let old_import = r.old_import.map(ImportNumber::get);
                    ((r.import.get(), old_import), key, r.day, (r.old, r.new), r.was_complete)
                })
                .collect();
            prop_assert_eq!(listed, replay.moved);
        }

        #[test]
        fn what_is_not_needed_changes_nothing(imports in any_imports()) {
            let heads: Vec<_> = imports.iter().map(|import| import.head()).collect();
            let all = HubState::fold(&imports, None);
            let needed: Vec<_> = needed(&heads, None).into_iter().map(|i| Arc::clone(&imports[i])).collect();
            let some = HubState::fold(&needed, None);
            prop_assert_eq!(all.repos(), some.repos());
            prop_assert_eq!(cells_of(&all), cells_of(&some));
        }
    }

    fn rows(list: &[(&str, u32, u64)]) -> String {
        let key = |repo: &str| ("model".to_owned(), repo.to_owned());
        let rows: Vec<_> = list
            .iter()
            .map(|(repo, day, value)| (key(repo), Day(*day), *value))
            .collect();
        csv_of(&rows, 0)
    }

    fn names(state: &HubState) -> Vec<&str> {
        state
            .repos()
            .iter()
            .map(|repo| repo.repo.as_str())
            .collect()
    }

    #[test]
    fn a_snapshot_replaces_its_orgs_and_a_partial_one_overlays() {
        let first = import(
            1,
            10,
            false,
            &rows(&[("a/x", 11_000, 1), ("a/y", 11_000, 2), ("b/z", 11_000, 3)]),
        );
        let second = import(2, 20, false, &rows(&[("a/y", 11_001, 5)]));
        let third = import(
            3,
            30,
            true,
            &rows(&[("b/z", 11_001, 7), ("b/new", 11_000, 1)]),
        );
        let imports = [third, first, second];
        let state = HubState::fold(&imports, None);
        assert_eq!(names(&state), ["b/z", "b/new", "a/y"]);
        assert_eq!(
            state.days(0),
            (&[Day(11_000), Day(11_001)][..], &[3, 7][..])
        );
        assert!(state.provenance(0).eq([ImportNumber(1), ImportNumber(3)]));
        assert_eq!(state.days(2), (&[Day(11_001)][..], &[5][..]));
        assert_eq!(
            names(&HubState::fold(&imports, Some(TimestampMs(29)))),
            ["a/y", "b/z"]
        );
        assert_eq!(
            names(&HubState::fold(&imports, Some(TimestampMs(10)))),
            ["a/x", "a/y", "b/z"]
        );
        assert!(HubState::fold(&imports, Some(TimestampMs(9))).is_empty());
        let heads: Vec<_> = imports.iter().map(|import| import.head()).collect();
        assert_eq!(needed(&heads, None), [1, 2, 0]);
        assert_eq!(needed(&heads[1..], Some(TimestampMs(20))), [0, 1]);
        let again = import(
            4,
            40,
            false,
            &rows(&[("a/x", 11_000, 1), ("b/z", 11_000, 1)]),
        )
        .head();
        let heads: Vec<_> = heads.into_iter().chain([again]).collect();
        assert_eq!(needed(&heads, None), [3]);
        assert_eq!(known(&heads, None), [1, 2, 0, 3]);
    }

    #[test]
    fn a_partial_import_a_day_makes_what_one_snapshot_makes() {
        let repos = ["a/x", "a/y", "b/z"];
        let all = |days: std::ops::Range<u32>| -> Vec<_> {
            let on = |day| repos.map(|repo| (repo, day, u64::from(day)));
            days.flat_map(on).collect()
        };
        let daily: Vec<_> = (1..=1500)
            .map(|number| {
                let today = 11_000 + number;
                let csv = rows(&all(today - 1..today + 1));
                import(number, u64::from(number), true, &csv)
            })
            .collect();
        let whole = import(1, 1, false, &rows(&all(11_000..12_501)));
        let (state, want) = (HubState::fold(&daily, None), HubState::fold(&[whole], None));
        assert_eq!(state.row_count(), 3 * 1501);
        assert_eq!(
            (state.repos(), state.present_days()),
            (want.repos(), want.present_days())
        );
        for index in 0..repos.len() {
            assert_eq!(state.days(index), want.days(index));
            assert_eq!(state.provenance(index).last(), Some(ImportNumber(1500)));
        }
        let found = revisions(&daily);
        assert_eq!((found.days.len(), found.growth), (0, 3 * 1499));
    }

    #[test]
    fn a_history_refuses_what_is_older() {
        let (old, new) = (
            import(1, 5, false, &rows(&[("a/x", 11_000, 1)])),
            import(2, 4, false, &rows(&[("a/x", 11_000, 1)])),
        );
        let mut history = HubHistory::new();
        history.apply(&old).unwrap();
        assert!(history.apply(&new).is_err());
        history.apply(&old).unwrap();
        assert_eq!(history.state().row_count(), 1);
    }

    #[test]
    fn a_total_that_moves_by_more_than_its_days_is_listed() {
        let csv = |total: u64, value: u64| {
            let repo = HubRepo {
                repo_type: "model".into(),
                repo: "a/x".into(),
                total,
            };
            format!(
                "{}\n{},{},{total},2013-01-01T00:00:00.000Z,{value}\n",
                super::super::HUB_HEADER.join(","),
                repo.repo_type,
                repo.repo
            )
        };
        let imports = [
            import(1, 1, false, &csv(100, 5)),
            import(2, 2, false, &csv(102, 7)),
            import(3, 3, false, &csv(90, 7)),
        ];
        let found = revisions(&imports);
        assert_eq!(found.days.len(), 1);
        let [total] = found.totals.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (total.import.get(), total.old, total.new, total.days_moved),
            (3, 102, Some(90), 0)
        );
        assert_eq!(total_of("a/x", 0), 300);
    }
}

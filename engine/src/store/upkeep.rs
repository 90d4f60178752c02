//! Derived files of months to what the rows give.

use super::Store;
use crate::catalog::upkeep::{Extent, UpkeepOptions, UpkeepProgress, UpkeepReport, upkeep};
use crate::error::Result;

impl Store {
    /// Builds all derived files of months anew, from rows.
    ///
    /// # Errors
    ///
    /// See [`upkeep`].
    pub fn rebuild(&self, tell: &mut dyn FnMut(UpkeepProgress)) -> Result<UpkeepReport> {
        upkeep(&self.catalog, &UpkeepOptions::new(Extent::All), tell)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::catalog::upkeep::is_done;
    use crate::catalog::{BuiltFrom, Catalog};
    use crate::ingest::pipeline::Options;
    use crate::query::{Level, text};
    use crate::storage::simulated::{Disk, SimulatedFileSystem};
    use crate::storage::{FileSystem, FixedClock};
    use crate::units::Day;

    const DIR: &str = "/stores/store";
    const EARLY: &str =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region
2024-05-01T10:00:00Z,200,GET,a/x,model,u1,,DE,Berlin
2024-05-31T10:00:00Z,200,GET,b/y,model,u1,,DE,Berlin
";
    const LATE: &str =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region
2024-05-01T09:00:00Z,200,GET,b/y,model,u2,,FR,Paris
2024-06-01T23:30:00Z,200,GET,b/y,dataset,,i1,US,Ohio
";
    /// Crashes of each state of the disk.
    const SEEDS: u64 = 12;

    fn open(disk: Disk) -> (Arc<SimulatedFileSystem>, Catalog) {
        let fs = Arc::new(SimulatedFileSystem::new(disk, |_, _| false));
        let shared = Arc::<SimulatedFileSystem>::clone(&fs);
        (fs, Catalog::open(shared, Path::new(DIR)).unwrap())
    }

    /// A disk with a store of several days, one of them of two segments; all of it is stable.
    fn disk() -> Disk {
        let real = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(&real.path().join("store")).unwrap();
        for (name, text) in [("early.csv", EARLY), ("late.csv", LATE)] {
            let path = real.path().join(name);
            fs::write(&path, text).unwrap();
            let options = Options::new(1, Arc::new(FixedClock(Day(20_000).start())));
            store.ingest(&[path], &options, &mut |_| {}).unwrap();
        }
        let machine = SimulatedFileSystem::new(Disk::default(), |_, _| false);
        for dir in ["/stores", DIR] {
            machine.create_dir(Path::new(dir)).unwrap();
        }
        for entry in fs::read_dir(store.dir()).unwrap() {
            let path = entry.unwrap().path();
            let to = Path::new(DIR).join(path.file_name().unwrap());
            let mut file = machine.create_new(&to).unwrap();
            file.append(&fs::read(&path).unwrap()).unwrap();
            file.sync().unwrap();
        }
        for dir in ["/", "/stores", DIR] {
            machine.sync_dir(Path::new(dir)).unwrap();
        }
        machine.disk()
    }

    /// Makes the months' files look as if some days had got rows after them.
    fn uncover(catalog: &Catalog) {
        let mut transaction = catalog.begin().unwrap();
        for entry in &mut transaction.manifest_mut().months {
            if let BuiltFrom::Days(days) = &mut entry.built_from {
                days.pop();
            }
        }
        transaction.commit().unwrap();
    }

    /// Rows of an answer from a level.
    fn answer(store: &Store, level: Level) -> Vec<String> {
        let query = text::parse("requests, downloads by day, repo, country").unwrap();
        let answer = store.evaluate_from(level, &query).unwrap();
        answer.rows.iter().map(|row| format!("{row:?}")).collect()
    }

    #[test]
    fn power_that_goes_during_upkeep_changes_no_answer() {
        let (fs, catalog) = open(disk());
        uncover(&catalog);
        fs.sync_dir(Path::new(DIR)).unwrap();
        let expected = answer(&Store::of(catalog.clone()), Level::Rows);
        assert_eq!(expected.len(), 4);
        fs.take_history();
        let report = upkeep(&catalog, &UpkeepOptions::new(Extent::Stale), &mut |_| {}).unwrap();
        assert!(report.files >= 2);
        let history = fs.take_history();
        let last = history.len() - 1;
        let mut done = [0, 0];
        for (step, disk) in history.into_iter().enumerate() {
            for seed in 0..SEEDS {
                let (_, catalog) = open(disk.crash(seed));
                let snapshot = catalog.snapshot().unwrap();
                assert!(snapshot.verify_files().is_empty(), "step {step}");
                let is_done = is_done(snapshot.manifest());
                done[usize::from(is_done)] += 1;
                assert!(is_done || step < last, "seed {seed}");
                drop(snapshot);
                let store = Store::of(catalog.clone());
                assert_eq!(answer(&store, Level::Series), expected, "step {step}");
                upkeep(&catalog, &UpkeepOptions::new(Extent::Stale), &mut |_| {}).unwrap();
                assert_eq!(answer(&store, Level::Series), expected, "step {step}");
            }
        }
        assert!(done[0] > 0 && done[1] > 0, "{done:?}");
    }
}

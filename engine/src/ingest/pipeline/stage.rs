//! The stages of an ingest to the seconds they took, summed over all threads.
//!
//! To add one: its variant, its line in [`STAGES`], and [`Stages::time`] around the work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

/// What a thread may be busy with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Reading files, decompressing and hashing their content, looking for lines.
    Read,
    /// Lines to columns of a piece.
    Parse,
    /// Codes of pieces to codes of the store.
    Code,
    /// Rows of a day to its segment.
    Build,
    /// A segment to what is derived from it.
    Derive,
    /// Files to the disk, and their commit.
    Store,
    /// Workers without work.
    Idle,
}

/// Every stage, by name.
const STAGES: [(Stage, &str); 7] = [
    (Stage::Read, "read"),
    (Stage::Parse, "parse"),
    (Stage::Code, "code"),
    (Stage::Build, "build"),
    (Stage::Derive, "derive"),
    (Stage::Store, "store"),
    (Stage::Idle, "idle"),
];

/// How long a stage took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StageTime {
    /// Its name.
    pub stage: &'static str,
    /// Seconds, summed over all threads.
    pub seconds: f64,
}

/// Time taken so far, in nanoseconds by stage.
#[derive(Debug, Default)]
pub(super) struct Stages([AtomicU64; STAGES.len()]);

impl Stages {
    /// Does `work`, which belongs to `stage`.
    pub(super) fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(sum) = self.0.get(stage as usize) {
            sum.fetch_add(took, Ordering::Relaxed);
        }
        done
    }

    /// Seconds that a stage took so far.
    pub(super) fn seconds(&self, stage: Stage) -> f64 {
        let sum = self.0.get(stage as usize);
        sum.map_or(0.0, |sum| sum.load(Ordering::Relaxed) as f64 / 1e9)
    }

    /// All stages.
    pub(super) fn all(&self) -> Vec<StageTime> {
        let times = STAGES.iter().map(|&(stage, name)| StageTime {
            stage: name,
            seconds: self.seconds(stage),
        });
        times.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_its_stage() {
        let stages = Stages::default();
        assert_eq!(stages.time(Stage::Idle, || 7), 7);
        for (stage, _) in STAGES {
            assert_eq!(stages.seconds(stage) > 0.0, stage == Stage::Idle);
        }
        let names: Vec<_> = stages.all().iter().map(|time| time.stage).collect();
        assert_eq!(names.last(), Some(&"idle"));
    }
}

//! The stages of an ingest to the seconds they took, and how many of these a core was at it, summed over all threads.
//!
//! To add one: its variant, its line in [`STAGES`], and [`Stages::time`] around the work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, Timespec, clock_gettime};
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
    /// CPU seconds of them: what is left of the others is waiting, for a disk or for a core.
    pub cpu_seconds: f64,
}

/// Nanoseconds taken so far.
#[derive(Debug, Default)]
struct Taken {
    wall: AtomicU64,
    cpu: AtomicU64,
}

/// Time taken so far, by stage.
#[derive(Debug, Default)]
pub(super) struct Stages([Taken; STAGES.len()]);

impl Stages {
    /// Does `work`, which belongs to `stage`.
    pub(super) fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let (started, started_cpu) = (Instant::now(), thread_cpu_ns());
        let done = work();
        let wall = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(taken) = self.0.get(stage as usize) {
            taken.wall.fetch_add(wall, Ordering::Relaxed);
            let cpu = thread_cpu_ns().saturating_sub(started_cpu);
            taken.cpu.fetch_add(cpu, Ordering::Relaxed);
        }
        done
    }

    /// All stages.
    pub(super) fn all(&self) -> Vec<StageTime> {
        let times = STAGES
            .iter()
            .zip(&self.0)
            .map(|(&(_, name), taken)| StageTime {
                stage: name,
                seconds: seconds(&taken.wall),
                cpu_seconds: seconds(&taken.cpu),
            });
        times.collect()
    }
}

fn seconds(nanoseconds: &AtomicU64) -> f64 {
    nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
}

/// CPU time of this thread so far, in nanoseconds.
fn thread_cpu_ns() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(tv_nsec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_its_stage() {
        let stages = Stages::default();
        assert_eq!(stages.time(Stage::Idle, || 7), 7);
        for time in stages.all() {
            assert_eq!(time.seconds > 0.0, time.stage == "idle");
        }
    }

    #[test]
    fn waiting_takes_no_cpu_time() {
        let stages = Stages::default();
        let pause = std::time::Duration::from_millis(50);
        stages.time(Stage::Store, || std::thread::sleep(pause));
        let store = stages.all().into_iter().find(|time| time.stage == "store");
        let store = store.unwrap();
        assert!(
            store.seconds >= 0.05 && store.cpu_seconds < 0.04,
            "{store:?}"
        );
    }
}

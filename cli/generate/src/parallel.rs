//! Days to results on several threads, in the order of the days.

use footfall_engine::Result;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;

enum Message<T> {
    Rows(u64),
    Day(u32, Result<T>),
}

/// Calls `work` for every one of `days` and gives its results in the order of the days, or the
/// error of the earliest day that failed. What `work` reports goes to `progress`, on this thread.
pub(crate) fn each_day<T: Send>(
    days: Range<u32>,
    threads: u32,
    work: impl Fn(u32, &dyn Fn(u64)) -> Result<T> + Sync,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<T>> {
    let next = AtomicU32::new(days.start);
    let stop = AtomicBool::new(false);
    let mut results: Vec<(u32, Result<T>)> = Vec::with_capacity(days.len());
    std::thread::scope(|scope| {
        let (sender, messages) = mpsc::channel();
        for _ in 0..threads.min(days.end - days.start) {
            let sender = sender.clone();
            let (next, stop, work, days) = (&next, &stop, &work, &days);
            scope.spawn(move || {
                // A receiver that is gone has no use for the rest.
                let report = |rows| drop(sender.send(Message::Rows(rows)));
                loop {
                    let day = next.fetch_add(1, Ordering::Relaxed);
                    if day >= days.end || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let result = work(day, &report);
                    stop.fetch_or(result.is_err(), Ordering::Relaxed);
                    drop(sender.send(Message::Day(day, result)));
                }
            });
        }
        drop(sender);
        for message in messages {
            match message {
                Message::Rows(rows) => progress(rows),
                Message::Day(day, result) => results.push((day, result)),
            }
        }
    });
    results.sort_by_key(|&(day, _)| day);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::Error;

    #[test]
    fn results_come_in_order() {
        let mut rows = 0;
        let work = |day: u32, report: &dyn Fn(u64)| {
            report(u64::from(day));
            Ok(day * 2)
        };
        let results = each_day(10..50, 3, work, &mut |more| rows += more).unwrap();
        assert_eq!(results, (10..50).map(|day| day * 2).collect::<Vec<_>>());
        assert_eq!(rows, (10..50).sum::<u64>());
    }

    #[test]
    fn the_first_error_wins_and_ends_the_work() {
        let work = |day: u32, _: &dyn Fn(u64)| match day {
            0..3 => Ok(()),
            day => Err(Error::invalid(format!("day {day}"))),
        };
        let error = each_day(0..1_000, 2, work, &mut |_| {}).unwrap_err();
        assert!(error.message().starts_with("day "), "{error}");
    }
}

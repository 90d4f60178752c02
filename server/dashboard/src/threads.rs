//! Tasks to their results, on two threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The results of tasks, in their order.
pub(crate) fn side_by_side<T: Sync, R: Send>(tasks: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if let [one] = tasks {
        return vec![run(one)];
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(at) else {
                return done;
            };
            done.push((at, run(task)));
        }
    };
    let mut done = thread::scope(|threads| {
        let other = threads.spawn(work);
        let mut done = work();
        match other.join() {
            Ok(others) => done.extend(others),
            // As on one thread: who waits for the results hears of it.
            Err(panic) => std::panic::resume_unwind(panic),
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_tasks() {
        let tasks: Vec<u64> = (0..100).collect();
        let doubled: Vec<u64> = tasks.iter().map(|task| task * 2).collect();
        assert_eq!(side_by_side(&tasks, |task| task * 2), doubled);
        assert_eq!(side_by_side(&[], |task: &u64| *task), Vec::<u64>::new());
    }
}

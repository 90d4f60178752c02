//! How far a long command is, on one line of the terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::size::{show_bytes, show_count};
use crate::term;

/// Nothing is shown before.
const QUIET_FIRST: Duration = Duration::from_secs(1);
/// At most one line in this time.
const EVERY: Duration = Duration::from_millis(200);

/// A line that is written over and over, and removed in the end. Silent where nobody looks.
pub(crate) struct ProgressLine {
    started: Instant,
    shown: Option<Instant>,
    is_on: bool,
}

/// What has been done of what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// Rows done.
    pub(crate) rows: u64,
    /// Steps done: bytes or rows.
    pub(crate) done: u64,
    /// Of so many; 0 is unknown.
    pub(crate) of: u64,
    /// Whether steps are bytes.
    pub(crate) is_bytes: bool,
}

impl ProgressLine {
    /// Begins to measure.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let is_on = !is_quiet && term::stderr_is_terminal();
        Self {
            started: Instant::now(),
            shown: None,
            is_on,
        }
    }

    /// Shows the state, if it is time to.
    pub(crate) fn tell(&mut self, state: State) {
        let took = self.started.elapsed();
        let is_early =
            took < QUIET_FIRST || self.shown.is_some_and(|shown| shown.elapsed() < EVERY);
        if !self.is_on || is_early {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line(state, took);
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "\r\u{1b}[K{line}").and_then(|()| stderr.flush());
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[K").and_then(|()| stderr.flush());
        }
    }
}

fn line(state: State, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(1e-3);
    let rate = show_count(state.rows as f64 / seconds);
    let rows = show_count(state.rows as f64);
    if state.of == 0 || state.done == 0 {
        return format!("{rows} rows, {rate} rows/s");
    }
    let share = (state.done as f64 / state.of as f64).min(1.0);
    let left = seconds / share - seconds;
    let size = if state.is_bytes {
        format!(" of {}", show_bytes(state.of))
    } else {
        String::new()
    };
    format!(
        "{:3.0} %{size}, {rows} rows, {rate} rows/s, {} left",
        share * 100.0,
        duration(left)
    )
}

fn duration(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s.div_ceil(60)),
        s => format!("{} h", s.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left() {
        let state = State {
            rows: 500_000,
            done: 25,
            of: 100,
            is_bytes: false,
        };
        assert_eq!(
            line(state, Duration::from_secs(2)),
            " 25 %, 500 k rows, 250 k rows/s, 6 s left"
        );
        let unknown = State { of: 0, ..state };
        assert_eq!(
            line(unknown, Duration::from_secs(2)),
            "500 k rows, 250 k rows/s"
        );
        assert_eq!(duration(7_201.0), "3 h");
        assert_eq!(duration(121.0), "3 min");
    }
}

//! The machine's time to milliseconds, replaceable so that tests replay.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::units::TimestampMs;

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> TimestampMs;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A clock set before 1970 reads as 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one Clock that asks the machine"
    )]
    fn now(&self) -> TimestampMs {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        TimestampMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedClock(pub TimestampMs);

impl Clock for FixedClock {
    fn now(&self) -> TimestampMs {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Day;

    #[test]
    fn the_machine_lives_after_2020_and_a_fixed_clock_stands() {
        assert!(SystemClock.now() > Day(18_262).start());
        assert_eq!(FixedClock(TimestampMs(7)).now(), TimestampMs(7));
    }
}

//! The ledger to the first day of each published header set.

use std::collections::BTreeMap;

use super::ledger::{Ledger, LedgerRecord};
use crate::units::Day;

/// A published set of columns of the access logs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum HeaderSet {
    /// `requestType` for method and status.
    V0,
    /// `status` and `method`.
    V1,
    /// v1 and `userAgent`.
    V2,
}

impl HeaderSet {
    /// What begins with it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::V0 => "logs have requestType, no status (header set v0)",
            Self::V1 => "logs have status and method, no userAgent (header set v1)",
            Self::V2 => "logs have userAgent (header set v2)",
        }
    }

    fn of(record: &LedgerRecord) -> Option<Self> {
        let has = |name: &str| record.columns.iter().any(|column| column == name);
        if has("userAgent") {
            Some(Self::V2)
        } else if has("status") {
            Some(Self::V1)
        } else if has("requestType") {
            Some(Self::V0)
        } else {
            None
        }
    }
}

/// The first day with rows of each header set, in the order of these days.
#[must_use]
pub fn first_days(ledger: &Ledger) -> Vec<(Day, HeaderSet)> {
    let mut first: BTreeMap<HeaderSet, Day> = BTreeMap::new();
    for record in ledger.records().filter(|record| record.rows > 0) {
        if let (Some(set), Some(ts)) = (HeaderSet::of(record), record.ts_first) {
            let day = first.entry(set).or_insert(ts.day());
            *day = ts.day().min(*day);
        }
    }
    let mut days: Vec<(Day, HeaderSet)> = first.into_iter().map(|(set, day)| (day, set)).collect();
    days.sort_unstable();
    days
}

//! What can be counted: metric names to what they measure.
//!
//! A metric is a row of [`METRICS`]: its name, what it counts ([`Measure`]) and its meaning in a
//! line. The executor knows measures, not names.
//!
//! # To add one
//!
//! A metric over an existing measure: its variant and row here, its line in the README's reference,
//! and its twin in the naive evaluator. A new measure: also its variant of [`Measure`] and its
//! accumulator in `query/`.

use std::fmt;

use crate::schema::IdentityKind;

/// A metric of a query.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Metric {
    /// Log lines that the filter keeps.
    Requests,
    /// What the rule leaves of them.
    Downloads,
    /// Distinct downloaders of accepted requests.
    Downloaders,
    /// Distinct signed-in accounts.
    Users,
    /// Distinct anonymous addresses.
    Ips,
    /// Distinct repos of accepted requests.
    Repos,
    /// Distinct countries of accepted requests.
    Countries,
    /// Downloaders whose first accepted request is in the bucket.
    New,
    /// Downloaders first seen before the bucket.
    Returning,
    /// Downloaders of this and the bucket before.
    Retained,
    /// Downloaders of this bucket and an earlier one, but not the one before.
    Resurrected,
    /// Downloaders of the bucket before, but not this one.
    Churned,
    /// Downloaders of the N days that end with each day.
    Rolling(u32),
    /// The Hub's own daily numbers.
    HubDownloads,
    /// The Hub's own all-time number.
    HubTotal,
}

/// What has to be kept per group to answer a metric.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Measure {
    /// A sum over requests.
    Requests,
    /// A sum over downloads.
    Downloads,
    /// A set of downloaders, all kinds or one.
    Downloaders(Option<IdentityKind>),
    /// A set of repos.
    Repos,
    /// A set of countries.
    Countries,
    /// Downloaders in relation to when they were seen before.
    History,
    /// From the publisher CSV.
    Hub,
}

/// Every metric: name, metric, meaning in a line. `rolling(N)` stands for every N.
pub const METRICS: &[(&str, Metric, &str)] = &[
    ("requests", Metric::Requests, "log lines"),
    (
        "downloads",
        Metric::Downloads,
        "what the counting rule leaves of the accepted requests",
    ),
    (
        "downloaders",
        Metric::Downloaders,
        "distinct signed-in accounts and anonymous addresses",
    ),
    ("users", Metric::Users, "distinct signed-in accounts"),
    ("ips", Metric::Ips, "distinct anonymous addresses"),
    ("repos", Metric::Repos, "distinct repos"),
    (
        "countries",
        Metric::Countries,
        "distinct countries; absent ones do not count",
    ),
    ("new", Metric::New, "downloaders first seen in the bucket"),
    (
        "returning",
        Metric::Returning,
        "downloaders first seen before the bucket",
    ),
    (
        "retained",
        Metric::Retained,
        "downloaders of this bucket and the one before",
    ),
    (
        "resurrected",
        Metric::Resurrected,
        "downloaders back after at least one bucket without them",
    ),
    (
        "churned",
        Metric::Churned,
        "downloaders of the bucket before, not seen again in this one",
    ),
    (
        "rolling",
        Metric::Rolling(0),
        "rolling(N): downloaders of the N days that end with each day",
    ),
    (
        "hub_downloads",
        Metric::HubDownloads,
        "the Hub's own daily numbers, from its CSV",
    ),
    (
        "hub_total",
        Metric::HubTotal,
        "the Hub's own all-time number, from its CSV",
    ),
];

impl Metric {
    /// What has to be kept for it.
    #[must_use]
    pub const fn measure(self) -> Measure {
        match self {
            Self::Requests => Measure::Requests,
            Self::Downloads => Measure::Downloads,
            Self::Downloaders => Measure::Downloaders(None),
            Self::Users => Measure::Downloaders(Some(IdentityKind::User)),
            Self::Ips => Measure::Downloaders(Some(IdentityKind::Ip)),
            Self::Repos => Measure::Repos,
            Self::Countries => Measure::Countries,
            Self::New
            | Self::Returning
            | Self::Retained
            | Self::Resurrected
            | Self::Churned
            | Self::Rolling(_) => Measure::History,
            Self::HubDownloads | Self::HubTotal => Measure::Hub,
        }
    }

    /// The metric of that name, `rolling(7)` included; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(days) = name
            .strip_prefix("rolling(")
            .and_then(|rest| rest.strip_suffix(')'))
        {
            return days
                .trim()
                .parse()
                .ok()
                .filter(|days| *days > 0)
                .map(Self::Rolling);
        }
        METRICS
            .iter()
            .find(|(known, metric, _)| *known == name && *metric != Self::Rolling(0))
            .map(|(_, metric, _)| *metric)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Rolling(days) = self {
            return write!(f, "rolling({days})");
        }
        let row = METRICS.iter().find(|(_, known, _)| known == self);
        f.write_str(row.map_or("", |(name, _, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, metric, _) in METRICS.iter().filter(|(name, ..)| *name != "rolling") {
            assert_eq!(Metric::from_name(name), Some(*metric));
            assert_eq!(metric.to_string(), *name);
        }
        assert_eq!(
            Metric::from_name("rolling(28)").unwrap().to_string(),
            "rolling(28)"
        );
        assert_eq!(Metric::from_name("rolling"), None);
        assert_eq!(Metric::from_name("rolling(0)"), None);
    }
}

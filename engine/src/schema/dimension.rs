//! Dimension names to what a query can group and filter by.

use std::fmt;

use super::TimeUnit;

/// What a query can group and filter by.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Dimension {
    /// A bucket of time.
    Time(TimeUnit),
    /// The pair (repo type, repo name).
    Repo,
    /// `model`, `dataset`, `space` …
    RepoType,
    /// The part of the repo's name before the first `/`.
    Org,
    /// The family that the store's owner has put the repo in.
    Group,
    /// ISO code.
    Country,
    /// The pair (country, region), written `US/California`.
    Region,
    /// HTTP status.
    Status,
    /// HTTP method.
    Method,
    /// Class of the request, see [`super::Class`].
    Class,
    /// `user`, `ip` or absent.
    Identity,
    /// `true`, `false` or absent.
    Internal,
    /// Software that asked.
    Client,
    /// Its version.
    ClientVersion,
    /// `flagged`, `not_flagged` or absent.
    Ci,
    /// The whole header.
    UserAgent,
    /// One key of the header, `ua.KEY`.
    UaKey(String),
    /// A column beyond the published ones, `extra.NAME`.
    Extra(String),
    /// One downloader.
    Downloader,
    /// Evidence of a download, see [`super::Evidence`].
    Evidence,
}

/// Every dimension without a parameter: name, dimension, meaning in a line.
pub const DIMENSIONS: &[(&str, Dimension, &str)] = &[
    (
        "hour",
        Dimension::Time(TimeUnit::Hour),
        "UTC hour, 2026-07-14T08:00:00Z",
    ),
    ("day", Dimension::Time(TimeUnit::Day), "UTC day, 2026-07-14"),
    (
        "week",
        Dimension::Time(TimeUnit::Week),
        "ISO week, 2026-W29",
    ),
    (
        "month",
        Dimension::Time(TimeUnit::Month),
        "calendar month, 2026-07",
    ),
    (
        "quarter",
        Dimension::Time(TimeUnit::Quarter),
        "calendar quarter, 2026-Q3",
    ),
    (
        "year",
        Dimension::Time(TimeUnit::Year),
        "calendar year, 2026",
    ),
    (
        "weekday",
        Dimension::Time(TimeUnit::Weekday),
        "1 (Monday) to 7",
    ),
    (
        "hour_of_day",
        Dimension::Time(TimeUnit::HourOfDay),
        "0 to 23, UTC",
    ),
    (
        "repo",
        Dimension::Repo,
        "repo, or type:repo where two types share the name",
    ),
    ("repo_type", Dimension::RepoType, "model, dataset, space …"),
    (
        "org",
        Dimension::Org,
        "the part of the repo before the first /",
    ),
    (
        "group",
        Dimension::Group,
        "family of repos, as footfall group set has it",
    ),
    ("country", Dimension::Country, "ISO code; NA is Namibia"),
    ("region", Dimension::Region, "country/region, US/California"),
    ("status", Dimension::Status, "HTTP status"),
    ("method", Dimension::Method, "HTTP method"),
    (
        "class",
        Dimension::Class,
        "partial, not_modified, error, probe, fetch, redirect, other",
    ),
    ("identity", Dimension::Identity, "user, ip or absent"),
    (
        "internal",
        Dimension::Internal,
        "true, false or absent; old exports only",
    ),
    ("client", Dimension::Client, "software that asked"),
    ("client_version", Dimension::ClientVersion, "its version"),
    ("ci", Dimension::Ci, "flagged, not_flagged or absent"),
    ("user_agent", Dimension::UserAgent, "the whole user agent"),
    (
        "downloader",
        Dimension::Downloader,
        "one signed-in account or anonymous address",
    ),
    (
        "evidence",
        Dimension::Evidence,
        "content, unclear or check; with downloads only",
    ),
];

impl Dimension {
    /// The dimension of that name, `ua.KEY` and `extra.NAME` included; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let parameter = |prefix| {
            name.strip_prefix(prefix)
                .filter(|rest: &&str| !rest.is_empty())
        };
        if let Some(key) = parameter("ua.") {
            return Some(Self::UaKey(key.to_owned()));
        }
        if let Some(column) = parameter("extra.") {
            return Some(Self::Extra(column.to_owned()));
        }
        DIMENSIONS
            .iter()
            .find(|(known, _, _)| *known == name)
            .map(|(_, dimension, _)| dimension.clone())
    }

    /// The bucket of time, if it is one.
    #[must_use]
    pub const fn time_unit(&self) -> Option<TimeUnit> {
        match self {
            Self::Time(unit) => Some(*unit),
            _ => None,
        }
    }

    /// Whether its values are whole numbers (and order and compare as such).
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Status | Self::Time(TimeUnit::Weekday | TimeUnit::HourOfDay)
        )
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UaKey(key) => write!(f, "ua.{key}"),
            Self::Extra(column) => write!(f, "extra.{column}"),
            plain => {
                let row = DIMENSIONS.iter().find(|(_, known, _)| known == plain);
                f.write_str(row.map_or("", |(name, _, _)| name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, dimension, _) in DIMENSIONS {
            assert_eq!(Dimension::from_name(name).as_ref(), Some(dimension));
            assert_eq!(dimension.to_string(), *name);
        }
        for name in ["ua.torch", "extra.referer"] {
            assert_eq!(Dimension::from_name(name).unwrap().to_string(), name);
        }
        assert_eq!(Dimension::from_name("ua."), None);
    }
}

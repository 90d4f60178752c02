//! Counting rules: which requests are accepted, and how they collapse into downloads.
//!
//! A rule is data: [`Rule`] = what it accepts × how it collapses. A request without identity never
//! collapses. The filter of a query applies first, then the rule, to the requests inside the range.
//!
//! # To add one
//!
//! Add its row to [`RULES`], its row to the README's table of rules, and a vector to
//! `tests/tests/vectors.rs`. The laws of `tests/tests/laws.rs` loop over [`RULES`]. Owners add their own
//! without touching code: [`user`] reads their words.

pub mod collapse;
pub mod user;

/// Which statuses a rule accepts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Statuses {
    /// Every status.
    Any,
    /// Statuses below this one.
    Below(u16),
    /// These.
    In(Vec<u16>),
}

/// How accepted requests of one downloader in one repo become downloads. Windows in milliseconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Collapse {
    /// Each request is one.
    None,
    /// One per clock window, counted from 1970-01-01T00:00:00Z; hours and days are such windows.
    Clock(u64),
    /// One per window that begins with its first request: `ts < first + window`.
    First(u64),
    /// One per chain whose neighbours are at most this far apart; it counts at its last request.
    Gap(u64),
}

/// What is a download.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rule {
    /// As written after `rule` in a query.
    pub name: String,
    /// Accepted methods; empty accepts every method.
    pub methods: Vec<String>,
    /// Accepted statuses.
    pub statuses: Statuses,
    /// Whether requests marked internal are accepted.
    pub internal: bool,
    /// How accepted requests collapse.
    pub collapse: Collapse,
}

impl Rule {
    /// Whether it accepts requests of this method and status (leaving `internal` aside).
    #[must_use]
    pub fn accepts(&self, method: &str, status: u16) -> bool {
        let method_ok = self.methods.is_empty() || self.methods.iter().any(|known| known == method);
        method_ok
            && match &self.statuses {
                Statuses::Any => true,
                Statuses::Below(limit) => status < *limit,
                Statuses::In(list) => list.contains(&status),
            }
    }

    /// Whether what it accepts and how it collapses equals the default rule's.
    #[must_use]
    pub fn is_default(&self) -> bool {
        let default = default_rule();
        Self {
            name: default.name.clone(),
            ..self.clone()
        } == default
    }
}

/// Name of the rule that counts when a query names none.
pub const DEFAULT_RULE: &str = "5min";

/// The window of the default rule, in milliseconds. It divides a day, so days add up.
pub const DEFAULT_WINDOW_MS: u64 = 300_000;

/// One built-in rule as a constant.
#[derive(Debug)]
pub struct BuiltIn {
    /// As written after `rule` in a query.
    pub name: &'static str,
    /// Accepted methods; empty accepts every method.
    pub methods: &'static [&'static str],
    /// Accepted statuses; `None` accepts every status below `below`.
    pub statuses: Option<&'static [u16]>,
    /// Without a list: accepted are statuses below this; 1000 accepts all.
    pub below: u16,
    /// How accepted requests collapse.
    pub collapse: Collapse,
    /// What it is like, in a line.
    pub meaning: &'static str,
}

const GET_HEAD: &[&str] = &["GET", "HEAD"];
const MIN_5: u64 = DEFAULT_WINDOW_MS;

/// Every built-in rule.
pub const RULES: &[BuiltIn] = &[
    built_in(
        "5min",
        GET_HEAD,
        None,
        400,
        (
            Collapse::Clock(MIN_5),
            "one downloader, one repo, one clock window of five minutes (default)",
        ),
    ),
    built_in(
        "5min-first",
        GET_HEAD,
        None,
        400,
        (
            Collapse::First(MIN_5),
            "the same, windows that begin with their first request",
        ),
    ),
    built_in(
        "5min-gap",
        GET_HEAD,
        None,
        400,
        (
            Collapse::Gap(MIN_5),
            "the same, chains with gaps of at most five minutes",
        ),
    ),
    built_in("requests", &[], None, 1000, (Collapse::None, "log lines")),
    built_in(
        "files",
        &["GET"],
        Some(&[200, 302]),
        0,
        (Collapse::None, "one per file handed out"),
    ),
    built_in(
        "fetches",
        &["GET"],
        Some(&[200]),
        0,
        (
            Collapse::None,
            "GET 200, as npm and the Cargo registry count",
        ),
    ),
    built_in(
        "counter",
        &[],
        Some(&[200, 304]),
        0,
        (
            Collapse::Gap(30_000),
            "COUNTER for research data, total requests",
        ),
    ),
    built_in(
        "counter-unique",
        &[],
        Some(&[200, 304]),
        0,
        (Collapse::Clock(3_600_000), "COUNTER, unique requests"),
    ),
    built_in(
        "counter-hub",
        &[],
        Some(&[200, 206, 302, 304, 307]),
        0,
        (
            Collapse::Gap(30_000),
            "counter with the statuses that hand out content on the Hub",
        ),
    ),
    built_in(
        "daily",
        GET_HEAD,
        None,
        400,
        (
            Collapse::Clock(86_400_000),
            "one per downloader, repo and UTC day, as GoAccess and Plausible count",
        ),
    ),
];

const fn built_in(
    name: &'static str,
    methods: &'static [&'static str],
    statuses: Option<&'static [u16]>,
    below: u16,
    (collapse, meaning): (Collapse, &'static str),
) -> BuiltIn {
    BuiltIn {
        name,
        methods,
        statuses,
        below,
        collapse,
        meaning,
    }
}

impl BuiltIn {
    /// The rule as a value.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let statuses = match self.statuses {
            Some(list) => Statuses::In(list.to_vec()),
            None if self.below > 999 => Statuses::Any,
            None => Statuses::Below(self.below),
        };
        Rule {
            name: self.name.to_owned(),
            methods: self
                .methods
                .iter()
                .map(|&method| method.to_owned())
                .collect(),
            statuses,
            internal: self.name == "requests",
            collapse: self.collapse,
        }
    }
}

/// The built-in rule of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Rule> {
    RULES
        .iter()
        .find(|rule| rule.name == name)
        .map(BuiltIn::rule)
}

/// The rule that counts when a query names none.
#[must_use]
pub fn default_rule() -> Rule {
    Rule {
        name: DEFAULT_RULE.to_owned(),
        methods: GET_HEAD.iter().map(|&method| method.to_owned()).collect(),
        statuses: Statuses::Below(400),
        internal: false,
        collapse: Collapse::Clock(MIN_5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_in_the_table() {
        assert_eq!(by_name(DEFAULT_RULE), Some(default_rule()));
        assert!(default_rule().is_default());
        assert!(!by_name("5min-gap").unwrap().is_default());
    }

    #[test]
    fn files_accepts_what_it_says() {
        let files = by_name("files").unwrap();
        assert!(files.accepts("GET", 302));
        assert!(!files.accepts("HEAD", 302));
        assert!(!files.accepts("GET", 206));
    }
}

//! Names to what their codes stand for, as far as building and reading days needs it.

use std::collections::HashMap;

use crate::dictionary::Names;
use crate::dictionary::agents::KeptAgents;
use crate::rules::{DEFAULT_WINDOW_MS, default_rule};
use crate::schema::Evidence;
use crate::schema::repo::RepoNames;
use crate::segment::Acceptance;

/// What the codes of a snapshot stand for, as far as building and reading days needs it.
#[derive(Debug)]
pub struct Meanings {
    /// Whether the default rule accepts a verb code.
    pub accepts: Vec<bool>,
    /// Evidence of a verb code, as a number.
    pub evidence: Vec<u8>,
    /// Number of the country of each place code; 0 is absent.
    pub country_of: Vec<u32>,
    /// Countries by number; the first one is absent.
    pub countries: Vec<String>,
    /// Types of repos, and names that they share.
    pub repos: RepoNames,
    /// What user agents say, as far as it was asked for.
    pub(super) agents: KeptAgents,
}

impl Meanings {
    /// What `names` stand for.
    #[must_use]
    pub fn of(names: &Names) -> Self {
        let rule = default_rule();
        let verbs = 0..names.verbs().len();
        let accepts = verbs.clone().map(|code| {
            let (method, status) = names.verb(code);
            rule.accepts(method, status)
        });
        let evidence = verbs.map(|code| {
            let (method, status) = names.verb(code);
            Evidence::of(method, status) as u8
        });
        let (accepts, evidence) = (accepts.collect(), evidence.collect());
        let mut countries = vec![String::new()];
        let mut numbers = HashMap::from([(String::new(), 0_u32)]);
        let mut country_of = Vec::new();
        for code in 0..names.places().len() {
            let (country, _) = names.place(code);
            // Most have been met: no text of their own is needed to look for them.
            let number = numbers.get(country).copied().unwrap_or_else(|| {
                countries.push(country.to_owned());
                let number = u32::try_from(countries.len() - 1).unwrap_or(u32::MAX);
                numbers.insert(country.to_owned(), number);
                number
            });
            country_of.push(number);
        }
        let repos = (0..names.repos().len()).map(|code| names.repo(code));
        Self {
            accepts,
            evidence,
            country_of,
            countries,
            repos: RepoNames::of(repos),
            agents: KeptAgents::default(),
        }
    }

    /// The default rule, as far as a segment has to know it.
    #[must_use]
    pub fn acceptance(&self) -> Acceptance<'_> {
        Acceptance {
            accepts: &self.accepts,
            window_ms: default_window_ms(),
        }
    }
}

/// The default rule's window as a number of milliseconds of a day.
#[inline]
#[must_use]
pub fn default_window_ms() -> u32 {
    u32::try_from(DEFAULT_WINDOW_MS).unwrap_or(u32::MAX)
}

//! A test of `repo` to a test of (repo type, repo name) pairs.
//!
//! A value whose part before the first `:` is a repo type of the store means that type alone; any
//! other value is a name and means every type. A glob is matched against the name and against
//! `type:name`. Comparisons compare names. An absent name matches `""` and no glob or comparison.

use super::accept::Accept;
use super::is_negated;
use crate::error::Result;
use crate::query::glob::Glob;
use crate::query::value::Test;

/// A compiled test of repos.
#[derive(Clone, Debug)]
pub struct RepoMatcher {
    repos: Repos,
    negated: bool,
}

#[derive(Clone, Debug)]
enum Repos {
    /// Names of every type, and names by type.
    Listed(Vec<(Option<String>, String)>),
    Compared(Accept<String>),
    Glob(Glob),
}

impl RepoMatcher {
    /// Compiles a test; `types` are the repo types that the store has.
    ///
    /// # Errors
    ///
    /// `Invalid` for a broken glob.
    pub fn compile(test: &Test, types: &[&str]) -> Result<Self> {
        let list = |values: &[String]| {
            let mut listed: Vec<_> = values.iter().map(|value| split(value, types)).collect();
            listed.sort_unstable();
            listed.dedup();
            Repos::Listed(listed)
        };
        let repos = match test {
            Test::Equal(value) | Test::NotEqual(value) => list(std::slice::from_ref(value)),
            Test::In(values) | Test::NotIn(values) => list(values),
            Test::Like(glob) | Test::NotLike(glob) => Repos::Glob(Glob::compile(glob)?),
            compared => Repos::Compared(Accept::compile(compared, |name| Ok(name.to_owned()))?),
        };
        Ok(Self {
            repos,
            negated: is_negated(test),
        })
    }

    /// Whether it keeps the repo of that type and name.
    #[must_use]
    pub fn matches(&self, repo_type: &str, name: &str) -> bool {
        let accepted = match &self.repos {
            Repos::Listed(listed) => {
                let has = |wanted: Option<&str>| {
                    let key = (wanted, name);
                    listed
                        .binary_search_by(|(of, name)| (of.as_deref(), name.as_str()).cmp(&key))
                        .is_ok()
                };
                has(None) || has(Some(repo_type))
            }
            Repos::Compared(accept) => accept.contains(name, name.is_empty()),
            Repos::Glob(_) if name.is_empty() => false,
            Repos::Glob(glob) => glob.matches(name) || glob.matches(&format!("{repo_type}:{name}")),
        };
        accepted != self.negated
    }

    /// The repos that `= v` and `in (v, …)` keep, each as (type if it is given, name), so that an
    /// executor can say which of them do not exist or exist in two types.
    #[must_use]
    pub fn listed(&self) -> Option<&[(Option<String>, String)]> {
        match &self.repos {
            Repos::Listed(listed) if !self.negated => Some(listed),
            _ => None,
        }
    }
}

fn split(value: &str, types: &[&str]) -> (Option<String>, String) {
    match value.split_once(':') {
        Some((repo_type, name)) if types.contains(&repo_type) => {
            (Some(repo_type.to_owned()), name.to_owned())
        }
        _ => (None, value.to_owned()),
    }
}

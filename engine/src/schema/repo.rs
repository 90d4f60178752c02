//! Repo names to their organisation, and to what several repos share.

use std::collections::{BTreeSet, HashMap};

/// The part before the first `/`; `None` when there is no `/` or nothing before it.
#[must_use]
pub fn org(repo: &str) -> Option<&str> {
    let (org, _) = repo.split_once('/')?;
    (!org.is_empty()).then_some(org)
}

/// What repos share with others of theirs.
#[derive(Clone, Debug, Default)]
pub struct RepoNames {
    /// Their types.
    pub types: BTreeSet<String>,
    /// Names that several types share, and how many.
    pub shared: HashMap<String, u32>,
}

impl RepoNames {
    /// Of repos by type and name, each once.
    #[must_use]
    pub fn of<'a>(repos: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut types = BTreeSet::new();
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for (repo_type, name) in repos {
            if !types.contains(repo_type) {
                types.insert(repo_type.to_owned());
            }
            *counts.entry(name).or_insert(0) += 1;
        }
        counts.retain(|_, count| *count > 1);
        let shared = counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count));
        Self {
            types,
            shared: shared.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RepoNames;

    #[test]
    fn types_share_a_name() {
        let repos = [("model", "a/x"), ("dataset", "a/x"), ("model", "a/y")];
        let names = RepoNames::of(repos.into_iter());
        assert_eq!(Vec::from_iter(&names.types), ["dataset", "model"]);
        assert_eq!(Vec::from_iter(&names.shared), [(&"a/x".to_owned(), &2)]);
    }

    #[test]
    fn org_is_before_the_first_slash() {
        assert_eq!(super::org("a/b/c"), Some("a"));
        assert_eq!(super::org("gpt2"), None);
        assert_eq!(super::org("/x"), None);
    }
}

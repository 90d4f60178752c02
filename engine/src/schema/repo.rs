//! Repo names to their organisation, and to what several repos share.

use std::collections::{BTreeSet, HashMap};

use twox_hash::XxHash3_128;

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
    pub fn of<'a>(repos: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let mut names = Self::default();
        let mut hashes = Vec::with_capacity(repos.size_hint().0);
        for (repo_type, name) in repos.clone() {
            if !names.types.contains(repo_type) {
                names.types.insert(repo_type.to_owned());
            }
            hashes.push(XxHash3_128::oneshot(name.as_bytes()));
        }
        // Hardly any are: each opening of a store would count the names of all.
        hashes.sort_unstable();
        if hashes.is_sorted_by(|hash, next| hash < next) {
            return names;
        }
        for (_, name) in repos {
            *names.shared.entry(name.to_owned()).or_insert(0) += 1;
        }
        names.shared.retain(|_, count| *count > 1);
        names
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

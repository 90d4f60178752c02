//! Repo names to their organisation.

/// The part before the first `/`; `None` when there is no `/` or nothing before it.
#[must_use]
pub fn org(repo: &str) -> Option<&str> {
    let (org, _) = repo.split_once('/')?;
    (!org.is_empty()).then_some(org)
}

#[cfg(test)]
mod tests {
    #[test]
    fn org_is_before_the_first_slash() {
        assert_eq!(super::org("a/b/c"), Some("a"));
        assert_eq!(super::org("gpt2"), None);
        assert_eq!(super::org("/x"), None);
    }
}

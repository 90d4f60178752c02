//! Which repos an owner counts together, as it was written: groups, and names that repos had before.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Most lines of a file of groups.
const GROUPS_MAX: usize = 10_000;

/// Repos that a glob matches belong to a group, unless an earlier one matches them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct GroupWords {
    /// A glob of names, or of `type:name`.
    pub repos: String,
    /// The group.
    pub group: String,
}

/// What a repo was called before.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct AliasWords {
    /// The name before, of every repo type.
    pub old: String,
    /// The name now.
    pub new: String,
}

/// Reads a CSV of `repo-glob,group`: a header may stand first, a line without a group ends nothing and means
/// nothing, blank lines and lines that begin with `#` are left out.
///
/// # Errors
///
/// `Invalid` with the line for one that is not two fields; `Limit` for too many lines.
pub fn read_groups(text: &str) -> Result<Vec<GroupWords>> {
    let mut groups = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line == "repo-glob,group" {
            continue;
        }
        let unquoted = |field: &str| {
            let field = field.trim();
            let inner = field
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
        };
        let fields = line.rsplit_once(',').map(|(repos, group)| GroupWords {
            repos: unquoted(repos),
            group: unquoted(group),
        });
        let fields = fields.filter(|one| !one.repos.is_empty() && !one.group.is_empty());
        let words = fields.ok_or_else(|| {
            Error::invalid(format!("{line:?} is not repo-glob,group")).at_line(number)
        })?;
        groups.push(words);
    }
    if groups.len() > GROUPS_MAX {
        let found = groups.len();
        return Err(Error::limit(format!(
            "{found} groups, at most {GROUPS_MAX} lines"
        )));
    }
    Ok(groups)
}

/// Checks that names lead to names that lead no further.
///
/// # Errors
///
/// `Invalid` for an empty name, a name that leads to itself, and one that leads on.
pub(super) fn check_aliases(aliases: &[AliasWords]) -> Result<()> {
    for alias in aliases {
        let is_old = |name: &str| aliases.iter().any(|one| one.old == name);
        if alias.old.is_empty() || alias.new.is_empty() || is_old(&alias.new) {
            let (old, new) = (&alias.old, &alias.new);
            return Err(Error::invalid(format!(
                "{old} cannot stand for {new}: a name leads to one that leads no further"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_lines_of_two_fields() {
        let text =
            "\u{feff}repo-glob,group\r\n\n# ours\nacme/llama-*,llama\n\"a,b/*\", \"x \"\"y\"\"\"\n";
        let groups = read_groups(text).unwrap();
        let pairs: Vec<_> = groups
            .iter()
            .map(|one| (one.repos.as_str(), one.group.as_str()))
            .collect();
        assert_eq!(pairs, [("acme/llama-*", "llama"), ("a,b/*", "x \"y\"")]);
        let error = read_groups("a/*,x\nnothing").unwrap_err();
        assert_eq!(error.place().line, Some(2));
        assert!(read_groups("a/*,").is_err());
    }
}

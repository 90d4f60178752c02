//! The owner's wishes: read, and changed by a commit.

use super::Store;
use crate::catalog::settings::{change_settings, rule_of};
use crate::error::Result;
use crate::rules::Rule;
use crate::settings::RuleWords;

impl Store {
    /// Counting rules of the owner, by name; those built in are `rules::RULES`.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        Ok(self.view()?.rules().to_vec())
    }

    /// Keeps a counting rule. Queries name it as they name a built-in one.
    ///
    /// # Errors
    ///
    /// `Invalid` for words without meaning and for a name that is taken; `Conflict` when there is another
    /// writer; `Corrupt`, `Io`.
    pub fn add_rule(&self, words: RuleWords) -> Result<Rule> {
        let rule = rule_of(&words)?;
        // What is kept is written one way, however the owner wrote it.
        let kept = RuleWords {
            name: rule.name.clone(),
            methods: rule.methods.clone(),
            statuses: rule.statuses.words(),
            collapse: rule.collapse.to_string(),
        };
        change_settings(&self.catalog, |settings| settings.add_rule(kept))?;
        Ok(rule)
    }

    /// Forgets a counting rule of the owner.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name; `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn remove_rule(&self, name: &str) -> Result<()> {
        change_settings(&self.catalog, |settings| settings.remove_rule(name))
    }
}

//! The owner's wishes: read, and changed by a commit.

use super::Store;
use crate::catalog::settings::{change_settings, rule_of};
use crate::error::Result;
use crate::query::glob::Glob;
use crate::query::{Change, changes};
use crate::rules::Rule;
use crate::settings::{AliasWords, Annotation, GroupWords, RuleWords};
use crate::units::Day;

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

    /// Every day on which something else is counted than before: the Hub's documented changes, the first
    /// days of header sets, and what the owner wrote. By day.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn changes(&self) -> Result<Vec<Change>> {
        changes(&*self.view()?)
    }

    /// Keeps a text about a day: every series that crosses the day shows it.
    ///
    /// # Errors
    ///
    /// `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn annotate(&self, annotation: Annotation) -> Result<()> {
        change_settings(&self.catalog, |settings| {
            settings.add_annotation(annotation);
            Ok(())
        })
    }

    /// Forgets what was written about a day: this text, or all.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none; `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn remove_annotations(&self, day: Day, text: Option<&str>) -> Result<()> {
        change_settings(&self.catalog, |settings| {
            settings.remove_annotations(day, text)
        })
    }

    /// Groups of repos, in their order.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn groups(&self) -> Result<Vec<GroupWords>> {
        Ok(self.view()?.settings().groups.clone())
    }

    /// Puts repos in groups, in place of what was said before; the first glob that matches a repo holds.
    ///
    /// # Errors
    ///
    /// `Invalid` for a broken glob; `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn set_groups(&self, groups: Vec<GroupWords>) -> Result<()> {
        for words in &groups {
            Glob::compile(&words.repos)?;
        }
        change_settings(&self.catalog, |settings| {
            settings.groups = groups;
            Ok(())
        })
    }

    /// What repos were called before.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn aliases(&self) -> Result<Vec<AliasWords>> {
        Ok(self.view()?.settings().aliases.clone())
    }

    /// Says what a repo was called before: from now on both count as one, in the logs and in the publisher
    /// CSV. What is stored stays as it came.
    ///
    /// # Errors
    ///
    /// `Invalid` where a name would lead to one that leads further; `Conflict` when there is another writer;
    /// `Corrupt`, `Io`.
    pub fn add_alias(&self, alias: AliasWords) -> Result<()> {
        change_settings(&self.catalog, |settings| settings.add_alias(alias))
    }

    /// Forgets what an old name stands for.
    ///
    /// # Errors
    ///
    /// `NotFound` when it stands for nothing; `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn remove_alias(&self, old: &str) -> Result<()> {
        change_settings(&self.catalog, |settings| settings.remove_alias(old))
    }
}

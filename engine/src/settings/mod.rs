//! What a store remembers of its owner's wishes, to a file, and back.
//!
//! One small file, replaced as a whole by a commit that changes something in it.
//!
//! # Invariants
//!
//! 1. Names of one list are unique.
//! 2. Fields of a newer version survive being read and written here: they are kept as they are.
//!
//! # On disk
//!
//! See "Settings" in `format-spec/store.md`.
//!
//! # To add one
//!
//! A field of [`Settings`] that may be left out, and its row in the table there.
//!
//! # Not here
//!
//! What the words mean: a rule's are read by `rules`.

mod annotation;
mod family;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout::{FileBuilder, FileKind, FileView, SectionId};
use crate::units::Day;

pub use annotation::{Annotation, TEXT_CHARS_MAX};
pub use family::{AliasWords, GroupWords, read_groups};

/// The one section: a JSON object.
const BODY: SectionId = SectionId(1);

/// The owner's wishes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Counting rules beside the built-in ones, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleWords>,
    /// What was written about days, by day and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotation>,
    /// Groups of repos; the first that matches holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupWords>,
    /// What repos were called before, by that name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<AliasWords>,
    /// Named sets of downloaders, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetWords>,
    /// What a newer version has put there.
    #[serde(flatten)]
    unknown: BTreeMap<String, serde_json::Value>,
}

/// A counting rule as its owner wrote it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RuleWords {
    /// As written after `rule` in a query.
    pub name: String,
    /// Accepted methods; empty accepts every method.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Accepted statuses, or one limit (`<400`); empty accepts every status.
    #[serde(default)]
    pub statuses: Vec<String>,
    /// How accepted requests collapse: `none`, `hour`, `day`, `clock 300s`, `first 300s`, `gap 30s`.
    pub collapse: String,
}

/// Most hashes of a named set: settings are read whole whenever a store is opened.
pub const SET_HASHES_MAX: usize = 20_000;
/// Most bytes of a named set's name.
const SET_NAME_BYTES_MAX: usize = 64;

/// A named set of downloaders as its owner defined it: by a definition or by hashes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SetWords {
    /// As written in `in_set("NAME")`.
    pub name: String,
    /// The canonical text of what is in it; empty if hashes are listed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub definition: String,
    /// Hashes, each perhaps with `user:` or `ip:` before it; empty if there is a definition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<String>,
}

impl SetWords {
    /// Whether it can be kept.
    ///
    /// # Errors
    ///
    /// `Invalid` for a name that is none, and for a set with both or neither of definition and hashes; `Limit`
    /// for too many hashes.
    pub fn check(&self) -> Result<()> {
        let name = &self.name;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let begins = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !begins || !name.bytes().all(is_word) || name.len() > SET_NAME_BYTES_MAX {
            return Err(Error::invalid(format!(
                "name {name:?}, expected a letter or digit, then letters, digits, '-', '_', '.', at most {SET_NAME_BYTES_MAX}"
            )));
        }
        if self.definition.is_empty() == self.hashes.is_empty() {
            return Err(Error::invalid(format!(
                "set {name} has not one of a definition and hashes"
            )));
        }
        if self.hashes.len() > SET_HASHES_MAX {
            let found = self.hashes.len();
            return Err(
                Error::limit(format!("{found} hashes, at most {SET_HASHES_MAX}"))
                    .with_help("define the set by what its downloaders do"),
            );
        }
        Ok(())
    }
}

impl Settings {
    /// Adds a named set.
    ///
    /// # Errors
    ///
    /// `Invalid` when there is one of that name; as [`SetWords::check`].
    pub fn add_set(&mut self, set: SetWords) -> Result<()> {
        set.check()?;
        let place = self
            .sets
            .binary_search_by(|known| known.name.cmp(&set.name));
        match place {
            Ok(_) => Err(Error::invalid(format!("there is a set {}", set.name))
                .with_help("remove it first, or choose another name")),
            Err(at) => {
                self.sets.insert(at, set);
                Ok(())
            }
        }
    }

    /// Removes a named set.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name.
    pub fn remove_set(&mut self, name: &str) -> Result<()> {
        let count = self.sets.len();
        self.sets.retain(|set| set.name != name);
        if self.sets.len() == count {
            return Err(Error::not_found(format!("no set is called {name}")));
        }
        Ok(())
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// `Invalid` when there is one of that name.
    pub fn add_rule(&mut self, rule: RuleWords) -> Result<()> {
        let place = self
            .rules
            .binary_search_by(|known| known.name.cmp(&rule.name));
        match place {
            Ok(_) => Err(Error::invalid(format!("there is a rule {}", rule.name))
                .with_help("remove it first, or choose another name")),
            Err(at) => {
                self.rules.insert(at, rule);
                Ok(())
            }
        }
    }

    /// Removes a rule.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name.
    pub fn remove_rule(&mut self, name: &str) -> Result<()> {
        let count = self.rules.len();
        self.rules.retain(|rule| rule.name != name);
        if self.rules.len() == count {
            return Err(Error::not_found(format!("no rule {name} of your own")));
        }
        Ok(())
    }

    /// Adds what is written about a day; the same text again is nothing new.
    pub fn add_annotation(&mut self, annotation: Annotation) {
        if let Err(at) = self.annotations.binary_search(&annotation) {
            self.annotations.insert(at, annotation);
        }
    }

    /// Removes what was written about a day: this text, or all.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none.
    pub fn remove_annotations(&mut self, day: Day, text: Option<&str>) -> Result<()> {
        let count = self.annotations.len();
        self.annotations.retain(|annotation| {
            annotation.day() != Some(day) || text.is_some_and(|text| text != annotation.text)
        });
        if self.annotations.len() == count {
            return Err(Error::not_found(format!("no such annotation of {day}")));
        }
        Ok(())
    }

    /// Says what a repo was called before; what was said of the old name before is replaced.
    ///
    /// # Errors
    ///
    /// `Invalid` where a name would lead to one that leads further.
    pub fn add_alias(&mut self, alias: AliasWords) -> Result<()> {
        self.aliases.retain(|known| known.old != alias.old);
        self.aliases.push(alias);
        self.aliases.sort_unstable();
        family::check_aliases(&self.aliases)
    }

    /// Forgets what an old name stands for.
    ///
    /// # Errors
    ///
    /// `NotFound` when it stands for nothing.
    pub fn remove_alias(&mut self, old: &str) -> Result<()> {
        let count = self.aliases.len();
        self.aliases.retain(|alias| alias.old != old);
        if self.aliases.len() == count {
            return Err(Error::not_found(format!("no repo-alias of {old}")));
        }
        Ok(())
    }

    /// Their file.
    ///
    /// # Errors
    ///
    /// `Invalid` when a name occurs twice.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()
            .map_err(|error| Error::invalid(error.message()))?;
        let body = serde_json::to_vec(self)
            .map_err(|error| Error::invalid(format!("settings to write: {error}")))?;
        let mut file = FileBuilder::new(FileKind::Settings);
        file.section(BODY, &body);
        file.finish()
    }

    /// The settings in a file.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the file is damaged; `Unsupported` when a newer version made it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let file = FileView::parse(bytes, FileKind::Settings)?;
        let settings: Self = serde_json::from_slice(file.section_required(BODY)?)
            .map_err(|error| Error::corrupt(format!("settings do not parse: {error}")))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        let is_sorted = self.aliases.is_sorted_by(|a, b| a.old < b.old);
        if !is_sorted || family::check_aliases(&self.aliases).is_err() {
            return Err(Error::corrupt("settings have aliases out of order"));
        }
        let of_days = self.annotations.iter().all(|one| one.day().is_some());
        if !of_days || !self.annotations.is_sorted_by(|a, b| a < b) {
            return Err(Error::corrupt(
                "settings have annotations out of order or of no day",
            ));
        }
        if !self.rules.is_sorted_by(|a, b| a.name < b.name) {
            return Err(Error::corrupt("settings have their rules out of order"));
        }
        if !self.sets.is_sorted_by(|a, b| a.name < b.name) {
            return Err(Error::corrupt("settings have their sets out of order"));
        }
        self.sets
            .iter()
            .try_for_each(SetWords::check)
            .map_err(|error| Error::corrupt(format!("settings: {}", error.message())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn rule(name: &str) -> RuleWords {
        RuleWords {
            name: name.to_owned(),
            methods: vec!["GET".to_owned()],
            statuses: Vec::new(),
            collapse: "gap 30s".to_owned(),
        }
    }

    fn set(name: &str) -> SetWords {
        SetWords {
            name: name.to_owned(),
            definition: "repo = \"a/x\"".to_owned(),
            hashes: Vec::new(),
        }
    }

    #[test]
    fn sets_have_names_and_one_kind_of_members() {
        assert!(set("a.b-c_1").check().is_ok());
        for name in ["", "a b", ".a", "a/b", &"a".repeat(65)] {
            assert!(set(name).check().is_err(), "{name}");
        }
        let both = SetWords {
            hashes: vec!["00".to_owned()],
            ..set("a")
        };
        assert!(both.check().is_err());
        let many = SetWords {
            definition: String::new(),
            hashes: vec![String::new(); SET_HASHES_MAX + 1],
            ..set("a")
        };
        assert_eq!(many.check().unwrap_err().kind(), ErrorKind::Limit);
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut file = FileBuilder::new(FileKind::Settings);
        file.section(BODY, body);
        file.finish().unwrap()
    }

    #[test]
    fn they_come_back() -> Result<()> {
        let mut settings = Settings::default();
        for name in ["b", "a", "c"] {
            settings.add_rule(rule(name))?;
        }
        assert_eq!(
            settings.add_rule(rule("b")).unwrap_err().kind(),
            ErrorKind::Invalid
        );
        settings.remove_rule("c")?;
        for name in ["n", "m"] {
            settings.add_set(set(name))?;
        }
        assert!(settings.add_set(set("m")).is_err());
        settings.remove_set("n")?;
        assert!(settings.remove_set("n").is_err());
        assert!(settings.remove_rule("c").is_err());
        assert_eq!(Settings::from_bytes(&settings.to_bytes()?)?, settings);
        assert_eq!(settings.rules.len(), 2);
        Ok(())
    }

    #[test]
    fn annotations_are_kept_by_day() -> Result<()> {
        let mut settings = Settings::default();
        for (day, text) in [(20_000, "b"), (19_999, "z"), (20_000, " a "), (20_000, "b")] {
            settings.add_annotation(Annotation::new(Day(day), text, text == "z")?);
        }
        let again = Settings::from_bytes(&settings.to_bytes()?)?;
        assert_eq!(again, settings);
        let texts: Vec<&str> = again
            .annotations
            .iter()
            .map(|one| one.text.as_str())
            .collect();
        assert_eq!(texts, ["z", "a", "b"]);
        settings.remove_annotations(Day(20_000), Some("a"))?;
        assert!(settings.remove_annotations(Day(20_000), Some("a")).is_err());
        settings.remove_annotations(Day(20_000), None)?;
        assert_eq!(settings.annotations.len(), 1);
        assert!(Annotation::new(Day(1), "two\nlines", false).is_err());
        assert!(Annotation::new(Day(1), " ", false).is_err());
        Ok(())
    }

    #[test]
    fn what_a_newer_version_added_survives() -> Result<()> {
        let settings = Settings::from_bytes(&framed(br#"{"colours":["red"]}"#))?;
        let again = Settings::from_bytes(&settings.to_bytes()?)?;
        assert_eq!(
            again.unknown.get("colours"),
            settings.unknown.get("colours")
        );
        assert!(!again.unknown.is_empty());
        Ok(())
    }

    #[test]
    fn damage_is_found() {
        for body in [
            &b"{"[..],
            br#"{"rules":[{"name":"a"}]}"#,
            br#"{"sets":[{"name":"a"}]}"#,
            br#"{"sets":[{"name":"b","hashes":["1"]},{"name":"a","hashes":["1"]}]}"#,
            br#"{"rules":[{"name":"a","collapse":"day"},{"name":"a","collapse":"day"}]}"#,
            br#"{"aliases":[{"old":"a/x","new":"a/y"},{"old":"a/y","new":"a/z"}]}"#,
            br#"{"annotations":[{"day":"2024-13-01","text":"a"}]}"#,
            br#"{"annotations":[{"day":"2024-02-01","text":"a"},{"day":"2024-01-01","text":"a"}]}"#,
        ] {
            let error = Settings::from_bytes(&framed(body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

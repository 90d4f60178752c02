//! The dictionaries of names: methods with statuses, repos, places, user-agent templates, extras.
//!
//! Every commit that brings new names writes one file with a section for each dictionary that grew;
//! a few such files together are merged into one (the catalog says when).

use super::text::TextDictionary;
use crate::encoding::{compress_text, decompress_text};
use crate::error::Result;
use crate::layout::{FileBuilder, FileKind, FileView, SectionId};

/// Which dictionary of names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameKind {
    /// `method NUL status`.
    Verb,
    /// `repo type NUL repo name`.
    Repo,
    /// `country NUL region`; code 0 is absent.
    Place,
    /// User-agent template; code 0 is absent.
    Agent,
}

/// Every dictionary with a fixed meaning: kind, section, name.
pub const NAMES: [(NameKind, u32, &str); 4] = [
    (NameKind::Verb, 1, "verbs"),
    (NameKind::Repo, 2, "repos"),
    (NameKind::Place, 3, "places"),
    (NameKind::Agent, 4, "agents"),
];

/// Section of extra column 0; the next ones follow.
pub const SECTION_EXTRA_FIRST: u32 = 100;

/// All dictionaries of names of a store.
#[derive(Clone, Debug)]
pub struct Names {
    verbs: TextDictionary,
    repos: TextDictionary,
    places: TextDictionary,
    agents: TextDictionary,
    extras: Vec<TextDictionary>,
}

/// How many codes each dictionary had at some time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mark(Vec<u32>);

impl Default for Names {
    fn default() -> Self {
        Self {
            verbs: TextDictionary::default(),
            repos: TextDictionary::default(),
            places: TextDictionary::with_absent(),
            agents: TextDictionary::with_absent(),
            extras: Vec::new(),
        }
    }
}

impl Names {
    /// Methods with statuses.
    #[must_use]
    pub fn verbs(&self) -> &TextDictionary {
        &self.verbs
    }

    /// Repos.
    #[must_use]
    pub fn repos(&self) -> &TextDictionary {
        &self.repos
    }

    /// Places.
    #[must_use]
    pub fn places(&self) -> &TextDictionary {
        &self.places
    }

    /// User-agent templates.
    #[must_use]
    pub fn agents(&self) -> &TextDictionary {
        &self.agents
    }

    /// Values of the extra column `index`, if it has any.
    #[must_use]
    pub fn extra(&self, index: u16) -> Option<&TextDictionary> {
        self.extras.get(usize::from(index))
    }

    /// (method, status) of a verb code.
    #[must_use]
    pub fn verb(&self, code: u32) -> (&str, u16) {
        let (method, status) = split(self.verbs.text(code));
        (method, status.parse().unwrap_or(0))
    }

    /// (repo type, repo name) of a repo code.
    #[must_use]
    pub fn repo(&self, code: u32) -> (&str, &str) {
        split(self.repos.text(code))
    }

    /// (country, region) of a place code.
    #[must_use]
    pub fn place(&self, code: u32) -> (&str, &str) {
        split(self.places.text(code))
    }

    /// The code of a method and status, a new one if it has none.
    ///
    /// # Errors
    ///
    /// `Limit` when the dictionary is full; as for every method below.
    pub fn intern_verb(&mut self, method: &str, status: u16) -> Result<u32> {
        self.verbs.intern(&format!("{method}\0{status}"))
    }

    /// The code of a repo, a new one if it has none.
    ///
    /// # Errors
    ///
    /// `Limit` when the dictionary is full.
    pub fn intern_repo(&mut self, repo_type: &str, repo: &str) -> Result<u32> {
        self.repos.intern(&format!("{repo_type}\0{repo}"))
    }

    /// The code of a place, a new one if it has none; 0 when both are absent.
    ///
    /// # Errors
    ///
    /// `Limit` when the dictionary is full.
    pub fn intern_place(&mut self, country: &str, region: &str) -> Result<u32> {
        if country.is_empty() && region.is_empty() {
            return Ok(0);
        }
        self.places.intern(&format!("{country}\0{region}"))
    }

    /// The code of a user-agent template, a new one if it has none; 0 when absent.
    ///
    /// # Errors
    ///
    /// `Limit` when the dictionary is full.
    pub fn intern_agent(&mut self, template: &str) -> Result<u32> {
        self.agents.intern(template)
    }

    /// The code of a value of an extra column, a new one if it has none; 0 when absent.
    ///
    /// # Errors
    ///
    /// `Limit` when the dictionary is full.
    pub fn intern_extra(&mut self, column: u16, value: &str) -> Result<u32> {
        let index = usize::from(column);
        if self.extras.len() <= index {
            self.extras
                .resize_with(index + 1, TextDictionary::with_absent);
        }
        match self.extras.get_mut(index) {
            Some(dictionary) => dictionary.intern(value),
            None => Ok(0),
        }
    }

    /// How many codes there are now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.all().map(|(_, dictionary)| dictionary.len()).collect())
    }

    /// Forgets all codes given since `mark`.
    pub fn truncate(&mut self, mark: &Mark) {
        let fixed = [
            &mut self.verbs,
            &mut self.repos,
            &mut self.places,
            &mut self.agents,
        ];
        let all = fixed.into_iter().chain(&mut self.extras);
        for (dictionary, len) in all.zip(mark.0.iter().copied().chain(std::iter::repeat(1))) {
            dictionary.truncate(len);
        }
        self.extras
            .truncate(mark.0.len().saturating_sub(NAMES.len()));
    }

    /// Whether no code was given since `mark`.
    #[must_use]
    pub fn is_unchanged(&self, mark: &Mark) -> bool {
        self.mark() == *mark
    }

    /// The file of all codes given since `mark`.
    ///
    /// # Errors
    ///
    /// `Io` when compression fails.
    pub fn to_bytes(&self, mark: &Mark) -> Result<Vec<u8>> {
        let mut file = FileBuilder::new(FileKind::Dictionary);
        let before = mark
            .0
            .iter()
            .copied()
            .map(Some)
            .chain(std::iter::repeat(None));
        for ((section, dictionary), before) in self.all().zip(before) {
            let absent = u32::from(section >= 3);
            let first = before.unwrap_or(absent);
            if dictionary.len() > first {
                let bytes = compress_text(&dictionary.to_bytes(first))?;
                file.section(SectionId(section), &bytes);
            }
        }
        file.finish()
    }

    /// Appends a stored file; files come in the order of their commits.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged or does not follow on what is here.
    pub fn append_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let view = FileView::parse(bytes, FileKind::Dictionary)?;
        for id in view.section_ids() {
            let SectionId(section) = id;
            let stored = view.section_required(id)?;
            let dictionary = match section {
                1 => &mut self.verbs,
                2 => &mut self.repos,
                3 => &mut self.places,
                4 => &mut self.agents,
                SECTION_EXTRA_FIRST.. => {
                    let index = (section - SECTION_EXTRA_FIRST) as usize;
                    if index > usize::from(u16::MAX) {
                        continue;
                    }
                    if self.extras.len() <= index {
                        self.extras
                            .resize_with(index + 1, TextDictionary::with_absent);
                    }
                    let Some(dictionary) = self.extras.get_mut(index) else {
                        continue;
                    };
                    dictionary
                }
                _ => continue,
            };
            dictionary.append_bytes(&decompress_text(stored)?)?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = (u32, &TextDictionary)> {
        let fixed = [
            (1, &self.verbs),
            (2, &self.repos),
            (3, &self.places),
            (4, &self.agents),
        ];
        fixed
            .into_iter()
            .chain((SECTION_EXTRA_FIRST..).zip(&self.extras))
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_once('\0').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_follow_on_each_other() -> Result<()> {
        let mut names = Names::default();
        let empty = names.mark();
        assert_eq!(names.intern_repo("model", "a/x")?, 0);
        assert_eq!(names.intern_place("NA", "Windhoek")?, 1);
        let first = names.to_bytes(&empty)?;
        let mark = names.mark();
        assert_eq!(names.intern_repo("dataset", "a/x")?, 1);
        assert_eq!(names.intern_extra(1, "v")?, 1);
        assert_eq!(names.intern_verb("GET", 206)?, 0);
        let second = names.to_bytes(&mark)?;

        let mut read = Names::default();
        read.append_bytes(&first)?;
        assert!(read.append_bytes(&first).is_err(), "the same file twice");
        read.append_bytes(&second)?;
        assert_eq!(read.mark(), names.mark());
        assert_eq!(read.repo(1), ("dataset", "a/x"));
        assert_eq!(read.place(1), ("NA", "Windhoek"));
        assert_eq!(read.place(0), ("", ""));
        assert_eq!(read.verb(0), ("GET", 206));
        assert_eq!(read.extra(1).unwrap().text(1), "v");

        read.truncate(&mark);
        assert_eq!(read.mark(), mark);
        assert_eq!(read.intern_repo("space", "b/y")?, 1);
        Ok(())
    }
}

//! Named sets of downloaders: kept, listed, forgotten.

use super::Store;
use crate::analysis::{BUILT_IN, definition, definition_text, evaluate_set, machine_hashes, scope};
use crate::catalog::settings::change_settings;
use crate::error::{Error, Result};
use crate::settings::SetWords;

impl Store {
    /// The named sets, built-in ones last, and how many downloaders each has now; `None` for one whose
    /// definition names what is not there any more.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn sets(&self) -> Result<Vec<(SetWords, Option<u64>)>> {
        let view = self.view()?;
        let own = &view.settings().sets;
        let is_own = |name: &str| own.iter().any(|words| words.name == name);
        let built_in = BUILT_IN.iter().filter(|(name, _)| !is_own(name));
        let built_in: Vec<SetWords> = built_in
            .map(|(name, definition)| SetWords {
                name: (*name).to_owned(),
                definition: (*definition).to_owned(),
                hashes: Vec::new(),
            })
            .collect();
        let missing = crate::ErrorKind::NotFound;
        self.with_source(&view, |source| {
            let count = |words: &SetWords| match source.saved(&words.name) {
                Ok(set) => Ok((words.clone(), Some(set.count()))),
                Err(error) if error.kind() == missing => Ok((words.clone(), None)),
                Err(error) => Err(error),
            };
            own.iter().chain(&built_in).map(count).collect()
        })
    }

    /// Keeps a set under its name, in place of one that has it if `replaces`; gives how many downloaders it has now.
    ///
    /// # Errors
    ///
    /// `Invalid` for a definition without meaning and for a name that is taken or no name; `NotFound` for a
    /// set that it names and that is not there; `Limit` for more hashes than are kept; `Conflict` when there is
    /// another writer; `Corrupt`, `Io`.
    pub fn save_set(&self, mut words: SetWords, replaces: bool) -> Result<u64> {
        words.check()?;
        if !words.definition.is_empty() {
            words.definition = definition_text(&definition(&words.definition)?);
        }
        let view = self.view()?;
        let set = self.with_source(&view, |source| evaluate_set(source, &words))?;
        change_settings(&self.catalog, |settings| {
            if replaces {
                settings.sets.retain(|set| set.name != words.name);
            }
            settings.add_set(words)
        })?;
        Ok(set.count())
    }

    /// Those that behave like machines now, under a range and conditions as they follow `machines`, as a set of
    /// hashes to be saved.
    ///
    /// # Errors
    ///
    /// `Invalid` for a text without meaning, `NotFound` when nobody behaves like a machine; `Corrupt`, `Io`.
    pub fn machines_set(&self, name: String, text: &str) -> Result<SetWords> {
        let scope = scope("machines", text)?;
        let view = self.view()?;
        let hashes = self.with_source(&view, |source| machine_hashes(source, &scope))?;
        if hashes.is_empty() {
            return Err(Error::not_found("no downloader behaves like a machine"));
        }
        Ok(SetWords {
            name,
            definition: String::new(),
            hashes,
        })
    }

    /// Forgets a named set.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of that name; `Conflict` when there is another writer; `Corrupt`, `Io`.
    pub fn remove_set(&self, name: &str) -> Result<()> {
        change_settings(&self.catalog, |settings| settings.remove_set(name))
    }
}

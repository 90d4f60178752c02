//! A snapshot's settings to what they mean, and changed settings to the next state.

use std::sync::Arc;

use super::Catalog;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::rules::Rule;
use crate::settings::{RuleWords, Settings};

/// The settings of a snapshot, and their counting rules.
///
/// # Errors
///
/// `Corrupt` when the file is damaged or missing, or has a rule without meaning; `Io`.
pub fn load_settings(snapshot: &Snapshot) -> Result<(Arc<Settings>, Vec<Rule>)> {
    let Some(file) = &snapshot.manifest().settings else {
        return Ok(Default::default());
    };
    let settings = snapshot.open_as(file, |bytes| Settings::from_bytes(&bytes))?;
    let rules = settings.rules.iter().map(rule_of).collect::<Result<_>>();
    let rules = rules.map_err(|error| {
        let message = format!("settings have a rule without meaning: {}", error.message());
        Error::corrupt(message).at_path(file.path(snapshot.dir()))
    })?;
    Ok((settings, rules))
}

/// What an owner's words mean.
///
/// # Errors
///
/// `Invalid` for words without meaning and for the name of a built-in rule.
pub fn rule_of(words: &RuleWords) -> Result<Rule> {
    Rule::of_words(
        &words.name,
        &words.methods,
        &words.statuses,
        &words.collapse,
    )
}

/// Commits what `change` makes of the settings; nothing if it changes nothing.
///
/// # Errors
///
/// Those of `change`; `Conflict` when another writer holds the store; `Corrupt`, `Io`.
pub fn change_settings(
    catalog: &Catalog,
    change: impl FnOnce(&mut Settings) -> Result<()>,
) -> Result<()> {
    let mut transaction = catalog.begin()?;
    let (before, _) = load_settings(transaction.base())?;
    let mut after = Settings::clone(&before);
    change(&mut after)?;
    if after == *before {
        return Ok(());
    }
    let file = transaction.write(FileKind::Settings, &after.to_bytes()?)?;
    transaction.manifest_mut().settings = Some(file);
    transaction.commit()?;
    Ok(())
}

//! Names, keys and look-up runs to what codes stand for, and the faults among them.

use std::collections::HashMap;
use std::sync::Arc;

use super::row_sum::Prints;
use super::{Codes, Faults};
use crate::catalog::view::{IDENTITIES, Meanings, NAMES};
use crate::catalog::{DictionaryEntry, DictionaryRole};
use crate::dictionary::identity::{IdentityKey, KeyChunk, LookupRun, fingerprint};
use crate::dictionary::{IdentityKeys, Names};
use crate::error::{Error, Result};

/// Checks every dictionary; gives what could be read of them.
pub(super) fn check(faults: &mut Faults) -> Codes {
    let names = names(faults);
    let identities = keys(faults);
    if let Some(keys) = &identities {
        let runs = runs(faults, keys);
        check_identities(faults, keys, &runs);
    }
    Codes {
        meanings: names.as_ref().map(Meanings::of),
        prints: names
            .as_ref()
            .map(|names| Prints::of(names, &faults.manifest().extra_columns)),
        names,
        ip_bits: identities
            .as_ref()
            .map(IdentityKeys::ip_bits)
            .unwrap_or_default(),
        identities,
    }
}

fn entries(faults: &Faults, name: &str, role: DictionaryRole) -> Vec<DictionaryEntry> {
    let entries = faults.manifest().dictionaries.iter();
    let own = entries.filter(|entry| entry.dictionary == name && entry.role == role);
    own.cloned().collect()
}

fn names(faults: &mut Faults) -> Option<Names> {
    let mut names = Names::default();
    for entry in entries(faults, NAMES, DictionaryRole::Keys) {
        if !faults.is_sound(&entry.file) {
            return None;
        }
        let bytes = faults.snapshot.open_file(&entry.file);
        if let Err(error) = bytes.and_then(|bytes| names.append_bytes(&bytes)) {
            faults.add_at(&entry.file, error);
            return None;
        }
    }
    let extra = (0..u16::MAX).map_while(|column| names.extra(column));
    let fixed = [names.verbs(), names.repos(), names.places(), names.agents()];
    let mut twice = Vec::new();
    for dictionary in fixed.into_iter().chain(extra) {
        let of_other = |(code, text): &(u32, &str)| dictionary.code(text) != Some(*code);
        twice.extend(
            (0..)
                .zip(dictionary.texts())
                .find(of_other)
                .map(|(code, _)| code),
        );
    }
    for code in twice {
        faults.add_text(
            None,
            format!("names: the text of code {code} has another code too"),
        );
    }
    Some(names)
}

fn keys(faults: &mut Faults) -> Option<IdentityKeys> {
    let mut chunks: Vec<Arc<KeyChunk>> = Vec::new();
    let mut next = 1;
    for entry in entries(faults, IDENTITIES, DictionaryRole::Keys) {
        if !faults.is_sound(&entry.file) {
            return None;
        }
        let chunk = match faults.snapshot.open_as(&entry.file, KeyChunk::open) {
            Ok(chunk) => chunk,
            Err(error) => {
                faults.add_at(&entry.file, error);
                return None;
            }
        };
        let (found, said) = (
            chunk.ids(),
            entry.first_code..entry.first_code + entry.count,
        );
        if found != said || found.start != next {
            let what = format!(
                "has identities {found:?}, the manifest says {said:?}, expected from {next}"
            );
            faults.add_text(Some(&entry.file), what);
            return None;
        }
        next = found.end;
        chunks.push(chunk);
    }
    match IdentityKeys::new(chunks) {
        Ok(keys) => Some(keys),
        Err(error) => {
            faults.add(&error);
            None
        }
    }
}

/// The look-up runs that can be read, with their entries.
fn runs(faults: &mut Faults, keys: &IdentityKeys) -> Vec<(DictionaryEntry, LookupRun)> {
    let mut runs = Vec::new();
    let mut next = 1;
    for entry in entries(faults, IDENTITIES, DictionaryRole::Lookup) {
        let said = entry.first_code..entry.first_code + entry.count;
        if said.start != next || said.end > keys.next_id() {
            let what = format!(
                "covers identities {said:?}, expected from {next} to {}",
                keys.next_id()
            );
            faults.add_text(Some(&entry.file), what);
        }
        next = said.end;
        if !faults.is_sound(&entry.file) {
            continue;
        }
        let run = faults
            .snapshot
            .open_file(&entry.file)
            .and_then(LookupRun::open);
        match run {
            Ok(run) if run.ids() != said => {
                let what = format!(
                    "covers identities {:?}, the manifest says {said:?}",
                    run.ids()
                );
                faults.add_text(Some(&entry.file), what);
            }
            Ok(run) => runs.push((entry, run)),
            Err(error) => faults.add_at(&entry.file, error),
        }
    }
    runs
}

/// Checks that every key can be read, has one id, and is found by the run that covers it.
fn check_identities(
    faults: &mut Faults,
    keys: &IdentityKeys,
    runs: &[(DictionaryEntry, LookupRun)],
) {
    let mut uncovered = HashMap::<u64, u32>::new();
    for id in 1..keys.next_id() {
        let key = match keys.key(id) {
            Ok(key) => key,
            Err(error) => {
                faults.add(&error);
                continue;
            }
        };
        let text = key.text();
        let print = fingerprint(key.kind, text.as_bytes());
        if IdentityKey::of_text(key.kind, text.as_bytes()).packed != key.packed {
            faults.add_text(
                None,
                format!("identity {id} is not packed as its text asks for"),
            );
        }
        let mut is_covered = false;
        for (entry, run) in runs {
            let own = run.ids().contains(&id);
            is_covered |= own;
            let found = run.find(keys, &key.wanted(print));
            if let Err(error) = expect(found, own.then_some(id), id) {
                faults.add_at(&entry.file, error);
            }
        }
        if !is_covered
            && let Some(other) = uncovered.insert(print, id)
            && keys.key(other).is_ok_and(|other| other == key)
        {
            faults.add_text(None, format!("identities {other} and {id} are the same"));
        }
    }
}

fn expect(found: Result<Option<u32>>, expected: Option<u32>, id: u32) -> Result<()> {
    let found = found?;
    if found == expected {
        return Ok(());
    }
    let text = |id: Option<u32>| id.map_or("none".to_owned(), |id| id.to_string());
    let (found, expected) = (text(found), text(expected));
    Err(Error::corrupt(format!(
        "looking up identity {id} gives {found}, expected {expected}"
    )))
}

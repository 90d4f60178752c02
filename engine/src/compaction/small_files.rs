//! Several files of names, look-ups and ledger to one of each.
//!
//! Keys of identities stay as they are: they are the largest part of a store, and readers open their files
//! without reading them.

use crate::catalog::view::{IDENTITIES, NAMES, load_identities, load_names};
use crate::catalog::{DictionaryEntry, DictionaryRole, Transaction};
use crate::dictionary::Names;
use crate::dictionary::identity::encode_lookup;
use crate::error::Result;
use crate::layout::FileKind;

/// Merges what lies in several files; `false` when nothing does.
pub(super) fn merge(transaction: &mut Transaction) -> Result<bool> {
    let names = merge_names(transaction)?;
    let lookup = merge_lookup(transaction)?;
    let ledger = transaction.merge_ledger()?;
    Ok(names || lookup || ledger)
}

fn merge_names(transaction: &mut Transaction) -> Result<bool> {
    let is_names = |entry: &DictionaryEntry| entry.dictionary == NAMES;
    if count(transaction, is_names) < 2 {
        return Ok(false);
    }
    let names = load_names(transaction.base())?;
    let bytes = names.to_bytes(&Names::default().mark())?;
    replace(
        transaction,
        is_names,
        (FileKind::Dictionary, &bytes),
        (0, 0),
    )?;
    Ok(true)
}

fn merge_lookup(transaction: &mut Transaction) -> Result<bool> {
    let is_lookup = |entry: &DictionaryEntry| {
        entry.dictionary == IDENTITIES && entry.role == DictionaryRole::Lookup
    };
    if count(transaction, is_lookup) < 2 {
        return Ok(false);
    }
    let keys = load_identities(transaction.base())?;
    let next = keys.next_id();
    let bytes = encode_lookup(&keys, 1..next)?;
    let codes = (1, next.saturating_sub(1));
    replace(transaction, is_lookup, (FileKind::Lookup, &bytes), codes)?;
    Ok(true)
}

fn count(transaction: &Transaction, is_meant: impl Fn(&DictionaryEntry) -> bool) -> usize {
    let entries = transaction.manifest().dictionaries.iter();
    entries.filter(|entry| is_meant(entry)).count()
}

/// Puts one file in the place of those that are meant.
fn replace(
    transaction: &mut Transaction,
    is_meant: impl Fn(&DictionaryEntry) -> bool,
    (kind, bytes): (FileKind, &[u8]),
    (first_code, count): (u32, u32),
) -> Result<()> {
    let file = transaction.write(kind, bytes)?;
    let entries = &mut transaction.manifest_mut().dictionaries;
    let Some(at) = entries.iter().position(&is_meant) else {
        return Ok(());
    };
    let Some(first) = entries.get(at).cloned() else {
        return Ok(());
    };
    entries.retain(|entry| !is_meant(entry));
    let merged = DictionaryEntry {
        file,
        first_code,
        count,
        ..first
    };
    entries.insert(at.min(entries.len()), merged);
    Ok(())
}

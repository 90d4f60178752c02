//! Look-up runs, which small stores do not have, through compaction and verification.

use std::sync::Arc;

use footfall_engine::Result;
use footfall_engine::catalog::view::IDENTITIES;
use footfall_engine::catalog::{Catalog, DictionaryEntry, DictionaryRole};
use footfall_engine::dictionary::IdentityKeys;
use footfall_engine::dictionary::identity::{KeyChunk, encode_keys, encode_lookup};
use footfall_engine::layout::FileKind;
use footfall_engine::storage::{FileBytes, RealFileSystem};
use footfall_engine::store::Store;

use crate::scene::*;
/// Adds look-up runs that cover the identities up to each of `ends`, as `keys` has them.
fn add_runs(store: &Store, keys: &IdentityKeys, ends: &[u32]) {
    let catalog = Catalog::open(Arc::new(RealFileSystem::default()), store.dir()).unwrap();
    let mut transaction = catalog.begin().unwrap();
    let mut first_code = 1;
    for end in ends {
        let bytes = encode_lookup(keys, first_code..*end).unwrap();
        let entry = DictionaryEntry {
            file: transaction.write(FileKind::Lookup, &bytes).unwrap(),
            dictionary: IDENTITIES.to_owned(),
            first_code,
            count: end - first_code,
            role: DictionaryRole::Lookup,
        };
        transaction.manifest_mut().dictionaries.push(entry);
        first_code = *end;
    }
    transaction.commit().unwrap();
}

fn runs(store: &Store) -> usize {
    let view = store.view().unwrap();
    let entries = view.manifest().dictionaries.iter();
    entries
        .filter(|entry| entry.role == DictionaryRole::Lookup)
        .count()
}

#[test]
fn lookup_runs_find_every_key_and_become_one() -> Result<()> {
    let scene = Scene::new();
    let store = tiny(&scene);
    let keys = store.view()?.identities().clone();
    let next = keys.next_id();
    add_runs(&store, &keys, &[next / 2, next - 3]);
    assert_eq!((verify(&store), runs(&store)), (Vec::new(), 2));
    store.compact(&mut |_| {})?;
    assert_eq!((verify(&store), runs(&store)), (Vec::new(), 1));
    let receipt = ingest(&store, &[scene.file("late.csv", exported(&store))]);
    assert_eq!(receipt.rows, 61);
    assert_eq!(
        store.view()?.identities().next_id(),
        next,
        "no key is given a second id"
    );

    let other = Scene::new();
    let store = tiny(&other);
    let turned: Vec<_> = (1..next)
        .rev()
        .map(|id| keys.key(id))
        .collect::<Result<_>>()?;
    let turned = FileBytes::from(encode_keys(1, turned.iter().cloned())?);
    let turned = IdentityKeys::new(vec![Arc::new(KeyChunk::open(Arc::new(turned))?)])?;
    add_runs(&store, &turned, &[next]);
    let faults = verify(&store);
    assert!(
        faults.iter().any(|fault| fault.starts_with("lookup-")),
        "{faults:?}"
    );
    assert!(
        faults[0].contains("looking up identity 1 gives none, expected 1"),
        "{faults:?}"
    );
    Ok(())
}

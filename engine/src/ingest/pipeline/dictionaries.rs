//! Codes of pieces to codes of the store.

use std::collections::HashMap;
use std::sync::Arc;

use super::local::LocalTexts;
use super::piece::Piece;
use crate::catalog::view::{IDENTITIES, NAMES, load_identities, load_lookup_runs, load_names};
use crate::catalog::{
    DictionaryEntry, DictionaryRole, FileEntry, Snapshot, Transaction, runs_to_merge,
};
use crate::dictionary::identity::{Fingerprint, FingerprintMap, KeyChunk, LookupRun};
use crate::dictionary::names::Mark;
use crate::dictionary::{IdentityKeys, IdentityWriter, Names};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::segment::Attribute;
use crate::storage::FileBytes;

/// Identities beyond the lookup runs that are found in memory rather than by another run: reading
/// this many back takes a writer some 0.3 s and 67 MB, and a run costs 4.3 bytes for each for ever.
const UNCOVERED_MAX: u32 = 6_000_000;
/// Bytes of the table in memory above which what is in it becomes a run.
const TABLE_BYTES_MAX: usize = 128 << 20;

/// Files of names before all are written as one: names are read whole by whoever opens a store.
const NAMES_FILES_MAX: usize = 32;

/// The store's codes of a piece's codes.
#[derive(Debug)]
pub(super) struct Maps {
    pub(super) identity: Vec<u32>,
    pub(super) repo: Vec<u32>,
    pub(super) verb: Vec<u32>,
    pub(super) place: Vec<u32>,
    pub(super) agent: Vec<u32>,
    /// Extra columns: the store's column, codes.
    pub(super) extra: Vec<(u16, Vec<u32>)>,
}

/// How much the dictionaries held at some time.
#[derive(Clone, Debug)]
pub(super) struct DictionaryMark {
    names: Mark,
    next_id: u32,
    extra_columns: usize,
}

/// All dictionaries of a store, open for writing.
#[derive(Debug)]
pub(super) struct Dictionaries {
    pub(super) names: Names,
    identities: IdentityWriter,
    extra_columns: Vec<String>,
    stored: Mark,
    known: Known,
}

/// Codes by the fingerprints of their texts, as far as this call met them.
#[derive(Debug, Default)]
struct Known {
    verbs: KnownTexts,
    repos: KnownTexts,
    places: KnownTexts,
    agents: KnownTexts,
    extra: HashMap<u16, KnownTexts>,
}

#[derive(Debug, Default)]
struct KnownTexts(FingerprintMap<u32>);

impl KnownTexts {
    /// The codes of all `texts`, behind `absent`; `intern` knows that of a text not met before.
    fn codes(
        &mut self,
        texts: &LocalTexts,
        absent: Option<u32>,
        mut intern: impl FnMut(&str) -> Result<u32>,
    ) -> Result<Vec<u32>> {
        let all = texts.all();
        let mut codes = Vec::with_capacity(all.len() + 1);
        codes.extend(absent);
        for (print, text) in all {
            let print = Fingerprint::from(print);
            let code = match self.0.get(&print) {
                Some(code) => *code,
                None => {
                    let code = intern(std::str::from_utf8(text).unwrap_or_default())?;
                    self.0.insert(print, code);
                    code
                }
            };
            codes.push(code);
        }
        Ok(codes)
    }
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once('\0').unwrap_or((text, ""))
}

impl Dictionaries {
    /// The dictionaries of a snapshot.
    pub(super) fn load(snapshot: &Snapshot) -> Result<Self> {
        let names = load_names(snapshot)?;
        let identities =
            IdentityWriter::new(load_identities(snapshot)?, load_lookup_runs(snapshot)?)?;
        Ok(Self {
            stored: names.mark(),
            names,
            identities,
            extra_columns: snapshot.manifest().extra_columns.clone(),
            known: Known::default(),
        })
    }

    /// How much they hold now.
    pub(super) fn mark(&self) -> DictionaryMark {
        DictionaryMark {
            names: self.names.mark(),
            next_id: self.identities.next_id(),
            extra_columns: self.extra_columns.len(),
        }
    }

    /// Forgets all that came since `mark`.
    pub(super) fn truncate(&mut self, mark: &DictionaryMark) {
        self.known = Known::default();
        self.names.truncate(&mark.names);
        self.identities.truncate(mark.next_id);
        self.extra_columns.truncate(mark.extra_columns);
    }

    /// Extra columns that came since `mark`.
    pub(super) fn columns_since(&self, mark: &DictionaryMark) -> Vec<String> {
        self.extra_columns
            .get(mark.extra_columns..)
            .unwrap_or_default()
            .to_vec()
    }

    /// Bytes of memory that new identities take until they are stored, about.
    pub(super) fn new_keys_bytes(&self) -> u64 {
        self.identities.new_bytes() as u64
    }

    /// The store's codes of a piece; new ones for what is new, in the piece's order.
    pub(super) fn map(&mut self, piece: &Piece) -> Result<Maps> {
        let identities = piece.identities.all();
        let mut identity = Vec::with_capacity(identities.len() + 1);
        identity.push(0);
        self.identities.intern_all(identities, &mut identity)?;
        let (names, known) = (&mut self.names, &mut self.known);
        let verb = known.verbs.codes(&piece.verbs, None, |text| {
            let (method, status) = pair(text);
            names.intern_verb(method, status.parse().unwrap_or(0))
        })?;
        let repo = known.repos.codes(&piece.repos, None, |text| {
            let (repo_type, name) = pair(text);
            names.intern_repo(repo_type, name)
        })?;
        let place = known.places.codes(&piece.places, Some(0), |text| {
            let (country, region) = pair(text);
            names.intern_place(country, region)
        })?;
        let agent = known
            .agents
            .codes(&piece.agents, Some(0), |text| names.intern_agent(text))?;
        Ok(Maps {
            identity,
            repo,
            verb,
            place,
            agent,
            extra: self.map_extra(piece)?,
        })
    }

    fn map_extra(&mut self, piece: &Piece) -> Result<Vec<(u16, Vec<u32>)>> {
        let mut extra = Vec::new();
        for column in &piece.extra {
            let index = self.column(&column.name)?;
            let (names, known) = (&mut self.names, self.known.extra.entry(index).or_default());
            let codes = known.codes(&column.texts, Some(0), |text| {
                names.intern_extra(index, text)
            })?;
            extra.push((index, codes));
        }
        Ok(extra)
    }

    fn column(&mut self, name: &str) -> Result<u16> {
        let known = self.extra_columns.iter().position(|column| column == name);
        let index = known.unwrap_or_else(|| {
            self.extra_columns.push(name.to_owned());
            self.extra_columns.len() - 1
        });
        u16::try_from(index)
            .ok()
            .filter(|index| *index < Attribute::EXTRA_MAX)
            .ok_or_else(|| {
                Error::limit(format!(
                    "{} extra columns are the most",
                    Attribute::EXTRA_MAX
                ))
                .at_column(name)
            })
    }

    /// Writes what is new into the transaction. `last` says that the call ends with this commit.
    pub(super) fn store(&mut self, transaction: &mut Transaction, last: bool) -> Result<()> {
        transaction
            .manifest_mut()
            .extra_columns
            .clone_from(&self.extra_columns);
        self.store_names(transaction)?;
        let keys = self.store_keys(transaction)?;
        let uncovered = keys.next_id().saturating_sub(self.identities.uncovered());
        let too_many = self.identities.table_bytes() > TABLE_BYTES_MAX;
        let runs = if too_many || (last && uncovered > UNCOVERED_MAX) {
            Some(self.store_lookup(transaction, &keys)?)
        } else {
            None
        };
        self.identities.committed(keys, runs);
        Ok(())
    }

    /// Writes the new names; together with the newest files of names when those are small.
    fn store_names(&mut self, transaction: &mut Transaction) -> Result<()> {
        if self.names.is_unchanged(&self.stored) {
            return Ok(());
        }
        let new = self.names.to_bytes(&self.stored)?;
        let entries = &mut transaction.manifest_mut().dictionaries;
        let sizes: Vec<u64> = entries
            .iter()
            .filter(|e| e.dictionary == NAMES)
            .map(|e| e.file.len)
            .collect();
        let merge = runs_to_merge(&sizes, new.len() as u64);
        let all = (merge > 0 && merge == sizes.len()) || sizes.len() >= NAMES_FILES_MAX;
        let bytes = if all {
            self.names.to_bytes(&Names::default().mark())?
        } else {
            new
        };
        if all {
            entries.retain(|entry| entry.dictionary != NAMES);
        }
        let file = transaction.write(FileKind::Dictionary, &bytes)?;
        push(transaction, file, (NAMES, DictionaryRole::Keys), (0, 0));
        self.stored = self.names.mark();
        Ok(())
    }

    fn store_keys(&mut self, transaction: &mut Transaction) -> Result<IdentityKeys> {
        let keys = self.identities.keys();
        let first = keys.next_id();
        let count = self.identities.next_id() - first;
        if count == 0 {
            return Ok(keys.clone());
        }
        let mut chunks = keys.chunks().to_vec();
        let mut file = transaction.writer(FileKind::Dictionary)?;
        self.identities.write_new(|bytes| file.append(bytes))?;
        let file = file.finish()?;
        push(
            transaction,
            file,
            (IDENTITIES, DictionaryRole::Keys),
            (first, count),
        );
        let counts = &mut transaction.manifest_mut().dictionary_counts;
        counts.insert(IDENTITIES.to_owned(), first + count);
        let mapped = FileBytes::open(
            &file.path(transaction.base().dir()),
            file.len,
            crate::storage::Access::default(),
        )?;
        chunks.push(Arc::new(KeyChunk::open(Arc::new(mapped))?));
        IdentityKeys::new(chunks)
    }

    /// Writes a lookup run for the identities that have none, merged with the newest small ones.
    fn store_lookup(
        &mut self,
        transaction: &mut Transaction,
        keys: &IdentityKeys,
    ) -> Result<Vec<LookupRun>> {
        let is_lookup = |entry: &DictionaryEntry| {
            entry.dictionary == IDENTITIES && entry.role == DictionaryRole::Lookup
        };
        let old: Vec<DictionaryEntry> = transaction
            .manifest()
            .dictionaries
            .iter()
            .filter(|e| is_lookup(e))
            .cloned()
            .collect();
        let sizes: Vec<u64> = old.iter().map(|entry| u64::from(entry.count)).collect();
        let first_new = old.last().map_or(1, |entry| entry.first_code + entry.count);
        let merge = runs_to_merge(&sizes, u64::from(keys.next_id() - first_new));
        let kept = old.len() - merge.min(old.len());
        let first = old.get(kept).map_or(first_new, |entry| entry.first_code);
        let bytes = self.identities.encode_lookup(keys, first)?;
        let gone: Vec<u64> = old
            .iter()
            .skip(kept)
            .map(|entry| entry.file.number)
            .collect();
        let entries = &mut transaction.manifest_mut().dictionaries;
        entries.retain(|entry| !gone.contains(&entry.file.number));
        let file = transaction.write(FileKind::Lookup, &bytes)?;
        let count = keys.next_id() - first;
        push(
            transaction,
            file,
            (IDENTITIES, DictionaryRole::Lookup),
            (first, count),
        );
        let open = |entry: &DictionaryEntry| {
            let path = entry.file.path(transaction.base().dir());
            let bytes = FileBytes::open(&path, entry.file.len, crate::storage::Access::default())?;
            LookupRun::open(Arc::new(bytes))
        };
        transaction
            .manifest()
            .dictionaries
            .iter()
            .filter(|e| is_lookup(e))
            .map(open)
            .collect()
    }
}

fn push(
    transaction: &mut Transaction,
    file: FileEntry,
    (dictionary, role): (&str, DictionaryRole),
    (first_code, count): (u32, u32),
) {
    transaction
        .manifest_mut()
        .dictionaries
        .push(DictionaryEntry {
            file,
            dictionary: dictionary.to_owned(),
            first_code,
            count,
            role,
        });
}

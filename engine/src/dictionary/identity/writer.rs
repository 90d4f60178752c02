//! Texts of identities to ids, new ones for new texts.

use std::borrow::Cow;
use std::hint::black_box;

use super::key::{IdentityKey, pack_into};
use super::keys::{IdentityKeys, encode_keys};
use super::lookup::LookupRun;
use super::table::PrintTable;
use crate::error::{Error, Result};
use crate::schema::IdentityKind;

/// Finds and gives ids while a store is written.
#[derive(Debug)]
pub struct IdentityWriter {
    keys: IdentityKeys,
    runs: Vec<LookupRun>,
    /// Identities that no run covers: stored ones beyond the runs, and new ones.
    table: PrintTable,
    /// New identities in id order, their bytes one after the other.
    new_bytes: Vec<u8>,
    new: Vec<NewKey>,
}

/// A new identity.
#[derive(Clone, Copy, Debug)]
struct NewKey {
    kind: IdentityKind,
    packed: bool,
    /// Where its bytes end.
    end: usize,
}

/// An identity to be found: kind, text and fingerprint.
pub type WantedKey<'t> = (IdentityKind, &'t [u8], u128);

/// Identities that are looked for together.
const TOGETHER: usize = 32;

impl IdentityWriter {
    /// A writer over what is stored; `runs` cover ids from 1 on without a gap.
    ///
    /// # Errors
    ///
    /// `Corrupt` when keys that no run covers cannot be read.
    pub fn new(keys: IdentityKeys, runs: Vec<LookupRun>) -> Result<Self> {
        let covered = runs.last().map_or(1, |run| run.ids().end);
        let mut table = PrintTable::default();
        table.reserve(keys.next_id().saturating_sub(covered) as usize);
        let mut text = Vec::new();
        for id in covered..keys.next_id() {
            let print = keys.key(id)?.fingerprint(&mut text);
            if table.get(print).is_none() {
                table.insert(print, id);
            }
        }
        Ok(Self {
            keys,
            runs,
            table,
            new_bytes: Vec::new(),
            new: Vec::new(),
        })
    }

    /// The id after the last one given.
    #[must_use]
    pub fn next_id(&self) -> u32 {
        self.keys.next_id() + u32::try_from(self.new.len()).unwrap_or(u32::MAX)
    }

    /// Appends the ids of identities, new ones for those that have none; fingerprints are those of `key`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when stored bytes are damaged, `Limit` after 2³² − 2 identities.
    pub fn intern_all<'t>(
        &mut self,
        mut identities: impl ExactSizeIterator<Item = WantedKey<'t>>,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        ids.reserve(identities.len());
        let mut together = Vec::with_capacity(TOGETHER);
        loop {
            together.clear();
            together.extend(identities.by_ref().take(TOGETHER));
            if together.is_empty() {
                return Ok(());
            }
            // Or the compiler sees that nobody wants to know.
            black_box(self.table.touch(together.iter().map(|(.., print)| *print)));
            for (kind, text, print) in &together {
                ids.push(self.intern(*kind, text, *print)?);
            }
        }
    }

    /// The id of an identity, a new one if it has none; `print` is its [`fingerprint`].
    fn intern(&mut self, kind: IdentityKind, text: &[u8], print: u128) -> Result<u32> {
        if let Some(id) = self.table.get(print) {
            return Ok(id);
        }
        for run in self.runs.iter().rev() {
            if let Some(id) = run.find(&self.keys, (kind, text), print)? {
                return Ok(id);
            }
        }
        let id = self.next_id();
        if id >= u32::MAX - 1 {
            return Err(Error::limit(
                "4294967294 downloaders are the most that a store holds",
            ));
        }
        self.table.insert(print, id);
        let packed = pack_into(text, &mut self.new_bytes);
        let end = self.new_bytes.len();
        self.new.push(NewKey { kind, packed, end });
        Ok(id)
    }

    /// Forgets the new identities from `next_id` on.
    pub fn truncate(&mut self, next_id: u32) {
        if next_id >= self.next_id() {
            return;
        }
        let keep = next_id.saturating_sub(self.keys.next_id()) as usize;
        self.new.truncate(keep);
        self.table.retain(|id| id < next_id);
        self.new_bytes
            .truncate(self.new.last().map_or(0, |key| key.end));
    }

    /// The key file of the new identities; `None` when there are none.
    ///
    /// # Errors
    ///
    /// `Limit` when there are too many for one file.
    pub fn encode_new(&self) -> Result<Option<Vec<u8>>> {
        if self.new.is_empty() {
            return Ok(None);
        }
        let mut start = 0;
        let keys = self.new.iter().map(|key| {
            let bytes = self.new_bytes.get(start..key.end).unwrap_or_default();
            start = key.end;
            IdentityKey {
                kind: key.kind,
                packed: key.packed,
                bytes: Cow::Borrowed(bytes),
            }
        });
        let keys: Vec<IdentityKey<'_>> = keys.collect();
        encode_keys(self.keys.next_id(), &keys).map(Some)
    }

    /// Takes notice that the new identities are stored: `keys` are all identities now, and `runs`
    /// the lookup runs, when they changed.
    pub fn committed(&mut self, keys: IdentityKeys, runs: Option<Vec<LookupRun>>) {
        self.keys = keys;
        self.new.clear();
        self.new_bytes.clear();
        if let Some(runs) = runs {
            let covered = runs.last().map_or(1, |run| run.ids().end);
            self.table.retain(|id| id >= covered);
            self.runs = runs;
        }
    }

    /// The first id that no lookup run covers.
    #[must_use]
    pub fn uncovered(&self) -> u32 {
        self.runs.last().map_or(1, |run| run.ids().end)
    }

    /// The stored identities.
    #[must_use]
    pub fn keys(&self) -> &IdentityKeys {
        &self.keys
    }

    /// Bytes of memory that the table and the new keys take, about.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let new = self.new.capacity() * size_of::<NewKey>();
        self.table.memory_bytes() + self.new_bytes.capacity() + new
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{KeyChunk, encode_lookup, fingerprint};
    use super::*;
    use crate::storage::FileBytes;

    fn text(index: u32) -> String {
        match index % 5 {
            0 => format!("name {index}"),
            1 => format!("{index:08x}"),
            _ => format!(
                "{:064x}",
                u128::from(index) * 0x1234_5678_9abc_def0_1234_5678
            ),
        }
    }

    fn kind(index: u32) -> IdentityKind {
        if index.is_multiple_of(3) {
            IdentityKind::User
        } else {
            IdentityKind::Ip
        }
    }

    fn intern(writer: &mut IdentityWriter, index: u32) -> u32 {
        let text = text(index);
        let print = fingerprint(kind(index), text.as_bytes());
        let mut ids = Vec::new();
        let wanted = [(kind(index), text.as_bytes(), print)];
        writer.intern_all(wanted.into_iter(), &mut ids).unwrap();
        ids[0]
    }

    fn commit(writer: &mut IdentityWriter, with_lookup: bool) {
        let file = writer.encode_new().unwrap().unwrap();
        let mut chunks = writer.keys().chunks().to_vec();
        chunks.push(Arc::new(
            KeyChunk::open(Arc::new(FileBytes::from(file))).unwrap(),
        ));
        let keys = IdentityKeys::new(chunks).unwrap();
        let runs = with_lookup.then(|| {
            let file = encode_lookup(&keys, 1..keys.next_id()).unwrap();
            vec![LookupRun::open(Arc::new(FileBytes::from(file))).unwrap()]
        });
        writer.committed(keys, runs);
    }

    #[test]
    fn ids_are_dense_and_stay() {
        let mut writer = IdentityWriter::new(IdentityKeys::default(), Vec::new()).unwrap();
        for round in 0..4 {
            for index in 0..round * 700 + 500 {
                assert_eq!(intern(&mut writer, index), index + 1, "round {round}");
            }
            commit(&mut writer, round % 2 == 1);
        }
        let keys = writer.keys().clone();
        for index in 0..2600 {
            let key = keys.key(index + 1).unwrap();
            assert_eq!((key.kind, key.text()), (kind(index), text(index)));
            let is_ip = keys.ip_bits()[(index as usize + 1) / 64] >> ((index + 1) % 64) & 1;
            assert_eq!(is_ip == 1, kind(index) == IdentityKind::Ip);
        }
        assert!(keys.key(0).is_err() && keys.key(2601).is_err());
    }

    #[test]
    fn truncated_ids_are_given_again() {
        let mut writer = IdentityWriter::new(IdentityKeys::default(), Vec::new()).unwrap();
        intern(&mut writer, 1);
        let mark = writer.next_id();
        intern(&mut writer, 2);
        intern(&mut writer, 3);
        writer.truncate(mark);
        assert_eq!(intern(&mut writer, 9), mark);
        assert_eq!(intern(&mut writer, 2), mark + 1);
    }
}

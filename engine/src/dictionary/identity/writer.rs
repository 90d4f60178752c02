//! Texts of identities to ids, new ones for new texts.

use std::hint::black_box;

use super::key::{IdentityKey, WantedKey};
use super::keys::{IdentityKeys, write_keys};
use super::lookup::{LookupRun, encode_tags, tags_of};
use super::new_keys::NewKeys;
use super::table::PrintTable;
use crate::error::{Error, Result};

/// Finds and gives ids while a store is written.
#[derive(Debug)]
pub struct IdentityWriter {
    keys: IdentityKeys,
    runs: Vec<LookupRun>,
    /// Identities that no run covers: stored ones beyond the runs, and new ones.
    table: PrintTable,
    new: NewKeys,
}

/// Identities that are looked for together.
const TOGETHER: usize = 64;

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
            table.insert(keys.key(id)?.fingerprint(&mut text), id);
        }
        Ok(Self {
            keys,
            runs,
            table,
            new: NewKeys::default(),
        })
    }

    /// The id after the last one given.
    #[must_use]
    pub fn next_id(&self) -> u32 {
        self.keys.next_id().saturating_add(self.new.len())
    }

    /// Appends the ids of identities, new ones for those that have none.
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
            for (wanted, likely) in together.iter().zip(self.likely(&together)) {
                ids.push(match likely {
                    0 => self.intern(wanted)?,
                    id => id,
                });
            }
        }
    }

    /// The ids of those that are found where they are looked for first, 0 of others: what they wait for in memory, they wait
    /// for together.
    fn likely(&self, together: &[WantedKey<'_>]) -> [u32; TOGETHER] {
        let prints = together.iter().map(|wanted| wanted.print);
        // Or the compiler sees that nobody wants to know.
        black_box(
            prints
                .clone()
                .fold(0, |sum, print| sum ^ self.table.touch(print)),
        );
        let first_new = self.keys.next_id();
        let mut ids = [0; TOGETHER];
        let mut keys: [Option<IdentityKey<'_>>; TOGETHER] = [const { None }; TOGETHER];
        for ((id, key), print) in ids.iter_mut().zip(&mut keys).zip(prints) {
            *id = self.table.likely(print);
            *key = match *id {
                0 => None,
                id => match id.checked_sub(first_new) {
                    Some(index) => self.new.get(index),
                    None => self.keys.key(id).ok(),
                },
            };
        }
        black_box(keys.iter().flatten().fold(0_u8, |sum, key| {
            let ends = [key.bytes.first(), key.bytes.last()];
            let ends = ends.map(|end| end.copied().unwrap_or(0));
            sum ^ ends[0] ^ ends[1]
        }));
        for ((id, key), wanted) in ids.iter_mut().zip(&keys).zip(together) {
            if !key.as_ref().is_some_and(|key| key.is(wanted)) {
                *id = 0;
            }
        }
        ids
    }

    /// The id of an identity, a new one if it has none.
    fn intern(&mut self, wanted: &WantedKey<'_>) -> Result<u32> {
        let (keys, new) = (&self.keys, &self.new);
        let first_new = keys.next_id();
        let known = self
            .table
            .find(wanted.print, |id| match id.checked_sub(first_new) {
                Some(index) => Ok(new.get(index).is_some_and(|key| key.is(wanted))),
                None => Ok(keys.key(id)?.is(wanted)),
            })?;
        if let Some(id) = known {
            return Ok(id);
        }
        for run in self.runs.iter().rev() {
            if let Some(id) = run.find(&self.keys, wanted)? {
                return Ok(id);
            }
        }
        let id = self.next_id();
        if id >= u32::MAX - 1 {
            return Err(Error::limit(
                "4294967294 downloaders are the most that a store holds",
            ));
        }
        self.table.insert(wanted.print, id);
        self.new.push(wanted);
        Ok(id)
    }

    /// Forgets the new identities from `next_id` on.
    pub fn truncate(&mut self, next_id: u32) {
        if next_id >= self.next_id() {
            return;
        }
        self.new
            .truncate(next_id.saturating_sub(self.keys.next_id()));
        self.table.retain(|id| id < next_id);
    }

    /// Gives `put` the key file of the new identities, piece by piece.
    ///
    /// # Errors
    ///
    /// `Limit` when there are too many for one file, and those of `put`.
    pub fn write_new(&self, put: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        write_keys(self.keys.next_id(), self.new.iter(), put)
    }

    /// The lookup file of the identities from `first_id` on, all of which are in `keys`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when keys that a run covers cannot be read.
    pub fn encode_lookup(&self, keys: &IdentityKeys, first_id: u32) -> Result<Vec<u8>> {
        let covered = first_id..self.uncovered().max(first_id);
        let mut tags = tags_of(keys, covered)?;
        tags.resize(keys.next_id().saturating_sub(first_id) as usize, 0);
        for (id, tag) in self.table.tags() {
            let index = id.checked_sub(first_id).map(|index| index as usize);
            if let Some(known) = index.and_then(|index| tags.get_mut(index)) {
                *known = tag;
            }
        }
        encode_tags(first_id, &tags)
    }

    /// Takes notice that the new identities are stored: `keys` are all identities now, and `runs`
    /// the lookup runs, when they changed.
    pub fn committed(&mut self, keys: IdentityKeys, runs: Option<Vec<LookupRun>>) {
        self.keys = keys;
        self.new = NewKeys::default();
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

    /// Bytes of memory that finding identities takes.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    /// Bytes of memory that new identities take until they are stored, about.
    #[must_use]
    pub fn new_bytes(&self) -> usize {
        self.new.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{IdentityKey, KeyChunk, encode_lookup, fingerprint};
    use super::*;
    use crate::schema::IdentityKind;
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
        let key = IdentityKey::of_text(kind(index), text.as_bytes());
        let wanted = [key.wanted(print)];
        writer.intern_all(wanted.into_iter(), &mut ids).unwrap();
        ids[0]
    }

    fn commit(writer: &mut IdentityWriter, with_lookup: bool) {
        let mut file = Vec::new();
        let put = |bytes: &[u8]| {
            file.extend_from_slice(bytes);
            Ok(())
        };
        writer.write_new(put).unwrap();
        let mut chunks = writer.keys().chunks().to_vec();
        chunks.push(Arc::new(
            KeyChunk::open(Arc::new(FileBytes::from(file))).unwrap(),
        ));
        let keys = IdentityKeys::new(chunks).unwrap();
        let runs = with_lookup.then(|| {
            let file = writer.encode_lookup(&keys, 1).unwrap();
            assert_eq!(file, encode_lookup(&keys, 1..keys.next_id()).unwrap());
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

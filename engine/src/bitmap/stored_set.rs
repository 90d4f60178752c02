//! Ids in ascending order to the smaller of a list of gaps and a roaring bitmap, and to marks in a bit set.

use super::bit_set::BitSet;
use super::roaring;
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter};

const KIND_GAPS: u8 = 1;
const KIND_ROARING: u8 = 2;
/// Stored kinds of sets, and their names in the spec.
pub const SET_KINDS: [(u8, &str); 2] = [(KIND_GAPS, "gaps"), (KIND_ROARING, "roaring")];
/// Ids from which a roaring bitmap is tried: below, it takes 4.2 bytes per id and gaps 2.
const ROARING_COUNT_MIN: usize = 512;

/// Appends the stored form of `ids`, which must ascend.
///
/// # Errors
///
/// `Invalid`, with `out` untouched, when they do not.
pub fn encode_set(ids: &[u32], out: &mut Vec<u8>) -> Result<()> {
    if !ids.is_sorted_by(|left, right| left < right) {
        return Err(Error::invalid("ids of a set do not ascend"));
    }
    let body = smaller_body(ids);
    ByteWriter::new(out)
        .u8(body.0)
        .varint(ids.len() as u64)
        .bytes(&body.1);
    Ok(())
}

/// A set in its stored form.
#[derive(Clone, Copy, Debug)]
pub struct StoredSet<'a> {
    kind: u8,
    count: u64,
    body: &'a [u8],
}

impl<'a> StoredSet<'a> {
    /// Reads the head of a stored set, which ends where `bytes` does.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is cut short or of no known kind.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes);
        let at = reader.clone();
        let kind = reader.u8()?;
        if !matches!(kind, KIND_GAPS | KIND_ROARING) {
            return Err(at.corrupt(format!("set of kind {kind}, expected 1 or 2")));
        }
        let count = reader.varint()?;
        let body = reader.take_rest();
        Ok(Self { kind, count, body })
    }

    /// How many ids it says it has; [`Self::union_into`] finds out whether that is so.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds its ids to `set`.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage or an id that is not below the set's limit; some ids may have been added.
    pub fn union_into(&self, set: &mut BitSet) -> Result<()> {
        let found = match self.kind {
            KIND_GAPS => union_gaps(self.body, set),
            _ => roaring::union_into(self.body, set),
        }?;
        if found == self.count {
            return Ok(());
        }
        let expected = self.count;
        Err(Error::corrupt(format!(
            "set of {found} ids, expected {expected}"
        )))
    }
}

fn smaller_body(ids: &[u32]) -> (u8, Vec<u8>) {
    let mut gaps = Vec::new();
    let mut next = 0;
    for id in ids {
        let id = u64::from(*id);
        ByteWriter::new(&mut gaps).varint(id - next);
        next = id + 1;
    }
    if ids.len() < ROARING_COUNT_MIN {
        return (KIND_GAPS, gaps);
    }
    let mut bitmap: ::roaring::RoaringBitmap = ids.iter().copied().collect();
    bitmap.optimize();
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    match bitmap.serialize_into(&mut bytes) {
        Ok(()) if bytes.len() < gaps.len() => (KIND_ROARING, bytes),
        _ => (KIND_GAPS, gaps),
    }
}

/// Each id as its distance from the one after the id before it.
fn union_gaps(body: &[u8], set: &mut BitSet) -> Result<u64> {
    let mut reader = ByteReader::new(body);
    let (mut next, mut count) = (0_u64, 0);
    while reader.remaining() > 0 {
        let at = reader.clone();
        let id = next.checked_add(reader.varint()?);
        let Some(id) = id.and_then(|id| u32::try_from(id).ok()) else {
            return Err(at.corrupt("id of a set exceeds 32 bits"));
        };
        set.insert(id)?;
        next = u64::from(id) + 1;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: u32 = 200_000;

    fn stored(ids: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_set(ids, &mut bytes).unwrap();
        bytes
    }

    fn ids() -> impl Strategy<Value = Vec<u32>> {
        let set = |count| prop::collection::btree_set(0..LIMIT, count);
        prop_oneof![set(0..20), set(500..2000)].prop_map(|set| set.into_iter().collect())
    }

    #[test]
    fn few_ids_are_gaps_and_many_are_roaring() {
        assert_eq!(stored(&[]), [KIND_GAPS, 0]);
        assert_eq!(stored(&[0, 1, 300]), [KIND_GAPS, 3, 0, 0, 0xaa, 2]);
        let range: Vec<u32> = (0..10_000).collect();
        assert_eq!(stored(&range)[0], KIND_ROARING);
        assert!(stored(&range).len() < 20, "one run");
    }

    #[test]
    fn ids_must_ascend() {
        for ids in [[5, 5], [6, 5]] {
            let mut out = Vec::new();
            assert!(encode_set(&ids, &mut out).is_err());
            assert!(out.is_empty());
        }
    }

    #[test]
    fn a_wrong_count_is_corrupt() {
        let mut bytes = stored(&[1, 2, 3]);
        bytes[1] = 4;
        let error = StoredSet::parse(&bytes)
            .unwrap()
            .union_into(&mut BitSet::new(LIMIT))
            .unwrap_err();
        assert_eq!(error.to_string(), "set of 3 ids, expected 4");
    }

    proptest! {
        #[test]
        fn unions_equal_their_naive_twin(left in ids(), right in ids()) {
            let mut set = BitSet::new(LIMIT);
            for ids in [&left, &right] {
                let bytes = stored(ids);
                let stored = StoredSet::parse(&bytes).unwrap();
                prop_assert_eq!(stored.count(), ids.len() as u64);
                stored.union_into(&mut set).unwrap();
            }
            let naive: std::collections::BTreeSet<u32> = left.into_iter().chain(right).collect();
            prop_assert!(set.iter().eq(naive));
        }

        #[test]
        fn flips_never_panic(ids in ids(), at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let mut bytes = stored(&ids);
            let index = at.index(bytes.len());
            bytes[index] ^= mask;
            let mut set = BitSet::new(LIMIT);
            if let Ok(stored) = StoredSet::parse(&bytes)
                && stored.union_into(&mut set).is_ok()
            {
                prop_assert_eq!(set.count(), stored.count());
            }
        }
    }
}

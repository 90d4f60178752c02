//! Serialised roaring bitmaps to marks in a bit set, without decoding them first.
//!
//! The portable layout of <https://github.com/RoaringBitmap/RoaringFormatSpec>, read strictly: containers in
//! order, never empty, as many ids as they claim, offsets where they are.

use super::bit_set::{BitSet, Container};
use crate::error::Result;
use crate::layout::ByteReader;

const COOKIE_PLAIN: u32 = 12_346;
const COOKIE_RUNS: u16 = 12_347;
/// Containers from which a bitmap with runs has offsets.
const OFFSETS_MIN: usize = 4;
/// Most ids of an array container.
const ARRAY_MAX: u32 = 4096;
const WORDS: u16 = 1024;

/// Adds the ids of a serialised bitmap to `set`; returns how many ids the bitmap has.
pub(super) fn union_into(bytes: &[u8], set: &mut BitSet) -> Result<u64> {
    let mut reader = ByteReader::new(bytes);
    let heads = read_heads(&mut reader)?;
    let mut count = 0;
    for head in &heads {
        let mut container = set.container_mut(head.key);
        match head {
            Head { is_runs: true, .. } => read_runs(&mut reader, head, &mut container)?,
            Head { count, .. } if *count <= ARRAY_MAX => {
                read_array(&mut reader, head, &mut container)?;
            }
            _ => read_words(&mut reader, head, &mut container)?,
        }
        count += u64::from(head.count);
    }
    reader.finish()?;
    Ok(count)
}

/// What is said about a container before the containers.
struct Head {
    key: u16,
    /// 1 to 65,536.
    count: u32,
    is_runs: bool,
}

fn read_heads(reader: &mut ByteReader<'_>) -> Result<Vec<Head>> {
    let cookie = reader.u32()?;
    let [low_a, low_b, high_a, high_b] = cookie.to_le_bytes();
    let has_runs = u16::from_le_bytes([low_a, low_b]) == COOKIE_RUNS;
    let (len, run_flags) = if has_runs {
        let len = usize::from(u16::from_le_bytes([high_a, high_b])) + 1;
        (len, reader.bytes(len.div_ceil(8))?)
    } else if cookie == COOKIE_PLAIN {
        (reader.u32()? as usize, &[][..])
    } else {
        return Err(reader.corrupt(format!("roaring bitmap starts with {cookie}")));
    };
    if len > 1 << 16 {
        return Err(reader.corrupt(format!("{len} containers, the most is 65536")));
    }
    let mut heads: Vec<Head> = Vec::new();
    for index in 0..len {
        let key = reader.u16()?;
        let count = u32::from(reader.u16()?) + 1;
        if heads.last().is_some_and(|before| before.key >= key) {
            return Err(reader.corrupt("containers are not in order"));
        }
        let flags = run_flags.get(index / 8).copied().unwrap_or_default();
        heads.push(Head {
            key,
            count,
            is_runs: flags >> (index % 8) & 1 == 1,
        });
    }
    if !has_runs || len >= OFFSETS_MIN {
        // Containers follow each other: where they are is known without.
        reader.bytes(len * 4)?;
    }
    Ok(heads)
}

fn read_array(
    reader: &mut ByteReader<'_>,
    head: &Head,
    container: &mut Container<'_>,
) -> Result<()> {
    let bytes = reader.bytes(head.count as usize * 2)?;
    let mut least = 0;
    for pair in bytes.as_chunks::<2>().0 {
        let low = u16::from_le_bytes(*pair);
        if u32::from(low) < least {
            return Err(reader.corrupt("ids of a container are not in order"));
        }
        least = u32::from(low) + 1;
        container.insert(low)?;
    }
    Ok(())
}

fn read_words(
    reader: &mut ByteReader<'_>,
    head: &Head,
    container: &mut Container<'_>,
) -> Result<()> {
    let bytes = reader.bytes(usize::from(WORDS) * 8)?;
    let mut count = 0;
    for (index, word) in (0..WORDS).zip(bytes.as_chunks::<8>().0) {
        let bits = u64::from_le_bytes(*word);
        count += bits.count_ones();
        container.insert_word(index, bits)?;
    }
    check_count(reader, head, count)
}

fn read_runs(
    reader: &mut ByteReader<'_>,
    head: &Head,
    container: &mut Container<'_>,
) -> Result<()> {
    let run_count = reader.u16()?;
    let (mut count, mut least) = (0, 0);
    for _ in 0..run_count {
        let (low, more) = (reader.u16()?, reader.u16()?);
        let Some(high) = low.checked_add(more).filter(|_| u32::from(low) >= least) else {
            return Err(reader.corrupt("runs of a container are not in order"));
        };
        least = u32::from(high) + 1;
        count += u32::from(more) + 1;
        container.insert_range(low, high)?;
    }
    check_count(reader, head, count)
}

fn check_count(reader: &ByteReader<'_>, head: &Head, found: u32) -> Result<()> {
    if found == head.count {
        return Ok(());
    }
    let expected = head.count;
    Err(reader.corrupt(format!("container of {found} ids, expected {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::roaring::RoaringBitmap;
    use proptest::prelude::*;

    const LIMIT: u32 = 6 << 16;

    fn serialised(bitmap: &RoaringBitmap) -> Vec<u8> {
        let mut bytes = Vec::new();
        bitmap.serialize_into(&mut bytes).unwrap();
        bytes
    }

    /// Bitmaps with containers of all three kinds, with and without runs.
    fn bitmaps() -> impl Strategy<Value = RoaringBitmap> {
        let ids = prop::collection::vec(0..LIMIT, 0..300);
        let ranges = prop::collection::vec((0..LIMIT - 9000, 0..9000_u32), 0..4);
        let steps = prop::collection::vec((0..LIMIT - 30_000, 2..4_u32), 0..2);
        (ids, ranges, steps, any::<bool>()).prop_map(|(ids, ranges, steps, optimise)| {
            let mut bitmap: RoaringBitmap = ids.into_iter().collect();
            for (start, len) in ranges {
                bitmap.insert_range(start..start + len);
            }
            for (start, step) in steps {
                bitmap.extend((start..start + 30_000).step_by(step as usize));
            }
            if optimise {
                bitmap.optimize();
            }
            bitmap
        })
    }

    #[test]
    fn a_run_of_nothing_is_corrupt() {
        // One run container of one id that has no run.
        let bytes = [0x3b, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        assert!(union_into(&bytes, &mut BitSet::new(LIMIT)).is_err());
    }

    #[test]
    fn ids_beyond_the_limit_are_corrupt() {
        for ids in [
            vec![100],
            (0..10_000).collect(),
            (0..20_000).step_by(2).collect(),
        ] {
            let mut bitmap: RoaringBitmap = ids.iter().copied().collect();
            for _ in 0..2 {
                let bytes = serialised(&bitmap);
                let last = bitmap.max().unwrap();
                union_into(&bytes, &mut BitSet::new(last + 1)).unwrap();
                assert!(union_into(&bytes, &mut BitSet::new(last)).is_err());
                bitmap.optimize();
            }
        }
    }

    proptest! {
        #[test]
        fn marks_equal_the_roaring_crate(left in bitmaps(), right in bitmaps()) {
            let mut set = BitSet::new(LIMIT);
            prop_assert_eq!(union_into(&serialised(&left), &mut set).unwrap(), left.len());
            prop_assert!(set.iter().eq(left.iter()));
            prop_assert_eq!(union_into(&serialised(&right), &mut set).unwrap(), right.len());
            prop_assert!(set.iter().eq((left | right).iter()));
        }

        #[test]
        fn cuts_and_flips_never_panic(
            bitmap in bitmaps(),
            at in any::<prop::sample::Index>(),
            mask in 1_u8..,
            head in any::<bool>(),
        ) {
            let mut bytes = serialised(&bitmap);
            let mut set = BitSet::new(LIMIT);
            prop_assert!(union_into(&bytes[..at.index(bytes.len())], &mut set).is_err());
            let reach = if head { bytes.len().min(40) } else { bytes.len() };
            bytes[at.index(reach)] ^= mask;
            set.clear();
            if let Ok(count) = union_into(&bytes, &mut set) {
                prop_assert_eq!(count, set.count());
            }
        }
    }
}

//! Counts of buckets to prefix codes.

use super::tree::Bucket;

/// Bits of the longest code: tables stay within the nearest cache.
pub(super) const LENGTH_MAX: u32 = 11;
/// In place of a length: the only bucket that has values takes no bits.
pub(super) const ONLY: u32 = 15;

/// Gives each bucket that has values the length of its code, at most `length_max` where there are few enough.
pub(super) fn set_lengths(set: &mut [Bucket], length_max: u32) {
    let mut used: Vec<(u32, usize)> = Vec::new();
    for (index, bucket) in set.iter().enumerate() {
        if bucket.count > 0 {
            used.push((bucket.count, index));
        }
    }
    used.sort_unstable();
    let lengths = match used.len() {
        0 => return,
        1 => vec![ONLY],
        many => {
            let needed = usize::BITS - many.leading_zeros();
            limited(lengths(&used), length_max.max(needed).min(LENGTH_MAX))
        }
    };
    for ((_, index), length) in used.iter().zip(lengths) {
        if let Some(bucket) = set.get_mut(*index) {
            bucket.length = length;
        }
    }
}

/// Lengths of Huffman codes of ascending counts, of which there are at least two.
fn lengths(used: &[(u32, usize)]) -> Vec<u32> {
    // The parent of each leaf, then of each inner node; inner nodes come into being in ascending order.
    let leaf_count = used.len();
    let mut weights: Vec<u64> = used.iter().map(|(count, _)| u64::from(*count)).collect();
    let mut parents = vec![0; 2 * leaf_count - 1];
    let (mut leaf, mut inner) = (0, leaf_count);
    for node in leaf_count..2 * leaf_count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let of = |index: usize| weights.get(index).copied();
            let next_leaf = of(leaf).filter(|_| leaf < leaf_count);
            let next_inner = of(inner).filter(|_| inner < node);
            let is_leaf = match (next_leaf, next_inner) {
                (Some(leaf), Some(inner)) => leaf <= inner,
                (leaf, _) => leaf.is_some(),
            };
            let taken = if is_leaf { &mut leaf } else { &mut inner };
            weight += of(*taken).unwrap_or(0);
            if let Some(parent) = parents.get_mut(*taken) {
                *parent = node;
            }
            *taken += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0_u32; parents.len()];
    for node in (0..parents.len() - 1).rev() {
        let parent = parents.get(node).and_then(|parent| depths.get(*parent));
        let depth = parent.map_or(0, |depth| depth + 1);
        if let Some(slot) = depths.get_mut(node) {
            *slot = depth;
        }
    }
    depths.truncate(leaf_count);
    depths
}

/// Lengths, the longest first, none above `length_max`.
fn limited(mut lengths: Vec<u32>, length_max: u32) -> Vec<u32> {
    let share = |length: u32| 1_u32 << (length_max - length);
    let mut sum = 0;
    for length in &mut lengths {
        *length = (*length).min(length_max);
        sum += share(*length);
    }
    while sum > 1 << length_max {
        // The rarest that can be longer costs least.
        let Some(length) = lengths.iter_mut().find(|length| **length < length_max) else {
            break;
        };
        sum -= share(*length) - share(*length + 1);
        *length += 1;
    }
    lengths
}

/// The code of each bucket, its first bit lowest: by length, then in the order of the buckets.
pub(super) fn codes(set: &[Bucket]) -> Vec<u32> {
    let mut counts = [0_u32; LENGTH_MAX as usize + 1];
    for bucket in set {
        if let Some(count) = counts.get_mut(bucket.code_bits() as usize) {
            *count += u32::from(bucket.code_bits() > 0);
        }
    }
    let mut next = [0_u32; LENGTH_MAX as usize + 1];
    let mut code = 0;
    for (next, before) in next.iter_mut().skip(1).zip(counts) {
        code = (code + before) << 1;
        *next = code;
    }
    let code_of = |bucket: &Bucket| {
        let bits = bucket.code_bits();
        let next = next.get_mut(bits as usize).filter(|_| bits > 0)?;
        let code = *next;
        *next += 1;
        Some(code.reverse_bits() >> (u32::BITS - bits))
    };
    let mut code_of = code_of;
    set.iter()
        .map(|bucket| code_of(bucket).unwrap_or(0))
        .collect()
}

//! Values to the encoding with the smallest payload.

use super::bit_packed::{self, BitPacked};
use super::bit_sets;
use super::constant::Constant;
use super::plain::Plain;
use super::{ENCODINGS, Encoding, Plan, Stats, patched};
use crate::layout::EncodingId;

/// Which encodings are considered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// Bits in common alone: for what is soon read and written anew.
    Quick,
    /// Those that decode in about a nanosecond per value: for what most queries read.
    Light,
    /// All: for what is read seldom, or is large.
    Any,
    /// All, also for a small gain: for pages that stay in memory once they are read again
    /// ([`ChunkIndex::read_and_keep`](super::ChunkIndex::read_and_keep)).
    Kept,
}

/// What an encoding that is not light must save over the best light one, in percent of its bytes.
/// Below it, the decode time (3 to 10 times that of a light encoding) is not earned.
pub const HEAVY_GAIN_PERCENT_MIN: usize = 8;
/// The same of pages that stay in memory: they are decoded twice.
pub const KEPT_GAIN_PERCENT_MIN: usize = 2;
/// Values below which encodings that are not light are not tried: their headers eat the gain.
pub const HEAVY_VALUES_MIN: usize = 64;

/// Bytes of the best light payload below which they are not tried either.
const HEAVY_BYTES_MIN: usize = 64;

/// Appends the smallest payload of `values` to `out`, and says how it is encoded.
pub fn encode_smallest(values: &[u32], choice: Choice, out: &mut Vec<u8>) -> EncodingId {
    let stats = Stats::new(values);
    if choice == Choice::Quick {
        let quick: [&dyn Encoding; 2] = [&Constant, &BitPacked];
        let found = quick.iter().find_map(|encoding| {
            let plan = encoding.plan(&stats, usize::MAX)?;
            Some((encoding.id(), plan))
        });
        let (id, plan) = found.unwrap_or_else(|| (Plain.id(), Plain::plan_always(&stats)));
        plan.write(out);
        return id;
    }
    if choice == Choice::Any
        && let Some((id, plan)) = heavy_at_once(&stats)
    {
        plan.write(out);
        return id;
    }
    if choice == Choice::Kept
        && let Some((id, plan)) = heavy_first(&stats)
    {
        plan.write(out);
        return id;
    }
    let (mut id, mut best) = smallest_light(&stats, u8::MAX);
    let light_bytes = best.payload_bytes();
    let is_large = values.len() >= HEAVY_VALUES_MIN && light_bytes >= HEAVY_BYTES_MIN;
    let gain_min = match choice {
        Choice::Quick | Choice::Light => None,
        Choice::Any => Some(HEAVY_GAIN_PERCENT_MIN),
        Choice::Kept => Some(KEPT_GAIN_PERCENT_MIN),
    };
    if let Some(gain_min) = gain_min.filter(|_| is_large) {
        let below = light_bytes * (100 - gain_min) / 100;
        let heavy = ENCODINGS.iter().filter(|encoding| !encoding.is_light());
        if let Some(found) = smallest_of(heavy, &stats, below) {
            (id, best) = found;
        }
    }
    best.write(out);
    id
}

/// The smallest of the encodings that are not light, for many values that neither repeat nor ascend: what the best light
/// payload takes is then estimated, for planning them all takes a third of the time.
fn heavy_at_once<'a>(stats: &Stats<'a>) -> Option<(EncodingId, Plan<'a>)> {
    let values = stats.values();
    let is_mixed = stats.run_count() > values.len() / 2 && !stats.is_nearly_sorted();
    if values.len() < AT_ONCE_VALUES_MIN || !is_mixed {
        return None;
    }
    let light_bytes = patched::estimated_bytes(stats);
    let below = light_bytes * (100 - HEAVY_GAIN_PERCENT_MIN) / 100;
    let heavy = ENCODINGS.iter().filter(|encoding| !encoding.is_light());
    smallest_of(heavy, stats, below)
}

/// What is chosen for a page that stays in memory, of values that neither are mostly the same nor ascend: one that is not
/// light is then mostly the smallest, and those that are light need not be planned to the end to be seen to be larger.
fn heavy_first<'a>(stats: &Stats<'a>) -> Option<(EncodingId, Plan<'a>)> {
    let is_small = stats.count() < HEAVY_VALUES_MIN;
    // Sets of bits are light, and are not told by the bytes that patched values take.
    let may_be_sets = bit_sets::are_wide(stats);
    if is_small || may_be_sets || stats.is_nearly_sorted() || stats.is_mostly_min() {
        return None;
    }
    let light_most = bit_packed::payload_bytes(stats);
    let below = light_most * (100 - KEPT_GAIN_PERCENT_MIN) / 100;
    let heavy = ENCODINGS.iter().filter(|encoding| !encoding.is_light());
    let heavy = smallest_of(heavy, stats, below)?;
    let heavy_bytes = heavy.1.payload_bytes();
    if heavy_bytes < HEAVY_BYTES_MIN {
        return None;
    }
    // From so many bytes on, those of a light one are too many; what it is estimated at may be some more.
    let below = ((heavy_bytes + 1) * 100).div_ceil(100 - KEPT_GAIN_PERCENT_MIN);
    let light = ENCODINGS.iter().filter(|encoding| encoding.is_light());
    let light = smallest_of(light, stats, below + below / ESTIMATE_SHARE);
    Some(
        light
            .filter(|(_, plan)| plan.payload_bytes() < below)
            .unwrap_or(heavy),
    )
}

/// Bytes are hardly ever estimated at more than one in so many too many.
const ESTIMATE_SHARE: usize = 16;

/// Values from which those that are not light are tried at once.
const AT_ONCE_VALUES_MIN: usize = 8192;

/// The smallest light encoding of a depth below `depth`.
pub(super) fn smallest_light<'a>(stats: &Stats<'a>, depth: u8) -> (EncodingId, Plan<'a>) {
    let plain = Plain::plan_always(stats);
    let light = ENCODINGS
        .iter()
        .filter(|encoding| encoding.is_light() && encoding.depth() < depth);
    match smallest_of(light, stats, plain.payload_bytes()) {
        Some(found) => found,
        None => (Plain.id(), plain),
    }
}

/// The smallest encoding of a depth below `depth` for values inside a page that stays in memory.
pub(super) fn smallest_kept<'a>(stats: &Stats<'a>, depth: u8) -> (EncodingId, Plan<'a>) {
    let (id, best) = smallest_light(stats, depth);
    if stats.count() < HEAVY_VALUES_MIN {
        return (id, best);
    }
    let below = best.payload_bytes() * (100 - KEPT_GAIN_PERCENT_MIN) / 100;
    let heavy = ENCODINGS
        .iter()
        .filter(|encoding| !encoding.is_light() && encoding.depth() < depth);
    smallest_of(heavy, stats, below).unwrap_or((id, best))
}

/// The smallest payload that has fewer than `below` bytes; the lower id where two are equal.
fn smallest_of<'a, 'e>(
    encodings: impl Iterator<Item = &'e &'static dyn Encoding>,
    stats: &Stats<'a>,
    mut below: usize,
) -> Option<(EncodingId, Plan<'a>)> {
    let mut best = None;
    for encoding in encodings {
        let Some(plan) = encoding.plan(stats, below) else {
            continue;
        };
        if plan.payload_bytes() < below {
            below = plan.payload_bytes();
            best = Some((encoding.id(), plan));
        }
        if below <= TINY_BYTES {
            break;
        }
    }
    best
}

/// Payloads that nothing can make noticeably smaller.
const TINY_BYTES: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::by_id;

    fn chosen(values: &[u32], choice: Choice) -> &'static str {
        let mut out = Vec::new();
        let id = encode_smallest(values, choice, &mut out);
        let encoding = by_id(id).unwrap();
        let mut back = Vec::new();
        encoding.decode(&out, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        encoding.name()
    }

    /// Splitmix: without a pattern that zstd would find.
    fn noise(count: u64) -> impl Iterator<Item = u32> {
        (0..count).map(|i| {
            let mut word = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (word >> 35) as u32
        })
    }

    #[test]
    fn each_encoding_is_chosen_for_what_it_is_made_for() {
        let bytes: Vec<u32> = noise(100).map(|v| v % 256).collect();
        let narrow: Vec<u32> = noise(5000).map(|v| 1000 + v % 32).collect();
        let mut rare = narrow.clone();
        rare.iter_mut().step_by(500).for_each(|v| *v += 1 << 20);
        let mut sorted: Vec<u32> = noise(5000).collect();
        sorted.sort_unstable();
        let runs: Vec<u32> = noise(50).flat_map(|v| vec![v; 100]).collect();
        let few: Vec<u32> = noise(5000).map(|v| v % 4 * 1_000_003).collect();
        let uneven: Vec<u32> = noise(5000).map(|v| v >> (v % 24)).collect();
        assert_eq!(chosen(&[], Choice::Quick), "plain");
        assert_eq!(chosen(&[5; 9], Choice::Quick), "constant");
        assert_eq!(chosen(&rare, Choice::Quick), "bit_packed");
        for choice in [Choice::Light, Choice::Any, Choice::Kept] {
            assert_eq!(chosen(&[], choice), "plain");
            assert_eq!(chosen(&[5; 9], choice), "constant");
            assert_eq!(chosen(&bytes, choice), "plain");
            assert_eq!(chosen(&narrow, choice), "bit_packed");
            assert_eq!(chosen(&rare, choice), "patched");
            assert_eq!(chosen(&sorted, choice), "delta");
            assert_eq!(chosen(&runs, choice), "runs");
            assert_eq!(chosen(&few, choice), "dictionary");
        }
        assert_ne!(chosen(&uneven, Choice::Light), "prefix");
        assert_eq!(chosen(&uneven, Choice::Any), "prefix");
        assert_ne!(chosen(&uneven[..63], Choice::Any), "prefix");
    }

    /// As is chosen for a page that stays in memory, each encoding planned to the end.
    fn kept_by_all(values: &[u32]) -> usize {
        let stats = Stats::new(values);
        let light = smallest_light(&stats, u8::MAX).1.payload_bytes();
        let heavy = ENCODINGS.iter().filter(|encoding| !encoding.is_light());
        let below = light * (100 - KEPT_GAIN_PERCENT_MIN) / 100;
        let is_large = values.len() >= HEAVY_VALUES_MIN && light >= HEAVY_BYTES_MIN;
        let heavy = smallest_of(heavy, &stats, if is_large { below } else { 0 });
        heavy.map_or(light, |(_, plan)| plan.payload_bytes())
    }

    proptest! {
        /// The twin plans those that are light first.
        #[test]
        fn to_begin_with_heavy_ones_chooses_the_same(
            values in prop::collection::vec((any::<u32>(), 14_u32..32), 1..3000), least in 14_u32..30, few: bool,
        ) {
            let shift = |shift: u32| if few { least } else { shift.max(least) };
            let values: Vec<u32> = values.into_iter().map(|(value, by)| value >> shift(by)).collect();
            let mut out = Vec::new();
            encode_smallest(&values, Choice::Kept, &mut out);
            prop_assert_eq!(out.len(), kept_by_all(&values));
        }
    }
}

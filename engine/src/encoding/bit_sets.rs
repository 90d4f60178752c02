//! Values that are sets of bits to the places of the few that are set, or are not, and back.

use super::bits::{BitWriter, bits_of};
use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// How many bits are set, then which.
#[derive(Debug)]
pub(super) struct BitSets;

/// Bits of a set below which it is not tried: fixed widths do as well.
const WIDTH_MIN: u32 = 20;

/// Most places that are listed of a set: 7 would take more bits than 32.
const PLACES_MAX: u32 = 6;

/// How a set is written of which so many bits are set.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    /// What it takes.
    bits: u32,
    /// How many places are listed; none where the bits themselves are written.
    places: u32,
    /// What turns the places into the set: all bits where those are listed that are not set.
    flip: u32,
    is_whole: bool,
}

/// Sets of a width.
#[derive(Clone, Debug)]
struct Sets {
    width: u32,
    place_bits: u32,
    /// All bits.
    mask: u32,
    /// By the number of bits that are set.
    forms: Vec<Form>,
}

impl Sets {
    /// Of 1 to 32 bits.
    fn new(width: u32) -> Option<Self> {
        let place_bits = bits_of(width.checked_sub(1)?).max(1);
        let mask = u32::MAX.checked_shr(u32::BITS.checked_sub(width)?)?;
        let form = |set: u32| {
            let unset = width - set;
            if set * place_bits < width {
                Form {
                    bits: set * place_bits,
                    places: set,
                    ..Form::default()
                }
            } else if unset * place_bits < width {
                Form {
                    bits: unset * place_bits,
                    places: unset,
                    flip: mask,
                    ..Form::default()
                }
            } else {
                Form {
                    bits: width,
                    is_whole: true,
                    ..Form::default()
                }
            }
        };
        Some(Self {
            width,
            place_bits,
            mask,
            forms: (0..=width).map(form).collect(),
        })
    }

    /// The form of sets of `count` bits; `None` above the width.
    #[inline]
    fn form(&self, count: u32) -> Option<&Form> {
        self.forms.get(count as usize)
    }

    /// Bytes of the forms of sets of these counts; `None` if one is above the width.
    fn body_bytes(&self, counts: &[u32]) -> Option<usize> {
        let mut bits = 0;
        for count in counts {
            bits += u64::from(self.form(*count)?.bits);
        }
        usize::try_from(bits.div_ceil(8)).ok()
    }

    fn write(&self, value: u32, writer: &mut BitWriter<'_>) {
        let form = self.form(value.count_ones()).copied().unwrap_or_default();
        if form.is_whole {
            return writer.push(value, self.width);
        }
        let mut left = value ^ form.flip;
        while left != 0 {
            writer.push(left.trailing_zeros(), self.place_bits);
            left &= left - 1;
        }
    }

    /// The set that `field` begins with. Without branches: lengths vary from set to set.
    #[inline]
    fn read(&self, field: u64, form: &Form) -> u64 {
        let whole = field & u64::from(self.mask);
        let place_mask = (1 << self.place_bits) - 1;
        let (mut set, mut field) = (0_u64, field);
        for place in 0..PLACES_MAX {
            set |= u64::from(place < form.places) << (field & place_mask);
            field >>= self.place_bits;
        }
        if form.is_whole {
            whole
        } else {
            set ^ u64::from(form.flip)
        }
    }
}

impl Encoding for BitSets {
    fn id(&self) -> EncodingId {
        EncodingId(9)
    }

    fn name(&self) -> &'static str {
        "bit_sets"
    }

    fn depth(&self) -> u8 {
        1
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let is_asked_for = below == usize::MAX;
        let width = bits_of(stats.max()).max(1);
        if stats.count() == 0 || (width < WIDTH_MIN && !is_asked_for) {
            return None;
        }
        let sets = Sets::new(width)?;
        let counts = stats.values().iter().map(|value| value.count_ones());
        let counts: Vec<u32> = counts.collect();
        if sets.body_bytes(&counts)? >= below {
            return None;
        }
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).u8(width.to_le_bytes()[0]);
        nested::write(&counts, self, &mut payload);
        let mut writer = BitWriter::new(&mut payload);
        for value in stats.values() {
            sets.write(*value, &mut writer);
        }
        writer.finish();
        (payload.len() < below).then(|| Plan::ready(payload))
    }

    fn read(&self, reader: &mut ByteReader<'_>, count: usize, out: &mut Vec<u32>) -> Result<()> {
        let width = u32::from(reader.u8()?);
        let sets = Sets::new(width)
            .ok_or_else(|| reader.corrupt(format!("sets of {width} bits, expected 1 to 32")))?;
        let at = reader.clone();
        let counts = nested::read(reader, count, self)?;
        let body_bytes = sets.body_bytes(&counts);
        let body_bytes = body_bytes
            .ok_or_else(|| at.corrupt(format!("more bits set than the {width} there are")))?;
        let at = reader.clone();
        // A field of up to 32 bits is loaded as 8 bytes, also at the end.
        let mut bytes = reader.bytes(body_bytes)?.to_vec();
        bytes.extend_from_slice(&[0; 8]);
        let start = out.len();
        out.resize(start + count, 0);
        let values = out.get_mut(start..).unwrap_or_default();
        let (mut bit, mut is_right) = (0_usize, true);
        for (value, count) in values.iter_mut().zip(&counts) {
            let word = bytes.get(bit / 8..).and_then(<[u8]>::first_chunk::<8>);
            let field = u64::from_le_bytes(word.copied().unwrap_or_default()) >> (bit % 8);
            let form = sets.form(*count).copied().unwrap_or_default();
            bit += form.bits as usize;
            let set = sets.read(field, &form);
            is_right &= set.count_ones() == *count && set <= u64::from(sets.mask);
            *value = u32::try_from(set).unwrap_or(0);
        }
        if is_right {
            Ok(())
        } else {
            Err(at.corrupt("places of a set's bits contradict their number"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payload(values: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(BitSets.encode(values, &mut out));
        let mut back = Vec::new();
        BitSets.decode(&out, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        out
    }

    #[test]
    fn few_bits_or_few_without_are_listed() {
        let width = 30;
        let sparse: Vec<u32> = (0..30).map(|bit| 1 << bit).collect();
        // Width, counts constant 1, and 5 bits for each.
        assert_eq!(payload(&sparse).len(), 1 + 2 + (30_usize * 5).div_ceil(8));
        let all = (1 << width) - 1;
        let dense: Vec<u32> = sparse.iter().map(|value| all & !value).collect();
        assert_eq!(payload(&dense).len(), 1 + 2 + (30_usize * 5).div_ceil(8));
        assert_eq!(payload(&[all; 50]).len(), 1 + 2);
    }

    #[test]
    fn what_contradicts_itself_is_corrupt() {
        let decode = |payload: &[u8], count| BitSets.decode(payload, count, &mut Vec::new());
        // Width 20; 2 bits set: 3 and 1 as places of 5 bits.
        decode(&[20, 1, 2, 0b001_00011, 0], 1).unwrap();
        assert!(
            decode(&[20, 1, 2, 0b011_00011, 0], 1).is_err(),
            "the same twice"
        );
        assert!(
            decode(&[20, 1, 2, 0b001_11111, 0], 1).is_err(),
            "beyond the width"
        );
        assert!(decode(&[20, 1, 21], 1).is_err(), "more than the width");
        assert!(decode(&[0, 1, 0], 1).is_err(), "no width");
        assert!(decode(&[33, 1, 0], 1).is_err(), "too wide");
    }

    proptest! {
        #[test]
        fn sets_come_back(
            values in prop::collection::vec((any::<u32>(), any::<u32>(), 0_u8..4), 1..300),
            shift in 0_u32..32,
        ) {
            let value = |(left, right, kind): &(u32, u32, u8)| match kind {
                0 => left >> shift,
                1 => (left & right & left.rotate_left(7)) >> shift,
                2 => (left | right | left.rotate_left(7)) >> shift,
                _ => 1 << (left % 32),
            };
            payload(&values.iter().map(value).collect::<Vec<_>>());
        }
    }
}

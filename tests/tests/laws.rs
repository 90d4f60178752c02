//! Laws that hold for every member of every table, so that a new one is tested the day it lands.

use footfall_engine::ErrorKind;
use footfall_engine::encoding::{
    Choice, ENCODINGS, by_id, decode_page, encode_page, encode_smallest,
};
use footfall_engine::layout::PAGE_HEADER_BYTES;
use proptest::prelude::*;

/// Values of the shapes that columns have, and of those that break bit twiddling.
fn values() -> impl Strategy<Value = Vec<u32>> {
    let any_count = prop_oneof![4 => 0..60_usize, 2 => 60..1100_usize, 1 => 1100..3500_usize];
    let noise = (any_count, any::<u64>(), 0..32_u32);
    (noise, 0..8_u8, any::<u32>()).prop_map(|((count, seed, shift), shape, base)| {
        let noise: Vec<u32> = splitmix(seed)
            .take(count)
            .map(|word| word >> shift)
            .collect();
        match shape {
            0 => noise,
            1 => noise
                .iter()
                .map(|word| base.wrapping_add(word % 64))
                .collect(),
            2 => sorted(noise),
            3 => noise
                .iter()
                .flat_map(|word| [*word; 7])
                .take(count)
                .collect(),
            4 => noise
                .iter()
                .map(|word| [base, 3, u32::MAX][*word as usize % 3])
                .collect(),
            5 => noise
                .iter()
                .map(|word| word & word.rotate_left(9) & word.rotate_left(3))
                .collect(),
            6 => sorted(noise.iter().map(|word| word % 9).collect()),
            _ => vec![base; count],
        }
    })
}

fn splitmix(mut state: u64) -> impl Iterator<Item = u32> {
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word >> 32) as u32
    })
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values
}

/// Payloads of `values` in every encoding that represents them, with its index in the table.
fn payloads(values: &[u32]) -> Vec<(usize, Vec<u8>)> {
    let mut payloads = Vec::new();
    for (index, encoding) in ENCODINGS.iter().enumerate() {
        let mut payload = vec![0xaa];
        if encoding.encode(values, &mut payload) {
            assert_eq!(payload.remove(0), 0xaa, "{} appends", encoding.name());
            payloads.push((index, payload));
        } else {
            assert_eq!(payload, [0xaa], "{} leaves the buffer", encoding.name());
        }
    }
    payloads
}

#[test]
fn every_encoding_represents_something() {
    let represented: Vec<_> = payloads(&[7; 9]).iter().map(|(index, _)| *index).collect();
    assert_eq!(represented, Vec::from_iter(0..ENCODINGS.len()));
}

proptest! {
    #[test]
    fn encodings_round_trip(values in values()) {
        for (index, payload) in payloads(&values) {
            let mut back = vec![77];
            ENCODINGS[index].decode(&payload, values.len(), &mut back).unwrap();
            prop_assert_eq!(back[0], 77);
            prop_assert_eq!(&back[1..], &values, "{}", ENCODINGS[index].name());
        }
    }

    #[test]
    fn ranges_equal_those_of_all_values(values in values(), ends in any::<[prop::sample::Index; 2]>()) {
        let ends = ends.map(|end| end.index(values.len() + 1));
        let range = ends[0].min(ends[1])..ends[0].max(ends[1]);
        for (index, payload) in payloads(&values) {
            let mut found = vec![77];
            let encoding = ENCODINGS[index];
            encoding.decode_range(&payload, values.len(), range.clone(), &mut found).unwrap();
            prop_assert_eq!(found[0], 77);
            prop_assert_eq!(&found[1..], &values[range.clone()], "{}", encoding.name());
        }
    }

    #[test]
    fn cut_and_extended_payloads_are_corrupt(values in values(), at in any::<prop::sample::Index>()) {
        for (index, mut payload) in payloads(&values) {
            let name = ENCODINGS[index].name();
            let mut out = Vec::new();
            for len in [0, at.index(payload.len()), payload.len() - 1] {
                let error = ENCODINGS[index].decode(&payload[..len], values.len(), &mut out).unwrap_err();
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt, "{} cut to {}", name, len);
            }
            payload.push(0);
            let error = ENCODINGS[index].decode(&payload, values.len(), &mut out).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::Corrupt, "{} extended", name);
            prop_assert!(out.is_empty(), "{} leaves nothing behind", name);
        }
    }

    #[test]
    fn flips_never_panic_nor_change_the_count(
        values in values(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        head in any::<bool>(),
    ) {
        for (index, mut payload) in payloads(&values) {
            // Heads are where the counts and widths are.
            let reach = if head { payload.len().min(12) } else { payload.len() };
            for (at, mask) in &flips {
                payload[at.index(reach)] ^= mask;
            }
            let mut out = vec![1];
            match ENCODINGS[index].decode(&payload, values.len(), &mut out) {
                Ok(()) => prop_assert_eq!(out.len(), 1 + values.len()),
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
                    prop_assert_eq!(out.len(), 1);
                }
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(
        bytes in prop::collection::vec(prop_oneof![0..10_u8, any::<u8>()], 0..80),
        count in prop_oneof![0..200_usize, any::<usize>()],
    ) {
        for encoding in ENCODINGS {
            let mut out = Vec::new();
            // Counts that few bytes may claim are bounded by the caller; a million is enough here.
            let count = if count > 200 { count % (1 << 20) } else { count };
            if encoding.decode(&bytes, count, &mut out).is_ok() {
                prop_assert_eq!(out.len(), count);
            }
        }
        let _ = decode_page(&bytes, &mut Vec::new());
    }

    #[test]
    fn the_smallest_is_never_larger_than_plain(values in values()) {
        let mut plain = Vec::new();
        let by_name = ENCODINGS.iter().find(|encoding| encoding.name() == "plain").unwrap();
        prop_assert!(by_name.encode(&values, &mut plain), "plain represents anything");
        for choice in [Choice::Light, Choice::Any] {
            let mut page = Vec::new();
            let id = encode_page(&values, choice, &mut page).unwrap();
            prop_assert!(page.len() <= PAGE_HEADER_BYTES + plain.len());
            prop_assert!(choice == Choice::Any || by_id(id).unwrap().is_light());
            let mut back = Vec::new();
            prop_assert_eq!(decode_page(&page, &mut back).unwrap(), page.len());
            prop_assert_eq!(&back, &values);
        }
    }

    #[test]
    fn the_same_values_give_the_same_bytes(values in values(), other in values()) {
        let encode = |values: &[u32]| {
            let mut out = Vec::new();
            let id = encode_smallest(values, Choice::Any, &mut out);
            (id, out)
        };
        let first = encode(&values);
        let _ = encode(&other);
        prop_assert_eq!(&encode(&values), &first, "whatever this thread encoded before");
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| encode(&values)).join().unwrap());
        prop_assert_eq!(&elsewhere, &first, "on whatever thread");
    }
}

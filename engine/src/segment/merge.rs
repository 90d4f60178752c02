//! Segments of one day to the rows of one.

use super::build::{Acceptance, build};
use super::column::Attribute;
use super::reader::Segment;
use super::rows::DayRows;
use crate::error::Result;

/// All rows of a segment in its order, codes as stored.
///
/// # Errors
///
/// `Corrupt` when the segment is damaged.
pub fn to_rows(segment: &Segment) -> Result<DayRows> {
    let mut rows = DayRows::new(segment.meta().day);
    let slice = segment.visits(&segment.repos()?)?;
    let downloaders = segment.downloaders()?;
    let mut counts = slice.rows.iter();
    for repo in segment.repos()?.iter() {
        let own = counts.by_ref().take(repo.visits.len());
        let count: u32 = own.sum();
        rows.repo
            .resize(rows.repo.len() + count as usize, repo.code);
    }
    for (&rank, &count) in slice.rank.iter().zip(&slice.rows) {
        let downloader = downloaders.get(rank as usize).copied().unwrap_or(0);
        rows.downloader
            .resize(rows.downloader.len() + count as usize, downloader);
    }
    segment.row_ts(&slice, &mut rows.ts)?;
    segment.row_verbs(&slice, &mut rows.verb)?;
    for attribute in segment.attributes() {
        let mut values = Vec::with_capacity(rows.len());
        segment
            .attribute(attribute, &slice)?
            .expand(&slice.rows, &mut values);
        rows.push_attribute(attribute, 0, &values);
    }
    if rows.attribute(Attribute::SESSION).is_some() {
        let numbers = 1..=segment.meta().session_count;
        rows.sessions = numbers
            .filter_map(|number| segment.session(number))
            .collect();
    }
    Ok(rows)
}

/// The bytes of one segment with all rows of `segments`, which are of one day and in import order.
///
/// # Errors
///
/// `Corrupt` when one is damaged, `Limit` for 2³² rows or more.
pub fn merge(segments: &[&Segment], acceptance: Acceptance<'_>) -> Result<Vec<u8>> {
    let mut all = DayRows::default();
    for (index, segment) in segments.iter().enumerate() {
        let rows = to_rows(segment)?;
        if index == 0 {
            all = rows;
        } else {
            all.append(&rows);
        }
    }
    build(&all, acceptance)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::storage::FileBytes;
    use crate::units::Day;

    /// One row: repo, downloader, ts, verb, place, session.
    type Plain = (u32, u32, u32, u32, u32, u32);

    fn day_rows(rows: &[Plain]) -> DayRows {
        let mut day = DayRows::new(Day(20_000));
        let (mut places, mut sessions) = (Vec::new(), Vec::new());
        for &(repo, downloader, ts, verb, place, session) in rows {
            day.repo.push(repo);
            day.downloader.push(downloader);
            day.ts.push(ts);
            day.verb.push(verb);
            places.push(place);
            day.sessions.push([u8::try_from(session).unwrap(); 16]);
            sessions.push(u32::try_from(day.sessions.len()).unwrap());
        }
        day.push_attribute(Attribute::PLACE, 0, &places);
        day.push_attribute(Attribute::SESSION, 0, &sessions);
        day
    }

    fn plain_rows(day: &DayRows) -> Vec<Plain> {
        let place = day.attribute(Attribute::PLACE);
        let sessions = day.attribute(Attribute::SESSION).unwrap();
        (0..day.len())
            .map(|row| {
                let session = day.sessions[sessions[row] as usize - 1][0];
                let place = place.map_or(0, |values| values[row]);
                (
                    day.repo[row],
                    day.downloader[row],
                    day.ts[row],
                    day.verb[row],
                    place,
                    session.into(),
                )
            })
            .collect()
    }

    fn open(bytes: Vec<u8>) -> Segment {
        Segment::open(Arc::new(FileBytes::from(bytes))).unwrap()
    }

    fn sorted(rows: &[Plain]) -> Vec<Plain> {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|&(repo, downloader, ts, ..)| (repo, downloader == 0, downloader, ts));
        rows
    }

    fn downloads(rows: &[Plain]) -> u32 {
        let accepted = rows.iter().filter(|row| row.3 != 2);
        let (known, unknown): (Vec<&Plain>, Vec<&Plain>) = accepted.partition(|row| row.1 != 0);
        let windows: std::collections::HashSet<_> = known
            .iter()
            .map(|row| (row.0, row.1, row.2 / 300_000))
            .collect();
        u32::try_from(windows.len() + unknown.len()).unwrap()
    }

    const ACCEPTANCE: Acceptance<'_> = Acceptance {
        accepts: &[true, true, false, true],
        window_ms: 300_000,
    };

    fn rows() -> impl Strategy<Value = Vec<Plain>> {
        let row = (
            0_u32..6,
            0_u32..20,
            0_u32..2_000_000,
            0_u32..5,
            0_u32..3,
            0_u32..200,
        );
        prop::collection::vec(row, 1..400)
    }

    proptest! {
        #[test]
        fn rows_come_back_sorted(rows in rows()) {
            let rows: Vec<Plain> = rows.into_iter().map(|mut row| { row.3 %= 4; row }).collect();
            let segment = open(build(&day_rows(&rows), ACCEPTANCE).unwrap());
            prop_assert_eq!(plain_rows(&to_rows(&segment).unwrap()), sorted(&rows));
            segment.verify().unwrap();
            let slice = segment.visits(&segment.repos().unwrap()).unwrap();
            prop_assert_eq!(slice.downloads.iter().sum::<u32>(), downloads(&rows));
        }

        #[test]
        fn a_merge_is_the_segment_of_all_rows(a in rows(), b in rows()) {
            let built = |rows: &[Plain]| build(&day_rows(rows), ACCEPTANCE).unwrap();
            let (first, second) = (open(built(&a)), open(built(&b)));
            let merged = open(merge(&[&first, &second], ACCEPTANCE).unwrap());
            let all: Vec<Plain> = sorted(&a).into_iter().chain(sorted(&b)).collect();
            prop_assert_eq!(plain_rows(&to_rows(&merged).unwrap()), sorted(&all));
        }

        #[test]
        fn one_repo_reads_as_in_the_whole(rows in rows()) {
            let segment = open(build(&day_rows(&rows), ACCEPTANCE).unwrap());
            let whole = to_rows(&segment).unwrap();
            let repos = segment.repos().unwrap();
            for index in 0..repos.len() {
                let slice = segment.visits(&repos[index..=index]).unwrap();
                let start = slice.first_row as usize;
                let range = start..start + slice.row_count() as usize;
                let (mut ts, mut verbs, mut places) = (Vec::new(), Vec::new(), Vec::new());
                segment.row_ts(&slice, &mut ts).unwrap();
                segment.row_verbs(&slice, &mut verbs).unwrap();
                let place = segment.attribute(Attribute::PLACE, &slice).unwrap();
                place.expand(&slice.rows, &mut places);
                prop_assert_eq!(&ts, &whole.ts[range.clone()]);
                prop_assert_eq!(&verbs, &whole.verb[range.clone()]);
                let want = whole.attribute(Attribute::PLACE);
                let want = want.map_or(vec![0; range.len()], |values| values[range].to_vec());
                prop_assert_eq!(places, want);
            }
        }
    }

    #[test]
    fn flipped_bits_are_found_and_never_panic() {
        let rows: Vec<Plain> = (0..60)
            .map(|i| (i % 3, i % 7, i * 40_000, i % 4, i % 2, i))
            .collect();
        let bytes = build(&day_rows(&rows), ACCEPTANCE).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = Segment::open(Arc::new(FileBytes::from(flipped)))
                .and_then(|segment| segment.verify().and_then(|()| to_rows(&segment)));
            assert!(read.is_err(), "bit {bit}");
        }
    }
}

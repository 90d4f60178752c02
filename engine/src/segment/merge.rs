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
    let slice = segment.visits(segment.repos()?)?;
    let downloaders = segment.downloaders()?;
    for repo in segment.repos()? {
        rows.repo.resize(rows.repo.len() + repo.rows.len(), repo.code);
    }
    for (&rank, &count) in slice.rank.iter().zip(&slice.rows) {
        let downloader = downloaders.get(rank as usize).copied().unwrap_or(0);
        rows.downloader.resize(rows.downloader.len() + count as usize, downloader);
    }
    segment.row_ts(&slice, &mut rows.ts)?;
    segment.row_verbs(&slice, &mut rows.verb)?;
    for attribute in segment.attributes() {
        let mut values = Vec::with_capacity(rows.len());
        segment.attribute(attribute, &slice)?.expand(&slice.rows, &mut values);
        rows.push_attribute(attribute, 0, &values);
    }
    if rows.attribute(Attribute::SESSION).is_some() {
        let numbers = 1..=segment.meta().session_count;
        rows.sessions = numbers.filter_map(|number| segment.session(number)).collect();
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

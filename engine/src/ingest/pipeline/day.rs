//! Rows of a day, from however many pieces, to its segment and cells.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::dictionaries::Maps;
use super::piece::{Piece, Sparse};
use super::stage::{Stage, Stages};
use crate::catalog::view::{Meanings, cells_of_sorted};
use crate::error::{Error, Result};
use crate::segment::{Attribute, DayRows, Segment, SegmentMeta, SortedRows, build_sorted};
use crate::storage::FileBytes;
use crate::units::{Day, ImportNumber};

/// Rows of one piece that lie in one day.
#[derive(Clone, Debug)]
pub(super) struct DayPart {
    pub(super) piece: Arc<Piece>,
    pub(super) maps: Arc<Maps>,
    pub(super) import: ImportNumber,
    pub(super) rows: Range<u32>,
}

/// A day that is ready to be stored.
#[derive(Debug)]
pub(super) struct BuiltDay {
    pub(super) meta: SegmentMeta,
    pub(super) imports: (ImportNumber, ImportNumber),
    pub(super) segment: Arc<FileBytes>,
    pub(super) cells: Vec<u8>,
    /// Seconds that building it took.
    pub(super) seconds: f64,
}

/// The days that the rows of a piece lie in.
pub(super) fn parts(
    piece: &Arc<Piece>,
    maps: &Arc<Maps>,
    import: ImportNumber,
) -> Vec<(Day, DayPart)> {
    let ends = piece.days.iter().skip(1).map(|(_, start)| *start);
    let ends = ends.chain([u32::try_from(piece.rows()).unwrap_or(u32::MAX)]);
    let part = |((day, start), end): (&(Day, u32), u32)| {
        let (piece, maps) = (Arc::clone(piece), Arc::clone(maps));
        (
            *day,
            DayPart {
                piece,
                maps,
                import,
                rows: *start..end,
            },
        )
    };
    piece.days.iter().zip(ends).map(part).collect()
}

/// Builds the segment of a day's parts, which are in (file, line) order, and its cells.
///
/// # Errors
///
/// `Limit` for 2³² rows or more.
pub(super) fn build_day(
    day: Day,
    parts: &[DayPart],
    meanings: &Meanings,
    stages: &Stages,
) -> Result<BuiltDay> {
    let started = Instant::now();
    let (sorted, segment) = stages.time(Stage::Build, || {
        let sorted = SortedRows::of(&gather(day, parts))?;
        let segment = build_sorted(&sorted, meanings.acceptance())?;
        Ok::<_, Error>((sorted, Arc::new(FileBytes::from(segment))))
    })?;
    let cells = stages.time(Stage::Derive, || cells_of_sorted(&sorted, meanings))?;
    let meta = *Segment::open(Arc::clone(&segment))?.meta();
    let imports = parts.iter().map(|part| part.import);
    let imports = (
        imports.clone().min().unwrap_or_default(),
        imports.max().unwrap_or_default(),
    );
    Ok(BuiltDay {
        meta,
        imports,
        segment,
        cells,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn gather(day: Day, parts: &[DayPart]) -> DayRows {
    let mut rows = DayRows::new(day);
    let count = parts.iter().map(|part| part.rows.len()).sum();
    for column in [
        &mut rows.repo,
        &mut rows.downloader,
        &mut rows.ts,
        &mut rows.verb,
    ] {
        column.reserve_exact(count);
    }
    for part in parts {
        let before = rows.len();
        let range = part.rows.start as usize..part.rows.end as usize;
        let (piece, maps) = (&part.piece, &part.maps);
        let tails = &piece.tail[range.clone()];
        let mapped = |codes: &[u32], map: &[u32], to: &mut Vec<u32>| {
            to.extend(tails.iter().map(|tail| map[codes[*tail as usize] as usize]));
        };
        mapped(&piece.repo, &maps.repo, &mut rows.repo);
        mapped(&piece.downloader, &maps.identity, &mut rows.downloader);
        let verbs = piece.verb[range.clone()].iter();
        rows.verb
            .extend(verbs.map(|verb| maps.verb[*verb as usize]));
        rows.ts.extend_from_slice(&piece.ts[range.clone()]);
        let mut attribute = |id: Attribute, values: &Sparse, map: &[u32]| {
            if !values.is_empty() {
                let values = tails.iter().map(|tail| map[values.get(*tail) as usize]);
                rows.push_attribute(id, before, &values.collect::<Vec<u32>>());
            }
        };
        attribute(Attribute::PLACE, &piece.place, &maps.place);
        attribute(Attribute::AGENT, &piece.agent, &maps.agent);
        attribute(Attribute::INTERNAL, &piece.internal, &[0, 1, 2]);
        attribute(Attribute::OTHER_IP, &piece.other_ip, &maps.identity);
        for ((column, map), values) in maps.extra.iter().zip(&piece.extra) {
            attribute(Attribute::extra(*column), &values.values, map);
        }
        rows.push_attribute(
            Attribute::IMPORT,
            before,
            &vec![part.import.get(); range.len()],
        );
        sessions(&mut rows, before, piece, tails);
    }
    rows.pad_attributes();
    rows
}

/// Appends the session ids that these rows have, numbered for the day.
fn sessions(rows: &mut DayRows, before: usize, piece: &Piece, tails: &[u32]) {
    if piece.session.is_empty() {
        return;
    }
    let mut known: HashMap<u32, u32> = HashMap::new();
    let mut last = (0, 0);
    let values: Vec<u32> = tails
        .iter()
        .map(|tail| {
            let number = piece.session.get(*tail);
            if number == 0 || number == last.0 {
                return if number == 0 { 0 } else { last.1 };
            }
            let of_day = *known.entry(number).or_insert_with(|| {
                rows.sessions.push(piece.sessions[number as usize - 1]);
                u32::try_from(rows.sessions.len()).unwrap_or(u32::MAX)
            });
            last = (number, of_day);
            of_day
        })
        .collect();
    rows.push_attribute(Attribute::SESSION, before, &values);
}

//! Rows of a day, from however many pieces, to its segment and cells.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::dictionaries::Maps;
use super::piece::{Piece, Sparse};
use super::pool::Pool;
use super::stage::{Stage, Stages};
use crate::catalog::view::{Meanings, cells_of_sorted};
use crate::error::{Error, Result};
use crate::segment::{
    AcceptedList, Attribute, Segment, SegmentMeta, SortedRows, TailedPart, TailedRows, build_sorted,
};
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
    /// Who made accepted requests.
    pub(super) visits: AcceptedList,
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
    let ends = ends.chain([u32::try_from(piece.row_count()).unwrap_or(u32::MAX)]);
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
    parts: Vec<DayPart>,
    meanings: &Meanings,
    (stages, pool): (&Stages, &Pool),
) -> Result<BuiltDay> {
    let started = Instant::now();
    let imports = parts.iter().map(|part| part.import);
    let imports = (
        imports.clone().min().unwrap_or_default(),
        imports.max().unwrap_or_default(),
    );
    let (sorted, segment) = stages.time(Stage::Build, || {
        let sorted = SortedRows::of_tailed(&gather(day, &parts))?;
        for part in parts {
            if let Some(piece) = Arc::into_inner(part.piece) {
                pool.give(piece.into_room());
            }
        }
        let segment = build_sorted(&sorted, meanings.acceptance())?;
        Ok::<_, Error>((sorted, Arc::new(FileBytes::from(segment))))
    })?;
    let (cells, visits) = stages.time(Stage::Derive, || {
        let visits = AcceptedList::of(&sorted, meanings.acceptance());
        Ok::<_, Error>((cells_of_sorted(&sorted, meanings)?, visits))
    })?;
    let meta = *Segment::open(Arc::clone(&segment))?.meta();
    Ok(BuiltDay {
        meta,
        imports,
        segment,
        cells,
        visits,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn gather(day: Day, parts: &[DayPart]) -> TailedRows<'_> {
    // A piece whose rows change between days often comes once for each time.
    let pieces = parts.chunk_by(|part, next| Arc::ptr_eq(&part.piece, &next.piece));
    let pieces = pieces.filter_map(|same| same.first());
    let tails = pieces.map(|part| part.piece.repo.len()).sum();
    let mut rows = TailedRows::with_room(day, tails);
    let mut before: Option<(&DayPart, u32)> = None;
    for part in parts {
        // A piece may come again, after rows of another day.
        let known = before.filter(|(known, _)| Arc::ptr_eq(&known.piece, &part.piece));
        let first_tail = known.map_or_else(|| add_tails(&mut rows, part), |(_, first)| first);
        before = Some((part, first_tail));
        let range = part.rows.start as usize..part.rows.end as usize;
        let piece = &part.piece;
        rows.parts.push(TailedPart {
            rows: &piece.rows[range],
            verbs: &part.maps.verb,
            first_tail,
        });
    }
    rows
}

/// Appends the tails of a piece; gives the number of the first.
fn add_tails(rows: &mut TailedRows<'_>, part: &DayPart) -> u32 {
    let (piece, maps) = (&part.piece, &part.maps);
    let before = rows.repo.len();
    let count = piece.repo.len();
    let mapped = |map: &[u32], code: u32| map[code as usize];
    let repos = piece.repo.iter();
    rows.repo
        .extend(repos.map(|code| mapped(&maps.repo, *code)));
    let ids = piece.downloader.iter();
    rows.downloader
        .extend(ids.map(|code| mapped(&maps.identity, *code)));
    let mut attribute = |id: Attribute, values: &Sparse, map: &[u32]| {
        if !values.is_empty() {
            let values = values.all().iter().map(|code| mapped(map, *code));
            rows.push_attribute(id, before, values);
        }
    };
    attribute(Attribute::PLACE, &piece.place, &maps.place);
    attribute(Attribute::AGENT, &piece.agent, &maps.agent);
    attribute(Attribute::INTERNAL, &piece.internal, &[0, 1, 2]);
    attribute(Attribute::OTHER_IP, &piece.other_ip, &maps.identity);
    for ((column, map), values) in maps.extra.iter().zip(&piece.extra) {
        attribute(Attribute::extra(*column), &values.values, map);
    }
    let imports = std::iter::repeat_n(part.import.get(), count);
    rows.push_attribute(Attribute::IMPORT, before, imports);
    if !piece.session.is_empty() {
        let shift = u32::try_from(rows.sessions.len()).unwrap_or(u32::MAX);
        let numbers = piece.session.all().iter();
        let numbers = numbers.map(|number| if *number == 0 { 0 } else { number + shift });
        rows.push_attribute(Attribute::SESSION, before, numbers);
        rows.sessions.extend_from_slice(&piece.sessions);
    }
    u32::try_from(before).unwrap_or(u32::MAX)
}

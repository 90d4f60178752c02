//! Numbers to the columns of a segment: the registry of column ids.
//!
//! Ids are stored; they are never reused. A segment lists the columns it has, so a column can be
//! added: a reader that does not know an id leaves that column alone.

use crate::encoding::{Choice, ColumnId};

/// Values in a page of a directory or visit column.
pub const VISIT_PAGE_VALUES: u32 = 1024;
/// Values in a page of a column of repos or of visits whose pages stay in memory. Of more a first reading of a
/// year takes up to a third longer, for 0.2 % of the bytes.
pub const KEPT_PAGE_VALUES: u32 = 3072;
/// Values in a page of ids and instants that ascend: their gaps, one less, are a whole tile of `encoding`.
pub const ASCENDING_PAGE_VALUES: u32 = VISIT_PAGE_VALUES + 1;
/// Values in a page of a row column: compression gains from longer pages, and rows are read last.
pub const ROW_PAGE_VALUES: u32 = 16_384;

/// Repo codes, ascending.
pub const REPO_CODE: ColumnId = ColumnId(1);
/// Visits of each repo.
pub const REPO_VISITS: ColumnId = ColumnId(2);
/// Rows of each 1,024 visits: how many rows come before a visit without all visits before it.
pub const BLOCK_ROWS: ColumnId = ColumnId(3);
/// Global ids of the segment's downloaders, ascending; ranks point into it.
pub const DOWNLOADER: ColumnId = ColumnId(5);
/// Number of verbs of each shape.
pub const SHAPE_LEN: ColumnId = ColumnId(6);
/// Verb codes of all shapes, one shape after the other, ascending inside each.
pub const SHAPE_VERB: ColumnId = ColumnId(7);
/// Of shapes of several verbs: the position of the verb that a visit usually begins with, then that
/// of the verb that usually follows on each of them.
pub const SHAPE_NEXT: ColumnId = ColumnId(8);
/// Whether the default rule accepts a verb of the shape.
pub const SHAPE_ACCEPTED: ColumnId = ColumnId(9);
/// Rank of each visit's downloader: absolute at a repo's first visit, then the gap less one.
pub const VISIT_RANK: ColumnId = ColumnId(10);
/// Rows of each visit, less one.
pub const VISIT_ROWS: ColumnId = ColumnId(11);
/// Shape of each visit.
pub const VISIT_SHAPE: ColumnId = ColumnId(12);
/// Milliseconds from the downloader's first row of the day to the visit's; of a visit without
/// downloader, from the start of the day.
pub const VISIT_DELAY: ColumnId = ColumnId(13);
/// Windows of the default rule from the visit's first row to its last; 0 within one.
pub const VISIT_WINDOWS: ColumnId = ColumnId(14);
/// Downloads that the visit has less under the default rule than it might have.
pub const VISIT_FOLDED: ColumnId = ColumnId(15);
/// Millisecond of the day of each downloader's first row, by rank, as far as [`DOWNLOADER_TS_LATE`]
/// does not have it.
pub const DOWNLOADER_TS: ColumnId = ColumnId(16);
/// The same of the last ranks, as many as hardly ever decrease. Ids are given in the order of first sight,
/// so those who come for the first time are about in the order of time.
pub const DOWNLOADER_TS_LATE: ColumnId = ColumnId(17);
/// Milliseconds since the row before, of every row that is not its visit's first.
pub const ROW_GAP: ColumnId = ColumnId(20);
/// Rows whose verb is not the one that [`SHAPE_NEXT`] expects, ascending.
pub const ODD_ROW: ColumnId = ColumnId(21);
/// Positions of their verbs in the visits' shapes.
pub const ODD_VERB: ColumnId = ColumnId(22);

/// Columns that every segment has, in the order of their ids: id, name.
pub const COLUMNS: &[(ColumnId, &str)] = &[
    (REPO_CODE, "repo_code"),
    (REPO_VISITS, "repo_visits"),
    (BLOCK_ROWS, "block_rows"),
    (DOWNLOADER, "downloader"),
    (SHAPE_LEN, "shape_len"),
    (SHAPE_VERB, "shape_verb"),
    (SHAPE_NEXT, "shape_next"),
    (SHAPE_ACCEPTED, "shape_accepted"),
    (VISIT_RANK, "visit_rank"),
    (VISIT_ROWS, "visit_rows"),
    (VISIT_SHAPE, "visit_shape"),
    (VISIT_DELAY, "visit_delay"),
    (VISIT_WINDOWS, "visit_windows"),
    (VISIT_FOLDED, "visit_folded"),
    (DOWNLOADER_TS, "downloader_ts"),
    (DOWNLOADER_TS_LATE, "downloader_ts_late"),
    (ROW_GAP, "row_gap"),
    (ODD_ROW, "odd_row"),
    (ODD_VERB, "odd_verb"),
];

/// Visits of a segment up to which columns of repos and of visits take any encoding. Of a few years of such days all
/// pages that queries read are kept in memory (`encoding`, `Kept`); those of larger days are decoded by each query.
pub const KEPT_VISITS_MAX: u32 = 16_384;

/// Values in a page of a column of a segment of so many visits, and what its pages may cost to decode.
#[must_use]
pub fn page_of(id: ColumnId, visit_count: u32) -> (u32, Choice) {
    // Ids and instants of downloaders are too even to gain, and the rest is small.
    let may_gain = id == REPO_VISITS
        || (VISIT_RANK.0..=VISIT_FOLDED.0).contains(&id.0)
        || Attribute::of_values(id).is_some();
    if id == ROW_GAP {
        (ROW_PAGE_VALUES, Choice::Any)
    } else if id == DOWNLOADER || id == DOWNLOADER_TS_LATE {
        (ASCENDING_PAGE_VALUES, Choice::Light)
    } else if may_gain && visit_count <= KEPT_VISITS_MAX {
        (KEPT_PAGE_VALUES, Choice::Kept)
    } else {
        (VISIT_PAGE_VALUES, Choice::Light)
    }
}

/// Whether the pages of a column of a segment of so many visits are decoded about as soon as copied: to keep them is no
/// gain.
#[must_use]
pub fn is_soon_decoded(id: ColumnId, visit_count: u32) -> bool {
    visit_count > KEPT_VISITS_MAX && page_of(id, visit_count).1 == Choice::Light
}

/// A value of a request that is mostly the same for all rows of a visit.
///
/// Stored as the value of each visit's first row and a list of rows where it changes. 0 is absent.
/// An attribute that is absent in all rows has no column.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Attribute(pub u16);

impl Attribute {
    /// Code of the (country, region) pair.
    pub const PLACE: Self = Self(1);
    /// Code of the user-agent template.
    pub const AGENT: Self = Self(2);
    /// Number of the session id in the segment's own list, from 1.
    pub const SESSION: Self = Self(3);
    /// 1 true, 2 false.
    pub const INTERNAL: Self = Self(4);
    /// Number of the import.
    pub const IMPORT: Self = Self(5);
    /// Identity of the address that stood beside an account.
    pub const OTHER_IP: Self = Self(6);

    /// Attributes with a fixed meaning, by name.
    pub const KNOWN: [(Self, &'static str); 6] = [
        (Self::PLACE, "place"),
        (Self::AGENT, "agent"),
        (Self::SESSION, "session"),
        (Self::INTERNAL, "internal"),
        (Self::IMPORT, "import"),
        (Self::OTHER_IP, "other_ip"),
    ];

    const EXTRA_FIRST: u16 = 100;
    const COLUMNS_FIRST: u16 = 0x100;

    /// Most extra columns of a store.
    pub const EXTRA_MAX: u16 = 4000;

    /// The attribute of the store's extra column `index` (below [`Self::EXTRA_MAX`]).
    #[must_use]
    pub const fn extra(index: u16) -> Self {
        Self(Self::EXTRA_FIRST + index)
    }

    /// The index of the extra column, if it is one.
    #[must_use]
    pub const fn extra_index(self) -> Option<u16> {
        self.0.checked_sub(Self::EXTRA_FIRST)
    }

    /// Column of the value at each visit's first row.
    #[must_use]
    pub const fn values(self) -> ColumnId {
        ColumnId(Self::COLUMNS_FIRST + 4 * self.0)
    }

    /// Column of the rows (their number in the segment, ascending) that differ from the row before.
    #[must_use]
    pub const fn change_rows(self) -> ColumnId {
        ColumnId(Self::COLUMNS_FIRST + 4 * self.0 + 1)
    }

    /// Column of the values from those rows on.
    #[must_use]
    pub const fn change_values(self) -> ColumnId {
        ColumnId(Self::COLUMNS_FIRST + 4 * self.0 + 2)
    }

    /// The attribute whose value column has this id.
    #[must_use]
    pub const fn of_values(column: ColumnId) -> Option<Self> {
        match column.0.checked_sub(Self::COLUMNS_FIRST) {
            Some(offset) if offset % 4 == 0 => Some(Self(offset / 4)),
            _ => None,
        }
    }
}

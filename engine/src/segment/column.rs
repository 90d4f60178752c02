//! Numbers to the columns of a segment: the registry of column ids.
//!
//! Ids are stored; they are never reused. A segment lists the columns it has, so a column can be
//! added: a reader that does not know an id leaves that column alone.

use crate::encoding::{Choice, ColumnId};

/// Values in a page of a directory or visit column.
pub const VISIT_PAGE_VALUES: u32 = 1024;
/// Values in a page of a row column: compression gains from longer pages, and rows are read last.
pub const ROW_PAGE_VALUES: u32 = 16_384;

/// Repo codes, ascending.
pub const REPO_CODE: ColumnId = ColumnId(1);
/// Visits of each repo.
pub const REPO_VISITS: ColumnId = ColumnId(2);
/// Rows of each repo.
pub const REPO_ROWS: ColumnId = ColumnId(3);
/// Values that each repo has in [`ROW_VERB`].
pub const REPO_VERBS: ColumnId = ColumnId(4);
/// Global ids of the segment's downloaders, ascending; ranks point into it.
pub const DOWNLOADER: ColumnId = ColumnId(5);
/// Number of verbs of each shape.
pub const SHAPE_LEN: ColumnId = ColumnId(6);
/// Verb codes of all shapes, one shape after the other, ascending inside each.
pub const SHAPE_VERB: ColumnId = ColumnId(7);
/// Rank of each visit's downloader: absolute at a repo's first visit, then the gap less one.
pub const VISIT_RANK: ColumnId = ColumnId(10);
/// Rows of each visit, less one.
pub const VISIT_ROWS: ColumnId = ColumnId(11);
/// Shape of each visit.
pub const VISIT_SHAPE: ColumnId = ColumnId(12);
/// Millisecond of the day of each visit's first row.
pub const VISIT_FIRST_TS: ColumnId = ColumnId(13);
/// Downloads of each visit under the default rule.
pub const VISIT_DOWNLOADS: ColumnId = ColumnId(14);
/// Milliseconds since the row before, of every row that is not its visit's first.
pub const ROW_GAP: ColumnId = ColumnId(20);
/// Position in the visit's shape, of every row of a visit whose shape has more than one verb.
pub const ROW_VERB: ColumnId = ColumnId(21);

/// Columns that every segment has: id, name, values in a page, what pages may cost to decode.
pub const COLUMNS: &[(ColumnId, &str, u32, Choice)] = &[
    (REPO_CODE, "repo_code", VISIT_PAGE_VALUES, Choice::Light),
    (REPO_VISITS, "repo_visits", VISIT_PAGE_VALUES, Choice::Light),
    (REPO_ROWS, "repo_rows", VISIT_PAGE_VALUES, Choice::Light),
    (REPO_VERBS, "repo_verbs", VISIT_PAGE_VALUES, Choice::Light),
    (DOWNLOADER, "downloader", VISIT_PAGE_VALUES, Choice::Light),
    (SHAPE_LEN, "shape_len", VISIT_PAGE_VALUES, Choice::Light),
    (SHAPE_VERB, "shape_verb", VISIT_PAGE_VALUES, Choice::Light),
    (VISIT_RANK, "visit_rank", VISIT_PAGE_VALUES, Choice::Light),
    (VISIT_ROWS, "visit_rows", VISIT_PAGE_VALUES, Choice::Light),
    (VISIT_SHAPE, "visit_shape", VISIT_PAGE_VALUES, Choice::Light),
    (
        VISIT_FIRST_TS,
        "visit_first_ts",
        VISIT_PAGE_VALUES,
        Choice::Light,
    ),
    (
        VISIT_DOWNLOADS,
        "visit_downloads",
        VISIT_PAGE_VALUES,
        Choice::Light,
    ),
    (ROW_GAP, "row_gap", ROW_PAGE_VALUES, Choice::Any),
    (ROW_VERB, "row_verb", ROW_PAGE_VALUES, Choice::Any),
];

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

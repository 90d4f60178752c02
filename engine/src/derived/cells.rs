//! The stored sums of one day, and which questions they cover.
//!
//! A table of cells has one or two bases (what its keys are) and measures (what its values are). A
//! question is covered by a table that has the measure and at least the bases that the question's
//! filter and dimensions rest on.
//!
//! # On disk
//!
//! `format-spec/cells.md`.
//!
//! # To add a table
//!
//! Its row in [`TABLES`], with new ids, and its sums in `cells_build`; the planner finds it there.

use std::sync::Arc;

use crate::encoding::{ChunkIndex, ColumnId};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::Day;

/// What the key of a cell is a code of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Base {
    /// Repo code.
    Repo,
    /// Verb code.
    Verb,
    /// Number of the country among the store's countries; 0 is absent.
    Country,
    /// Hour of the day, 0 to 23.
    Hour,
    /// Evidence of a download as a number, see `schema::Evidence::ALL`.
    Evidence,
}

/// What the value of a cell counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Measure {
    /// Requests.
    Requests,
    /// Requests without identity.
    Unidentified,
    /// Downloads under the default rule.
    Downloads,
    /// Requests without identity that the default rule accepts.
    AcceptedUnidentified,
}

/// One table of cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CellTable {
    /// Id of its first column; keys come first, then measures.
    pub first_column: u16,
    /// Its keys, the most significant first.
    pub bases: &'static [Base],
    /// Its values.
    pub measures: &'static [Measure],
}

/// Every table. The first one that covers a question is read, so the small ones come first.
pub const TABLES: &[CellTable] = &[
    CellTable {
        first_column: 10,
        bases: &[Base::Hour],
        measures: &[Measure::Downloads],
    },
    CellTable {
        first_column: 20,
        bases: &[Base::Hour, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 30,
        bases: &[Base::Country, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 40,
        bases: &[Base::Hour, Base::Country],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 50,
        bases: &[Base::Repo, Base::Evidence],
        measures: &[Measure::Downloads],
    },
    CellTable {
        first_column: 60,
        bases: &[Base::Repo, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 70,
        bases: &[Base::Repo, Base::Country],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
];

impl CellTable {
    /// Column of a key.
    #[must_use]
    pub fn key_column(&self, position: usize) -> ColumnId {
        ColumnId(self.first_column + u16::try_from(position).unwrap_or(0))
    }

    /// Column of a measure.
    #[must_use]
    pub fn measure_column(&self, position: usize) -> ColumnId {
        self.key_column(self.bases.len() + position)
    }

    /// Whether downloads of its cells add up over a base that is left out: a download belongs to one
    /// hour and has one evidence, but may lie in two countries.
    #[must_use]
    pub fn adds_up(&self, measure: Measure, needed: &[Base]) -> bool {
        measure != Measure::Downloads
            || !self.bases.contains(&Base::Country)
            || needed.contains(&Base::Country)
    }
}

pub(super) const SECTION_META: SectionId = SectionId(1);
pub(super) const SECTION_INDEX: SectionId = SectionId(2);
pub(super) const SECTION_PAGES: SectionId = SectionId(3);

/// Every section, by name.
pub const SECTIONS: [(SectionId, &str); 3] = [
    (SECTION_META, "counts"),
    (SECTION_INDEX, "index"),
    (SECTION_PAGES, "pages"),
];

/// What a cells file says of itself. Spec: `format-spec/cells.md`, section "Counts".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CellsMeta {
    /// The day.
    pub day: Day,
    /// Rows that were counted.
    pub row_count: u32,
    /// Rows marked internal; where there are any, cells do not answer for rules that leave them out.
    pub internal_count: u32,
}

impl CellsMeta {
    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ByteWriter::new(&mut bytes)
            .u32(self.day.get())
            .u32(self.row_count)
            .u32(self.internal_count);
        bytes
    }

    /// Reads the stored form; bytes that a newer version appended are ignored.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is cut short.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes);
        Ok(Self {
            day: Day(reader.u32()?),
            row_count: reader.u32()?,
            internal_count: reader.u32()?,
        })
    }
}

/// The open cells of one day.
#[derive(Debug)]
pub struct Cells {
    bytes: Arc<FileBytes>,
    meta: CellsMeta,
    index: ChunkIndex,
    pages: std::ops::Range<usize>,
}

impl Cells {
    /// Opens a cells file; reads no page.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Cells)?;
        let meta = CellsMeta::from_bytes(view.section_required(SECTION_META)?)?;
        let (offset, len) = view.section_range(SECTION_PAGES).unwrap_or((0, 0));
        let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
        let end = usize::try_from(offset + len).map_err(|_| Error::limit("file above 2^64"))?;
        let index = ChunkIndex::parse(view.section_required(SECTION_INDEX)?, len)?;
        Ok(Self {
            bytes: Arc::clone(&bytes),
            meta,
            index,
            pages: start..end,
        })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn meta(&self) -> &CellsMeta {
        &self.meta
    }

    /// Columns: id, values, bytes.
    pub fn columns(&self) -> impl Iterator<Item = (ColumnId, u32, u64)> + '_ {
        self.index.columns()
    }

    /// Number of values of a column; 0 when there is none.
    #[must_use]
    pub fn len(&self, column: ColumnId) -> u32 {
        self.index.len(column)
    }

    /// Appends a whole column to `out`. All columns of a table have the same length.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub fn read(&self, column: ColumnId, out: &mut Vec<u32>) -> Result<()> {
        let len = self.index.len(column);
        out.reserve(len as usize);
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        self.index.read(pages, column, 0..len, out)
    }

    /// Appends the values `range` of a column to `out`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or the column is shorter.
    pub fn read_range(
        &self,
        column: ColumnId,
        range: std::ops::Range<u32>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        self.index.read(pages, column, range, out)
    }

    /// Compares every byte of the file with its checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first difference.
    pub fn verify(&self) -> Result<()> {
        FileView::parse(&self.bytes, FileKind::Cells)?.verify()
    }
}

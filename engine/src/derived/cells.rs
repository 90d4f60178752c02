//! The stored sums of one day, by the tables of [`table`](super::table).
//!
//! # On disk
//!
//! `format-spec/cells.md`.

use std::sync::Arc;

use super::table::{Cell, CellTable};
use crate::encoding::{ChunkIndex, ColumnId};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::Day;

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

    /// All cells of a table.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or columns have different lengths.
    pub fn table(&self, table: &CellTable) -> Result<Vec<Cell>> {
        let len = self.index.len(table.key_column(0)) as usize;
        let mut cells = vec![Cell::default(); len];
        let mut values = Vec::with_capacity(len);
        for position in 0..table.bases.len() + table.measures.len() {
            values.clear();
            self.read(table.key_column(position), &mut values)?;
            if values.len() != len {
                let message = format!("{} values, expected {len}", values.len());
                return Err(Error::corrupt(message).at_column(table.first_column.to_string()));
            }
            for (cell, value) in cells.iter_mut().zip(&values) {
                let place = match position.checked_sub(table.bases.len()) {
                    None => cell.keys.get_mut(position),
                    Some(measure) => cell.sums.get_mut(measure),
                };
                if let Some(place) = place {
                    *place = *value;
                }
            }
        }
        Ok(cells)
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

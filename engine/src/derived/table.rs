//! The tables of sums: what their keys are, what they count, and which questions they cover.
//!
//! A table has up to two bases (what its keys are) and measures (what its values are). A question is
//! covered by a table that has the measure and at least the bases that the question's filter and
//! dimensions rest on. The same tables are kept of a day ([`Cells`](super::Cells)) and, with the day as
//! their last key, of a month ([`Series`](super::Series)), one of them of large repos alone.
//!
//! # On disk
//!
//! `format-spec/cells.md`, `format-spec/series.md`.
//!
//! # To add a table
//!
//! Its row in [`TABLES`], with new ids, and its sums in `cells_build`; series and planner find it there.

use crate::encoding::ColumnId;

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
    /// Id of its first column.
    pub first_column: u16,
    /// Its keys, the most significant first.
    pub bases: &'static [Base],
    /// Its values.
    pub measures: &'static [Measure],
}

/// Most keys of a table.
pub const KEYS_MAX: usize = 2;
/// Most measures of a table.
pub const MEASURES_MAX: usize = 3;

/// One cell: its keys and values; those that its table does not have are 0.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cell {
    /// Its keys.
    pub keys: [u32; KEYS_MAX],
    /// Its values.
    pub sums: [u32; MEASURES_MAX],
}

/// Number of tables.
pub const TABLE_COUNT: usize = 12;

/// Every table. The first one that covers a question is read, so the small ones come first.
pub const TABLES: &[CellTable; TABLE_COUNT] = &[
    CellTable {
        first_column: 10,
        bases: &[],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 20,
        bases: &[Base::Evidence],
        measures: &[Measure::Downloads],
    },
    CellTable {
        first_column: 30,
        bases: &[Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 40,
        bases: &[Base::Hour],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 50,
        bases: &[Base::Country],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 60,
        bases: &[Base::Repo],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 70,
        bases: &[Base::Hour, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 80,
        bases: &[Base::Country, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 90,
        bases: &[Base::Country, Base::Hour],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
    CellTable {
        first_column: 100,
        bases: &[Base::Repo, Base::Evidence],
        measures: &[Measure::Downloads],
    },
    CellTable {
        first_column: 110,
        bases: &[Base::Repo, Base::Verb],
        measures: &[Measure::Requests, Measure::Unidentified],
    },
    CellTable {
        first_column: 120,
        bases: &[Base::Repo, Base::Country],
        measures: &[
            Measure::Requests,
            Measure::Downloads,
            Measure::AcceptedUnidentified,
        ],
    },
];

/// Positions in [`TABLES`].
pub(super) const ALL: usize = 0;
pub(super) const EVIDENCE: usize = 1;
pub(super) const VERB: usize = 2;
pub(super) const HOUR: usize = 3;
pub(super) const COUNTRY: usize = 4;
pub(super) const REPO: usize = 5;
pub(super) const HOUR_VERB: usize = 6;
pub(super) const COUNTRY_VERB: usize = 7;
pub(super) const COUNTRY_HOUR: usize = 8;
pub(super) const REPO_EVIDENCE: usize = 9;
pub(super) const REPO_VERB: usize = 10;
pub(super) const REPO_COUNTRY: usize = 11;

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

    /// The table of its first keys alone, if it has more.
    #[must_use]
    pub fn of_first_keys(&self) -> Option<&'static Self> {
        let (first, rest) = self.bases.split_first()?;
        let mut tables = TABLES.iter().filter(|_| !rest.is_empty());
        tables.find(|table| table.bases == [*first])
    }

    /// Whether series have it of large repos alone: there are many cells of small ones, which have few visits to read
    /// instead.
    #[must_use]
    pub fn is_of_large_repos(&self) -> bool {
        self.bases == [Base::Repo, Base::Country]
    }

    /// Where a measure stands among the table's.
    #[must_use]
    pub fn position(&self, measure: Measure) -> Option<usize> {
        self.measures.iter().position(|known| *known == measure)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_columns_share_an_id_and_none_is_too_many() {
        let mut seen = HashSet::new();
        for table in TABLES {
            assert!(table.bases.len() <= KEYS_MAX && table.measures.len() <= MEASURES_MAX);
            assert_eq!(table.first_column % 10, 0);
            let columns = table.bases.len() + table.measures.len();
            for position in 0..columns {
                assert!(seen.insert(table.key_column(position)));
            }
        }
    }

    #[test]
    fn first_keys_have_a_table_before_that_of_two() {
        for (place, table) in TABLES.iter().enumerate() {
            let first = table.of_first_keys();
            assert_eq!(first.is_some(), table.bases.len() == 2);
            let before = &TABLES[..place];
            assert!(first.is_none_or(|first| before.contains(first)));
        }
    }

    #[test]
    fn positions_are_those_of_the_tables() {
        use Base::{Country, Evidence, Hour, Repo, Verb};
        let expected: [(usize, &[Base]); TABLE_COUNT] = [
            (ALL, &[]),
            (EVIDENCE, &[Evidence]),
            (VERB, &[Verb]),
            (HOUR, &[Hour]),
            (COUNTRY, &[Country]),
            (REPO, &[Repo]),
            (HOUR_VERB, &[Hour, Verb]),
            (COUNTRY_VERB, &[Country, Verb]),
            (COUNTRY_HOUR, &[Country, Hour]),
            (REPO_EVIDENCE, &[Repo, Evidence]),
            (REPO_VERB, &[Repo, Verb]),
            (REPO_COUNTRY, &[Repo, Country]),
        ];
        for (position, bases) in expected {
            assert_eq!(TABLES[position].bases, bases);
        }
    }
}

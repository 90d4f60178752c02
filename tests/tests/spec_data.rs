//! What `format-spec/` says of segments, dictionaries and cells is what the code does.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use footfall_engine::derived::{self, Base, Measure, TABLES};
use footfall_engine::dictionary::identity::{KEY_SECTIONS, LOOKUP_SECTIONS};
use footfall_engine::dictionary::names::NAMES;
use footfall_engine::layout::SectionId;
use footfall_engine::segment::column::COLUMNS;
use footfall_engine::segment::{self, Attribute, SegmentMeta};
use footfall_engine::units::Day;
use footfall_tests::support::spec_table;

/// The first two cells of each row: id and name.
fn ids(file: &str, table: &str) -> Vec<(u32, String)> {
    let rows = spec_table(file, table);
    assert!(!rows.is_empty(), "{file} has no table {table}");
    rows.iter()
        .map(|row| (row[0].parse().unwrap(), row[1].clone()))
        .collect()
}

fn named<'a>(pairs: impl IntoIterator<Item = (u32, &'a str)>) -> Vec<(u32, String)> {
    pairs
        .into_iter()
        .map(|(id, name)| (id, name.to_owned()))
        .collect()
}

fn sections(code: &[(SectionId, &'static str)]) -> Vec<(u32, String)> {
    named(code.iter().map(|(id, name)| (id.0, *name)))
}

#[test]
fn sections_match() {
    assert_eq!(
        ids("segment.md", "segment-sections"),
        sections(&segment::SECTIONS)
    );
    assert_eq!(
        ids("cells.md", "cells-sections"),
        sections(&derived::cells::SECTIONS)
    );
    assert_eq!(
        ids("series.md", "series-sections"),
        sections(&derived::series::SECTIONS)
    );
    assert_eq!(
        ids("history.md", "history-sections"),
        sections(&derived::history::SECTIONS)
    );
    assert_eq!(
        ids("union.md", "union-sections"),
        sections(&derived::union::SECTIONS)
    );
    assert_eq!(
        ids("dictionary.md", "identity-sections"),
        sections(&KEY_SECTIONS)
    );
    assert_eq!(
        ids("dictionary.md", "lookup-sections"),
        sections(&LOOKUP_SECTIONS)
    );
    let names = named(NAMES.iter().map(|(_, id, name)| (*id, *name)));
    assert_eq!(ids("dictionary.md", "name-sections"), names);
}

#[test]
fn columns_match() {
    let code = named(COLUMNS.iter().map(|(id, name)| (u32::from(id.0), *name)));
    assert_eq!(ids("segment.md", "segment-columns"), code);
    let code = named(
        Attribute::KNOWN
            .iter()
            .map(|(id, name)| (u32::from(id.0), *name)),
    );
    assert_eq!(ids("segment.md", "segment-attributes"), code);
    assert_eq!(Attribute(2).values().0, 256 + 4 * 2);
    assert_eq!(Attribute(2).change_rows().0, 257 + 4 * 2);
    assert_eq!(Attribute(2).change_values().0, 258 + 4 * 2);
    assert_eq!(Attribute::extra(0), Attribute(100));
}

/// A field of counts is told from the others by what it holds: 1 for the first, 2 for the second …
fn assert_counts(file: &str, table: &str, bytes: &[u8]) {
    let mut end = 0;
    for (row, value) in spec_table(file, table).iter().zip(1_u32..) {
        let (offset, size): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        assert_eq!(offset, end, "{file}: {}", row[2]);
        end = offset + size;
        assert_eq!(
            bytes[offset..end],
            value.to_le_bytes(),
            "{file}: {}",
            row[2]
        );
    }
    assert_eq!(end, bytes.len(), "{file}");
}

#[test]
fn counts_match() {
    let counts = SegmentMeta {
        day: Day(1),
        row_count: 2,
        visit_count: 3,
        repo_count: 4,
        downloader_count: 5,
        session_count: 6,
        ts_min: 7,
        ts_max: 8,
    };
    assert_counts("segment.md", "segment-counts", &counts.to_bytes());
    let counts = derived::cells::CellsMeta {
        day: Day(1),
        row_count: 2,
        internal_count: 3,
    };
    assert_counts("cells.md", "cells-counts", &counts.to_bytes());
    let day = derived::series::SeriesDay {
        day: Day(1),
        row_count: 2,
        internal_count: 3,
    };
    let mut bytes = Vec::new();
    day.write(&mut bytes);
    assert_counts("series.md", "series-day", &bytes);
}

#[test]
fn columns_of_series_match() {
    let code = derived::series::COLUMNS;
    let code = named(code.iter().map(|(id, name)| (u32::from(*id), *name)));
    assert_eq!(ids("series.md", "series-columns"), code);
}

#[test]
fn columns_and_keys_of_histories_and_unions_match() {
    let code = derived::history::COLUMNS;
    let code = named(code.iter().map(|(id, name)| (u32::from(id.0), *name)));
    assert_eq!(ids("history.md", "history-columns"), code);
    let code = derived::union::COLUMNS;
    let code = named(code.iter().map(|(id, name)| (u32::from(id.0), *name)));
    assert_eq!(ids("union.md", "union-columns"), code);
    let kinds = derived::HistoryKey::KINDS;
    assert_eq!(
        ids("history.md", "history-keys"),
        named(kinds.iter().copied())
    );
}

#[test]
fn tables_of_cells_match() {
    let base = |base: &Base| match base {
        Base::Repo => "repo",
        Base::Verb => "verb",
        Base::Country => "country",
        Base::Hour => "hour",
        Base::Evidence => "evidence",
    };
    let measure = |measure: &Measure| match measure {
        Measure::Requests => "requests",
        Measure::Unidentified => "unidentified",
        Measure::Downloads => "downloads",
        Measure::AcceptedUnidentified => "accepted unidentified",
    };
    let code: Vec<Vec<String>> = TABLES
        .iter()
        .map(|table| {
            let bases: Vec<_> = table.bases.iter().map(base).collect();
            let measures: Vec<_> = table.measures.iter().map(measure).collect();
            vec![
                table.first_column.to_string(),
                bases.join(", "),
                measures.join(", "),
            ]
        })
        .collect();
    assert_eq!(spec_table("cells.md", "cells-tables"), code);
}

//! A decompressed publisher CSV to a [`HubTable`].
//!
//! The file is all or nothing: a bad line is an error that names it, not a counted reject as in a log.
//! A snapshot that lacks a row would make that value absent, so leaving a line out is never harmless.
//!
//! # Limits
//!
//! | constant | value | why |
//! |---|--:|---|
//! | [`ParseOptions::record_bytes_max`] | 1 MiB | an unclosed quote must not be held whole |
//! | [`ParseOptions::rows_max`] | 64 Mi | rows are held in memory, 16 bytes each |

use std::io::Read;
use std::ops::RangeInclusive;

use super::day_text::parse_day;
use super::field::{parse_number, shown};
use super::gather::{Gathered, Row};
use super::header::Columns;
use super::scan::{Record, Scanner};
use super::table::HubTable;
use crate::error::{Error, Result};
use crate::units::{DAY_MAX, Day};

/// What becomes of different values for one (repo, day). Equal ones always collapse into one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Duplicates {
    /// An error that names both lines.
    #[default]
    Refuse,
    /// Their sum; of equal values one is counted, so that the order of lines does not matter.
    Sum,
    /// The one that stands last in the file.
    Last,
}

/// How to read a publisher CSV.
#[derive(Clone, Debug)]
pub struct ParseOptions {
    /// What becomes of different values for one (repo, day).
    pub duplicates: Duplicates,
    /// Days that are plausible; another one is an error. The caller bounds it by its clock.
    pub days: RangeInclusive<Day>,
    /// The longest line, in bytes without its line end.
    pub record_bytes_max: usize,
    /// The most rows.
    pub rows_max: u32,
    /// (name in the file, known name) of columns.
    pub renames: Vec<(String, String)>,
}

impl Default for ParseOptions {
    /// 2000-01-01 … 2199-12-31, nothing renamed, different values refused.
    fn default() -> Self {
        Self {
            duplicates: Duplicates::Refuse,
            days: Day(10_957)..=DAY_MAX,
            record_bytes_max: 1 << 20,
            rows_max: 64 << 20,
            renames: Vec::new(),
        }
    }
}

/// What became of the lines: `lines = rows + collapsed + resolved + blank + 1` (the header).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HubCounts {
    /// Lines of the file; one that goes on in a quoted field is one.
    pub lines: u64,
    /// Values in the table.
    pub rows: u64,
    /// Lines that said again what another had said.
    pub collapsed: u64,
    /// Lines that went into another's value by [`Duplicates::Sum`] or [`Duplicates::Last`].
    pub resolved: u64,
    /// Blank lines.
    pub blank: u64,
}

/// A publisher CSV, read.
#[derive(Clone, Debug)]
pub struct HubParse {
    /// Its rows.
    pub table: HubTable,
    /// What became of its lines.
    pub counts: HubCounts,
}

/// Reads a publisher CSV from its decompressed bytes.
///
/// ```
/// use footfall_engine::hub::{ParseOptions, parse};
///
/// let csv = "repoType,repoName,total,timestamp,downloads\n\
///            model,acme/llama,90,2021-01-22T00:00:00.000Z,7\n";
/// let read = parse(csv.as_bytes(), &ParseOptions::default())?;
/// assert_eq!(read.table.repos()[0].total, 90);
/// assert_eq!(read.table.series(0).1, [7]);
/// # Ok::<(), footfall_engine::Error>(())
/// ```
///
/// # Errors
///
/// `Invalid` with the line: a header that lacks a column or has one more, a line with more or fewer
/// fields, a timestamp that is not a plausible midnight UTC, a number that is none, a `total` that
/// differs between rows of one repo, different values for one (repo, day), no row at all. `Limit`: too
/// long a line, too many rows. `Io`: the input cannot be read.
pub fn parse(input: impl Read, options: &ParseOptions) -> Result<HubParse> {
    let mut scanner = Scanner::new(input, options.record_bytes_max);
    let mut counts = HubCounts::default();
    let columns = loop {
        let Some(record) = scanner.next()? else {
            return Err(Error::invalid("no header: the file is empty"));
        };
        counts.lines += 1;
        if record.len() > 0 {
            break Columns::find(&record, &options.renames)?;
        }
        counts.blank += 1;
    };
    let mut gathered = Gathered::default();
    while let Some(record) = scanner.next()? {
        counts.lines += 1;
        if record.len() == 0 {
            counts.blank += 1;
            continue;
        }
        if gathered.row_count() >= options.rows_max as usize {
            let error = Error::limit(format!("more than {} rows", options.rows_max));
            return Err(error.at_line(record.line));
        }
        read_row(&record, &columns, options)
            .and_then(|row| gathered.push(&row))
            .map_err(|error| error.at_line(record.line))?;
    }
    if gathered.row_count() == 0 {
        return Err(Error::invalid("a publisher CSV without a row")
            .with_help("nothing is known of an org that no row names, so nothing can be stored"));
    }
    let table = gathered.into_table(options.duplicates, &mut counts)?;
    counts.rows = table.row_count();
    Ok(HubParse { table, counts })
}

fn read_row<'a>(record: &Record<'a>, columns: &Columns, options: &ParseOptions) -> Result<Row<'a>> {
    if record.len() != columns.count {
        let (found, expected) = (record.len(), columns.count);
        let message = format!("{found} fields, the header has {expected}");
        return Err(Error::invalid(message));
    }
    let timestamp = record.field(columns.timestamp);
    let day = parse_day(timestamp).map_err(|fault| {
        Error::invalid(format!("{fault}: {}", shown(timestamp))).at_column("timestamp")
    })?;
    if !options.days.contains(&day) {
        let (first, last) = (options.days.start(), options.days.end());
        let message = format!("implausible day {day}, expected {first} … {last}");
        return Err(Error::invalid(message)
            .at_column("timestamp")
            .with_help("--any-date takes it"));
    }
    Ok(Row {
        line: record.line,
        repo_type: record.field(columns.repo_type),
        repo: record.field(columns.repo),
        total: parse_number(record.field(columns.total), "total")?,
        day,
        downloads: parse_number(record.field(columns.downloads), "downloads")?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{any_key, any_rows, csv_of, parse_ok, total_of};
    use super::super::table::{HubRepo, RowOrder};
    use super::*;
    use crate::ErrorKind;

    const HEADER: &str = "repoType,repoName,total,timestamp,downloads\n";

    fn row(repo: &str, total: &str, day: u32, downloads: &str) -> String {
        format!("model,{repo},{total},{},{downloads}\n", Day(day).start())
    }

    fn fail(csv: &str) -> Error {
        parse(csv.as_bytes(), &ParseOptions::default()).unwrap_err()
    }

    #[test]
    fn columns_come_in_any_order_and_lines_are_counted() {
        let csv = "\u{feff}downloads,timestamp,repoName,total,repoType\r\n\r\n\
                   7,2021-01-22T00:00:00.000Z,a/b,90,dataset\r\n\n8,2021-01-23T00:00:00Z,a/b,90,dataset";
        let HubParse { table, counts } = parse_ok(csv);
        assert_eq!(
            counts,
            HubCounts {
                lines: 5,
                rows: 2,
                blank: 2,
                ..HubCounts::default()
            }
        );
        let repo = HubRepo {
            repo_type: "dataset".into(),
            repo: "a/b".into(),
            total: 90,
        };
        assert_eq!(table.repos(), [repo]);
        assert_eq!(
            table.series(0),
            (&[Day(18_649), Day(18_650)][..], &[7, 8][..])
        );
        assert_eq!(table.order(), &RowOrder::Grouped);
    }

    #[test]
    fn a_bad_line_is_an_error_with_its_line() {
        let good = row("a/b", "5", 15_000, "1");
        for (bad, message) in [
            (
                "model,a/b,5,2021-01-22T00:00:00.000Z\n".to_owned(),
                "4 fields, the header has 5",
            ),
            (
                "model,a/b,5,2021-01-22T00:00:00.000Z,1,2\n".to_owned(),
                "6 fields",
            ),
            (
                "model,a/b,5,2021-01-22,1\n".to_owned(),
                "not a timestamp with a zone",
            ),
            (
                "model,a/b,5,2021-01-22T01:00:00Z,1\n".to_owned(),
                "is not midnight UTC",
            ),
            (
                "model,a/b,5,1999-12-31T00:00:00Z,1\n".to_owned(),
                "implausible day 1999-12-31",
            ),
            (
                row("a/b", "5", 15_001, ""),
                "not a whole number of 0 to 2^64 - 1: \"\"",
            ),
            (row("a/b", "5", 15_001, "-1"), "not a whole number"),
            (row("a/b", "5", 15_001, "1e3"), "not a whole number"),
            (
                row("a/b", "5", 15_001, "18446744073709551616"),
                "not a whole number",
            ),
            (row("a/b", "5", 15_001, ":"), "not a whole number"),
            (row("a/b", "n/a", 15_001, "1"), "not a whole number"),
            (
                row("a/b", "6", 15_001, "1"),
                "total of model:a/b is 6, but 5 in line 2",
            ),
            (row("", "6", 15_001, "1"), "is empty"),
            (row("a/\0", "6", 15_001, "1"), "holds a NUL"),
        ] {
            let error = fail(&format!("{HEADER}{good}\n{bad}{good}"));
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(
                (error.kind(), error.place().line),
                (ErrorKind::Invalid, Some(4)),
                "{error}"
            );
        }
        let mut bytes = format!("{HEADER}{good}").into_bytes();
        bytes.extend_from_slice(b"model,a/\xff,5,2021-01-22T00:00:00.000Z,1\n");
        let error = parse(bytes.as_slice(), &ParseOptions::default()).unwrap_err();
        assert_eq!(error.place().line, Some(3));
    }

    #[test]
    fn a_file_without_rows_is_refused() {
        for csv in ["", "\n\n", HEADER, "<html>\n", "{\"error\":\"x\"}"] {
            assert_eq!(fail(csv).kind(), ErrorKind::Invalid, "{csv}");
        }
    }

    #[test]
    fn limits_hold() {
        let csv = format!(
            "{HEADER}{}{}",
            row("a/b", "5", 15_000, "1"),
            row("a/b", "5", 15_001, "1")
        );
        let options = ParseOptions {
            rows_max: 1,
            ..ParseOptions::default()
        };
        let error = parse(csv.as_bytes(), &options).unwrap_err();
        assert_eq!(
            (error.kind(), error.place().line),
            (ErrorKind::Limit, Some(3))
        );
        let days = Day(15_000)..=Day(15_000);
        let error = parse(
            csv.as_bytes(),
            &ParseOptions {
                days,
                ..ParseOptions::default()
            },
        )
        .unwrap_err();
        assert_eq!(
            error.message(),
            "implausible day 2011-01-27, expected 2011-01-26 … 2011-01-26"
        );
    }

    #[test]
    fn equal_duplicates_collapse_and_others_name_both_lines() {
        let day = |downloads| row("a/b", "5", 15_000, downloads);
        let other = row("a/c", "5", 15_000, "9");
        let equal = format!("{HEADER}{}{other}{}\n{}", day("3"), day("3"), day("3"));
        let HubParse { table, counts } = parse_ok(&equal);
        assert_eq!(
            (counts.lines, counts.rows, counts.collapsed, counts.blank),
            (6, 2, 2, 1)
        );
        assert_eq!(table.series(0).1, [3]);
        assert_eq!(table.order(), &RowOrder::Grouped);

        let csv = format!(
            "{HEADER}{}\n{other}{}{}{}",
            day("3"),
            day("4"),
            day("3"),
            day("2")
        );
        let error = fail(&csv);
        assert_eq!(
            error.message(),
            "downloads of model:a/b on 2011-01-26 are 4, but 3 in line 2"
        );
        assert_eq!(error.place().line, Some(5));
        assert!(error.help().unwrap().contains("--duplicates"));
        for (duplicates, value) in [(Duplicates::Sum, 9), (Duplicates::Last, 2)] {
            let options = ParseOptions {
                duplicates,
                ..ParseOptions::default()
            };
            let HubParse { table, counts } = parse(csv.as_bytes(), &options).unwrap();
            assert_eq!(table.series(0).1, [value]);
            let HubCounts {
                lines,
                rows,
                collapsed,
                resolved,
                blank,
            } = counts;
            assert_eq!((rows, collapsed, resolved, blank), (2, 1, 2, 1));
            assert_eq!(lines, rows + collapsed + resolved + blank + 1);
        }
        let csv = format!("{HEADER}{}{}", day("1"), day("18446744073709551615"));
        let options = ParseOptions {
            duplicates: Duplicates::Sum,
            ..ParseOptions::default()
        };
        assert_eq!(
            parse(csv.as_bytes(), &options).unwrap_err().kind(),
            ErrorKind::Limit
        );
    }

    #[test]
    fn a_read_that_fails_is_named() {
        struct Failing(std::io::ErrorKind);
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
        }
        for (io, kind) in [
            (std::io::ErrorKind::UnexpectedEof, ErrorKind::Invalid),
            (std::io::ErrorKind::PermissionDenied, ErrorKind::Io),
        ] {
            let error = parse(
                HEADER.as_bytes().chain(Failing(io)),
                &ParseOptions::default(),
            );
            assert_eq!(error.unwrap_err().kind(), kind);
        }
    }

    proptest! {
        #[test]
        fn tables_equal_a_naive_reading(rows in any_rows(30), seed in 0_u64..9) {
            let table = parse_ok(&csv_of(&rows, seed)).table;
            let mut keys: Vec<_> = Vec::new();
            for (key, ..) in &rows {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
            prop_assert_eq!(table.repos().len(), keys.len());
            for (index, (repo, key)) in table.repos().iter().zip(&keys).enumerate() {
                prop_assert_eq!(repo.key(), (key.0.as_str(), key.1.as_str()));
                prop_assert_eq!(repo.total, total_of(&key.1, seed));
                let mut cells: Vec<_> = rows.iter().filter(|row| row.0 == *key).collect();
                cells.sort();
                let (days, downloads) = table.series(index);
                let want: Vec<_> = cells.iter().map(|(_, day, value)| (day, value)).collect();
                prop_assert_eq!(days.iter().zip(downloads).collect::<Vec<_>>(), want);
            }
        }

        #[test]
        fn duplicates_equal_a_naive_reading(
            cells in prop::collection::vec((any_key(), 15_000_u32..15_003, 0_u64..3), 1..30),
        ) {
            let rows: Vec<_> = cells.into_iter().map(|(key, day, value)| (key, Day(day), value)).collect();
            let csv = csv_of(&rows, 1);
            let of = |row: &(_, _, _)| -> Vec<u64> {
                let same = rows.iter().filter(|other| (&other.0, other.1) == (&row.0, row.1));
                same.map(|other| other.2).collect()
            };
            let is_clean = rows.iter().all(|row| of(row).iter().all(|value| *value == row.2));
            prop_assert_eq!(parse(csv.as_bytes(), &ParseOptions::default()).is_ok(), is_clean);
            for duplicates in [Duplicates::Sum, Duplicates::Last] {
                let options = ParseOptions { duplicates, ..ParseOptions::default() };
                let HubParse { table, counts } = parse(csv.as_bytes(), &options).unwrap();
                let HubCounts { lines, rows: kept, collapsed, resolved, blank } = counts;
                prop_assert_eq!(lines, kept + collapsed + resolved + blank + 1);
                for row in &rows {
                    let index = table.repos().iter().position(|repo| repo.key() == (&row.0.0, &row.0.1));
                    let (days, downloads) = table.series(index.unwrap());
                    let mut values = of(row);
                    let last = *values.last().unwrap();
                    values.sort_unstable();
                    values.dedup();
                    let want = if duplicates == Duplicates::Sum { values.iter().sum() } else { last };
                    prop_assert_eq!(downloads[days.binary_search(&row.1).unwrap()], want);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in "[-a,\"\n0-9TZ:.]{0,80}") {
            let _ = parse(format!("{HEADER}{text}").as_bytes(), &ParseOptions::default());
        }
    }
}

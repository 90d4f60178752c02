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

use std::collections::HashMap;
use std::io::Read;
use std::ops::RangeInclusive;

use super::day_text::parse_day;
use super::header::Columns;
use super::scan::{Record, Scanner};
use super::table::{HubRepo, HubTable, RowOrder, Rows};
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
        gathered
            .add(&record, &columns, options)
            .map_err(|error| error.at_line(record.line))?;
    }
    if gathered.days.is_empty() {
        return Err(Error::invalid("a publisher CSV without a row")
            .with_help("nothing is known of an org that no row names, so nothing can be stored"));
    }
    let table = gathered.into_table(options.duplicates, &mut counts)?;
    counts.rows = table.row_count();
    Ok(HubParse { table, counts })
}

/// Rows in the file's order.
#[derive(Default)]
struct Gathered {
    repos: Vec<HubRepo>,
    /// Line of each repo's first row.
    repo_lines: Vec<u64>,
    /// Number of each (type, NUL, name).
    repo_numbers: HashMap<Box<[u8]>, u32>,
    /// The repo of the row before: rows of a repo mostly follow each other.
    current: u32,
    row_repos: Vec<u32>,
    days: Vec<Day>,
    downloads: Vec<u64>,
    /// (row, its line) where the line is not one more than that of the row before.
    line_jumps: Vec<(usize, u64)>,
    line_expected: u64,
}

impl Gathered {
    fn add(
        &mut self,
        record: &Record<'_>,
        columns: &Columns,
        options: &ParseOptions,
    ) -> Result<()> {
        if record.len() != columns.count {
            let (found, expected) = (record.len(), columns.count);
            return Err(Error::invalid(format!(
                "{found} fields, the header has {expected}"
            )));
        }
        let total = parse_number(record.field(columns.total), "total")?;
        let downloads = parse_number(record.field(columns.downloads), "downloads")?;
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
        if self.days.len() >= options.rows_max as usize {
            return Err(Error::limit(format!("more than {} rows", options.rows_max)));
        }
        let repo_type = record.field(columns.repo_type);
        self.find_repo(repo_type, record.field(columns.repo), total, record.line)?;
        if record.line != self.line_expected {
            self.line_jumps.push((self.days.len(), record.line));
        }
        self.line_expected = record.line + 1;
        self.row_repos.push(self.current);
        self.days.push(day);
        self.downloads.push(downloads);
        Ok(())
    }

    /// Makes the row's repo the current one, and checks that it has one total.
    fn find_repo(&mut self, repo_type: &[u8], repo: &[u8], total: u64, line: u64) -> Result<()> {
        let is_same = self
            .repos
            .get(self.current as usize)
            .is_some_and(|current| {
                current.repo.as_bytes() == repo && current.repo_type.as_bytes() == repo_type
            });
        if !is_same {
            let key = [repo_type, repo].join(&0);
            self.current = match self.repo_numbers.get(key.as_slice()) {
                Some(number) => *number,
                None => {
                    let repo_type = parse_name(repo_type, "repoType")?;
                    let repo = parse_name(repo, "repoName")?;
                    self.repo_lines.push(line);
                    self.add_repo(
                        key,
                        HubRepo {
                            repo_type,
                            repo,
                            total,
                        },
                    )?
                }
            };
        }
        let current = self.current as usize;
        match (self.repos.get(current), self.repo_lines.get(current)) {
            (Some(known), Some(first_line)) if known.total != total => Err(Error::invalid(format!(
                "total of {}:{} is {total}, but {} in line {first_line}",
                known.repo_type, known.repo, known.total
            ))
            .at_column("total")
            .with_help("total is a repo's all-time number, the same on each of its rows: are these two files in one?")),
            _ => Ok(()),
        }
    }

    fn add_repo(&mut self, key: Vec<u8>, repo: HubRepo) -> Result<u32> {
        let number = u32::try_from(self.repos.len()).map_err(|_| Error::limit("too many repos"))?;
        self.repos.push(repo);
        self.repo_numbers.insert(key.into_boxed_slice(), number);
        Ok(number)
    }

    fn line_of(&self, row: u32) -> u64 {
        let row = row as usize;
        let index = self.line_jumps.partition_point(|(first, _)| *first <= row);
        let jump = index
            .checked_sub(1)
            .and_then(|index| self.line_jumps.get(index));
        jump.map_or(0, |(first, line)| line + (row - first) as u64)
    }

    fn into_table(mut self, duplicates: Duplicates, counts: &mut HubCounts) -> Result<HubTable> {
        let is_grouped = self.row_repos.is_sorted()
            && (1..self.days.len()).all(|row| {
                self.row_repos[row - 1] != self.row_repos[row]
                    || self.days[row - 1] < self.days[row]
            });
        if is_grouped {
            let starts = starts_of(&self.row_repos, self.repos.len());
            let rows = Rows {
                starts,
                days: self.days,
                downloads: self.downloads,
            };
            return HubTable::new(self.repos, rows, RowOrder::Grouped);
        }
        let grouped = self.group(duplicates, counts)?;
        let order = listed(&grouped.input_rows);
        let starts = starts_of(&grouped.row_repos, self.repos.len());
        let rows = Rows {
            starts,
            days: grouped.days,
            downloads: grouped.downloads,
        };
        HubTable::new(std::mem::take(&mut self.repos), rows, order)
    }

    /// Sorts by repo and day, and leaves one row of each.
    fn group(&self, duplicates: Duplicates, counts: &mut HubCounts) -> Result<Grouped> {
        let mut sorted: Vec<(u32, Day, u32)> = Vec::with_capacity(self.days.len());
        for (row, (repo, day)) in (0..).zip(self.row_repos.iter().zip(&self.days)) {
            sorted.push((*repo, *day, row));
        }
        sorted.sort_unstable();
        let mut grouped = Grouped::default();
        let mut conflict: Option<(u32, u32)> = None;
        for same in sorted.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let &[(repo, day, first), ref others @ ..] = same else {
                continue;
            };
            let values = same.iter().map(|(_, _, row)| self.downloads[*row as usize]);
            let differs = |(_, _, row): &&(u32, Day, u32)| {
                self.downloads[*row as usize] != self.downloads[first as usize]
            };
            let other = others.iter().find(differs).map(|(_, _, row)| *row);
            if let (Some(other), Duplicates::Refuse) = (other, duplicates) {
                let earlier = conflict.is_none_or(|(_, known)| other < known);
                conflict = if earlier {
                    Some((first, other))
                } else {
                    conflict
                };
            }
            let (value, resolved) = resolve(values.collect(), duplicates)
                .ok_or_else(|| Error::limit("a sum past 2^64").at_line(self.line_of(first)))?;
            counts.resolved += resolved;
            counts.collapsed += others.len() as u64 - resolved;
            grouped.row_repos.push(repo);
            grouped.days.push(day);
            grouped.downloads.push(value);
            grouped.input_rows.push(first);
        }
        conflict.map_or(Ok(grouped), |(first, other)| {
            Err(self.conflict(first, other))
        })
    }

    fn conflict(&self, first: u32, other: u32) -> Error {
        let (row, other_row) = (first as usize, other as usize);
        let HubRepo {
            repo_type, repo, ..
        } = &self.repos[self.row_repos[row] as usize];
        Error::invalid(format!(
            "downloads of {repo_type}:{repo} on {} are {}, but {} in line {}",
            self.days[row],
            self.downloads[other_row],
            self.downloads[row],
            self.line_of(first)
        ))
        .at_line(self.line_of(other))
        .with_help("--duplicates sum adds them, --duplicates last takes the last")
    }
}

/// Rows sorted by repo and day, one of each.
#[derive(Default)]
struct Grouped {
    row_repos: Vec<u32>,
    days: Vec<Day>,
    downloads: Vec<u64>,
    /// Where each stood in the file.
    input_rows: Vec<u32>,
}

/// One value for several in file order, and how many lines were not mere repetitions; `None`: overflow.
fn resolve(mut values: Vec<u64>, duplicates: Duplicates) -> Option<(u64, u64)> {
    let last = values.last().copied()?;
    values.sort_unstable();
    values.dedup();
    let resolved = values.len() as u64 - 1;
    let value = match duplicates {
        Duplicates::Sum => values
            .iter()
            .try_fold(0_u64, |sum, value| sum.checked_add(*value))?,
        Duplicates::Last | Duplicates::Refuse => last,
    };
    Some((value, resolved))
}

/// First row of each repo, and the end; `row_repos` ascends.
fn starts_of(row_repos: &[u32], repo_count: usize) -> Vec<u32> {
    let mut starts = vec![0; repo_count + 1];
    for repo in row_repos {
        starts[*repo as usize + 1] += 1;
    }
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    starts
}

/// The row order in which grouped row `i` was the `input_rows[i]`th of the file.
fn listed(input_rows: &[u32]) -> RowOrder {
    if input_rows.is_sorted() {
        return RowOrder::Grouped;
    }
    let mut order: Vec<_> = (0_u32..)
        .zip(input_rows)
        .map(|(row, input)| (*input, row))
        .collect();
    order.sort_unstable();
    RowOrder::Listed(order.into_iter().map(|(_, row)| row).collect())
}

fn parse_number(text: &[u8], column: &str) -> Result<u64> {
    let value = text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let tens = value.checked_mul(10).filter(|_| digit < 10)?;
        tens.checked_add(u64::from(digit))
    });
    value.filter(|_| !text.is_empty()).ok_or_else(|| {
        let message = format!("not a whole number of 0 to 2^64 - 1: {}", shown(text));
        Error::invalid(message).at_column(column)
    })
}

fn parse_name(text: &[u8], column: &str) -> Result<String> {
    let fault = match std::str::from_utf8(text) {
        Ok("") => "is empty",
        Ok(name) if name.contains('\0') => "holds a NUL",
        Ok(name) => return Ok(name.to_owned()),
        Err(_) => "is not UTF-8",
    };
    Err(Error::invalid(format!("{fault}: {}", shown(text))).at_column(column))
}

/// Input for a message: quoted, escaped, not too long.
fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(text.get(..80).unwrap_or(text));
    format!("{start:?}{}", if text.len() > 80 { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{any_key, any_rows, csv_of, parse_ok, total_of};
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

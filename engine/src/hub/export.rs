//! The hub's numbers, or counts from the log, to the bytes of a publisher CSV.
//!
//! `repoType,repoName,total,timestamp,downloads`, LF, a field quoted only if it must be.
//!
//! # From hub data
//!
//! Every stored row, zero or not: the repos of the newest import in its order, then those that only
//! older imports name, in theirs; days ascending. Where the rows of an import's own file stood in
//! another order, and nothing newer lies over them, they are given in that order, so that what came in
//! goes out byte for byte.
//!
//! # From log counts
//!
//! As the Hub's page: models, then datasets, nothing else; by name, then by day; days above zero.

use std::io::{Result, Write};

use super::day_text::render_day;
use super::header::HUB_HEADER;
use super::state::HubState;
use super::table::HubRepo;
use crate::units::Day;

/// Repo types of an export from log counts, in its order.
const LOG_TYPES: [&str; 2] = ["model", "dataset"];

/// Bytes gathered before they are handed on.
const WRITE_BYTES: usize = 64 * 1024;

/// One repo's downloads by day, counted from the log under some rule.
#[derive(Clone, Copy, Debug)]
pub struct LogSeries<'a> {
    /// The repo's type.
    pub repo_type: &'a str,
    /// The repo's name.
    pub repo: &'a str,
    /// Its all-time count under the rule, also where `days` is a part of all time.
    pub total: u64,
    /// Days and their counts, in any order, each day once.
    pub days: &'a [(Day, u64)],
}

/// Writes the CSV that the Hub would give for the repos that `keep` keeps; gives the number of rows.
///
/// # Errors
///
/// What `out` refuses; the caller knows its path.
pub fn export_hub_csv(
    state: &HubState,
    keep: impl Fn(&HubRepo) -> bool,
    out: &mut impl Write,
) -> Result<u64> {
    let kept: Vec<bool> = state.repos().iter().map(keep).collect();
    let is_kept = |repo_index: usize| kept.get(repo_index) == Some(&true);
    let mut sheet = Sheet::new(out);
    for block in state.blocks() {
        if let Some(listed) = &block.listed {
            for (repo_index, row) in listed.iter().filter(|(repo_index, _)| is_kept(*repo_index)) {
                let (days, downloads) = state.days(*repo_index);
                if let (Some(day), Some(downloads)) = (days.get(*row), downloads.get(*row)) {
                    sheet.set_repo(*repo_index, state.repos().get(*repo_index));
                    sheet.write_row(*day, *downloads)?;
                }
            }
            continue;
        }
        for repo_index in block
            .repos
            .clone()
            .filter(|repo_index| is_kept(*repo_index))
        {
            sheet.set_repo(repo_index, state.repos().get(repo_index));
            let (days, downloads) = state.days(repo_index);
            for (day, downloads) in days.iter().zip(downloads) {
                sheet.write_row(*day, *downloads)?;
            }
        }
    }
    sheet.finish()
}

/// Writes a publisher CSV of counts from the log, given in any order; gives the number of rows.
///
/// # Errors
///
/// What `out` refuses; the caller knows its path.
pub fn export_log_counts<'a>(
    series: impl IntoIterator<Item = LogSeries<'a>>,
    out: &mut impl Write,
) -> Result<u64> {
    let rank = |series: &LogSeries<'_>| LOG_TYPES.iter().position(|name| *name == series.repo_type);
    let mut ordered: Vec<_> = series
        .into_iter()
        .filter_map(|series| Some((rank(&series)?, series)))
        .collect();
    ordered.sort_by_key(|(rank, series)| (*rank, series.repo));
    let mut sheet = Sheet::new(out);
    for (_, series) in ordered {
        sheet.set_prefix(series.repo_type, series.repo, series.total);
        let mut days: Vec<_> = series.days.iter().filter(|(_, count)| *count > 0).collect();
        days.sort_unstable();
        for (day, count) in days {
            sheet.write_row(*day, *count)?;
        }
    }
    sheet.finish()
}

/// Rows on their way out.
struct Sheet<'a, W> {
    out: &'a mut W,
    text: Vec<u8>,
    /// The repo that `prefix` is of.
    repo_index: Option<usize>,
    /// Type, name and total, with their commas.
    prefix: Vec<u8>,
    row_count: u64,
}

impl<'a, W: Write> Sheet<'a, W> {
    fn new(out: &'a mut W) -> Self {
        let mut text = HUB_HEADER.join(",").into_bytes();
        text.push(b'\n');
        Self {
            out,
            text,
            repo_index: None,
            prefix: Vec::new(),
            row_count: 0,
        }
    }

    fn set_repo(&mut self, repo_index: usize, repo: Option<&HubRepo>) {
        if self.repo_index != Some(repo_index)
            && let Some(repo) = repo
        {
            self.set_prefix(&repo.repo_type, &repo.repo, repo.total);
            self.repo_index = Some(repo_index);
        }
    }

    fn set_prefix(&mut self, repo_type: &str, repo: &str, total: u64) {
        self.prefix.clear();
        for name in [repo_type, repo] {
            push_field(&mut self.prefix, name);
            self.prefix.push(b',');
        }
        push_number(&mut self.prefix, total);
        self.prefix.push(b',');
    }

    fn write_row(&mut self, day: Day, downloads: u64) -> Result<()> {
        self.text.extend_from_slice(&self.prefix);
        self.text.extend_from_slice(&render_day(day));
        self.text.push(b',');
        push_number(&mut self.text, downloads);
        self.text.push(b'\n');
        self.row_count += 1;
        if self.text.len() >= WRITE_BYTES {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn finish(self) -> Result<u64> {
        self.out.write_all(&self.text)?;
        Ok(self.row_count)
    }
}

/// Appends a field, quoted if it holds a comma, a quote or a line end.
fn push_field(text: &mut Vec<u8>, field: &str) {
    if !field.contains([',', '"', '\n', '\r']) {
        return text.extend_from_slice(field.as_bytes());
    }
    text.push(b'"');
    text.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    text.push(b'"');
}

fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::samples::{any_rows, csv_of, import, parse_ok};
    use super::super::{HubImport, RowOrder};
    use super::*;

    fn export(imports: &[Arc<HubImport>], keep: impl Fn(&HubRepo) -> bool) -> String {
        let mut out = Vec::new();
        let rows = export_hub_csv(&HubState::fold(imports, None), keep, &mut out).unwrap();
        assert_eq!(
            csv::Reader::from_reader(out.as_slice()).records().count() as u64,
            rows
        );
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn export_is_the_input(rows in any_rows(40), is_sorted: bool, seed in 0_u64..9) {
            let mut rows = rows;
            if is_sorted {
                rows.sort();
            }
            let csv = csv_of(&rows, seed);
            prop_assert_eq!(is_sorted && parse_ok(&csv).table.order() != &RowOrder::Grouped, false);
            prop_assert_eq!(export(&[import(1, 1, false, &csv)], |_| true), csv);
        }

        #[test]
        fn a_part_of_the_repos_keeps_their_order(rows in any_rows(40), later in any_rows(9)) {
            // The second import replaces org b, so that org a is as the first import had it.
            let later: Vec<_> = later.into_iter().filter(|row| row.0.1.starts_with("b/")).collect();
            let mut imports = vec![import(1, 1, false, &csv_of(&rows, 0))];
            if !later.is_empty() {
                imports.push(import(2, 2, false, &csv_of(&later, 0)));
            }
            let kept: Vec<_> = rows.into_iter().filter(|row| row.0.1.starts_with("a/")).collect();
            prop_assert_eq!(export(&imports, |repo| repo.org() == Some("a")), csv_of(&kept, 0));
            if !later.is_empty() {
                prop_assert_eq!(export(&imports, |repo| repo.org() == Some("b")), csv_of(&later, 0));
            }
        }
    }

    #[test]
    fn overlaid_rows_are_grouped_in_the_newest_order() {
        let csv = |rows: &[(&str, u32, u64)]| {
            let row = |(repo, day, value): &(&str, u32, u64)| {
                (("model".to_owned(), (*repo).to_owned()), Day(*day), *value)
            };
            csv_of(&rows.iter().map(row).collect::<Vec<_>>(), 0)
        };
        let base = [
            ("a/x", 11_002, 2),
            ("a/x", 11_001, 1),
            ("a/y", 11_001, 0),
            ("a/z", 11_001, 3),
        ];
        let imports = [
            import(1, 1, false, &csv(&base)),
            import(2, 2, true, &csv(&[("a/y", 11_003, 9), ("a/x", 11_003, 8)])),
        ];
        let want = [
            ("a/y", 11_001, 0),
            ("a/y", 11_003, 9),
            ("a/x", 11_001, 1),
            ("a/x", 11_002, 2),
            ("a/x", 11_003, 8),
            ("a/z", 11_001, 3),
        ];
        assert_eq!(export(&imports, |_| true), csv(&want));
    }

    #[test]
    fn log_counts_leave_zeros_and_spaces_out() {
        let series = |repo_type, repo, days| LogSeries {
            repo_type,
            repo,
            total: 50,
            days,
        };
        let (one, two) = (Day(11_001), Day(11_002));
        let mut out = Vec::new();
        let rows = export_log_counts(
            [
                series("dataset", "a/a", &[(one, 1)]),
                series("space", "a/a", &[(one, 1)]),
                series("model", "b", &[(two, 3), (one, u64::MAX)]),
                series("model", "a/\"b\"", &[(one, 0), (two, 10)]),
                series("model", "a/none", &[(one, 0)]),
            ],
            &mut out,
        );
        assert_eq!(rows.unwrap(), 4);
        let want = "repoType,repoName,total,timestamp,downloads\n\
                    model,\"a/\"\"b\"\"\",50,2000-02-15T00:00:00.000Z,10\n\
                    model,b,50,2000-02-14T00:00:00.000Z,18446744073709551615\n\
                    model,b,50,2000-02-15T00:00:00.000Z,3\n\
                    dataset,a/a,50,2000-02-14T00:00:00.000Z,1\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn a_write_that_fails_is_passed_on() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
        let error = export_hub_csv(&HubState::default(), |_| true, &mut Full).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

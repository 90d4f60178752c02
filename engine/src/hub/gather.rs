//! Rows of a publisher CSV, as they come, to a [`HubTable`]: grouped by repo and day, each once.

use std::collections::HashMap;

use super::field::parse_name;
use super::parse::{Duplicates, HubCounts};
use super::table::{HubRepo, HubTable, RowOrder, Rows};
use crate::error::{Error, Result};
use crate::units::Day;

/// A row of the file.
pub(super) struct Row<'a> {
    pub(super) line: u64,
    pub(super) repo_type: &'a [u8],
    pub(super) repo: &'a [u8],
    pub(super) total: u64,
    pub(super) day: Day,
    pub(super) downloads: u64,
}

/// Rows in the file's order.
#[derive(Default)]
pub(super) struct Gathered {
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
    /// How many rows there are.
    pub(super) fn row_count(&self) -> usize {
        self.days.len()
    }

    /// Adds the next row of the file.
    ///
    /// # Errors
    ///
    /// `Invalid` when the repo's names are no names, or its total differs from that of an earlier row.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.find_repo(row)?;
        if row.line != self.line_expected {
            self.line_jumps.push((self.days.len(), row.line));
        }
        self.line_expected = row.line + 1;
        self.row_repos.push(self.current);
        self.days.push(row.day);
        self.downloads.push(row.downloads);
        Ok(())
    }

    /// Makes the row's repo the current one, and checks that it has one total.
    fn find_repo(&mut self, row: &Row<'_>) -> Result<()> {
        let current = self.repos.get(self.current as usize);
        let is_same = current.is_some_and(|current| {
            current.repo.as_bytes() == row.repo && current.repo_type.as_bytes() == row.repo_type
        });
        if !is_same {
            let key = [row.repo_type, row.repo].join(&0);
            self.current = match self.repo_numbers.get(key.as_slice()) {
                Some(number) => *number,
                None => self.add_repo(key, row)?,
            };
        }
        let current = self.current as usize;
        let (Some(known), Some(first_line)) =
            (self.repos.get(current), self.repo_lines.get(current))
        else {
            return Ok(());
        };
        if known.total == row.total {
            return Ok(());
        }
        let message = format!(
            "total of {}:{} is {}, but {} in line {first_line}",
            known.repo_type, known.repo, row.total, known.total
        );
        Err(Error::invalid(message).at_column("total").with_help(
            "a repo has one all-time number, the same on each of its rows: are these two files in one?",
        ))
    }

    fn add_repo(&mut self, key: Vec<u8>, row: &Row<'_>) -> Result<u32> {
        let number = u32::try_from(self.repos.len()).map_err(|_| Error::limit("too many repos"))?;
        self.repos.push(HubRepo {
            repo_type: parse_name(row.repo_type, "repoType")?,
            repo: parse_name(row.repo, "repoName")?,
            total: row.total,
        });
        self.repo_lines.push(row.line);
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

    /// Groups the rows by repo and day, and counts what collapsed.
    ///
    /// # Errors
    ///
    /// `Invalid` for different values of one (repo, day), `Limit` for a sum past 2^64.
    pub(super) fn into_table(
        mut self,
        duplicates: Duplicates,
        counts: &mut HubCounts,
    ) -> Result<HubTable> {
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

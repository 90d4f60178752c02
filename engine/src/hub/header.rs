//! A CSV header to the positions of the publisher CSV's columns.

use super::scan::Record;
use crate::error::{Error, Result};

/// The columns, in the order in which the Hub writes them.
pub const HUB_HEADER: [&str; 5] = ["repoType", "repoName", "total", "timestamp", "downloads"];

/// A name of the access-log export in the header says that it is that, whatever else it has.
const LOG_ONLY: [&str; 2] = ["method", "requestType"];

/// Edits up to which a name counts as a misspelling of another.
const EDITS_MAX: usize = 3;

/// Whether a file with these column names is a publisher CSV, perhaps one that lacks a column.
///
/// Told by `downloads` beside `repoName` or `repoType`, and by the absence of the log's `method` and
/// `requestType`: a log may well have a column of its own called `downloads`.
#[must_use]
pub fn is_hub_header<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut has_downloads, mut has_repo, mut is_log) = (false, false, false);
    for name in names {
        has_downloads |= name == "downloads";
        has_repo |= name == "repoName" || name == "repoType";
        is_log |= LOG_ONLY.contains(&name);
    }
    has_downloads && has_repo && !is_log
}

/// Where each column stands in a file.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Columns {
    pub(super) repo_type: usize,
    pub(super) repo: usize,
    pub(super) total: usize,
    pub(super) timestamp: usize,
    pub(super) downloads: usize,
    /// How many fields each record must have.
    pub(super) count: usize,
}

impl Columns {
    /// Finds the columns by name; `renames` holds (name in the file, known name).
    ///
    /// A column that is not one of the five is refused: the store could not give it back.
    pub(super) fn find(header: &Record<'_>, renames: &[(String, String)]) -> Result<Self> {
        let names: Vec<String> = (0..header.len())
            .map(|index| {
                let found = String::from_utf8_lossy(header.field(index)).into_owned();
                let rename = renames.iter().find(|(from, _)| *from == found);
                rename.map_or(found, |(_, to)| to.clone())
            })
            .collect();
        let position = |index: usize| -> Result<usize> {
            let wanted = HUB_HEADER.get(index).copied().unwrap_or_default();
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted);
            match (places.next(), places.next()) {
                (Some((place, _)), None) => Ok(place),
                (Some(_), Some(_)) => Err(refuse(header, format!("column {wanted} stands twice"))),
                (None, _) => Err(missing(header, &names, wanted)),
            }
        };
        let columns = Self {
            repo_type: position(0)?,
            repo: position(1)?,
            total: position(2)?,
            timestamp: position(3)?,
            downloads: position(4)?,
            count: names.len(),
        };
        match names
            .iter()
            .find(|name| !HUB_HEADER.contains(&name.as_str()))
        {
            None => Ok(columns),
            Some(other) => Err(refuse(
                header,
                format!("unknown column {other:?} in a publisher CSV"),
            )
            .with_help(format!(
                "take it out, expected are {}",
                HUB_HEADER.join(",")
            ))),
        }
    }
}

fn refuse(header: &Record<'_>, message: String) -> Error {
    Error::invalid(message).at_line(header.line)
}

fn missing(header: &Record<'_>, names: &[String], wanted: &str) -> Error {
    let nearest = names
        .iter()
        .filter(|name| !HUB_HEADER.contains(&name.as_str()))
        .map(|name| (edits(&folded(name), &folded(wanted)), name))
        .filter(|(edits, _)| *edits <= EDITS_MAX)
        .min();
    let error = match nearest {
        Some((_, name)) => {
            let message = format!("column {wanted} is missing, the nearest is {name:?}");
            refuse(header, message).with_help(format!("--map {name}={wanted}"))
        }
        None => refuse(header, format!("column {wanted} is missing")),
    };
    error.with_help(format!("expected are {}", HUB_HEADER.join(",")))
}

/// Without case, `_`, `-` and spaces.
fn folded(name: &str) -> Vec<char> {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).take(64).collect()
}

/// Levenshtein distance.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, l) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != r);
            diagonal = row[place + 1];
            row[place + 1] = substituted.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::scan::Scanner;
    use super::*;

    fn find(header: &str, renames: &[(&str, &str)]) -> Result<Columns> {
        let renames: Vec<_> = renames
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect();
        let mut scanner = Scanner::new(header.as_bytes(), 1000);
        Columns::find(&scanner.next().unwrap().unwrap(), &renames)
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let columns = find("downloads,total,repoName,repoType,timestamp", &[]).unwrap();
        let Columns {
            repo_type,
            repo,
            total,
            timestamp,
            downloads,
            count,
        } = columns;
        assert_eq!(
            (repo_type, repo, total, timestamp, downloads, count),
            (3, 2, 1, 4, 0, 5)
        );
    }

    #[test]
    fn a_missing_column_comes_with_its_cure() {
        let header = "repo_type,repoName,total,timestamp,downloads";
        let error = find(header, &[]).unwrap_err();
        assert_eq!(
            error.message(),
            "column repoType is missing, the nearest is \"repo_type\""
        );
        assert_eq!(error.help(), Some("--map repo_type=repoType"));
        assert_eq!(error.place().line, Some(1));
        assert_eq!(
            find(header, &[("repo_type", "repoType")])
                .unwrap()
                .repo_type,
            0
        );
        let error = find("repoType,repoName,timestamp,downloads", &[]).unwrap_err();
        assert_eq!(error.message(), "column total is missing");
    }

    #[test]
    fn a_column_twice_or_unknown_is_refused() {
        let header = HUB_HEADER.join(",");
        assert!(find(&format!("{header},total"), &[]).is_err());
        let error = find(&format!("{header},likes"), &[]).unwrap_err();
        assert_eq!(
            error.message(),
            "unknown column \"likes\" in a publisher CSV"
        );
    }

    #[test]
    fn the_header_tells_the_source() {
        assert!(is_hub_header(HUB_HEADER));
        assert!(is_hub_header(["repoName", "repoType", "downloads"]));
        assert!(!is_hub_header([
            "timestamp",
            "method",
            "repoName",
            "repoType",
            "downloads"
        ]));
        assert!(!is_hub_header([
            "timestamp",
            "requestType",
            "repoName",
            "downloads"
        ]));
        assert!(!is_hub_header([
            "timestamp",
            "repoName",
            "repoType",
            "total"
        ]));
    }

    #[test]
    fn edits_are_counted() {
        let edits = |l: &str, r: &str| edits(&folded(l), &folded(r));
        assert_eq!(edits("repo_name", "repoName"), 0);
        assert_eq!(edits("", "total"), 5);
        assert_eq!(edits("totals", "total"), 1);
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}

//! The column names of a log to which column is what.
//!
//! Columns are known by name, in any order. Three header sets are published: v0 has `requestType`
//! where v1 and v2 have `status` and `method`; v2 adds `userAgent`. Any other column is an extra
//! one and kept as it is.
//!
//! Limits: [`COLUMNS_MAX`].

use super::log_format::FormatKind;
use super::timestamp::Plausible;
use crate::error::{Error, Result};

/// Most columns of a log; a header with more is not one.
pub const COLUMNS_MAX: usize = 1000;

/// A line longer than this is rejected, unless the caller says otherwise, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// A column whose meaning is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
#[repr(u8)]
pub enum Known {
    /// When the request came.
    Timestamp,
    /// HTTP status.
    Status,
    /// HTTP method.
    Method,
    /// What v0 has for method and status.
    RequestType,
    /// `org/name`.
    RepoName,
    /// model, dataset, space.
    RepoType,
    /// Set if the request was authenticated.
    User,
    /// Set if it was not.
    Ip,
    /// ISO code.
    Country,
    /// Region or city.
    Region,
    /// User agent.
    Agent,
    /// v0's `isInternal`.
    Internal,
}

/// Every known column under its name in exports. The order is that of [`Known`].
pub const KNOWN: [(Known, &str); 12] = [
    (Known::Timestamp, "timestamp"),
    (Known::Status, "status"),
    (Known::Method, "method"),
    (Known::RequestType, "requestType"),
    (Known::RepoName, "repoName"),
    (Known::RepoType, "repoType"),
    (Known::User, "hashedUserId"),
    (Known::Ip, "hashedIp"),
    (Known::Country, "country"),
    (Known::Region, "region"),
    (Known::Agent, "userAgent"),
    (Known::Internal, "isInternal"),
];

/// What `timestamp` is called by Elasticsearch: read as it where there is no `timestamp`.
pub const AT_TIMESTAMP: &str = "@timestamp";

impl Known {
    /// The column of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        KNOWN
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(column, _)| *column)
    }

    /// Its name in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        KNOWN.get(self as usize).map_or("", |(_, name)| name)
    }
}

/// The caller's renamings: `--map newName=knownName`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeaderMap(Vec<(String, Known)>);

impl HeaderMap {
    /// Reads `newName=knownName` pairs.
    ///
    /// # Errors
    /// `Invalid` if one has no `=` or its right side is no known column.
    pub fn parse<S: AsRef<str>>(pairs: &[S]) -> Result<Self> {
        let mut map = Vec::new();
        for pair in pairs.iter().map(AsRef::as_ref) {
            let (new, known) = pair.rsplit_once('=').ok_or_else(|| {
                Error::invalid(format!(
                    "a renaming needs the form newName=knownName: {pair}"
                ))
            })?;
            let known = Known::of(known).ok_or_else(|| {
                let names: Vec<&str> = KNOWN.iter().map(|(_, name)| *name).collect();
                Error::invalid(format!("no known column to rename to: {known}"))
                    .with_help(format!("known columns are {}", names.join(", ")))
            })?;
            map.push((new.to_owned(), known));
        }
        Ok(Self(map))
    }

    /// The known column that a name means: as renamed, else by itself.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<Known> {
        let renamed = self
            .0
            .iter()
            .find(|(new, _)| new == name)
            .map(|(_, known)| *known);
        renamed.or_else(|| Known::of(name))
    }
}

/// How the caller wants logs read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadOptions {
    /// Renamings.
    pub map: HeaderMap,
    /// Which instants are believed.
    pub plausible: Plausible,
    /// Longest line, in bytes.
    pub line_bytes_max: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            map: HeaderMap::default(),
            plausible: Plausible::any(),
            line_bytes_max: LINE_BYTES_MAX,
        }
    }
}

/// Which header set a file has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// v0: `requestType`.
    RequestType,
    /// v1 and v2: `method` and `status`.
    MethodStatus,
}

/// What is known of a log before its first row.
#[derive(Clone, Debug)]
pub struct Header {
    /// Its syntax.
    pub format: FormatKind,
    /// How the caller wants it read.
    pub options: ReadOptions,
    /// CSV: the columns. Empty for JSON lines, whose rows name theirs.
    pub columns: Columns,
}

/// The columns of a CSV header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Columns {
    /// How many there are.
    pub count: usize,
    /// Position of each known column, in the order of [`KNOWN`].
    pub known: [Option<usize>; KNOWN.len()],
    /// Positions and names of the extra ones, in file order.
    pub extra: Vec<(usize, String)>,
}

impl Columns {
    /// Position of a known column.
    #[must_use]
    pub fn position(&self, column: Known) -> Option<usize> {
        self.known.get(column as usize).copied().flatten()
    }

    /// Names in file order, known ones under their usual names; empty when rows name their own.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.count];
        let known = KNOWN.iter().zip(&self.known);
        let known = known.filter_map(|((_, name), at)| Some(((*at)?, (*name).to_owned())));
        for (position, name) in known.chain(self.extra.iter().cloned()) {
            if let Some(slot) = names.get_mut(position) {
                *slot = name;
            }
        }
        names
    }

    /// Which header set it is.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self.position(Known::RequestType) {
            Some(_) => Verb::RequestType,
            None => Verb::MethodStatus,
        }
    }

    /// Columns from their names, renamed as the caller says.
    ///
    /// # Errors
    /// `Invalid` if a required column is missing or one is there twice, `Limit` if there are more
    /// than [`COLUMNS_MAX`].
    pub fn from_names(names: &[String], map: &HeaderMap) -> Result<Self> {
        if names.len() > COLUMNS_MAX {
            let message = format!("{} columns, at most {COLUMNS_MAX} are read", names.len());
            return Err(Error::limit(message));
        }
        let mut columns = Self {
            count: names.len(),
            ..Self::default()
        };
        let mut meanings: Vec<Option<Known>> = names.iter().map(|name| map.known(name)).collect();
        if !meanings.contains(&Some(Known::Timestamp)) {
            let at = names.iter().position(|name| name == AT_TIMESTAMP);
            if let Some(meaning) = at.and_then(|at| meanings.get_mut(at)) {
                *meaning = Some(Known::Timestamp);
            }
        }
        drop_other_verb(&mut meanings);
        for (position, (name, meaning)) in names.iter().zip(&meanings).enumerate() {
            match meaning.and_then(|known| columns.known.get_mut(known as usize)) {
                Some(Some(_)) => return Err(twice(name, *meaning)),
                Some(slot) => *slot = Some(position),
                None => columns.add_extra(position, name)?,
            }
        }
        columns.require(names)?;
        Ok(columns)
    }

    fn add_extra(&mut self, position: usize, name: &str) -> Result<()> {
        let name = match name {
            "" => format!("column{}", position + 1),
            name => name.to_owned(),
        };
        if self.extra.iter().any(|(_, other)| *other == name) {
            return Err(twice(&name, None));
        }
        self.extra.push((position, name));
        Ok(())
    }

    fn require(&self, names: &[String]) -> Result<()> {
        let spare: Vec<&str> = self.extra.iter().map(|(_, name)| name.as_str()).collect();
        missing(|column| self.position(column).is_some()).map_or(Ok(()), |column| {
            // A header of one name is no header: nothing in it comes near.
            let known_or_many = !spare.is_empty() && names.len() > 1;
            Err(missing_error(
                column,
                known_or_many.then_some(&spare),
                names,
            ))
        })
    }
}

/// With `method` and `status`, `requestType` is an extra column; without either, it is the other
/// way round.
fn drop_other_verb(meanings: &mut [Option<Known>]) {
    let has = |column| meanings.contains(&Some(column));
    let drop: &[Known] = if has(Known::Method) && has(Known::Status) {
        &[Known::RequestType]
    } else if has(Known::RequestType) {
        &[Known::Method, Known::Status]
    } else {
        &[]
    };
    for meaning in meanings {
        if meaning.is_some_and(|known| drop.contains(&known)) {
            *meaning = None;
        }
    }
}

fn twice(name: &str, meaning: Option<Known>) -> Error {
    let message = match meaning {
        Some(known) if known.name() != name => {
            format!("two columns mean {}, one of them is {name}", known.name())
        }
        _ => format!("the header has a column twice: {name}"),
    };
    Error::invalid(message).at_line(1)
}

/// The first required column that is not there.
#[must_use]
pub fn missing(has: impl Fn(Known) -> bool) -> Option<Known> {
    let verb = has(Known::RequestType);
    let required = [
        (Known::Timestamp, true),
        (Known::RepoName, true),
        (Known::RepoType, true),
        (Known::Status, !verb),
        (Known::Method, !verb),
    ];
    required
        .into_iter()
        .find(|(column, needed)| *needed && !has(*column))
        .map(|(column, _)| column)
}

/// Says that a required column is missing, what comes nearest, and how to mend it.
#[must_use]
pub fn missing_error(column: Known, spare: Option<&[&str]>, names: &[String]) -> Error {
    let name = column.name();
    let nearest = spare.and_then(|spare| {
        spare
            .iter()
            .copied()
            .min_by_key(|candidate| distance(&plain(candidate), &plain(name)))
    });
    let found = super::reject::shortened(names.join(",").as_bytes());
    match nearest {
        Some(nearest) => Error::invalid(format!(
            "required column {name} is missing; the nearest in the header is {nearest}"
        ))
        .with_help(format!("if that is it, add --map {nearest}={name}")),
        None => Error::invalid(format!(
            "required column {name} is missing; the header is {found}"
        ))
        .with_help(format!("if one of them is it, add --map NAME={name}")),
    }
    .at_line(1)
}

/// A name without case and punctuation, as names are compared to find the nearest; shortened.
fn plain(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(64).collect()
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (above, other) in row.iter_mut().skip(1).zip(b) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *above;
            left = replaced.min(diagonal + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// v0's `requestType` as method and status: `GET` is GET 200, `HEAD` is HEAD 200, anything with
/// `partial` or `range` in it GET 206, else the method as written with status 0.
#[must_use]
pub fn verb_of(request_type: &[u8]) -> (&[u8], u16) {
    match request_type {
        b"GET" => (b"GET", 200),
        b"HEAD" => (b"HEAD", 200),
        other if contains_ignoring_case(other, b"partial") => (b"GET", 206),
        other if contains_ignoring_case(other, b"range") => (b"GET", 206),
        other => (other, 0),
    }
}

fn contains_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &str, map: &[&str]) -> Result<Columns> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        Columns::from_names(&names, &HeaderMap::parse(map)?)
    }

    const V0: &str =
        "timestamp,requestType,repoName,repoType,hashedUserId,hashedIp,country,region,isInternal";
    const V1: &str =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region";

    #[test]
    fn known_names_are_in_the_order_of_known() {
        for (index, (column, name)) in KNOWN.iter().enumerate() {
            assert_eq!(*column as usize, index);
            assert_eq!(column.name(), *name);
        }
    }

    #[test]
    fn three_header_sets_in_any_order() {
        assert_eq!(columns(V0, &[]).unwrap().verb(), Verb::RequestType);
        let v1 = columns(V1, &[]).unwrap();
        assert_eq!(
            (v1.verb(), v1.count, v1.extra.len()),
            (Verb::MethodStatus, 9, 0)
        );
        let v2 = columns(&format!("userAgent,x,{V1},,y"), &[]).unwrap();
        assert_eq!(v2.position(Known::Timestamp), Some(2));
        assert_eq!(v2.position(Known::Agent), Some(0));
        let extra: Vec<&str> = v2.extra.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(extra, ["x", "column12", "y"]);
    }

    #[test]
    fn the_other_verb_is_an_extra_column() {
        let both = columns(&format!("{V1},requestType"), &[]).unwrap();
        assert_eq!(both.verb(), Verb::MethodStatus);
        assert_eq!(both.extra, [(9, "requestType".to_owned())]);
        let half = columns(&format!("{V0},method"), &[]).unwrap();
        assert_eq!(half.verb(), Verb::RequestType);
        assert_eq!(half.extra, [(9, "method".to_owned())]);
    }

    #[test]
    fn at_timestamp_stands_in() {
        let names = V1.replacen("timestamp", "@timestamp", 1);
        assert_eq!(
            columns(&names, &[]).unwrap().position(Known::Timestamp),
            Some(0)
        );
        let both = columns(&format!("@timestamp,{V1}"), &[]).unwrap();
        assert_eq!(both.position(Known::Timestamp), Some(1));
        assert_eq!(both.extra, [(0, "@timestamp".to_owned())]);
    }

    #[test]
    fn a_missing_column_names_the_nearest_and_the_mending() {
        let names = V1.replacen("repoName", "repo_name", 1) + ",zone";
        let error = columns(&names, &[]).unwrap_err();
        assert!(error.message().contains("repoName is missing"), "{error}");
        assert!(error.message().contains("repo_name"), "{error}");
        let help = error.help().unwrap();
        assert!(help.ends_with("--map repo_name=repoName"), "{help}");
        let mended = columns(&names, &["repo_name=repoName"]).unwrap();
        assert_eq!(mended.position(Known::RepoName), Some(3));
        let bare = columns("repoName,repoType,status,method", &[]).unwrap_err();
        assert!(
            bare.message()
                .contains("timestamp is missing; the header is"),
            "{bare}"
        );
    }

    #[test]
    fn doubles_and_floods_are_errors() {
        for names in [format!("{V1},status"), format!("{V1},x,x")] {
            assert!(
                columns(&names, &[])
                    .unwrap_err()
                    .message()
                    .contains("twice")
            );
        }
        let error = columns(&format!("{V1},code"), &["code=status"]).unwrap_err();
        assert!(
            error.message().contains("two columns mean status"),
            "{error}"
        );
        let many: Vec<String> = (0..=COLUMNS_MAX).map(|n| n.to_string()).collect();
        let error = Columns::from_names(&many, &HeaderMap::default()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
    }

    #[test]
    fn renamings_are_checked() {
        assert!(HeaderMap::parse(&["a"]).is_err());
        let error = HeaderMap::parse(&["a=b"]).unwrap_err();
        assert!(error.help().unwrap().contains("repoName"));
        assert_eq!(
            HeaderMap::parse(&["a=b=status"]).unwrap().known("a=b"),
            Some(Known::Status)
        );
    }

    #[test]
    fn request_types() {
        assert_eq!(verb_of(b"GET"), (&b"GET"[..], 200));
        assert_eq!(verb_of(b"HEAD"), (&b"HEAD"[..], 200));
        assert_eq!(verb_of(b"GET_PARTIAL"), (&b"GET"[..], 206));
        assert_eq!(verb_of(b"Range"), (&b"GET"[..], 206));
        assert_eq!(verb_of(b"POST"), (&b"POST"[..], 0));
        assert_eq!(verb_of(b"get"), (&b"get"[..], 0));
    }

    #[test]
    fn distances() {
        let far = |a: &str, b: &str| distance(&plain(a), &plain(b));
        assert_eq!(far("repo_name", "repoName"), 0);
        assert_eq!(far("time", "timestamp"), 5);
        assert_eq!(far("kitten", "sitting"), 3);
        assert_eq!(far("", "abc"), 3);
    }
}

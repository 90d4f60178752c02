//! The address of a page to what it shows, and back.
//!
//! ```text
//! /                                   the overview
//! /repo/TYPE/ORG/NAME                 one repo
//! /counting                           what is counted, and what is left out
//! /data                               what was taken in
//!   ?range=last+30d  &where=country+%3D+DE  &rule=files  &tab=downloaders
//!   &q=llama  &sort=name  &page=2  &with=model:acme/llama-13b  &day=2026-07-14
//!   &panel=spikes                     that panel alone; &export=repos.csv is a file of one
//! ```
//!
//! What is usual is left out of an address. `range` and `where` are pieces of the engine's text form.

use footfall_engine::query::text;
use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::rules::DEFAULT_RULE;
use footfall_engine::schema::Dimension;
use footfall_engine::{Error, Result};

use crate::address::{decoded, encode, encode_path, pairs};
use crate::detail::Detail;

/// Days that a page shows unless its address says otherwise: the Hub's "Last Month".
pub(crate) const USUAL_RANGE: Range = Range::LastDays(30);

/// Which page.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Place {
    /// All repos.
    #[default]
    Overview,
    /// One repo: its type and its name.
    Repo(String, String),
    /// What is counted.
    Counting,
    /// What was taken in.
    Data,
}

/// What the main chart shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tab {
    /// Downloads.
    #[default]
    Downloads,
    /// Distinct downloaders.
    Downloaders,
}

/// What the table of repos is sorted by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// Downloads in the range.
    #[default]
    Range,
    /// Downloads of all time.
    AllTime,
    /// Distinct downloaders in the range.
    Downloaders,
    /// Name, ascending.
    Name,
}

/// Everything that decides what a page shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct State {
    /// Which page.
    pub place: Place,
    /// Which days.
    pub range: Range,
    /// Conditions on requests.
    pub filter: Vec<Condition>,
    /// Counting rule; `None` is the default one.
    pub rule: Option<String>,
    /// What the chart shows.
    pub tab: Tab,
    /// Only repos with this in their name.
    pub search: String,
    /// Order of repos.
    pub sort: Sort,
    /// Page of the table of repos, from 1.
    pub page: u32,
    /// What of the page is open.
    pub detail: Detail,
}

impl Default for State {
    fn default() -> Self {
        Self {
            place: Place::default(),
            range: USUAL_RANGE,
            filter: Vec::new(),
            rule: None,
            tab: Tab::default(),
            search: String::new(),
            sort: Sort::default(),
            page: 1,
            detail: Detail::default(),
        }
    }
}

const TABS: [(&str, Tab); 2] = [
    ("downloads", Tab::Downloads),
    ("downloaders", Tab::Downloaders),
];
const SORTS: [(&str, Sort); 4] = [
    ("range", Sort::Range),
    ("all", Sort::AllTime),
    ("downloaders", Sort::Downloaders),
    ("name", Sort::Name),
];

fn named<T: Copy>(table: &[(&str, T)], name: &str, what: &str) -> Result<T> {
    let found = table.iter().find(|(known, _)| *known == name);
    let names: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
    found.map(|(_, value)| *value).ok_or_else(|| {
        Error::invalid(format!(
            "{what} {name:?}, expected one of {}",
            names.join(", ")
        ))
    })
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    let found = table.iter().find(|(_, known)| known == value);
    found.map_or("", |(name, _)| name)
}

impl State {
    /// The state of an address: its path, and what follows the `?`.
    ///
    /// # Errors
    ///
    /// `NotFound` for a path that is no page; `Invalid` for a parameter without meaning.
    pub fn parse(path: &str, query: &str) -> Result<Self> {
        Self::of(place(path)?, &pairs(query))
    }

    /// The state of a page with these parameters.
    ///
    /// # Errors
    ///
    /// `Invalid` for a parameter without meaning.
    pub fn of(place: Place, parameters: &[(String, String)]) -> Result<Self> {
        let mut state = Self {
            place,
            ..Self::default()
        };
        // A range picker's form gives both ends apart.
        let (mut from, mut to) = (String::new(), String::new());
        for (name, value) in parameters {
            let value = value.trim();
            match name.as_str() {
                _ if value.is_empty() => {}
                "range" => state.range = parsed(&format!("requests {value}"))?.range,
                "where" => state.filter = parsed(&format!("requests where {value}"))?.filter,
                "rule" => state.rule = Some(value.to_owned()).filter(|rule| rule != DEFAULT_RULE),
                "tab" => state.tab = named(&TABS, value, "tab")?,
                "sort" => state.sort = named(&SORTS, value, "sort")?,
                "q" => value.clone_into(&mut state.search),
                "from" => from = format!(" from {value}"),
                "to" => to = format!(" to {value}"),
                "page" => {
                    let page = value.parse().ok().filter(|page| *page > 0);
                    state.page = page.ok_or_else(|| {
                        Error::invalid(format!("page {value:?}, expected a number from 1"))
                    })?;
                }
                name => {
                    state.detail.take(name, value)?;
                }
            }
        }
        if !from.is_empty() || !to.is_empty() {
            state.range = parsed(&format!("requests{from}{to}"))?.range;
        }
        Ok(state)
    }

    /// The address, path and query string.
    #[must_use]
    pub fn href(&self) -> String {
        let mut href = self.path();
        let mut sign = '?';
        for (name, value) in self.parameters() {
            href.push(sign);
            href.push_str(name);
            href.push('=');
            encode(&value, &mut href);
            sign = '&';
        }
        href
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> String {
        match &self.place {
            Place::Overview => "/".to_owned(),
            Place::Counting => "/counting".to_owned(),
            Place::Data => "/data".to_owned(),
            Place::Repo(kind, name) => {
                // A name has one slash, which parts two segments; more of them are no separators.
                let segment = |text: &str| {
                    let mut encoded = String::new();
                    encode_path(text, &mut encoded);
                    encoded.replace('/', "%2F")
                };
                match name.split_once('/') {
                    Some((org, name)) => {
                        format!("/repo/{}/{}/{}", segment(kind), segment(org), segment(name))
                    }
                    None => format!("/repo/{}/{}", segment(kind), segment(name)),
                }
            }
        }
    }

    /// Parameters that are not the usual ones, in the address's order.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let usual = Self::default();
        let mut parameters = Vec::new();
        if self.range != usual.range {
            parameters.push(("range", self.range_text()));
        }
        if !self.filter.is_empty() {
            parameters.push(("where", self.filter_text()));
        }
        if let Some(rule) = &self.rule {
            parameters.push(("rule", rule.clone()));
        }
        if self.tab != usual.tab {
            parameters.push(("tab", name_of(&TABS, &self.tab).to_owned()));
        }
        if !self.search.is_empty() {
            parameters.push(("q", self.search.clone()));
        }
        if self.sort != usual.sort {
            parameters.push(("sort", name_of(&SORTS, &self.sort).to_owned()));
        }
        if self.page != usual.page {
            parameters.push(("page", self.page.to_string()));
        }
        parameters.extend(self.detail.parameters());
        parameters
    }

    /// The range in the engine's text form.
    pub(crate) fn range_text(&self) -> String {
        let query = Query {
            metrics: vec![footfall_engine::metrics::Metric::Requests],
            range: self.range,
            ..Query::default()
        };
        let text = text::render(&query);
        let range = text.trim_start_matches("requests").trim_start();
        if range.is_empty() {
            "all".to_owned()
        } else {
            range.to_owned()
        }
    }

    /// The conditions in the engine's text form.
    pub(crate) fn filter_text(&self) -> String {
        let conditions: Vec<String> = self.filter.iter().map(condition_text).collect();
        conditions.join(" and ")
    }

    /// The query of these metrics (a list in the text form) by these dimensions.
    ///
    /// # Errors
    ///
    /// `Invalid` for a list of metrics without meaning.
    pub(crate) fn query(&self, metrics: &str, by: &[Dimension]) -> Result<Query> {
        let mut filter = self.filter.clone();
        if let Place::Repo(kind, name) = &self.place {
            let repo = Test::Equal(format!("{kind}:{name}"));
            filter.push(Condition::Where(Dimension::Repo, repo));
        }
        Ok(Query {
            metrics: parsed(metrics)?.metrics,
            by: by.to_vec(),
            filter,
            range: self.range,
            rule: self.rule.clone(),
            ..Query::default()
        })
    }

    /// The same over another range.
    pub(crate) fn query_in(&self, range: Range, metrics: &str, by: &[Dimension]) -> Result<Query> {
        Ok(Query {
            range,
            ..self.query(metrics, by)?
        })
    }

    /// The same state with another range, on the first page.
    pub(crate) fn with_range(&self, range: Range) -> Self {
        Self {
            range,
            page: 1,
            ..self.clone()
        }
    }

    /// The same state with one more condition.
    pub(crate) fn with(&self, dimension: &Dimension, test: Test) -> Self {
        self.with_condition(Condition::Where(dimension.clone(), test))
    }

    /// The same state with one more condition.
    pub(crate) fn with_condition(&self, condition: Condition) -> Self {
        let mut state = Self {
            page: 1,
            ..self.clone()
        };
        if !state.filter.contains(&condition) {
            state.filter.push(condition);
        }
        state
    }

    /// The same state without one of its conditions.
    pub(crate) fn without(&self, index: usize) -> Self {
        let mut state = Self {
            page: 1,
            ..self.clone()
        };
        if index < state.filter.len() {
            state.filter.remove(index);
        }
        state
    }

    /// The same state with one of its conditions turned round.
    pub(crate) fn negated(&self, index: usize) -> Self {
        let mut state = Self {
            page: 1,
            ..self.clone()
        };
        if let Some(condition) = state.filter.get_mut(index) {
            *condition = opposite(condition);
        }
        state
    }

    /// The same filters and days on another page.
    pub(crate) fn at(&self, place: Place) -> Self {
        Self {
            place,
            page: 1,
            search: String::new(),
            sort: Sort::default(),
            detail: Detail::default(),
            ..self.clone()
        }
    }

    /// The same with something else of the page open.
    pub(crate) fn opened(&self, detail: Detail) -> Self {
        Self {
            detail,
            ..self.clone()
        }
    }
}

/// A condition in the engine's text form.
pub(crate) fn condition_text(condition: &Condition) -> String {
    let query = Query {
        metrics: vec![footfall_engine::metrics::Metric::Requests],
        filter: vec![condition.clone()],
        ..Query::default()
    };
    text::render(&query)
        .trim_start_matches("requests where ")
        .to_owned()
}

fn opposite(condition: &Condition) -> Condition {
    let (dimension, test) = match condition {
        Condition::InSet(set, is_member) => return Condition::InSet(set.clone(), !is_member),
        Condition::Where(dimension, test) => (dimension.clone(), test.clone()),
    };
    let test = match test {
        Test::Equal(value) => Test::NotEqual(value),
        Test::NotEqual(value) => Test::Equal(value),
        Test::Less(value) => Test::GreaterOrEqual(value),
        Test::LessOrEqual(value) => Test::Greater(value),
        Test::Greater(value) => Test::LessOrEqual(value),
        Test::GreaterOrEqual(value) => Test::Less(value),
        Test::In(values) => Test::NotIn(values),
        Test::NotIn(values) => Test::In(values),
        Test::Like(glob) => Test::NotLike(glob),
        Test::NotLike(glob) => Test::Like(glob),
    };
    Condition::Where(dimension, test)
}

fn parsed(text: &str) -> Result<Query> {
    text::parse(text)
}

fn place(path: &str) -> Result<Place> {
    let unknown = || Error::not_found(format!("no page {path}"));
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(""), None, None) => Ok(Place::Overview),
        (Some("counting"), None, None) => Ok(Place::Counting),
        (Some("data"), None, None) => Ok(Place::Data),
        (Some("repo"), Some(kind), Some(name)) if !kind.is_empty() && !name.is_empty() => {
            Ok(Place::Repo(decoded(kind), decoded(name)))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::schema::TimeUnit;

    fn round_trip(state: &State) {
        let href = state.href();
        let (path, query) = href.split_once('?').unwrap_or((&href, ""));
        assert_eq!(&State::parse(path, query).unwrap(), state, "{href}");
    }

    #[test]
    fn addresses_and_states_are_inverse() {
        round_trip(&State::default());
        let names = ["acme/llama-7b", "a b/ä+%&=?#\"", "x", "a//b/c"];
        let ranges = [
            Range::All,
            Range::LastDays(7),
            Range::LastMonths(12),
            Range::PreviousMonth,
            Range::In(TimeUnit::Month, TimeUnit::Month.parse("2026-07").unwrap()),
        ];
        for name in names {
            for kind in ["model", "odd/type +"] {
                for range in ranges {
                    let state = State {
                        place: Place::Repo(kind.to_owned(), name.to_owned()),
                        range,
                        rule: Some("files".to_owned()),
                        tab: Tab::Downloaders,
                        sort: Sort::Name,
                        search: name.to_owned(),
                        page: 3,
                        detail: Detail {
                            beside: Some(format!("{kind}:{name}")),
                            ..Detail::default()
                        },
                        ..State::default()
                    };
                    let country = Test::In(vec!["DE".to_owned(), String::new()]);
                    let state = State {
                        page: 3,
                        ..state.with(&Dimension::Country, country)
                    };
                    let region = Test::Like("US/*\"\\\\".to_owned());
                    round_trip(&state.with(&Dimension::Region, region));
                }
            }
        }
    }

    #[test]
    fn what_has_no_meaning_is_an_error() {
        for (path, query) in [
            ("/nowhere", ""),
            ("/repo/model", ""),
            ("/", "range=last+30x"),
            ("/", "where=contry+%3D+DE"),
            ("/", "page=0"),
            ("/", "tab=x"),
            ("/", "export=repos.pdf"),
        ] {
            assert!(State::parse(path, query).is_err(), "{path} {query}");
        }
        assert!(State::parse("/", "unknown=1&range=").is_ok());
    }

    #[test]
    fn a_picker_gives_both_ends() {
        let state = State::parse("/", "from=2026-01-01&to=2026-02-01").unwrap();
        assert_eq!(state.range_text(), "from 2026-01-01 to 2026-02-01");
    }

    #[test]
    fn turning_round_twice_is_nothing() {
        let state = State::default().with(&Dimension::Ci, Test::Equal("flagged".to_owned()));
        assert_eq!(state.negated(0).negated(0), state);
        assert_eq!(state.negated(0).filter_text(), "ci != flagged");
        assert_eq!(state.without(0), State::default());
    }
}

//! Which repos? The table: search, sort, pages, both periods, a graph for each.

use std::collections::HashMap;
use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::by_repo::{BY, Key, bare_key, joined};
use super::{Asked, Medium, Panel};
use crate::chart::spark::spark;
use crate::definition;
use crate::number::{change, count, int_at, int_of, share, str_of};
use crate::sheet::{int, sheet, text};
use crate::state::{Place, Sort, State};

/// Rows of a page of the table.
const ROWS: usize = 100;
/// Rows of the one table of a report.
const REPORT_ROWS: usize = 500;
/// Days of the small graphs.
const SPARK_DAYS: u32 = 364;

/// The panel.
pub(crate) const REPOS: &dyn Panel = &Repos;

struct Repos;

/// The last weeks of each repo that is shown.
type Sparks<'a> = HashMap<Key<'a>, Vec<Option<u64>>>;

/// One row of the table.
struct Numbers {
    range: u64,
    all: u64,
    before: u64,
    downloaders: Option<u64>,
}

impl Panel for Repos {
    fn id(&self) -> &'static str {
        "repos"
    }

    fn title(&self) -> &'static str {
        "Which repos?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large_and_filtered()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(found) = Found::new(asked)? else {
            return Ok(None);
        };
        let list = List::new(&found);
        let state = asked.state;
        let rows = list.shown(state);
        let each = if asked.medium == Medium::Page {
            ROWS
        } else {
            REPORT_ROWS
        };
        asked.sheet_of(|| list.file(&rows));
        let pages = rows.len().div_ceil(each).max(1);
        let page = (state.page as usize).min(pages);
        let from = (page - 1) * each;
        let rows = rows
            .get(from..rows.len().min(from + each))
            .unwrap_or_default();
        let weeks = found.weeks(asked, rows)?;
        let sparks = sparks(weeks.as_deref());
        Ok(Some(html! {
            @if asked.medium == Medium::Page { (search(state)) }
            div.scroll { table.repos {
                thead { tr {
                    (heading("Repo", asked, Some(Sort::Name), false))
                    th scope="col" { "Type" }
                    (heading(list.name, asked, Some(Sort::Range), true))
                    (heading("All Time", asked, Some(Sort::AllTime), true))
                    @if list.has_downloaders { (heading("Unique downloaders", asked, Some(Sort::Downloaders), true)) }
                    (heading("Share", asked, None, true))
                    @if list.has_before { (heading("Change", asked, None, true)) }
                    th scope="col" { "A year" }
                } }
                tbody { @for (key, numbers) in rows { (list.row(asked, *key, (numbers, sparks.get(key)))) } }
                tfoot { tr {
                    th scope="row" { "Sum of all rows" } td {}
                    td.number { (thousands(list.sum(|row| row.range))) }
                    td.number { (thousands(list.sum(|row| row.all))) }
                    @if list.has_downloaders { td.number { (thousands(list.sum(|row| row.downloaders.unwrap_or(0)))) } }
                    td {} @if list.has_before { td {} } td {}
                } tr {
                    th scope="row" { "Exact total" } td {}
                    td.number { (count(list.exact.0)) } td.number { (count(list.exact.1)) }
                    @if list.has_downloaders { td.number { (count(list.exact.2)) } }
                    td {} @if list.has_before { td {} } td {}
                } }
            } }
            @if asked.medium == Medium::Page { (pager(state, page, pages)) }
        }))
    }
}

/// What was asked.
struct Found {
    metric: &'static str,
    in_range: Arc<Answer>,
    all: Arc<Answer>,
    before: Option<Arc<Answer>>,
    downloaders: Option<Arc<Answer>>,
    /// Range, all time, downloaders of the range.
    exact: (Option<u64>, Option<u64>, Option<u64>),
}

impl Found {
    fn new(asked: &Asked<'_>) -> Result<Option<Self>> {
        let (has_hub, has_logs) = (asked.has_hub(), asked.has_logs());
        let (metric, all) = match (has_hub, has_logs) {
            (true, _) => ("hub_downloads", "hub_total"),
            (false, true) => ("downloads", "downloads"),
            (false, false) => return Ok(None),
        };
        let state = asked.state;
        let in_range = state.query(metric, &BY)?;
        let of_all = state.query_in(Range::All, all, &BY)?;
        // Downloads of repos add up, so those of all need not be counted once more.
        let exact_all = match has_hub {
            true => Some(state.query_in(Range::All, all, &[])?),
            false => None,
        };
        let exact = asked.answer(metric, &[])?;
        let before = asked.before(&exact);
        let before = before.map(|range| state.query_in(range, metric, &BY));
        let before = before.transpose()?;
        let downloaders = match has_logs {
            true => Some((
                state.query("downloaders", &BY)?,
                state.query("downloaders", &[])?,
            )),
            false => None,
        };
        let (each, whole) = downloaders.unzip();
        let several = [&in_range, &of_all].map(Query::clone);
        let ahead = [&before, &each, &whole, &exact_all];
        let ahead = ahead.into_iter().flatten().cloned();
        asked.ahead(several.into_iter().chain(ahead));
        let ask = |query: Option<Query>| query.map(|query| asked.query(query)).transpose();
        let number = |answer: &Answer| int_at(answer, 0, 0);
        let all = asked.query(of_all)?;
        let exact_all = match ask(exact_all)? {
            Some(exact) => number(&exact),
            None => Some(
                all.rows
                    .iter()
                    .filter_map(|row| int_of(row, BY.len()))
                    .sum(),
            ),
        };
        Ok(Some(Self {
            metric,
            in_range: asked.query(in_range)?,
            all,
            before: ask(before)?,
            downloaders: ask(each)?,
            exact: (
                number(&exact),
                exact_all,
                ask(whole)?.and_then(|whole| number(&whole)),
            ),
        }))
    }

    /// The metric of some repos by week; nothing without any.
    fn weeks(
        &self,
        asked: &Asked<'_>,
        rows: &[(Key<'_>, &Numbers)],
    ) -> Result<Option<Arc<Answer>>> {
        if rows.is_empty() {
            return Ok(None);
        }
        let repos = rows
            .iter()
            .map(|((kind, name), _)| format!("{kind}:{name}"))
            .collect();
        let [kind, repo] = BY;
        let by = [kind, repo, Dimension::Time(TimeUnit::Week)];
        let mut query = asked
            .state
            .query_in(Range::LastDays(SPARK_DAYS), self.metric, &by)?;
        query
            .filter
            .push(Condition::Where(Dimension::Repo, Test::In(repos)));
        asked.query(query).map(Some)
    }
}

/// The small graphs of repos by week.
fn sparks(answer: Option<&Answer>) -> Sparks<'_> {
    let rows = || answer.into_iter().flat_map(|answer| &answer.rows);
    let mut weeks: Vec<&str> = rows().map(|row| str_of(row, 2)).collect();
    weeks.sort_unstable();
    weeks.dedup();
    let mut sparks = Sparks::new();
    for row in rows() {
        let values = sparks
            .entry(bare_key(row))
            .or_insert_with(|| vec![Some(0); weeks.len()]);
        let at = weeks.binary_search(&str_of(row, 2));
        if let Some(value) = at.ok().and_then(|at| values.get_mut(at)) {
            *value = int_of(row, 3);
        }
    }
    sparks
}

/// All repos with their numbers.
struct List<'a> {
    name: &'static str,
    rows: Vec<(Key<'a>, Numbers)>,
    has_downloaders: bool,
    has_before: bool,
    metric: &'static str,
    /// Range, all time, downloaders of the range.
    exact: (Option<u64>, Option<u64>, Option<u64>),
}

impl<'a> List<'a> {
    fn new(found: &'a Found) -> Self {
        let answers = [
            Some(&*found.in_range),
            Some(&*found.all),
            found.before.as_deref(),
            found.downloaders.as_deref(),
        ];
        let rows = joined(answers, bare_key).into_iter();
        let rows = rows.map(|(key, [range, all, before, downloaders])| {
            let numbers = Numbers {
                range: range.unwrap_or(0),
                all: all.unwrap_or(0),
                before: before.unwrap_or(0),
                downloaders,
            };
            (key, numbers)
        });
        Self {
            name: match found.metric {
                "hub_downloads" => "Downloads (Hub)",
                _ => "Downloads",
            },
            rows: rows.collect(),
            has_downloaders: found.downloaders.is_some(),
            has_before: found.before.is_some(),
            metric: found.metric,
            exact: found.exact,
        }
    }

    fn sum(&self, of: impl Fn(&Numbers) -> u64) -> u64 {
        self.rows
            .iter()
            .map(|(_, row)| of(row))
            .fold(0, u64::saturating_add)
    }

    /// Rows that the search finds, in the order that is asked for.
    fn shown(&self, state: &State) -> Vec<(Key<'a>, &Numbers)> {
        let wanted = state.search.to_lowercase();
        let has_it = |name: &str| wanted.is_empty() || name.to_lowercase().contains(&wanted);
        let rows = self.rows.iter().map(|(key, row)| (*key, row));
        let mut rows: Vec<(Key<'a>, &Numbers)> =
            rows.filter(|((_, name), _)| has_it(name)).collect();
        let numbers = |row: &Numbers| match state.sort {
            Sort::Range => (row.range, row.all),
            Sort::AllTime => (row.all, row.range),
            Sort::Downloaders => (row.downloaders.unwrap_or(0), row.range),
            Sort::Name => (0, 0),
        };
        rows.sort_by(|((a_kind, a_name), a), ((b_kind, b_name), b)| {
            let by_number = numbers(b).cmp(&numbers(a));
            by_number.then_with(|| (a_name, a_kind).cmp(&(b_name, b_kind)))
        });
        rows
    }

    /// The rows of all pages of the table as a file.
    fn file(&self, rows: &[(Key<'_>, &Numbers)]) -> Answer {
        let mut columns = vec![
            ("repo", ColumnType::Text),
            ("repo_type", ColumnType::Text),
            (self.metric, ColumnType::Int),
            ("all_time", ColumnType::Int),
        ];
        if self.has_downloaders {
            columns.push(("downloaders", ColumnType::Int));
        }
        if self.has_before {
            columns.push(("before", ColumnType::Int));
        }
        let row = |((kind, name), numbers): &(Key<'_>, &Numbers)| {
            let mut row = vec![text(*name), text(*kind)];
            row.extend([Value::Int(numbers.range), Value::Int(numbers.all)]);
            row.extend(self.has_downloaders.then(|| int(numbers.downloaders)));
            row.extend(self.has_before.then_some(Value::Int(numbers.before)));
            row
        };
        sheet(&columns, rows.iter().map(row).collect())
    }

    fn row(
        &self,
        asked: &Asked<'_>,
        (kind, name): Key<'_>,
        (numbers, graph): (&Numbers, Option<&Vec<Option<u64>>>),
    ) -> Markup {
        let state = asked.state;
        let change = change(numbers.range, numbers.before).1;
        let whole = self.exact.0.unwrap_or(0);
        html! { tr {
            th scope="row" { (asked.link(&state.at(Place::Repo(kind.to_owned(), name.to_owned())), name)) }
            td { (asked.link(&state.with(&Dimension::RepoType, Test::Equal(kind.to_owned())), kind)) }
            td.number { (thousands(numbers.range)) }
            td.number { (thousands(numbers.all)) }
            @if self.has_downloaders { td.number { (count(numbers.downloaders)) } }
            td.number { (share(numbers.range, whole).unwrap_or_default()) }
            @if self.has_before { td.number title=(format!("{} before", thousands(numbers.before))) { (change) } }
            td { @if let Some(graph) = graph { (spark(graph)) } }
        } }
    }
}

fn heading(name: &str, asked: &Asked<'_>, sort: Option<Sort>, is_number: bool) -> Markup {
    let state = asked.state;
    let is_here = sort == Some(state.sort);
    let order = if sort == Some(Sort::Name) {
        "ascending"
    } else {
        "descending"
    };
    html! {
        th.number[is_number] scope="col" title=[definition::of(name)] aria-sort=[is_here.then_some(order)] {
            @match sort {
                Some(sort) => (asked.link(&State { sort, page: 1, ..state.clone() }, name)),
                None => (name),
            }
        }
    }
}

fn search(state: &State) -> Markup {
    let kept = state
        .parameters()
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "q" | "page"));
    html! {
        form.search action=(state.path()) method="get" role="search" {
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            label { span.quiet { "Search repos" } input type="search" name="q" value=(state.search) placeholder="Search repos" autocomplete="off"; }
            button type="submit" { "Search" }
        }
    }
}

fn pager(state: &State, page: usize, pages: usize) -> Markup {
    let link = |to: usize, name: &str| {
        let page = u32::try_from(to).unwrap_or(u32::MAX);
        html! { a href=(State { page, ..state.clone() }.href()) { (name) } }
    };
    html! {
        @if pages > 1 { nav.pager aria-label="Pages of the table" {
            @if page > 1 { (link(page - 1, "Previous")) }
            span { "Page " (page) " of " (pages) }
            @if page < pages { (link(page + 1, "Next")) }
        } }
    }
}

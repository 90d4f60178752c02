//! Which repos? The table: search, sort, pages, both periods, a graph for each.

use std::collections::HashMap;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::{Asked, Medium, Panel};
use crate::chart::spark::spark;
use crate::definition;
use crate::number::{change, count, int_at, int_of, share, text_of};
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

/// Type and name.
type Key = (String, String);

/// One row of the table.
#[derive(Default)]
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

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(list) = List::new(asked)? else {
            return Ok(None);
        };
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
        let sparks = list.sparks(asked, rows)?;
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
                tbody { @for (key, numbers) in rows { (list.row(asked, key, (numbers, sparks.get(*key)))) } }
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

/// All repos with their numbers.
struct List {
    name: &'static str,
    rows: Vec<(Key, Numbers)>,
    has_downloaders: bool,
    has_before: bool,
    metric: &'static str,
    /// Range, all time, downloaders of the range.
    exact: (Option<u64>, Option<u64>, Option<u64>),
}

const BY: [Dimension; 2] = [Dimension::RepoType, Dimension::Repo];

impl List {
    fn new(asked: &Asked<'_>) -> Result<Option<Self>> {
        let has_hub = asked.has_hub();
        if !has_hub && !asked.has_logs() {
            return Ok(None);
        }
        let (metric, all, name) = if has_hub {
            ("hub_downloads", "hub_total", "Downloads (Hub)")
        } else {
            ("downloads", "downloads", "Downloads")
        };
        let mut rows: HashMap<Key, Numbers> = HashMap::new();
        let in_range = asked.answer(metric, &BY)?;
        each(&in_range, |key, value| {
            rows.entry(key).or_default().range = value
        });
        let of_all = asked.answer_in(Range::All, all, &BY)?;
        each(&of_all, |key, value| {
            rows.entry(key).or_default().all = value
        });
        let before = asked.before(&in_range);
        if let Some(before) = before {
            each(&asked.answer_in(before, metric, &BY)?, |key, value| {
                rows.entry(key).or_default().before = value
            });
        }
        let mut exact = (
            int_at(&asked.answer(metric, &[])?, 0, 0),
            int_at(&asked.answer_in(Range::All, all, &[])?, 0, 0),
            None,
        );
        if asked.has_logs() {
            let downloaders = asked.answer("downloaders", &BY)?;
            each(&downloaders, |key, value| {
                rows.entry(key).or_default().downloaders = Some(value)
            });
            exact.2 = int_at(&asked.answer("downloaders", &[])?, 0, 0);
        }
        Ok(Some(Self {
            name,
            rows: rows.into_iter().collect(),
            has_downloaders: asked.has_logs(),
            has_before: before.is_some(),
            metric,
            exact,
        }))
    }

    fn sum(&self, of: impl Fn(&Numbers) -> u64) -> u64 {
        self.rows
            .iter()
            .map(|(_, row)| of(row))
            .fold(0, u64::saturating_add)
    }

    /// Rows that the search finds, in the order that is asked for.
    fn shown(&self, state: &State) -> Vec<(&Key, &Numbers)> {
        let wanted = state.search.to_lowercase();
        let mut rows: Vec<(&Key, &Numbers)> = self
            .rows
            .iter()
            .map(|(key, row)| (key, row))
            .filter(|((_, name), _)| name.to_lowercase().contains(&wanted))
            .collect();
        rows.sort_by(|(a_key, a), (b_key, b)| {
            let numbers = |row: &Numbers| match state.sort {
                Sort::Range => (row.range, row.all),
                Sort::AllTime => (row.all, row.range),
                Sort::Downloaders => (row.downloaders.unwrap_or(0), row.range),
                Sort::Name => (0, 0),
            };
            numbers(b)
                .cmp(&numbers(a))
                .then_with(|| (&a_key.1, &a_key.0).cmp(&(&b_key.1, &b_key.0)))
        });
        rows
    }

    /// The graphs of these rows.
    fn sparks(
        &self,
        asked: &Asked<'_>,
        rows: &[(&Key, &Numbers)],
    ) -> Result<HashMap<Key, Vec<Option<u64>>>> {
        let mut sparks: HashMap<Key, Vec<Option<u64>>> = HashMap::new();
        if rows.is_empty() {
            return Ok(sparks);
        }
        let repos = rows
            .iter()
            .map(|((kind, name), _)| format!("{kind}:{name}"))
            .collect();
        let by = [
            Dimension::RepoType,
            Dimension::Repo,
            Dimension::Time(TimeUnit::Week),
        ];
        let mut query = Query {
            range: Range::LastDays(SPARK_DAYS),
            ..asked.state.query(self.metric, &by)?
        };
        query
            .filter
            .push(Condition::Where(Dimension::Repo, Test::In(repos)));
        let mut weeks: Vec<String> = Vec::new();
        let answer = asked.query(query)?;
        for row in &answer.rows {
            weeks.push(text_of(row, 2));
        }
        weeks.sort_unstable();
        weeks.dedup();
        for row in &answer.rows {
            let values = sparks
                .entry(key_of(row))
                .or_insert_with(|| vec![Some(0); weeks.len()]);
            let at = weeks.binary_search(&text_of(row, 2));
            if let Some(value) = at.ok().and_then(|at| values.get_mut(at)) {
                *value = int_of(row, 3);
            }
        }
        Ok(sparks)
    }

    /// The rows of all pages of the table as a file.
    fn file(&self, rows: &[(&Key, &Numbers)]) -> Answer {
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
        let row = |((kind, name), numbers): &(&Key, &Numbers)| {
            let mut row = vec![text(name.as_str()), text(kind.as_str())];
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
        key: &Key,
        (numbers, graph): (&Numbers, Option<&Vec<Option<u64>>>),
    ) -> Markup {
        let state = asked.state;
        let (kind, name) = key;
        let change = change(numbers.range, numbers.before).1;
        let whole = self.exact.0.unwrap_or(0);
        html! { tr {
            th scope="row" { (asked.link(&state.at(Place::Repo(kind.clone(), name.clone())), name)) }
            td { (asked.link(&state.with(&Dimension::RepoType, Test::Equal(kind.clone())), kind)) }
            td.number { (thousands(numbers.range)) }
            td.number { (thousands(numbers.all)) }
            @if self.has_downloaders { td.number { (count(numbers.downloaders)) } }
            td.number { (share(numbers.range, whole).unwrap_or_default()) }
            @if self.has_before { td.number title=(format!("{} before", thousands(numbers.before))) { (change) } }
            td { @if let Some(graph) = graph { (spark(graph)) } }
        } }
    }
}

/// Calls back with the repo and the number of each row.
fn each(answer: &Answer, mut with: impl FnMut(Key, u64)) {
    for row in &answer.rows {
        if let Some(value) = int_of(row, 2) {
            with(key_of(row), value);
        }
    }
}

/// Type and name of a row by type and repo; the type that tells shared names apart is cut off.
fn key_of(row: &[Value]) -> Key {
    let (kind, shown) = (text_of(row, 0), text_of(row, 1));
    let name = shown
        .strip_prefix(&format!("{kind}:"))
        .unwrap_or(&shown)
        .to_owned();
    (kind, name)
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

//! What moved? The repos that changed the whole most against the period before.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, ColumnType, Value};

use super::by_repo::{BY, bare, joined, shown_key};
use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::change;
use crate::sheet::{sheet, text};
use crate::state::Place;

/// Rises, and falls, that are shown.
const SHOWN: usize = 5;

/// The panel.
pub(crate) const MOVERS: &dyn Panel = &Movers;

struct Movers;

/// A repo's type and name, its number now and before.
pub(super) type Move = ((String, String), (u64, u64));

impl Panel for Movers {
    fn id(&self) -> &'static str {
        "movers"
    }

    fn title(&self) -> &'static str {
        "What moved?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(repos) = repos(asked)? else {
            return Ok(None);
        };
        let whole: u64 = repos.iter().map(|(_, (_, before))| before).sum();
        let (rises, falls) = moves(repos);
        if rises.is_empty() && falls.is_empty() {
            return Ok(None);
        }
        asked.sheet(file(rises.iter().chain(&falls)));
        Ok(Some(html! {
            div.columns {
                @for (title, moves) in [("Rises", &rises), ("Falls", &falls)] {
                    @if !moves.is_empty() { table.moves {
                        thead { tr { th scope="col" { (title) } (number_heading("Before")) th.number scope="col" { "Now" } (number_heading("Change")) (number_heading("Contribution")) } }
                        tbody { @for ((kind, shown), (now, before)) in moves {
                            @let name = bare(kind, shown);
                            tr {
                                th scope="row" { (asked.link(&asked.state.at(Place::Repo(kind.clone(), name.to_owned())), shown)) }
                                td.number { (thousands(*before)) } td.number { (thousands(*now)) }
                                td.number { (change(*now, *before).1) }
                                td.number { (contribution((*now, *before), whole)) }
                            }
                        } }
                    } }
                }
            }
        }))
    }
}

/// What moved as a file.
fn file<'m>(moves: impl Iterator<Item = &'m Move>) -> Answer {
    let columns = [
        ("repo", ColumnType::Text),
        ("repo_type", ColumnType::Text),
        ("before", ColumnType::Int),
        ("now", ColumnType::Int),
    ];
    let row = |((kind, name), (now, before)): &Move| {
        let numbers = [Value::Int(*before), Value::Int(*now)];
        let names = [text(name.as_str()), text(kind.as_str())];
        names.into_iter().chain(numbers).collect()
    };
    sheet(&columns, moves.map(row).collect())
}

/// By how much of the whole a repo moved it.
pub(super) fn contribution((now, before): (u64, u64), whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let part = (now as f64 - before as f64) * 100.0 / whole as f64;
    let sign = if part < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1} %", part.abs())
}

/// Every repo with its number now and before, the greatest now first; `None` without a period before.
pub(super) fn repos(asked: &Asked<'_>) -> Result<Option<Vec<Move>>> {
    let metric = match (asked.has_hub(), asked.has_logs()) {
        (true, _) => "hub_downloads",
        (false, true) => "downloads",
        (false, false) => return Ok(None),
    };
    let whole = asked.aside_answer(metric)?;
    let before = asked.before(&whole);
    let by = |range| asked.state.query_in(range, metric, &BY);
    let (now, before) = match before {
        Some(before) => (by(asked.state.range)?, by(before)?),
        None => return Ok(None),
    };
    asked.ahead([now.clone(), before.clone()]);
    let (now, before) = (asked.query(now)?, asked.query(before)?);
    let rows = joined([Some(&*now), Some(&*before)], shown_key);
    let moved = rows.into_iter().map(|((kind, name), [now, before])| {
        let names = (kind.to_owned(), name.to_owned());
        (names, (now.unwrap_or(0), before.unwrap_or(0)))
    });
    Ok(Some(moved.collect()))
}

/// The greatest rises and falls, greatest first.
pub(super) fn moves(mut repos: Vec<Move>) -> (Vec<Move>, Vec<Move>) {
    repos.retain(|(_, (now, before))| now != before);
    repos.sort_by_key(|(_, (now, before))| std::cmp::Reverse(now.abs_diff(*before)));
    let (rises, falls): (Vec<Move>, Vec<Move>) = repos
        .into_iter()
        .partition(|(_, (now, before))| now > before);
    let first = |moves: Vec<Move>| moves.into_iter().take(SHOWN).collect();
    (first(rises), first(falls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_moves_come_first() {
        let repo = |name: &str, now, before| (("model".to_owned(), name.to_owned()), (now, before));
        let all = vec![
            repo("same", 5, 5),
            repo("up", 9, 1),
            repo("upper", 90, 1),
            repo("down", 0, 7),
        ];
        let (rises, falls) = moves(all);
        let names = |moves: &[Move]| {
            moves
                .iter()
                .map(|((_, name), _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&rises), names(&falls)),
            (
                vec!["upper".to_owned(), "up".to_owned()],
                vec!["down".to_owned()]
            )
        );
    }
}

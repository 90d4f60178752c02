//! What moved? The repos that changed the whole most against the period before.

use std::collections::BTreeMap;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::number::{change, int_of, text_of};
use crate::state::Place;

/// Rises, and falls, that are shown.
const SHOWN: usize = 5;

/// The panel.
pub(crate) const MOVERS: &dyn Panel = &Movers;

struct Movers;

/// A repo's type and name, its number now and before.
type Move = ((String, String), (u64, u64));

impl Panel for Movers {
    fn id(&self) -> &'static str {
        "movers"
    }

    fn title(&self) -> &'static str {
        "What moved?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let metric = if asked.has_hub() {
            "hub_downloads"
        } else {
            "downloads"
        };
        if !asked.has_hub() && !asked.has_logs() {
            return Ok(None);
        }
        let by = [Dimension::RepoType, Dimension::Repo];
        let now = asked.answer(metric, &by)?;
        let Some(before) = asked.before(&now) else {
            return Ok(None);
        };
        let before = asked.answer_in(before, metric, &by)?;
        let mut repos: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for row in &now.rows {
            repos
                .entry((text_of(row, 0), text_of(row, 1)))
                .or_default()
                .0 = int_of(row, 2).unwrap_or(0);
        }
        for row in &before.rows {
            repos
                .entry((text_of(row, 0), text_of(row, 1)))
                .or_default()
                .1 = int_of(row, 2).unwrap_or(0);
        }
        let (rises, falls) = moves(repos.into_iter().collect());
        if rises.is_empty() && falls.is_empty() {
            return Ok(None);
        }
        Ok(Some(html! {
            div.columns {
                @for (title, moves) in [("Rises", &rises), ("Falls", &falls)] {
                    @if !moves.is_empty() { table.moves {
                        thead { tr { th scope="col" { (title) } th.number scope="col" { "Before" } th.number scope="col" { "Now" } th.number scope="col" { "Change" } } }
                        tbody { @for ((kind, shown), (now, before)) in moves {
                            @let name = shown.strip_prefix(&format!("{kind}:")).unwrap_or(shown);
                            tr {
                                th scope="row" { (asked.link(&asked.state.at(Place::Repo(kind.clone(), name.to_owned())), shown)) }
                                td.number { (thousands(*before)) } td.number { (thousands(*now)) }
                                td.number { (change(*now, *before).1) }
                            }
                        } }
                    } }
                }
            }
        }))
    }
}

/// The greatest rises and falls, greatest first.
fn moves(mut repos: Vec<Move>) -> (Vec<Move>, Vec<Move>) {
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

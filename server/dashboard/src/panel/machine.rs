//! The named set of machines to the figure that counts them, and the switch that counts without.

use footfall_engine::Result;
use footfall_engine::query::value::{Condition, Query};

use super::Asked;
use super::headline::Figure;
use crate::number::{int_at, share};

/// The set that the owner keeps.
const OWN: &str = "machines";
/// The set that every store has.
const BUILT_IN: &str = "known-machines";

/// The set that counts as machines: the owner's, if there is one.
pub(super) fn set(asked: &Asked<'_>) -> Result<&'static str> {
    Ok(if asked.ask().has_set(OWN)? {
        OWN
    } else {
        BUILT_IN
    })
}

/// The place in the filter of the condition that leaves the set out.
fn left_out(asked: &Asked<'_>, set: &str) -> Option<usize> {
    let is_it =
        |condition: &Condition| matches!(condition, Condition::InSet(name, false) if name == set);
    asked.state.filter.iter().position(is_it)
}

/// What the switch between with and without machines is called, and where it leads.
pub(super) fn switch(asked: &Asked<'_>, set: &str) -> Option<(String, String)> {
    let (name, to) = match left_out(asked, set) {
        Some(at) => ("With machines", asked.state.without(at)),
        None => {
            let condition = Condition::InSet(set.to_owned(), false);
            ("Without machines", asked.state.with_condition(condition))
        }
    };
    asked.href(&to).map(|href| (name.to_owned(), href))
}

/// What is asked for [`machines`].
pub(super) fn query(asked: &Asked<'_>) -> Result<Query> {
    let mut query = asked.headline(asked.state.query("downloads", &[])?);
    query
        .filter
        .push(Condition::InSet(set(asked)?.to_owned(), true));
    Ok(query)
}

/// Downloads of known machines.
pub(super) fn machines(asked: &Asked<'_>) -> Result<Figure> {
    let set = set(asked)?;
    let whole = asked.headline(asked.state.query("downloads", &[])?);
    let whole = int_at(&*asked.query(whole)?, 0, 0).unwrap_or(0);
    let query = query(asked)?;
    let now = asked.query(query.clone())?;
    let before = match asked.before(&now) {
        Some(range) => int_at(&*asked.query(Query { range, ..query })?, 0, 0),
        None => None,
    };
    let value = int_at(&now, 0, 0);
    let share = share(value.unwrap_or(0), whole);
    let definition = match (left_out(asked, set), set) {
        (Some(_), _) => "Left out of every number here.",
        (None, OWN) => "Downloads of who is in your set machines.",
        (None, _) => {
            "Downloads of bots that call themselves so. A set machines of your own takes their place, see Counting."
        }
    };
    Ok(Figure {
        name: "Known machines".to_owned(),
        value,
        before,
        parts: share
            .map(|share| ("share of downloads", share))
            .into_iter()
            .collect(),
        definition: definition.to_owned(),
        leads: switch(asked, set),
    })
}

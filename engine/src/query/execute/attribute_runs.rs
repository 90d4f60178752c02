//! Attributes of a slice's visits to what of them the query looks at.

use super::lens::{ASK_SESSION, Lens};
use super::reach::Reaches;
use super::scan::DayReader;
use super::scope::Scope;
use super::space::Space;
use super::walk::WalkedVisits;
use crate::error::Result;
use crate::segment::{Attribute, RunSlice, VisitSlice};

/// The attributes that conditions and dimensions are on.
pub(super) fn attributes<'s>(scope: &'s Scope<'_>) -> impl Iterator<Item = (Attribute, &'s Lens)> {
    let known = [
        (Attribute::PLACE, &scope.place),
        (Attribute::AGENT, &scope.agent),
        (Attribute::INTERNAL, &scope.internal),
    ];
    let extras = scope.extras.iter().filter_map(|lens| match lens.space {
        // A column that the store does not have is one that no segment has.
        Space::Extra(index) => {
            let index = index.unwrap_or(Attribute::EXTRA_MAX);
            Some((Attribute::extra(index), lens))
        }
        _ => None,
    });
    let all = known.into_iter().chain(extras);
    all.filter(|(_, lens)| !lens.is_idle())
}

/// What of a slice's attributes the query looks at.
#[derive(Default)]
pub(super) struct Runs<'s> {
    /// Attributes that the filter or dimensions are on.
    pub(super) lenses: Vec<(&'s Lens, RunSlice)>,
    /// Places, if countries are counted.
    pub(super) place: Option<RunSlice>,
    /// `internal`, if the rule leaves internal requests out.
    pub(super) internal: Option<RunSlice>,
    /// Session ids, if some user agent asks for them.
    pub(super) session: Option<RunSlice>,
    /// First instants, if something depends on them.
    pub(super) reaches: Reaches,
    /// Counts of rows by their verbs, once some visit needs them.
    pub(super) walked: Option<WalkedVisits>,
}

impl<'s> Runs<'s> {
    /// Reads the attributes, with `spare` to hold values; instants and verbs are looked at where something asks for
    /// them.
    pub(super) fn read(
        reader: &DayReader<'s, '_>,
        slice: &VisitSlice,
        spare: &mut Vec<u32>,
    ) -> Result<Self> {
        let (scope, segment, wants) = (reader.scope, &reader.segment, reader.wants);
        let mut runs = Self::default();
        for (attribute, lens) in attributes(scope) {
            let mut run = RunSlice {
                values: std::mem::take(spare),
                ..RunSlice::default()
            };
            segment.attribute_in(attribute, slice, &mut run)?;
            keep_visible(&mut run, lens, slice);
            runs.lenses.push((lens, run));
        }
        if scope.agent.parts.contains(&ASK_SESSION) {
            runs.session = Some(segment.attribute(Attribute::SESSION, slice)?);
        }
        if wants.countries {
            runs.place = Some(segment.attribute(Attribute::PLACE, slice)?);
        }
        if wants.has_accepted() && !scope.rule.internal {
            let internal = segment.attribute(Attribute::INTERNAL, slice)?;
            runs.internal = Some(internal).filter(|run| !run.values.is_empty());
        }
        Ok(runs)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &RunSlice> {
        let lenses = self.lenses.iter().map(|(_, run)| run);
        lenses
            .chain(&self.place)
            .chain(&self.internal)
            .chain(&self.session)
    }

    /// The first row of each visit that has an attribute that changes inside, in place of what is in `varied`; empty if none
    /// has.
    pub(super) fn varied(
        &self,
        slice: &VisitSlice,
        mut varied: Vec<Option<u32>>,
    ) -> Vec<Option<u32>> {
        varied.clear();
        if self.all().all(|run| run.changes.is_empty()) {
            return varied;
        }
        varied.resize(slice.shape.len(), None);
        for run in self.all() {
            let mut visit = 0;
            for (row, _) in &run.changes {
                visit = slice.visit_of(*row, visit);
                if let Some(varied) = varied.get_mut(visit) {
                    *varied = Some(slice.rows_of(visit).start);
                }
            }
        }
        varied
    }
}

/// Forgets changes of an attribute that make no difference to the query: another file of the same client is
/// still the same client.
fn keep_visible(run: &mut RunSlice, lens: &Lens, slice: &VisitSlice) {
    let mut changes = std::mem::take(&mut run.changes);
    // The first row after the visit of the change before, and what its last row adds to keys.
    let (mut visit, mut end, mut before) = (0, 0, 0);
    changes.retain(|(row, value)| {
        if *row >= end {
            visit = slice.visit_of(*row, visit);
            end = slice.rows_of(visit).end;
            before = lens.part(run.value(visit));
        }
        let part = lens.part(*value);
        // What the session decides may differ where the codes' parts do not.
        let is_visible = part != before || part == ASK_SESSION;
        before = part;
        is_visible
    });
    run.changes = changes;
}

//! The shapes of a segment to what a query can say of a whole visit.

use super::groups::Key;
use super::lens::OUT;
use super::scope::Scope;

/// How many of several verbs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cover {
    /// None of them.
    None,
    /// Some, not all.
    Some,
    /// All.
    All,
}

impl Cover {
    fn of(verbs: &[u32], is_in: impl Fn(u32) -> bool) -> Self {
        match verbs.iter().filter(|verb| is_in(**verb)).count() {
            0 => Self::None,
            count if count == verbs.len() => Self::All,
            _ => Self::Some,
        }
    }
}

/// What a query can say of every visit of a shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The verbs that the filter keeps.
    pub(super) kept: Cover,
    /// The verbs that the filter keeps and the rule accepts.
    pub(super) accepted: Cover,
    /// The positions of those, a bit each; `None` if the shape has more verbs than that.
    pub(super) accepted_at: Option<u64>,
    /// What the verbs that the filter keeps add to keys, if they all add the same.
    pub(super) part: Option<Key>,
    /// Whether the filter keeps every verb that the default rule accepts.
    pub(super) keeps_default: bool,
    /// What the accepted verbs' evidence adds to keys ([`OUT`] if the filter does not keep it), if
    /// they all give the same evidence.
    pub(super) evidence: Option<Key>,
}

impl Shape {
    /// Looks at the verbs of a shape.
    pub(super) fn new(verbs: &[u32], scope: &Scope<'_>) -> Self {
        let meanings = scope.view.meanings();
        let keeps = |verb: u32| scope.verb.part(verb) != OUT;
        let is = |list: &[bool], verb: u32| list.get(verb as usize).copied().unwrap_or(false);
        let accepts = |verb: u32| keeps(verb) && is(&scope.accepts, verb);
        let evidence = |verb: &u32| meanings.evidence.get(*verb as usize).copied().unwrap_or(0);
        let accepted = verbs.iter().filter(|verb| accepts(**verb));
        let kept = verbs.iter().filter(|verb| keeps(**verb));
        Self {
            kept: Cover::of(verbs, keeps),
            accepted: Cover::of(verbs, accepts),
            accepted_at: (verbs.len() <= u64::BITS as usize).then(|| {
                let accepted = (0_u32..).zip(verbs).filter(|(_, verb)| accepts(**verb));
                accepted.fold(0, |bits, (at, _)| bits | 1 << at)
            }),
            part: same(kept.map(|verb| scope.verb.part(*verb))),
            keeps_default: verbs
                .iter()
                .all(|verb| keeps(*verb) || !is(&meanings.accepts, *verb)),
            evidence: if scope.evidence.is_idle() {
                Some(0)
            } else {
                same(accepted.map(|verb| scope.evidence.part(evidence(verb).into())))
            },
        }
    }
}

/// The value of all, if they are the same; of none any value will do.
fn same(mut values: impl Iterator<Item = Key>) -> Option<Key> {
    let first = values.next().unwrap_or(0);
    values.all(|value| value == first).then_some(first)
}

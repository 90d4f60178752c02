//! An expression of sets of downloaders to the downloaders in it.
//!
//! ```text
//! SET    TERM [or TERM]…
//! TERM   FACTOR [and FACTOR]…
//! FACTOR not FACTOR | (SET) | (where COND [and COND]… [RANGE]) | (RANGE) | COND | NAME
//! ```
//!
//! A condition is the set of the downloaders of accepted requests that it keeps: `repo = a and repo = b` are
//! those who have downloaded both. Conditions that one request has to meet stand together after `where`
//! in brackets, which may have a range of their own. A name with a `/` is a repo, any other one a
//! saved set.
//!
//! `not` is about the downloaders of the whole scope and of every set that the expression names.

use std::fmt;

use super::source::Source;
use crate::bitmap::BitSet;
use crate::error::{Error, Result};
use crate::query::text::{Reader, render_clauses, render_condition, render_name};
use crate::query::value::{Condition, Query, Range, Test};
use crate::schema::Dimension;

/// Most brackets and negations inside each other.
const DEPTH_MAX: u32 = 50;

/// A set of downloaders.
#[derive(Clone, Debug, PartialEq)]
pub enum SetExpr {
    /// Those of accepted requests that a condition keeps.
    Kept(Condition),
    /// Those of accepted requests that conditions keep, perhaps in another range.
    Scoped(Vec<Condition>, Option<Range>),
    /// A saved set.
    Saved(String),
    /// All others.
    Not(Box<Self>),
    /// Those in all of them.
    And(Vec<Self>),
    /// Those in any of them.
    Or(Vec<Self>),
}

impl SetExpr {
    /// Reads a whole expression.
    ///
    /// # Errors
    ///
    /// `Invalid` with the column where it makes no sense, `Limit` when it is too deep.
    pub fn read(reader: &mut Reader) -> Result<Self> {
        either(reader, 0)
    }

    /// Reads one factor of an expression.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_factor(reader: &mut Reader) -> Result<Self> {
        factor(reader, 0)
    }

    /// The sets that it combines, each once, in the order of the text.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        let mut parts: Vec<&Self> = Vec::new();
        self.collect(&mut parts);
        parts
    }

    fn collect<'s>(&'s self, parts: &mut Vec<&'s Self>) {
        match self {
            Self::Kept(_) | Self::Scoped(..) | Self::Saved(_) => {
                if !parts.contains(&self) {
                    parts.push(self);
                }
            }
            Self::Not(inner) => inner.collect(parts),
            Self::And(several) | Self::Or(several) => {
                several.iter().for_each(|one| one.collect(parts));
            }
        }
    }

    /// The downloaders in it, under a scope's filter, range and rule.
    ///
    /// # Errors
    ///
    /// `NotFound` for a set that is not saved, and as [`Source::sets`].
    pub fn evaluate(&self, source: &Source<'_>, scope: &Query) -> Result<Evaluated<'_>> {
        let parts = self.parts();
        let parts = parts
            .into_iter()
            .map(|part| Ok((part, part.part(source, scope)?)));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let (mut set, is_complement) = self.combine(&parts)?;
        if is_complement {
            let mut whole = source.set(scope)?;
            for (_, part) in &parts {
                whole.union_with(part)?;
            }
            whole.subtract(&set);
            set = whole;
        }
        Ok(Evaluated { set, parts })
    }

    fn part(&self, source: &Source<'_>, scope: &Query) -> Result<BitSet> {
        let narrowed = |conditions: &[Condition], range: Option<Range>| Query {
            filter: scope.filter.iter().chain(conditions).cloned().collect(),
            range: range.unwrap_or(scope.range),
            ..scope.clone()
        };
        match self {
            Self::Kept(condition) => source.set(&narrowed(std::slice::from_ref(condition), None)),
            Self::Scoped(conditions, range) => source.set(&narrowed(conditions, *range)),
            Self::Saved(name) => Ok(BitSet::clone(&*source.saved(name)?)),
            Self::Not(_) | Self::And(_) | Self::Or(_) => Err(Error::invalid("not one set")),
        }
    }

    /// The set, or with `true` the one that it leaves out.
    fn combine(&self, parts: &[(&Self, BitSet)]) -> Result<(BitSet, bool)> {
        match self {
            Self::Kept(_) | Self::Scoped(..) | Self::Saved(_) => {
                let part = parts.iter().find(|(part, _)| *part == self);
                let set = part.map(|(_, set)| set.clone());
                Ok((
                    set.ok_or_else(|| Error::invalid("a set is missing"))?,
                    false,
                ))
            }
            Self::Not(inner) => {
                let (set, is_complement) = inner.combine(parts)?;
                Ok((set, !is_complement))
            }
            Self::And(several) => fold(several, parts, false),
            // a or b = not (not a and not b)
            Self::Or(several) => {
                let (set, is_complement) = fold(several, parts, true)?;
                Ok((set, !is_complement))
            }
        }
    }
}

/// The intersection of some sets, or of their complements.
fn fold(
    several: &[SetExpr],
    parts: &[(&SetExpr, BitSet)],
    negated: bool,
) -> Result<(BitSet, bool)> {
    let mut all: Option<(BitSet, bool)> = None;
    for one in several {
        let (set, is_complement) = one.combine(parts)?;
        let is_complement = is_complement != negated;
        all = Some(match all {
            None => (set, is_complement),
            Some(before) => intersect(before, (set, is_complement))?,
        });
    }
    all.ok_or_else(|| Error::invalid("no set"))
}

fn intersect(
    (mut left, left_out): (BitSet, bool),
    (mut right, right_out): (BitSet, bool),
) -> Result<(BitSet, bool)> {
    match (left_out, right_out) {
        (false, false) => left.intersect_with(&right),
        (false, true) => left.subtract(&right),
        (true, false) => {
            right.subtract(&left);
            return Ok((right, false));
        }
        (true, true) => {
            left.union_with(&right)?;
            return Ok((left, true));
        }
    }
    Ok((left, false))
}

/// An expression's downloaders, and those of the sets that it combines.
#[derive(Debug)]
pub struct Evaluated<'e> {
    /// The whole.
    pub set: BitSet,
    /// What it is made of.
    pub parts: Vec<(&'e SetExpr, BitSet)>,
}

fn either(reader: &mut Reader, depth: u32) -> Result<SetExpr> {
    let mut terms = vec![every(reader, depth)?];
    while reader.eat_word("or") {
        terms.push(every(reader, depth)?);
    }
    Ok(joined(terms, SetExpr::Or, |term| match term {
        SetExpr::Or(inner) => Ok(inner),
        other => Err(other),
    }))
}

fn every(reader: &mut Reader, depth: u32) -> Result<SetExpr> {
    let mut factors = vec![factor(reader, depth)?];
    while reader.eat_word("and") {
        factors.push(factor(reader, depth)?);
    }
    Ok(joined(factors, SetExpr::And, |factor| match factor {
        SetExpr::And(inner) => Ok(inner),
        other => Err(other),
    }))
}

/// One of them as it is; several in one list, with those of the same kind inside.
fn joined(
    several: Vec<SetExpr>,
    join: fn(Vec<SetExpr>) -> SetExpr,
    same: fn(SetExpr) -> std::result::Result<Vec<SetExpr>, SetExpr>,
) -> SetExpr {
    let mut flat = Vec::new();
    for one in several {
        match same(one) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    match <[SetExpr; 1]>::try_from(flat) {
        Ok([one]) => one,
        Err(flat) => join(flat),
    }
}

fn factor(reader: &mut Reader, depth: u32) -> Result<SetExpr> {
    if depth > DEPTH_MAX {
        let column = reader.column().to_string();
        let message = format!("more than {DEPTH_MAX} brackets and negations inside each other");
        return Err(Error::limit(message).at_column(column));
    }
    if reader.is_condition() {
        return reader.condition().map(kept);
    }
    if reader.eat_word("not") {
        let inner = factor(reader, depth + 1)?;
        return Ok(match inner {
            SetExpr::Not(inner) => *inner,
            inner => SetExpr::Not(Box::new(inner)),
        });
    }
    if reader.eat_open() {
        let inner = if reader.is_clause() && !reader.is_condition() {
            scoped(reader)?
        } else {
            either(reader, depth + 1)?
        };
        reader.close()?;
        return Ok(inner);
    }
    let name = reader.text("a condition, a repo, a saved set, not or (")?;
    Ok(named(name))
}

/// A name with a `/` is a repo, any other one a saved set.
fn named(name: String) -> SetExpr {
    if name.contains('/') {
        SetExpr::Kept(Condition::Where(Dimension::Repo, Test::Equal(name)))
    } else {
        SetExpr::Saved(name)
    }
}

fn kept(condition: Condition) -> SetExpr {
    match condition {
        Condition::InSet(name, true) => SetExpr::Saved(name),
        Condition::InSet(name, false) => SetExpr::Not(Box::new(SetExpr::Saved(name))),
        condition => SetExpr::Kept(condition),
    }
}

fn scoped(reader: &mut Reader) -> Result<SetExpr> {
    let (mut filter, mut range) = (Vec::new(), None);
    while reader.is_clause() {
        if filter.is_empty() && reader.eat_word("where") {
            filter.push(reader.condition()?);
            while reader.eat_word("and") {
                filter.push(reader.condition()?);
            }
        } else if range.is_none() && reader.is_range() {
            range = Some(reader.range()?);
        } else {
            return Err(reader.unexpected("conditions, a range or )"));
        }
    }
    match <[Condition; 1]>::try_from(filter) {
        Ok([condition]) if range.is_none() => Ok(kept(condition)),
        Ok([condition]) => Ok(SetExpr::Scoped(vec![condition], range)),
        Err(filter) => Ok(SetExpr::Scoped(filter, range)),
    }
}

impl fmt::Display for SetExpr {
    /// Its canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(condition) => f.write_str(&render_condition(condition)),
            Self::Saved(name) => write!(f, "in_set({})", render_name(name)),
            Self::Scoped(conditions, range) => {
                let query = Query {
                    filter: conditions.clone(),
                    range: range.unwrap_or_default(),
                    ..Query::default()
                };
                let mut clauses = render_clauses(&query);
                if *range == Some(Range::All) {
                    clauses.push_str(" all");
                }
                write!(f, "({})", clauses.trim_start())
            }
            Self::Not(inner) => match &**inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                inner => write!(f, "not {inner}"),
            },
            Self::And(several) => list(f, several, " and "),
            Self::Or(several) => list(f, several, " or "),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, several: &[SetExpr], between: &str) -> fmt::Result {
    for (index, one) in several.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match one {
            SetExpr::Or(_) => write!(f, "({one})")?,
            one => write!(f, "{one}")?,
        }
    }
    Ok(())
}

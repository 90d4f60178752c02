//! Columns of shapes to the verbs of each, and how visits of it usually go.
//!
//! A segment has some dozen shapes of a few verbs: lists of all of them, one after the other, cost less than a list each.

use crate::error::{Error, Result};

/// A set of verbs that visits have, and how they usually go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ShapeVerbs<'a> {
    /// Verb codes, ascending.
    pub verbs: &'a [u32],
    /// Position of the verb that a visit usually begins with, then of the one that usually follows on
    /// each; all are positions in `verbs`.
    next: &'a [u32],
    /// Whether the default rule accepts one of the verbs.
    pub is_accepted: bool,
}

impl<'a> ShapeVerbs<'a> {
    /// A shape; `next` holds positions in `verbs`, one more than there are verbs, and none for one verb.
    #[must_use]
    pub fn new(verbs: &'a [u32], next: &'a [u32], is_accepted: bool) -> Self {
        Self {
            verbs,
            next,
            is_accepted,
        }
    }

    /// The position that usually comes after `before`; first of all, where there is none.
    #[inline]
    #[must_use]
    pub fn expected(&self, before: Option<u32>) -> u32 {
        let index = before.map_or(0, |position| position as usize + 1);
        self.next.get(index).copied().unwrap_or(0)
    }
}

/// The shapes of a segment.
#[derive(Debug)]
pub struct ShapeTable {
    verbs: Vec<u32>,
    next: Vec<u32>,
    /// Where the verbs of each begin, and what follows on them.
    starts: Vec<(u32, u32)>,
    /// Whether the default rule accepts one of its verbs.
    accepted: Vec<bool>,
}

impl ShapeTable {
    /// The shapes that have so many verbs each, of the columns of a segment.
    ///
    /// # Errors
    ///
    /// `Corrupt` when these do not add up.
    pub(super) fn new(
        lens: &[u32],
        (verbs, next): (Vec<u32>, Vec<u32>),
        accepted: &[u32],
    ) -> Result<Self> {
        let bad = || Error::corrupt("shapes do not add up");
        let mut starts = Vec::with_capacity(lens.len() + 1);
        let (mut verb, mut follows) = (0_u32, 0_u32);
        starts.push((verb, follows));
        for len in lens {
            let next_len = if *len > 1 { len.saturating_add(1) } else { 0 };
            let end = follows.saturating_add(next_len);
            let own = next.get(follows as usize..end as usize).ok_or_else(bad)?;
            if *len == 0 || own.iter().any(|position| position >= len) {
                return Err(bad());
            }
            (verb, follows) = (verb.saturating_add(*len), end);
            starts.push((verb, follows));
        }
        if verb as usize > verbs.len() || accepted.len() != lens.len() {
            return Err(bad());
        }
        Ok(Self {
            verbs,
            next,
            starts,
            accepted: accepted.iter().map(|is| *is != 0).collect(),
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accepted.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accepted.is_empty()
    }

    /// One of them, by its code.
    #[inline]
    #[must_use]
    pub fn get(&self, code: usize) -> Option<ShapeVerbs<'_>> {
        let (first, end) = (self.starts.get(code)?, self.starts.get(code + 1)?);
        Some(ShapeVerbs {
            verbs: self.verbs.get(first.0 as usize..end.0 as usize)?,
            next: self.next.get(first.1 as usize..end.1 as usize)?,
            is_accepted: *self.accepted.get(code)?,
        })
    }

    /// All, by code.
    pub fn iter(&self) -> impl Iterator<Item = ShapeVerbs<'_>> {
        (0..self.len()).filter_map(|code| self.get(code))
    }

    /// Of each, whether the default rule accepts one of its verbs.
    #[must_use]
    pub fn accepted(&self) -> &[bool] {
        &self.accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own() {
        let columns = || (vec![7, 3, 5], vec![0, 1, 0]);
        let shapes = ShapeTable::new(&[1, 2], columns(), &[0, 1]).unwrap();
        let all: Vec<_> = shapes.iter().collect();
        assert_eq!(
            all,
            [
                ShapeVerbs::new(&[7], &[], false),
                ShapeVerbs::new(&[3, 5], &[0, 1, 0], true)
            ]
        );
        assert_eq!(
            [None, Some(0), Some(1)].map(|before| all[1].expected(before)),
            [0, 1, 0]
        );
        assert_eq!((shapes.len(), shapes.get(2)), (2, None));
    }

    #[test]
    fn what_does_not_add_up_is_corrupt() {
        let is_bad = |lens: &[u32], verbs: &[u32], next: &[u32], accepted: &[u32]| {
            ShapeTable::new(lens, (verbs.to_vec(), next.to_vec()), accepted).is_err()
        };
        assert!(!is_bad(&[2], &[3, 5], &[0, 1, 0], &[1]));
        assert!(is_bad(&[2], &[3], &[0, 1, 0], &[1]), "verbs");
        assert!(is_bad(&[2], &[3, 5], &[0, 1], &[1]), "next");
        assert!(is_bad(&[2], &[3, 5], &[0, 2, 0], &[1]), "position");
        assert!(is_bad(&[2], &[3, 5], &[0, 1, 0], &[]), "accepted");
        assert!(is_bad(&[0], &[], &[], &[1]), "no verb");
        assert!(is_bad(&[u32::MAX, 1], &[3], &[], &[1, 1]), "too many");
    }
}

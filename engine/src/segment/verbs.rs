//! Verbs of visits to shapes, the verb that usually follows on each, and the rows where another does.
//!
//! Most visits go one way: a HEAD and then ranges, or a redirect and a file in turn. So the verb of a
//! row follows from its shape and the row before, and only odd rows are stored.

use std::collections::HashMap;

use crate::schema::VerbSet;

/// The shapes of a segment's visits.
#[derive(Default)]
pub(super) struct Shapes {
    shapes: Vec<Counted>,
    by_verbs: HashMap<Box<[u32]>, u32>,
    scratch: Vec<u32>,
    /// Shapes found last, by their verbs as bits.
    by_mask: Vec<(u64, u32)>,
    visit_shape: Vec<u32>,
    /// Visits of several verbs: first row, rows, shape.
    mixed: Vec<(u32, u32, u32)>,
    /// Positions of their rows' verbs in their shapes.
    positions: Vec<u32>,
}

/// Sets of verbs whose shapes are found without a hash of all of them.
const MASKS: usize = 256;

/// Verbs whose positions are looked up in a table.
const PLACES: usize = u64::BITS as usize;

fn position(verbs: &[u32], verb: u32) -> usize {
    let known = verbs.iter().position(|known| *known == verb);
    known.unwrap_or(0)
}

/// A shape, and how its visits went.
struct Counted {
    verbs: Box<[u32]>,
    /// Positions of small verbs among them.
    places: [u8; PLACES],
    visits: u32,
    /// How often each position came first; then, for each position, how often each came after it.
    follows: Vec<u32>,
}

impl Counted {
    /// The position that most often came first, then the one that most often came after each.
    fn next(&self) -> impl Iterator<Item = u32> + '_ {
        self.follows.chunks(self.verbs.len()).map(|counts| {
            let most = counts.iter().max().copied().unwrap_or(0);
            low32(counts.iter().position(|count| *count == most).unwrap_or(0))
        })
    }
}

/// What is stored of shapes and verbs.
#[derive(Debug, Default)]
pub(super) struct VerbColumns {
    pub(super) shape_len: Vec<u32>,
    pub(super) shape_verb: Vec<u32>,
    pub(super) shape_next: Vec<u32>,
    pub(super) visit_shape: Vec<u32>,
    pub(super) odd_row: Vec<u32>,
    pub(super) odd_verb: Vec<u32>,
}

impl Shapes {
    /// None yet, of so many visits and rows.
    pub(super) fn with_room(visits: usize, rows: usize) -> Self {
        Self {
            by_mask: vec![(0, 0); MASKS],
            visit_shape: Vec::with_capacity(visits),
            mixed: Vec::with_capacity(visits),
            positions: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds the next visit, which has these verbs and begins at this row; gives a code of its shape, not the one that is
    /// stored.
    pub(super) fn add_visit(&mut self, first_row: u32, (verbs, set): (&[u32], VerbSet)) -> u32 {
        let code = self.shape_of(verbs, set);
        self.visit_shape.push(code);
        let shape = &mut self.shapes[code as usize];
        shape.visits += 1;
        let count = shape.verbs.len();
        if count < 2 {
            return code;
        }
        self.mixed.push((first_row, low32(verbs.len()), code));
        let mut before = 0;
        let positions = verbs.iter().map(|verb| {
            let position = match shape.places.get(*verb as usize) {
                Some(place) => usize::from(*place),
                None => position(&shape.verbs, *verb),
            };
            shape.follows[before * count + position] += 1;
            before = position + 1;
            low32(position)
        });
        self.positions.extend(positions);
        code
    }

    fn shape_of(&mut self, verbs: &[u32], set: VerbSet) -> u32 {
        let Some(bits) = set.bits() else {
            return self.shape_of_set(verbs);
        };
        // No visit is without a verb.
        let slot = (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % MASKS;
        if self.by_mask[slot].0 != bits {
            self.by_mask[slot] = (bits, self.shape_of_set(verbs));
        }
        self.by_mask[slot].1
    }

    fn shape_of_set(&mut self, verbs: &[u32]) -> u32 {
        self.scratch.clear();
        for &verb in verbs {
            if !self.scratch.contains(&verb) {
                self.scratch.push(verb);
            }
        }
        self.scratch.sort_unstable();
        if let Some(shape) = self.by_verbs.get(self.scratch.as_slice()) {
            return *shape;
        }
        self.add(self.scratch.clone().into())
    }

    fn add(&mut self, verbs: Box<[u32]>) -> u32 {
        let shape = low32(self.shapes.len());
        self.by_verbs.insert(verbs.clone(), shape);
        self.shapes.push(Counted {
            visits: 0,
            places: std::array::from_fn(|verb| position(&verbs, low32(verb)) as u8),
            follows: vec![0; (verbs.len() + 1) * verbs.len()],
            verbs,
        });
        shape
    }

    /// Numbers the shapes, those with the most visits first, so that most numbers are short.
    pub(super) fn finish(self) -> VerbColumns {
        let mut order: Vec<usize> = (0..self.shapes.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&self.shapes[*a], &self.shapes[*b]);
            (b.visits, &a.verbs).cmp(&(a.visits, &b.verbs))
        });
        let mut numbers = vec![0; order.len()];
        let mut columns = VerbColumns::default();
        for (number, shape) in order.iter().enumerate() {
            numbers[*shape] = low32(number);
            let shape = &self.shapes[*shape];
            columns.shape_len.push(low32(shape.verbs.len()));
            columns.shape_verb.extend_from_slice(&shape.verbs);
            if shape.verbs.len() > 1 {
                columns.shape_next.extend(shape.next());
            }
        }
        let visits = self.visit_shape.iter();
        columns.visit_shape = visits.map(|shape| numbers[*shape as usize]).collect();
        self.odd_rows(&mut columns);
        columns
    }

    fn odd_rows(&self, columns: &mut VerbColumns) {
        let next: Vec<Vec<u32>> = self
            .shapes
            .iter()
            .map(|shape| shape.next().collect())
            .collect();
        let mut rest = self.positions.as_slice();
        for &(first_row, rows, shape) in &self.mixed {
            let (own, after) = rest.split_at(rows as usize);
            rest = after;
            let next = &next[shape as usize];
            let mut expected = next[0];
            for (row, &position) in (first_row..).zip(own) {
                if position != expected {
                    columns.odd_row.push(row);
                    columns.odd_verb.push(position);
                }
                expected = next[position as usize + 1];
            }
        }
    }
}

/// A segment has fewer than 2³² rows, which is checked before anything is written.
fn low32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_go_another_way_are_stored() {
        let mut shapes = Shapes::with_room(5, 12);
        let mut add = |row, verbs: &[u32]| shapes.add_visit(row, (verbs, VerbSet::of(verbs)));
        add(0, &[7]);
        add(1, &[3, 5, 3, 5]);
        add(5, &[3, 5, 5, 3]);
        add(9, &[7, 7]);
        add(11, &[7]);
        let columns = shapes.finish();
        assert_eq!(columns.visit_shape, [0, 1, 1, 0, 0]);
        assert_eq!(columns.shape_len, [1, 2]);
        assert_eq!(columns.shape_verb, [7, 3, 5]);
        assert_eq!(columns.shape_next, [0, 1, 0]);
        assert_eq!(columns.odd_row, [7]);
        assert_eq!(columns.odd_verb, [1]);
    }
}

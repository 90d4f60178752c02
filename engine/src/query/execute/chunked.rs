//! Values that grow to millions without ever being moved.
//!
//! A list that doubles copies all it has, into pages that the system has to clear first: of some hundred megabytes that
//! is a quarter of a second in which a query cannot be stopped, and three times the memory.

use std::ops::{Index, IndexMut, Range};

use crate::query::unwaited::Many;

/// A list in chunks.
#[derive(Clone, Debug)]
pub(super) struct Chunked<T> {
    /// All but the last have [`CHUNK`] values.
    chunks: Vec<Vec<T>>,
}

const CHUNK_BITS: u32 = 16;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Which chunk a value is in, and where there.
#[inline]
fn place(at: usize) -> (usize, usize) {
    (at >> CHUNK_BITS, at % CHUNK)
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Chunked<T> {
    /// So many values, each the default.
    pub(super) fn defaults(count: usize) -> Self
    where
        T: Clone + Default,
    {
        let chunks = (0..count).step_by(CHUNK);
        let chunks = chunks.map(|at| vec![T::default(); CHUNK.min(count - at)]);
        Self {
            chunks: chunks.collect(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1);
        (full << CHUNK_BITS) + self.chunks.last().map_or(0, Vec::len)
    }

    /// Appends a value.
    pub(super) fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(value),
            // The first one grows; where there are more it does not matter.
            None => self.chunks.push(vec![value]),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(value);
                self.chunks.push(chunk);
            }
        }
    }

    /// One of them, if it is there.
    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        let (chunk, at) = place(at);
        self.chunks.get_mut(chunk)?.get_mut(at)
    }

    /// One of them, if it is there.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        let (chunk, at) = place(at);
        self.chunks.get(chunk)?.get(at)
    }

    /// All.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// All.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }

    /// Those of a range, as far as they are there.
    pub(super) fn range(&self, range: Range<usize>) -> impl Iterator<Item = &T> {
        let (first, skipped) = place(range.start);
        let chunks = self.chunks.get(first..).unwrap_or_default();
        chunks.iter().flatten().skip(skipped).take(range.len())
    }

    /// Those of a range, as far as they are there.
    pub(super) fn range_mut(&mut self, range: Range<usize>) -> impl Iterator<Item = &mut T> {
        let (first, skipped) = place(range.start);
        let chunks = self.chunks.get_mut(first..).unwrap_or_default();
        chunks.iter_mut().flatten().skip(skipped).take(range.len())
    }

    /// How many bytes it takes, without what its values own.
    pub(super) fn bytes(&self) -> usize {
        let capacity = |chunk: &Vec<T>| chunk.capacity() * size_of::<T>();
        self.chunks.iter().map(capacity).sum()
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        let (chunk, at) = place(at);
        &self.chunks[chunk][at]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        let (chunk, at) = place(at);
        &mut self.chunks[chunk][at]
    }
}

impl<T: Send + 'static> Many for Chunked<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        for count in [0, 1, 5, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
            let list: Vec<usize> = (0..count).map(|at| at * 3).collect();
            let mut chunked = Chunked::default();
            list.iter().for_each(|value| chunked.push(*value));
            assert_eq!(chunked.len(), count);
            assert!(chunked.iter().eq(&list));
            assert!(chunked.bytes() >= size_of_val(list.as_slice()));
            assert_eq!(chunked.get(count), None);
            assert_eq!(chunked.get_mut(count), None);
            for range in [0..0, 0..count, 1..count + 9, CHUNK - 1..CHUNK + 3] {
                let here = range.start.min(count)..range.end.min(count);
                assert!(chunked.range(range.clone()).eq(&list[here.clone()]));
                assert!(chunked.range_mut(range).eq(&list[here]));
            }
            if let Some(last) = count.checked_sub(1) {
                chunked[last] += 1;
                assert_eq!(
                    (chunked[last], chunked[0]),
                    (last * 3 + 1, list[0] + usize::from(last == 0))
                );
            }
            let zeros = Chunked::<u64>::defaults(count);
            assert_eq!(
                (zeros.len(), zeros.iter().max()),
                (count, (count > 0).then_some(&0))
            );
        }
    }
}

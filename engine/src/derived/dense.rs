//! Sums by a row and a column of a table that has all of them.

use super::table::MEASURES_MAX;

/// Sums by a dense index, with the indices that were touched.
pub(super) struct Dense {
    width: usize,
    /// With room for one more, so that they are added at once.
    sums: Vec<[u32; MEASURES_MAX + 1]>,
    /// A bit for each index.
    touched: Vec<u64>,
}

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

impl Dense {
    /// Nothing added yet.
    pub(super) fn new(height: usize, width: usize) -> Self {
        Self {
            width,
            sums: vec![[0; MEASURES_MAX + 1]; height * width],
            touched: vec![0; (height * width).div_ceil(WORD)],
        }
    }

    /// Adds rows, of which there is one at least.
    #[inline]
    pub(super) fn add(
        &mut self,
        (row, column): (usize, usize),
        [rows, second, third]: [u32; MEASURES_MAX],
    ) {
        let index = row * self.width + column;
        self.touched[index / WORD] |= 1 << (index % WORD);
        let sums = self.sums[index].iter_mut();
        for (sum, more) in sums.zip([rows, second, third, 0]) {
            *sum += more;
        }
    }

    /// Gives all cells that were added to, in order, and forgets them.
    pub(super) fn drain(&mut self, mut cell: impl FnMut(u32, u32, [u32; MEASURES_MAX])) {
        for (word, touched) in self.touched.iter_mut().enumerate() {
            let mut left = std::mem::take(touched);
            while left != 0 {
                let index = word * WORD + left.trailing_zeros() as usize;
                left &= left - 1;
                let (row, column) = ((index / self.width) as u32, (index % self.width) as u32);
                let [rows, second, third, _] = std::mem::take(&mut self.sums[index]);
                cell(row, column, [rows, second, third]);
            }
        }
    }
}

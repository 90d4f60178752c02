//! A seed to rows, queries and files, and two engines to where they differ.
//!
//! Everything follows from the seed, so a difference that was found once is found again.
//!
//! | file | turns into what |
//! |---|---|
//! | `rows`, `hub` | a seed to a small log, and to a publisher CSV, in which everything collides |
//! | `query`, `fine` | a seed and what a store holds to a query about it |
//! | `analysis` | a seed and what a store holds to a question made of queries |
//! | `text` | a query to one of its texts |
//! | `files` | what a store shall hold to files of an export, in several deliveries |
//! | `stored` | content to a real store |
//! | `compare` | two answers to their difference; a difference to a small one |

pub mod analysis;
pub mod compare;
pub mod files;
pub mod fine;
pub mod hub;
pub mod query;
pub mod rows;
pub mod stored;
pub mod text;

use footfall_engine::schema::Row;

use crate::naive::HubRows;
use rows::Shape;

/// All that a store shall hold.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The log, in any order.
    pub rows: Vec<Row>,
    /// The publisher CSV, if there is one.
    pub hub: Option<HubRows>,
}

impl Content {
    /// Any content of up to 400 requests and 40 days.
    pub fn any(rng: &mut Rng) -> Self {
        let shape = Shape::any(rng);
        let mut rows = rows::random_rows(rng, &shape);
        if rng.percent(15) {
            rows::make_wild(rng, &mut rows);
        }
        let hub = rng.percent(40).then(|| hub::random_hub(rng, &shape, &rows));
        Self { rows, hub }
    }
}

/// A sequence of numbers that follows from a seed (SplitMix64, by Steele, Lea and Flood).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % limit).unwrap_or(0)
    }

    /// True in that many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several; there must be one.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// Any order of the same.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

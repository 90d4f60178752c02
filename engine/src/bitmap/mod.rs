//! Ids to exact sets that can be merged: dense in memory, compressed on disk.
//!
//! A query counts distinct downloaders by marking their ids in a [`BitSet`], about a nanosecond each. Sets that
//! are kept (days of a repo, downloaders of a month) are [`StoredSet`]s: merging them marks a `BitSet`
//! straight from their bytes, without decoding them first.
//!
//! ```
//! use footfall_engine::bitmap::{BitSet, StoredSet, encode_set};
//!
//! let mut bytes = Vec::new();
//! encode_set(&[3, 5, 900], &mut bytes)?;
//! let mut union = BitSet::new(1000);
//! union.insert_all(&[5, 6])?;
//! StoredSet::parse(&bytes)?.union_into(&mut union)?;
//! assert_eq!(union.iter().collect::<Vec<_>>(), [3, 5, 6, 900]);
//! # Ok::<(), footfall_engine::Error>(())
//! ```
//!
//! # Invariants
//!
//! 1. An id outside of a set's range is an error, never left out: an answer would be wrong
//!    (`bit_set::tests::ids_outside_are_corrupt`).
//! 2. Damaged bytes never panic and never reserve more than they justify; what is accepted is canonical, so
//!    that the count in the header is the count of ids (`stored_set::tests::flips_never_panic`).
//! 3. Merging a stored set marks what the roaring crate decodes (`roaring::tests`).
//!
//! # On disk
//!
//! `format-spec/sets.md`.
//!
//! # Not here
//!
//! Estimates of sets (`sketch`).
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod bit_set;
mod rank_set;
mod roaring;
mod stored_set;

pub use bit_set::BitSet;
pub use rank_set::RankSet;
pub use stored_set::{SET_KINDS, StoredSet, encode_set};

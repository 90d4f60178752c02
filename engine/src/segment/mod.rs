//! Rows of one day to one immutable file, and back.
//!
//! [`build`] sorts [`DayRows`] and turns them into the bytes of a segment; [`Segment`] reads them; [`merge`] makes
//! one segment's rows of several.
//!
//! # Invariants
//!
//! 1. Rows are sorted by (repo code, downloader id with none last, ts, input order).
//! 2. A repo is one range of visits and one range of rows; a visit is all rows of one downloader in
//!    one repo; requests without identity are one visit, the repo's last.
//! 3. The same rows give the same bytes.
//! 4. Every page has its own checksum; nothing read from a page is used as an index unchecked.
//!
//! # On disk
//!
//! `format-spec/segment.md`.
//!
//! # Limits
//!
//! A segment has fewer than 2³² rows, for all its page values are 32 bits wide.
//!
//! # Not here
//!
//! Which codes mean what (`dictionary`), which file is which segment (`catalog`).

mod accepted;
mod accepted_list;
mod at_hand;
mod at_hand_columns;
mod build;
pub mod column;
mod firsts;
mod merge;
mod odd_rows;
mod order;
mod reader;
mod rows;
mod scan;
mod sessions;
mod shapes;
mod sorted;
mod tailed;
mod verbs;

pub use accepted::{Accepted, AcceptedVisits};
pub use accepted_list::AcceptedList;
pub use at_hand::{Spare, VisitsAtHand};
pub use at_hand_columns::AttributeAtHand;
pub use build::{Acceptance, SECTIONS, build, build_sorted};
pub use column::Attribute;
pub use firsts::FirstInstants;
pub use merge::{merge, to_rows};
pub use odd_rows::OddRows;
pub use reader::{RepoRange, Segment, SegmentMeta};
pub use rows::DayRows;
pub use scan::{RunSlice, VisitSlice};
pub use shapes::{ShapeTable, ShapeVerbs};
pub use sorted::{SortedRows, Values, VisitValues};
pub use tailed::{TailedPart, TailedRow, TailedRows};

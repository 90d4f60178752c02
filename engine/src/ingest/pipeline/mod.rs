//! Files to a commit: the ingest itself.
//!
//! Three kinds of work, all on the same few threads, and one coordinator:
//!
//! 1. *read and parse* (`work`): a file is cut into blocks; any worker turns a block into a
//!    `Piece`, whose codes are the piece's own;
//! 2. *map* (`coordinator`): pieces arrive in (file, block) order and get the store's codes, so codes
//!    do not depend on how many threads there are;
//! 3. *build* (`day`): the pieces of a day become its segment and cells.
//!
//! A group of whole files is one commit; see `Options::group_rows`. It is made while the next files are taken (`commit`).
//! With the last come the derived files of months (`months`).
//!
//! # Invariants
//!
//! 1. A file is in the commit with all its rows, in all its days, or not at all.
//! 2. `lines = rows + rejected + blank or header`, for every file; checked, not assumed.
//! 3. The same files give the same bytes on any number of threads.

mod commit;
mod coordinator;
mod current_file;
mod day;
mod dictionaries;
mod discover;
mod group;
mod hours;
mod local;
mod months;
mod options;
mod piece;
mod pool;
mod receipt;
mod rejects;
mod row_hash;
mod spooled;
mod stage;
mod work;

pub use coordinator::ingest;
pub use options::{Options, Progress};
pub use receipt::{FileReceipt, Outcome, Receipt, Taken, Upkeep};
pub(crate) use row_hash::row_hash;
pub use spooled::ingest_spooled;
pub use stage::StageTime;

//! Keys to codes, and back: what segments store instead of text.
//!
//! Two kinds. [`Names`] holds what there are few of (methods with statuses, repos, places, user-agent
//! templates, extra columns) and is read whole into memory. [`identity`] holds the hashes of accounts
//! and addresses, of which there are many: its keys stay in mapped files and are found through lookup
//! runs.
//!
//! # Invariants
//!
//! 1. A code never changes its key, and codes are given in (file, line) order.
//! 2. Key files are the truth; lookup runs are derived from them and can be rebuilt.
//! 3. A key has no NUL byte except between its fields, because no field of a log line may have one.
//!
//! # On disk
//!
//! `format-spec/dictionary.md`.
//!
//! # To add a dictionary of names
//!
//! Its variant and row in [`names::NAMES`]; nothing else is touched on disk, for a reader leaves
//! sections that it does not know alone.

pub mod agents;
pub mod identity;
pub mod names;
pub mod template;
mod text;

pub use identity::{IdentityKeys, IdentityWriter};
pub use names::Names;
pub use text::TextDictionary;

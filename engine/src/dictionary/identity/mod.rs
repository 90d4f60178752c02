//! Hashes of accounts and addresses to downloader ids, and back.
//!
//! A key is a kind and a text. Key files, one for each commit that brings new keys, hold them in id
//! order; texts that are an even number of lower-case hex digits are packed to half their length.
//! Lookup runs, derived from key files, find the id of a key; ids that no run covers yet are read
//! into memory when a writer opens.
//!
//! Ids start at 1; 0 is "no identity".

mod checked;
mod key;
mod keys;
mod lookup;
mod new_keys;
mod table;
mod writer;

pub use key::{Fingerprint, FingerprintMap, IdentityKey, WantedKey, fingerprint, pack_into};
pub use keys::{IdentityKeys, KEY_SECTIONS, KeyChunk, encode_keys};
pub use lookup::{LOOKUP_SECTIONS, LookupRun, encode_lookup};
pub use writer::IdentityWriter;

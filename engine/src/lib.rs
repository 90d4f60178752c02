//! Footfall's engine: download logs in, exact answers out.
//!
//! # Layers
//!
//! A module imports only modules of lower layers (`tests/tests/tidy.rs` reads this table).
//!
//! | layer | module | does |
//! |--:|---|---|
//! | 11 | `output` | an Answer to bytes: table, tsv, csv, json …; used by CLI and server |
//! | 10 | `store` | the facade: open, ingest, query, compact, verify |
//! | 9 | `analysis` | questions made of queries: retention, overlap, spikes, reconcile |
//! | 8 | `ingest` | log files to segments |
//! | 8 | `compaction` | segments to fewer |
//! | 8 | `query` | a query to an answer |
//! | 7 | `catalog` | manifest, snapshots, commit, ledger, garbage, upkeep of derived files |
//! | 6 | `segment` | rows of one day to one immutable file, and back |
//! | 6 | `derived` | cells, series, histories, unions: what can be rebuilt of a day, of a month |
//! | 6 | `dictionary` | keys to codes, and back |
//! | 6 | `hub` | the publisher CSV to its stored form, and back |
//! | 6 | `settings` | what a store remembers of its owner's wishes |
//! | 6 | `rules` | counting rules: what is a download |
//! | 6 | `metrics` | what can be counted |
//! | 5 | `encoding` | values to page payloads, and back |
//! | 5 | `sketch` | identities to mergeable estimates |
//! | 5 | `bitmap` | ids to mergeable exact sets |
//! | 4 | `layout` | fixed byte layouts, pure |
//! | 3 | `schema` | what a request is |
//! | 3 | `storage` | the only module that touches the operating system |
//! | 2 | `units` | numbers that say what they count |
//! | 1 | `error` | what went wrong, where, what to do |

pub mod analysis;
pub mod bitmap;
pub mod catalog;
pub mod compaction;
pub mod derived;
pub mod dictionary;
pub mod encoding;
pub mod error;
pub mod hub;
pub mod ingest;
pub mod layout;
pub mod metrics;
pub mod output;
pub mod query;
pub mod rules;
pub mod schema;
pub mod segment;
pub mod settings;
pub mod sketch;
pub mod storage;
pub mod store;
pub mod units;

pub use error::{Error, ErrorKind, Result};

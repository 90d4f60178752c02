//! A page's address and something that answers queries to the page's HTML.
//!
//! ```text
//! address --State--> queries --Ask--> answers --panels--> HTML
//! ```
//!
//! # Invariants
//!
//! 1. A page is whole without script: links and forms do everything, charts are SVG with a table beside them.
//! 2. The whole state of a page is its address; [`State::href`] and [`State::parse`] are inverse (property test).
//! 3. Every number comes from one query, whose text the page shows.
//! 4. Nothing is loaded from elsewhere; no page has inline script or style.
//!
//! # Not here
//!
//! HTTP, tokens and limits (`footfall-server`), what a query means (the engine).
#![forbid(unsafe_code)]

mod address;
mod ask;
pub mod asset;
mod chart;
mod country;
mod definition;
mod detail;
mod number;
mod page;
mod panel;
mod period;
mod receipt;
mod sheet;
mod state;
mod threads;

pub use ask::{Ask, Viewer};
pub use detail::{Detail, Export, ExportFormat};
pub use page::{Page, brief, login, notice, panel_ids, render, report};
pub use state::{Place, Sort, State, Tab};

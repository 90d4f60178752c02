//! Visits and rows that are kept decoded in memory to groups: what is answered without reading a page.
//!
//! Two things are kept, each once it was asked for often enough and as long as there is room for it:
//!
//! - the visits of a segment, all of its repos (`segment::VisitsAtHand`): a day is asked for again and again;
//! - the visits of a repo, of some days at once, and its rows (`catalog::repo_visits`, `catalog::repo_rows`): a repo is.
//!
//! | module | what it walks |
//! |---|---|
//! | `columns` | visits of a segment as columns, which the next three look at |
//! | `downloaders` | codes of one attribute to sets of downloaders |
//! | `requests` | sums of requests |
//! | `few` | the few visits that conditions keep, one by one, whatever is asked |
//! | `hits` | shapes, codes and downloaders, side by side, to those that count |
//! | `repo_days` | visits of few repos to sets of downloaders |
//! | `repo_rows` | the same and their rows, whatever is asked but downloads |
//!
//! `scan` asks `repo_days` and `repo_rows` first, then opens the day's segment; `sieve` and `ranked` ask the others before
//! they decode.
//!
//! # Not here
//!
//! What is kept, and when: `portions` says how much a question reads of a segment, `segment` and `catalog` decide.

mod columns;
mod downloaders;
mod few;
mod hits;
mod repo_days;
mod repo_rows;
mod requests;

pub(super) use hits::{CodedVisits, Hits};
pub(super) use repo_days::{RepoDays, together};
pub(super) use repo_rows::RepoRowDays;

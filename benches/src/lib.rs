//! Helpers shared by the benchmarks.
#![forbid(unsafe_code)]

pub mod ask;

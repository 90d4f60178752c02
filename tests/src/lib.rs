//! The naive evaluator and helpers shared by the workspace tests.
#![forbid(unsafe_code)]

pub mod naive;

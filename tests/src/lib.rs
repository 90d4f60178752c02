//! The naive evaluator and helpers shared by the workspace tests.
#![forbid(unsafe_code)]

pub mod naive;
pub mod random;
pub mod support;

/// The examples of the spec.
#[cfg(doctest)]
mod spec {
    #[doc = include_str!("../../format-spec/README.md")]
    struct Readme;
    #[doc = include_str!("../../format-spec/encodings.md")]
    struct Encodings;
    #[doc = include_str!("../../format-spec/sets.md")]
    struct Sets;
}

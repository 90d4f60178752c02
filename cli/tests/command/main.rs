//! The real program: messages, exit codes, formats, and what becomes of a store.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod analyses;
mod bad_input;
mod check;
mod doors;
mod everyday;
mod rules;
mod scene;
mod served;
mod server;
mod sets;
mod sketches;

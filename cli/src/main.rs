//! The `footfall` command.
#![forbid(unsafe_code)]

fn main() {}

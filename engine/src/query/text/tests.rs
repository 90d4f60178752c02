//! Texts to queries, to texts again, and to errors with their place.

mod canonical;
mod laws;
mod mistakes;

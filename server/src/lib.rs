//! Serves a store over the line protocol and HTTP.
#![forbid(unsafe_code)]

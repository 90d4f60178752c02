//! The line protocol, without I/O: frames, commands and replies to and from bytes.
#![forbid(unsafe_code)]

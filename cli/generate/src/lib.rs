//! Seeded logs and publisher CSVs that look like the Hub's.
#![forbid(unsafe_code)]

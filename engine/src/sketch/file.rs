//! A sketch and what it is a sketch of to a file, and back: what stores hand each other.

use std::collections::BTreeSet;

use super::{HASH_IDENTITY, PRECISION, Sketch};
use crate::error::{Error, Result};
use crate::layout::{FileBuilder, FileKind, FileView, SectionId};

/// How hashes and registers are made.
const MAKE: SectionId = SectionId(1);
/// The registers.
const REGISTERS: SectionId = SectionId(2);
/// What was sketched.
const TEXTS: SectionId = SectionId(3);

/// Sections of a sketch's file, and what they hold.
pub const SKETCH_SECTIONS: [(u32, &str); 3] = [
    (MAKE.0, "hash id and precision, a byte each"),
    (REGISTERS.0, "registers"),
    (TEXTS.0, "queries that were sketched, a line each"),
];

/// A sketch that says what it is a sketch of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SketchFile {
    /// The sketch.
    pub sketch: Sketch,
    /// Canonical texts of the queries whose downloaders are in it.
    pub queries: BTreeSet<String>,
}

impl SketchFile {
    /// Adds all that is in another.
    pub fn merge(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        self.queries.extend(other.queries.iter().cloned());
    }

    /// Its file; the same sketch of the same queries has the same bytes.
    ///
    /// # Errors
    ///
    /// `Invalid` for a query's text of several lines.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut texts = String::new();
        for query in &self.queries {
            if query.is_empty() || query.contains('\n') {
                return Err(Error::invalid(format!("query {query:?} is not one line")));
            }
            texts.push_str(query);
            texts.push('\n');
        }
        let mut file = FileBuilder::new(FileKind::Sketch);
        file.section(MAKE, &[HASH_IDENTITY, PRECISION])
            .section(REGISTERS, &self.sketch.to_bytes())
            .section(TEXTS, texts.as_bytes());
        file.finish()
    }

    /// The sketch in a file.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged or none; `Unsupported` for another hash or precision, or a newer version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let file = FileView::parse(bytes, FileKind::Sketch)?;
        match file.section_required(MAKE)? {
            [HASH_IDENTITY, PRECISION] => {}
            [hash, precision] => {
                let message = format!(
                    "sketch of hash {hash} with precision {precision}, expected {HASH_IDENTITY} with {PRECISION}"
                );
                return Err(Error::unsupported(message));
            }
            other => {
                let message = format!("sketch says in {} bytes how it was made", other.len());
                return Err(Error::corrupt(message));
            }
        }
        let sketch = Sketch::from_bytes(file.section_required(REGISTERS)?)?;
        let texts = std::str::from_utf8(file.section_required(TEXTS)?)
            .map_err(|_| Error::corrupt("sketch has texts that are not UTF-8"))?;
        let lines: Vec<&str> = texts.lines().collect();
        if !lines.is_sorted_by(|a, b| a < b) {
            return Err(Error::corrupt("sketch has its texts out of order"));
        }
        let queries = lines.into_iter().map(str::to_owned).collect();
        Ok(Self { sketch, queries })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hashes, sketch_of};
    use super::*;
    use crate::error::ErrorKind;

    fn sample(count: usize, query: &str) -> SketchFile {
        SketchFile {
            sketch: sketch_of(&hashes(7, count)),
            queries: BTreeSet::from([query.to_owned()]),
        }
    }

    #[test]
    fn a_file_comes_back() -> Result<()> {
        let mut merged = sample(900, "downloaders where country = DE");
        merged.merge(&sample(2_000, "downloaders"));
        for file in [SketchFile::default(), merged] {
            assert_eq!(SketchFile::from_bytes(&file.to_bytes()?)?, file);
        }
        Ok(())
    }

    #[test]
    fn damage_and_other_makes_are_told_apart() -> Result<()> {
        let bytes = sample(5, "downloaders").to_bytes().unwrap();
        for index in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[index] ^= 1;
            assert!(SketchFile::from_bytes(&flipped).is_err(), "byte {index}");
        }
        let mut other = FileBuilder::new(FileKind::Sketch);
        other.section(MAKE, &[2, PRECISION]);
        let error = SketchFile::from_bytes(&other.finish()?).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(sample(1, "two\nlines").to_bytes().is_err());
        Ok(())
    }
}

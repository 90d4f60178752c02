//! Files of the repository to what tests compare: paths, source files, tables of the spec.

use std::path::{Path, PathBuf};

use footfall_engine::encoding;
use footfall_engine::layout::EncodingId;

/// The repository's root.
#[must_use]
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// A real input, which is not part of the repository, if it is there; else says that a test is skipped.
#[must_use]
#[expect(
    clippy::print_stdout,
    reason = "whoever runs the tests is told what they skip"
)]
pub fn shared(name: &str) -> Option<PathBuf> {
    // Beside the repository, or one further up beside a second work tree of it.
    let places = ["../shared/data", "../../shared/data"];
    let found = places
        .iter()
        .map(|place| root().join(place).join(name))
        .find(|path| path.exists());
    if found.is_none() {
        println!("skipped: ../shared/data/{name} is not there");
    }
    found
}

/// The text of a file of the repository; empty when there is none.
#[must_use]
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Paths of all files below `dir` whose names end in `ending`, relative to the root and in order.
#[must_use]
pub fn files(dir: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![root().join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" {
                dirs.push(path);
            } else if name.ends_with(ending) {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

/// The body of the table that a file of `format-spec/` marks with `<!-- table: name -->`, as trimmed cells;
/// empty when there is none.
#[must_use]
pub fn spec_table(file: &str, name: &str) -> Vec<Vec<String>> {
    table(&text(&format!("format-spec/{file}")), name)
}

/// As [`spec_table`], of a text.
#[must_use]
pub fn table(text: &str, name: &str) -> Vec<Vec<String>> {
    let mark = format!("<!-- table: {name} -->");
    // The mark, the heads and the line under them come before the body.
    text.lines()
        .skip_while(|line| line.trim() != mark)
        .skip(3)
        .take_while(|line| line.trim() != "<!-- end -->")
        .map(cells)
        .collect()
}

/// The trimmed cells of a line of a table.
#[must_use]
pub fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The payload of values in the encoding with that id; empty when it cannot represent them.
/// For the examples of the spec.
#[must_use]
pub fn payload(id: u8, values: &[u32]) -> Vec<u8> {
    let mut payload = Vec::new();
    if let Ok(encoding) = encoding::by_id(EncodingId(id)) {
        encoding.encode(values, &mut payload);
    }
    payload
}

fn relative(path: &Path) -> String {
    let relative: PathBuf = path.strip_prefix(root()).unwrap_or(path).into();
    relative.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_what_is_between_its_marks() {
        let text = "<!-- table: a -->\n| x |\n| - |\n| no |\n<!-- end -->\n\
                    <!-- table: b -->\n| x | y |\n| - | - |\n| 1 |  |\n| `c` | d e |\n<!-- end -->\n| z |\n";
        assert_eq!(table(text, "b"), [["1", ""], ["`c`", "d e"]]);
        assert!(table(text, "c").is_empty());
    }
}

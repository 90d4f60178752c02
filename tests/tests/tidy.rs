//! Properties of the source itself: layers, module docs, file length, words, names at the top level.

use std::collections::HashMap;

use footfall_tests::support::{cells, files, root, text};

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 600;
/// What a person sees in the root, beside dot files and what `.gitignore` names.
const TOP_LEVEL: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "cli",
    "engine",
    "format-spec",
    "server",
    "tests",
];
const SOURCE_DIRS: [&str; 5] = ["engine", "server", "cli", "tests", "benches"];
/// The one file that may hold `unsafe`.
const UNSAFE_FILE: &str = "engine/src/storage/map.rs";
/// Words that the vocabulary replaces and that have no other use here.
const NOT_WORDS: [(&str, &str); 6] = [
    ("codec", "encoding"),
    ("shard", "partition"),
    ("stripe", "page"),
    ("trailer", "footer"),
    ("visitor", "downloader"),
    ("materialized", "derived"),
];
/// This file names what it forbids.
const OWN_PATH: &str = "tests/tests/tidy.rs";

type Layers = HashMap<String, u32>;

#[test]
fn sources_are_tidy() {
    let layers = layers(&text("engine/src/lib.rs"));
    assert!(layers.len() > 10, "no layer table in engine/src/lib.rs");
    let mut errors = Vec::new();
    for path in SOURCE_DIRS.iter().flat_map(|dir| files(dir, ".rs")) {
        errors.extend(untidy(&path, &text(&path), &layers));
    }
    for path in files("format-spec", ".md") {
        errors.extend(wrong_words(&path, &text(&path)));
    }
    errors.extend(wrong_words("README.md", &text("README.md")));
    assert!(errors.is_empty(), "\n{}", errors.join("\n"));
}

#[test]
fn top_level_is_fixed() {
    let names: Vec<_> = std::fs::read_dir(root())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let stray = stray_names(&names, &text(".gitignore"));
    assert!(stray.is_empty(), "not at the top level: {stray:?}");
}

/// Layer of each engine module, from the table in the crate docs.
fn layers(crate_docs: &str) -> Layers {
    let rows = crate_docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! |"));
    rows.filter_map(|row| {
        let row = cells(row);
        let (layer, module) = (row.first()?.parse().ok()?, row.get(1)?);
        Some((module.trim_matches(['[', ']', '`']).to_owned(), layer))
    })
    .collect()
}

fn untidy(path: &str, text: &str, layers: &Layers) -> Vec<String> {
    let mut errors = wrong_words(path, text);
    if !text.starts_with("//! ") {
        errors.push(format!("{path}:1: no module docs on the first line"));
    }
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let line_count = code.lines().count();
    if line_count > FILE_LINES_MAX {
        errors.push(format!(
            "{path}: {line_count} lines, the most is {FILE_LINES_MAX}"
        ));
    }
    if path != UNSAFE_FILE && path != OWN_PATH {
        for (line, _) in numbered(text).filter(|(_, line)| allows_unsafe(line)) {
            errors.push(format!("{path}:{line}: unsafe belongs to {UNSAFE_FILE}"));
        }
    }
    if let Some(inner) = path.strip_prefix("engine/src/") {
        errors.extend(wrong_imports(path, inner, code, layers));
    }
    errors
}

/// `inner` is the path below `engine/src/`.
fn wrong_imports(path: &str, inner: &str, code: &str, layers: &Layers) -> Vec<String> {
    let module = inner.split(['/', '.']).next().unwrap_or(inner);
    if module == "lib" {
        return Vec::new();
    }
    let Some(own) = layers.get(module) else {
        return vec![format!(
            "{path}: module {module} has no layer in engine/src/lib.rs"
        )];
    };
    let code = without_comments(code);
    let line_at = |offset: usize| code[..offset].matches('\n').count() + 1;
    let mut errors = Vec::new();
    for (offset, found) in code.match_indices("crate::") {
        // `$crate::` of a macro is one too; `other_crate::` is not.
        if code[..offset].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        for used in used_modules(&code[offset + found.len()..]) {
            if used != module && layers.get(used).is_some_and(|layer| layer >= own) {
                errors.push(format!(
                    "{path}:{}: {module} must not use {used}",
                    line_at(offset)
                ));
            }
        }
    }
    let depth = inner.trim_end_matches("/mod.rs").split('/').count();
    let out_of_module = "super::".repeat(depth);
    if let Some(offset) = code.find(&out_of_module) {
        let line = line_at(offset);
        errors.push(format!(
            "{path}:{line}: {out_of_module} leaves the module, write crate::"
        ));
    }
    errors
}

/// The first names of what follows `crate::`: a path or a group of paths.
fn used_modules(paths: &str) -> Vec<&str> {
    let first_name = |path: &str| -> usize {
        path.find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(path.len())
    };
    let Some(group) = paths.strip_prefix('{') else {
        return vec![&paths[..first_name(paths)]];
    };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, c) in group.char_indices() {
        if depth == 0 && matches!(c, ',' | '}') {
            let path = group[start..index].trim();
            names.push(&path[..first_name(path)]);
            start = index + 1;
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// The same lines, with those that are comments left empty.
fn without_comments(code: &str) -> String {
    let lines = code.lines();
    let kept = lines.map(|line| {
        if line.trim_start().starts_with("//") {
            ""
        } else {
            line
        }
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn wrong_words(path: &str, text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if path == OWN_PATH {
        return errors;
    }
    for (number, line) in numbered(text) {
        for word in line.split(|c: char| !c.is_alphanumeric()) {
            let not_words = NOT_WORDS.iter();
            for (_, instead) in
                not_words.filter(|(wrong, _)| word.strip_suffix('s').unwrap_or(word) == *wrong)
            {
                errors.push(format!("{path}:{number}: say {instead}, not {word}"));
            }
        }
    }
    errors
}

fn allows_unsafe(line: &str) -> bool {
    line.contains("unsafe_code") && !line.contains("forbid(") && !line.contains("deny(")
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line))
}

fn stray_names(names: &[String], gitignore: &str) -> Vec<String> {
    let is_ignored = |name: &str| {
        let mut lines = gitignore.lines();
        lines.any(|line| line.trim_matches('/') == name)
    };
    let names = names.iter();
    names
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .filter(|name| !is_ignored(name))
        .cloned()
        .collect()
}

/// What tidy says about a file, with layers a = 1, b = 2, c = 2.
fn says(path: &str, text: &str) -> Vec<String> {
    let table = "//! | layer | module | does |\n//! |--:|---|---|\n//! | 2 | `b` | x |\n//! | 2 | [`c`] | x |\n//! | 1 | `a` | x |\n";
    untidy(path, text, &layers(table))
}

#[test]
fn tidy_sees_an_upward_import() {
    let path = "engine/src/a/x.rs";
    let message = "engine/src/a/x.rs:2: a must not use b";
    for code in [
        "use crate::b::B;",
        "use crate::{a, b::{B, C}};",
        "pub use crate::b;",
        "fn f() -> crate::b::B {}",
    ] {
        assert_eq!(
            says(path, &format!("//! Doc.\n{code}\n")),
            [message],
            "{code}"
        );
    }
    for code in [
        "use crate::a::x;",
        "use crate::{Error, a};",
        "// See crate::b.",
        "use my_crate::b;",
        "#[cfg(test)]\nmod tests {\n    use crate::b;\n}",
    ] {
        let none: [&str; 0] = [];
        assert_eq!(says(path, &format!("//! Doc.\n{code}\n")), none, "{code}");
    }
}

#[test]
fn tidy_sees_neighbours_that_use_each_other() {
    let errors = says("engine/src/b.rs", "//! Doc.\n\nuse crate::{a::A, c};\n");
    assert_eq!(errors, ["engine/src/b.rs:3: b must not use c"]);
}

#[test]
fn tidy_sees_an_import_around_the_layers() {
    let escape = "//! Doc.\nuse super::super::b;\n";
    assert_eq!(says("engine/src/a/x.rs", escape).len(), 1);
    assert_eq!(says("engine/src/a/x/y.rs", escape).len(), 0);
    assert_eq!(
        says("engine/src/a/mod.rs", "//! Doc.\nuse super::b;\n").len(),
        1
    );
    assert_eq!(
        says("engine/src/a.rs", "//! Doc.\nuse super::b;\n").len(),
        1
    );
}

#[test]
fn tidy_sees_a_module_without_a_layer() {
    let errors = says("engine/src/new/mod.rs", "//! Doc.\n");
    assert_eq!(
        errors,
        ["engine/src/new/mod.rs: module new has no layer in engine/src/lib.rs"]
    );
}

#[test]
fn tidy_sees_missing_docs_and_long_files() {
    let missing = says("cli/src/x.rs", "use std::io;\n");
    assert_eq!(
        missing,
        ["cli/src/x.rs:1: no module docs on the first line"]
    );
    let lines = |count| format!("//! Doc.\n{}", "\n".repeat(count - 1));
    assert!(says("cli/src/x.rs", &lines(FILE_LINES_MAX)).is_empty());
    let long = says("cli/src/x.rs", &lines(FILE_LINES_MAX + 1));
    assert_eq!(long, ["cli/src/x.rs: 601 lines, the most is 600"]);
    let tested = format!(
        "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
        lines(500),
        lines(500)
    );
    assert!(says("cli/src/x.rs", &tested).is_empty());
}

#[test]
fn tidy_sees_unsafe_and_wrong_words() {
    let code = "//! Doc.\n#![expect(unsafe_code, reason = \"…\")]\n";
    assert_eq!(says("engine/src/a.rs", code).len(), 1);
    let errors = says("cli/src/x.rs", "//! Doc.\n/// Two shards.\n");
    assert_eq!(errors, ["cli/src/x.rs:2: say partition, not shards"]);
}

#[test]
fn tidy_sees_a_stray_name() {
    let names = ["engine", ".ci", "target", "notes", "demo-store"].map(str::to_owned);
    assert_eq!(stray_names(&names, "/target\n/demo-store\n"), ["notes"]);
}

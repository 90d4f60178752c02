//! A glob and a value to whether the whole value matches.
//!
//! `*` is any run of characters, also `/` and none; `?` one character; `\` takes the next one as it
//! is (a last `\` stands for itself).

/// Whether the glob matches all of `value`.
#[must_use]
pub fn matches(glob: &str, value: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let value: Vec<char> = value.chars().collect();
    rest_matches(&glob, &value)
}

fn rest_matches(glob: &[char], value: &[char]) -> bool {
    match (glob, value) {
        ([], rest) => rest.is_empty(),
        (['*', glob @ ..], _) => (0..=value.len()).any(|skip| rest_matches(glob, &value[skip..])),
        (['?', glob @ ..], [_, value @ ..]) => rest_matches(glob, value),
        (['?', ..], []) => false,
        (['\\', literal, glob @ ..], [c, value @ ..]) => literal == c && rest_matches(glob, value),
        (['\\', _, ..], []) => false,
        ([literal, glob @ ..], [c, value @ ..]) => literal == c && rest_matches(glob, value),
        ([_, ..], []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs() {
        for (glob, value, want) in [
            ("*", "", true),
            ("a*", "a/b/c", true),
            ("a?c", "a/c", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("a", "ab", false),
            ("*b*", "abc", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            (r"a\\", r"a\", true),
            (r"a\", r"a\", true),
            ("", "", true),
        ] {
            assert_eq!(matches(glob, value), want, "{glob} {value}");
        }
    }
}

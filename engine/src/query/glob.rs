//! A glob to a test of whole values: `*` any run (`/` too), `?` one character, `\` takes the next
//! character as it is.
//!
//! The glob is cut at its stars. The first part must begin the value, the last one end it, those
//! between are found leftmost first; nothing is ever tried again.
//!
//! # Limits
//!
//! [`GLOB_CHARS_MAX`] = 1,024. Parts without `?` are found in time linear in the value; a part with
//! `?` costs at most its length for each character of the value.

use memchr::memmem::Finder;

use crate::error::{Error, Result};

/// Longest glob in characters.
pub const GLOB_CHARS_MAX: usize = 1024;

/// A compiled glob.
#[derive(Clone, Debug)]
pub struct Glob {
    /// What stands between the stars; one part if there is no star.
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default)]
struct Part {
    elements: Vec<Element>,
    /// Finds a part that has no `?`.
    literal: Option<Finder<'static>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Element {
    /// This character.
    Char(char),
    /// Any one.
    Any,
}

impl Glob {
    /// Compiles a glob.
    ///
    /// # Errors
    ///
    /// `Invalid` for a `\` with nothing behind it, `Limit` over [`GLOB_CHARS_MAX`].
    pub fn compile(glob: &str) -> Result<Self> {
        let length = glob.chars().count();
        if length > GLOB_CHARS_MAX {
            return Err(Error::limit(format!(
                "the glob is too long: {length} characters, at most {GLOB_CHARS_MAX}"
            )));
        }
        let mut parts = Vec::new();
        let mut elements = Vec::new();
        let mut chars = glob.chars();
        while let Some(c) = chars.next() {
            match c {
                '*' => parts.push(Part::new(std::mem::take(&mut elements))),
                '?' => elements.push(Element::Any),
                '\\' => elements.push(Element::Char(chars.next().ok_or_else(|| {
                    Error::invalid(format!(
                        "the glob {glob:?} ends with a \\ that escapes nothing"
                    ))
                    .with_help("write \\\\ for the character \\ itself")
                })?)),
                c => elements.push(Element::Char(c)),
            }
        }
        parts.push(Part::new(elements));
        Ok(Self { parts })
    }

    /// Whether the whole value has the glob's form.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else {
            return false;
        };
        let Some(mut begin) = first.match_at(value) else {
            return false;
        };
        let Some((last, inner)) = rest.split_last() else {
            return begin == value.len();
        };
        let Some(end) = last.match_end(value).filter(|end| *end >= begin) else {
            return false;
        };
        for part in inner {
            let Some(found) = value.get(begin..end).and_then(|rest| part.find(rest)) else {
                return false;
            };
            begin += found;
        }
        true
    }

    /// The one value it matches, if it has neither `*` nor `?`.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let [part] = self.parts.as_slice() else {
            return None;
        };
        part.elements
            .iter()
            .map(|element| match element {
                Element::Char(c) => Some(*c),
                Element::Any => None,
            })
            .collect()
    }
}

impl Part {
    fn new(elements: Vec<Element>) -> Self {
        let chars = elements.iter().map(|element| match element {
            Element::Char(c) => Some(*c),
            Element::Any => None,
        });
        let literal: Option<String> = chars.collect();
        let literal = literal.map(|text| Finder::new(text.as_bytes()).into_owned());
        Self { elements, literal }
    }

    /// How many bytes it takes at the beginning of `text`.
    fn match_at(&self, text: &str) -> Option<usize> {
        if let Some(literal) = &self.literal {
            let needle = literal.needle();
            return text.as_bytes().starts_with(needle).then_some(needle.len());
        }
        let mut chars = text.chars();
        for element in &self.elements {
            let c = chars.next()?;
            if *element != Element::Any && *element != Element::Char(c) {
                return None;
            }
        }
        Some(text.len() - chars.as_str().len())
    }

    /// Where it begins if it ends `text`.
    fn match_end(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        for element in self.elements.iter().rev() {
            let c = chars.next_back()?;
            if *element != Element::Any && *element != Element::Char(c) {
                return None;
            }
        }
        Some(chars.as_str().len())
    }

    /// Where its leftmost match in `text` ends.
    fn find(&self, text: &str) -> Option<usize> {
        if let Some(literal) = &self.literal {
            let begin = literal.find(text.as_bytes())?;
            return Some(begin + literal.needle().len());
        }
        text.char_indices().find_map(|(begin, _)| {
            let length = self.match_at(text.get(begin..)?)?;
            Some(begin + length)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(glob: &str, value: &str) -> bool {
        Glob::compile(glob).unwrap().matches(value)
    }

    #[test]
    fn whole_values() {
        for (glob, value, want) in [
            ("acme/*", "acme/llama/7b", true),
            ("acme", "acme/llama", false),
            ("*llama*", "acme/llama-7b", true),
            ("llama-?b", "llama-7b", true),
            ("llama-?b", "llama-13b", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a\\?\\\\", "a?\\", true),
            ("?", "é", true),
            ("??", "é", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("ab*ba", "aba", false),
            ("a*a?*c", "aabc", true),
        ] {
            assert_eq!(matches(glob, value), want, "{glob} {value}");
        }
    }

    #[test]
    fn a_lone_escape_is_an_error() {
        assert!(Glob::compile("a\\").is_err());
        assert!(Glob::compile(&"é".repeat(GLOB_CHARS_MAX + 1)).is_err());
    }

    #[test]
    fn stars_do_not_blow_up() {
        let value = "a".repeat(100_000);
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &value));
        assert!(!matches(&format!("{}*b*", "*a?".repeat(200)), &value));
        assert!(matches(&"*a".repeat(200), &value));
    }

    #[test]
    fn a_glob_without_wildcards_is_a_literal() {
        let literal = |glob| Glob::compile(glob).unwrap().literal();
        assert_eq!(literal("a/\\*").as_deref(), Some("a/*"));
        assert_eq!(literal("a?"), None);
        assert_eq!(literal("a*"), None);
    }

    /// As defined, one character after the other.
    fn naive(glob: &[char], value: &[char]) -> bool {
        match (glob, value) {
            ([], []) => true,
            (['*', glob_rest @ ..], _) => {
                naive(glob_rest, value)
                    || value
                        .split_first()
                        .is_some_and(|(_, rest)| naive(glob, rest))
            }
            (['?', glob_rest @ ..], [_, rest @ ..]) => naive(glob_rest, rest),
            (['\\', c, glob_rest @ ..], _) => value
                .split_first()
                .is_some_and(|(v, rest)| v == c && naive(glob_rest, rest)),
            ([c, glob_rest @ ..], [v, rest @ ..]) => c == v && naive(glob_rest, rest),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn it_matches_what_the_definition_says(
            glob in r"([ab?*é]|\\[ab?*\\é]){0,9}",
            value in r"[ab?*\\é]{0,9}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&glob, &value), naive(&chars(&glob), &chars(&value)));
        }
    }
}

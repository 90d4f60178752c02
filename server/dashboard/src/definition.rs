//! A word that stands above numbers to what it means, in a sentence.

use maud::{Markup, html};

/// Words in the order in which a reader meets them.
pub(crate) const DEFINITIONS: [(&str, &str); 16] = [
    (
        "Downloads (Hub)",
        "The Hub's own figures, from its CSV. All Time is the total that the Hub says, not the sum of its days.",
    ),
    (
        "Downloads",
        "What the counting rule leaves of the requests that it accepts. The usual rule, 5min: one downloader, one repo, one clock window of five minutes.",
    ),
    (
        "Unique downloaders",
        "Signed-in accounts and anonymous addresses with an accepted request, each counted once, whatever the range. Numbers of several rows do not add up to the whole.",
    ),
    ("Signed-in", "Accounts: requests that were authenticated."),
    (
        "Anonymous",
        "Addresses: requests without an account. Many people may share one.",
    ),
    (
        "Requests",
        "Lines of the access log, whatever their status.",
    ),
    (
        "All Time",
        "From the first stored day on; of the Hub's figures its own total.",
    ),
    ("Share", "Part of the whole that the panel is about."),
    (
        "Change",
        "Against the period before: the calendar month before a month, else as many days before.",
    ),
    (
        "Contribution",
        "By how much of the whole's earlier number this row has moved it.",
    ),
    ("Before", "In the period before, of the same length."),
    (
        "New",
        "Downloaders first seen in the bucket, looking at the whole store.",
    ),
    (
        "Returning",
        "Downloaders of the bucket first seen before it.",
    ),
    (
        "Known machines",
        "Downloaders in the named set machines, or, until you keep one, in known-machines: those that call themselves bots.",
    ),
    (
        "Flagged as CI",
        "The client says that it runs in CI. What does not say so may still be a machine.",
    ),
    (
        "Content, unclear, check",
        "The strongest sign among the requests of a download: a file was sent; it may have been; nothing but a look.",
    ),
];

/// What a word means; `None` for one that says it itself.
pub(crate) fn of(word: &str) -> Option<&'static str> {
    let found = DEFINITIONS.iter().find(|(known, _)| *known == word);
    found.map(|(_, meaning)| *meaning)
}

/// The heading of a column of numbers, with its meaning for who points at it.
pub(crate) fn number_heading(word: &str) -> Markup {
    html! { th.number scope="col" title=[of(word)] { (word) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_said_once() {
        for (at, (word, meaning)) in DEFINITIONS.iter().enumerate() {
            assert!(meaning.ends_with('.'), "{word}");
            assert!(
                DEFINITIONS
                    .iter()
                    .skip(at + 1)
                    .all(|(other, _)| other != word)
            );
        }
        assert!(of("Change").is_some() && of("Day").is_none());
    }
}

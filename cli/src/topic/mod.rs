//! Topics of `footfall help`: what is true of all commands, from the engine's tables where there is
//! one.
//!
//! # To add one
//!
//! A function here or in a file of its own, and its row in [`TOPICS`].

mod prose;
mod tables;

/// One topic.
pub(crate) struct Topic {
    /// Its word.
    pub(crate) name: &'static str,
    /// What it explains, in a line.
    pub(crate) about: &'static str,
    /// The explanation.
    pub(crate) text: fn() -> String,
}

/// Every topic.
pub(crate) const TOPICS: &[Topic] = &[
    topic("queries", "the text form of a question", prose::queries),
    topic(
        "analyses",
        "questions made of queries, and sets of downloaders",
        tables::analyses,
    ),
    topic("metrics", "what can be counted", tables::metrics),
    topic(
        "dimensions",
        "what can be grouped and filtered by",
        tables::dimensions,
    ),
    topic("rules", "what counts as a download", tables::rules),
    topic("dates", "ranges, days and labels of time", prose::dates),
    topic("formats", "how answers are written", tables::formats),
    topic(
        "server",
        "serving, tokens, and asking a server",
        prose::server,
    ),
    topic("exit-codes", "how commands end", tables::exit_codes),
    topic("environment", "variables that are read", prose::environment),
];

const fn topic(name: &'static str, about: &'static str, text: fn() -> String) -> Topic {
    Topic { name, about, text }
}

/// Lines of two aligned columns.
pub(crate) fn list<'a>(rows: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.map(|(name, meaning)| format!("  {name:width$}  {meaning}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_says_something() {
        for topic in TOPICS {
            let text = (topic.text)();
            assert!(
                text.ends_with('\n') && text.lines().count() > 4,
                "{}",
                topic.name
            );
            let is_narrow = text.lines().all(|line| line.chars().count() <= 100);
            assert!(is_narrow, "{}:\n{text}", topic.name);
        }
    }
}

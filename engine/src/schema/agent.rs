//! A `User-Agent` header to client, version, CI flag and keys.
//!
//! The Hub's clients send `name/version; key/value; …`, for example
//! `transformers/4.44.0; python/3.11.9; session_id/<32 hex>; torch/2.4.0; is_ci/true`.
//! `-` and the empty text are absent.
//!
//! Bots inside a browser's header: a header that starts with `Mozilla/` is `browser`, unless one of
//! its words (split at anything but letters, digits, `-`, `_`, `.`, `/`) has a name (the part before
//! its `/`) that contains `bot`, `crawl`, `spider` or `slurp` in any case: the first such name is the
//! client and what follows its `/` the version. A browser has no version.

/// The part of a user agent that names software: (client, version); either may be empty (absent).
#[must_use]
pub fn client(agent: &str) -> (&str, &str) {
    if is_absent(agent) {
        return ("", "");
    }
    if agent.starts_with("Mozilla/") {
        return bot(agent).unwrap_or(("browser", ""));
    }
    if agent.starts_with("unknown/None") {
        let library = components(agent).find_map(|part| part.strip_prefix("hf_hub/"));
        if let Some(version) = library {
            return ("hf_hub", version);
        }
    }
    name_and_version(agent)
}

/// `flagged`, `not_flagged`, or empty when there is no agent.
#[must_use]
pub fn ci(agent: &str) -> &'static str {
    if is_absent(agent) {
        ""
    } else if key(agent, "is_ci") == "true" {
        "flagged"
    } else {
        "not_flagged"
    }
}

/// The value of `key/value` in the agent's first component of that key; empty when absent.
#[must_use]
pub fn key<'a>(agent: &'a str, key: &str) -> &'a str {
    components(agent)
        .filter_map(|part| part.split_once('/'))
        .find(|(name, _)| *name == key)
        .map_or("", |(_, value)| value)
}

/// Whether the header says nothing.
#[must_use]
pub fn is_absent(agent: &str) -> bool {
    agent.is_empty() || agent == "-"
}

fn components(agent: &str) -> impl Iterator<Item = &str> {
    agent.split(';').map(|part| part.trim_matches(' '))
}

fn name_and_version(agent: &str) -> (&str, &str) {
    let end = agent.find(['/', ' ', ';']).unwrap_or(agent.len());
    let (name, rest) = agent.split_at(end);
    let Some(version) = rest.strip_prefix('/') else {
        return (name, "");
    };
    let end = version.find([' ', ';']).unwrap_or(version.len());
    (name, version.get(..end).unwrap_or_default())
}

fn bot(agent: &str) -> Option<(&str, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    agent.split(|c| !is_word(c)).find_map(|word| {
        let (name, version) = word.split_once('/').unwrap_or((word, ""));
        let lower = name.to_ascii_lowercase();
        ["bot", "crawl", "spider", "slurp"]
            .iter()
            .any(|sign| lower.contains(sign))
            .then_some((name, version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients() {
        for (agent, want) in [
            (
                "transformers/4.44.0; python/3.11.9",
                ("transformers", "4.44.0"),
            ),
            (
                "unknown/None; hf_hub/0.24.1; python/3.10",
                ("hf_hub", "0.24.1"),
            ),
            ("unknown/None", ("unknown", "None")),
            ("curl/8.5.0 (x86_64)", ("curl", "8.5.0")),
            ("Wget", ("Wget", "")),
            ("Wget (linux)", ("Wget", "")),
            ("Mozilla/5.0 (X11; Linux) Firefox/120", ("browser", "")),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                ("Googlebot", "2.1"),
            ),
            ("-", ("", "")),
            ("", ("", "")),
        ] {
            assert_eq!(client(agent), want, "{agent}");
        }
    }

    #[test]
    fn keys_and_ci() {
        let agent = "x/1; torch/2.4.0; is_ci/true; torch/3";
        assert_eq!(key(agent, "torch"), "2.4.0");
        assert_eq!(key(agent, "jax"), "");
        assert_eq!(ci(agent), "flagged");
        assert_eq!(ci("x/1"), "not_flagged");
        assert_eq!(ci("-"), "");
    }
}

//! A `User-Agent` header to client, version, CI flag and keys.
//!
//! The Hub's clients send `name/version; key/value; …`. `-` and the empty text are absent.

const BOT_SIGNS: [&str; 4] = ["bot", "crawl", "spider", "slurp"];

/// (client, version), either may be empty.
///
/// A header that begins with `Mozilla/` is `browser` without a version, or the first of its words
/// whose name contains a sign of a bot. A header that begins with `unknown/None` is the `hf_hub/…`
/// that follows, if one does; its version is all of that part.
#[must_use]
pub fn client(agent: &str) -> (String, String) {
    if agent.is_empty() || agent == "-" {
        return Default::default();
    }
    if agent.starts_with("Mozilla/") {
        return bot(agent).unwrap_or(("browser".to_owned(), String::new()));
    }
    if agent.starts_with("unknown/None") {
        for part in parts(agent) {
            if let Some(version) = part.strip_prefix("hf_hub/") {
                return ("hf_hub".to_owned(), version.to_owned());
            }
        }
    }
    let mut name = String::new();
    let mut version = String::new();
    let mut in_version = false;
    for c in agent.chars() {
        match c {
            ' ' | ';' => break,
            '/' if !in_version => in_version = true,
            c if in_version => version.push(c),
            c => name.push(c),
        }
    }
    (name, version)
}

/// `flagged`, `not_flagged` or empty.
#[must_use]
pub fn ci(agent: &str) -> &'static str {
    if agent.is_empty() || agent == "-" {
        ""
    } else if key(agent, "is_ci") == "true" {
        "flagged"
    } else {
        "not_flagged"
    }
}

/// The value of the first part `key/value` with that key, or empty.
#[must_use]
pub fn key(agent: &str, key: &str) -> String {
    let wanted = format!("{key}/");
    for part in parts(agent) {
        if let Some(value) = part.strip_prefix(&wanted) {
            return value.to_owned();
        }
    }
    String::new()
}

fn parts(agent: &str) -> Vec<&str> {
    agent
        .split(';')
        .map(|part| part.trim_matches(' '))
        .collect()
}

fn bot(agent: &str) -> Option<(String, String)> {
    let mut words = vec![String::new()];
    for c in agent.chars() {
        if c.is_ascii_alphanumeric() || "-_./".contains(c) {
            words.last_mut()?.push(c);
        } else {
            words.push(String::new());
        }
    }
    for word in words {
        let (name, version) = match word.find('/') {
            Some(slash) => (&word[..slash], &word[slash + 1..]),
            None => (word.as_str(), ""),
        };
        let lower = name.to_ascii_lowercase();
        if BOT_SIGNS.iter().any(|sign| lower.contains(sign)) {
            return Some((name.to_owned(), version.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients() {
        for (agent, name, version) in [
            (
                "transformers/4.44.0; python/3.11.9",
                "transformers",
                "4.44.0",
            ),
            (
                "unknown/None; hf_hub/0.24.1; python/3.10",
                "hf_hub",
                "0.24.1",
            ),
            ("unknown/None; torch/2", "unknown", "None"),
            ("curl/8.5.0 (x86_64)", "curl", "8.5.0"),
            ("a/b/c;d", "a", "b/c"),
            ("Wget", "Wget", ""),
            ("Mozilla/5.0 (X11) Firefox/120", "browser", ""),
            (
                "Mozilla/5.0 (compatible; bingbot/2.0; +http://x)",
                "bingbot",
                "2.0",
            ),
            ("-", "", ""),
        ] {
            assert_eq!(client(agent), (name.to_owned(), version.to_owned()));
        }
    }

    #[test]
    fn keys() {
        let agent = "x/1; torch/2.4.0; is_ci/true; torch/3";
        assert_eq!(key(agent, "torch"), "2.4.0");
        assert_eq!(key(agent, "tor"), "");
        assert_eq!(
            (ci(agent), ci("x/1"), ci("-")),
            ("flagged", "not_flagged", "")
        );
    }
}

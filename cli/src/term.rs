//! What the terminal is, and lines for the person at it.

use std::io::{self, IsTerminal, Write};

use footfall_engine::output::Look;

pub(crate) const RED: &str = "\u{1b}[1;31m";
pub(crate) const CYAN: &str = "\u{1b}[1;36m";
const NORMAL: &str = "\u{1b}[0m";

/// Whether colours are wanted on a stream that is a terminal or not: `NO_COLOR` says no,
/// `CLICOLOR_FORCE` says yes also in a pipe, `CLICOLOR=0` and `TERM=dumb` say no.
fn wants_colour(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let is_off = set("CLICOLOR").is_some_and(|value| value == "0")
        || set("TERM").is_some_and(|value| value == "dumb");
    is_terminal && !is_off
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How answers on standard output look.
pub(crate) fn stdout_look() -> Look {
    if wants_colour(stdout_is_terminal(), variable) {
        Look::Colour
    } else {
        Look::Plain
    }
}

/// Whether a person sees standard output.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person sees standard error.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// A word that sets off a line on standard error.
pub(crate) fn label(word: &str, colour: &str) -> String {
    if wants_colour(stderr_is_terminal(), variable) {
        format!("{colour}{word}{NORMAL}")
    } else {
        word.to_owned()
    }
}

/// A line on standard error. There is nobody to tell when that fails.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(is_terminal: bool, variables: &[(&str, &str)]) -> bool {
        wants_colour(is_terminal, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn conventions_are_kept() {
        assert!(wants(true, &[]));
        assert!(!wants(false, &[]));
        assert!(!wants(true, &[("NO_COLOR", "1")]));
        assert!(wants(true, &[("NO_COLOR", "")]));
        assert!(wants(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!wants(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wants(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!wants(true, &[("TERM", "dumb")]));
        assert!(!wants(true, &[("CLICOLOR", "0")]));
    }
}

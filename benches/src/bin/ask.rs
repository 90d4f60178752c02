//! Query texts on standard input to times and answers of one store, in this process.
//!
//! ```text
//! ask --store DIR --repl                          one line in, one JSON line out, at once
//! ask --store DIR --cold                          the same, the store opened for each line
//! ask --store DIR [--rounds 7] < queries.txt      every line in rounds, then a JSON line for each
//! ```
//!
//! The lines are described in [`footfall_benches::ask`].
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use footfall_benches::ask;
use footfall_engine::store::Store;

/// The allocator of the command: it decides what a large answer costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds, unless the command line says otherwise.
const ROUNDS: u32 = 7;

/// What the command line asks for.
#[derive(Debug, Eq, PartialEq)]
struct Arguments {
    store: PathBuf,
    rounds: u32,
    how: How,
}

/// How lines are answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum How {
    Rounds,
    Repl,
    Cold,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut store = None;
        let mut rounds = ROUNDS;
        let mut how = How::Rounds;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--store" => store = Some(PathBuf::from(value()?)),
                "--rounds" => rounds = value()?.parse().map_err(|_| "--rounds needs a number")?,
                "--repl" => how = How::Repl,
                "--cold" => how = How::Cold,
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(Self {
            store: store.ok_or("--store DIR is missing")?,
            rounds,
            how,
        })
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even this cannot be written.
            let _ = writeln!(stderr(), "ask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let open = || Store::open(&arguments.store);
    let query = |store: &Store, text: &str| store.ask(text);
    let (input, output) = (stdin().lock(), stdout().lock());
    if arguments.how == How::Cold {
        return Ok(ask::serve_cold(open, query, input, output)?);
    }
    let store = open()?;
    let warm = |text: &str| query(&store, text);
    match arguments.how {
        How::Repl => ask::serve(warm, input, output)?,
        _ => ask::time(warm, arguments.rounds, input, output)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, String> {
        Arguments::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_in_any_order() {
        let want = Arguments {
            store: PathBuf::from("s"),
            rounds: 3,
            how: How::Repl,
        };
        assert_eq!(parse("--repl --rounds 3 --store s"), Ok(want));
        assert_eq!(parse("--store s").unwrap().rounds, ROUNDS);
    }

    #[test]
    fn bad_arguments_are_named() {
        assert_eq!(parse(""), Err("--store DIR is missing".into()));
        assert_eq!(parse("--store"), Err("--store needs a value".into()));
        assert_eq!(parse("--rounds x"), Err("--rounds needs a number".into()));
        assert_eq!(parse("--raw"), Err("unknown argument --raw".into()));
    }
}

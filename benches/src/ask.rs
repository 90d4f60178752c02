//! Query texts, one per line, to their times and answers, one JSON line each.
//!
//! Three ways, all timed inside the process from the text to an owned answer:
//!
//! - [`serve`] runs a line once, as soon as it comes, so that a driver can let engines take turns:
//!   `{"elapsed_ns":N,"answer":{…}}`;
//! - [`serve_cold`] does the same from a store that is not open;
//! - [`time`] runs every line in rounds:
//!   `{"query":"…","min_ms":N,"rounds_ms":[…],"answer":{…}}`.
//!
//! A query that is refused gives `{"query":"…","error":"…"}` and the next one follows.
//!
//! Not here: the peers and the comparison of answers (`benches/peers`).

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

/// Runs each line of `input` once and replies at once; ends with the input. Blank lines get no reply.
///
/// # Errors
/// Input that cannot be read, output that cannot be written.
pub fn serve<A: Serialize, E: Display>(
    mut ask: impl FnMut(&str) -> Result<A, E>,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    for line in input.lines() {
        let line = line?;
        let query = line.trim();
        if query.is_empty() {
            continue;
        }
        let reply = match timed(&mut ask, query) {
            Ok((elapsed, answer)) => {
                json!({ "elapsed_ns": nanoseconds(elapsed), "answer": answer })
            }
            Err(error) => refused(query, &error),
        };
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
    Ok(())
}

/// Says that it is ready, then runs each line as [`serve`] does, with a store that is opened for it:
/// the time is from opening to the answer.
///
/// # Errors
/// Input that cannot be read, output that cannot be written.
pub fn serve_cold<S, A: Serialize, E: Display>(
    mut open: impl FnMut() -> Result<S, E>,
    ask: impl Fn(&S, &str) -> Result<A, E>,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    writeln!(output, "{}", json!({ "ready": true }))?;
    output.flush()?;
    // Kept until the next one is opened: closing is not part of the time.
    let mut opened = None;
    let from_closed = |query: &str| ask(opened.insert(open()?), query);
    serve(from_closed, input, output)
}

/// Runs every line of `input` once per round, all lines before the next round begins, after one
/// round that is not timed; then replies to all, in their order.
///
/// # Errors
/// Input that cannot be read, output that cannot be written.
pub fn time<A: Serialize, E: Display>(
    mut ask: impl FnMut(&str) -> Result<A, E>,
    rounds: u32,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let lines = input.lines().collect::<io::Result<Vec<String>>>()?;
    let mut timings: Vec<Timing<'_, A>> = lines
        .iter()
        .map(|line| line.trim())
        .filter(|query| !query.is_empty())
        .map(|query| Timing::warm(query, &mut ask))
        .collect();
    for _ in 0..rounds {
        for timing in &mut timings {
            timing.round(&mut ask);
        }
    }
    for timing in &timings {
        writeln!(output, "{}", timing.reply())?;
    }
    output.flush()
}

/// One query, its answer and its times so far.
struct Timing<'a, A> {
    query: &'a str,
    answer: Result<A, String>,
    rounds_ms: Vec<f64>,
}

impl<'a, A: Serialize> Timing<'a, A> {
    fn warm<E: Display>(query: &'a str, ask: &mut impl FnMut(&str) -> Result<A, E>) -> Self {
        Self {
            query,
            answer: ask(query).map_err(|error| error.to_string()),
            rounds_ms: Vec::new(),
        }
    }

    fn round<E: Display>(&mut self, ask: &mut impl FnMut(&str) -> Result<A, E>) {
        if self.answer.is_err() {
            return;
        }
        match timed(ask, self.query) {
            Ok((elapsed, _)) => self.rounds_ms.push(elapsed.as_secs_f64() * 1e3),
            Err(error) => self.answer = Err(error.to_string()),
        }
    }

    fn reply(&self) -> Value {
        match &self.answer {
            Err(error) => refused(self.query, error),
            Ok(answer) => json!({
                "query": self.query,
                "min_ms": self.rounds_ms.iter().copied().reduce(f64::min),
                "rounds_ms": self.rounds_ms,
                "answer": answer,
            }),
        }
    }
}

/// Runs `query` once; the time does not include what becomes of the answer.
fn timed<A, E>(
    ask: &mut impl FnMut(&str) -> Result<A, E>,
    query: &str,
) -> Result<(Duration, A), E> {
    let started = Instant::now();
    let answer = ask(query)?;
    Ok((started.elapsed(), answer))
}

fn refused(query: &str, error: &impl Display) -> Value {
    json!({ "query": query, "error": error.to_string() })
}

/// A duration of a query always fits: 64 bits of nanoseconds are 584 years.
fn nanoseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(query: &str) -> Result<usize, &'static str> {
        if query == "bad" {
            Err("no such metric")
        } else {
            Ok(query.len())
        }
    }

    fn lines(output: &[u8]) -> Vec<Value> {
        output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn each_line_is_answered_in_turn_and_errors_do_not_end_it() {
        let mut output = Vec::new();
        serve(length, &b"requests\n\n bad \ndownloads\n"[..], &mut output).unwrap();
        let replies = lines(&output);
        assert_eq!(replies.len(), 3);
        assert_eq!(replies[0]["answer"], 8);
        assert!(replies[0]["elapsed_ns"].is_u64());
        assert_eq!(replies[1]["error"], "no such metric");
        assert_eq!(replies[2]["answer"], 9);
    }

    #[test]
    fn cold_ones_are_opened_each_time() {
        let mut output = Vec::new();
        let mut opened = 0;
        let open = || {
            opened += 1;
            Ok(opened)
        };
        let ask = |store: &usize, query: &str| length(query).map(|len| len + store);
        serve_cold(open, ask, &b"four\nfour\n"[..], &mut output).unwrap();
        let replies = lines(&output);
        assert_eq!(replies[0], json!({ "ready": true }));
        assert_eq!(
            (&replies[1]["answer"], &replies[2]["answer"]),
            (&json!(5), &json!(6))
        );
    }

    #[test]
    fn rounds_are_counted_without_the_first_and_interleaved() {
        let mut asked = Vec::new();
        let ask = |query: &str| {
            asked.push(query.to_owned());
            length(query)
        };
        let mut output = Vec::new();
        time(ask, 2, &b"a\nbad\nbc"[..], &mut output).unwrap();
        assert_eq!(asked, ["a", "bad", "bc", "a", "bc", "a", "bc"]);
        let replies = lines(&output);
        assert_eq!(replies[0]["rounds_ms"].as_array().unwrap().len(), 2);
        assert_eq!(
            replies[1],
            json!({ "query": "bad", "error": "no such metric" })
        );
        assert_eq!(replies[2]["answer"], 2);
        assert!(
            replies[2]["min_ms"].as_f64().unwrap() <= replies[2]["rounds_ms"][1].as_f64().unwrap()
        );
    }

    #[test]
    fn no_rounds_have_no_minimum() {
        let mut output = Vec::new();
        time(length, 0, &b"a"[..], &mut output).unwrap();
        assert_eq!(lines(&output)[0]["min_ms"], Value::Null);
    }
}

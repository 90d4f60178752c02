//! Texts that begin otherwise than a query and go on like one, to their parts.
//!
//! Questions made of queries have words of their own first (`audience …`, `overlap top 20`), and then
//! the clauses of every query. A text in single quotes reads as one in brackets, because that is how
//! a shell leaves it; the columns of errors stay those of the text.

use super::condition;
use super::lexer::Token;
use super::parse::{CLAUSES, Parser, Places};
use super::period;
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::check;
use crate::query::suggest;
use crate::query::value::{Condition, Query, Range};

/// Clauses that are no range.
const NO_RANGES: [&str; 7] = ["by", "where", "as", "rule", "approx", "order", "top"];

/// A cursor over a text.
#[derive(Debug)]
pub struct Reader {
    parser: Parser,
}

impl Reader {
    /// At the beginning of a text.
    ///
    /// # Errors
    ///
    /// `Invalid` with the column of what is no word, value or sign; `Limit` for a text that is too long.
    pub fn new(text: &str) -> Result<Self> {
        let parser = Parser::new(&bracketed(text))?;
        Ok(Self { parser })
    }

    /// The column of what comes next, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.parser.column()
    }

    /// Whether nothing comes any more.
    #[must_use]
    pub fn is_end(&self) -> bool {
        *self.parser.peek() == Token::End
    }

    /// The next word, if it is one without quotes.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        match self.parser.peek() {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether the next word begins a clause of a query.
    #[must_use]
    pub fn is_clause(&self) -> bool {
        self.word().is_some_and(|word| CLAUSES.contains(&word))
    }

    /// Whether the next word begins a range.
    #[must_use]
    pub fn is_range(&self) -> bool {
        self.is_clause() && !self.word().is_some_and(|word| NO_RANGES.contains(&word))
    }

    /// Steps over a word, if it comes next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        self.parser.eat_word(word)
    }

    /// Steps over `(`, if it comes next.
    pub fn eat_open(&mut self) -> bool {
        self.parser.eat(&Token::Open)
    }

    /// Steps over `)`.
    ///
    /// # Errors
    ///
    /// `Invalid` if something else comes next.
    pub fn close(&mut self) -> Result<()> {
        self.parser.expect(&Token::Close)
    }

    /// A word or a text in double quotes.
    ///
    /// # Errors
    ///
    /// `Invalid` if something else comes next; `expected` says what should.
    pub fn text(&mut self, expected: &str) -> Result<String> {
        self.parser.text(expected)
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// As [`Self::text`].
    pub fn number(&mut self, expected: &str) -> Result<u64> {
        self.parser.number(expected)
    }

    /// One of `names`.
    ///
    /// # Errors
    ///
    /// `Invalid` with the names that there are and the nearest one.
    pub fn one_of<'n>(&mut self, what: &str, names: &[&'n str]) -> Result<&'n str> {
        let column = self.column();
        let found = self.parser.text(&format!("one of {}", names.join(", ")))?;
        let known = names.iter().find(|name| **name == found);
        known.copied().ok_or_else(|| {
            check::unknown(what, &found, names.iter().copied()).at_column(column.to_string())
        })
    }

    /// Whether a condition comes next: a dimension and a comparison, or `in_set(…)`.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        let is_word = |ahead: usize, wanted: &str| matches!(self.parser.peek_at(ahead), Token::Word(word) if word == wanted);
        match self.parser.peek_at(1) {
            Token::Operator(_) => true,
            Token::Open => is_word(0, "in_set"),
            Token::Word(word) if word == "in" => *self.parser.peek_at(2) == Token::Open,
            Token::Word(word) if word == "not" => {
                is_word(2, "in") && *self.parser.peek_at(3) == Token::Open
            }
            _ => false,
        }
    }

    /// One condition.
    ///
    /// # Errors
    ///
    /// `Invalid` as for a condition of a query.
    pub fn condition(&mut self) -> Result<Condition> {
        let (mut query, mut places) = (Self::nothing(), Places::default());
        let start = self.column();
        let mut values = Vec::new();
        let condition = condition::condition(&mut self.parser, &mut values)?;
        places.conditions.push((start, values));
        query.filter.push(condition.clone());
        checked(&query, &places)?;
        Ok(condition)
    }

    /// A range of time.
    ///
    /// # Errors
    ///
    /// `Invalid` as for the range of a query.
    pub fn range(&mut self) -> Result<Range> {
        let column = self.column();
        let range = period::range(&mut self.parser)?;
        let query = Query {
            range,
            ..Self::nothing()
        };
        query
            .check()
            .map_err(|error| error.at_column(column.to_string()))?;
        Ok(range)
    }

    /// The clauses up to the end, or up to a `)` that was not opened here, as a query of downloaders. `allowed` are
    /// the words that may begin one, and `range`.
    ///
    /// # Errors
    ///
    /// `Invalid` as for a query; for clauses that are not allowed.
    pub fn clauses(&mut self, allowed: &[&str]) -> Result<Query> {
        let (mut query, mut places) = (Self::nothing(), Places::default());
        while !matches!(self.parser.peek(), Token::End | Token::Close) {
            let is_allowed = |word: &str| NO_RANGES.contains(&word) && allowed.contains(&word);
            let has_range = self.is_range() && allowed.contains(&"range");
            if !has_range && !self.word().is_some_and(is_allowed) {
                return Err(self.not_allowed(allowed));
            }
            self.parser.clause(&mut query, &mut places)?;
        }
        checked(&query, &places)?;
        Ok(query)
    }

    /// The rest as a query: metrics, then clauses up to the end or a word of `until`.
    ///
    /// # Errors
    ///
    /// `Invalid` as for a query.
    pub fn query(&mut self, until: &[&str]) -> Result<Query> {
        let (mut query, mut places) = (Query::default(), Places::default());
        loop {
            query.metrics.push(self.parser.metric()?);
            if !self.parser.eat(&Token::Comma) {
                break;
            }
        }
        let ends = |reader: &Self| {
            matches!(reader.parser.peek(), Token::End | Token::Close)
                || reader.word().is_some_and(|word| until.contains(&word))
        };
        while !ends(self) {
            self.parser.clause(&mut query, &mut places)?;
        }
        checked(&query, &places)?;
        Ok(query)
    }

    /// The error for something else than `expected`.
    #[must_use]
    pub fn unexpected(&self, expected: &str) -> Error {
        self.parser.unexpected(expected)
    }

    /// The error for a clause that is not one of `allowed`.
    fn not_allowed(&self, allowed: &[&str]) -> Error {
        let words: Vec<&str> = allowed
            .iter()
            .map(|word| if *word == "range" { "a range" } else { word })
            .collect();
        let expected = match words.as_slice() {
            [] => "the end".to_owned(),
            words => format!("one of {}, or the end", words.join(", ")),
        };
        let error = self.parser.unexpected(&expected);
        let near = self.word().filter(|word| !CLAUSES.contains(word));
        match near.and_then(|word| suggest::did_you_mean(word, allowed.iter().copied())) {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    fn nothing() -> Query {
        Query {
            metrics: vec![Metric::Downloaders],
            ..Query::default()
        }
    }
}

fn checked(query: &Query, places: &Places) -> Result<()> {
    match check::fault(query) {
        None => Ok(()),
        Some(fault) => Err(fault.error.at_column(places.of(fault.part).to_string())),
    }
}

/// Single quotes outside of double ones as brackets.
fn bracketed(text: &str) -> String {
    let (mut in_double, mut is_open, mut is_escaped) = (false, false, false);
    let mut replaced = String::with_capacity(text.len());
    for c in text.chars() {
        let new = match c {
            '\'' if !in_double => {
                is_open = !is_open;
                if is_open { '(' } else { ')' }
            }
            '"' if !is_escaped => {
                in_double = !in_double;
                c
            }
            _ => c,
        };
        is_escaped = in_double && c == '\\' && !is_escaped;
        replaced.push(new);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_quotes_are_brackets_outside_of_double_ones() {
        for (text, want) in [
            ("a 'b' c", "a (b) c"),
            ("a \"it's\" 'x = \"y\"'", "a \"it's\" (x = \"y\")"),
            (r#"a "\"'" 'b'"#, r#"a "\"'" (b)"#),
        ] {
            assert_eq!(bracketed(text), want);
        }
    }

    #[test]
    fn clauses_that_are_not_allowed_are_named() {
        for (text, allowed, column, message) in [
            (
                "order by x",
                &["where", "range"][..],
                "1",
                "found \"order\", expected one of where, a range, or the end",
            ),
            (
                "last 3d top 0",
                &["range", "top"],
                "13",
                "top 0, expected a number of rows from 1",
            ),
            (
                "wher repo = a",
                &["where"],
                "1",
                "found \"wher\", expected one of where, or the end",
            ),
            (
                "where status = ok",
                &["where"],
                "16",
                "status is a number from 0 to 999, found \"ok\"",
            ),
        ] {
            let error = Reader::new(text).unwrap().clauses(allowed).unwrap_err();
            assert_eq!(error.message(), message);
            assert_eq!(error.place().column.as_deref(), Some(column), "{text}");
        }
    }
}

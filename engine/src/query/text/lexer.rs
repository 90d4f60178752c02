//! A query's text to tokens, each with the column it starts at.

use super::TEXT_BYTES_MAX;
use crate::error::{Error, Result};

/// The smallest parts of a query's text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// A bare word: a keyword, a name or a value.
    Word(String),
    /// A name or a value in double quotes, without them.
    Quoted(String),
    /// `,`
    Comma,
    /// `(`
    Open,
    /// `)`
    Close,
    /// A comparison.
    Operator(Operator),
    /// After the last one.
    End,
}

/// Comparisons that are written with signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

impl Operator {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "~",
            Self::NotLike => "!~",
        }
    }
}

/// A token and the column of its first character, from 1.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) column: usize,
}

impl Token {
    /// How an error names it.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Word(text) | Self::Quoted(text) => format!("{text:?}"),
            Self::Comma => "\",\"".to_owned(),
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::Operator(operator) => format!("{:?}", operator.sign()),
            Self::End => "the end of the query".to_owned(),
        }
    }
}

/// Whether a character can stand in a word without quotes.
pub(super) fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || "_-./:+@%*?#&$".contains(c)
}

/// Splits a text into tokens; the last one is [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>> {
    if text.len() > TEXT_BYTES_MAX {
        let found = text.len();
        return Err(Error::limit(format!(
            "the query is too long: {found} bytes, at most {TEXT_BYTES_MAX}"
        )));
    }
    let mut lexer = Lexer {
        rest: text,
        column: 1,
    };
    let mut lexemes = Vec::new();
    loop {
        lexer.take_while(char::is_whitespace);
        let column = lexer.column;
        let token = lexer
            .token()
            .map_err(|error| error.at_column(column.to_string()))?;
        let is_end = token == Token::End;
        lexemes.push(Lexeme { token, column });
        if is_end {
            return Ok(lexemes);
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.column += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        self.rest.starts_with(c) && self.next().is_some()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.column += taken.chars().count();
        taken
    }

    fn token(&mut self) -> Result<Token> {
        let word = self.take_while(is_bare);
        if !word.is_empty() {
            return Ok(Token::Word(word.to_owned()));
        }
        let operator = match self.next() {
            None => return Ok(Token::End),
            Some(',') => return Ok(Token::Comma),
            Some('(') => return Ok(Token::Open),
            Some(')') => return Ok(Token::Close),
            Some('"') => return self.quoted(),
            Some('=') if self.rest.starts_with('=') => {
                return Err(Error::invalid("found \"==\", expected \"=\"")
                    .with_help("write one equals sign"));
            }
            Some('=') => Operator::Equal,
            Some('~') => Operator::Like,
            Some('!') if self.eat('=') => Operator::NotEqual,
            Some('!') if self.eat('~') => Operator::NotLike,
            Some('<') if self.rest.starts_with('>') => {
                return Err(
                    Error::invalid("found \"<>\", expected a comparison").with_help("write !=")
                );
            }
            Some('<') if self.eat('=') => Operator::LessOrEqual,
            Some('<') => Operator::Less,
            Some('>') if self.eat('=') => Operator::GreaterOrEqual,
            Some('>') => Operator::Greater,
            Some(other) => return Err(unexpected(other)),
        };
        Ok(Token::Operator(operator))
    }

    /// After the opening quote: `\"` and `\\` stand for what follows the backslash, every other
    /// backslash for itself (so that globs can escape without doubling it).
    fn quoted(&mut self) -> Result<Token> {
        let mut value = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(Token::Quoted(value)),
                Some('\\') if self.rest.starts_with(['"', '\\']) => value.extend(self.next()),
                Some(c) => value.push(c),
                None => {
                    return Err(Error::invalid("the quote is not closed")
                        .with_help("end the value with a double quote"));
                }
            }
        }
    }
}

fn unexpected(c: char) -> Error {
    let help = match c {
        '\'' | '`' | '“' | '”' | '„' | '«' | '»' => "put values in straight double quotes",
        '!' => "write != or !~, or not in (…)",
        _ => "put values with such characters in double quotes",
    };
    Error::invalid(format!(
        "found {:?}, expected a word, a value or a sign",
        c.to_string()
    ))
    .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        lex(text)
            .unwrap()
            .into_iter()
            .map(|lexeme| lexeme.token)
            .collect()
    }

    #[test]
    fn words_signs_and_quotes() {
        let word = |text: &str| Token::Word(text.to_owned());
        let quoted = |text: &str| Token::Quoted(text.to_owned());
        let sign = Token::Operator;
        for (text, want) in [
            ("a/b-7b", vec![word("a/b-7b")]),
            (
                "a>=2026-07-14T08:00:00Z",
                vec![
                    word("a"),
                    sign(Operator::GreaterOrEqual),
                    word("2026-07-14T08:00:00Z"),
                ],
            ),
            (
                "x!~\"a\\\"b\\\\c\\*\"",
                vec![word("x"), sign(Operator::NotLike), quoted("a\"b\\c\\*")],
            ),
            ("(,)", vec![Token::Open, Token::Comma, Token::Close]),
            ("São", vec![word("São")]),
        ] {
            let mut want = want;
            want.push(Token::End);
            assert_eq!(tokens(text), want, "{text}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let lexemes = lex(" é, \"ö\" x").unwrap();
        let columns: Vec<_> = lexemes.iter().map(|lexeme| lexeme.column).collect();
        assert_eq!(columns, [2, 3, 5, 9, 10]);
    }

    #[test]
    fn what_is_no_token_is_named_with_its_column() {
        for (text, column, message) in [
            (
                "a 'b'",
                "3",
                "found \"'\", expected a word, a value or a sign",
            ),
            ("é = \"b", "5", "the quote is not closed"),
            ("a == b", "3", "found \"==\", expected \"=\""),
            (
                "a ! b",
                "3",
                "found \"!\", expected a word, a value or a sign",
            ),
        ] {
            let error = lex(text).unwrap_err();
            assert_eq!(error.place().column.as_deref(), Some(column), "{text}");
            assert_eq!(error.message(), message);
            assert!(error.help().is_some());
        }
    }
}

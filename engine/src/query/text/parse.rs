//! Tokens to a query: the clauses after the metrics, in any order, each once.

use super::lexer::{Lexeme, Token, lex};
use super::{condition, period};
use crate::error::{Error, Result};
use crate::metrics::{METRICS, Metric};
use crate::query::check::{self, Part};
use crate::query::suggest;
use crate::query::value::{Order, Query};
use crate::rules::DEFAULT_RULE;
use crate::schema::Dimension;
use crate::schema::dimension::DIMENSIONS;

/// Reads a query's text.
///
/// # Errors
///
/// `Invalid` with the column where the text leaves the grammar or breaks a rule of
/// [`Query::check`]; `Limit` for texts over [`super::TEXT_BYTES_MAX`].
pub fn parse(text: &str) -> Result<Query> {
    let mut parser = Parser::new(text)?;
    let mut query = Query::default();
    let mut places = Places::default();
    loop {
        places.metrics.push(parser.column());
        query.metrics.push(parser.metric()?);
        if !parser.eat(&Token::Comma) {
            break;
        }
    }
    while *parser.peek() != Token::End {
        parser.clause(&mut query, &mut places)?;
    }
    match check::fault(&query) {
        None => Ok(query),
        Some(fault) => Err(fault.error.at_column(places.of(fault.part).to_string())),
    }
}

/// Words that begin a clause.
pub(super) const CLAUSES: &[&str] = &[
    "by",
    "where",
    "last",
    "last-month",
    "previous-month",
    "from",
    "to",
    "in",
    "all",
    "as",
    "rule",
    "approx",
    "order",
    "top",
];

/// Columns of the parts of a query, for errors of [`check::fault`].
#[derive(Debug, Default)]
pub(super) struct Places {
    metrics: Vec<usize>,
    by: Vec<usize>,
    /// Of each condition: its start, then its values.
    pub(super) conditions: Vec<(usize, Vec<usize>)>,
    range: Option<usize>,
    as_of: Option<usize>,
    rule: Option<usize>,
    approx: Option<usize>,
    order: Option<usize>,
    top: Option<usize>,
}

impl Places {
    pub(super) fn of(&self, part: Part) -> usize {
        let found = match part {
            Part::Metric(index) => self.metrics.get(index).copied(),
            Part::By(index) => self.by.get(index).copied(),
            Part::Condition(index) => self.conditions.get(index).map(|(start, _)| *start),
            Part::Value(index, value) => self
                .conditions
                .get(index)
                .and_then(|(_, values)| values.get(value))
                .copied(),
            Part::Range => self.range,
            Part::AsOf => self.as_of,
            Part::Rule => self.rule,
            Part::Order => self.order,
            Part::Top => self.top,
        };
        found.unwrap_or(1)
    }
}

/// A cursor over the tokens of one text.
#[derive(Debug)]
pub(super) struct Parser {
    lexemes: Vec<Lexeme>,
    index: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self> {
        let lexemes = lex(text)?;
        Ok(Self { lexemes, index: 0 })
    }

    /// The token after the next `ahead` ones.
    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        let lexeme = self.lexemes.get(self.index.saturating_add(ahead));
        lexeme.map_or(&Token::End, |lexeme| &lexeme.token)
    }

    pub(super) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(super) fn column(&self) -> usize {
        self.lexemes
            .get(self.index)
            .or(self.lexemes.last())
            .map_or(1, |lexeme| lexeme.column)
    }

    /// The next token; the end stays.
    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.index += 1;
        token
    }

    pub(super) fn eat(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == token;
        self.index += usize::from(is_next);
        is_next
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Word(next) if next == word);
        self.index += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, token: &Token) -> Result<()> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected(&token.found()))
        }
    }

    /// The error for a next token that is not `expected`.
    pub(super) fn unexpected(&self, expected: &str) -> Error {
        Error::invalid(format!(
            "found {}, expected {expected}",
            self.peek().found()
        ))
        .at_column(self.column().to_string())
    }

    /// A bare or quoted text.
    pub(super) fn text(&mut self, expected: &str) -> Result<String> {
        match self.peek() {
            Token::Word(_) | Token::Quoted(_) => {}
            _ => return Err(self.unexpected(expected)),
        }
        match self.advance() {
            Token::Word(text) | Token::Quoted(text) => Ok(text),
            other => Err(Error::invalid(format!("found {}", other.found()))),
        }
    }

    pub(super) fn metric(&mut self) -> Result<Metric> {
        let start = self.index;
        let column = self.column();
        let name = self.column_name("a metric")?;
        Metric::from_name(&name).ok_or_else(|| {
            self.index = start;
            let help = Dimension::from_name(&name)
                .map(|_| format!("begin with a metric and write: downloads by {name}"));
            let names = METRICS.iter().map(|(name, ..)| *name);
            let error = check::unknown("metric", &name, names).at_column(column.to_string());
            match help {
                Some(help) => Error::invalid(error.message())
                    .at_column(column.to_string())
                    .with_help(help),
                None => error,
            }
        })
    }

    /// The name of a metric or dimension, `rolling(N)` in one spelling.
    fn column_name(&mut self, expected: &str) -> Result<String> {
        let name = self.text(expected)?;
        if name != "rolling" {
            return Ok(name);
        }
        self.expect(&Token::Open)
            .map_err(|error| error.with_help("write the days in brackets: rolling(28)"))?;
        let days = self.number("a number of days")?;
        let days = u32::try_from(days)
            .ok()
            .filter(|days| *days > 0)
            .ok_or_else(|| {
                self.index -= 1;
                self.unexpected("a number of days from 1")
            })?;
        self.expect(&Token::Close)?;
        Ok(Metric::Rolling(days).to_string())
    }

    /// A whole number.
    pub(super) fn number(&mut self, expected: &str) -> Result<u64> {
        let number = match self.peek() {
            Token::Word(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse(),
            _ => return Err(self.unexpected(expected)),
        };
        let number = number.map_err(|_| self.unexpected(expected))?;
        self.index += 1;
        Ok(number)
    }

    pub(super) fn dimension(&mut self) -> Result<Dimension> {
        let column = self.column();
        let name = self.text("a dimension")?;
        Dimension::from_name(&name).ok_or_else(|| {
            let names = DIMENSIONS.iter().map(|(name, ..)| *name);
            check::unknown("dimension", &name, names.chain(["ua.KEY", "extra.NAME"]))
                .at_column(column.to_string())
        })
    }

    pub(super) fn clause(&mut self, query: &mut Query, places: &mut Places) -> Result<()> {
        let column = self.column();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.not_a_clause(places));
        };
        let place = match word.as_str() {
            "by" if places.by.is_empty() => {
                self.index += 1;
                return self.by(query, places);
            }
            "where" if places.conditions.is_empty() => {
                self.index += 1;
                return condition::conditions(self, query, places);
            }
            "by" | "where" => return Err(self.twice(&word)),
            "as" => &mut places.as_of,
            "rule" => &mut places.rule,
            "approx" => &mut places.approx,
            "order" => &mut places.order,
            "top" => &mut places.top,
            range if CLAUSES.contains(&range) => &mut places.range,
            _ => return Err(self.not_a_clause(places)),
        };
        if place.replace(column).is_some() {
            return Err(self.twice(&word));
        }
        match word.as_str() {
            "as" => {
                self.index += 1;
                if !self.eat_word("of") {
                    return Err(self.unexpected("\"of\""));
                }
                query.as_of = Some(period::as_of(self)?);
            }
            "rule" => {
                self.index += 1;
                let name = self.text("the name of a rule")?;
                query.rule = (name != DEFAULT_RULE).then_some(name);
            }
            "approx" => {
                self.index += 1;
                query.approx = true;
            }
            "order" => {
                self.index += 1;
                if !self.eat_word("by") {
                    return Err(self.unexpected("\"by\""));
                }
                places.order = Some(self.column());
                query.order = Some(self.order()?);
            }
            "top" => {
                self.index += 1;
                places.top = Some(self.column());
                query.top = Some(self.number("a number of rows")?);
            }
            _ => query.range = period::range(self)?,
        }
        Ok(())
    }

    fn by(&mut self, query: &mut Query, places: &mut Places) -> Result<()> {
        loop {
            places.by.push(self.column());
            query.by.push(self.dimension()?);
            if !self.eat(&Token::Comma) {
                return Ok(());
            }
        }
    }

    fn order(&mut self) -> Result<Order> {
        let column = self.column_name("a column of the answer")?;
        let descending = self.eat_word("desc");
        if !descending {
            self.eat_word("asc");
        }
        Ok(Order { column, descending })
    }

    fn twice(&self, word: &str) -> Error {
        let what = match word {
            "as" => "as of",
            "by" | "where" | "rule" | "approx" | "order" | "top" => word,
            _ => "range",
        };
        let error = Error::invalid(format!("found {word:?}, a second {what}"))
            .at_column(self.column().to_string());
        match what {
            "by" => error.with_help("write one by, its dimensions separated by commas"),
            "where" => error.with_help("join conditions with and"),
            "range" => error.with_help("give one range; both ends: from X to Y"),
            _ => error,
        }
    }

    fn not_a_clause(&self, places: &Places) -> Error {
        let mut words = CLAUSES.to_vec();
        if !places.conditions.is_empty() {
            words.insert(0, "and");
        }
        let error = self.unexpected(&format!("one of {}", words.join(", ")));
        let Token::Word(word) = self.peek() else {
            return error;
        };
        if word == "or" {
            return error.with_help("write dim in (a, b) for alternatives; there is no or");
        }
        if Metric::from_name(word).is_some() || Dimension::from_name(word).is_some() {
            return error.with_help("separate names with commas");
        }
        match suggest::did_you_mean(word, words) {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}

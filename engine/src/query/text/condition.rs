//! Tokens after `where` to conditions.

use super::lexer::{Operator, Token};
use super::parse::{Parser, Places};
use crate::error::Result;
use crate::query::check;
use crate::query::value::{Condition, Query, Test};
use crate::schema::Dimension;

/// Reads `COND [and COND]…`.
pub(super) fn conditions(
    parser: &mut Parser,
    query: &mut Query,
    places: &mut Places,
) -> Result<()> {
    loop {
        let start = parser.column();
        let mut values = Vec::new();
        query.filter.push(condition(parser, &mut values)?);
        places.conditions.push((start, values));
        if !parser.eat_word("and") {
            return Ok(());
        }
    }
}

/// Reads one condition; the columns of its values go to `places`.
pub(super) fn condition(parser: &mut Parser, places: &mut Vec<usize>) -> Result<Condition> {
    let negated = parser.eat_word("not");
    if parser.eat_word("in_set") {
        parser.expect(&Token::Open)?;
        places.push(parser.column());
        let name = parser.text("the name of a set")?;
        parser.expect(&Token::Close)?;
        return Ok(Condition::InSet(name, !negated));
    }
    if negated {
        return Err(parser
            .unexpected("\"in_set\"")
            .with_help("write the negation after the dimension: !=, !~ or not in (…)"));
    }
    let dimension = parser.dimension()?;
    let test = test(parser, &dimension, places)?;
    Ok(Condition::Where(dimension, test))
}

fn test(parser: &mut Parser, dimension: &Dimension, places: &mut Vec<usize>) -> Result<Test> {
    if parser.eat_word("in") {
        return Ok(Test::In(list(parser, dimension, places)?));
    }
    if parser.eat_word("not") {
        if !parser.eat_word("in") {
            return Err(parser.unexpected("\"in\""));
        }
        return Ok(Test::NotIn(list(parser, dimension, places)?));
    }
    let Token::Operator(operator) = parser.peek().clone() else {
        return Err(parser.unexpected("one of =, !=, <, <=, >, >=, ~, !~, in, not in"));
    };
    parser.advance();
    places.push(parser.column());
    let value = parser.text("a value")?;
    if let Operator::Like | Operator::NotLike = operator {
        return Ok(if operator == Operator::Like {
            Test::Like(value)
        } else {
            Test::NotLike(value)
        });
    }
    let value = canonical(dimension, value);
    Ok(match operator {
        Operator::Equal => Test::Equal(value),
        Operator::NotEqual => Test::NotEqual(value),
        Operator::Less => Test::Less(value),
        Operator::LessOrEqual => Test::LessOrEqual(value),
        Operator::Greater => Test::Greater(value),
        Operator::GreaterOrEqual => Test::GreaterOrEqual(value),
        Operator::Like => Test::Like(value),
        Operator::NotLike => Test::NotLike(value),
    })
}

fn list(
    parser: &mut Parser,
    dimension: &Dimension,
    places: &mut Vec<usize>,
) -> Result<Vec<String>> {
    parser.expect(&Token::Open)?;
    let mut values = Vec::new();
    loop {
        places.push(parser.column());
        let value = parser.text("a value")?;
        values.push(canonical(dimension, value));
        if !parser.eat(&Token::Comma) {
            break;
        }
    }
    if !parser.eat(&Token::Close) {
        return Err(parser.unexpected("\",\" or \")\""));
    }
    Ok(values)
}

/// Numbers without leading zeros; all else as written.
fn canonical(dimension: &Dimension, value: String) -> String {
    if dimension.is_number()
        && let Some(number) = check::number(&value)
    {
        return number.to_string();
    }
    value
}

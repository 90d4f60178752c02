//! Columns of rows to numbers that order them: for each row one, of as many of the compared columns as have room in it.
//!
//! Rows are many where two dimensions are shown, and few values are in each of these: what is sorted are numbers then.

use std::collections::HashMap;

use super::Unordered;
use crate::error::Result;
use crate::query::answer::Value;

/// What orders rows like some columns, each with whether it descends, the first ones first; equal numbers say
/// nothing. Null is last in either direction.
///
/// # Errors
///
/// Those of `go_on`, which is asked for each row.
pub(super) fn ranks(
    rows: &[Unordered],
    columns: impl Iterator<Item = (usize, bool)>,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<u64>> {
    let mut ranks = vec![0_u64; rows.len()];
    let mut room = u64::BITS;
    for (column, descending) in columns {
        let Some(own) = ranks_of(rows, (column, descending), go_on)? else {
            break;
        };
        let greatest = own.iter().max().copied().unwrap_or(0);
        let bits = u64::BITS - greatest.leading_zeros();
        let Some(rest) = room.checked_sub(bits) else {
            break;
        };
        room = rest;
        for (rank, own) in ranks.iter_mut().zip(own) {
            *rank = rank.checked_shl(bits).unwrap_or(0) | own;
        }
    }
    Ok(ranks)
}

/// Numbers that order rows like one column; `None` for a column that has other values than whole numbers alone or texts
/// alone.
fn ranks_of(
    rows: &[Unordered],
    (column, descending): (usize, bool),
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Option<Vec<u64>>> {
    let values = || rows.iter().map(|row| row.values.get(column));
    let is_number =
        |value: Option<&Value>| matches!(value, None | Some(Value::Null | Value::Int(_)));
    let is_text =
        |value: Option<&Value>| matches!(value, None | Some(Value::Null | Value::Text(_)));
    if values().all(is_number) {
        Ok(of_numbers(values(), descending))
    } else if values().all(is_text) {
        of_texts(values(), descending, go_on).map(Some)
    } else {
        Ok(None)
    }
}

/// `None` if null has no number above all others.
fn of_numbers<'r>(
    values: impl Iterator<Item = Option<&'r Value>> + Clone,
    descending: bool,
) -> Option<Vec<u64>> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    };
    let numbers = values.clone().filter_map(number);
    let (least, greatest) = numbers.fold((u64::MAX, 0), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    });
    let null = greatest.saturating_sub(least).checked_add(1)?;
    let rank = |value| match (number(value), descending) {
        (None, _) => null,
        (Some(value), true) => greatest - value,
        (Some(value), false) => value - least,
    };
    Some(values.map(rank).collect())
}

fn of_texts<'r>(
    values: impl Iterator<Item = Option<&'r Value>>,
    descending: bool,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<u64>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut texts: Vec<&str> = Vec::new();
    // Of rows with the same text many follow each other.
    let mut last: Option<usize> = None;
    let mut of_rows: Vec<Option<usize>> = Vec::new();
    for value in values {
        go_on(1)?;
        let Some(Value::Text(text)) = value else {
            of_rows.push(None);
            continue;
        };
        let is_same = last.and_then(|last| texts.get(last)) == Some(&text.as_str());
        if !is_same {
            let next = texts.len();
            let place = *places.entry(text).or_insert(next);
            if place == next {
                texts.push(text);
            }
            last = Some(place);
        }
        of_rows.push(last);
    }
    let mut order: Vec<usize> = (0..texts.len()).collect();
    let text = |place: &usize| texts.get(*place).map_or(&[][..], |text| text.as_bytes());
    order.sort_unstable_by(|a, b| match text(a).cmp(text(b)) {
        ordering if descending => ordering.reverse(),
        ordering => ordering,
    });
    let mut ranks = vec![0_u64; texts.len()];
    for (rank, place) in (0..).zip(order) {
        if let Some(own) = ranks.get_mut(place) {
            *own = rank;
        }
    }
    let null = texts.len() as u64;
    let rank = |place: Option<usize>| place.and_then(|place| ranks.get(place)).copied();
    let of_rows = of_rows.into_iter();
    Ok(of_rows.map(|place| rank(place).unwrap_or(null)).collect())
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::super::compare;
    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            1 => Just(Value::Null),
            4 => prop_oneof![0_u64..9, Just(u64::MAX), Just(u64::MAX - 1)].prop_map(Value::Int),
            4 => "[a-cé]{0,3}".prop_map(Value::Text),
        ]
    }

    proptest! {
        /// Where two numbers differ, they say what the columns say, one after the other.
        #[test]
        fn numbers_order_rows_like_their_columns(
            rows in prop::collection::vec([value(), value(), value()], 0..40), kinds in prop::collection::vec(0_u8..3, 3),
            descending: [bool; 3],
        ) {
            // Most columns are of one kind.
            let rows: Vec<Unordered> = rows.into_iter().map(|row| {
                let values = row.into_iter().zip(&kinds).map(|(value, kind)| match (kind, value) {
                    (0, Value::Text(text)) => Value::Int(text.len() as u64),
                    (1, Value::Int(number)) => Value::Text(number.to_string()),
                    (_, value) => value,
                });
                Unordered { values: values.collect(), hidden: None }
            }).collect();
            let columns = (0..3).zip(descending);
            let found = ranks(&rows, columns.clone(), &mut |_| Ok(())).unwrap();
            let column_order = |a: &Value, b: &Value, descending: bool| match (a, b) {
                (Value::Null, _) | (_, Value::Null) => compare(a, b),
                _ if descending => compare(a, b).reverse(),
                _ => compare(a, b),
            };
            for (a, a_rank) in rows.iter().zip(&found) {
                for (b, b_rank) in rows.iter().zip(&found) {
                    let mut all = columns.clone().map(|(at, descending)| column_order(&a.values[at], &b.values[at], descending));
                    let want = all.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal);
                    let said = a_rank.cmp(b_rank);
                    prop_assert!(said == Ordering::Equal || said == want, "{a:?} {b:?}: {said:?}");
                    if kinds.iter().all(|kind| *kind == 1) {
                        prop_assert_eq!(said, want);
                    }
                }
            }
        }
    }
}

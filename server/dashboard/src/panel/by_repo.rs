//! Answers by type and repo to the numbers of each repo.

use std::collections::HashMap;

use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::Dimension;

use crate::number::{int_of, str_of};

/// What is asked by.
pub(super) const BY: [Dimension; 2] = [Dimension::RepoType, Dimension::Repo];

/// Type and name.
pub(super) type Key<'a> = (&'a str, &'a str);

/// Type and name of a row as they are shown: `type:name` where types share the name.
pub(super) fn shown_key(row: &[Value]) -> Key<'_> {
    (str_of(row, 0), str_of(row, 1))
}

/// Type and name of a row, whether types share the name or not.
pub(super) fn bare_key(row: &[Value]) -> Key<'_> {
    let (kind, shown) = shown_key(row);
    (kind, bare(kind, shown))
}

/// A name without the type that tells it from others.
pub(super) fn bare<'a>(kind: &str, shown: &'a str) -> &'a str {
    let name = shown.strip_prefix(kind);
    name.and_then(|name| name.strip_prefix(':'))
        .unwrap_or(shown)
}

/// The first metric of several answers, as far as each has the repo; repos in the order of the first answer that
/// has them.
pub(super) fn joined<'a, const N: usize>(
    answers: [Option<&'a Answer>; N],
    key_of: impl Fn(&'a [Value]) -> Key<'a>,
) -> Vec<(Key<'a>, [Option<u64>; N])> {
    let mut rows: Vec<(Key<'a>, [Option<u64>; N])> = Vec::new();
    let mut places: HashMap<Key<'a>, usize> = HashMap::new();
    for (at, answer) in answers.into_iter().enumerate() {
        for row in answer.into_iter().flat_map(|answer| &answer.rows) {
            let Some(value) = int_of(row, BY.len()) else {
                continue;
            };
            let key = key_of(row);
            let place = *places.entry(key).or_insert(rows.len());
            if place == rows.len() {
                rows.push((key, [None; N]));
            }
            if let Some(number) = rows
                .get_mut(place)
                .and_then(|(_, numbers)| numbers.get_mut(at))
            {
                *number = Some(value);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_repo_come_together() {
        let row = |kind: &str, name: &str, number| {
            let texts = [kind, name].map(|text| Value::Text(text.to_owned()));
            texts.into_iter().chain([Value::Int(number)]).collect()
        };
        let answer = |rows| Answer {
            rows,
            ..Answer::default()
        };
        let now = answer(vec![row("model", "a/x", 5), row("space", "b", 2)]);
        let before = answer(vec![row("dataset", "c", 9), row("model", "model:a/x", 1)]);
        assert_eq!(
            joined([Some(&now), None, Some(&before)], bare_key),
            [
                (("model", "a/x"), [Some(5), None, Some(1)]),
                (("space", "b"), [Some(2), None, None]),
                (("dataset", "c"), [None, None, Some(9)]),
            ]
        );
        assert_eq!(joined([Some(&now), Some(&before)], shown_key).len(), 4);
    }
}

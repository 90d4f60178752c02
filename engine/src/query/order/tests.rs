//! The order of rows against its definition.

use proptest::prelude::*;

use super::*;
use crate::query::text::parse;

/// Ordered by who has time.
fn order(query: &Query, rows: Vec<Unordered>) -> Result<Ordered> {
    super::order(query, rows, &mut |_| Ok(()))
}

fn text(value: &str) -> Value {
    if value.is_empty() {
        Value::Null
    } else {
        Value::Text(value.to_owned())
    }
}

fn int(value: u64) -> Value {
    Value::Int(value)
}

/// The first column of the rows in their order.
fn ordered(query: &str, rows: Vec<Vec<Value>>) -> (Vec<Value>, bool) {
    let rows = rows
        .into_iter()
        .map(|values| Unordered {
            values,
            hidden: None,
        })
        .collect();
    let ordered = order(&parse(query).unwrap(), rows).unwrap();
    let first = ordered.rows.into_iter().map(|mut row| row.swap_remove(0));
    (first.collect(), ordered.truncated)
}

fn countries() -> Vec<Vec<Value>> {
    vec![
        vec![text(""), int(9), int(1)],
        vec![text("FR"), int(5), Value::Null],
        vec![text("DE"), int(5), int(3)],
        vec![text("NA"), int(10), int(2)],
    ]
}

#[test]
fn null_is_last_in_both_directions_and_ties_go_by_dimension() {
    for (query, want) in [
        ("requests, users by country", ["NA", "", "DE", "FR"]),
        (
            "requests, users by country order by country",
            ["DE", "FR", "NA", ""],
        ),
        (
            "requests, users by country order by country desc",
            ["NA", "FR", "DE", ""],
        ),
        (
            "requests, users by country order by requests",
            ["DE", "FR", "", "NA"],
        ),
        (
            "requests, users by country order by users",
            ["", "NA", "DE", "FR"],
        ),
        (
            "requests, users by country order by users desc",
            ["DE", "NA", "", "FR"],
        ),
    ] {
        let (rows, truncated) = ordered(query, countries());
        assert_eq!(rows, want.map(text), "{query}");
        assert!(!truncated);
        let (first, truncated) = ordered(&format!("{query} top 2"), countries());
        assert_eq!(
            first,
            want[..2].iter().map(|of| text(of)).collect::<Vec<_>>(),
            "{query}"
        );
        assert!(truncated);
    }
    assert!(!ordered("requests, users by country top 4", countries()).1);
}

#[test]
fn time_is_ascending_and_numbers_are_numbers() {
    let rows = |values: [u64; 3]| values.map(|value| vec![int(value), int(7)]).to_vec();
    let hours = ordered("requests by hour_of_day", rows([10, 9, 0])).0;
    assert_eq!(hours, [int(0), int(9), int(10)]);
    let statuses = ordered("requests by status", rows([404, 1000, 206])).0;
    assert_eq!(statuses, [int(206), int(404), int(1000)]);
    let days = ["2026-07-02", "2026-07-01"]
        .map(|day| vec![text(day), int(9)])
        .to_vec();
    assert_eq!(ordered("requests by day", days).0[0], text("2026-07-01"));
}

#[test]
fn downloaders_go_by_their_whole_key() {
    let row = |key: &[u8], count| Unordered {
        values: vec![text("00000000"), int(count)],
        hidden: Some(key.to_vec()),
    };
    let rows = vec![row(b"u2", 1), row(b"u1", 1), row(b"i9", 1), row(b"u3", 2)];
    let absent = Unordered {
        values: vec![Value::Null, int(1)],
        hidden: None,
    };
    let rows: Vec<_> = rows.into_iter().chain([absent]).collect();
    let top = |n: u64| {
        let query = Query {
            top: Some(n),
            ..parse("requests by downloader").unwrap()
        };
        order(&query, rows.clone()).unwrap().rows
    };
    assert_eq!(top(1)[0][1], int(2));
    assert_eq!(top(9)[4][0], Value::Null);
    let desc = parse("requests by downloader order by downloader desc").unwrap();
    let keyed = order(&desc, rows.clone()).unwrap().rows;
    assert_eq!(keyed[0][1], int(2));
    assert_eq!(keyed[4][0], Value::Null);
}

#[test]
fn downloader_keys_order_by_hash_then_kind() {
    let (user, ip) = (IdentityKind::User, IdentityKind::Ip);
    let keys = [
        (b"a".as_slice(), user),
        (b"a", ip),
        (b"a!", user),
        (b"b", user),
    ];
    let keys = keys.map(|(hash, kind)| downloader_key(hash, kind));
    assert!(keys.is_sorted());
}

#[test]
fn a_column_that_is_not_there_is_an_error() {
    let mut query = parse("requests by day order by day").unwrap();
    query.by.clear();
    assert!(order(&query, Vec::new()).is_err());
}

/// How each column is compared, written out as keys: null last, then the value.
fn naive(rows: &[Vec<Value>], columns: &[(usize, bool)]) -> Vec<Vec<Value>> {
    let mut sorted: Vec<Vec<Value>> = Vec::new();
    let is_before = |a: &[Value], b: &[Value]| {
        for (column, descending) in columns {
            let (a, b) = (&a[*column], &b[*column]);
            if a == b {
                continue;
            }
            let (Value::Text(a), Value::Text(b)) = (a, b) else {
                return match (a, b) {
                    (Value::Int(a), Value::Int(b)) => (a < b) != *descending,
                    _ => *b == Value::Null,
                };
            };
            return (a < b) != *descending;
        }
        false
    };
    for row in rows {
        let index = sorted.iter().position(|other| is_before(row, other));
        sorted.insert(index.unwrap_or(sorted.len()), row.clone());
    }
    sorted
}

proptest! {
    #[test]
    fn the_order_is_the_definitions(
        cells in prop::collection::btree_map(("[ab]{0,2}", "[ab]{0,1}"), 0_u64..4, 0..20),
        seed in any::<u64>(), column in 0_usize..4, descending: bool, top in 1_u64..25,
    ) {
        let mut rows: Vec<_> = cells
            .iter()
            .map(|((org, country), count)| {
                let count = if *count == 0 { Value::Null } else { int(*count) };
                vec![text(org), text(country), count]
            })
            .collect();
        rows.sort_by_key(|row| format!("{row:?}").len() as u64 ^ seed);
        let direction = if descending { "desc" } else { "asc" };
        let (clause, first) = match ["org", "country", "requests"].get(column) {
            Some(name) => (format!("order by {name} {direction}"), (column, descending)),
            None => (String::new(), (2, true)),
        };
        let query = parse(&format!("requests by org, country {clause} top {top}")).unwrap();
        let want = naive(&rows, &[first, (0, false), (1, false)]);
        let kept = want.len().min(usize::try_from(top).unwrap());
        let unordered = rows.iter().cloned().map(|values| Unordered { values, hidden: None });
        let ordered = order(&query, unordered.collect()).unwrap();
        prop_assert_eq!(ordered.truncated, kept < want.len());
        prop_assert_eq!(&ordered.rows, &want[..kept]);
    }
}

#[test]
fn many_rows_are_sorted_as_few_are_and_can_be_stopped() {
    for count in [
        0,
        1,
        SORTED_AT_ONCE,
        SORTED_AT_ONCE + 1,
        5 * SORTED_AT_ONCE + 7,
    ] {
        let rows = (0..count as u32).map(|row| (row.wrapping_mul(2_654_435_761) >> 16, row));
        let rows: Vec<_> = rows.collect();
        let mut want = rows.clone();
        want.sort_unstable();
        for top in [0, 1, 9, SORTED_AT_ONCE - 1, SORTED_AT_ONCE + 3, usize::MAX] {
            let kept = &want[..count.min(top)];
            let first = first(rows.clone(), top, Ord::cmp, &mut |_| Ok(())).unwrap();
            assert!(first == kept, "{top} of {count}");
        }
    }
    let mut left = 4 * SORTED_AT_ONCE;
    let mut go_on = |rows: usize| {
        left = left
            .checked_sub(rows)
            .ok_or_else(|| Error::limit("no more"))?;
        Ok(())
    };
    let rows = (0..3 * SORTED_AT_ONCE).collect();
    assert!(first(rows, usize::MAX, Ord::cmp, &mut go_on).is_err());
}

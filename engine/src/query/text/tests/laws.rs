//! Random queries and random texts: what is rendered reads back, what is wrong has a place.

use proptest::prelude::*;

use crate::metrics::{METRICS, Metric};
use crate::query::text::{parse, render};
use crate::query::value::{Bound, Condition, Order, Query, Range, Test};
use crate::rules::RULES;
use crate::schema::dimension::DIMENSIONS;
use crate::schema::{Dimension, TimeUnit};
use crate::units::{DAY_MAX, Day, TimestampMs};

fn metrics() -> impl Strategy<Value = Vec<Metric>> {
    let names: Vec<_> = METRICS.iter().map(|(_, metric, _)| *metric).collect();
    let metric =
        (prop::sample::select(names), 1_u32..1000).prop_map(|(metric, days)| match metric {
            Metric::Rolling(_) => Metric::Rolling(days),
            other => other,
        });
    prop::collection::vec(metric, 1..4)
}

fn dimension() -> impl Strategy<Value = Dimension> {
    let plain: Vec<_> = DIMENSIONS
        .iter()
        .map(|(_, dimension, _)| dimension.clone())
        .collect();
    prop_oneof![
        6 => prop::sample::select(plain),
        1 => "\\PC{1,6}".prop_map(Dimension::UaKey),
        1 => "\\PC{1,6}".prop_map(Dimension::Extra),
    ]
}

/// A value that the dimension can have.
fn value(dimension: &Dimension) -> BoxedStrategy<String> {
    match dimension {
        Dimension::Status => (0_u32..1000).prop_map(|status| status.to_string()).boxed(),
        Dimension::Time(unit) => {
            let unit = *unit;
            let label = move |day: u32| unit.label(unit.of_day(Day(day)));
            (10_u32..80_000).prop_map(label).boxed()
        }
        Dimension::Class => Just("partial".to_owned()).boxed(),
        Dimension::Evidence => Just("check".to_owned()).boxed(),
        Dimension::Ci | Dimension::Identity | Dimension::Internal => Just(String::new()).boxed(),
        _ => prop_oneof!["\\PC{0,8}", "[a-z]{1,3}/[-*?:\"\\\\a-z]{0,5}", "(?s).{0,3}"].boxed(),
    }
}

fn test(dimension: &Dimension) -> impl Strategy<Value = Test> + use<> {
    let one = || value(dimension);
    let list = || prop::collection::vec(value(dimension), 1..4);
    let glob = || "([a*?é/\" ]|\\\\[*?\\\\]){0,5}";
    prop_oneof![
        one().prop_map(Test::Equal),
        one().prop_map(Test::NotEqual),
        one().prop_map(Test::Less),
        one().prop_map(Test::LessOrEqual),
        one().prop_map(Test::Greater),
        one().prop_map(Test::GreaterOrEqual),
        list().prop_map(Test::In),
        list().prop_map(Test::NotIn),
        glob().prop_map(Test::Like),
        glob().prop_map(Test::NotLike),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        5 => dimension().prop_flat_map(|dimension| {
            test(&dimension).prop_map(move |test| Condition::Where(dimension.clone(), test))
        }),
        1 => ("\\PC{1,5}", any::<bool>()).prop_map(|(name, is)| Condition::InSet(name, is)),
    ]
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        (0..=DAY_MAX.get()).prop_map(|day| Bound::Day(Day(day))),
        (0..=DAY_MAX.end().get()).prop_map(|ts| Bound::Instant(TimestampMs(ts))),
        (0..DAY_MAX.get()).prop_map(|day| Bound::Instant(Day(day).start())),
    ]
}

fn range() -> impl Strategy<Value = Range> {
    let unit = prop::sample::select(vec![
        TimeUnit::Hour,
        TimeUnit::Day,
        TimeUnit::Week,
        TimeUnit::Month,
        TimeUnit::Quarter,
        TimeUnit::Year,
    ]);
    prop_oneof![
        Just(Range::All),
        Just(Range::PreviousMonth),
        (1_u32..).prop_map(Range::LastDays),
        (1_u32..).prop_map(Range::LastMonths),
        (bound(), prop::option::of(bound())).prop_map(|(from, to)| Range::Between(Some(from), to)),
        bound().prop_map(|to| Range::Between(None, Some(to))),
        (unit, 10_u32..DAY_MAX.get())
            .prop_map(|(unit, day)| Range::In(unit, unit.of_day(Day(day)))),
    ]
}

/// Queries as [`parse`] gives them, if they pass [`Query::check`].
fn query() -> impl Strategy<Value = Query> {
    let parts = (
        metrics(),
        prop::collection::vec(dimension(), 0..5),
        prop::collection::vec(condition(), 0..3),
        (range(), prop::option::weighted(0.1, bound())),
    );
    let rule = prop_oneof![
        prop::sample::select(RULES.iter().map(|rule| rule.name).collect::<Vec<_>>())
            .prop_map(ToOwned::to_owned),
        "\\PC{1,5}"
    ];
    let ends = (
        prop::option::of(rule),
        any::<bool>(),
        prop::option::of((any::<prop::sample::Index>(), any::<bool>())),
        prop::option::of(1_u64..),
    );
    (parts, ends).prop_map(
        |((metrics, by, filter, (range, as_of)), (rule, approx, order, top))| {
            let dimensions = by.iter().map(ToString::to_string);
            let columns: Vec<_> = dimensions
                .chain(metrics.iter().map(ToString::to_string))
                .collect();
            let order = order.map(|(index, descending)| Order {
                column: index.get(&columns).clone(),
                descending,
            });
            Query {
                metrics,
                by,
                filter,
                range,
                as_of,
                rule: rule.filter(|rule| rule != "5min"),
                approx,
                order,
                top,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_rendered_reads_back(query in query()) {
        prop_assume!(query.check().is_ok());
        let text = render(&query);
        let parsed = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(parsed, query);
    }

    #[test]
    fn any_text_gives_a_query_that_reads_back_or_an_error_with_a_column(
        words in prop::collection::vec(prop_oneof![
            4 => prop::sample::select(vec![
                "requests", "downloads", "by", "day", "repo", "where", "status", "=", "206", "and",
                "in", "(", ")", ",", "not", "last", "30d", "from", "to", "2026-07-14", "top", "~",
                "as", "of", "hub_downloads", "order", "asc", "desc", "rule", "approx", "rolling(3)", "in_set", "\"a\"", "\"",
            ]).prop_map(ToOwned::to_owned),
            1 => "\\PC{0,4}",
        ], 0..14),
    ) {
        match parse(&words.join(" ")) {
            Ok(query) => {
                prop_assert!(query.check().is_ok());
                prop_assert_eq!(parse(&render(&query)).unwrap(), query);
            }
            Err(error) => prop_assert!(error.place().column.is_some(), "{}", error),
        }
    }

    #[test]
    fn what_is_wrong_with_a_query_is_wrong_with_its_text(query in query()) {
        prop_assert_eq!(parse(&render(&query)).is_ok(), query.check().is_ok());
    }
}

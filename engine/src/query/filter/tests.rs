//! Tests of values against their definition, form by form.

use proptest::prelude::*;

use super::*;
use crate::schema::time::parse_day;
use crate::units::Day;

fn text(value: &str) -> String {
    value.to_owned()
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| text(value)).collect()
}

#[test]
fn absent_differs_from_every_other_value() {
    for (test, absent, de) in [
        (Test::Equal(text("")), true, false),
        (Test::NotEqual(text("")), false, true),
        (Test::Equal(text("DE")), false, true),
        (Test::NotEqual(text("DE")), true, false),
        (Test::NotEqual(text("FR")), true, true),
        (Test::In(texts(&["", "FR"])), true, false),
        (Test::NotIn(texts(&["FR"])), true, true),
        (Test::NotIn(texts(&["", "FR"])), false, true),
        (Test::Less(text("ZZ")), false, true),
        (Test::LessOrEqual(text("")), false, false),
        (Test::Greater(text("")), false, true),
        (Test::GreaterOrEqual(text("")), false, true),
        (Test::Like(text("*")), false, true),
        (Test::Like(text("")), false, false),
        (Test::NotLike(text("*")), true, false),
        (Test::NotLike(text("D?")), true, false),
    ] {
        let matcher = Matcher::compile(&Dimension::Country, &test).unwrap();
        assert_eq!(matcher.matches_absent(), absent, "{test:?}");
        assert_eq!(matcher.matches_text("DE"), de, "{test:?}");
    }
}

#[test]
fn numbers_compare_as_numbers() {
    let compile = |test| Matcher::compile(&Dimension::Status, &test).unwrap();
    let below = compile(Test::Less(text("1000")));
    assert!(below.matches_number(404) && below.matches_text("404"));
    let glob = compile(Test::Like(text("4?4")));
    assert!(glob.matches_number(404) && !glob.matches_number(400));
    let listed = compile(Test::NotIn(texts(&["0200", "206"])));
    assert!(!listed.matches_number(200) && listed.matches_number(304));
    for wrong in ["", "x", "-1", "+1", "99999999999"] {
        assert!(Matcher::compile(&Dimension::Status, &Test::Equal(text(wrong))).is_err());
    }
}

#[test]
fn buckets_compare_by_time() {
    let dimension = Dimension::Time(TimeUnit::Week);
    let compile = |test| Matcher::compile(&dimension, &test).unwrap();
    let key = |label| TimeUnit::Week.of_day(parse_day(label).unwrap());
    let from = compile(Test::GreaterOrEqual(text("2020-W53")));
    assert!(from.matches_bucket(key("2021-01-03")) && !from.matches_bucket(key("2020-12-27")));
    let year = compile(Test::Like(text("2020-*")));
    assert!(year.matches_bucket(key("2021-01-03")) && !year.matches_bucket(key("2021-01-04")));
    assert!(Matcher::compile(&dimension, &Test::Equal(text("2021-W53"))).is_err());
}

#[test]
fn a_repo_is_a_name_or_a_type_and_a_name() {
    let types = ["model", "dataset"];
    for (test, model, dataset) in [
        (Test::Equal(text("a/x")), true, true),
        (Test::Equal(text("dataset:a/x")), false, true),
        (Test::NotEqual(text("dataset:a/x")), true, false),
        (Test::Equal(text("space:a/x")), false, false),
        (Test::In(texts(&["b/y", "model:a/x"])), true, false),
        (Test::NotIn(texts(&["b/y", "a/x"])), false, false),
        (Test::Like(text("a/*")), true, true),
        (Test::Like(text("model:*")), true, false),
        (Test::NotLike(text("model:*")), false, true),
        (Test::Less(text("a/y")), true, true),
        (Test::Greater(text("a/x")), false, false),
        (Test::GreaterOrEqual(text("a/x")), true, true),
    ] {
        let matcher = RepoMatcher::compile(&test, &types).unwrap();
        assert_eq!(matcher.matches("model", "a/x"), model, "{test:?}");
        assert_eq!(matcher.matches("dataset", "a/x"), dataset, "{test:?}");
    }
    let colon = RepoMatcher::compile(&Test::Equal(text("b:c")), &types).unwrap();
    assert!(colon.matches("model", "b:c") && !colon.matches("b", "c"));
    let absent = RepoMatcher::compile(&Test::NotLike(text("*")), &types).unwrap();
    assert!(absent.matches("model", ""));
}

#[test]
fn listed_values_can_be_looked_up() {
    let listed = Matcher::compile(&Dimension::Country, &Test::In(texts(&["FR", "DE", "FR"])));
    let values: Vec<_> = listed
        .unwrap()
        .listed_texts()
        .unwrap()
        .iter()
        .cloned()
        .collect();
    assert_eq!(values, ["DE", "FR"]);
    let other = Matcher::compile(&Dimension::Country, &Test::NotEqual(text("FR"))).unwrap();
    assert!(other.listed_texts().is_none());
    let repos = RepoMatcher::compile(&Test::Equal(text("model:a/x")), &["model"]).unwrap();
    assert_eq!(
        repos.listed(),
        Some([(Some(text("model")), text("a/x"))].as_slice())
    );
}

/// The definition over anything ordered.
fn naive<T: PartialOrd>(kind: u8, value: &T, other: &T, is_absent: bool) -> bool {
    match kind {
        0 => value == other,
        1 => value != other,
        2 => !is_absent && value < other,
        3 => !is_absent && value <= other,
        4 => !is_absent && value > other,
        _ => !is_absent && value >= other,
    }
}

fn comparison(kind: u8, other: String) -> Test {
    match kind {
        0 => Test::Equal(other),
        1 => Test::NotEqual(other),
        2 => Test::Less(other),
        3 => Test::LessOrEqual(other),
        4 => Test::Greater(other),
        _ => Test::GreaterOrEqual(other),
    }
}

proptest! {
    #[test]
    fn texts_compare_by_bytes(kind in 0_u8..6, value in "[aé😀Z]{0,2}", other in "[aé😀Z]{0,2}") {
        let test = comparison(kind, other.clone());
        let matcher = Matcher::compile(&Dimension::Country, &test).unwrap();
        let want = naive(kind, &value.as_bytes(), &other.as_bytes(), value.is_empty());
        prop_assert_eq!(matcher.matches_text(&value), want);
    }

    #[test]
    fn every_form_gives_the_same(kind in 0_u8..6, value in 0_u32..1000, other in 0_u32..1000) {
        let test = comparison(kind, other.to_string());
        let matcher = Matcher::compile(&Dimension::Status, &test).unwrap();
        prop_assert_eq!(matcher.matches_number(value), naive(kind, &value, &other, false));
        prop_assert_eq!(matcher.matches_text(&value.to_string()), matcher.matches_number(value));
        for unit in [TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Hour] {
            let key = |day: u32| unit.of_day(Day(day * 40 + 30));
            let test = comparison(kind, unit.label(key(other)));
            let matcher = Matcher::compile(&Dimension::Time(unit), &test).unwrap();
            let want = naive(kind, &key(value), &key(other), false);
            prop_assert_eq!(matcher.matches_bucket(key(value)), want);
            prop_assert_eq!(matcher.matches_text(&unit.label(key(value))), want);
        }
    }

    #[test]
    fn lists_are_many_equalities(
        value in "[ab]{0,2}", values in prop::collection::vec("[ab]{0,2}", 1..5), repo_type in "[mn]",
    ) {
        let test = Test::In(values.clone());
        let matcher = Matcher::compile(&Dimension::Org, &test).unwrap();
        prop_assert_eq!(matcher.matches_text(&value), values.contains(&value));
        let not = Matcher::compile(&Dimension::Org, &Test::NotIn(values.clone())).unwrap();
        prop_assert_eq!(not.matches_text(&value), !values.contains(&value));
        let typed: Vec<_> = values.iter().map(|name| format!("m:{name}")).collect();
        let repos = RepoMatcher::compile(&Test::In(typed), &["m", "n"]).unwrap();
        let want = repo_type == "m" && values.contains(&value);
        prop_assert_eq!(repos.matches(&repo_type, &value), want);
    }
}

//! What holds of every analysis.

use super::request::usage;
use super::*;

#[test]
fn examples_are_read_and_their_canonical_texts_read_the_same() {
    for analysis in ANALYSES {
        let card = analysis.card();
        assert!(!card.examples.is_empty(), "{}", card.name);
        for example in card.examples {
            let read = Question::parse(example).unwrap();
            let again = Question::parse(&read.render()).unwrap();
            assert_eq!(read, again, "{example}");
            assert_eq!(read.render(), again.render());
            assert!(matches!(read, Question::Analysis(request) if request.analysis == card.name));
        }
        assert!(usage(*analysis).starts_with(card.name));
    }
}

#[test]
fn names_are_unique_and_no_metrics() {
    for (index, analysis) in ANALYSES.iter().enumerate() {
        let name = analysis.card().name;
        let others = ANALYSES[..index].iter();
        assert!(others.into_iter().all(|other| other.card().name != name));
        assert_eq!(Metric::from_name(name), None);
    }
}

#[test]
fn set_expressions_have_one_text_each() {
    for (text, canonical) in [
        ("a/x and b/y", r#"repo = "a/x" and repo = "b/y""#),
        (
            "'a/x and (b/y and m)'",
            r#"repo = "a/x" and repo = "b/y" and in_set(m)"#,
        ),
        ("not not a/x", r#"repo = "a/x""#),
        ("not (a/x or m)", r#"not (repo = "a/x" or in_set(m))"#),
        (
            "(a/x or m) and not in_set(\"m n\")",
            r#"(repo = "a/x" or in_set(m)) and not in_set("m n")"#,
        ),
        ("not in_set(m)", "not in_set(m)"),
        ("(where repo = a/x)", r#"repo = "a/x""#),
        (
            "(where repo = a/x and country in (DE, FR) last 4w) or (in 2026-07)",
            r#"(where repo = "a/x" and country in (DE, FR) last 28d) or (in 2026-07)"#,
        ),
        ("(where status = 200 all)", "(where status = 200 all)"),
        ("country in (DE) in 2026", "country in (DE) in 2026"),
        (
            "country not in (DE) last 1y rule files",
            "country not in (DE) last 12m rule files",
        ),
    ] {
        let read = Question::parse(&format!("audience {text}")).unwrap();
        assert_eq!(read.render(), format!("audience {canonical}"), "{text}");
        assert_eq!(Question::parse(&read.render()).unwrap(), read, "{text}");
    }
}

#[test]
fn mistakes_are_named_with_their_column() {
    for (text, column, message, help) in [
        (
            "audience",
            "9",
            "found the end of the query, expected a condition, a repo",
            "write audience 'SET'",
        ),
        (
            "audiense 'a/x'",
            "1",
            "unknown metric",
            "did you mean audience?",
        ),
        (
            "audience 'a/x' order by x",
            "16",
            "found \"order\", expected one of where, a range, rule",
            "",
        ),
        (
            "audience (a/x",
            "14",
            "found the end of the query, expected \")\"",
            "",
        ),
        ("audience a/x)", "13", "found \")\", expected", ""),
        (
            "audience contry = DE",
            "10",
            "unknown dimension \"contry\"",
            "did you mean country?",
        ),
        (
            "overlap top x",
            "13",
            "found \"x\", expected a number of rows",
            "",
        ),
        ("overlap tpo 5", "9", "found \"tpo\"", "did you mean top?"),
    ] {
        let error = Question::parse(text).unwrap_err();
        assert!(error.message().starts_with(message), "{text}: {error}");
        assert_eq!(error.place().column.as_deref(), Some(column), "{text}");
        assert!(
            error.help().unwrap_or_default().starts_with(help),
            "{text}: {:?}",
            error.help()
        );
    }
    let deep = format!("audience {}a/x", "(".repeat(60));
    assert!(Question::parse(&deep).is_err());
}

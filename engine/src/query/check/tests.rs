//! What a query built without text is refused for.

use super::*;
use crate::metrics::Metric;
use crate::query::value::{Range, Test};
use crate::schema::Dimension;

fn refused(change: impl Fn(&mut Query)) -> String {
    let mut query = Query {
        metrics: vec![Metric::Downloads],
        ..Query::default()
    };
    assert!(query.check().is_ok());
    change(&mut query);
    query.check().unwrap_err().to_string()
}

#[test]
fn what_no_text_can_say() {
    assert_eq!(
        refused(|query| query.metrics.clear()),
        "no metric, expected at least one"
    );
    let rolling = refused(|query| query.metrics = vec![Metric::Rolling(0)]);
    assert_eq!(rolling, "rolling(0), expected a number of days from 1");
    let list = refused(|query| {
        let test = Test::In(Vec::new());
        query.filter = vec![Condition::Where(Dimension::Country, test)];
    });
    assert_eq!(list, "an empty list of values for country");
    let range = refused(|query| query.range = Range::LastDays(0));
    assert_eq!(range, "a range of length 0, expected at least 1");
}

#[test]
fn rules_are_built_in_or_the_stores() {
    assert!(check_rule(None, &[]).is_ok());
    assert!(check_rule(Some("counter"), &[]).is_ok());
    assert!(check_rule(Some("ours"), &["ours"]).is_ok());
    let error = check_rule(Some("counter-uniq"), &["ours"]).unwrap_err();
    assert!(error.message().ends_with("daily, ours"), "{error}");
    assert_eq!(error.help(), Some("did you mean counter-unique?"));
}

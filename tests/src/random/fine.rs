//! A seed and what a store holds to a query about hours, instants, statuses and places, or about the first
//! downloaders: what visits answer only if they know more of their rows than how many there are.

use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query, Range, Test};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::query::{About, range, value};
use super::{Content, Rng, text};

const METRICS: [&[Metric]; 7] = [
    &[Metric::Requests],
    &[Metric::Requests],
    &[Metric::Requests, Metric::Downloaders],
    &[Metric::Downloaders],
    &[Metric::Downloads],
    &[Metric::Requests, Metric::Users, Metric::Downloads],
    &[Metric::Repos, Metric::Countries],
];
const BY: [Dimension; 5] = [
    Dimension::Time(TimeUnit::HourOfDay),
    Dimension::Time(TimeUnit::Hour),
    Dimension::Repo,
    Dimension::Country,
    Dimension::Downloader,
];
const VERBS: [Dimension; 3] = [Dimension::Status, Dimension::Method, Dimension::Class];
const PLACES: [Dimension; 4] = [
    Dimension::Country,
    Dimension::Country,
    Dimension::Region,
    Dimension::Client,
];

/// Such a query, and one of its texts.
#[must_use]
pub fn random_fine_query(rng: &mut Rng, content: &Content) -> (Query, String) {
    let rows = &content.rows;
    let mut query = Query {
        metrics: rng.pick(&METRICS).to_vec(),
        ..Query::default()
    };
    for _ in 0..*rng.pick(&[0, 1, 1, 2]) {
        let dimension = rng.pick(&BY).clone();
        if !query.by.contains(&dimension) {
            query.by.push(dimension);
        }
    }
    let equal = |rng: &mut Rng, dimension: &Dimension| {
        let among = (0..1 + rng.below(3)).map(|_| value(rng, rows, dimension));
        let among: Vec<String> = among.collect();
        Condition::Where(dimension.clone(), Test::In(among))
    };
    for dimensions in [&VERBS[..], &PLACES[..]] {
        if rng.percent(60) {
            let dimension = rng.pick(dimensions).clone();
            query.filter.push(equal(rng, &dimension));
        }
    }
    if rng.percent(20) {
        query.filter.push(equal(rng, &Dimension::Repo));
    }
    if rng.percent(60) {
        let hour = Dimension::Time(TimeUnit::HourOfDay);
        let from = Test::GreaterOrEqual(value(rng, rows, &hour));
        let to = Test::LessOrEqual(value(rng, rows, &hour));
        let mut ends = vec![
            Condition::Where(hour.clone(), from),
            Condition::Where(hour, to),
        ];
        ends.truncate(1 + rng.below(2));
        query.filter.extend(ends);
    }
    query.range = if rng.percent(50) {
        Range::All
    } else {
        range(rng, rows, About::Log)
    };
    if rng.percent(30) {
        let rules = ["requests", "counter-unique", "daily", "files", "counter"];
        query.rule = Some((*rng.pick(&rules)).to_owned());
    }
    if query.by.contains(&Dimension::Downloader) || rng.percent(20) {
        query.top = Some(1 + rng.number() % 6);
    }
    let text = text::random_text(rng, &query);
    (query, text)
}

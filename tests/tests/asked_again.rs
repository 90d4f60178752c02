//! Questions that are asked again and again: what stays in memory of a store says what the naive evaluator says.

use footfall_engine::query::text;
use footfall_engine::schema::Row;
use footfall_engine::units::{DAY_MS, Day, TimestampMs};
use footfall_tests::random::compare::{Engine, Naive, difference};
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

/// How often each question is asked of each state: what a store keeps it keeps from the third time on.
const TIMES: usize = 7;

/// Questions about few repos and some places, hours and verbs.
const QUESTIONS: [&str; 30] = [
    r#"downloaders by day where repo = "a/0" and country = "US""#,
    r#"downloaders by day where repo = "a/1" and country = "US""#,
    r#"downloaders by country where repo in ("a/0", "a/1")"#,
    r#"downloaders by repo, region where repo in ("a/0", "a/2") and country != "DE""#,
    r#"downloaders by month, country where repo = "a/2" and status = 200"#,
    r#"users, ips by day where repo = "a/0" and country in ("DE", "FR") rule counter-unique"#,
    r#"requests, downloaders where repo in ("a/0", "a/1") and country = "FR" and status = 302"#,
    r#"requests, downloads by repo where country = "FR" and hour_of_day >= 8 and hour_of_day < 12"#,
    r#"requests, downloads, downloaders by hour_of_day where repo = "a/3" and method = "HEAD""#,
    r#"downloaders by region where country = "FR" last 20d"#,
    r#"requests, downloaders where repo in ("a/0", "a/1") and country in ("DE", "FR") and status = 200 and hour_of_day >= 8 and hour_of_day <= 17"#,
    r#"requests by hour_of_day where country = "DE" and repo = "a/2""#,
    r#"requests, users by method, region where repo in ("a/0", "a/3") and hour_of_day < 20"#,
    r#"requests, repos by country, status where repo in ("a/1", "a/4")"#,
    r#"users where class = "probe" and repo = "a/1" rule counter-unique"#,
    r#"repos, downloaders by week where repo in ("a/0", "a/4") from 2025-06-03T07:30:00Z to 2025-07-06T22:10:00Z"#,
    r#"requests, ips by identity, hour where repo = "a/2" and identity in ("ip", "") and country = "US""#,
    r#"downloaders by day where repo = "a/3""#,
    r#"downloaders, users by repo where repo in ("a/3", "a/4") last 10d"#,
    r#"ips by week where repo = "a/2" and method = "GET" rule requests"#,
    r#"returning by day where repo in ("a/0", "a/1") and class = "fetch" last 9d"#,
    r#"requests by repo where country != "FR" top 3"#,
    r#"requests by repo_type, region where country in ("DE", "BR") last 20d"#,
    r#"requests by repo from 2025-06-15T10:30:00Z to 2025-06-20T03:00:00Z top 20"#,
    r#"requests by country, day from 2025-06-15T10:30:00Z to 2025-06-20T03:00:00Z"#,
    r#"requests by country, identity where repo_type = "model" and country != "" from 2025-06-11T17:42:00Z"#,
    r#"requests by downloader where country in ("US", "DE") and identity = "ip" to 2025-06-30T12:00:00Z top 9"#,
    r#"requests where identity = "user""#,
    r#"requests by identity, day where repo != "a/1""#,
    r#"requests by repo, week where identity = "ip" and repo in ("a/0", "a/3")"#,
];

/// Forty days of few people, who request several times a day, here and there; `nobodies` in a hundred are not known.
fn few_people(rng: &mut Rng, nobodies: usize) -> Content {
    let rows = (0..9_000).map(|_| {
        let who = rng.below(40);
        let is_nobody = rng.percent(nobodies);
        let place = match rng.percent(90) {
            true => who,
            false => rng.below(40),
        };
        let countries = ["US", "US", "DE", "US", "FR", "BR", "US", "DE"];
        let country = countries.get(place % 8).copied().unwrap_or("");
        let ts = Day(20_240 + rng.number() as u32 % 40).start().get() + rng.number() % DAY_MS;
        let id = format!("{who:08x}");
        let (user_hash, ip_hash) = match (is_nobody, who % 3) {
            (true, _) => (String::new(), String::new()),
            (_, 0) => (id, String::new()),
            _ => (String::new(), id),
        };
        Row {
            ts: TimestampMs(ts),
            status: *rng.pick(&[200, 200, 200, 302, 404]),
            method: (*rng.pick(&["GET", "GET", "HEAD", "POST"])).to_owned(),
            repo_type: "model".to_owned(),
            repo: format!("a/{}", rng.below(5)),
            country: country.to_owned(),
            region: format!("r{}", place % 16),
            user_hash,
            ip_hash,
            ..Row::default()
        }
    });
    Content {
        rows: rows.collect(),
        hub: None,
    }
}

/// Asks every question several times.
fn ask(stored: &Stored, content: &Content) -> Result<(), String> {
    let naive = Naive(content.clone());
    for asked in QUESTIONS {
        let query = text::parse(asked).map_err(|error| error.to_string())?;
        let want = naive.query(&query, asked);
        for time in 0..TIMES {
            let found = stored.store.query(asked).map_err(|error| error.to_string());
            if let Some(difference) = difference(&want, &found) {
                return Err(format!("{asked}: asked {time} times before: {difference}"));
            }
        }
    }
    Ok(())
}

#[test]
fn what_is_kept_says_what_the_log_says() -> Result<(), String> {
    for (seed, nobodies) in [(1, 0), (2, 12)] {
        let mut rng = Rng::new(seed);
        let all = few_people(&mut rng, nobodies);
        let (early, late) = all.rows.split_at(8_000);
        let [early, late] = [early, late].map(|rows| Content {
            rows: rows.to_vec(),
            hub: None,
        });
        let mut stored = Stored::new(&early, seed)?;
        let compact = |stored: &Stored| {
            let compacted = stored.store.compact(&mut |_| {});
            compacted.map_err(|error| error.to_string())
        };
        compact(&stored)?;
        ask(&stored, &early)?;
        stored.add(&late, seed + 100)?;
        ask(&stored, &all)?;
        compact(&stored)?;
        ask(&stored, &all)?;
    }
    Ok(())
}

//! The numbers of every panel, under random filters, are those that the same questions give outside of the page.
//!
//! Here each question is put together as a text, from what a reader would say that the panel shows.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

mod scene;

use footfall_dashboard::{Place, State, render};
use footfall_engine::query::{Answer, Value};
use footfall_engine::rules::RULES;
use footfall_engine::store::Store;
use scene::{Section, sections, shown, store};

type Tested = Result<(), Box<dyn std::error::Error>>;

const STATES: u64 = 50;
const SEED: u64 = 20_260_714;

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.next() as usize % texts.len()]
    }
}

const CONDITIONS: &[&str] = &[
    "country = US",
    "country != DE",
    "country in (FR, GB, JP)",
    "region ~ \"US/*\"",
    "client = transformers",
    "client != python and client_version !~ \"1*\"",
    "ci = flagged",
    "identity = user",
    "identity != user",
    "class in (fetch, redirect)",
    "class != error",
    "status < 300",
    "method = HEAD",
    "repo ~ \"acme/*\"",
    "repo !~ \"*a*\"",
    "org != acme",
    "repo_type = model",
    "repo_type != model",
    "hour_of_day >= 12",
    "weekday < 6",
];
const RANGES: &[&str] = &[
    "all",
    "last 7d",
    "last 30d",
    "last 2m",
    "previous-month",
    "in 2025-02",
    "from 2025-02-10 to 2025-02-20",
    "from 2025-01-01",
    "to 2025-02-01",
];
const REPOS: &[&str] = &["model acme/llama-7b", "model acme/qwen2.5-base-int8"];

/// What a page is asked for, as texts.
#[derive(Debug)]
struct Asked {
    place: Place,
    conditions: Vec<&'static str>,
    range: &'static str,
    rule: Option<&'static str>,
    tab: &'static str,
}

impl Asked {
    fn any(rng: &mut Rng, number: u64) -> Self {
        let (kind, name) = rng.pick(REPOS).split_once(' ').unwrap();
        let place = match number % 4 {
            0 => Place::Repo(kind.to_owned(), name.to_owned()),
            1 => Place::Counting,
            2 => Place::Data,
            _ => Place::Overview,
        };
        let mut conditions: Vec<&str> = (0..rng.next() % 3).map(|_| rng.pick(CONDITIONS)).collect();
        conditions.dedup();
        let rules: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        Self {
            place,
            conditions,
            range: rng.pick(RANGES),
            rule: rng.next().is_multiple_of(3).then(|| rng.pick(&rules)),
            tab: rng.pick(&["downloads", "downloaders"]),
        }
    }

    fn state(&self) -> Result<State, footfall_engine::Error> {
        let mut parameters = vec![
            ("range".to_owned(), self.range.to_owned()),
            ("tab".to_owned(), self.tab.to_owned()),
            ("where".to_owned(), self.conditions.join(" and ")),
        ];
        parameters.extend(self.rule.map(|rule| ("rule".to_owned(), rule.to_owned())));
        State::of(self.place.clone(), &parameters)
    }

    /// A question under the page's filter, range and rule, with a condition more.
    fn text(&self, what: &str, more: Option<&str>, (range, rule): (&str, Option<&str>)) -> String {
        let mut conditions: Vec<String> = self
            .conditions
            .iter()
            .map(|text| (*text).to_owned())
            .collect();
        if let Place::Repo(kind, name) = &self.place {
            conditions.push(format!("repo = \"{kind}:{name}\""));
        }
        conditions.extend(more.map(str::to_owned));
        let filter = match conditions.len() {
            0 => String::new(),
            _ => format!(" where {}", conditions.join(" and ")),
        };
        let rule = rule.filter(|_| !what.starts_with("hub_"));
        let rule = rule.map_or_else(String::new, |rule| format!(" rule {rule}"));
        format!("{what}{filter} {range}{rule}")
    }

    /// The headlines are of models and datasets, unless types or repos were chosen.
    fn headline(&self) -> Option<&'static str> {
        let is_chosen = self.conditions.iter().any(|text| text.starts_with("repo"));
        (self.place == Place::Overview && !is_chosen).then_some("repo_type in (model, dataset)")
    }
}

/// A page beside its store.
struct Scene<'a> {
    store: &'a Store,
    asked: Asked,
    sections: Vec<Section>,
}

impl Scene<'_> {
    fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }

    fn ask(&self, what: &str) -> Answer {
        self.ask_with(what, None)
    }

    fn ask_with(&self, what: &str, more: Option<&str>) -> Answer {
        self.query(
            &self
                .asked
                .text(what, more, (self.asked.range, self.asked.rule)),
        )
    }

    fn query(&self, text: &str) -> Answer {
        self.store
            .query(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Whether the Hub's numbers can be had under this filter.
    fn has_hub(&self) -> bool {
        let text = self
            .asked
            .text("hub_downloads", None, (self.asked.range, None));
        self.store.query(&text).is_ok()
    }

    fn headline(&self) {
        let section = self.section("headline").unwrap();
        let more = self.asked.headline();
        let mut want = Vec::new();
        if self.has_hub() {
            let metric = if self.asked.range == "all" {
                "hub_total"
            } else {
                "hub_downloads"
            };
            want.push(shown(&self.ask_with(metric, more).rows[0][0]));
        }
        let who = self.ask_with("downloaders, users, ips", more);
        want.push(shown(&who.rows[0][0]));
        want.push(shown(&self.ask_with("downloads", more).rows[0][0]));
        let more: Vec<&str> = more
            .into_iter()
            .chain(["in_set(\"known-machines\")"])
            .collect();
        let machines = self.ask_with("downloads", Some(&more.join(" and ")));
        want.push(shown(&machines.rows[0][0]));
        let more = self.asked.headline();
        assert_eq!(section.texts("p", "value"), want);
        let parts: Vec<String> = section.texts("dd", "");
        for (_, value) in who.rows[0].iter().enumerate().skip(1) {
            assert!(parts.contains(&shown(value)), "{parts:?}");
        }
        for row in &self.ask_with("downloads by evidence", more).rows {
            assert!(parts.contains(&shown(&row[1])), "{parts:?}");
        }
    }

    fn trend(&self) {
        let section = self.section("trend").unwrap();
        let mut metrics = vec![self.asked.tab];
        if self.has_hub() && self.asked.tab == "downloads" {
            metrics.insert(0, "hub_downloads");
        }
        let want = metrics.iter().flat_map(|metric| {
            let answer = self.ask(&format!("{metric} by day"));
            answer
                .rows
                .into_iter()
                .map(|row| vec![text(&row[0]), shown(&row[1])])
        });
        let got = section
            .rows("series")
            .into_iter()
            .map(|row| row[..2].to_vec());
        assert_eq!(got.collect::<Vec<_>>(), want.collect::<Vec<_>>());
    }

    fn repos(&self) {
        let section = self.section("repos").unwrap();
        let (metric, all) = if self.has_hub() {
            ("hub_downloads", "hub_total")
        } else {
            ("downloads", "downloads")
        };
        let by = |metric: &str| format!("{metric} by repo_type, repo");
        let everything =
            |what: &str| self.query(&self.asked.text(what, None, ("all", self.asked.rule)));
        let columns = [
            self.ask(&by(metric)),
            everything(&by(all)),
            self.ask(&by("downloaders")),
        ];
        let value = |column: &Answer, kind: &str, name: &str| {
            let row = column.rows.iter().find(|row| {
                let repo = text(&row[1]);
                text(&row[0]) == kind && (repo == name || repo == format!("{kind}:{name}"))
            });
            row.map_or(0, |row| int(&row[2]))
        };
        let rows = section.rows("repos");
        let (body, foot) = rows.split_at(rows.len() - 2);
        let mut sums = [0; 3];
        for row in body {
            for (at, column) in columns.iter().enumerate() {
                let want = value(column, &row[1], &row[0]);
                let got = row[2 + at].replace(',', "").parse().unwrap_or(0);
                assert_eq!(got, want, "{row:?} column {at}");
                sums[at] += want;
            }
        }
        let known = columns
            .iter()
            .flat_map(|column| column.rows.iter().filter(|row| int(&row[2]) > 0));
        let names: std::collections::BTreeSet<String> = known
            .map(|row| format!("{} {}", text(&row[0]), text(&row[1])))
            .collect();
        assert!(
            body.len() >= names.len(),
            "{} of {} repos",
            body.len(),
            names.len()
        );
        let totals = [
            &self.ask(metric),
            &everything(all),
            &self.ask("downloaders"),
        ];
        for at in 0..3 {
            assert_eq!(
                foot[0][2 + at],
                shown(&Value::Int(sums[at])),
                "sum of column {at}"
            );
            assert_eq!(
                foot[1][2 + at],
                shown(&totals[at].rows[0][0]),
                "total of column {at}"
            );
        }
    }

    fn movers(&self) {
        let Some(section) = self.section("movers") else {
            return;
        };
        let metric = if self.has_hub() {
            "hub_downloads"
        } else {
            "downloads"
        };
        let now = self.ask(&format!("{metric} by repo_type, repo"));
        let value = |answer: &Answer, name: &str| value_at(answer, 1, name, 2).unwrap_or(0);
        let mut changes: Vec<u64> = Vec::new();
        for row in section.rows("moves") {
            let number = |at: usize| row[at].replace(',', "").parse::<u64>().unwrap();
            assert_eq!(number(2), value(&now, &row[0]), "{row:?}");
            changes.push(number(1).abs_diff(number(2)));
        }
        assert!(!changes.is_empty());
    }

    fn ranked(&self, id: &str, (coarse, fine): (&str, &str), top: u64) {
        let is_one = self
            .asked
            .conditions
            .iter()
            .any(|text| text.starts_with(&format!("{coarse} = ")));
        let by = if is_one { fine } else { coarse };
        let answer = self.query(&format!(
            "{} top {top}",
            self.asked.text(
                &format!("downloaders, downloads by {by}"),
                None,
                (self.asked.range, self.asked.rule)
            )
        ));
        let has_any = answer.rows.iter().any(|row| row[0] != Value::Null);
        let Some(section) = self.section(id) else {
            assert!(!has_any, "no panel {id}");
            return;
        };
        let want: Vec<Vec<String>> = answer
            .rows
            .iter()
            .map(|row| vec![shown(&row[1]), shown(&row[2])])
            .collect();
        let got: Vec<Vec<String>> = section
            .rows("bars")
            .into_iter()
            .map(|row| row[1..3].to_vec())
            .take(want.len())
            .collect();
        assert_eq!(got, want, "{id}");
    }

    fn known(&self) {
        let Some(section) = self.section("known") else {
            return;
        };
        let rows = section.rows("known");
        let unit = if rows.first().is_none_or(|row| row[0].contains('W')) {
            "week"
        } else {
            "month"
        };
        let answer = self.ask(&format!("new, returning by {unit}"));
        let want: Vec<Vec<String>> = answer
            .rows
            .iter()
            .map(|row| vec![shown(&row[1]), shown(&row[2])])
            .collect();
        let got: Vec<Vec<String>> = rows.into_iter().map(|row| row[1..3].to_vec()).collect();
        assert_eq!(got, want);
    }

    fn hours(&self) {
        let section = self.section("hours").unwrap();
        let answer = self.ask("downloads by weekday, hour_of_day");
        let mut want = vec![vec!["0".to_owned(); 24]; 7];
        for row in &answer.rows {
            want[int(&row[0]) as usize - 1][int(&row[1]) as usize] = shown(&row[2]);
        }
        let got: Vec<Vec<String>> = section
            .rows("heat")
            .into_iter()
            .map(|row| row[1..].to_vec())
            .collect();
        assert_eq!(got, want);
    }

    fn classes(&self) {
        let section = self.section("classes").unwrap();
        let answer = self.ask("requests by class");
        let want: Vec<String> = answer.rows.iter().map(|row| shown(&row[1])).collect();
        let got: Vec<String> = section
            .rows("bars")
            .into_iter()
            .map(|row| row[1].clone())
            .collect();
        assert_eq!(got, want);
    }

    fn rules(&self) {
        let rows = self.section("rules").unwrap().rows("rules");
        assert_eq!(rows.len(), RULES.len());
        for (rule, row) in RULES.iter().zip(rows) {
            let text = self.asked.text(
                "downloads, downloaders",
                None,
                (self.asked.range, Some(rule.name)),
            );
            let answer = self.query(&text);
            let want = [
                rule.name.to_owned(),
                shown(&answer.rows[0][0]),
                shown(&answer.rows[0][1]),
            ];
            assert_eq!(row[..3], want);
        }
    }

    fn data(&self) -> Tested {
        let status = self.store.status()?;
        let section = self.section("calendar").unwrap();
        for source in [&status.logs, &status.hub].into_iter().flatten() {
            let said = format!("{} ", shown(&Value::Int(source.rows)));
            assert!(section.html.contains(&said), "{said}");
        }
        let imports = self.store.imports()?;
        let rows = self.section("imports").unwrap().rows("imports");
        for (import, row) in imports.iter().rev().zip(rows) {
            assert_eq!(
                (row[0].parse(), &row[3]),
                (Ok(import.import), &shown(&Value::Int(import.rows)))
            );
        }
        Ok(())
    }

    fn check(&self) -> Tested {
        match self.asked.place {
            Place::Overview => {
                self.headline();
                self.trend();
                self.repos();
                self.movers();
                self.ranked("places", ("country", "region"), 12);
                self.ranked("clients", ("client", "client_version"), 10);
                self.known();
            }
            Place::Repo(..) => {
                self.headline();
                self.trend();
                self.ranked("places", ("country", "region"), 12);
                self.ranked("clients", ("client", "client_version"), 10);
                self.hours();
                self.classes();
                self.known();
            }
            Place::Counting => {
                self.rules();
                self.classes();
            }
            Place::Data => self.data()?,
        }
        Ok(())
    }
}

fn int(value: &Value) -> u64 {
    match value {
        Value::Int(value) => *value,
        _ => 0,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(value) => value.to_string(),
        _ => String::new(),
    }
}

/// The number of the row that has this value in a column.
fn value_at(answer: &Answer, at: usize, name: &str, column: usize) -> Option<u64> {
    let row = answer.rows.iter().find(|row| text(&row[at]) == name)?;
    Some(int(&row[column]))
}

#[test]
fn fifty_random_states_show_what_the_queries_say() -> Tested {
    let dir = tempfile::tempdir()?;
    let store = store(dir.path())?;
    let seed = std::env::var("FOOTFALL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(SEED);
    let mut rng = Rng(seed);
    for number in 0..STATES {
        let asked = Asked::any(&mut rng, number);
        let state = asked.state()?;
        println!(
            "FOOTFALL_SEED={seed} state {number}: {} {asked:?}",
            state.href()
        );
        let page = render(&store, &state)?.content;
        assert!(!page.contains("class=\"error\""), "{page}");
        let scene = Scene {
            store: &store,
            asked,
            sections: sections(&page),
        };
        scene.check()?;
    }
    Ok(())
}

//! Where answers come from: a store of this machine, or a server.

use std::collections::BTreeSet;

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Answer, Query, Value, text};
use footfall_engine::schema::Dimension;
use footfall_engine::store::Store;

use crate::ask::{Sources, usage_if_invalid};
use crate::client::Client;
use crate::exit::Outcome;

/// What questions are asked of.
pub(crate) trait Source {
    /// The answer of a query.
    fn answer(&self, query: &Query) -> Outcome<Answer>;

    /// The answer of an analysis.
    fn analyse(&self, request: &Request) -> Outcome<Answer>;

    /// Which sources there are.
    fn sources(&self) -> Outcome<Sources>;

    /// The pairs of type and name of all repos, of both sources.
    fn repos(&self) -> Outcome<BTreeSet<(String, String)>>;

    /// All countries.
    fn countries(&self) -> Outcome<BTreeSet<String>>;
}

impl Source for Store {
    fn answer(&self, query: &Query) -> Outcome<Answer> {
        self.evaluate(query).map_err(usage_if_invalid)
    }

    fn analyse(&self, request: &Request) -> Outcome<Answer> {
        Self::analyse(self, request).map_err(usage_if_invalid)
    }

    fn sources(&self) -> Outcome<Sources> {
        let view = self.view()?;
        let manifest = view.manifest();
        Ok(Sources {
            logs: !manifest.partitions.is_empty(),
            hub: !manifest.hub.is_empty(),
        })
    }

    fn repos(&self) -> Outcome<BTreeSet<(String, String)>> {
        let view = self.view()?;
        let names = view.names();
        let of_logs = (0..names.repos().len()).map(|code| names.repo(code));
        let mut repos: BTreeSet<(String, String)> = of_logs
            .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
            .collect();
        if let Some(state) = self.hub_state(None)? {
            let of_hub = state.repos().iter().map(|repo| repo.key());
            repos.extend(of_hub.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
        }
        repos.retain(|(_, name)| !name.is_empty());
        Ok(repos)
    }

    fn countries(&self) -> Outcome<BTreeSet<String>> {
        let view = self.view()?;
        let names = view.names();
        Ok((0..names.places().len())
            .map(|code| names.place(code).0.to_owned())
            .collect())
    }
}

impl Source for Client {
    fn answer(&self, query: &Query) -> Outcome<Answer> {
        self.query(&text::render(query))
    }

    fn analyse(&self, request: &Request) -> Outcome<Answer> {
        self.query(&request.render())
    }

    fn sources(&self) -> Outcome<Sources> {
        let has = |metric| -> Outcome<bool> {
            let answer = self.answer(&Query {
                metrics: vec![metric],
                ..Query::default()
            })?;
            Ok(answer.meta.from.is_some())
        };
        Ok(Sources {
            logs: has(Metric::Requests)?,
            hub: has(Metric::HubTotal)?,
        })
    }

    fn repos(&self) -> Outcome<BTreeSet<(String, String)>> {
        let mut repos = BTreeSet::new();
        for metric in [Metric::Requests, Metric::HubTotal] {
            let answer = self.answer(&Query {
                metrics: vec![metric],
                by: vec![Dimension::RepoType, Dimension::Repo],
                ..Query::default()
            })?;
            for row in answer.rows {
                if let [Value::Text(kind), Value::Text(label), ..] = row.as_slice() {
                    // Where types share a name, answers show type and name.
                    let prefix = format!("{kind}:");
                    let name = label.strip_prefix(&prefix).unwrap_or(label);
                    repos.insert((kind.clone(), name.to_owned()));
                }
            }
        }
        Ok(repos)
    }

    fn countries(&self) -> Outcome<BTreeSet<String>> {
        let answer = self.answer(&Query {
            metrics: vec![Metric::Requests],
            by: vec![Dimension::Country],
            ..Query::default()
        })?;
        let countries = answer
            .rows
            .into_iter()
            .filter_map(|mut row| match row.swap_remove(0) {
                Value::Text(country) => Some(country),
                _ => None,
            });
        Ok(countries.collect())
    }
}

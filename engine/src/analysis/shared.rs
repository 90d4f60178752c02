//! Addresses to how many agents each has: those with many are suspected of being shared.
//!
//! Whoever sits behind one address with others (an office, a university, a cloud's gateway) is counted
//! with them as one downloader. Agents are told apart by client, its version and that of Python, so that
//! sessions of one agent are one.

use std::collections::BTreeMap;

use super::request::{Request, Subject};
use super::sheet::{share, sheet};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::Result;
use crate::query::text::Reader;
use crate::query::value::{Condition, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::Dimension;

/// `shared`.
pub(super) struct Shared;

const CARD: Card = Card {
    name: "shared",
    about: "Count addresses by how many agents they have; those with many are probably shared",
    words: "",
    clauses: &["where", "range", "rule"],
    examples: &["shared last 30d", "shared where country = DE in 2026-07"],
};

/// Agents from which on an address is suspected of being shared.
const SHARED_AGENTS_MIN: u64 = 5;

impl Analysis for Shared {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, _: &mut Reader) -> Result<Subject> {
        Ok(Subject::Nothing)
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("an address is two, each with its part of the agents")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let columns = [
            ("agents", ColumnType::Int),
            ("ips", ColumnType::Int),
            ("share", ColumnType::Real),
            ("suspected", ColumnType::Bool),
        ];
        let mut filter = request.scope.filter.clone();
        for (dimension, test) in [
            (Dimension::Identity, Test::Equal("ip".to_owned())),
            (Dimension::Client, Test::NotEqual(String::new())),
        ] {
            filter.push(Condition::Where(dimension, test));
        }
        let agents = source.sets(&Query {
            by: vec![
                Dimension::Client,
                Dimension::ClientVersion,
                Dimension::UaKey("python".to_owned()),
            ],
            filter,
            ..request.scope.clone()
        })?;
        let mut of_ip = vec![0_u32; source.limit() as usize];
        for (_, set) in &agents.groups {
            for id in set.iter() {
                if let Some(count) = of_ip.get_mut(id as usize) {
                    *count += 1;
                }
            }
        }
        let mut ips: BTreeMap<u32, u64> = BTreeMap::new();
        for count in of_ip.into_iter().filter(|count| *count > 0) {
            *ips.entry(count).or_insert(0) += 1;
        }
        let mut answer = sheet(&columns, agents.meta);
        let all: u64 = ips.values().sum();
        answer.rows.extend(ips.iter().map(|(agents, ips)| {
            vec![
                Value::Int(u64::from(*agents)),
                Value::Int(*ips),
                share(*ips, all),
                Value::Bool(u64::from(*agents) >= SHARED_AGENTS_MIN),
            ]
        }));
        let is_many = |agents: u32| u64::from(agents) >= SHARED_AGENTS_MIN;
        let suspected: u64 = ips
            .iter()
            .filter(|(agents, _)| is_many(**agents))
            .map(|(_, ips)| ips)
            .sum();
        answer.meta.notes.push(format!(
            "{suspected} of {all} addresses with a user agent have {SHARED_AGENTS_MIN} agents or more (client, version, Python)"
        ));
        Ok(answer)
    }
}

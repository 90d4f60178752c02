//! Requests to how many addresses have how many agents.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::analysis::Request;
use footfall_engine::query::Value;
use footfall_engine::schema::IdentityKind;

use super::super::{agent, rule};
use super::{Source, int, scope, share};

pub(super) fn rows(source: &Source<'_>, request: &Request) -> Result<Vec<Vec<Value>>, String> {
    let scope = scope(source, &request.scope)?;
    let mut agents: BTreeMap<&str, BTreeSet<(String, String, String)>> = BTreeMap::new();
    for row in &scope.accepted {
        let (client, version) = agent::client(&row.user_agent);
        if let Some((IdentityKind::Ip, hash)) = rule::who(row)
            && !client.is_empty()
        {
            let python = agent::key(&row.user_agent, "python");
            agents
                .entry(hash)
                .or_default()
                .insert((client, version, python));
        }
    }
    let mut ips: BTreeMap<usize, usize> = BTreeMap::new();
    for agents in agents.values() {
        *ips.entry(agents.len()).or_default() += 1;
    }
    let all = agents.len();
    let rows = ips.into_iter().map(|(agents, ips)| {
        vec![
            int(agents),
            int(ips),
            share(ips, all),
            Value::Bool(agents >= 5),
        ]
    });
    Ok(rows.collect())
}

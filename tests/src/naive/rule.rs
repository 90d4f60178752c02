//! Requests to downloads: what the rules accept, how they collapse, and the evidence that is left.
//!
//! The table of rules is written here again, from the definitions; the tests compare it with the
//! engine's.

use footfall_engine::rules::{Collapse, Rule, Statuses};
use footfall_engine::schema::{IdentityKind, Row};

/// The built-in rule of that name.
#[must_use]
pub fn built_in(name: &str) -> Option<Rule> {
    const MINUTE: u64 = 60_000;
    let get_head = ["GET", "HEAD"].as_slice();
    let below_400 = Statuses::Below(400);
    let counter = Statuses::In(vec![200, 304]);
    let (methods, statuses, collapse): (&[&str], _, _) = match name {
        "5min" => (get_head, below_400, Collapse::Clock(5 * MINUTE)),
        "5min-first" => (get_head, below_400, Collapse::First(5 * MINUTE)),
        "5min-gap" => (get_head, below_400, Collapse::Gap(5 * MINUTE)),
        "requests" => (&[], Statuses::Any, Collapse::None),
        "files" => (&["GET"], Statuses::In(vec![200, 302]), Collapse::None),
        "fetches" => (&["GET"], Statuses::In(vec![200]), Collapse::None),
        "counter" => (&[], counter, Collapse::Gap(MINUTE / 2)),
        "counter-unique" => (&[], counter, Collapse::Clock(60 * MINUTE)),
        "counter-hub" => {
            let statuses = Statuses::In(vec![200, 206, 302, 304, 307]);
            (&[], statuses, Collapse::Gap(MINUTE / 2))
        }
        "daily" => (get_head, below_400, Collapse::Clock(24 * 60 * MINUTE)),
        _ => return None,
    };
    Some(Rule {
        name: name.to_owned(),
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
        statuses,
        internal: name == "requests",
        collapse,
    })
}

/// Whether the rule accepts the request.
///
/// No rule but `requests` accepts a request that is marked internal, whatever the rule's data say.
#[must_use]
pub fn accepts(rule: &Rule, row: &Row) -> bool {
    if row.internal == Some(true) && rule.name != "requests" {
        return false;
    }
    let method = rule.methods.is_empty() || rule.methods.contains(&row.method);
    let status = match &rule.statuses {
        Statuses::Any => true,
        Statuses::Below(limit) => row.status < *limit,
        Statuses::In(list) => list.contains(&row.status),
    };
    method && status
}

/// The downloader of a request: the account if there is one, else the address, else none.
#[must_use]
pub fn who(row: &Row) -> Option<(IdentityKind, &str)> {
    match (row.user_hash.as_str(), row.ip_hash.as_str()) {
        ("", "") => None,
        ("", ip) => Some((IdentityKind::Ip, ip)),
        (user, _) => Some((IdentityKind::User, user)),
    }
}

/// One download: the requests that it was collapsed from, in order of time; never empty.
pub type Download<'a> = Vec<&'a Row>;

/// Accepted requests of one downloader in one repo to downloads.
#[must_use]
pub fn collapse<'a>(how: Collapse, mut requests: Vec<&'a Row>) -> Vec<Download<'a>> {
    requests.sort_by_key(|row| row.ts);
    let mut downloads: Vec<Download<'a>> = Vec::new();
    for row in requests {
        match downloads.last_mut() {
            Some(download) if joins(how, download, row) => download.push(row),
            _ => downloads.push(vec![row]),
        }
    }
    downloads
}

fn joins(how: Collapse, download: &[&Row], next: &Row) -> bool {
    let (Some(first), Some(last)) = (download.first(), download.last()) else {
        return false;
    };
    let (first, last, next) = (first.ts.get(), last.ts.get(), next.ts.get());
    match how {
        Collapse::None => false,
        Collapse::Clock(window) => first / window == next / window,
        Collapse::First(window) => next < first + window,
        Collapse::Gap(window) => next - last <= window,
    }
}

/// The request whose bucket of time the download belongs to: its first, for `gap` its last.
#[must_use]
pub fn counts_at<'a>(how: Collapse, download: &[&'a Row]) -> Option<&'a Row> {
    match how {
        Collapse::Gap(_) => download.last().copied(),
        _ => download.first().copied(),
    }
}

/// The strongest sign among a download's requests.
#[must_use]
pub fn evidence(download: &[&Row]) -> &'static str {
    let any = |signs: &[(&str, u16)]| {
        download
            .iter()
            .any(|row| signs.contains(&(row.method.as_str(), row.status)))
    };
    if any(&[("GET", 200), ("GET", 206), ("GET", 302), ("GET", 303)]) {
        "content"
    } else if any(&[
        ("GET", 301),
        ("GET", 307),
        ("GET", 308),
        ("HEAD", 302),
        ("HEAD", 303),
    ]) {
        "unclear"
    } else {
        "check"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::rules::RULES;

    #[test]
    fn the_engine_has_the_same_rules() {
        assert_eq!(RULES.len(), 10);
        for rule in RULES {
            assert_eq!(built_in(rule.name), Some(rule.rule()));
        }
    }
}

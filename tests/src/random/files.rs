//! What a store shall hold to files of an export, in several deliveries.
//!
//! A day may lie in several files, a file may hold several days, late rows come in later
//! deliveries, columns stand in any order, and a column without values may be left out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use footfall_engine::schema::Row;
use footfall_engine::schema::row::COLUMNS_V2;

use super::{Content, Rng};
use crate::naive::{HubRows, calendar};

/// Writes it all below `directory`; each list is one delivery, taken in by one call.
///
/// # Errors
/// What the operating system says.
pub fn write_files(
    rng: &mut Rng,
    content: &Content,
    directory: &Path,
) -> io::Result<Vec<Vec<PathBuf>>> {
    let rows = &content.rows;
    let files_max = *rng.pick(&[1, 3, 6, 14]);
    let files = 1 + rng.below(rows.len().min(files_max));
    let each_alone = rng.percent(25);
    let mut parts: Vec<Vec<Row>> = vec![Vec::new(); files];
    let by_day = rng.percent(50);
    for row in rows {
        let day = usize::try_from(row.ts.day().get()).unwrap_or(0);
        let late = rng.percent(10);
        let part = if by_day && !late {
            day % files
        } else {
            rng.below(files)
        };
        parts[part].push(row.clone());
    }
    let mut deliveries: Vec<Vec<PathBuf>> = vec![Vec::new()];
    let mut known = BTreeSet::new();
    for (number, part) in parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
    {
        let mut text = csv(rng, part);
        // Files of the same bytes would be taken for one; a blank line tells them apart.
        while !known.insert(text.clone()) {
            text.push('\n');
        }
        let path = directory.join(format!("part-{number}.csv"));
        fs::write(&path, text)?;
        if each_alone || rng.percent(40) {
            deliveries.push(Vec::new());
        }
        if let Some(delivery) = deliveries.last_mut() {
            delivery.push(path);
        }
    }
    if let Some(hub) = content.hub.as_ref().filter(|hub| !hub.is_empty()) {
        let path = directory.join("publisher.csv");
        fs::write(&path, hub_csv(rng, hub))?;
        let at = rng.below(deliveries.len());
        deliveries[at].push(path);
        if rng.percent(30) {
            let path = directory.join("publisher-before.csv");
            let before = hub_before(rng, hub);
            fs::write(&path, hub_csv(rng, &before))?;
            deliveries.insert(0, vec![path]);
        }
    }
    deliveries.retain(|delivery| !delivery.is_empty());
    Ok(deliveries)
}

/// The rows as one CSV, in their order.
#[must_use]
pub fn csv(rng: &mut Rng, rows: &[Row]) -> String {
    let mut columns: Vec<String> = COLUMNS_V2.iter().map(|&column| column.to_owned()).collect();
    columns.push("isInternal".to_owned());
    let extra: BTreeSet<&String> = rows.iter().flat_map(|row| row.extra.keys()).collect();
    columns.extend(extra.into_iter().cloned());
    let is_used = |column: &String| rows.iter().any(|row| !field(row, column).is_empty());
    columns.retain(|column| {
        COLUMNS_V2[..9].contains(&column.as_str()) || is_used(column) || rng.percent(30)
    });
    if rng.percent(30) {
        rng.shuffle(&mut columns);
    }
    let mut text = columns.join(",");
    text.push('\n');
    for row in rows {
        let fields: Vec<String> = columns
            .iter()
            .map(|column| escaped(&field(row, column)))
            .collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// The values of the publisher CSV, mostly in their order.
#[must_use]
pub fn hub_csv(rng: &mut Rng, hub: &HubRows) -> String {
    let mut hub = hub.clone();
    if rng.percent(30) {
        rng.shuffle(&mut hub);
    }
    let mut text = "repoType,repoName,total,timestamp,downloads\n".to_owned();
    for value in &hub {
        let ms = i64::try_from(value.day.start().get()).unwrap_or(i64::MAX);
        let (day, repo) = (calendar::instant(ms), escaped(&value.repo));
        let line = format!(
            "{},{repo},{},{day},{}\n",
            value.repo_type, value.total, value.downloads
        );
        text.push_str(&line);
    }
    text
}

/// What the publisher CSV may have said earlier of the same orgs, all of it replaced since.
fn hub_before(rng: &mut Rng, hub: &HubRows) -> HubRows {
    let mut before = hub.clone();
    for value in &mut before {
        value.downloads += u64::from(rng.percent(50));
        value.total += 5;
    }
    let last = before.iter().map(|value| value.day).max();
    let mut gone = before[0].clone();
    gone.day = last.map_or(gone.day, |day| day.next());
    before.push(gone);
    before
}

fn field(row: &Row, column: &str) -> String {
    let ms = i64::try_from(row.ts.get()).unwrap_or(i64::MAX);
    match column {
        "timestamp" => calendar::instant(ms),
        "status" => row.status.to_string(),
        "method" => row.method.clone(),
        "repoName" => row.repo.clone(),
        "repoType" => row.repo_type.clone(),
        "hashedUserId" => row.user_hash.clone(),
        "hashedIp" => row.ip_hash.clone(),
        "country" => row.country.clone(),
        "region" => row.region.clone(),
        "userAgent" => row.user_agent.clone(),
        "isInternal" => row.internal.map_or_else(String::new, |is| is.to_string()),
        other => row.extra.get(other).cloned().unwrap_or_default(),
    }
}

/// Quoted where RFC 4180 asks for it.
fn escaped(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use footfall_engine::units::TimestampMs;

    use super::*;

    fn read(path: &Path) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let line = |line: Result<BTreeMap<String, String>, csv::Error>| {
            let mut fields = line.unwrap();
            let mut take = |column: &str| fields.remove(column).unwrap_or_default();
            let ts = DateTime::parse_from_rfc3339(&take("timestamp")).unwrap();
            let mut row = Row {
                ts: TimestampMs(u64::try_from(ts.timestamp_millis()).unwrap()),
                status: take("status").parse().unwrap(),
                method: take("method"),
                repo_type: take("repoType"),
                repo: take("repoName"),
                user_hash: take("hashedUserId"),
                ip_hash: take("hashedIp"),
                country: take("country"),
                region: take("region"),
                user_agent: take("userAgent"),
                internal: take("isInternal").parse().ok(),
                extra: BTreeMap::new(),
            };
            fields.retain(|_, value| !value.is_empty());
            row.extra = fields;
            row
        };
        reader.deserialize().map(line).collect()
    }

    #[test]
    fn all_files_together_are_the_log() {
        for seed in 0..60 {
            let mut rng = Rng::new(seed);
            let mut content = Content::any(&mut rng);
            let directory = tempfile::tempdir().unwrap();
            let deliveries = write_files(&mut rng, &content, directory.path()).unwrap();
            let (mut rows, mut texts) = (Vec::new(), BTreeSet::new());
            for path in deliveries.iter().flatten() {
                assert!(
                    texts.insert(fs::read(path).unwrap()),
                    "seed {seed}: a file twice"
                );
                if path.ends_with("publisher-before.csv") {
                    continue;
                }
                if !path.ends_with("publisher.csv") {
                    rows.extend(read(path));
                }
            }
            rows.sort();
            content.rows.sort();
            assert_eq!(rows, content.rows, "seed {seed}");
            let hub = deliveries
                .iter()
                .flatten()
                .any(|path| path.ends_with("publisher.csv"));
            assert_eq!(hub, content.hub.is_some(), "seed {seed}");
        }
    }
}

//! What is in a store to what a reader of some repos is told of it.
//!
//! Which days there are is known to everybody: ranges are resolved by the days of the whole store. How much is on them,
//! of how many repos, and from which files, is not.

use footfall_dashboard::Ask;
use footfall_engine::Result;
use footfall_engine::query::{Value, text};
use footfall_engine::store::{BytesByPart, SourceStatus, Status};

/// The status of the store for who asks.
///
/// # Errors
///
/// Those of the queries.
pub(super) fn status(whole: Status, ask: &dyn Ask) -> Result<Status> {
    let logs = of(whole.logs, ("requests", ask))?;
    let hub = of(whole.hub, ("hub_downloads", ask))?;
    Ok(Status {
        logs,
        hub,
        new_columns: Vec::new(),
        renames: Vec::new(),
        imports: 0,
        bytes: BytesByPart::default(),
        days_to_compact: 0,
        segments_max: 0,
        next: String::new(),
        ..whole
    })
}

/// The same of a source; nothing where it has nothing for who asks.
fn of(
    source: Option<SourceStatus>,
    (metric, ask): (&str, &dyn Ask),
) -> Result<Option<SourceStatus>> {
    let Some(source) = source else {
        return Ok(None);
    };
    let answer = ask.answer(&text::parse(&format!("{metric} by repo_type, repo"))?)?;
    let numbers = answer.rows.iter().filter_map(|row| match row.last() {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    });
    let repos = numbers.clone().count() as u64;
    Ok((repos > 0).then(|| SourceStatus {
        rows: if source.downloaders.is_some() {
            numbers.sum()
        } else {
            0
        },
        repos,
        downloaders: None,
        last_import: None,
        ..source
    }))
}

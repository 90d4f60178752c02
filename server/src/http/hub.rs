//! Publisher CSVs: the CSV that the Hub would give, also at the Hub's own path.

use std::sync::Arc;
use std::time::Duration;

use footfall_engine::store::Store;
use footfall_protocol::{Code, Fault};
use hyper::header::{CONTENT_DISPOSITION, HeaderName};

use super::Call;
use super::query::on_pool;
use super::respond::{Found, has_already};
use crate::download::Sheet;
use crate::fault::fault_of;

const MEDIA: &str = "text/csv; charset=utf-8";
const SOURCE: HeaderName = HeaderName::from_static("footfall-source");

/// `GET /api/v1/export/hub.csv`.
pub(super) async fn csv(call: Call) -> Result<Found, Fault> {
    let org = call.parameter("org").map(str::to_owned);
    let as_of = call.parameter("as_of").map(str::to_owned);
    give(call, org, as_of).await
}

/// The Hub's own path.
pub(super) async fn breakdown(call: Call) -> Result<Found, Fault> {
    let org = call.names.first().cloned();
    give(call, org, None).await
}

async fn give(call: Call, org: Option<String>, as_of: Option<String>) -> Result<Found, Fault> {
    let from_logs = match call.parameter("source") {
        None => None,
        Some("hub") => Some(false),
        Some("logs") => Some(true),
        Some(_) => return Err(Fault::new(Code::Syntax, "source is hub or logs")),
    };
    let rule = call.parameter("rule").map(str::to_owned);
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let told = |error| fault_of(&error, None);
        let terms = call
            .context
            .terms(&call.access, Arc::clone(&call.asked), Duration::MAX);
        let store = call.context.store.under(terms);
        let number = store.view().map_err(told)?.manifest().number;
        let has_hub = has_hub(&store, org.as_deref())?;
        let from_logs = from_logs.unwrap_or(!has_hub || rule.is_some());
        let sheet = Sheet::Hub {
            org: org.clone(),
            from_logs,
            rule,
            as_of,
        };
        let form =
            blake3::hash(format!("{sheet:?} {:?}", store.terms().allowed).as_bytes()).to_hex();
        let etag = format!("\"{number}-{}\"", form.get(..16).unwrap_or_default());
        if has_already(&call.headers, &etag) {
            return Ok(Found::not_modified(etag));
        }
        let mut bytes = Vec::new();
        let rows = if !from_logs && !has_hub {
            0
        } else {
            sheet.write(&store, &mut bytes).map_err(told)?
        };
        if let Some(org) = org.as_ref().filter(|_| rows == 0) {
            let text = format!(
                "no downloads of an organisation called {}",
                org.escape_default()
            );
            return Err(Fault::new(Code::NotFound, text));
        }
        let mut found = Found::new(MEDIA, bytes).with_etag(etag);
        found.has_ranges = true;
        let source = if from_logs { "logs" } else { "hub" };
        found.headers.push((SOURCE, source.to_owned()));
        let name = "attachment; filename=\"download-breakdown.csv\"";
        found.headers.push((CONTENT_DISPOSITION, name.to_owned()));
        Ok(found)
    })
    .await
}

/// Whether there are numbers of the Hub, of an organisation if one is given, that may be seen.
fn has_hub(store: &Store, org: Option<&str>) -> Result<bool, Fault> {
    let state = store
        .hub_state(None)
        .map_err(|error| fault_of(&error, None))?;
    let Some(state) = state else {
        return Ok(false);
    };
    let allowed = &store.terms().allowed;
    Ok(state.repos().iter().any(|repo| {
        let (repo_type, name) = repo.key();
        (org.is_none() || repo.org() == org) && allowed.has(repo_type, name)
    }))
}

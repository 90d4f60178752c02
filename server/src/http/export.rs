//! Rows as they came, sent as they are written.

use std::sync::Arc;
use std::time::Duration;

use footfall_engine::store::RawFormat;
use footfall_protocol::{Code, Fault};

use super::Call;
use super::body::Content;
use super::respond::Found;
use crate::download::{self, Sheet, range_of};

/// `GET /api/v1/export/raw`.
pub(super) async fn raw(call: Call) -> Result<Found, Fault> {
    let range = range_of(call.parameter("range").unwrap_or_default())?;
    let (format, media) = match call.parameter("format") {
        None | Some("csv") => (RawFormat::Csv, "text/csv; charset=utf-8"),
        Some("jsonl") => (RawFormat::JsonLines, "application/x-ndjson"),
        Some(_) => return Err(Fault::new(Code::Syntax, "format is csv or jsonl")),
    };
    let terms = call
        .context
        .terms(&call.access, Arc::default(), Duration::MAX);
    let store = call.context.store.under(terms);
    // The client's going ends the writing: nobody takes the parts then.
    let mut parts = download::start(
        &call.context,
        (Sheet::Raw(range, format), store),
        Arc::default(),
    )?;
    let mut found = Found::new(media, "");
    // What fails at once is a fault and not a body that is cut.
    match parts.recv().await {
        Some(download::Part::Failed(fault)) => return Err(fault),
        Some(download::Part::End(_)) | None => return Ok(found),
        Some(download::Part::Bytes(first)) => {
            let (give, all) = tokio::sync::mpsc::channel(1);
            tokio::task::spawn_local(async move {
                let mut next = Some(download::Part::Bytes(first));
                while let Some(part) = next {
                    if give.send(part).await.is_err() {
                        return;
                    }
                    next = parts.recv().await;
                }
            });
            found.content = Content::Parts(all);
        }
    }
    Ok(found)
}

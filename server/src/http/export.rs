//! Rows as they came, sent as they are written.

use std::sync::Arc;
use std::time::Duration;

use footfall_engine::store::RawFormat;
use footfall_protocol::{Code, Fault};
use tokio::sync::mpsc;

use super::Call;
use super::body::Content;
use super::query::on_pool;
use super::respond::{Found, asked_part, has_already, range};
use crate::download::{self, Part, Sheet, Window, range_of};
use crate::fault::fault_of;

/// `GET /api/v1/export/raw`.
pub(super) async fn raw(call: Call) -> Result<Found, Fault> {
    let days = range_of(call.parameter("range").unwrap_or_default())?;
    let (format, media) = match call.parameter("format") {
        None | Some("csv") => (RawFormat::Csv, "text/csv; charset=utf-8"),
        Some("jsonl") => (RawFormat::JsonLines, "application/x-ndjson"),
        Some(_) => return Err(Fault::new(Code::Syntax, "format is csv or jsonl")),
    };
    let context = &call.context;
    let terms = context.terms(&call.access, Arc::default(), Duration::MAX);
    let store = context.store.under(terms);
    let reading = store.clone();
    let newest = on_pool(context, move || {
        reading.view().map_err(|error| fault_of(&error, None))
    });
    let snapshot = newest.await?.manifest().number;
    let sheet = Sheet::Raw(days, format);
    let form = blake3::hash(format!("{sheet:?}").as_bytes()).to_hex();
    let etag = format!("\"{snapshot}-{}\"", form.get(..16).unwrap_or_default());
    if has_already(&call.headers, &etag) {
        return Ok(Found::not_modified(etag));
    }
    let mut found = Found::new(media, "");
    found.has_ranges = true;
    let mut window = None;
    if let Some(asked) = asked_part(&call.headers, Some(&etag)) {
        // How much there is says only writing it.
        let len = download::length(context, (sheet.clone(), store.clone())).await?;
        if let Some(bytes) = range(asked, len) {
            found.say_part(&bytes, len);
            if bytes.is_empty() {
                return Ok(found);
            }
            window = Some(Window { bytes, snapshot });
        }
    }
    // The client's going ends the writing: nobody takes the parts then.
    let mut parts = download::start(context, (sheet, store), window, Arc::default())?;
    // What fails at once is a fault and not a body that is cut.
    match parts.recv().await {
        Some(Part::Failed(fault)) => return Err(fault),
        Some(Part::End(_)) | None => {}
        Some(Part::Bytes(first)) => found.content = Content::Parts(go_on(first, parts)),
    }
    Ok(found.with_etag(etag))
}

/// The parts that begin with one that was taken already.
fn go_on(first: bytes::Bytes, mut parts: mpsc::Receiver<Part>) -> mpsc::Receiver<Part> {
    let (give, all) = mpsc::channel(1);
    tokio::task::spawn_local(async move {
        let mut next = Some(Part::Bytes(first));
        while let Some(part) = next {
            if give.send(part).await.is_err() {
                return;
            }
            next = parts.recv().await;
        }
    });
    all
}

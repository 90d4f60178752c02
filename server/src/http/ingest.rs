//! A body to an import and its receipt, and how far the running one is.

use footfall_engine::ingest::pipeline::Outcome;
use footfall_protocol::{Code, Fault};
use hyper::StatusCode;
use serde_json::json;
use tokio::sync::mpsc;

use super::Call;
use super::body;
use super::respond::Found;
use crate::upload::{Upload, take_in};

/// `GET /api/v1/progress`.
pub(super) async fn progress(call: Call) -> Result<Found, Fault> {
    let running = call.context.taking.get().map(|progress| {
        json!({
            "files_done": progress.files_done,
            "files": progress.files,
            "bytes_done": progress.bytes_done,
            "bytes": progress.bytes,
            "rows": progress.rows,
        })
    });
    Found::json(&json!({"running": running}))
}

/// `POST /api/v1/ingest`.
pub(super) async fn ingest(mut call: Call) -> Result<Found, Fault> {
    let partial = match call.parameter("partial") {
        None => false,
        Some("yes") => true,
        Some(_) => return Err(Fault::new(Code::Syntax, "partial is yes or left out")),
    };
    let upload = Upload {
        name: call.parameter("name").unwrap_or_default().to_owned(),
        partial,
    };
    let limits = call.context.limits.clone();
    let context = std::sync::Arc::clone(&call.context);
    let (give, pieces) = mpsc::channel(2);
    let mut taking = std::pin::pin!(take_in(&context, upload, pieces, None));
    let mut sending = std::pin::pin!(body::pieces(&mut call.body, &limits, give));
    let receipt = tokio::select! {
        biased;
        receipt = &mut taking => receipt?,
        fault = &mut sending => return Err(fault),
    };
    let mut found = Found::json(&receipt)?;
    let outcome = receipt.files.first().map(|file| &file.outcome);
    if matches!(outcome, Some(Outcome::Refused { .. })) {
        found.status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(found)
}

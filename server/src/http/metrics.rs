//! What the server did and what the store lacks to lines that Prometheus reads; and whether it is well.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use footfall_engine::analysis::findings::KINDS;
use footfall_engine::query::{Answer, Value};
use footfall_engine::store::{SourceStatus, Status};
use footfall_protocol::{Code, Fault};

use super::Call;
use super::query::on_pool;
use super::respond::Found;
use crate::context::Context;
use crate::counter::{Counters, TIME_CLASSES_US};
use crate::fault::fault_of;

/// `GET /healthz`.
pub(super) async fn health(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let view = call.context.store.view();
        view.map_err(|_| Fault::new(Code::Io, "the store cannot be read"))?;
        Ok(Found::new("text/plain; charset=utf-8", "ok\n"))
    })
    .await
}

/// `GET /metrics`.
pub(super) async fn metrics(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let status = call.context.store.status();
        let status = status.map_err(|error| fault_of(&error, None))?;
        let findings = call.context.store.findings();
        let findings = findings.map_err(|error| fault_of(&error, None))?;
        let mut text = text(&call.context, &status);
        found(&findings, &mut text);
        Ok(Found::new("text/plain; version=0.0.4; charset=utf-8", text))
    })
    .await
}

fn text(context: &Context, status: &Status) -> String {
    let mut sheet = String::new();
    let counters = &context.counters;
    server(counters, &mut sheet);
    family(
        &mut sheet,
        ("footfall_queue_length", "gauge"),
        "Queries that wait",
        &[("", context.pool.queue_len() as f64)],
    );
    times(counters, &mut sheet);
    store(status, &mut sheet);
    sheet
}

fn server(counters: &Counters, sheet: &mut String) {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    family(
        sheet,
        ("footfall_connections", "gauge"),
        "Connections that are open",
        &[("", read(&counters.open))],
    );
    let requests = [
        ("{door=\"line\"}", read(&counters.line_requests)),
        ("{door=\"http\"}", read(&counters.http_requests)),
    ];
    family(
        sheet,
        ("footfall_requests_total", "counter"),
        "Requests",
        &requests,
    );
    let queries = [
        ("{outcome=\"answered\"}", read(&counters.queries)),
        ("{outcome=\"failed\"}", read(&counters.failures)),
    ];
    family(
        sheet,
        ("footfall_queries_total", "counter"),
        "Queries",
        &queries,
    );
    for (name, meaning, counter) in [
        (
            "footfall_busy_total",
            "Requests refused for want of room",
            &counters.busy,
        ),
        (
            "footfall_wrong_tokens_total",
            "Tokens that were not known",
            &counters.wrong_tokens,
        ),
        (
            "footfall_files_total",
            "Files taken in by this server",
            &counters.files,
        ),
        (
            "footfall_rows_total",
            "Rows taken in by this server",
            &counters.rows,
        ),
    ] {
        family(sheet, (name, "counter"), meaning, &[("", read(counter))]);
    }
}

fn times(counters: &Counters, sheet: &mut String) {
    let name = "footfall_query_seconds";
    let _ = writeln!(
        sheet,
        "# HELP {name} Time of queries\n# TYPE {name} histogram"
    );
    let mut sum = 0;
    for (index, counter) in counters.times.iter().enumerate() {
        sum += counter.load(Ordering::Relaxed);
        let end = TIME_CLASSES_US.get(index).map(|us| *us as f64 / 1e6);
        let end = end.map_or("+Inf".to_owned(), |end| end.to_string());
        let _ = writeln!(sheet, "{name}_bucket{{le=\"{end}\"}} {sum}");
    }
    let seconds = counters.time_us.load(Ordering::Relaxed) as f64 / 1e6;
    let _ = writeln!(sheet, "{name}_sum {seconds}\n{name}_count {sum}");
}

fn store(status: &Status, sheet: &mut String) {
    family(
        sheet,
        ("footfall_snapshot", "gauge"),
        "Number of the newest commit",
        &[("", status.snapshot as f64)],
    );
    family(
        sheet,
        ("footfall_imports", "gauge"),
        "Files taken in, ever",
        &[("", status.imports as f64)],
    );
    family(
        sheet,
        ("footfall_store_bytes", "gauge"),
        "Bytes of the store",
        &[("", status.bytes.total as f64)],
    );
    family(
        sheet,
        ("footfall_days_to_compact", "gauge"),
        "Days that compact would rewrite",
        &[("", status.days_to_compact as f64)],
    );
    let sources = [
        ("{source=\"logs\"}", &status.logs),
        ("{source=\"hub\"}", &status.hub),
    ];
    let sources: Vec<(&str, &SourceStatus)> = sources
        .iter()
        .filter_map(|(labels, source)| Some((*labels, source.as_ref()?)))
        .collect();
    let mut of_sources = |name: &str, meaning: &str, value: fn(&SourceStatus) -> Option<f64>| {
        let samples: Vec<(&str, f64)> = sources
            .iter()
            .filter_map(|(labels, source)| Some((*labels, value(source)?)))
            .collect();
        family(sheet, (name, "gauge"), meaning, &samples);
    };
    of_sources(
        "footfall_rows",
        "Requests, or values of the publisher CSV",
        |source| Some(source.rows as f64),
    );
    of_sources("footfall_repos", "Repos", |source| {
        Some(source.repos as f64)
    });
    of_sources("footfall_days", "Days that are there", |source| {
        Some(source.days as f64)
    });
    of_sources(
        "footfall_missing_days",
        "Days that are missing between the first and the last",
        |source| Some(source.missing_days as f64),
    );
    of_sources(
        "footfall_incomplete_days",
        "Days of which a part is there",
        |source| Some(source.incomplete.len() as f64),
    );
    of_sources(
        "footfall_age_days",
        "Days since the newest complete day",
        |source| source.age_days.map(|age| age as f64),
    );
}

/// What `footfall check` finds: a sample for every kind, zero when all is well.
fn found(findings: &Answer, sheet: &mut String) {
    let count = |kind: &str| {
        let of_kind =
            |row: &&Vec<Value>| matches!(row.first(), Some(Value::Text(of)) if of == kind);
        findings.rows.iter().filter(of_kind).count() as f64
    };
    let samples = KINDS.map(|(kind, _)| (format!("{{finding=\"{kind}\"}}"), count(kind)));
    let samples: Vec<(&str, f64)> = samples
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count))
        .collect();
    family(
        sheet,
        ("footfall_findings", "gauge"),
        "What footfall check finds",
        &samples,
    );
}

fn family(sheet: &mut String, (name, kind): (&str, &str), meaning: &str, samples: &[(&str, f64)]) {
    let _ = writeln!(sheet, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(sheet, "{name}{labels} {value}");
    }
}

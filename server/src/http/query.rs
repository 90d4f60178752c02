//! Queries over HTTP: the same texts and answers as in every door.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use footfall_engine::Error;
use footfall_engine::analysis::Question;
use footfall_engine::catalog::View;
use footfall_engine::catalog::terms::{Pace, Terms};
use footfall_engine::output::{Look, Output, revision_list};
use footfall_engine::query::{Answer, Unwaited};
use footfall_protocol::{Code, Fault};
use serde::Deserialize;

use super::body;
use super::respond::{Found, has_already};
use super::{Call, media};
use crate::context::Context;
use crate::counter::one;
use crate::fault::fault_of;
use crate::pool::NoWork;

/// A query that is a JSON body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    query: String,
}

/// Work that needs the store, on a thread of the pool.
pub(super) async fn on_pool<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match context.pool.run(work).await {
        Ok(result) => result,
        Err(NoWork::Busy) => {
            one(&context.counters.busy);
            Err(Fault::new(Code::Busy, "too many queries wait"))
        }
        Err(NoWork::Lost) => {
            crate::log::error("panic", "a query ended early");
            Err(Fault::new(Code::Internal, "the query ended early"))
        }
    }
}

/// `GET /api/v1/query`.
pub(super) async fn get(call: Call) -> Result<Found, Fault> {
    let query = call.parameter("q").unwrap_or_default().to_owned();
    answer(call, query).await
}

/// `POST /api/v1/query`.
pub(super) async fn post(mut call: Call) -> Result<Found, Fault> {
    let is_json = call
        .headers
        .get(hyper::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    let limits = call.context.limits.clone();
    let text = body::text(&mut call.body, &limits).await?;
    let query = if is_json {
        let posted: Posted = serde_json::from_str(&text).map_err(|error| {
            Fault::new(
                Code::Syntax,
                format!("the body is not {{\"query\": TEXT}}: {error}"),
            )
        })?;
        posted.query
    } else {
        text
    };
    answer(call, query).await
}

/// The answer of a question in its text form.
pub(super) async fn answer(call: Call, query: String) -> Result<Found, Fault> {
    let output = media::output(call.parameter("format"), &call.headers)?;
    let context = Arc::clone(&call.context);
    on_pool(&context, move || written(&call, &query, output)).await
}

fn written(call: &Call, query: &str, output: &'static dyn Output) -> Result<Found, Fault> {
    let asked = Asked::new(call, query)?;
    // An output without notes is rows alone: the same bytes until the next commit, so parts of them fit
    // together.
    let has_ranges = !output.has_notes();
    let mut etag = asked.etag(output.name());
    if has_ranges {
        etag = etag.trim_start_matches("W/").to_owned();
    }
    if has_already(&call.headers, &etag) {
        return Ok(Found::not_modified(etag));
    }
    let mut answer = asked.answer()?;
    let mut paced = Paced {
        bytes: Vec::new(),
        pace: asked.terms.pace(),
        stopped: None,
    };
    let written = output.write(&answer, Look::Plain, &mut paced);
    drop(Unwaited::new(std::mem::take(&mut answer.rows)));
    written.map_err(|error| match &paced.stopped {
        Some(stopped) => fault_of(stopped, asked.terms.stop.as_ref()),
        None => Fault::new(Code::Internal, error.to_string()),
    })?;
    // It may be kept for a client that takes its time.
    paced.bytes.shrink_to_fit();
    let mut found = Found::new(output.media_type(), paced.bytes).with_etag(etag);
    found.has_ranges = has_ranges;
    Ok(found)
}

/// Bytes of an answer, until it is time to stop.
struct Paced<'t> {
    bytes: Vec<u8>,
    pace: Pace<'t>,
    /// Why it stopped.
    stopped: Option<Error>,
}

impl Write for Paced<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.pace.steps(bytes.len()) {
            self.stopped = Some(error);
            return Err(io::Error::other("stopped"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A query, and the snapshot that answers it.
pub(super) struct Asked<'c> {
    call: &'c Call,
    view: View,
    question: Question,
    terms: Terms,
}

impl<'c> Asked<'c> {
    /// Reads a query and takes the newest snapshot.
    pub(super) fn new(call: &'c Call, query: &str) -> Result<Self, Fault> {
        let question = Question::parse(query).map_err(|error| fault_of(&error, None))?;
        let context = &call.context;
        let terms = context.terms(&call.access, Arc::clone(&call.asked), Duration::MAX);
        let view = context
            .store
            .view()
            .map_err(|error| fault_of(&error, None))?;
        Ok(Self {
            call,
            view: view.under(terms.clone()),
            question,
            terms,
        })
    }

    /// Names what the answer says in some form: it says the same until the next commit.
    pub(super) fn etag(&self, form: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [
            env!("CARGO_PKG_VERSION"),
            form,
            &self.question.render(),
            &format!("{:?}", self.terms.allowed),
        ] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let hash = hasher.finalize().to_hex();
        let hash = hash.get(..16).unwrap_or_default();
        format!("W/\"{}-{hash}\"", self.view.manifest().number)
    }

    /// The answer.
    pub(super) fn answer(&self) -> Result<Answer, Fault> {
        let begin = Instant::now();
        let answer = self.call.context.store.ask_on(&self.view, &self.question);
        let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.call.context.counters.query(took, answer.is_ok());
        answer.map_err(|error| fault_of(&error, self.terms.stop.as_ref()))
    }
}

/// `GET /api/v1/explain`.
pub(super) async fn explain(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let terms = call
            .context
            .terms(&call.access, Arc::clone(&call.asked), Duration::MAX);
        let store = call.context.store.under(terms);
        let explanation = store.explain(call.parameter("q").unwrap_or_default());
        Found::json(&explanation.map_err(|error| fault_of(&error, None))?)
    })
    .await
}

/// `GET /api/v1/status`.
pub(super) async fn status(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let status = call.context.store.status();
        Found::json(&status.map_err(|error| fault_of(&error, None))?)
    })
    .await
}

/// `GET /api/v1/imports`.
pub(super) async fn imports(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let imports = call.context.store.imports();
        Found::json(&imports.map_err(|error| fault_of(&error, None))?)
    })
    .await
}

/// `GET /api/v1/revisions`.
pub(super) async fn revisions(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let revisions = call.context.store.hub_revisions();
        let revisions = revisions.map_err(|error| fault_of(&error, None))?;
        Found::json(&revision_list(&revisions))
    })
    .await
}

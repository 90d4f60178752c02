//! Questions made of queries: a path for each analysis of the engine's table.

use footfall_protocol::{Code, Fault};

use super::Call;
use super::query;
use super::respond::Found;

/// `GET /api/v1/analysis/{name}`.
pub(super) async fn analysis(call: Call) -> Result<Found, Fault> {
    let name = call.names.first().cloned().unwrap_or_default();
    if footfall_engine::analysis::by_name(&name).is_none() {
        let text = format!("no analysis is called {}", name.escape_default());
        return Err(Fault::new(Code::NotFound, text).with("help", "/openapi.json lists them"));
    }
    let words = call.parameter("words").unwrap_or_default();
    let text = format!("{name} {words}");
    query::answer(call, text.trim_end().to_owned()).await
}

//! What a client accepts to the output that it gets.

use footfall_engine::output::{self, Output};
use footfall_protocol::{Code, Fault};
use hyper::HeaderMap;
use hyper::header::ACCEPT;

/// The output that `format` names, or the one that `Accept` likes best; JSON without either.
pub(super) fn output(
    format: Option<&str>,
    headers: &HeaderMap,
) -> Result<&'static dyn Output, Fault> {
    if let Some(name) = format {
        return output::by_name(name).ok_or_else(|| {
            let names: Vec<&str> = output::OUTPUTS.iter().map(|output| output.name()).collect();
            let fault = Fault::new(
                Code::Syntax,
                format!("no format is called {}", name.escape_default()),
            );
            fault.with("help", format!("one of {}", names.join(" ")))
        });
    }
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let json = output::by_name("json");
    let found = accepted.map_or(json, best);
    found
        .or(json)
        .ok_or_else(|| Fault::new(Code::Internal, "no output is called json"))
}

/// The output of the media type with the greatest quality; the first of several.
fn best(accepted: &str) -> Option<&'static dyn Output> {
    let mut best: Option<(f64, &'static dyn Output)> = None;
    for one in accepted.split(',') {
        let mut parts = one.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        let quality = quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        let is_of = |output: &&&dyn Output| {
            let own = output.media_type().split(';').next().unwrap_or_default();
            own == media || media == "*/*" && output.name() == "json"
        };
        let Some(found) = output::OUTPUTS.iter().find(is_of) else {
            continue;
        };
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, *found));
        }
    }
    best.map(|(_, output)| output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_accepted() {
        for (accepted, want) in [
            ("*/*", Some("json")),
            ("text/csv", Some("csv")),
            ("text/csv;q=0.5, application/x-ndjson", Some("ndjson")),
            ("text/html, */*;q=0.8", Some("json")),
            (
                "application/json;q=0, text/tab-separated-values",
                Some("tsv"),
            ),
            ("image/png", None),
            ("", None),
        ] {
            assert_eq!(best(accepted).map(Output::name), want, "{accepted}");
        }
    }
}

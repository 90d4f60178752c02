//! The engine's tables as topics.

use footfall_engine::analysis::{ANALYSES, usage};
use footfall_engine::metrics::METRICS;
use footfall_engine::output::OUTPUTS;
use footfall_engine::rules::RULES;
use footfall_engine::schema::dimension::DIMENSIONS;

use super::list;
use crate::exit::EXITS;

pub(super) fn analyses() -> String {
    let cards = ANALYSES.iter().map(|analysis| analysis.card());
    let mut rows = String::new();
    for (card, analysis) in cards.zip(ANALYSES) {
        rows.push_str(&format!("  {}\n      {}\n", usage(*analysis), card.about));
    }
    format!(
        "\
Analyses: questions made of queries, each a command and a text for footfall query.

{rows}
  SET    TERM [or TERM]…
  TERM   FACTOR [and FACTOR]…
  UNIT   day, week, month, quarter or year
  FACTOR not FACTOR | (SET) | (where COND [and COND]… [RANGE]) | (RANGE) | COND | NAME

A condition is the set of the downloaders of accepted requests that it keeps, so that
repo = a/x and repo = b/y are those who have downloaded both. Conditions that one request has to
meet stand together after where in brackets. A name with a / is a repo.
COND, RANGE and rules: footfall help queries, dates, rules.
"
    )
}

pub(super) fn metrics() -> String {
    let rows = list(METRICS.iter().map(|(name, _, meaning)| (*name, *meaning)));
    format!(
        "\
Metrics: what can be counted.

{rows}
Downloaders, users, ips, repos and countries are distinct values: exact for the range you ask for,
never a sum of days. A downloader is a signed-in account or an anonymous address, not a person.

With `approx`, downloaders of answers with more than 16 groups may be estimates that take less
memory, with a relative standard error of 0.81 %. To count several stores together: footfall sketch.
"
    )
}

pub(super) fn dimensions() -> String {
    let plain = DIMENSIONS
        .iter()
        .map(|(name, _, meaning)| (*name, *meaning));
    let parametric = [
        (
            "ua.KEY",
            "one key of the user agent: ua.torch, ua.file_type",
        ),
        ("extra.NAME", "a column beyond the published ones"),
    ];
    let rows = list(plain.chain(parametric));
    format!(
        "\
Dimensions: what can be grouped by (up to four) and filtered by.

{rows}
An absent value is written \"\" in queries; it differs from every other value.
"
    )
}

pub(super) fn rules() -> String {
    let rows = list(RULES.iter().map(|rule| (rule.name, rule.meaning)));
    format!(
        "\
Counting rules: which requests are downloads, and when several of them are one.

{rows}
Add `rule NAME` to a query, or --rule NAME. Every answer names its rule. The filter applies first,
then the rule, to the requests of the range.

Rules of your own are kept in the store: footfall rule add NAME --methods GET --status 200,206
--collapse 'clock 300s', see footfall rule add --help. footfall rule list lists all.
"
    )
}

pub(super) fn formats() -> String {
    let rows = list(
        OUTPUTS
            .iter()
            .map(|output| (output.name(), output.meaning())),
    );
    format!(
        "\
Formats: how answers are written.

{rows}
--format auto, the default, is a table on a terminal and TSV in a pipe. The ending of the file of -o
picks the format, and .gz or .zst after it the compression: -o july.csv.gz
Absent and missing values are empty in tsv and csv, null in json and ndjson.
"
    )
}

pub(super) fn exit_codes() -> String {
    let codes: Vec<String> = EXITS.iter().map(|(_, code, _)| code.to_string()).collect();
    let rows = codes.iter().zip(EXITS);
    let rows = list(rows.map(|(code, (.., meaning))| (code.as_str(), *meaning)));
    format!("Exit codes: how commands end.\n\n{rows}")
}

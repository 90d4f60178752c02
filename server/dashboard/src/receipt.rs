//! An answer to the fold below a panel that says where its numbers come from.

use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::output::range_text;
use footfall_engine::query::Answer;

use crate::address::encode;
use crate::panel::Medium;

/// The text of each query, what it rests on, and how to ask it again.
pub(crate) fn receipt(answers: &[Arc<Answer>], medium: Medium) -> Markup {
    let is_page = medium == Medium::Page;
    html! {
        details.receipt {
            summary { "Where these numbers come from" }
            @for answer in answers {
                @let meta = &answer.meta;
                pre.query { code { (meta.query) } }
                p {
                    @if !meta.rule.is_empty() { "rule " (meta.rule) ", " }
                    (range_text(meta).unwrap_or_else(|| "nothing stored".to_owned()))
                    ", commit " (meta.snapshot)
                    @if meta.exact { ", exact" }
                    @if meta.unidentified > 0 { ", " (footfall_engine::output::thousands(meta.unidentified)) " accepted requests without identity" }
                    "."
                    @if is_page {
                        " " a.plain href=(api(&meta.query, "json")) { "JSON" }
                        " " a.plain href=(api(&meta.query, "csv")) download { "CSV" }
                    }
                }
                @for note in &meta.notes { p.note { (note) } }
                @if is_page { (copies(&meta.query)) }
            }
        }
    }
}

/// The address of a query's answer in a format.
pub(crate) fn api(query: &str, format: &str) -> String {
    let mut href = format!("/api/v1/query?format={format}&q=");
    encode(query, &mut href);
    href
}

fn copies(query: &str) -> Markup {
    let quoted = query.replace('\'', "'\\''");
    let literal = query.replace('\\', "\\\\").replace('"', "\\\"");
    let ways = [
        ("CLI", format!("footfall query '{quoted}'")),
        (
            "curl",
            format!("curl -G ORIGIN/api/v1/query --data-urlencode 'q={quoted}'"),
        ),
        (
            "Python",
            format!(
                "import urllib.parse, urllib.request\nq = \"{literal}\"\nurllib.request.urlopen(\"ORIGIN/api/v1/query?q=\" + urllib.parse.quote(q)).read()"
            ),
        ),
    ];
    html! {
        dl.copies { @for (name, text) in ways {
            dt { (name) }
            dd { code data-copy=(name) { (text) } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_reach_the_shell_whole() {
        let text = copies("requests where repo = \"a'b\"").into_string();
        assert!(
            text.contains("footfall query 'requests where repo = &quot;a'\\''b&quot;'"),
            "{text}"
        );
    }
}

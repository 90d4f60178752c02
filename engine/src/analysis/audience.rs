//! Sets of downloaders, combined by `and`, `or`, `not`, to how many are in the result.

use super::request::{Request, Subject};
use super::set::SetExpr;
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::bitmap::BitSet;
use crate::error::{Error, Result};
use crate::query::text::Reader;
use crate::query::{Answer, ColumnType, Value};

/// `audience SET`.
pub(super) struct Audience;

const CARD: Card = Card {
    name: "audience",
    about: "Count the downloaders that several sets have in common, or that some lack",
    words: "'SET'",
    clauses: &["where", "range", "rule"],
    examples: &[
        "audience 'acme/llama-7b and acme/llama-13b'",
        "audience 'repo = \"acme/llama-7b\" and country = DE and not repo ~ \"*-gguf\"' last 90d",
        "audience '(where repo = \"acme/llama-7b\" in 2026-06) and not (in 2026-07)'",
    ],
};

impl Analysis for Audience {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        SetExpr::read(reader).map(Subject::Set)
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("whoever was there before and after is counted twice, and in no set of both")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Set(set) = &request.subject else {
            return Err(Error::invalid("audience is asked without a set"));
        };
        let found = set.evaluate(source, &request.scope)?;
        let mut answer = sheet(
            &[
                ("set", ColumnType::Text),
                ("downloaders", ColumnType::Int),
                ("users", ColumnType::Int),
                ("ips", ColumnType::Int),
                ("share", ColumnType::Real),
            ],
            source.meaning(&request.scope)?,
        );
        let mut add = |name: &SetExpr, of: &BitSet| {
            let (count, ips) = (of.count(), source.ips(of));
            answer.rows.push(vec![
                text(name.to_string()),
                Value::Int(count),
                Value::Int(count - ips),
                Value::Int(ips),
                share(of.intersection_count(&found.set), count),
            ]);
        };
        add(set, &found.set);
        for (part, of) in &found.parts {
            if *part != set {
                add(part, of);
            }
        }
        answer.meta.notes.push(
            "the first row is the audience; share is the part of each set that is in it".to_owned(),
        );
        Ok(answer)
    }
}

//! Answers, each with a receipt on standard error: what its numbers rest on.

use std::cell::RefCell;
use std::collections::BTreeSet;

use footfall_engine::analysis::{Question, Request};
use footfall_engine::output::printable;
use footfall_engine::query::{Answer, Query, Value, text};

use crate::ask::{Sources, usage_if_invalid};
use crate::exit::Outcome;
use crate::source::Source;
use crate::term;

/// Width of the column of names.
const NAME_WIDTH: usize = 23;

/// A source whose answers have receipts.
pub(crate) struct Attested {
    source: Box<dyn Source>,
    /// Queries whose receipt has been said.
    said: RefCell<BTreeSet<String>>,
}

impl Attested {
    pub(crate) fn new(source: Box<dyn Source>) -> Self {
        Self {
            source,
            said: RefCell::default(),
        }
    }

    /// Says the receipt of a query once.
    fn attest(&self, query: &Query) -> Outcome<()> {
        let text = format!("receipt {}", text::render(query));
        if !self.said.borrow_mut().insert(text.clone()) {
            return Ok(());
        }
        let question = Question::parse(&text).map_err(usage_if_invalid)?;
        if let Question::Analysis(request) = question {
            for row in self.source.analyse(&request)?.rows {
                if let [Value::Text(name), Value::Text(value)] = row.as_slice() {
                    term::say(&format!("{name:NAME_WIDTH$}{}", printable(value)));
                }
            }
        }
        Ok(())
    }
}

impl Source for Attested {
    fn answer(&self, query: &Query) -> Outcome<Answer> {
        let answer = self.source.answer(query)?;
        self.attest(query)?;
        Ok(answer)
    }

    fn analyse(&self, request: &Request) -> Outcome<Answer> {
        let answer = self.source.analyse(request)?;
        term::say(&format!(
            "{:NAME_WIDTH$}{}",
            "question",
            printable(&request.render())
        ));
        self.attest(&Query {
            by: Vec::new(),
            ..request.scope.clone()
        })?;
        Ok(answer)
    }

    fn sources(&self) -> Outcome<Sources> {
        self.source.sources()
    }

    fn repos(&self) -> Outcome<BTreeSet<(String, String)>> {
        self.source.repos()
    }

    fn countries(&self) -> Outcome<BTreeSet<String>> {
        self.source.countries()
    }
}

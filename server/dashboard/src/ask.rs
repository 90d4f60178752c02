//! What a page may ask of a store.

use std::sync::Arc;

use footfall_engine::Result;
use footfall_engine::query::Answer;
use footfall_engine::query::value::Query;
use footfall_engine::store::{ImportInfo, Status, Store};

/// Who looks at a page.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Viewer {
    /// Name of who logged in, who can log out.
    pub name: Option<String>,
    /// A sentence about what the page is restricted to.
    pub only: Option<String>,
}

/// Answers what pages ask. A server wraps a store with its limits and the asker's scope.
pub trait Ask {
    /// The answer of a query.
    ///
    /// # Errors
    ///
    /// As [`Store::evaluate`].
    fn answer(&self, query: &Query) -> Result<Answer>;

    /// What is there.
    ///
    /// # Errors
    ///
    /// As [`Store::status`].
    fn status(&self) -> Result<Status>;

    /// What was taken in, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Store::imports`].
    fn imports(&self) -> Result<Vec<ImportInfo>>;

    /// What is not as it was; nothing for who may not see the whole store.
    ///
    /// # Errors
    ///
    /// As [`Store::findings`].
    fn findings(&self) -> Result<Arc<Answer>>;

    /// Who looks at the page.
    fn viewer(&self) -> Viewer {
        Viewer::default()
    }
}

impl Ask for Store {
    fn answer(&self, query: &Query) -> Result<Answer> {
        self.evaluate(query)
    }

    fn status(&self) -> Result<Status> {
        Self::status(self)
    }

    fn imports(&self) -> Result<Vec<ImportInfo>> {
        Self::imports(self)
    }

    fn findings(&self) -> Result<Arc<Answer>> {
        Self::findings(self)
    }
}

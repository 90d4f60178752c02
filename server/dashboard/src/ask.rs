//! What a page may ask of a store.

use std::sync::Arc;

use footfall_engine::Result;
use footfall_engine::analysis::Request;
use footfall_engine::hub::Revisions;
use footfall_engine::ingest::pipeline::Progress;
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, Change};
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
pub trait Ask: Sync {
    /// The answer of a query.
    ///
    /// # Errors
    ///
    /// As [`Store::evaluate`].
    fn answer(&self, query: &Query) -> Result<Arc<Answer>>;

    /// The answer of a question made of queries.
    ///
    /// # Errors
    ///
    /// As [`Store::analyse`].
    fn analyse(&self, request: &Request) -> Result<Arc<Answer>>;

    /// Days on which something else is counted than before.
    ///
    /// # Errors
    ///
    /// As [`Store::changes`].
    fn changes(&self) -> Result<Vec<Change>>;

    /// What the Hub said differently later.
    ///
    /// # Errors
    ///
    /// As [`Store::hub_revisions`].
    fn revisions(&self) -> Result<Arc<Revisions>>;

    /// Whether the owner has put repos in groups.
    ///
    /// # Errors
    ///
    /// As [`Store::view`].
    fn has_groups(&self) -> Result<bool>;

    /// Whether the owner has saved a set of downloaders under that name.
    ///
    /// # Errors
    ///
    /// As [`Store::view`].
    fn has_set(&self, name: &str) -> Result<bool>;

    /// Names of the owner's counting rules.
    ///
    /// # Errors
    ///
    /// As [`Store::rules`].
    fn own_rules(&self) -> Result<Vec<String>>;

    /// Whether who asks may see every repo.
    fn sees_all(&self) -> bool {
        true
    }

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

    /// How far the ingest that is running is; nothing while there is none.
    fn progress(&self) -> Option<Progress> {
        None
    }
}

impl Ask for Store {
    fn answer(&self, query: &Query) -> Result<Arc<Answer>> {
        self.evaluate(query).map(Arc::new)
    }

    fn analyse(&self, request: &Request) -> Result<Arc<Answer>> {
        Self::analyse(self, request).map(Arc::new)
    }

    fn changes(&self) -> Result<Vec<Change>> {
        Self::changes(self)
    }

    fn revisions(&self) -> Result<Arc<Revisions>> {
        self.hub_revisions().map(Arc::new)
    }

    fn own_rules(&self) -> Result<Vec<String>> {
        Ok(self.rules()?.into_iter().map(|rule| rule.name).collect())
    }

    fn has_groups(&self) -> Result<bool> {
        Ok(!self.view()?.settings().groups.is_empty())
    }

    fn has_set(&self, name: &str) -> Result<bool> {
        let view = self.view()?;
        Ok(view.settings().sets.iter().any(|set| set.name == name))
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

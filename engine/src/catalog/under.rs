//! A view to the same snapshot under other terms, with the named sets that were found under them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::View;
use super::terms::Terms;
use crate::bitmap::BitSet;

/// Named sets that were evaluated in a snapshot. Clones are handles to the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownSets(Arc<Mutex<HashMap<String, Arc<BitSet>>>>);

impl View {
    /// The same snapshot under other terms. What has been read is shared.
    #[must_use]
    pub fn under(&self, terms: Terms) -> Self {
        // A set that is defined by repos has other members for who may not see all of them.
        let sets = match terms.allowed == self.terms.allowed {
            true => self.sets.clone(),
            false => KnownSets::default(),
        };
        let mut view = self.clone();
        (view.terms, view.sets) = (terms, sets);
        view
    }

    /// What it is read under.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The same, with a set of downloaders under a name beside those that are known.
    #[must_use]
    pub fn with_set(&self, name: &str, set: BitSet) -> Self {
        let known = self.sets.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sets = known.clone();
        sets.insert(name.to_owned(), Arc::new(set));
        let mut view = self.clone();
        view.sets = KnownSets(Arc::new(Mutex::new(sets)));
        view
    }

    /// A named set that was evaluated in this snapshot.
    #[must_use]
    pub fn set(&self, name: &str) -> Option<Arc<BitSet>> {
        let sets = self.sets.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get(name).cloned()
    }

    /// Keeps a named set that was evaluated in this snapshot: what a set's name means is known in a higher
    /// layer than where conditions name it.
    pub fn keep_set(&self, name: &str, set: Arc<BitSet>) {
        let mut sets = self.sets.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.insert(name.to_owned(), set);
    }
}

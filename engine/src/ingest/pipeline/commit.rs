//! The commit of a group, beside the taking of the next files.
//!
//! Fsyncs take as long as some dozen files, so that they are waited for by a thread of their own. The next transaction has
//! the writer's lock from the one before: codes that are given meanwhile stay what they are.

use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use super::group::{Building, Group, KeptDays, Touched};
use super::stage::Stage;
use super::work::Work;
use crate::catalog::Transaction;
use crate::catalog::view::Meanings;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ImportNumber;

/// A group whose days are being built, and the transaction that it goes into.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) transaction: Transaction,
    pub(super) group: Group,
    pub(super) building: Building,
    pub(super) meanings: Arc<Meanings>,
    pub(super) kept: KeptDays,
}

/// What a group has left behind.
#[derive(Debug)]
pub(super) struct Stored {
    /// That of the group, or the next one.
    pub(super) transaction: Transaction,
    pub(super) touched: Touched,
    pub(super) kept: KeptDays,
}

impl Prepared {
    /// Puts the group into its transaction.
    pub(super) fn store(mut self, work: &Work) -> Result<Stored> {
        let known = (&*self.meanings, &mut self.kept);
        let building = (work, self.building);
        let touched = self.group.store(building, &mut self.transaction, known)?;
        Ok(Stored {
            transaction: self.transaction,
            touched,
            kept: self.kept,
        })
    }

    /// Commits it, and begins the next transaction.
    fn commit(self, work: &Work) -> Result<Stored> {
        let stored = self.store(work)?;
        let next = || stored.transaction.commit_and_begin();
        Ok(Stored {
            transaction: work.stages().time(Stage::Store, next)?,
            ..stored
        })
    }
}

/// A commit that is being made.
#[derive(Debug)]
pub(super) struct Committing<'scope> {
    thread: ScopedJoinHandle<'scope, Result<Stored>>,
    /// The number of the next import: the next transaction has them from there.
    next_import: u32,
}

impl<'scope> Committing<'scope> {
    /// Begins.
    pub(super) fn begin<'env>(
        scope: &'scope Scope<'scope, 'env>,
        work: &'env Work,
        prepared: Prepared,
    ) -> Self {
        Self {
            next_import: prepared.transaction.manifest().next_import,
            thread: scope.spawn(|| prepared.commit(work)),
        }
    }

    /// Gives out the number of an import of the next transaction.
    pub(super) fn reserve_import(&mut self) -> Result<ImportNumber> {
        let number = self.next_import;
        let next = number.checked_add(1);
        self.next_import =
            next.ok_or_else(|| Error::limit("the store has no import numbers left"))?;
        Ok(ImportNumber(number))
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end.
    pub(super) fn end(self) -> Result<Stored> {
        let died = |_| Error::new(ErrorKind::Io, "a thread that committed ended early");
        let mut stored = self.thread.join().map_err(died)??;
        stored.transaction.manifest_mut().next_import = self.next_import;
        Ok(stored)
    }
}

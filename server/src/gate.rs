//! A token, or none, to what its bearer may do, for as long as that holds.
//!
//! # Invariants
//!
//! 1. A store with a file of tokens, also of none any more, lets nobody in without one.
//! 2. A server that listens where other machines reach it does not start without a token.
//! 3. What a token allowed ends when it is revoked or expires, also for connections that are open.
//! 4. A file of tokens that cannot be read lets nobody in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use footfall_engine::catalog::terms::Allowed;
use footfall_engine::storage::Clock;
use footfall_engine::units::TimestampMs;
use footfall_engine::{Error, Result};
use tokio::sync::watch;

use crate::token::{Right, Stamp, Token, Tokens};

/// What somebody may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// All: who reaches a store without tokens is its owner.
    Owner,
    /// All: who uses the socket file, which the store's owner alone can.
    Local,
    /// Nothing: a path that is open to all asks for no token.
    Nobody,
    /// What a token says.
    Holder(Token),
}

impl Access {
    /// Whether it has a right.
    pub(crate) fn has(&self, right: Right) -> bool {
        match self {
            Self::Owner | Self::Local => true,
            Self::Nobody => false,
            Self::Holder(token) => token.has(right),
        }
    }

    /// Which repos may be read.
    pub(crate) fn allowed(&self) -> Allowed {
        match self {
            Self::Owner | Self::Local => Allowed::All,
            Self::Nobody => Allowed::Orgs(BTreeSet::new()),
            Self::Holder(token) => token.allowed(),
        }
    }

    /// Whether the store as a whole may be seen.
    pub(crate) fn sees_all(&self) -> bool {
        self.allowed() == Allowed::All
    }

    /// For logs.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Owner | Self::Local => "owner",
            Self::Nobody => "nobody",
            Self::Holder(token) => &token.name,
        }
    }
}

/// What the file of tokens said last.
enum Known {
    /// There is no such file.
    Nothing,
    Tokens(Tokens),
    /// It cannot be read.
    Broken,
}

impl Known {
    fn of(tokens: Option<Tokens>) -> Self {
        tokens.map_or(Self::Nothing, Self::Tokens)
    }
}

/// Lets people in.
pub(crate) struct Gate {
    store: PathBuf,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    stamp: Mutex<Stamp>,
    /// When it was last looked for tokens that have expired.
    ticked: Mutex<TimestampMs>,
    changed: watch::Sender<u64>,
}

impl Gate {
    /// The gate of a store.
    pub(crate) fn open(store: PathBuf, clock: Arc<dyn Clock>) -> Result<Self> {
        let stamp = Tokens::stamp(&store);
        let tokens = Tokens::load(&store)?;
        Ok(Self {
            store,
            clock,
            known: RwLock::new(Known::of(tokens)),
            stamp: Mutex::new(stamp),
            ticked: Mutex::new(TimestampMs(0)),
            changed: watch::Sender::new(0),
        })
    }

    /// Fails if other machines reach an address and no token is asked for.
    pub(crate) fn check_address(&self, address: std::net::SocketAddr) -> Result<()> {
        if address.ip().is_loopback() || self.has_tokens() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{address} can be reached from other machines, and there is no token"
        ))
        .with_help("make one first: footfall token add NAME --read; or listen on 127.0.0.1"))
    }

    /// Whether somebody could come in with a token.
    fn has_tokens(&self) -> bool {
        match &*self.known.read().unwrap_or_else(PoisonError::into_inner) {
            Known::Tokens(tokens) => !tokens.all().is_empty(),
            Known::Nothing | Known::Broken => false,
        }
    }

    /// Who comes without a token.
    pub(crate) fn without_token(&self) -> Option<Access> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        matches!(*known, Known::Nothing).then_some(Access::Owner)
    }

    /// Who comes with a token.
    pub(crate) fn with_token(&self, token: &str) -> Option<Access> {
        self.reload();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Known::Tokens(tokens) = &*known else {
            return None;
        };
        let found = tokens.find(token)?;
        found
            .is_valid_at(self.clock.now())
            .then(|| Access::Holder(found.clone()))
    }

    /// Whether somebody may still do what was allowed.
    pub(crate) fn still_holds(&self, access: &Access) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match (access, &*known) {
            (Access::Owner, known) => matches!(known, Known::Nothing),
            (Access::Local, _) => true,
            (Access::Nobody, _) | (Access::Holder(_), Known::Nothing | Known::Broken) => false,
            (Access::Holder(token), Known::Tokens(tokens)) => {
                tokens.all().contains(token) && token.is_valid_at(self.clock.now())
            }
        }
    }

    /// Reads the file again if it has changed, and tells who waits for that.
    pub(crate) fn reload(&self) {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Tokens::stamp(&self.store);
        if *stamp == now {
            return;
        }
        *stamp = now;
        let known = Tokens::load(&self.store).map_or(Known::Broken, Known::of);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        self.changed.send_modify(|count| *count += 1);
    }

    /// To be called every now and then: finds tokens that were changed or have expired.
    pub(crate) fn tick(&self) {
        self.reload();
        let now = self.clock.now();
        let mut ticked = self.ticked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *ticked, now);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Known::Tokens(tokens) = &*known else {
            return;
        };
        let ends = |token: &Token| token.is_valid_at(before) && !token.is_valid_at(now);
        if tokens.all().iter().any(ends) {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Tells when tokens have changed or expired.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Wish;
    use footfall_engine::storage::FixedClock;

    fn gate(dir: &tempfile::TempDir) -> Gate {
        let clock = Arc::new(FixedClock(TimestampMs(1_000)));
        Gate::open(dir.path().to_owned(), clock).unwrap()
    }

    fn add(dir: &tempfile::TempDir, name: &str, expires: Option<u64>) -> String {
        let wish = Wish {
            name: name.to_owned(),
            rights: vec![Right::Read],
            expires: expires.map(TimestampMs),
            ..Wish::default()
        };
        Tokens::add(dir.path(), wish, TimestampMs(1)).unwrap()
    }

    #[test]
    fn a_first_token_shuts_the_door_and_revoking_ends_what_it_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(&dir);
        let owner = gate.without_token().unwrap();
        assert!(gate.still_holds(&owner) && gate.with_token("x").is_none());
        let token = add(&dir, "a", None);
        let access = gate.with_token(&token).unwrap();
        assert!(access.has(Right::Read) && !access.has(Right::Ingest));
        assert!(gate.without_token().is_none() && !gate.still_holds(&owner));
        assert!(gate.still_holds(&access));
        Tokens::revoke(dir.path(), "a").unwrap();
        gate.reload();
        assert!(!gate.still_holds(&access) && gate.with_token(&token).is_none());
        assert!(gate.without_token().is_none());
    }

    #[test]
    fn tokens_expire() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(&dir);
        let (old, fresh) = (
            add(&dir, "old", Some(1_000)),
            add(&dir, "fresh", Some(1_001)),
        );
        assert!(gate.with_token(&old).is_none());
        assert!(gate.with_token(&fresh).is_some());
    }

    #[test]
    fn a_broken_file_shuts_the_door() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(&dir);
        let token = add(&dir, "a", None);
        std::fs::write(dir.path().join("TOKENS"), "broken").unwrap();
        assert!(gate.with_token(&token).is_none() && gate.without_token().is_none());
    }

    #[test]
    fn other_machines_need_a_token() {
        let dir = tempfile::tempdir().unwrap();
        let gate = gate(&dir);
        for (address, fits) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("0.0.0.0:1", false),
            ("192.168.0.1:1", false),
            ("[::]:1", false),
        ] {
            assert_eq!(
                gate.check_address(address.parse().unwrap()).is_ok(),
                fits,
                "{address}"
            );
        }
        add(&dir, "a", None);
        gate.reload();
        assert!(gate.check_address("0.0.0.0:1".parse().unwrap()).is_ok());
    }
}

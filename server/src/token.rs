//! Tokens to a file of their hashes, and back to who may do what.
//!
//! A token is 256 random bits, shown once. What is kept is its BLAKE3: with that much randomness a
//! slow hash would add nothing. Hashes are compared in constant time, and all of them, so that time
//! says nothing about how much of a token was right.
//!
//! # On disk
//!
//! `TOKENS` in the store's directory, mode 0600, described in `format-spec/store.md`. It is not part of
//! a commit: taking a right away must not wait for a writer.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use footfall_engine::catalog::terms::Allowed;
use footfall_engine::units::TimestampMs;
use footfall_engine::{Error, Result};
use serde::{Deserialize, Serialize};

/// Name of the file in the store's directory.
const FILE: &str = "TOKENS";
/// Name of the file whose lock makes a process the one that changes tokens.
const LOCK: &str = "TOKENS.lock";
/// What tokens begin with, so that scanners of leaked secrets find them.
const PREFIX: &str = "footfall_";
/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;

/// What a token's holder may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Ask queries.
    Read,
    /// Take files in.
    Ingest,
    /// All, and see the store as a whole: rows as they came, imports, status.
    Admin,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 3] = [Self::Read, Self::Ingest, Self::Admin];

    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Admin => "admin",
        }
    }

    /// The right of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name() == name)
    }
}

/// What is known of a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Token {
    /// What it is called; the token itself is not kept.
    pub name: String,
    /// BLAKE3 of the token, in hexadecimal digits.
    hash: String,
    /// What its holder may do.
    pub rights: Vec<Right>,
    /// Only repos of these organisations, if there are any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub orgs: BTreeSet<String>,
    /// Only these repos, if there are any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub repos: BTreeSet<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it stops being valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}

/// What a new token shall allow.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What it is called.
    pub name: String,
    /// What its holder may do.
    pub rights: Vec<Right>,
    /// Only repos of these organisations.
    pub orgs: BTreeSet<String>,
    /// Only these repos.
    pub repos: BTreeSet<String>,
    /// When it stops being valid.
    pub expires: Option<TimestampMs>,
}

impl Token {
    /// Which repos its holder may read.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        if !self.orgs.is_empty() {
            Allowed::Orgs(self.orgs.clone())
        } else if !self.repos.is_empty() {
            Allowed::Repos(self.repos.clone())
        } else {
            Allowed::All
        }
    }

    /// Whether it has a right; who may do all has each.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right) || self.rights.contains(&Right::Admin)
    }

    /// Whether it is valid at a time.
    #[must_use]
    pub fn is_valid_at(&self, now: TimestampMs) -> bool {
        self.expires_ms.is_none_or(|end| now.get() < end)
    }

    fn check(&self) -> Result<()> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_word) {
            return Err(
                Error::invalid(format!("a token cannot be called {:?}", self.name))
                    .with_help("use up to 64 letters, digits, - _ ."),
            );
        }
        if self.rights.is_empty() {
            return Err(Error::invalid("a token needs a right").with_help("read, ingest or admin"));
        }
        let is_restricted = !self.orgs.is_empty() || !self.repos.is_empty();
        if !self.orgs.is_empty() && !self.repos.is_empty() {
            return Err(
                Error::invalid("a token is for organisations or for repos, not for both")
                    .with_help("make two tokens"),
            );
        }
        if is_restricted && self.rights != [Right::Read] {
            return Err(
                Error::invalid("only the right to read can be restricted to repos")
                    .with_help("make a token to read, and another one to ingest"),
            );
        }
        Ok(())
    }
}

/// The tokens of a store.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tokens {
    tokens: Vec<Token>,
}

impl Tokens {
    /// Reads them; `None` without a file, which no token was ever made in.
    ///
    /// # Errors
    ///
    /// `Io`; `Corrupt` for a file that is not one of tokens.
    pub fn load(store: &Path) -> Result<Option<Self>> {
        let path = store.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::corrupt(format!("not a file of tokens: {error}")).at_path(path))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// Whom a token belongs to, valid or not.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<&Token> {
        let hash = blake3::hash(token.as_bytes());
        let mut found = None;
        for known in &self.tokens {
            // Comparing hashes of this type takes the same time wherever they differ.
            let is_same = blake3::Hash::from_hex(&known.hash).is_ok_and(|known| known == hash);
            if is_same {
                found = Some(known);
            }
        }
        found
    }

    /// Makes a token in a store; gives its text, which is nowhere else.
    ///
    /// # Errors
    ///
    /// `Invalid` for a wish that makes no sense; `Conflict` for a name that is taken; `Io`.
    pub fn add(store: &Path, wish: Wish, now: TimestampMs) -> Result<String> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Error::new(footfall_engine::ErrorKind::Io, error.to_string()))?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{PREFIX}{digits}");
        let token = Token {
            name: wish.name,
            hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
            rights: wish.rights,
            orgs: wish.orgs,
            repos: wish.repos,
            created_ms: now.get(),
            expires_ms: wish.expires.map(TimestampMs::get),
        };
        token.check()?;
        Self::change(store, |tokens| {
            if tokens.tokens.iter().any(|known| known.name == token.name) {
                let message = format!("there is a token called {}", token.name);
                return Err(Error::new(footfall_engine::ErrorKind::Conflict, message)
                    .with_help("choose another name, or revoke that one"));
            }
            tokens.tokens.push(token);
            Ok(())
        })?;
        Ok(text)
    }

    /// Takes a token's rights away.
    ///
    /// # Errors
    ///
    /// `NotFound` for a name that no token has; `Io`.
    pub fn revoke(store: &Path, name: &str) -> Result<()> {
        Self::change(store, |tokens| {
            let before = tokens.tokens.len();
            tokens.tokens.retain(|token| token.name != name);
            if tokens.tokens.len() == before {
                return Err(Error::not_found(format!("no token is called {name}"))
                    .with_help("footfall token list shows them"));
            }
            Ok(())
        })
    }

    fn change(store: &Path, change: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let lock_path = store.join(LOCK);
        let lock = private(&lock_path, false)?;
        lock.lock()
            .map_err(|error| Error::io("lock", &lock_path, error))?;
        let mut tokens = Self::load(store)?.unwrap_or_default();
        change(&mut tokens)?;
        tokens.save(store)
    }

    /// Replaces the file as a whole.
    fn save(&self, store: &Path) -> Result<()> {
        let (path, new) = (store.join(FILE), store.join(format!(".{FILE}.new")));
        let bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::invalid(error.to_string()))?;
        let written = private(&new, true).and_then(|mut file| {
            let write = file.write_all(&bytes).and_then(|()| file.sync_all());
            write.map_err(|error| Error::io("write", &new, error))
        });
        written?;
        fs::rename(&new, &path).map_err(|error| Error::io("rename", &new, error))?;
        let directory = File::open(store).and_then(|directory| directory.sync_all());
        directory.map_err(|error| Error::io("sync", store, error))
    }

    /// What tells whether the file has changed since.
    pub(crate) fn stamp(store: &Path) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(store.join(FILE)).ok()?;
        Some((
            metadata.ino(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.len(),
        ))
    }
}

/// Inode, time of change and length; `None` without a file.
pub(crate) type Stamp = Option<(u64, i64, i64, u64)>;

/// Opens a file that only its owner may read.
fn private(path: &Path, is_new: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(is_new)
        .mode(0o600);
    options
        .open(path)
        .map_err(|error| Error::io("create", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(name: &str) -> Wish {
        Wish {
            name: name.to_owned(),
            rights: vec![Right::Read],
            ..Wish::default()
        }
    }

    #[test]
    fn a_token_is_found_by_its_whole_text_alone() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let text = Tokens::add(dir.path(), wish("a"), TimestampMs(5))?;
        let other = Tokens::add(dir.path(), wish("b"), TimestampMs(5))?;
        assert_ne!(text, other);
        assert_eq!(text.len(), PREFIX.len() + 64);
        let tokens = Tokens::load(dir.path())?.unwrap();
        assert_eq!(tokens.find(&text).unwrap().name, "a");
        assert_eq!(tokens.find(&other).unwrap().name, "b");
        assert!(tokens.find(&text[..text.len() - 1]).is_none() && tokens.find("").is_none());
        let bytes = fs::read(dir.path().join(FILE)).unwrap();
        assert!(
            !String::from_utf8(bytes)
                .unwrap()
                .contains(&text[PREFIX.len()..])
        );
        Tokens::revoke(dir.path(), "a")?;
        assert!(Tokens::load(dir.path())?.unwrap().find(&text).is_none());
        assert!(Tokens::revoke(dir.path(), "a").is_err());
        Ok(())
    }

    #[test]
    fn only_its_owner_reads_the_file() -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Tokens::add(dir.path(), wish("a"), TimestampMs(5))?;
        let mode = fs::metadata(dir.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn wishes_without_sense_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let add = |wish: Wish| Tokens::add(dir.path(), wish, TimestampMs(5));
        assert!(add(wish("")).is_err() && add(wish("a b")).is_err());
        assert!(
            add(Wish {
                rights: Vec::new(),
                ..wish("a")
            })
            .is_err()
        );
        let (orgs, repos) = (set("a"), set("a/b"));
        assert!(
            add(Wish {
                orgs: orgs.clone(),
                repos,
                ..wish("a")
            })
            .is_err()
        );
        let rights = vec![Right::Read, Right::Ingest];
        assert!(
            add(Wish {
                orgs,
                rights,
                ..wish("a")
            })
            .is_err()
        );
        assert!(add(wish("a")).is_ok() && add(wish("a")).is_err());
    }

    #[test]
    fn a_broken_file_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert!(Tokens::load(dir.path()).is_err());
    }
}

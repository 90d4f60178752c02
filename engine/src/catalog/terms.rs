//! Who asks to what a reader may see, and until when.
//!
//! A [`View`](super::View) carries the terms that it is read under, so whatever is answered from it
//! is answered under them. Queries are narrowed to [`Allowed`] where they are planned; days are not
//! opened once [`Stop`] says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// Which repos may be read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Allowed {
    /// Every one.
    #[default]
    All,
    /// Those of these organisations.
    Orgs(BTreeSet<String>),
    /// These, as `org/name` (of every type) or `type:org/name`.
    Repos(BTreeSet<String>),
}

impl Allowed {
    /// Whether a repo may be read.
    #[must_use]
    pub fn has(&self, repo_type: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Orgs(orgs) => {
                crate::schema::repo::org(name).is_some_and(|org| orgs.contains(org))
            }
            Self::Repos(repos) => {
                repos.contains(name) || repos.contains(&format!("{repo_type}:{name}"))
            }
        }
    }
}

/// When to stop: when somebody asks for it, or when the time is over.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops when `asked` is set, or after `time`.
    #[must_use]
    pub fn new(asked: Arc<AtomicBool>, time: Duration) -> Self {
        Self {
            asked,
            deadline: Instant::now().checked_add(time),
        }
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether the time is over, not whether somebody asked.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Fails when it is time to stop.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub fn check(&self) -> Result<()> {
        if self.is_asked() {
            return Err(Error::new(ErrorKind::Stopped, "stopped on request"));
        }
        if self.is_late() {
            return Err(Error::new(ErrorKind::Stopped, "stopped: it took too long")
                .with_help("ask for a shorter range, fewer dimensions or fewer repos"));
        }
        Ok(())
    }
}

/// What a reader may see, until when, and how large an answer may be.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which repos.
    pub allowed: Allowed,
    /// When to stop; never without one.
    pub stop: Option<Stop>,
    /// Most values (rows times columns) of an answer.
    pub values_max: u64,
    /// About how many bytes a query's groups may take while they are counted.
    pub memory_bytes_max: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            allowed: Allowed::All,
            stop: None,
            values_max: u64::MAX,
            memory_bytes_max: u64::MAX,
        }
    }
}

impl Terms {
    /// Whether they restrict nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.allowed == Allowed::All
            && self.stop.is_none()
            && self.values_max == u64::MAX
            && self.memory_bytes_max == u64::MAX
    }

    /// Fails when something takes more memory than it may; how much is asked only if that matters.
    ///
    /// # Errors
    ///
    /// `Limit`.
    pub fn check_memory(&self, bytes: impl FnOnce() -> u64) -> Result<()> {
        if self.memory_bytes_max == u64::MAX || bytes() <= self.memory_bytes_max {
            return Ok(());
        }
        let most = self.memory_bytes_max >> 20;
        let message = format!("the query's groups take more memory than it may have, {most} MiB");
        Err(Error::limit(message).with_help("add a filter, a shorter range or fewer dimensions"))
    }

    /// Fails where an answer of so many values (rows times columns) has more than its reader may have.
    ///
    /// # Errors
    ///
    /// `Limit`.
    pub fn check_values(&self, values: u64) -> Result<()> {
        let most = self.values_max;
        if values <= most {
            return Ok(());
        }
        let message = format!("the answer has {values} values, the most is {most}");
        Err(Error::limit(message).with_help("add `top N`, a filter, or fewer dimensions"))
    }

    /// Fails when it is time to stop.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub fn check(&self) -> Result<()> {
        self.stop.as_ref().map_or(Ok(()), Stop::check)
    }

    /// Asks now and then whether it is time to stop, for loops whose steps are small.
    #[must_use]
    pub fn pace(&self) -> Pace<'_> {
        Pace {
            terms: self,
            left: PACE_STEPS,
        }
    }
}

/// Steps of some ten nanoseconds to a few microseconds between two times of asking.
const PACE_STEPS: usize = 1 << 13;

/// Steps of a loop that can be stopped.
#[derive(Debug)]
pub struct Pace<'t> {
    terms: &'t Terms,
    left: usize,
}

impl Pace<'_> {
    /// Takes so many steps; fails when it is time to stop.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    #[inline]
    pub fn steps(&mut self, count: usize) -> Result<()> {
        if count < self.left {
            self.left -= count;
            return Ok(());
        }
        self.left = PACE_STEPS;
        self.terms.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_limited_where_it_is_said() {
        let terms = Terms {
            memory_bytes_max: 9,
            ..Terms::default()
        };
        assert!(!terms.is_free() && terms.check_memory(|| 9).is_ok());
        let error = terms.check_memory(|| 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(Terms::default().check_memory(|| u64::MAX).is_ok());
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn orgs_and_repos_are_whole_names() {
        let org = Allowed::Orgs(set(&["acme"]));
        assert!(org.has("model", "acme/x"));
        assert!(!org.has("model", "acme2/x") && !org.has("model", "acme") && !org.has("model", ""));
        let repos = Allowed::Repos(set(&["acme/x", "dataset:acme/y"]));
        assert!(repos.has("model", "acme/x") && repos.has("dataset", "acme/y"));
        assert!(!repos.has("model", "acme/y") && !repos.has("model", "acme/xy"));
    }

    #[test]
    fn a_pace_asks_now_and_then() {
        let asked = Arc::new(AtomicBool::new(true));
        let terms = Terms {
            stop: Some(Stop::new(asked, Duration::from_secs(3_600))),
            ..Terms::default()
        };
        let mut pace = terms.pace();
        let first = (1..).find(|_| pace.steps(1).is_err());
        assert_eq!(first, Some(PACE_STEPS));
        assert!(pace.steps(PACE_STEPS).is_err());
        assert!(Terms::default().pace().steps(usize::MAX).is_ok());
    }

    #[test]
    fn a_stop_is_asked_for_or_comes() {
        let asked = Arc::new(AtomicBool::new(false));
        let stop = Stop::new(Arc::clone(&asked), Duration::from_secs(3_600));
        assert!(stop.check().is_ok());
        asked.store(true, Ordering::Relaxed);
        assert_eq!(stop.check().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(!stop.is_late());
        let late = Stop::new(Arc::default(), Duration::ZERO);
        assert_eq!(late.check().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(late.is_late());
    }
}

//! Dimensions to the codes that they are functions of, and codes to their values.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::family::Family;
use crate::catalog::View;
use crate::dictionary::Names;
use crate::hub::HubState;
use crate::schema::repo::RepoNames;
use crate::schema::{Class, Dimension, Evidence, IdentityKind, TimeUnit, repo};

/// What a dimension's value is a function of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Space {
    /// The instant.
    Time(TimeUnit),
    /// The repo code.
    Repo,
    /// The place code.
    Place,
    /// The verb code.
    Verb,
    /// The code of the user-agent template, and perhaps the session id.
    Agent,
    /// 0 absent, 1 true, 2 false.
    Internal,
    /// 0 none, 1 account, 2 address.
    Kind,
    /// The downloader id.
    Downloader,
    /// The code of an extra column; `None` for one that the store does not have.
    Extra(Option<u16>),
    /// The evidence of a download.
    Evidence,
}

/// Kinds of identity as written, by number.
pub(super) const KINDS: [&str; 3] = ["", IdentityKind::User.name(), IdentityKind::Ip.name()];
/// Values of `internal` as written, by number.
pub(super) const INTERNALS: [&str; 3] = ["", "true", "false"];

impl Space {
    /// What the values of `dimension` are a function of.
    pub(super) fn of(dimension: &Dimension, view: &View) -> Self {
        match dimension {
            Dimension::Time(unit) => Self::Time(*unit),
            Dimension::Repo | Dimension::RepoType | Dimension::Org | Dimension::Group => Self::Repo,
            Dimension::Country | Dimension::Region => Self::Place,
            Dimension::Status | Dimension::Method | Dimension::Class => Self::Verb,
            Dimension::Client
            | Dimension::ClientVersion
            | Dimension::Ci
            | Dimension::UserAgent
            | Dimension::UaKey(_) => Self::Agent,
            Dimension::Identity => Self::Kind,
            Dimension::Internal => Self::Internal,
            Dimension::Downloader => Self::Downloader,
            Dimension::Extra(column) => {
                let columns = &view.manifest().extra_columns;
                let index = columns.iter().position(|known| known == column);
                Self::Extra(index.and_then(|index| u16::try_from(index).ok()))
            }
            Dimension::Evidence => Self::Evidence,
        }
    }
}

/// The value of a text dimension for a code of its space (not time, downloader, user agent).
pub(super) fn value<'a>(
    dimension: &Dimension,
    code: u32,
    view: &'a View,
    repos: &Repos<'a>,
) -> Cow<'a, str> {
    let names = view.names();
    let of = |texts: &[&'static str]| texts.get(code as usize).copied().unwrap_or("");
    Cow::Borrowed(match dimension {
        Dimension::Repo => repos.get(code).1,
        Dimension::RepoType => repos.get(code).0,
        Dimension::Org => repo::org(repos.get(code).1).unwrap_or(""),
        Dimension::Group => return repos.group(code),
        Dimension::Country => names.place(code).0,
        Dimension::Region => return region(names, code),
        Dimension::Status => return Cow::Owned(names.verb(code).1.to_string()),
        Dimension::Method => names.verb(code).0,
        Dimension::Class => {
            let (method, status) = names.verb(code);
            Class::of(method, status).name()
        }
        Dimension::Identity => of(&KINDS),
        Dimension::Internal => of(&INTERNALS),
        Dimension::Extra(_) => {
            let Space::Extra(Some(index)) = Space::of(dimension, view) else {
                return Cow::Borrowed("");
            };
            names.extra(index).map_or("", |texts| texts.text(code))
        }
        Dimension::Evidence => of(&Evidence::ALL.map(Evidence::name)),
        _ => "",
    })
}

/// The pair, written `US/California`; absent only if both parts are.
fn region(names: &Names, code: u32) -> Cow<'_, str> {
    match names.place(code) {
        ("", "") => Cow::Borrowed(""),
        (country, region) => Cow::Owned(format!("{country}/{region}")),
    }
}

/// The repos of the sources that a query reads, under one numbering: those of the log by their codes,
/// then those that only the publisher CSV has.
#[derive(Debug)]
pub(super) struct Repos<'a> {
    names: &'a Names,
    log_count: u32,
    hub: Option<&'a HubState>,
    hub_only: Vec<(&'a str, &'a str)>,
    /// Code of each repo of the publisher CSV.
    pub(super) hub_codes: Vec<u32>,
    /// Types of all of them, and names that they share.
    shared: Cow<'a, RepoNames>,
    /// What the owner counts together.
    pub(super) family: Family<'a>,
}

impl<'a> Repos<'a> {
    /// Numbers the repos of the log if it is read, and those of the publisher CSV if it is given.
    pub(super) fn new(view: &'a View, reads_log: bool, hub: Option<&'a HubState>) -> Self {
        let names = view.names();
        let log_count = if reads_log { names.repos().len() } else { 0 };
        let mut repos = Self {
            names,
            log_count,
            hub,
            hub_only: Vec::new(),
            hub_codes: Vec::new(),
            shared: Cow::Borrowed(&view.meanings().repos),
            family: Family::default(),
        };
        for known in hub.map(HubState::repos).unwrap_or_default() {
            let (repo_type, name) = known.key();
            let code = match reads_log {
                true => names.repos().code(&format!("{repo_type}\0{name}")),
                false => None,
            };
            repos.hub_codes.push(code.unwrap_or(repos.len()));
            if code.is_none() {
                repos.hub_only.push((repo_type, name));
            }
        }
        repos.family = Family::of(view.settings(), &repos);
        match (reads_log, hub) {
            _ if repos.family.renames() => repos.shared = Cow::Owned(repos.mixed()),
            (true, None) => {}
            (true, Some(_)) => repos.shared = Cow::Owned(repos.mixed()),
            (false, Some(hub)) => repos.shared = Cow::Borrowed(hub.names()),
            (false, None) => repos.shared = Cow::default(),
        }
        repos
    }

    /// The group of a repo; absent if it has none.
    pub(super) fn group(&self, code: u32) -> Cow<'a, str> {
        let (repo_type, name) = self.get(code);
        Cow::Borrowed(self.family.group(repo_type, name))
    }

    /// The codes of a repo: its own, and those of repos that were called otherwise before.
    pub(super) fn codes(&self, repo_type: &str, name: &str) -> Vec<u32> {
        let own = self.code(repo_type, name);
        let own = own.filter(|code| self.get(*code) == (repo_type, name));
        let before = self.family.codes_of((repo_type, name));
        own.into_iter().chain(before).collect()
    }

    /// What repos of several sources, or with new names, share.
    fn mixed(&self) -> RepoNames {
        let repos = (0..self.len()).map(|code| self.get(code));
        if !self.family.renames() {
            return RepoNames::of(repos);
        }
        let repos: BTreeSet<_> = repos.collect();
        RepoNames::of(repos.iter().copied())
    }

    /// All repo types.
    pub(super) fn types(&self) -> Vec<&str> {
        self.shared.types.iter().map(String::as_str).collect()
    }

    /// The code of a repo.
    pub(super) fn code(&self, repo_type: &str, name: &str) -> Option<u32> {
        let known = self.names.repos().code(&format!("{repo_type}\0{name}"));
        known.filter(|code| *code < self.log_count).or_else(|| {
            let index = self.hub?.find(repo_type, name)?;
            self.hub_codes.get(index).copied()
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.log_count + u32::try_from(self.hub_only.len()).unwrap_or(0)
    }

    /// Type and name of a repo.
    pub(super) fn get(&self, code: u32) -> (&'a str, &'a str) {
        if let Some(now) = self.family.now(code) {
            return now;
        }
        self.stored(code)
    }

    /// The same as it was written then.
    pub(super) fn stored(&self, code: u32) -> (&'a str, &'a str) {
        match code.checked_sub(self.log_count) {
            None => self.names.repo(code),
            Some(index) => self
                .hub_only
                .get(index as usize)
                .copied()
                .unwrap_or(("", "")),
        }
    }

    /// The name, or `type:name` where types share it.
    pub(super) fn shown(&self, code: u32) -> Cow<'a, str> {
        let (repo_type, name) = self.get(code);
        if self.types_of(name) > 1 {
            Cow::Owned(format!("{repo_type}:{name}"))
        } else {
            Cow::Borrowed(name)
        }
    }

    /// How many types share a name.
    pub(super) fn types_of(&self, name: &str) -> u32 {
        self.shared.shared.get(name).copied().unwrap_or(1)
    }
}

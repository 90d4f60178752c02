//! Conditions and dimensions over one space of codes to one table: which codes are kept, and what
//! each adds to the key of its group.

use super::axis::{Axis, space_len};
use super::groups::Key;
use super::space::{Repos, Space, value};
use crate::catalog::View;
use crate::dictionary::agents::agent_value;
use crate::dictionary::template;
use crate::error::Result;
use crate::query::filter::{Matcher, RepoMatcher};
use crate::query::value::{Condition, Test};
use crate::schema::Dimension;

/// In place of a key: the filter does not keep the code.
pub(super) const OUT: Key = Key::MAX;
/// In place of a key: the session id has to be looked at.
pub(super) const ASK_SESSION: Key = Key::MAX - 1;

/// Most listed repos that are looked for one after the other; a table of all repos costs a small query more than
/// that.
const FEW_LISTED: usize = 8;

/// What each code of a space adds to the key of its group, or [`OUT`].
#[derive(Debug)]
pub(super) struct Lens {
    /// The space.
    pub(super) space: Space,
    /// By code; empty if the query says nothing about the space, or lists few repos.
    pub(super) parts: Vec<Key>,
    /// The parts of those that are kept, where the query lists few repos.
    few: Option<Vec<(u32, Key)>>,
    /// Whether some condition is on the space.
    pub(super) has_filter: bool,
    /// Whether some dimension after `by` is on the space.
    pub(super) has_axis: bool,
    /// The codes that are kept, ascending, if the query lists repos.
    pub(super) listed: Option<Vec<u32>>,
}

/// A compiled condition.
#[derive(Debug)]
enum Compiled {
    Plain(Matcher),
    Repo(RepoMatcher),
}

impl Compiled {
    fn new(dimension: &Dimension, test: &Test, repos: &Repos<'_>) -> Result<Self> {
        if *dimension != Dimension::Repo {
            return Matcher::compile(dimension, test).map(Self::Plain);
        }
        RepoMatcher::compile(test, &repos.types()).map(Self::Repo)
    }
}

impl Compiled {
    /// The codes of the repos that it lists, ascending; `None` if it lists none.
    fn listed(&self, repos: &Repos<'_>) -> Option<Vec<u32>> {
        let Self::Repo(matcher) = self else {
            return None;
        };
        let mut codes = Vec::new();
        for (repo_type, name) in matcher.listed()? {
            match repo_type {
                Some(repo_type) => codes.extend(repos.codes(repo_type, name)),
                None => {
                    let types = repos.types();
                    codes.extend(types.iter().flat_map(|one| repos.codes(one, name)));
                }
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Some(codes)
    }
}

impl Lens {
    /// The lens of a space under the conditions and axes of a query.
    ///
    /// # Errors
    ///
    /// `Invalid` for a condition without meaning.
    pub(super) fn new(
        space: Space,
        (conditions, axes): (&[Condition], &[Axis]),
        view: &View,
        repos: &Repos<'_>,
    ) -> Result<Self> {
        let mut lens = Self {
            space,
            parts: Vec::new(),
            few: None,
            has_filter: false,
            has_axis: false,
            listed: None,
        };
        let axes = || axes.iter().filter(|axis| axis.space == space);
        lens.has_axis = axes().next().is_some();
        let mut kept: Vec<(&Dimension, Compiled)> = Vec::new();
        for condition in conditions {
            if let Condition::Where(dimension, test) = condition
                && Space::of(dimension, view) == space
            {
                kept.push((dimension, Compiled::new(dimension, test, repos)?));
            }
        }
        lens.has_filter = !kept.is_empty();
        if let Some(listed) = kept.iter().find_map(|(_, test)| test.listed(repos)) {
            let len = space_len(space, view, repos);
            let mut parts: Vec<(u32, Key)> = Vec::new();
            for code in listed.into_iter().filter(|code| *code < len) {
                let keeps = |(dimension, test): &(&Dimension, Compiled)| {
                    keeps(dimension, test, code, (view, repos))
                };
                if kept.iter().all(keeps) {
                    parts.push((code, axes().map(|axis| axis.part(code)).sum()));
                }
            }
            lens.listed = Some(parts.iter().map(|(code, _)| *code).collect());
            if parts.len() > FEW_LISTED {
                lens.parts = vec![OUT; len as usize];
                for (code, part) in parts {
                    if let Some(place) = lens.parts.get_mut(code as usize) {
                        *place = part;
                    }
                }
            } else {
                lens.few = Some(parts);
            }
        } else if space == Space::Agent && !lens.is_idle() {
            lens.parts = agent_parts(view, &kept, axes);
        } else if !lens.is_idle() {
            let parts = (0..space_len(space, view, repos)).map(|code| {
                let keeps = |(dimension, test): &(&Dimension, Compiled)| {
                    keeps(dimension, test, code, (view, repos))
                };
                if kept.iter().all(keeps) {
                    axes().map(|axis| axis.part(code)).sum()
                } else {
                    OUT
                }
            });
            lens.parts = parts.collect();
        }
        Ok(lens)
    }

    /// The same, but that some codes are not kept. It must not list repos.
    pub(super) fn without(&self, codes: impl Iterator<Item = u32>) -> Self {
        let mut parts = self.parts.clone();
        for code in codes {
            if let Some(part) = parts.get_mut(code as usize) {
                *part = OUT;
            }
        }
        Self {
            space: self.space,
            parts,
            few: None,
            has_filter: true,
            has_axis: self.has_axis,
            listed: None,
        }
    }

    /// Whether it keeps everything and adds nothing.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_filter && !self.has_axis
    }

    /// What a code adds to the key. Codes that the store does not know are not kept.
    #[inline]
    pub(super) fn part(&self, code: u32) -> Key {
        if let Some(few) = &self.few {
            let found = few.iter().find(|(known, _)| *known == code);
            return found.map_or(OUT, |(_, part)| *part);
        }
        if self.parts.is_empty() {
            return if self.is_idle() { 0 } else { OUT };
        }
        self.parts.get(code as usize).copied().unwrap_or(OUT)
    }
}

/// What each template of a user agent adds to the key, or [`OUT`], or [`ASK_SESSION`].
fn agent_parts<'a, A: Iterator<Item = &'a Axis>>(
    view: &View,
    kept: &[(&Dimension, Compiled)],
    axes: impl Fn() -> A,
) -> Vec<Key> {
    let mut parts: Vec<Key> = (0..view.names().agents().len())
        .map(|code| axes().map(|axis| axis.part(code)).sum())
        .collect();
    let mut asks = |dimension: &Dimension, is_in: &dyn Fn(&str) -> bool| {
        let agents = view.agents(dimension);
        let is_in: Vec<bool> = agents.texts.iter().map(|text| is_in(text)).collect();
        let codes = agents.places.iter().zip(&agents.asks_session);
        for (part, (place, asks_session)) in parts.iter_mut().zip(codes) {
            if *asks_session {
                *part = ASK_SESSION;
            } else if *part != ASK_SESSION && is_in.get(*place as usize) != Some(&true) {
                *part = OUT;
            }
        }
    };
    for (dimension, test) in kept {
        let is_in = |text: &str| match test {
            Compiled::Plain(matcher) => matcher.matches_text(text),
            Compiled::Repo(_) => false,
        };
        asks(dimension, &is_in);
    }
    for axis in axes() {
        asks(&axis.dimension, &|_| true);
    }
    parts
}

fn keeps(
    dimension: &Dimension,
    test: &Compiled,
    code: u32,
    (view, repos): (&View, &Repos<'_>),
) -> bool {
    match test {
        Compiled::Repo(matcher) => {
            let (repo_type, name) = repos.get(code);
            matcher.matches(repo_type, name)
        }
        Compiled::Plain(matcher) => match dimension {
            Dimension::Status => matcher.matches_number(view.names().verb(code).1.into()),
            _ => matcher.matches_text(&value(dimension, code, view, repos)),
        },
    }
}

/// User agents of which the session id decides.
#[derive(Debug)]
pub(super) struct Sessions {
    conditions: Vec<(Dimension, Matcher)>,
}

impl Sessions {
    /// The conditions on user agents.
    ///
    /// # Errors
    ///
    /// `Invalid` for a condition without meaning.
    pub(super) fn new(conditions: &[Condition], view: &View) -> Result<Self> {
        let mut kept = Vec::new();
        for condition in conditions {
            if let Condition::Where(dimension, test) = condition
                && Space::of(dimension, view) == Space::Agent
            {
                kept.push((dimension.clone(), Matcher::compile(dimension, test)?));
            }
        }
        Ok(Self { conditions: kept })
    }

    /// What a user agent with this session id adds to the key, or [`OUT`].
    pub(super) fn part(&self, template: &str, session: Option<[u8; 16]>, axes: &[Axis]) -> Key {
        let text = template::join(template, session);
        let keeps = |(dimension, matcher): &(Dimension, Matcher)| {
            matcher.matches_text(agent_value(dimension, &text))
        };
        if !self.conditions.iter().all(keeps) {
            return OUT;
        }
        let axes = axes.iter().filter(|axis| axis.space == Space::Agent);
        axes.map(|axis| axis.agent_part(&text)).sum()
    }
}

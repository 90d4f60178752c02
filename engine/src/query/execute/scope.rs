//! A query and a snapshot to all that counting needs: rule, range, days, tables over codes.

use std::sync::{Arc, OnceLock};

use super::Rules;
use super::axis::Axis;
use super::groups::{Groups, Key, Universe};
use super::lens::{Lens, OUT, Sessions};
use super::narrow::Narrowed;
use super::space::{Repos, Space};
use super::time::{self, DayPart};
use crate::catalog::View;
use crate::catalog::repo_visits::AskedRepo;
use crate::error::{Error, Result};
use crate::hub::HubState;
use crate::metrics::{Measure, Metric};
use crate::query::calendar::Calendar;
use crate::query::check::check_rule;
use crate::query::filter::Matcher;
use crate::query::range;
use crate::query::value::{Condition, Query};
use crate::rules::{self, Collapse, Rule};
use crate::schema::time::Span;
use crate::schema::{Dimension, Evidence};
use crate::segment::Spare;
use crate::sketch::REGISTER_COUNT;
use crate::units::TimestampMs;

/// What a query asks of the log, each kind of measure once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Wants {
    /// Requests.
    pub(super) requests: bool,
    /// Downloads.
    pub(super) downloads: bool,
    /// Downloaders of any kind.
    pub(super) who: bool,
    /// Repos.
    pub(super) repos: bool,
    /// Countries.
    pub(super) countries: bool,
    /// Accepted requests without identity.
    pub(super) unidentified: bool,
}

impl Wants {
    fn of(query: &Query) -> Self {
        let has = |wanted: fn(Measure) -> bool| {
            query.metrics.iter().any(|metric| wanted(metric.measure()))
        };
        Self {
            requests: has(|measure| measure == Measure::Requests),
            downloads: has(|measure| measure == Measure::Downloads),
            who: has(|measure| matches!(measure, Measure::Downloaders(_))),
            repos: has(|measure| measure == Measure::Repos),
            countries: has(|measure| measure == Measure::Countries),
            unidentified: has(|measure| measure != Measure::Hub),
        }
    }

    /// Whether something distinct is counted.
    pub(super) fn has_sets(self) -> bool {
        self.who || self.repos || self.countries
    }

    /// Whether downloaders are asked, and nothing else but requests without identity.
    pub(super) fn is_who_only(self) -> bool {
        self.is_only(Self {
            who: true,
            ..Self::default()
        })
    }

    /// Whether requests are asked, and nothing else but those without identity.
    pub(super) fn is_requests_only(self) -> bool {
        self.is_only(Self {
            requests: true,
            ..Self::default()
        })
    }

    /// Whether it is `only`, be those without identity asked or not.
    fn is_only(self, only: Self) -> bool {
        let unidentified = self.unidentified;
        self == Self {
            unidentified,
            ..only
        }
    }

    /// Adds what is distinct of so many accepted rows of a downloader and a repo, and how many have no identity.
    #[inline]
    pub(super) fn add_accepted(
        self,
        (id, repo): (u32, u32),
        (slot, count): (usize, u64),
        groups: &mut Groups,
    ) {
        if id == 0 {
            groups.unidentified += u64::from(self.unidentified) * count;
        } else if self.who {
            groups.add_downloader(slot, id);
        }
        if self.repos {
            groups.add_repo(slot, repo);
        }
    }

    /// Whether only requests without identity are asked.
    pub(super) fn is_unidentified_only(self) -> bool {
        let only = Self {
            unidentified: true,
            ..Self::default()
        };
        self == only
    }

    /// Whether anything is asked.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }

    /// Whether the rule decides about anything that is asked.
    pub(super) fn has_accepted(self) -> bool {
        self.downloads || self.unidentified || self.has_sets()
    }
}

/// Everything that counting needs to know of a query.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// The snapshot.
    pub(super) view: &'a View,
    /// The publisher CSV, if the query reads it.
    pub(super) hub: Option<&'a HubState>,
    /// The query.
    pub(super) query: &'a Query,
    /// The rule.
    pub(super) rule: Rule,
    /// Days of the log, if the query reads it.
    pub(super) log_days: Option<Calendar>,
    /// Days of the publisher CSV, if the query reads it.
    pub(super) hub_days: Option<Calendar>,
    /// The range; `None` when nothing is in it.
    pub(super) span: Option<Span>,
    /// Dimensions after `by`.
    pub(super) axes: Vec<Axis>,
    /// Keys are below.
    pub(super) keys: Key,
    /// Repos of all sources that are read.
    pub(super) repos: Repos<'a>,
    /// Days of the log that are read.
    pub(super) days: Vec<DayPart>,
    /// What is asked of the log.
    pub(super) wants: Wants,
    /// By repo code.
    pub(super) repo: Lens,
    /// By verb code.
    pub(super) verb: Lens,
    /// By place code.
    pub(super) place: Lens,
    /// By code of a user-agent template.
    pub(super) agent: Lens,
    /// By value of `internal`.
    pub(super) internal: Lens,
    /// By kind of identity.
    pub(super) kind: Lens,
    /// By evidence.
    pub(super) evidence: Lens,
    /// By code of an extra column.
    pub(super) extras: Vec<Lens>,
    /// User agents of which the session id decides.
    pub(super) sessions: Sessions,
    /// A bit for each downloader that the filter keeps; `None` for all.
    pub(super) downloaders: Option<Vec<u64>>,
    /// What one downloader id more adds to keys; 0 without that dimension.
    pub(super) downloader_stride: Key,
    /// Whether the rule accepts a verb code, leaving `internal` aside.
    pub(super) accepts: Vec<bool>,
    /// Whether the rule is the default one, whose downloads are stored.
    pub(super) is_default_rule: bool,
    /// Whether something that differs inside a visit is grouped by, so that downloads of groups need
    /// not add up.
    pub(super) splits_visits: bool,
    /// Whether sets of downloaders are needed themselves, and not their counts alone.
    pub(super) keeps_sets: bool,
    /// The repos whose visits are read where nothing but downloaders is asked, if others' downloaders are known.
    pub(super) left: Option<Lens>,
    /// The repos that the query lists, once a day of some was read.
    pub(super) asked_repos: OnceLock<Option<Vec<Arc<AskedRepo>>>>,
    /// What of segments may be decoded for later questions.
    pub(super) spare: Spare,
    /// A bit for each id that is an address; empty if the query does not tell kinds apart.
    pub(super) ips: &'a [u64],
}

impl<'a> Scope<'a> {
    /// Prepares a query.
    ///
    /// # Errors
    ///
    /// `Invalid` for a query without meaning or with an unknown rule.
    pub(super) fn new(
        (view, hub): (&'a View, Option<&'a HubState>),
        rules: &Rules<'_>,
        narrowed: &'a Narrowed<'_>,
    ) -> Result<Self> {
        let query = narrowed.query();
        let is_hub = |metric: &Metric| metric.measure() == Measure::Hub;
        let reads_log = !query.metrics.iter().all(is_hub);
        let reads_hub = query.metrics.iter().any(is_hub);
        let hub = hub.filter(|_| reads_hub);
        let log_days = reads_log.then(|| log_calendar(view));
        let hub_days = reads_hub.then(|| hub_calendar(hub));
        let span = range::resolve(&query.range, log_days.as_ref(), hub_days.as_ref())?.span;
        let repos = Repos::new(view, reads_log, hub);
        let axes = axes(query, view, &repos, span)?;
        let keys = axes.last().map_or(1, |axis| axis.stride * axis.codes);
        let days = if reads_log {
            time::days(view, span, &query.filter, &axes)?
        } else {
            Vec::new()
        };
        let lens = |space| Lens::new(space, (&query.filter, &axes), view, &repos);
        let downloader = axes.iter().find(|axis| axis.space == Space::Downloader);
        let rule = rule(query, rules)?;
        let splits = |axis: &Axis| {
            matches!(
                axis.space,
                Space::Verb | Space::Place | Space::Agent | Space::Internal | Space::Extra(_)
            )
        };
        let scope = Self {
            repo: lens(Space::Repo)?,
            verb: lens(Space::Verb)?,
            place: lens(Space::Place)?,
            agent: lens(Space::Agent)?,
            internal: lens(Space::Internal)?,
            kind: lens(Space::Kind)?,
            evidence: lens(Space::Evidence)?,
            extras: extra_lenses(query, view, &lens)?,
            sessions: Sessions::new(&query.filter, view)?,
            downloaders: downloaders(query, view)?,
            downloader_stride: downloader.map_or(0, |axis| axis.stride),
            accepts: accepts(&rule, view),
            ips: if tells_kinds(query) {
                view.ip_bits()
            } else {
                &[]
            },
            wants: Wants::of(query),
            is_default_rule: rule.is_default(),
            splits_visits: axes.iter().any(splits),
            keeps_sets: false,
            left: None,
            asked_repos: OnceLock::new(),
            spare: Spare::default(),
            view,
            hub,
            query,
            rule,
            log_days,
            hub_days,
            span,
            axes,
            keys,
            repos,
            days,
        };
        Ok(scope.without_vain_wants())
    }

    /// The same, but nothing is asked that rests on accepted requests if there can be none.
    fn without_vain_wants(mut self) -> Self {
        if !self.keeps_accepted() {
            let Wants {
                requests,
                unidentified,
                ..
            } = self.wants;
            self.wants = Wants {
                requests,
                unidentified,
                ..Wants::default()
            };
        }
        self
    }

    /// Whether the filter keeps some verb that the rule accepts: else there are no downloads, and nobody made one.
    fn keeps_accepted(&self) -> bool {
        let mut accepts = (0..).zip(&self.accepts);
        accepts.any(|(verb, accepts)| *accepts && self.verb.part(verb) != OUT)
    }

    fn universe(&self) -> Universe {
        Universe {
            downloaders: self.view.identities().next_id(),
            repos: self.repos.len(),
            countries: u32::try_from(self.view.meanings().countries.len()).unwrap_or(u32::MAX),
            has_estimates: false,
        }
    }

    /// No group yet, with keys below `keys`; each will have few downloaders before they are drained.
    pub(super) fn groups_of_lists(&self, keys: Key) -> Groups {
        Groups::new((keys, false), true, self.universe())
    }

    /// No group yet; there will be few.
    pub(super) fn groups_of_few(&self) -> Groups {
        Groups::new((Key::MAX, false), self.wants.has_sets(), self.universe())
    }

    /// No group yet.
    pub(super) fn groups(&self) -> Groups {
        let universe = Universe {
            has_estimates: self.has_estimates(),
            ..self.universe()
        };
        let is_dense = self.downloader_stride != 0;
        let mut groups = Groups::new((self.keys, is_dense), self.wants.has_sets(), universe);
        groups.standing = self.repos.family.all_standing();
        groups
    }

    /// Whether sets of downloaders may be estimates: only then do they take less memory, and kinds of
    /// identities are not told apart.
    fn has_estimates(&self) -> bool {
        let is_history = |metric: &Metric| metric.measure() == Measure::History;
        self.query.approx
            && self.wants.who
            && self.ips.is_empty()
            && self.view.identities().next_id() > ESTIMATED_IDS_MIN
            && !self.query.metrics.iter().any(is_history)
    }

    /// Dimensions of places that conditions are on.
    pub(super) fn place_conditions(&self) -> impl Iterator<Item = &Dimension> {
        self.query
            .filter
            .iter()
            .filter_map(|condition| match condition {
                Condition::Where(dimension @ (Dimension::Country | Dimension::Region), _) => {
                    Some(dimension)
                }
                _ => None,
            })
    }

    /// 0 none, 1 account, 2 address.
    #[inline]
    pub(super) fn kind_of(&self, id: u32) -> u32 {
        if id == 0 {
            return 0;
        }
        let word = self.ips.get(id as usize / 64).copied().unwrap_or(0);
        1 + (word >> (id % 64) & 1) as u32
    }

    /// Whether a downloader is one of those that the filter lists, if it lists any.
    #[inline]
    pub(super) fn lists(&self, id: u32) -> bool {
        self.downloaders.as_deref().is_none_or(|listed| {
            let word = listed.get(id as usize / 64).copied().unwrap_or(0);
            word >> (id % 64) & 1 == 1
        })
    }

    /// The repos whose visits are looked at.
    pub(super) fn kept_repos(&self, wants: Wants) -> &Lens {
        match &self.left {
            Some(left) if wants.is_who_only() && !wants.unidentified => left,
            _ => &self.repo,
        }
    }

    /// What a downloader adds to keys, or [`OUT`].
    #[inline]
    pub(super) fn downloader_part(&self, id: u32) -> Key {
        if !self.lists(id) {
            return OUT;
        }
        let mut part = self.downloader_stride * Key::from(id);
        if !self.kind.is_idle() {
            let kind = self.kind.part(self.kind_of(id));
            if kind == OUT {
                return OUT;
            }
            part += kind;
        }
        part
    }
}

/// Whether accounts and addresses are counted, grouped or filtered apart.
fn tells_kinds(query: &Query) -> bool {
    let metrics = query.metrics.iter();
    let is_kind = |dimension: &Dimension| *dimension == Dimension::Identity;
    let filters = query.filter.iter();
    query.by.iter().any(is_kind)
        || metrics
            .copied()
            .any(|metric| matches!(metric, Metric::Users | Metric::Ips))
        || filters
            .clone()
            .any(|condition| matches!(condition, Condition::Where(Dimension::Identity, _)))
}

/// The days of a snapshot's logs.
#[must_use]
pub fn log_calendar(view: &View) -> Calendar {
    let mut partitions = view.manifest().partitions.iter().rev();
    let newest = partitions.find(|partition| !partition.segments.is_empty());
    let rows = newest.into_iter().flat_map(|day| &day.segments);
    let last_row = rows.map(|segment| segment.ts_last).max();
    Calendar::of_ascending_logs(Arc::clone(view.log_days()), last_row)
}

fn hub_calendar(hub: Option<&HubState>) -> Calendar {
    let days = hub.map(HubState::present_days).unwrap_or_default();
    Calendar::of_hub(days.iter().copied())
}

fn rule(query: &Query, rules: &Rules<'_>) -> Result<Rule> {
    let Some(name) = query.rule.as_deref() else {
        return Ok(rules::default_rule());
    };
    if let Some(rule) = rules::by_name(name).or_else(|| rules(name)) {
        let window = match rule.collapse {
            Collapse::Clock(window) => window,
            _ => 1,
        };
        if window == 0 {
            return Err(Error::invalid(format!(
                "rule {name} has a window of length 0"
            )));
        }
        return Ok(rule);
    }
    check_rule(Some(name), &[])?;
    Err(Error::invalid(format!("unknown rule {name:?}")))
}

fn axes(query: &Query, view: &View, repos: &Repos<'_>, span: Option<Span>) -> Result<Vec<Axis>> {
    let mut stride: Key = 1;
    let mut axes = Vec::with_capacity(query.by.len());
    for dimension in &query.by {
        let mut axis = Axis::new(dimension, view, repos, span);
        axis.stride = stride;
        stride = stride
            .checked_mul(axis.codes)
            .filter(|stride| *stride < Key::MAX / 2)
            .ok_or_else(|| Error::limit("more groups are possible than can be numbered"))?;
        axes.push(axis);
    }
    Ok(axes)
}

fn extra_lenses(
    query: &Query,
    view: &View,
    lens: &dyn Fn(Space) -> Result<Lens>,
) -> Result<Vec<Lens>> {
    let filtered = query.filter.iter().filter_map(|condition| match condition {
        Condition::Where(dimension, _) => Some(dimension),
        Condition::InSet(..) => None,
    });
    let extras = query.by.iter().chain(filtered);
    let extras = extras.map(|dimension| Space::of(dimension, view));
    let mut spaces: Vec<Space> = extras
        .filter(|space| matches!(space, Space::Extra(_)))
        .collect();
    spaces.sort_unstable();
    spaces.dedup();
    spaces.into_iter().map(lens).collect()
}

/// A bit for each downloader that conditions on `downloader` keep.
fn downloaders(query: &Query, view: &View) -> Result<Option<Vec<u64>>> {
    let mut matchers = Vec::new();
    for condition in &query.filter {
        if let Condition::Where(Dimension::Downloader, test) = condition {
            matchers.push(Matcher::compile(&Dimension::Downloader, test)?);
        }
    }
    let keys = view.identities();
    let in_sets = in_sets(query, view)?;
    if matchers.is_empty() {
        return Ok(in_sets);
    }
    let mut kept = vec![0_u64; (keys.next_id() as usize).div_ceil(64).max(1)];
    for id in 0..keys.next_id().max(1) {
        let text = if id == 0 {
            String::new()
        } else {
            keys.key(id)?.text()
        };
        if matchers.iter().all(|matcher| matcher.matches_text(&text)) {
            kept[id as usize / 64] |= 1 << (id % 64);
        }
    }
    for (word, in_sets) in kept.iter_mut().zip(in_sets.into_iter().flatten()) {
        *word &= in_sets;
    }
    Ok(Some(kept))
}

/// A bit for each downloader, and for nobody, that conditions on named sets keep; `None` without any.
fn in_sets(query: &Query, view: &View) -> Result<Option<Vec<u64>>> {
    let mut kept: Option<Vec<u64>> = None;
    for condition in &query.filter {
        let Condition::InSet(name, is_in) = condition else {
            continue;
        };
        let set = view
            .set(name)
            .ok_or_else(|| Error::not_found(format!("no set is called {name}")))?;
        let words = (view.identities().next_id() as usize).div_ceil(64).max(1);
        let kept = kept.get_or_insert_with(|| vec![u64::MAX; words]);
        let members = set.words().iter().chain(std::iter::repeat(&0));
        for (word, members) in kept.iter_mut().zip(members) {
            *word &= if *is_in { *members } else { !members };
        }
    }
    Ok(kept)
}

fn accepts(rule: &Rule, view: &View) -> Vec<bool> {
    let names = view.names();
    let verbs = 0..names.verbs().len();
    let accepts = verbs.map(|code| {
        let (method, status) = names.verb(code);
        rule.accepts(method, status)
    });
    accepts.collect()
}

/// Ids for which a bit each takes as many bytes as a sketch.
const ESTIMATED_IDS_MIN: u32 = 8 * REGISTER_COUNT as u32;

/// The evidence of nothing but checks.
pub(super) const WEAKEST: u8 = Evidence::Check as u8;

/// `2026-07-01T00:00:00.000Z`.
pub(super) fn instant(ts: TimestampMs) -> String {
    ts.to_string()
}

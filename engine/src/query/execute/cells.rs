//! Stored sums of days to groups.
//!
//! For each measure the first table that covers the question is read. A question is covered when the
//! table has every base that the filter and dimensions rest on, and its values add up over the bases
//! that they do not rest on.
//!
//! The sums of a day are in the series of its month (`series`), or, where that does not cover the day,
//! in the day's own cells.

use std::ops::Range;

use super::Level;
use super::groups::{Groups, Key};
use super::lens::{Lens, OUT};
use super::scope::{Scope, Wants};
use super::space::Space;
use super::target::Target;
use super::time::DayPart;
use crate::derived::{Base, CellTable, Cells, Measure, TABLES};
use crate::error::Result;
use crate::rules::Collapse;
use crate::schema::Dimension;

/// Cells of a repo's day stand among those of all repos: they are read only if at least one repo of so
/// many is asked for.
const FEW_REPOS_SHARE: usize = 16;

/// One measure of one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// What it is for.
    pub(super) target: Target,
    /// Where it stands.
    pub(super) table: &'static CellTable,
    /// Which of the table's measures.
    pub(super) measure: Measure,
    /// Bases whose keys are read.
    pub(super) bases: u8,
    /// Whether only cells of verbs that the rule accepts count.
    only_accepted: bool,
    /// Whether it counts internal requests, which the rule leaves out.
    pub(super) has_internal: bool,
}

/// From which tables each measure comes, for days of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(pub(super) Vec<Source>);

/// From which tables of a series, or of a day's cells, each measure comes.
#[derive(Clone, Debug, Default)]
pub(super) struct SourcesByDay {
    /// For days of which every hour counts alike.
    pub(super) whole_days: Sources,
    /// For days of which some hours are left out or hours are groups.
    pub(super) by_hour: Sources,
}

/// What cells cover of a query.
#[derive(Debug)]
pub(super) struct CellPlan<'s, 'a> {
    scope: &'s Scope<'a>,
    /// Whether series are read.
    reads_series: bool,
    /// By number of the country; empty if the query says nothing about places.
    countries: Vec<Key>,
    /// Numbers of the countries that the filter keeps, ascending, if it has a condition on them.
    listed_countries: Option<Vec<u32>>,
    /// Codes of the repos that it keeps, ascending, if it has a condition on them that lists none.
    kept_repos: Option<Vec<u32>>,
    /// For days that a series covers.
    pub(super) series: SourcesByDay,
    /// For other days.
    pub(super) cells: SourcesByDay,
}

const fn bit(base: Base) -> u8 {
    1 << base as u8
}

/// Whether a base is among some.
pub(super) fn has(bases: u8, base: Base) -> bool {
    bases & bit(base) != 0
}

fn list(bases: u8) -> Vec<Base> {
    let all = [
        Base::Repo,
        Base::Verb,
        Base::Country,
        Base::Hour,
        Base::Evidence,
    ];
    all.into_iter().filter(|base| has(bases, *base)).collect()
}

impl<'s, 'a> CellPlan<'s, 'a> {
    /// The plan of a query; it reads nothing from below `lowest`.
    pub(super) fn new(scope: &'s Scope<'a>, lowest: Level) -> Self {
        let mut plan = Self {
            scope,
            reads_series: lowest <= Level::Series,
            countries: Vec::new(),
            listed_countries: None,
            kept_repos: None,
            series: SourcesByDay::default(),
            cells: SourcesByDay::default(),
        };
        let has_only_bases = plan.has_only_bases(|lens| !lens.has_filter);
        if lowest <= Level::Cells && scope.wants.unidentified && has_only_bases {
            if !scope.place.is_idle() || scope.wants.countries {
                plan.countries = countries(scope);
            }
            if scope.repo.has_filter && scope.repo.listed.is_none() {
                let codes = 0..scope.repos.len();
                plan.kept_repos =
                    Some(codes.filter(|code| scope.repo.part(*code) != OUT).collect());
            }
            if scope.place.has_filter {
                let kept = (0..).zip(&plan.countries).filter(|(_, part)| **part != OUT);
                plan.listed_countries = Some(kept.map(|(number, _)| number).collect());
            }
            plan.series.whole_days = plan.sources(0);
            plan.series.by_hour = plan.sources(bit(Base::Hour));
            plan.cells = plan.series.clone();
            if scope.repo.listed.is_none() {
                plan.series.whole_days.drop_large_repos();
                plan.series.by_hour.drop_large_repos();
            }
            if plan.has_few_repos() {
                let is_kept = |source: &Source| !source.table.bases.contains(&Base::Repo);
                plan.cells.whole_days.0.retain(is_kept);
                plan.cells.by_hour.0.retain(is_kept);
            }
            if scope.wants.has_sets() && !plan.has_sets() {
                plan.drop_sets();
            }
        }
        plan
    }

    /// Takes what is distinct from no sums: what visits say of it is counted bucket by bucket, and months come before.
    fn drop_sets(&mut self) {
        for by_day in [&mut self.series, &mut self.cells] {
            for sources in [&mut by_day.whole_days, &mut by_day.by_hour] {
                sources.0.retain(|source| source.target.counted().is_none());
            }
        }
    }

    /// The query.
    pub(super) fn scope(&self) -> &'s Scope<'a> {
        self.scope
    }

    /// Whether conditions, or dimensions too, are only on what cells have keys of.
    fn has_only_bases(&self, is_idle: fn(&Lens) -> bool) -> bool {
        let scope = self.scope;
        let others = [&scope.agent, &scope.internal, &scope.kind];
        others.into_iter().chain(&scope.extras).all(is_idle)
            && scope.downloaders.is_none()
            && scope
                .place_conditions()
                .all(|dimension| *dimension == Dimension::Country)
    }

    /// Whether all dimensions are on what cells have keys of.
    fn has_only_base_axes(&self) -> bool {
        let axes = &self.scope.axes;
        self.has_only_bases(Lens::is_idle)
            && axes.iter().all(|axis| {
                axis.space != Space::Downloader
                    && (axis.space != Space::Place || axis.dimension == Dimension::Country)
            })
    }

    /// Whether so few repos are asked for that their visits are fewer than the cells of all repos, and
    /// visits decide.
    fn has_few_repos(&self) -> bool {
        if !self.scope.verb.is_idle() || !self.scope.place.is_idle() {
            return false;
        }
        let listed = self.scope.repo.listed.as_ref();
        listed.is_some_and(|codes| {
            codes.len().saturating_mul(FEW_REPOS_SHARE) <= self.scope.repos.len() as usize
        })
    }

    fn lens_bases(&self, which: fn(&Lens) -> bool) -> u8 {
        let scope = self.scope;
        let lenses = [
            (&scope.repo, Base::Repo),
            (&scope.verb, Base::Verb),
            (&scope.place, Base::Country),
            (&scope.evidence, Base::Evidence),
        ];
        let used = lenses.into_iter().filter(|(lens, _)| which(lens));
        used.fold(0, |bases, (_, base)| bases | bit(base))
    }

    fn sources(&self, hour: u8) -> Sources {
        let scope = self.scope;
        let filters = self.lens_bases(|lens| lens.has_filter) | hour;
        let all = filters | self.lens_bases(|lens| lens.has_axis);
        let mut sources = Vec::new();
        let has_axes = self.has_only_base_axes();
        if scope.wants.requests && has_axes {
            sources.extend(source(Target::Requests, Measure::Requests, all));
        }
        if scope.wants.downloads && has_axes {
            sources.extend(self.downloads(filters, all).into_iter().flatten().flatten());
        }
        let unidentified = self.unidentified(filters & !bit(Base::Evidence));
        sources.extend(unidentified);
        if has_axes && !scope.wants.who && scope.evidence.is_idle() {
            let repos = Some(Target::Repos).filter(|_| scope.wants.repos);
            let countries = Some(Target::Countries).filter(|_| scope.wants.countries);
            let targets = repos.into_iter().chain(countries);
            sources.extend(targets.filter_map(|target| self.distinct(target, all)));
        }
        Sources(sources)
    }

    /// What has accepted requests.
    fn distinct(&self, target: Target, all: u8) -> Option<Source> {
        let scope = self.scope;
        let all = all | target.counted().map_or(0, bit);
        let is_default = !scope.rule.internal
            && scope.accepts == scope.view.meanings().accepts
            && !scope.verb.has_axis
            && self.keeps_default_verbs();
        // An accepted request makes a download, in its own country too.
        let stored = source(target, Measure::Downloads, all & !bit(Base::Verb));
        if let Some(stored) = stored.filter(|_| is_default) {
            return Some(stored);
        }
        let by_verb = source(target, Measure::Requests, all | bit(Base::Verb))?;
        Some(Source {
            only_accepted: true,
            has_internal: !scope.rule.internal,
            ..by_verb
        })
    }

    /// Downloads, and those of the whole where they have to be read apart.
    fn downloads(&self, filters: u8, all: u8) -> Option<[Option<Source>; 2]> {
        let scope = self.scope;
        if scope.rule.collapse == Collapse::None {
            // Each accepted request is one, and its verb decides on its evidence.
            let bases = all & !bit(Base::Evidence) | bit(Base::Verb);
            let source = source(Target::Downloads, Measure::Requests, bases)?;
            let has_internal = !scope.rule.internal;
            return Some([
                Some(Source {
                    only_accepted: true,
                    has_internal,
                    ..source
                }),
                None,
            ]);
        }
        let is_collapsed_apart = scope.verb.has_axis || !self.keeps_default_verbs();
        if !scope.is_default_rule || is_collapsed_apart {
            return None;
        }
        let (filters, all) = (filters & !bit(Base::Verb), all & !bit(Base::Verb));
        // A download may lie in two countries, so those of several countries do not add up.
        if has(filters, Base::Country) && self.countries_kept() > 1 {
            return None;
        }
        if !scope.place.has_axis {
            return Some([
                Some(source(Target::Downloads, Measure::Downloads, all)?),
                None,
            ]);
        }
        let groups = source(Target::DownloadsApart, Measure::Downloads, all)?;
        let whole = source(Target::Whole, Measure::Downloads, filters)?;
        Some([Some(groups), Some(whole)])
    }

    fn unidentified(&self, filters: u8) -> Option<Source> {
        let scope = self.scope;
        if scope.is_default_rule && self.keeps_default_verbs() {
            let bases = filters & !bit(Base::Verb);
            let stored = source(Target::Unidentified, Measure::AcceptedUnidentified, bases);
            if stored.is_some() {
                return stored;
            }
        }
        let by_verb = source(
            Target::Unidentified,
            Measure::Unidentified,
            filters | bit(Base::Verb),
        );
        by_verb.map(|source| Source {
            only_accepted: true,
            has_internal: !scope.rule.internal,
            ..source
        })
    }

    fn keeps_default_verbs(&self) -> bool {
        let accepts = self.scope.view.meanings().accepts.iter();
        let mut accepted = (0_u32..).zip(accepts).filter(|(_, accepts)| **accepts);
        accepted.all(|(verb, _)| self.scope.verb.part(verb) != OUT)
    }

    fn countries_kept(&self) -> usize {
        self.countries.iter().filter(|part| **part != OUT).count()
    }

    /// Adds what a day's own cells cover of it; gives what has to come from elsewhere.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the day's cells are damaged, `Io`.
    pub(super) fn day(
        &self,
        day: &DayPart,
        buffers: &mut Buffers,
        groups: &mut Groups,
    ) -> Result<Wants> {
        let scope = self.scope;
        let mut wants = scope.wants;
        let Some(sources) = self.sources_of(day) else {
            return Ok(wants);
        };
        let Some(partition) = scope.view.manifest().partitions.get(day.partition) else {
            return Ok(wants);
        };
        let cells = scope.view.cells(partition)?;
        for source in &sources.0 {
            if source.has_internal && cells.meta().internal_count > 0 {
                continue;
            }
            self.add(source, (&cells, day), buffers, groups)?;
            wants = wants.without(source.target);
        }
        Ok(wants)
    }

    /// The series that is read for a day, by its place among the manifest's month files.
    pub(super) fn series_of(&self, day: &DayPart) -> Option<usize> {
        let view = self.scope.view;
        view.series_of(day.partition).filter(|_| self.reads_series)
    }

    /// The sources for a day; `None` if sums cover nothing of it.
    pub(super) fn sources_of(&self, day: &DayPart) -> Option<&Sources> {
        let by_day = match self.series_of(day) {
            Some(_) => &self.series,
            None => &self.cells,
        };
        let sources = match day.is_whole() {
            true => &by_day.whole_days,
            false if day.is_whole_hours() => &by_day.by_hour,
            false => return None,
        };
        Some(sources).filter(|sources| !sources.0.is_empty())
    }

    /// First keys that are read of a table that begins with `base`; `None` for all.
    pub(super) fn first_keys(&self, base: Base) -> Option<&[u32]> {
        match base {
            Base::Repo => self.listed_repos().or(self.kept_repos.as_deref()),
            Base::Country => self.listed_countries.as_deref(),
            _ => None,
        }
    }

    /// The repos that the query lists.
    pub(super) fn listed_repos(&self) -> Option<&[u32]> {
        self.scope.repo.listed.as_deref()
    }

    /// Whether nothing of a day has to come from elsewhere, as far as that is known before.
    pub(super) fn covers(&self, day: &DayPart) -> bool {
        let sources = self.sources_of(day).map_or(&[][..], |sources| &sources.0);
        let reads_series = self.series_of(day).is_some();
        let has = |target| {
            sources.iter().any(|source| {
                let is_held = !(reads_series && source.table.is_of_large_repos());
                is_held && source.target == target
            })
        };
        let wants = self.scope.wants;
        (!wants.requests || has(Target::Requests))
            && (!wants.downloads || has(Target::Downloads) || has(Target::DownloadsApart))
            && has(Target::Unidentified)
            && !wants.who
            && (!wants.repos || has(Target::Repos))
            && (!wants.countries || has(Target::Countries))
    }

    /// Whether all that is distinct comes from sums, of days that are not cut inside an hour.
    pub(super) fn has_sets(&self) -> bool {
        let wants = self.scope.wants;
        let mut days = self.scope.days.iter().filter(|day| day.is_whole_hours());
        days.all(|day| {
            let sources = self.sources_of(day).map_or(&[][..], |sources| &sources.0);
            let has = |target| sources.iter().any(|source| source.target == target);
            !wants.who
                && (!wants.repos || has(Target::Repos))
                && (!wants.countries || has(Target::Countries))
        })
    }

    fn add(
        &self,
        source: &Source,
        (cells, day): (&Cells, &DayPart),
        buffers: &mut Buffers,
        groups: &mut Groups,
    ) -> Result<()> {
        buffers.read(source, cells, self.scope.repo.listed.as_deref())?;
        let (values, keys) = (&buffers.values, &buffers.keys);
        for (index, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
            let mut key = if has(source.bases, Base::Hour) {
                0
            } else {
                day.part
            };
            let (mut is_kept, mut counted) = (true, 0);
            for (base, codes) in keys {
                let code = codes.get(index).copied().unwrap_or(u32::MAX);
                if source.target.counted() == Some(*base) {
                    counted = code;
                }
                let part = self.part(source, (*base, code), day);
                is_kept &= part != OUT;
                key = key.wrapping_add(part);
            }
            if !is_kept {
                continue;
            }
            groups.add_sum(source.target, (key, counted), u64::from(*value));
        }
        Ok(())
    }

    /// What the key of a cell adds to that of the group, or [`OUT`].
    #[inline]
    fn part(&self, source: &Source, (base, code): (Base, u32), day: &DayPart) -> Key {
        match base {
            Base::Hour => day.hour_part(code),
            _ => self.code_part(source, base, code),
        }
    }

    /// As `part`, for a code that means the same on all days.
    #[inline]
    pub(super) fn code_part(&self, source: &Source, base: Base, code: u32) -> Key {
        let scope = self.scope;
        match base {
            Base::Repo => scope.repo.part(code),
            Base::Country => self.countries.get(code as usize).copied().unwrap_or(OUT),
            Base::Hour => 0,
            Base::Evidence => scope.evidence.part(code),
            Base::Verb => {
                let part = scope.verb.part(code);
                let is = |list: &[bool]| list.get(code as usize).copied().unwrap_or(false);
                if part == OUT || source.only_accepted && !is(&scope.accepts) {
                    return OUT;
                }
                if source.target != Target::Downloads || scope.evidence.is_idle() {
                    return part;
                }
                let evidence = scope.view.meanings().evidence.get(code as usize);
                match scope.evidence.part(evidence.copied().unwrap_or(0).into()) {
                    OUT => OUT,
                    more => part + more,
                }
            }
        }
    }
}

/// The first table that has the measure and the bases, and whose cells add up over its other bases.
fn source(target: Target, measure: Measure, bases: u8) -> Option<Source> {
    let needed = list(bases);
    let covers = |table: &&CellTable| {
        table.measures.contains(&measure)
            && needed.iter().all(|base| table.bases.contains(base))
            && table.adds_up(measure, &needed)
    };
    let table = TABLES.iter().find(covers)?;
    Some(Source {
        target,
        table,
        measure,
        bases,
        only_accepted: false,
        has_internal: false,
    })
}

/// What each country adds to keys.
pub(super) fn countries(scope: &Scope<'_>) -> Vec<Key> {
    let meanings = scope.view.meanings();
    let mut parts = vec![OUT; meanings.countries.len()];
    for (place, country) in (0_u32..).zip(&meanings.country_of) {
        if let Some(part) = parts.get_mut(*country as usize) {
            *part = scope.place.part(place);
        }
    }
    parts
}

/// Columns of cells, decoded.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    values: Vec<u32>,
    keys: Vec<(Base, Vec<u32>)>,
    repos: Vec<u32>,
}

impl Buffers {
    /// Reads the columns of a source, those of the listed repos alone if there are any.
    fn read(&mut self, source: &Source, cells: &Cells, listed: Option<&[u32]>) -> Result<()> {
        self.values.clear();
        self.keys.clear();
        let measures = source.table.measures.iter();
        let at = measures
            .take_while(|measure| **measure != source.measure)
            .count();
        let ranges = match listed {
            Some(codes) if source.table.bases.first() == Some(&Base::Repo) => {
                self.ranges(source, cells, codes)?
            }
            _ => std::iter::once(0..cells.len(source.table.key_column(0))).collect(),
        };
        let read = |column, out: &mut Vec<u32>| -> Result<()> {
            let ranges = ranges.iter().cloned();
            ranges
                .into_iter()
                .try_for_each(|range| cells.read_range(column, range, out))
        };
        read(source.table.measure_column(at), &mut self.values)?;
        if self.values.iter().all(|value| *value == 0) {
            self.values.clear();
            return Ok(());
        }
        for (at, base) in source.table.bases.iter().enumerate() {
            if has(source.bases, *base) {
                let mut codes = Vec::with_capacity(self.values.len());
                read(source.table.key_column(at), &mut codes)?;
                self.keys.push((*base, codes));
            }
        }
        Ok(())
    }

    /// Where the cells of these repos stand; cells are sorted by repo first.
    fn ranges(&mut self, source: &Source, cells: &Cells, codes: &[u32]) -> Result<Vec<Range<u32>>> {
        self.repos.clear();
        cells.read(source.table.key_column(0), &mut self.repos)?;
        let place = |code: u32| {
            let place = self.repos.partition_point(|repo| *repo < code);
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let ranges = codes
            .iter()
            .map(|code| place(*code)..place(code.saturating_add(1)));
        Ok(ranges.filter(|range| !range.is_empty()).collect())
    }
}

//! The columns of a segment to what contradicts itself, the dictionaries or the manifest.

use std::collections::HashSet;

use super::Codes;
use super::row_sum::{RowSums, row_sums};
use crate::catalog::SegmentEntry;
use crate::catalog::view::default_window_ms;
use crate::error::{Error, Result};
use crate::segment::{Attribute, RunSlice, Segment, VisitSlice};
use crate::units::{Day, TimestampMs};

/// Most faults of one kind that are told of a segment.
const FAULTS_MAX: usize = 5;

/// What was found in a segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    day: Day,
    row_count: u64,
    visit_count: u64,
    ts_min: u32,
    ts_max: u32,
    pub(super) rows: RowSums,
}

/// The rows of a segment, decoded.
pub(super) struct Decoded<'a> {
    pub(super) segment: &'a Segment,
    pub(super) slice: VisitSlice,
    pub(super) ts: Vec<u32>,
    pub(super) verb: Vec<u32>,
}

/// Checks what a segment says by itself and with the dictionaries; what is wrong goes to `wrong`.
///
/// # Errors
///
/// `Corrupt` when its rows cannot be read.
pub(super) fn check(segment: &Segment, codes: &Codes, wrong: &mut Vec<Error>) -> Result<Facts> {
    segment.verify()?;
    let slice = segment.visits(&segment.repos()?)?;
    let (mut ts, mut verb) = (Vec::new(), Vec::new());
    segment.row_ts(&slice, &mut ts)?;
    segment.row_verbs(&slice, &mut verb)?;
    let decoded = Decoded {
        segment,
        slice,
        ts,
        verb,
    };
    decoded.check_repos(codes, wrong)?;
    decoded.check_downloaders(codes, wrong)?;
    decoded.check_shapes(codes, wrong)?;
    let internal = decoded.rows_of(Attribute::INTERNAL)?;
    decoded.check_downloads(codes, &internal, wrong);
    for attribute in segment.attributes() {
        decoded.check_attribute(attribute, codes, wrong)?;
    }
    decoded.check_sessions(codes, wrong)?;
    let meta = segment.meta();
    let (ts_min, ts_max) = (decoded.ts.iter().min(), decoded.ts.iter().max());
    if ts_min != Some(&meta.ts_min) || ts_max != Some(&meta.ts_max) {
        wrong.push(Error::corrupt(format!(
            "rows from {ts_min:?} to {ts_max:?} ms of the day, its counts say {} to {}",
            meta.ts_min, meta.ts_max
        )));
    }
    Ok(Facts {
        day: meta.day,
        row_count: u64::from(meta.row_count),
        visit_count: u64::from(meta.visit_count),
        ts_min: meta.ts_min,
        ts_max: meta.ts_max,
        rows: row_sums(&decoded, codes)?,
    })
}

/// What the manifest says otherwise.
pub(super) fn contradictions(facts: &Facts, day: Day, entry: &SegmentEntry) -> Vec<Error> {
    let at = |ms: u32| TimestampMs(facts.day.start().get() + u64::from(ms));
    let imports = facts.rows.keys().map(|(import, _)| *import);
    let imports = (
        imports.clone().min().unwrap_or_default(),
        imports.max().unwrap_or_default(),
    );
    let said = [
        ("day", facts.day.to_string(), day.to_string()),
        ("rows", facts.row_count.to_string(), entry.rows.to_string()),
        (
            "visits",
            facts.visit_count.to_string(),
            entry.visits.to_string(),
        ),
        (
            "first row",
            at(facts.ts_min).to_string(),
            entry.ts_first.to_string(),
        ),
        (
            "last row",
            at(facts.ts_max).to_string(),
            entry.ts_last.to_string(),
        ),
        (
            "imports",
            format!("{imports:?}"),
            format!("{:?}", entry.imports),
        ),
    ];
    let wrong = said
        .into_iter()
        .filter(|(_, found, expected)| found != expected);
    wrong
        .map(|(what, found, expected)| {
            Error::corrupt(format!(
                "{what}: found {found}, the manifest says {expected}"
            ))
        })
        .collect()
}

impl Decoded<'_> {
    /// Repos are known and have visits, and all visits are of a repo.
    fn check_repos(&self, codes: &Codes, wrong: &mut Vec<Error>) -> Result<()> {
        let mut bad = Vec::new();
        for repo in self.segment.repos()?.iter() {
            if repo.visits.is_empty() {
                bad.push(format!("repo {} has no visit", repo.code));
            }
            let names = codes.names.as_ref();
            if names.is_some_and(|names| repo.code >= names.repos().len()) {
                bad.push(format!("repo {} is not in the dictionary", repo.code));
            }
        }
        if self.slice.row_count() != self.segment.meta().row_count {
            bad.push("the rows of visits do not add up".to_owned());
        }
        tell(bad, wrong);
        Ok(())
    }

    /// Downloaders are known, and each has a visit.
    fn check_downloaders(&self, codes: &Codes, wrong: &mut Vec<Error>) -> Result<()> {
        let downloaders = self.segment.downloaders()?;
        let next_id = codes
            .identities
            .as_ref()
            .map_or(u32::MAX, |keys| keys.next_id());
        let mut bad = Vec::new();
        if let Some(id) = downloaders.last().filter(|id| **id >= next_id) {
            bad.push(format!("no identity has id {id}"));
        }
        let mut is_used = vec![false; downloaders.len()];
        for rank in &self.slice.rank {
            if let Some(is_used) = is_used.get_mut(*rank as usize) {
                *is_used = true;
            }
        }
        if let Some(rank) = is_used.iter().position(|is_used| !is_used) {
            bad.push(format!("downloader of rank {rank} has no visit"));
        }
        tell(bad, wrong);
        Ok(())
    }

    /// Shapes are distinct ascending lists of known verbs, and each visit has all verbs of its shape.
    fn check_shapes(&self, codes: &Codes, wrong: &mut Vec<Error>) -> Result<()> {
        let shapes = self.segment.shapes()?;
        let (mut bad, mut seen) = (Vec::new(), HashSet::new());
        let verbs = codes
            .names
            .as_ref()
            .map_or(u32::MAX, |names| names.verbs().len());
        for (number, shape) in shapes.iter().enumerate() {
            let shape = shape.verbs;
            let is_known = shape.last().is_some_and(|verb| *verb < verbs);
            if !is_known || !shape.is_sorted_by(|a, b| a < b) || !seen.insert(shape) {
                bad.push(format!(
                    "shape {number} is not a new list of known verbs: {shape:?}"
                ));
            }
        }
        let mut rest = self.verb.as_slice();
        for (visit, (&rows, &shape)) in self.slice.rows.iter().zip(&self.slice.shape).enumerate() {
            let (own, after) = rest.split_at_checked(rows as usize).unwrap_or((&[], &[]));
            rest = after;
            let shape = shapes.get(shape as usize).map(|shape| shape.verbs);
            let shape = shape.unwrap_or_default();
            if shape.len() > 1 && !shape.iter().all(|verb| own.contains(verb)) {
                bad.push(format!("visit {visit} lacks a verb of its shape"));
            }
        }
        tell(bad, wrong);
        Ok(())
    }

    /// Each visit spans the windows, and has the downloads, that the default rule finds in its rows.
    fn check_downloads(&self, codes: &Codes, internal: &[u32], wrong: &mut Vec<Error>) {
        let Some(meanings) = &codes.meanings else {
            return;
        };
        let nobody = self.segment.meta().downloader_count;
        let window_ms = default_window_ms();
        let (mut bad, mut row) = (Vec::new(), 0_usize);
        let visits = self
            .slice
            .rank
            .iter()
            .zip(&self.slice.rows)
            .zip(self.slice.downloads.iter().zip(&self.slice.windows));
        for (visit, ((&rank, &rows), (&stored, &windows))) in visits.enumerate() {
            let window_of = |row: usize| self.ts.get(row).map_or(0, |ts| ts / window_ms);
            let last_row = row + rows as usize - 1;
            if window_of(last_row) - window_of(row) != windows {
                bad.push(format!("visit {visit} does not span {windows} windows"));
            }
            let (mut counted, mut last) = (0_u32, None);
            for row in row..row + rows as usize {
                let at = |values: &[u32]| values.get(row).copied().unwrap_or(0);
                let accepts = meanings.accepts.get(at(&self.verb) as usize);
                if at(internal) == 1 || accepts != Some(&true) {
                    continue;
                }
                let window = Some(at(&self.ts) / window_ms);
                counted += u32::from(rank == nobody || window != last);
                last = window;
            }
            row += rows as usize;
            if counted != stored {
                bad.push(format!(
                    "visit {visit} has {stored} downloads, its rows give {counted}"
                ));
            }
        }
        tell(bad, wrong);
    }

    /// Values are known, and each change is one.
    fn check_attribute(
        &self,
        attribute: Attribute,
        codes: &Codes,
        wrong: &mut Vec<Error>,
    ) -> Result<()> {
        let run = self.segment.attribute(attribute, &self.slice)?;
        let stored = self.segment.len(attribute.values());
        let name = Attribute::KNOWN.iter().find(|(id, _)| *id == attribute);
        let name = name.map_or(format!("extra {}", attribute.0), |(_, name)| {
            (*name).to_owned()
        });
        let mut bad = Vec::new();
        if stored as usize != self.slice.rank.len() {
            bad.push(format!(
                "{name}: {stored} values, expected {}",
                self.slice.rank.len()
            ));
        }
        let changes = run.changes.iter().map(|(_, value)| *value);
        let values = run.values.iter().copied().chain(changes);
        if let Some(end) = self.end_of(attribute, codes)
            && let Some(value) = values.clone().find(|value| u64::from(*value) >= end)
        {
            bad.push(format!("{name}: {value} is not among its {end} values"));
        }
        let is_ip = |id: u32| {
            codes
                .ip_bits
                .get(id as usize / 64)
                .is_some_and(|w| w >> (id % 64) & 1 == 1)
        };
        if attribute == Attribute::OTHER_IP && codes.identities.is_some() {
            let account = values.filter(|id| *id != 0).find(|id| !is_ip(*id));
            bad.extend(account.map(|id| format!("{name}: identity {id} is not an address")));
        }
        bad.extend(
            self.bad_change(&run)
                .map(|row| format!("{name}: row {row} is no change")),
        );
        tell(bad, wrong);
        Ok(())
    }

    /// The number above every value that the attribute can have, if it is known.
    fn end_of(&self, attribute: Attribute, codes: &Codes) -> Option<u64> {
        let names = codes.names.as_ref();
        let end = match attribute {
            Attribute::PLACE => names?.places().len(),
            Attribute::AGENT => names?.agents().len(),
            Attribute::SESSION => self.segment.meta().session_count.checked_add(1)?,
            Attribute::INTERNAL => 3,
            Attribute::OTHER_IP => codes.identities.as_ref()?.next_id(),
            _ => {
                let extra = names?.extra(attribute.extra_index()?);
                return Some(extra.map_or(1, |texts| u64::from(texts.len())));
            }
        };
        Some(u64::from(end))
    }

    /// A row that is listed as a change and is none: the first of a visit, or of the value before.
    fn bad_change(&self, run: &RunSlice) -> Option<u32> {
        let mut changes = run.changes.iter().peekable();
        let mut start = 0_u32;
        for (visit, &rows) in self.slice.rows.iter().enumerate() {
            let (mut value, mut last) = (run.value(visit), start);
            start = start.saturating_add(rows);
            while let Some((row, next)) = changes.next_if(|(row, _)| *row < start) {
                if *row <= last || *next == value {
                    return Some(*row);
                }
                (value, last) = (*next, *row);
            }
        }
        changes.next().map(|(row, _)| *row)
    }

    /// A user-agent template has a place for a session id where the row has one.
    fn check_sessions(&self, codes: &Codes, wrong: &mut Vec<Error>) -> Result<()> {
        let Some(names) = &codes.names else {
            return Ok(());
        };
        let agents = self.rows_of(Attribute::AGENT)?;
        let sessions = self.rows_of(Attribute::SESSION)?;
        let has_place: Vec<bool> = names
            .agents()
            .texts()
            .map(|text| text.contains('\0'))
            .collect();
        let has_place = |agent: &u32| has_place.get(*agent as usize).copied().unwrap_or(false);
        let session = |row: usize| sessions.get(row).copied().unwrap_or(0);
        let differs = |(row, agent): &(usize, &u32)| has_place(agent) != (session(*row) != 0);
        let row = agents.iter().enumerate().find(differs).map(|(row, _)| row);
        tell(
            row.map(|row| format!("row {row}: session id and user agent do not fit"))
                .into_iter()
                .collect(),
            wrong,
        );
        Ok(())
    }

    /// The attribute's value of each row; empty when no row has one.
    pub(super) fn rows_of(&self, attribute: Attribute) -> Result<Vec<u32>> {
        let mut values = Vec::new();
        let run = self.segment.attribute(attribute, &self.slice)?;
        if !run.values.is_empty() {
            run.expand(&self.slice.rows, &mut values);
        }
        Ok(values)
    }
}

/// Tells the first few of many faults of one kind.
fn tell(bad: Vec<String>, wrong: &mut Vec<Error>) {
    let more = bad.len().saturating_sub(FAULTS_MAX);
    wrong.extend(bad.into_iter().take(FAULTS_MAX).map(Error::corrupt));
    if more > 0 {
        wrong.push(Error::corrupt(format!(
            "{more} more faults like the last one"
        )));
    }
}

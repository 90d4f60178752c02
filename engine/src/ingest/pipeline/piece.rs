//! Parsed lines of one block, column by column, with codes of the block's own.

use super::hours::{HashedRows, hour_sums};
use super::local::{LocalIdentities, LocalSpare, LocalTexts, TextSpare};
use super::pool::{Room, emptied};
use super::row_hash::Lanes;
use crate::catalog::HourSum;
use crate::dictionary::template;
use crate::error::{Error, Result};
use crate::ingest::reject::RejectReason;
use crate::ingest::row::{RawRow, RowHead, RowSink, verb_word};
use crate::schema::IdentityKind;
use crate::segment::TailedRow;
use crate::units::{DAY_MS, Day, TimestampMs};

/// Most rows that a piece makes room for before it has any.
const LINES_MAX: usize = 1 << 16;
/// Rows of a tail, usually at least.
const TAIL_ROWS: usize = 6;

/// A line that was not taken.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub(super) line: u64,
    pub(super) raw: Vec<u8>,
    pub(super) reason: RejectReason,
}

/// A column that is there only if some tail has a value.
#[derive(Debug, Default)]
pub(super) struct Sparse(Vec<u32>);

impl Sparse {
    fn set(&mut self, tail: usize, value: u32) {
        if value != 0 {
            if self.0.len() < tail {
                self.0.resize(tail, 0);
            }
            self.0.push(value);
        }
    }

    /// Whether no tail has a value.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of tails; those behind the last have none.
    pub(super) fn all(&self) -> &[u32] {
        &self.0
    }
}

/// An extra column of a piece.
#[derive(Debug, Default)]
pub(super) struct ExtraColumn {
    pub(super) name: String,
    print: u64,
    pub(super) texts: LocalTexts,
    /// Code + 1 of each tail; 0 is absent.
    pub(super) values: Sparse,
}

/// Parsed lines of one block.
///
/// Rows that repeat an earlier one but for their time and verb share its *tail*, which is all the rest; what
/// belongs to tails is by number of the tail.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Runs of rows of the same day: day, number of its first row.
    pub(super) days: Vec<(Day, u32)>,
    pub(super) rows: Vec<TailedRow>,
    pub(super) repo: Vec<u32>,
    pub(super) downloader: Vec<u32>,
    /// Code + 1; 0 is absent.
    pub(super) place: Sparse,
    /// Code + 1 of the template; 0 is absent.
    pub(super) agent: Sparse,
    /// Number in `sessions`, from 1.
    pub(super) session: Sparse,
    pub(super) internal: Sparse,
    pub(super) other_ip: Sparse,
    pub(super) extra: Vec<ExtraColumn>,
    pub(super) identities: LocalIdentities,
    pub(super) repos: LocalTexts,
    pub(super) verbs: LocalTexts,
    pub(super) places: LocalTexts,
    pub(super) agents: LocalTexts,
    pub(super) sessions: Vec<[u8; 16]>,
    /// Sums of the rows of each hour, in the order the hours came; one may come again.
    pub(super) hours: Vec<HourSum>,
    pub(super) ts_first: Option<TimestampMs>,
    pub(super) ts_last: Option<TimestampMs>,
    pub(super) rejects: Vec<Rejected>,
    pub(super) blank: u64,
    /// Lines that belong to the row or reject before them, being inside its quotes.
    pub(super) continued: u64,
    /// Rows whose timestamp had digits finer than milliseconds.
    pub(super) cut: u64,
    /// What is needed until the block is parsed.
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    agent: AgentCache,
    verbs: VerbCache,
    /// What each tail adds to the hash of a row.
    lanes: Vec<Lanes>,
    /// When the day of the row before began, in milliseconds.
    day_start: u64,
}

/// What one piece needed while it was parsed, for the next: memory that is touched for the first time is dear.
#[derive(Debug, Default)]
pub(super) struct Spare {
    identities: LocalSpare,
    repos: TextSpare,
    places: TextSpare,
    verbs: TextSpare,
    lanes: Vec<Lanes>,
    /// How many tails there were.
    tails: usize,
}

/// Verbs by method and status, as one word: so many slots that hardly any two of a log's share one.
#[derive(Debug, Default)]
struct VerbCache(Vec<(u64, u32)>);

/// log2 of the slots.
const VERB_SLOT_BITS: u32 = 9;

impl VerbCache {
    fn new() -> Self {
        Self(vec![(0, 0); 1 << VERB_SLOT_BITS])
    }
}

/// The user agent of the row before.
#[derive(Debug, Default)]
struct AgentCache {
    text: Vec<u8>,
    print: u64,
    code: u32,
    session: u32,
}

impl Piece {
    /// No rows yet of a block of `lines` lines.
    pub(super) fn new(lines: u64, spare: Spare, room: Room) -> Self {
        let lines = usize::try_from(lines).unwrap_or_default().min(LINES_MAX);
        let usual = (lines / TAIL_ROWS).max(lines.min(spare.tails));
        let [repo, downloader, place] = room.tails.map(|column| emptied(column, usual));
        let mut lanes = spare.lanes;
        lanes.clear();
        Self {
            rows: emptied(room.rows, lines),
            repo,
            downloader,
            place: Sparse(place),
            // Untouched, and thus free, in logs without accounts.
            other_ip: Sparse(Vec::with_capacity(usual)),
            identities: LocalIdentities::new(spare.identities),
            repos: LocalTexts::new(spare.repos),
            places: LocalTexts::new(spare.places),
            verbs: LocalTexts::new(spare.verbs),
            scratch: Scratch {
                lanes,
                verbs: VerbCache::new(),
                ..Scratch::default()
            },
            ..Self::default()
        }
    }

    /// Sums up; gives back what was needed while the block was parsed.
    pub(super) fn parsed(&mut self) -> Spare {
        self.hours = hour_sums(HashedRows {
            days: &self.days,
            rows: &self.rows,
            verbs: &self.verbs.prints(),
            tails: &self.scratch.lanes,
        });
        self.find_ends();
        let spare = Spare {
            identities: self.identities.close(),
            repos: self.repos.close(),
            places: self.places.close(),
            verbs: self.verbs.close(),
            lanes: std::mem::take(&mut self.scratch.lanes),
            tails: self.repo.len(),
        };
        self.scratch = Scratch::default();
        let columns = self.extra.iter_mut().map(|column| &mut column.texts);
        columns
            .chain([&mut self.agents])
            .for_each(|texts| drop(texts.close()));
        spare
    }

    /// Its memory, once its rows are not needed any more.
    pub(super) fn into_room(self) -> Room {
        Room {
            rows: self.rows,
            tails: [self.repo, self.downloader, self.place.0],
        }
    }

    /// Drops the texts, which are not needed once they have codes of the store.
    pub(super) fn mapped(&mut self) {
        self.identities = LocalIdentities::default();
        for texts in [
            &mut self.repos,
            &mut self.verbs,
            &mut self.places,
            &mut self.agents,
        ] {
            *texts = LocalTexts::default();
        }
        for column in &mut self.extra {
            column.texts = LocalTexts::default();
        }
    }

    /// Number of rows.
    pub(super) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// First and last instant.
    fn find_ends(&mut self) {
        let ends = self.days.iter().skip(1).map(|(_, start)| *start as usize);
        let ends = ends.chain([self.rows.len()]);
        for ((day, start), end) in self.days.iter().zip(ends) {
            let own = &self.rows[*start as usize..end];
            let at = |row: &TailedRow| TimestampMs(day.start().get() + u64::from(row.ts()));
            if let (Some(first), Some(last)) = (own.iter().min().map(at), own.iter().max().map(at))
            {
                self.ts_first = Some(self.ts_first.map_or(first, |known| known.min(first)));
                self.ts_last = Some(self.ts_last.map_or(last, |known| known.max(last)));
            }
        }
    }

    #[inline(always)]
    fn verb_code(&mut self, head: &RowHead<'_>) -> u32 {
        let key = head.verb;
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (hash >> (u64::BITS - VERB_SLOT_BITS)) as usize;
        if let Some((known, code)) = self.scratch.verbs.0.get(slot)
            && *known == key
            && key != 0
        {
            return *code;
        }
        let code = self.new_verb(head.method, head.status);
        if let Some(known) = self.scratch.verbs.0.get_mut(slot) {
            *known = (key, code);
        }
        code
    }

    #[cold]
    fn new_verb(&mut self, method: &[u8], status: u16) -> u32 {
        self.verbs
            .intern_pair(method, status.to_string().as_bytes())
    }

    /// Adds a row with a tail that is in place.
    #[inline(always)]
    fn end_row(&mut self, tail: u32, head: &RowHead<'_>) {
        let verb = self.verb_code(head);
        let mut of_day = head.ts.get().wrapping_sub(self.scratch.day_start);
        if of_day >= DAY_MS || self.days.is_empty() {
            self.days.push((head.ts.day(), self.rows.len() as u32));
            self.scratch.day_start = head.ts.day().start().get();
            of_day = u64::from(head.ts.ms_of_day());
        }
        self.rows.push(TailedRow::new(of_day as u32, verb, tail));
        self.cut += u64::from(head.ts_cut);
    }

    /// Template code + 1, session number and fingerprint of a user agent that is there.
    fn agent_code(&mut self, agent: &[u8]) -> (u32, u32, u64) {
        let cache = &self.scratch.agent;
        if cache.code != 0 && cache.text == agent {
            return (cache.code, cache.session, cache.print);
        }
        let print = twox_hash::XxHash3_128::oneshot(agent) as u64;
        let split = std::str::from_utf8(agent).ok().and_then(template::split);
        let (code, session) = match split {
            Some((before, id, after)) => {
                let code = self.agents.intern_pair(before.as_bytes(), after.as_bytes());
                if self.sessions.last() != Some(&id) {
                    self.sessions.push(id);
                }
                (code + 1, self.sessions.len() as u32)
            }
            None => (self.agents.intern(agent) + 1, 0),
        };
        let cache = &mut self.scratch.agent;
        cache.text.clear();
        cache.text.extend_from_slice(agent);
        (cache.code, cache.session, cache.print) = (code, session, print);
        (code, session, print)
    }

    /// Sets the extra columns of a tail; gives their part of the row's hash.
    fn extra(&mut self, tail: usize, extra: &[(u32, &[u8])]) -> u64 {
        let mut sum = 0_u64;
        for &(index, value) in extra {
            let Some(column) = self.extra.get_mut(index as usize) else {
                continue;
            };
            let code = column.texts.intern(value);
            column.values.set(tail, code + 1);
            let print = column.texts.print(code);
            sum = sum.wrapping_add((column.print | 1).wrapping_mul(print));
        }
        sum
    }
}

impl RowSink for Piece {
    fn extra_column(&mut self, _index: u32, name: &str) -> Result<()> {
        self.extra.push(ExtraColumn {
            name: name.to_owned(),
            print: twox_hash::XxHash3_128::oneshot(name.as_bytes()) as u64,
            ..ExtraColumn::default()
        });
        Ok(())
    }

    fn row(&mut self, _line: u64, row: &RawRow<'_>) -> Result<()> {
        let tail = self.repo.len();
        if tail >= TailedRow::NUMBERS as usize {
            // A block has a few megabytes, and a row some dozen bytes.
            return Err(Error::limit("too many rows in a block of lines"));
        }
        let repo = self.repos.intern_pair(row.repo_type, row.repo);
        let user = self.identities.intern(IdentityKind::User, row.user);
        let ip = self.identities.intern(IdentityKind::Ip, row.ip);
        let mut prints = [
            0,
            0,
            self.repos.print(repo),
            self.identities.print(user),
            self.identities.print(ip),
            0,
            0,
            u64::from(row.internal),
        ];
        if !row.country.is_empty() || !row.region.is_empty() {
            let place = self.places.intern_pair(row.country, row.region);
            prints[5] = self.places.print(place);
            self.place.set(tail, place + 1);
        }
        if !row.agent.is_empty() {
            let (agent, session, print) = self.agent_code(row.agent);
            prints[6] = print;
            self.agent.set(tail, agent);
            self.session.set(tail, session);
        }
        self.internal.set(tail, u32::from(row.internal));
        if user != 0 {
            self.other_ip.set(tail, ip);
        }
        let extra = if row.extra.is_empty() {
            0
        } else {
            self.extra(tail, row.extra)
        };
        self.repo.push(repo);
        self.downloader.push(if user != 0 { user } else { ip });
        self.scratch.lanes.push(Lanes::of_tail(prints, extra));
        let head = RowHead {
            ts: row.ts,
            ts_cut: row.ts_cut,
            status: row.status,
            method: row.method,
            verb: verb_word(row.method, row.status),
        };
        self.end_row(tail as u32, &head);
        Ok(())
    }

    #[inline(always)]
    fn row_again(&mut self, _line: u64, back: u32, head: &RowHead<'_>) -> Result<()> {
        let tail = self.rows[self.rows.len() - back as usize].tail();
        self.end_row(tail, head);
        Ok(())
    }

    fn reject(&mut self, line: u64, raw: &[u8], reason: RejectReason) -> Result<()> {
        self.rejects.push(Rejected {
            line,
            raw: raw.to_vec(),
            reason,
        });
        Ok(())
    }

    fn blank(&mut self, _line: u64) {
        self.blank += 1;
    }

    fn continued(&mut self, lines: u64) {
        self.continued += lines;
    }
}

//! Files in order to commits: maps pieces, decides on each file, commits group by group.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Scope;

use super::commit::{Committing, Prepared, Stored};
use super::current_file::CurrentFile;
use super::dictionaries::Dictionaries;
use super::discover::{Source, discover};
use super::group::{Group, KeptDays, spill};
use super::months;
use super::options::{Options, Progress};
use super::piece::{Piece, Rejected};
use super::receipt::{FileReceipt, Outcome, Receipt, Taken};
use super::rejects;
use super::stage::Stage;
use super::work::{Event, LogEnd, Work};
use crate::catalog::view::Meanings;
use crate::catalog::{Catalog, ContentHash, Ledger, LedgerEntry, LedgerRecord, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::hub::{HubImport, HubParse};
use crate::ingest::header::ReadOptions;
use crate::ingest::input::Content;
use crate::ingest::timestamp::Plausible;
use crate::layout::FileKind;
use crate::units::{Day, ImportNumber, TimestampMs};

/// Bad lines named in the receipt.
const SAMPLES: usize = 5;
/// A file with at most this many bad lines is not refused for their share.
const REJECTS_FREE: u64 = 20;

/// Takes files into a store.
///
/// # Errors
///
/// `NotFound` for a path that does not exist; `Conflict` while another writer holds the store; `Io`
/// and `Corrupt` of the store itself. A bad input file is no error: the receipt names it.
pub fn ingest(
    catalog: &Catalog,
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Receipt> {
    let found = discover(paths, options.clock.now())?;
    take(catalog, found, options, progress)
}

/// Takes files in that were found, and names those that are left.
pub(super) fn take(
    catalog: &Catalog,
    (sources, left): (Vec<Source>, Vec<FileReceipt>),
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Receipt> {
    let started = options.clock.now();
    let plausible = if options.any_date {
        Plausible::any()
    } else {
        Plausible::until(started)
    };
    let read_options = ReadOptions {
        map: options.map.clone(),
        plausible,
        line_bytes_max: options.line_bytes_max,
    };
    let work = Work::new(sources, options, read_options);
    let mut receipt = std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| work.worker());
        }
        let stop = StopOnDrop(&work);
        let result =
            Coordinator::new(scope, (catalog, &work, options), progress).and_then(Coordinator::run);
        drop(stop);
        result
    })?;
    receipt.stages = work.stages().all();
    receipt.files.extend(left);
    let took = options.clock.now().get().saturating_sub(started.get());
    receipt.seconds = took as f64 / 1000.0;
    Ok(receipt)
}

/// Lets the workers end, also when the coordinator fails or panics.
struct StopOnDrop<'a>(&'a Work);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

struct Coordinator<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    catalog: &'env Catalog,
    work: &'env Work,
    options: &'env Options,
    tell: &'env mut dyn FnMut(Progress),
    progress: Progress,
    ledger: Ledger,
    /// Contents taken in this call: import and path.
    taken: HashMap<[u8; 32], (ImportNumber, String)>,
    dictionaries: Dictionaries,
    /// The commit of the group before, and then the transaction of this one.
    committing: Option<Committing<'scope>>,
    transaction: Option<Transaction>,
    /// An import number that was reserved and not used.
    spare: Option<ImportNumber>,
    group: Group,
    kept: KeptDays,
    receipt: Receipt,
    days: std::collections::BTreeSet<Day>,
    days_rewritten: std::collections::BTreeSet<Day>,
}

impl<'scope, 'env> Coordinator<'scope, 'env> {
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        (catalog, work, options): (&'env Catalog, &'env Work, &'env Options),
        tell: &'env mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let transaction = catalog.begin()?;
        let snapshot = Arc::clone(transaction.base());
        let progress = Progress {
            files: work.sources().len() as u64,
            bytes: work.sources().iter().map(|source| source.len).sum(),
            ..Progress::default()
        };
        Ok(Self {
            scope,
            catalog,
            work,
            options,
            tell,
            progress,
            ledger: Ledger::load(&snapshot)?,
            taken: HashMap::new(),
            dictionaries: Dictionaries::load(&snapshot)?,
            committing: None,
            transaction: Some(transaction),
            spare: None,
            group: Group::default(),
            kept: KeptDays {
                bytes_max: options.kept_days_bytes(),
                ..KeptDays::default()
            },
            receipt: Receipt::default(),
            days: std::collections::BTreeSet::new(),
            days_rewritten: std::collections::BTreeSet::new(),
        })
    }

    fn run(mut self) -> Result<Receipt> {
        let unchanged = self.unchanged();
        let skip: Vec<usize> = unchanged.iter().map(|(index, _)| *index).collect();
        self.work.skip(&skip);
        let unchanged: HashMap<usize, u32> = unchanged.into_iter().collect();
        let last = self.work.sources().len().saturating_sub(1);
        for index in 0..self.work.sources().len() {
            let outcome = match unchanged.get(&index) {
                Some(import) => Outcome::Unchanged { import: *import },
                None => self.file(index)?,
            };
            let source = self.source(index);
            let path = source.path.display().to_string();
            self.progress.bytes_done += source.len;
            self.receipt.bytes += source.len;
            self.receipt.files.push(FileReceipt { path, outcome });
            self.progress.files_done += 1;
            (self.tell)(self.progress);
            if !self.options.atomic && self.is_full() && index < last {
                let prepared = self.prepare(false)?;
                self.committing = Some(Committing::begin(self.scope, self.work, prepared));
            }
        }
        self.close()
    }

    /// Whether another file like those that wait would not fit into memory: days are then built while dictionaries
    /// are written, and none of them is cut.
    fn is_full(&self) -> bool {
        let (rows, files) = (self.group.rows, self.group.ledger.len() as u64);
        let next = rows.checked_div(files).unwrap_or_default();
        let keys = self.dictionaries.new_keys_bytes() / Options::ROW_BYTES;
        rows + next + keys >= self.options.group_rows()
    }

    /// Commits what is left, with what is derived from whole months.
    fn close(mut self) -> Result<Receipt> {
        let last = match self.group.is_empty() {
            true => None,
            false => {
                let stored = self.prepare(true)?.store(self.work)?;
                Some(self.stored(stored))
            }
        };
        self.end_commit()?;
        self.receipt.days = self.days.len() as u64;
        self.receipt.days_rewritten = self.days_rewritten.len() as u64;
        let fresh = std::mem::take(&mut self.kept.days);
        let threads = self.options.threads;
        if let Some(mut transaction) = last {
            // Nothing is looked up any more, and months want the room.
            drop(self.dictionaries);
            self.work.pool().clear();
            let files = Arc::clone(transaction.files());
            let syncing = self.scope.spawn(move || files.sync_written());
            self.receipt.upkeep = months::with_commit(&mut transaction, &fresh, threads);
            let died = |_| Error::new(ErrorKind::Io, "a thread that fsyncs ended early");
            syncing.join().map_err(died)??;
            let stages = self.work.stages();
            stages.time(Stage::Store, || transaction.commit())?;
            self.receipt.commits += 1;
        } else {
            // The one that may have been begun is the writer's lock.
            self.transaction = None;
            self.receipt.upkeep = months::alone(self.catalog, &fresh, threads);
        }
        Ok(self.receipt)
    }

    fn source(&self, index: usize) -> Source {
        let none = Source {
            path: PathBuf::new(),
            len: 0,
            mtime_ms: None,
            spool: None,
        };
        self.work.sources().get(index).cloned().unwrap_or(none)
    }

    /// Files that the ledger says were read as they are now.
    fn unchanged(&self) -> Vec<(usize, u32)> {
        if self.options.reread {
            return Vec::new();
        }
        let sources = self.work.sources().iter().enumerate();
        sources
            .filter_map(|(index, source)| {
                let path = source.path.display().to_string();
                let record = self.ledger.find_path(&path, source.len, source.mtime_ms?)?;
                Some((index, record.import.get()))
            })
            .collect()
    }

    fn transaction(&mut self) -> Result<&mut Transaction> {
        self.end_commit()?;
        self.transaction
            .as_mut()
            .ok_or_else(|| Error::corrupt("no transaction"))
    }

    /// Waits for the commit of the group before, if it is being made.
    fn end_commit(&mut self) -> Result<()> {
        if let Some(committing) = self.committing.take() {
            let stored = committing.end()?;
            self.receipt.commits += 1;
            self.transaction = Some(self.stored(stored));
        }
        Ok(())
    }

    /// Notes what a group has left behind; gives the transaction.
    fn stored(&mut self, stored: Stored) -> Transaction {
        let Stored {
            transaction,
            touched,
            kept,
        } = stored;
        self.kept = kept;
        self.days.extend(touched.days);
        self.days_rewritten.extend(touched.rewritten);
        self.receipt.days_rewritten_seconds += touched.rewritten_seconds;
        transaction
    }

    fn reserve_import(&mut self) -> Result<ImportNumber> {
        if let Some(import) = self.spare.take() {
            return Ok(import);
        }
        match &mut self.committing {
            Some(committing) if !committing.is_done() => committing.reserve_import(),
            _ => self.transaction()?.reserve_import(),
        }
    }

    fn file(&mut self, index: usize) -> Result<Outcome> {
        let import = self.reserve_import()?;
        let mut file = CurrentFile::new(index, import, self.dictionaries.mark());
        for number in 0.. {
            let outcome = match self.work.next_event(index, number) {
                Event::Piece(piece) => {
                    self.piece(&mut file, *piece)?;
                    continue;
                }
                Event::LogEnd(end) => self.log_end(file, &end)?,
                Event::Hub(parse, content) => self.hub(&file, *parse, content)?,
                Event::Failed(error) => {
                    self.drop_file(&file);
                    refused(&error, &file.rejects)
                }
            };
            return Ok(outcome);
        }
        Err(Error::limit("too many blocks in a file"))
    }

    fn piece(&mut self, file: &mut CurrentFile, piece: Piece) -> Result<()> {
        let stages = self.work.stages();
        let maps = Arc::new(stages.time(Stage::Code, || self.dictionaries.map(&piece))?);
        self.progress.rows += piece.row_count() as u64;
        (self.tell)(self.progress);
        file.take(piece, &maps);
        let rows_max = self.options.group_rows();
        if self.group.rows_here + file.rows_here <= rows_max {
            return Ok(());
        }
        let meanings = Arc::new(Meanings::of(&self.dictionaries.names));
        self.transaction()?;
        let Some(transaction) = &mut self.transaction else {
            return Ok(());
        };
        // Whole files first: a file that fits into memory is not cut, nor are its days.
        self.group
            .spill(self.work, transaction, Arc::clone(&meanings))?;
        if file.rows_here <= rows_max {
            return Ok(());
        }
        let days = file.take_days();
        file.spilled
            .extend(spill(self.work, transaction, days, meanings)?);
        Ok(())
    }

    /// Forgets all that a file brought.
    fn drop_file(&mut self, file: &CurrentFile) {
        self.work.give_up(file.index);
        self.dictionaries.truncate(&file.mark);
        self.spare = Some(file.import);
    }

    fn known(&self, hash: &[u8; 32]) -> Option<Outcome> {
        if let Some((import, path)) = self.taken.get(hash) {
            return Some(Outcome::Seen {
                import: import.get(),
                as_path: path.clone(),
            });
        }
        let record = self.ledger.find_content(&ContentHash(*hash))?;
        Some(Outcome::Seen {
            import: record.import.get(),
            as_path: record.path.clone(),
        })
    }

    fn log_end(&mut self, mut file: CurrentFile, end: &LogEnd) -> Result<Outcome> {
        if let Some(outcome) = self.known(&end.content.content.hash) {
            self.drop_file(&file);
            return Ok(outcome);
        }
        let blank = file.blank + file.continued + end.content.header_lines;
        let rejected = file.rejects.len() as u64;
        if file.rows + rejected + blank != end.content.lines {
            let (rows, lines) = (file.rows, end.content.lines);
            return Err(Error::corrupt(format!(
                "{lines} lines read, but {rows} rows + {rejected} rejected + {blank} blank"
            )));
        }
        if let Some(error) = self.refusal(&file, rejected) {
            self.drop_file(&file);
            return Ok(refused(&error, &file.rejects));
        }
        let source = self.source(file.index);
        let path = source.path.display().to_string();
        let taken = Taken {
            import: file.import.get(),
            log_format: end.log_format.to_owned(),
            lines: end.content.lines,
            rows: file.rows,
            rejected,
            blank,
            from: file.ts.map(|(first, _)| first.to_string()),
            to: file.ts.map(|(_, last)| last.to_string()),
            timestamps_cut: file.cut,
            new_columns: self.dictionaries.columns_since(&file.mark),
            rejects_path: self.write_rejects(&file, end, &path)?,
            samples: samples(&file.rejects),
            revisions: None,
        };
        let mut record = self.record(&source, &taken, end.content.content, file.ts);
        record.columns = end.header.columns.names();
        let hours = std::mem::take(&mut file.hours).into_values().collect();
        self.group.ledger.push(LedgerEntry { record, hours });
        for (day, part) in std::mem::take(&mut file.parts) {
            self.group.push(day, part);
        }
        self.group.rows += file.rows;
        self.group.spilled.append(&mut file.spilled);
        self.receipt.rows += file.rows;
        self.receipt.rejected += rejected;
        self.taken
            .insert(end.content.content.hash, (file.import, path));
        Ok(Outcome::Taken(taken))
    }

    fn refusal(&self, file: &CurrentFile, rejected: u64) -> Option<Error> {
        let lines = file.rows + rejected;
        if file.rows == 0 {
            let message = if rejected == 0 {
                "no rows: there is nothing behind the header".to_owned()
            } else {
                format!("no good line among {rejected}")
            };
            return Some(
                Error::invalid(message)
                    .with_help("check that it is an access-log export; the reasons are below"),
            );
        }
        let share = rejected as f64 / lines as f64;
        if rejected <= REJECTS_FREE || share <= self.options.rejects_max {
            return None;
        }
        let message = format!(
            "{rejected} of {lines} lines are bad ({:.1} %)",
            share * 100.0
        );
        Some(Error::invalid(message).with_help(
            "mend the file, or take the good lines with --max-rejects and a larger share",
        ))
    }

    fn write_rejects(
        &mut self,
        file: &CurrentFile,
        end: &LogEnd,
        path: &str,
    ) -> Result<Option<String>> {
        if file.rejects.is_empty() {
            return Ok(None);
        }
        let store = self.catalog.dir();
        let origin = (path, end.header_line.as_slice());
        let path = rejects::write(store, file.import.get(), origin, &file.rejects)?;
        Ok(Some(path.display().to_string()))
    }

    fn record(
        &self,
        source: &Source,
        taken: &Taken,
        content: Content,
        ts: Option<(TimestampMs, TimestampMs)>,
    ) -> LedgerRecord {
        LedgerRecord {
            import: ImportNumber(taken.import),
            path: source.path.display().to_string(),
            len: source.len,
            mtime_ms: source.mtime_ms,
            hash: ContentHash(content.hash),
            rows: taken.rows,
            rejected: taken.rejected,
            blank: taken.blank,
            log_format: taken.log_format.clone(),
            columns: Vec::new(),
            ts_first: ts.map(|(first, _)| first),
            ts_last: ts.map(|(_, last)| last),
            ingested_at: self.options.clock.now(),
            counts: BTreeMap::from([("timestamps_cut".to_owned(), taken.timestamps_cut)]),
        }
    }

    fn hub(&mut self, file: &CurrentFile, parse: HubParse, content: Content) -> Result<Outcome> {
        if let Some(outcome) = self.known(&content.hash) {
            self.drop_file(file);
            return Ok(outcome);
        }
        let source = self.source(file.index);
        let path = source.path.display().to_string();
        let taken = Taken {
            import: file.import.get(),
            log_format: "publisher_csv".to_owned(),
            lines: parse.counts.lines,
            rows: parse.table.row_count(),
            blank: parse.counts.lines.saturating_sub(parse.table.row_count()),
            ..Taken::default()
        };
        let import = HubImport {
            number: file.import,
            known_at: self.options.clock.now(),
            partial: self.options.hub_partial,
            table: parse.table,
        };
        let entry = self
            .transaction()?
            .write(FileKind::Hub, &import.to_bytes()?)?;
        self.group.hub.push(entry);
        let record = self.record(&source, &taken, content, None);
        self.group.ledger.push(LedgerEntry {
            record,
            hours: Vec::new(),
        });
        self.receipt.rows += taken.rows;
        self.taken.insert(content.hash, (file.import, path));
        Ok(Outcome::Taken(taken))
    }

    /// Has all that waits built, and puts dictionaries into the transaction.
    fn prepare(&mut self, last: bool) -> Result<Prepared> {
        self.transaction()?;
        let begun = self.transaction.take();
        let mut transaction = begun.ok_or_else(|| Error::corrupt("no transaction"))?;
        let meanings = Arc::new(Meanings::of(&self.dictionaries.names));
        let mut group = std::mem::take(&mut self.group);
        let building = group.build(self.work, &meanings);
        let (stages, dictionaries) = (self.work.stages(), &mut self.dictionaries);
        stages.time(Stage::Store, || dictionaries.store(&mut transaction, last))?;
        Ok(Prepared {
            transaction,
            group,
            building,
            meanings,
            kept: std::mem::take(&mut self.kept),
        })
    }
}

fn refused(error: &Error, rejects: &[Rejected]) -> Outcome {
    Outcome::Refused {
        error: error.to_string(),
        help: error.help().map(str::to_owned),
        samples: samples(rejects),
    }
}

fn samples(rejects: &[Rejected]) -> Vec<(u64, String)> {
    rejects
        .iter()
        .take(SAMPLES)
        .map(|reject| (reject.line, reject.reason.to_string()))
        .collect()
}

//! Worker threads: files to pieces, and jobs to results.
//!
//! All files whose turn is near are open at once. A worker takes the next block of the first such
//! file that no other worker is reading, and parses it: several files are read side by side, and the
//! blocks of a single one are parsed side by side. Jobs go before reading, because they free memory.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::discover::Source;
use super::options::Options;
use super::piece::{Piece, Spare};
use super::pool::Pool;
use super::stage::{Stage, Stages};
use crate::error::{Error, Result};
use crate::hub::{self, HubParse};
use crate::ingest::block::{LogContent, LogReader};
use crate::ingest::header::{Header, ReadOptions};
use crate::ingest::input::{Content, Input};
use crate::ingest::log_format::parse_block;
use crate::ingest::sniff::{Sniffed, sniff};

/// Files that are read beside those that the workers read: so much can be read while the coordinator does something else.
const FILES_AHEAD: usize = 6;

/// What a file yields, in this order: pieces, then one of the others.
#[derive(Debug)]
pub(super) enum Event {
    Piece(Box<Piece>),
    /// The log is read to its end.
    LogEnd(Box<LogEnd>),
    /// It was a publisher CSV.
    Hub(Box<HubParse>, Content),
    Failed(Error),
}

/// What is known at the end of a log.
#[derive(Debug)]
pub(super) struct LogEnd {
    pub(super) content: LogContent,
    pub(super) log_format: &'static str,
    pub(super) header: Arc<Header>,
    pub(super) header_line: Vec<u8>,
}

/// Work other than reading, with what to tell when it is done.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// A file's place among those that are read.
#[derive(Debug, Default)]
struct Slot {
    /// `None` before it is opened and while a worker reads from it.
    reader: Option<LogReader>,
    opened: bool,
    busy: bool,
    ended: bool,
    next_piece: u64,
}

struct State {
    slots: Vec<Slot>,
    /// The file whose events are taken now.
    head: usize,
    jobs: VecDeque<Job>,
    ready: BTreeMap<(usize, u64), Event>,
    /// Pieces that are being parsed.
    parsing: usize,
    /// Buffers of blocks that are parsed.
    spare: Vec<Vec<u8>>,
    /// Workers that wait for work.
    idle: usize,
    /// The event that the coordinator waits for.
    wanted: Option<(usize, u64)>,
    stop: bool,
    /// A worker died of a bug: what it was to deliver will not come.
    broken: bool,
}

/// What workers and the coordinator share.
pub(super) struct Work {
    sources: Vec<Source>,
    read_options: ReadOptions,
    hub_options: hub::ParseOptions,
    pieces_max: usize,
    window: usize,
    state: Mutex<State>,
    /// There may be work for those who wait for some.
    work_came: Condvar,
    /// The event that is waited for is there.
    event_came: Condvar,
    stages: Arc<Stages>,
    pool: Arc<Pool>,
}

/// What a worker does next.
enum Task {
    Job(Job),
    Open(usize),
    Read(usize, Box<LogReader>),
    Stop,
}

impl Work {
    /// Work over `sources`, nothing of it begun.
    pub(super) fn new(sources: Vec<Source>, options: &Options, read_options: ReadOptions) -> Self {
        let slots = sources.iter().map(|_| Slot::default()).collect();
        Self {
            read_options,
            hub_options: hub::ParseOptions {
                duplicates: options.duplicates,
                ..Default::default()
            },
            pieces_max: options.pieces_max(),
            window: options.threads + FILES_AHEAD,
            state: Mutex::new(State {
                slots,
                head: 0,
                jobs: VecDeque::new(),
                ready: BTreeMap::new(),
                parsing: 0,
                spare: Vec::new(),
                idle: 0,
                wanted: None,
                stop: false,
                broken: false,
            }),
            work_came: Condvar::new(),
            event_came: Condvar::new(),
            stages: Arc::default(),
            pool: Arc::default(),
            sources,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until [`Self::stop`].
    pub(super) fn worker(&self) {
        let _told = TellPanic(self);
        let mut spare = Spare::default();
        loop {
            match self.next_task() {
                Task::Job(job) => job(),
                Task::Open(file) => self.open(file),
                Task::Read(file, reader) => self.read(file, *reader, &mut spare),
                Task::Stop => return,
            }
        }
    }

    fn next_task(&self) -> Task {
        let mut state = self.lock();
        loop {
            if state.stop {
                return Task::Stop;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Task::Job(job);
            }
            if let Some(task) = self.reading(&mut state) {
                return task;
            }
            state.idle += 1;
            state = self.stages.time(Stage::Idle, || {
                self.work_came
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner)
            });
            state.idle -= 1;
        }
    }

    /// The first file of the window that can be read now.
    fn reading(&self, state: &mut State) -> Option<Task> {
        let waiting = state.ready.len() + state.parsing;
        let head = state.head;
        let last = (head + self.window).min(state.slots.len());
        for file in head..last {
            // The file whose turn it is may always go on, or nothing would ever become less.
            let may_go_on = waiting < self.pieces_max || (file == head && state.parsing == 0);
            let slot = state.slots.get_mut(file)?;
            if slot.ended || slot.busy || !may_go_on {
                continue;
            }
            slot.busy = true;
            state.parsing += 1;
            return Some(match slot.reader.take() {
                Some(mut reader) => {
                    state
                        .spare
                        .pop()
                        .into_iter()
                        .for_each(|buffer| reader.lend(buffer));
                    Task::Read(file, Box::new(reader))
                }
                None => Task::Open(file),
            });
        }
        None
    }

    fn open(&self, file: usize) {
        let opened = self.sources.get(file).map_or_else(
            || Err(Error::not_found("no such file in this call")),
            |source| open(source, &self.read_options),
        );
        match opened {
            Ok(Sniffed::Log(reader)) => {
                let mut state = self.lock();
                state.parsing -= 1;
                if let Some(slot) = state.slots.get_mut(file) {
                    slot.reader = Some(reader);
                    slot.opened = true;
                    slot.busy = false;
                }
                self.tell_workers(state);
            }
            Ok(Sniffed::PublisherCsv(input)) => {
                self.end(
                    file,
                    match self.publisher_csv(input) {
                        Ok((parse, content)) => Event::Hub(Box::new(parse), content),
                        Err(error) => Event::Failed(error),
                    },
                );
            }
            Err(error) => self.end(file, Event::Failed(error)),
        }
    }

    fn publisher_csv(&self, mut input: Input) -> Result<(HubParse, Content)> {
        let path = input.name().to_owned();
        let parse =
            hub::parse(&mut input, &self.hub_options).map_err(|error| error.at_path(&path))?;
        Ok((parse, input.finish()?))
    }

    /// Reads one block, lets go of the file, parses the block.
    fn read(&self, file: usize, mut reader: LogReader, spare: &mut Spare) {
        let block = match self.stages.time(Stage::Read, || reader.next_block()) {
            Ok(Some(block)) => block,
            Ok(None) => {
                self.lock().spare.push(reader.take_back());
                let (log_format, header) = (reader.format_name(), Arc::clone(reader.header()));
                let header_line = reader.header_text().to_vec();
                self.end(
                    file,
                    match reader.finish() {
                        Ok(content) => Event::LogEnd(Box::new(LogEnd {
                            content,
                            log_format,
                            header,
                            header_line,
                        })),
                        Err(error) => Event::Failed(error),
                    },
                );
                return;
            }
            Err(error) => return self.end(file, Event::Failed(error)),
        };
        let header = Arc::clone(reader.header());
        let number = self.give_back(file, reader);
        let mut piece = Piece::new(block.line_count, std::mem::take(spare), self.pool.take());
        let parsed = self.stages.time(Stage::Parse, || {
            parse_block(&block, &header, &mut piece).map(|()| piece.parsed())
        });
        let event = match parsed {
            Ok(after) => {
                *spare = after;
                Event::Piece(Box::new(piece))
            }
            Err(error) => Event::Failed(error),
        };
        let mut state = self.lock();
        state.parsing -= 1;
        state.spare.push(block.bytes);
        self.tell(state, (file, number), event);
    }

    /// Wakes workers that wait.
    fn tell_workers(&self, state: MutexGuard<'_, State>) {
        let has_idle = state.idle > 0;
        drop(state);
        if has_idle {
            self.work_came.notify_all();
        }
    }

    /// Hands over an event.
    fn tell(&self, mut state: MutexGuard<'_, State>, place: (usize, u64), event: Event) {
        state.ready.insert(place, event);
        let is_wanted = state.wanted == Some(place);
        self.tell_workers(state);
        if is_wanted {
            self.event_came.notify_all();
        }
    }

    fn give_back(&self, file: usize, reader: LogReader) -> u64 {
        let mut state = self.lock();
        let mut number = 0;
        if let Some(slot) = state.slots.get_mut(file) {
            number = slot.next_piece;
            slot.next_piece += 1;
            slot.busy = false;
            slot.reader = Some(reader);
        }
        self.tell_workers(state);
        number
    }

    fn end(&self, file: usize, event: Event) {
        let mut state = self.lock();
        state.parsing -= 1;
        let mut number = 0;
        if let Some(slot) = state.slots.get_mut(file) {
            number = slot.next_piece;
            slot.ended = true;
            slot.busy = false;
        }
        self.tell(state, (file, number), event);
    }

    /// Waits for the next event of a file; events come in block order.
    pub(super) fn next_event(&self, file: usize, number: u64) -> Event {
        let mut state = self.lock();
        if state.head != file {
            state.head = file;
            self.work_came.notify_all();
        }
        loop {
            if let Some(event) = state.ready.remove(&(file, number)) {
                state.wanted = None;
                self.tell_workers(state);
                return event;
            }
            if state.broken {
                return Event::Failed(Error::corrupt("a worker thread ended by a bug"));
            }
            state.wanted = Some((file, number));
            state = self
                .event_came
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the file up: nothing more of it is read.
    pub(super) fn give_up(&self, file: usize) {
        let mut state = self.lock();
        if let Some(slot) = state.slots.get_mut(file) {
            slot.ended = true;
            slot.reader = None;
        }
        state.ready.retain(|(other, _), _| *other != file);
    }

    /// Marks files that are not to be read at all.
    pub(super) fn skip(&self, files: &[usize]) {
        let mut state = self.lock();
        for &file in files {
            if let Some(slot) = state.slots.get_mut(file) {
                slot.ended = true;
            }
        }
    }

    /// Hands a job to the workers.
    pub(super) fn submit(&self, job: Job) {
        let mut state = self.lock();
        // Whoever waits for it must not wait for ever.
        if state.stop || state.broken {
            return;
        }
        state.jobs.push_back(job);
        self.tell_workers(state);
    }

    /// Lets all workers end.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stop = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
        self.work_came.notify_all();
    }

    /// Where the time goes.
    pub(super) fn stages(&self) -> &Arc<Stages> {
        &self.stages
    }

    /// Memory for pieces.
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The files of the call.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// Tells whoever waits for a worker that it panicked; the panic itself is raised again when the
/// threads are joined.
struct TellPanic<'a>(&'a Work);

impl Drop for TellPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.broken = true;
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            drop(jobs);
            self.0.event_came.notify_all();
        }
    }
}

fn open(source: &Source, options: &ReadOptions) -> Result<Sniffed> {
    let input = if let Some(spool) = &source.spool {
        let file = File::open(spool).map_err(|error| Error::io("open", &source.path, error))?;
        Input::from_reader(&source.path, Box::new(file))?
    } else if source.path.as_os_str() == "-" {
        Input::from_reader("-", Box::new(std::io::stdin()))?
    } else {
        Input::open(&source.path)?
    };
    sniff(input, options.clone())
}

//! Requests in their order to replies: who may do what, and what needs no store.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use footfall_engine::ingest::pipeline::{Outcome, Progress, Receipt};
use footfall_protocol::{
    Code, Command, Export, Fault, Fields, Ingest, Limits, Needs, Reply, Syntax, VERBS, VERSION,
};
use tokio::io::AsyncWrite;
use tokio::sync::{mpsc, watch};

use super::PIPELINE_MAX;
use super::batch::{Ask, Batch, Made, Settings, Step, Work};
use super::mark::Mark;
use super::read::{Item, What};
use super::render::push_json;
use super::waiting::Waiting;
use super::write::write_all;
use crate::context::Context;
use crate::counter::one;
use crate::download::{self, Part, Sheet};
use crate::gate::Access;
use crate::pool::NoWork;
use crate::token::Right;
use crate::unread::COUNTED_BYTES_MIN;
use crate::upload::{Piece, Upload, take_in};

/// Most requests that are answered as one batch.
const BATCH_MAX: usize = 128;

/// Who the client is now; `None` before a token that is needed.
type Who = Arc<Mutex<Option<Arc<Access>>>>;

/// Answers a client's requests.
pub(super) struct Answerer {
    context: Arc<Context>,
    inbox: mpsc::Receiver<Box<Item>>,
    waiting: Arc<Waiting>,
    who: Who,
    settings: Settings,
    steps: VecDeque<Step>,
    /// Nothing more is answered.
    is_over: bool,
}

/// Ends a connection when what its client may do ends.
pub(super) struct Cut {
    context: Arc<Context>,
    changes: watch::Receiver<u64>,
    who: Who,
}

impl Cut {
    /// Waits until the client may no longer do what it may do now.
    pub(super) async fn wait(mut self) {
        while self.changes.changed().await.is_ok() {
            let who = lock(&self.who).clone();
            if who.is_some_and(|who| !self.context.gate.still_holds(&who)) {
                return;
            }
        }
    }
}

fn lock(who: &Who) -> std::sync::MutexGuard<'_, Option<Arc<Access>>> {
    who.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answerer {
    pub(super) fn new(
        context: Arc<Context>,
        inbox: mpsc::Receiver<Box<Item>>,
        waiting: Arc<Waiting>,
        is_owner: bool,
    ) -> Self {
        let who = if is_owner {
            Some(Access::Local)
        } else {
            context.gate.without_token()
        };
        let settings = Settings {
            syntax: Syntax::default(),
            rows_max: u64::MAX,
            time: context.limits.query_time,
            memory: context.limits.query_memory,
            progress: false,
        };
        Self {
            context,
            inbox,
            waiting,
            who: Arc::new(Mutex::new(who.map(Arc::new))),
            settings,
            steps: VecDeque::new(),
            is_over: false,
        }
    }

    /// What ends the connection from outside.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            context: Arc::clone(&self.context),
            changes: self.context.gate.changes(),
            who: Arc::clone(&self.who),
        }
    }

    /// Answers until the client ends, goes, or takes nothing of what is written.
    pub(super) async fn run<W: AsyncWrite + Unpin>(mut self, out: &mut W) {
        // A write that fails ends the connection; there is nobody to tell.
        let _ = self.all(out).await;
    }

    async fn all<W: AsyncWrite + Unpin>(&mut self, out: &mut W) -> io::Result<()> {
        let greeting = format!(
            "footfall {} speaks protocol {VERSION}; HELP lists commands",
            env!("CARGO_PKG_VERSION")
        );
        self.write(out, Reply::Remark(greeting).to_string().as_bytes())
            .await?;
        let mut items = Vec::with_capacity(1);
        while !self.is_over {
            tokio::select! {
                biased;
                count = self.inbox.recv_many(&mut items, BATCH_MAX.min(PIPELINE_MAX)) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
                () = self.context.until_ending() => return Ok(()),
            }
            let count = items.len();
            for item in items.drain(..) {
                self.item(item, out).await?;
                if self.is_over {
                    break;
                }
            }
            self.flush(out).await?;
            self.waiting.done(count);
        }
        Ok(())
    }

    async fn write<W: AsyncWrite + Unpin>(&self, out: &mut W, bytes: &[u8]) -> io::Result<()> {
        let usual = self.context.limits.write_time;
        write_all(out, bytes, (usual, &self.context.unread)).await
    }

    /// Makes and writes the replies of all steps.
    async fn flush<W: AsyncWrite + Unpin>(&mut self, out: &mut W) -> io::Result<()> {
        let steps = std::mem::take(&mut self.steps);
        let batch = Batch::new(Arc::clone(&self.context), steps);
        if batch.is_known() {
            let made = batch.advance();
            return self.write(out, &made.out).await;
        }
        let pool = &self.context.pool;
        if pool.is_full() {
            one(&self.context.counters.busy);
            let bytes = batch.refused(Code::Busy, "too many queries wait");
            return self.write(out, &bytes).await;
        }
        let lost = |_: NoWork| io::Error::from(io::ErrorKind::ConnectionAborted);
        let mut made = pool.enter(move || batch.advance()).await.map_err(lost)?;
        loop {
            let Made { out: bytes, rest } = made;
            let is_large = bytes.capacity() >= COUNTED_BYTES_MIN;
            let kept = is_large.then(|| self.context.unread.keep(bytes.capacity() as u64));
            self.write(out, &bytes).await?;
            drop((bytes, kept));
            let Some(rest) = rest else { return Ok(()) };
            made = match rest.is_midway() {
                true => pool.go_on(move || rest.advance()).await,
                false => pool.enter(move || rest.advance()).await,
            }
            .map_err(lost)?;
        }
    }

    async fn item<W: AsyncWrite + Unpin>(
        &mut self,
        item: Box<Item>,
        out: &mut W,
    ) -> io::Result<()> {
        one(&self.context.counters.line_requests);
        let Item { mark, asked, what } = *item;
        match what {
            What::Fault(fault) => self.fail(&mark, fault),
            What::Cancelled(count) => {
                let mut fields = Fields::default();
                fields.push("stopped", count);
                self.ok(&mark, fields);
            }
            What::File(ingest, pieces) => match self.allowed(Right::Ingest) {
                Err(fault) => self.fail(&mark, fault),
                Ok(_) => {
                    self.flush(out).await?;
                    self.ingest((mark, ingest), pieces, out).await?;
                }
            },
            What::Command(Command::Export(export)) => match self.export(&export) {
                Err(fault) => self.fail(&mark, fault),
                Ok(access) => match Sheet::of(export.clone()) {
                    Err(fault) => self.fail(&mark, fault),
                    Ok(None) => self.work((mark, asked), ask_of(&export), access),
                    Ok(Some(sheet)) => {
                        self.flush(out).await?;
                        let terms = self
                            .context
                            .terms(&access, Arc::clone(&asked), Duration::MAX);
                        let store = self.context.store.under(terms);
                        let parts = download::start(&self.context, (sheet, store), None, asked);
                        self.parts(&mark, parts, out).await?;
                    }
                },
            },
            What::Command(command) => self.command((mark, asked), command),
        }
        Ok(())
    }

    fn command(
        &mut self,
        (mark, asked): (Mark, Arc<std::sync::atomic::AtomicBool>),
        command: Command,
    ) {
        let access = match command.verb().needs {
            Needs::Nothing => None,
            Needs::Read | Needs::Ingest => match self.allowed(Right::Read) {
                Ok(access) => Some(access),
                Err(fault) => return self.fail(&mark, fault),
            },
        };
        let ask = match command {
            Command::Query(text) => Ask::Query(text),
            Command::Explain(text) => Ask::Explain(text),
            Command::Status => match access.as_ref().map(|access| access.sees_all()) {
                Some(true) => Ask::Status,
                _ => return self.fail(&mark, whole_store()),
            },
            other => return self.setting(&mark, other),
        };
        match access {
            Some(access) => self.work((mark, asked), ask, access),
            None => self.fail(
                &mark,
                Fault::new(Code::Internal, "a command without a right"),
            ),
        }
    }

    fn work(
        &mut self,
        (mark, asked): (Mark, Arc<std::sync::atomic::AtomicBool>),
        ask: Ask,
        access: Arc<Access>,
    ) {
        self.steps.push_back(Step::Work(Box::new(Work {
            mark,
            asked,
            ask,
            access,
            settings: self.settings,
        })));
    }

    /// Commands that need neither store nor token.
    fn setting(&mut self, mark: &Mark, command: Command) {
        let mut fields = Fields::default();
        match command {
            Command::Hello(version) if version != VERSION => {
                let fault = Fault::new(Code::Syntax, format!("protocol {version} is not spoken"));
                return self.fail(mark, fault.with("version", VERSION));
            }
            Command::Hello(_) => {
                fields.push("version", VERSION);
                fields.push("server", concat!("footfall/", env!("CARGO_PKG_VERSION")));
                fields.push(
                    "access",
                    lock(&self.who).as_ref().map_or("none", |who| who.name()),
                );
            }
            Command::Auth(token) => match self.context.gate.with_token(&token) {
                Some(access) => {
                    fields.push("access", access.name());
                    *lock(&self.who) = Some(Arc::new(access));
                }
                None => {
                    one(&self.context.counters.wrong_tokens);
                    *lock(&self.who) = None;
                    return self.fail(mark, Fault::new(Code::Auth, "no such token"));
                }
            },
            Command::Help => {
                let mut lines = Vec::new();
                for verb in VERBS {
                    lines.push(b'*');
                    let cells = [verb.name, verb.arguments, verb.meaning];
                    footfall_protocol::push_cells(cells.into_iter(), &mut lines);
                    lines.push(b'\n');
                }
                self.steps.push_back(Step::Done(lines));
            }
            Command::Format(syntax) => self.settings.syntax = syntax,
            Command::Limit(limits) => fields = self.limit(limits),
            Command::Progress(is_wanted) => {
                self.settings.progress = is_wanted;
                fields = self.progress();
            }
            Command::Quit => self.is_over = true,
            _ => {}
        }
        self.ok(mark, fields);
    }

    /// How far the ingest that is running is, for who may know.
    fn progress(&self) -> Fields {
        let may = self.allowed(Right::Read);
        let may = may.is_ok_and(|access| access.sees_all());
        let running = self.context.taking.get().filter(|_| may);
        running.map_or_else(Fields::default, |progress| progress_fields(&progress))
    }

    fn limit(&mut self, limits: Limits) -> Fields {
        let longest = self.context.limits.query_time;
        if let Some(rows) = limits.rows {
            self.settings.rows_max = rows;
        }
        if let Some(ms) = limits.ms {
            self.settings.time = Duration::from_millis(ms).min(longest);
        }
        if let Some(mb) = limits.mb {
            let most = self.context.limits.query_memory;
            self.settings.memory = mb.saturating_mul(1 << 20).min(most);
        }
        let mut fields = Fields::default();
        if self.settings.rows_max < u64::MAX {
            fields.push("rows", self.settings.rows_max);
        }
        fields.push("ms", self.settings.time.as_millis());
        fields.push("mb", self.settings.memory >> 20);
        fields
    }

    /// Who may do what a right allows.
    fn allowed(&self, right: Right) -> Result<Arc<Access>, Fault> {
        let Some(access) = lock(&self.who).clone() else {
            return Err(Fault::new(Code::Auth, "send AUTH with a token first"));
        };
        if !self.context.gate.still_holds(&access) {
            return Err(Fault::new(Code::Auth, "the token is no longer valid"));
        }
        if !access.has(right) {
            let text = format!("the token has no right to {}", right.name());
            return Err(Fault::new(Code::Denied, text));
        }
        Ok(access)
    }

    /// Who may write something out: rows as they came only who may do all.
    fn export(&self, export: &Export) -> Result<Arc<Access>, Fault> {
        match export {
            Export::Raw(_) => self.allowed(Right::Admin),
            Export::Hub { .. } => self.allowed(Right::Read),
            Export::Imports | Export::Revisions => {
                let access = self.allowed(Right::Read)?;
                if access.sees_all() {
                    Ok(access)
                } else {
                    Err(whole_store())
                }
            }
        }
    }

    fn ok(&mut self, mark: &Mark, fields: Fields) {
        let mut line = Vec::new();
        mark.ok(fields, &mut line);
        self.steps.push_back(Step::Done(line));
    }

    fn fail(&mut self, mark: &Mark, fault: Fault) {
        self.is_over |= fault.code.is_last();
        let mut line = Vec::new();
        mark.fail(fault, &mut line);
        self.steps.push_back(Step::Done(line));
    }

    async fn parts<W: AsyncWrite + Unpin>(
        &mut self,
        mark: &Mark,
        parts: Result<mpsc::Receiver<Part>, Fault>,
        out: &mut W,
    ) -> io::Result<()> {
        let mut parts = match parts {
            Ok(parts) => parts,
            Err(fault) => {
                self.fail(mark, fault);
                return Ok(());
            }
        };
        loop {
            match parts.recv().await {
                Some(Part::Bytes(bytes)) => {
                    self.write(out, format!("$ {}\n", bytes.len()).as_bytes())
                        .await?;
                    self.write(out, &bytes).await?;
                }
                Some(Part::End(rows)) => {
                    let mut fields = Fields::default();
                    fields.push("rows", rows);
                    self.ok(mark, fields);
                    return Ok(());
                }
                Some(Part::Failed(fault)) => {
                    self.fail(mark, fault);
                    return Ok(());
                }
                None => {
                    self.fail(mark, Fault::new(Code::Internal, "the export ended early"));
                    return Ok(());
                }
            }
        }
    }

    async fn ingest<W: AsyncWrite + Unpin>(
        &mut self,
        (mark, ingest): (Mark, Ingest),
        pieces: mpsc::Receiver<Piece>,
        out: &mut W,
    ) -> io::Result<()> {
        let upload = Upload {
            name: ingest.name,
            partial: ingest.partial,
        };
        let context = Arc::clone(&self.context);
        let (tell, mut told) = mpsc::channel(1);
        let tell = self.settings.progress.then_some(tell);
        let mut taking = std::pin::pin!(take_in(&context, upload, pieces, tell));
        let receipt = loop {
            tokio::select! {
                receipt = &mut taking => break receipt,
                Some(progress) = told.recv() => {
                    self.write(out, progress_line(&progress).as_bytes()).await?;
                }
            }
        };
        match receipt {
            Ok(receipt) => self.receipt(&mark, &receipt),
            Err(fault) => self.fail_softly(&mark, fault),
        }
        Ok(())
    }

    /// A body that was cut is the end of what the reader reads, not of what is answered.
    fn fail_softly(&mut self, mark: &Mark, fault: Fault) {
        let mut line = Vec::new();
        mark.fail(fault, &mut line);
        self.steps.push_back(Step::Done(line));
    }

    fn receipt(&mut self, mark: &Mark, receipt: &Receipt) {
        let mut row = vec![b'*'];
        push_json(receipt, &mut row);
        row.push(b'\n');
        self.steps.push_back(Step::Done(row));
        let mut fields = Fields::default();
        match receipt.files.first().map(|file| &file.outcome) {
            Some(Outcome::Refused { error, help, .. }) => {
                let mut fault = Fault::new(Code::Syntax, error).with("outcome", "refused");
                if let Some(help) = help {
                    fault = fault.with("help", help);
                }
                return self.fail(mark, fault);
            }
            Some(Outcome::Taken(_)) => fields.push("outcome", "taken"),
            _ => fields.push("outcome", "seen"),
        }
        fields.push("rows", receipt.rows);
        fields.push("rejected", receipt.rejected);
        self.ok(mark, fields);
    }
}

fn ask_of(export: &Export) -> Ask {
    match export {
        Export::Revisions => Ask::Revisions,
        _ => Ask::Imports,
    }
}

fn whole_store() -> Fault {
    Fault::new(
        Code::Denied,
        "the token is for some repos, this shows the store as a whole",
    )
}

fn progress_line(progress: &Progress) -> String {
    Reply::Remark(format!("progress{}", progress_fields(progress))).to_string()
}

fn progress_fields(progress: &Progress) -> Fields {
    let mut fields = Fields::default();
    fields.push("rows", progress.rows);
    fields.push("bytes", progress.bytes_done);
    fields.push("of", progress.bytes);
    fields
}

//! A server's answers, asked for over the line protocol.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use footfall_engine::query::{Answer, Column, Meta, Query, Range, Value, text};
use footfall_engine::{Error, ErrorKind};
use footfall_protocol::{
    Code, Command, Export, Fault, Frame, Frames, Reply, Request, Status, Syntax,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exit::{Failure, Outcome};

/// The variable that a token is in: words of a command line are seen by every user of the machine.
pub(crate) const TOKEN_VARIABLE: &str = "FOOTFALL_TOKEN";
const READ_BYTES: usize = 64 << 10;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A connection to a server.
pub(crate) struct Client(RefCell<Connection>);

struct Connection {
    address: String,
    stream: Box<dyn Stream>,
    frames: Frames,
}

/// What a reply was but for its last line.
#[derive(Default)]
struct Lines {
    header: Option<String>,
    rows: Vec<String>,
    remarks: Vec<String>,
}

/// The header of an answer.
#[derive(Deserialize)]
struct Head {
    columns: Vec<Column>,
    meta: Meta,
}

impl Client {
    /// Connects to `HOST:PORT`, or to a socket file if there is a slash in it.
    pub(crate) fn connect(address: &str) -> Outcome<Self> {
        let fail = |error| {
            let error = Error::io("connect to", address, error);
            Failure::from(error.with_help("is it running? footfall serve starts a server"))
        };
        let stream: Box<dyn Stream> = if address.contains('/') {
            Box::new(UnixStream::connect(address).map_err(fail)?)
        } else {
            let stream = TcpStream::connect(address).map_err(fail)?;
            // Requests are whole when they are written.
            let _ = stream.set_nodelay(true);
            Box::new(stream)
        };
        let client = Self(RefCell::new(Connection {
            address: address.to_owned(),
            stream,
            frames: Frames::default(),
        }));
        if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
            client.ask(Command::Auth(token))?;
        }
        client.ask(Command::Format(Syntax::Json))?;
        Ok(client)
    }

    fn ask(&self, command: Command) -> Outcome<Lines> {
        self.ask_into(command, &mut io::sink())
            .map(|(lines, _)| lines)
    }

    /// Sends a request; bytes of its reply go to `out`. Gives its lines and the number of rows.
    fn ask_into(&self, command: Command, out: &mut dyn Write) -> Outcome<(Lines, u64)> {
        let mut connection = self.0.borrow_mut();
        let request = Request { tag: None, command };
        let sent = connection.stream.write_all(request.to_line().as_bytes());
        sent.map_err(|error| connection.failed("write to", error))?;
        let mut lines = Lines::default();
        loop {
            let line = match connection.frame()? {
                Frame::Chunk(bytes) => {
                    out.write_all(&bytes)
                        .map_err(|error| Failure::write(None, error))?;
                    continue;
                }
                Frame::Line(line) => line,
            };
            match Reply::parse(&line).map_err(|fault| failure(&fault))? {
                Reply::Header(text) => lines.header = Some(text),
                Reply::Row(text) => lines.rows.push(text),
                Reply::Remark(text) => lines.remarks.push(text),
                Reply::Last(Status { outcome, .. }) => {
                    let fields = outcome.map_err(|fault| failure(&fault))?;
                    let rows = fields.get("rows").and_then(|rows| rows.parse().ok());
                    return Ok((lines, rows.unwrap_or(0)));
                }
            }
        }
    }

    /// The answer of a question in its text form.
    pub(crate) fn query(&self, text: &str) -> Outcome<Answer> {
        answer(&self.ask(Command::Query(text.to_owned()))?)
    }

    /// How a query would be answered, as JSON or for people.
    pub(crate) fn explain(&self, query: &str, is_json: bool) -> Outcome<String> {
        let syntax = if is_json { Syntax::Json } else { Syntax::Tsv };
        self.ask(Command::Format(syntax))?;
        let lines = self.ask(Command::Explain(query.to_owned()))?;
        let rows = lines.rows.iter().map(|row| match syntax {
            Syntax::Json => row.clone(),
            Syntax::Tsv => Reply::cells(row).join("\t"),
        });
        self.ask(Command::Format(Syntax::Json))?;
        Ok(rows.map(|row| row + "\n").collect())
    }

    /// What is in the store.
    pub(crate) fn status<T: DeserializeOwned>(&self) -> Outcome<T> {
        let mut all = values(&self.ask(Command::Status)?)?;
        all.pop().ok_or_else(|| strange("no status"))
    }

    /// Every import.
    pub(crate) fn imports<T: DeserializeOwned>(&self) -> Outcome<Vec<T>> {
        values(&self.ask(Command::Export(Export::Imports))?)
    }

    /// What the Hub said differently later.
    pub(crate) fn revisions(&self) -> Outcome<Answer> {
        answer(&self.ask(Command::Export(Export::Revisions))?)
    }

    /// Writes an export; gives the number of rows.
    pub(crate) fn export(&self, export: Export, out: &mut dyn Write) -> Outcome<u64> {
        self.ask_into(Command::Export(export), out)
            .map(|(_, rows)| rows)
    }
}

/// A range as a query's text has it.
pub(crate) fn range_text(range: Range) -> String {
    let query = Query {
        metrics: vec![footfall_engine::metrics::Metric::Requests],
        range,
        ..Query::default()
    };
    let text = text::render(&query);
    text.strip_prefix("requests")
        .unwrap_or(&text)
        .trim()
        .to_owned()
}

impl Connection {
    fn frame(&mut self) -> Outcome<Frame> {
        loop {
            if let Some(frame) = self.frames.next_frame().map_err(|fault| failure(&fault))? {
                return Ok(frame);
            }
            let mut bytes = vec![0; READ_BYTES];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(self.failed("read from", io::ErrorKind::UnexpectedEof.into())),
                Ok(len) => self.frames.push(bytes.get(..len).unwrap_or_default()),
                Err(error) => return Err(self.failed("read from", error)),
            }
        }
    }

    fn failed(&self, action: &str, error: io::Error) -> Failure {
        // A server that goes is an error, unlike a reader of ours.
        let error = match error.kind() {
            io::ErrorKind::BrokenPipe => io::ErrorKind::ConnectionReset.into(),
            _ => error,
        };
        Error::io(action, &self.address, error).into()
    }
}

fn answer(lines: &Lines) -> Outcome<Answer> {
    let head = lines
        .header
        .as_deref()
        .ok_or_else(|| strange("no header"))?;
    let Head { columns, meta } = from_json(head)?;
    let rows: Vec<Vec<Value>> = values(lines)?;
    Ok(Answer {
        columns,
        rows,
        meta,
    })
}

fn values<T: DeserializeOwned>(lines: &Lines) -> Outcome<Vec<T>> {
    lines.rows.iter().map(|row| from_json(row)).collect()
}

fn from_json<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|error| strange(&error.to_string()))
}

fn strange(what: &str) -> Failure {
    let message = format!("the server's answer is not understood: {what}");
    Failure::from(Error::unsupported(message).with_help("use the same version on both sides"))
}

/// A server's refusal as the same error would be here.
fn failure(fault: &Fault) -> Failure {
    let kind = match fault.code {
        Code::Syntax => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::Unknown => ErrorKind::Unsupported,
        Code::Limit | Code::TooLong => ErrorKind::Limit,
        Code::Timeout | Code::Cancelled => ErrorKind::Stopped,
        Code::Busy => ErrorKind::Conflict,
        Code::Auth | Code::Denied => {
            let error = Error::invalid(fault.text.clone());
            let help = format!("set {TOKEN_VARIABLE} to a token that allows it");
            return Failure::not_allowed(error.with_help(help));
        }
        Code::Proto | Code::Io | Code::Internal => ErrorKind::Io,
    };
    let mut error = Error::new(kind, fault.text.clone());
    if let Some(column) = fault.fields.get("column") {
        error = error.at_column(column);
    }
    if let Some(help) = fault.fields.get("help") {
        error = error.with_help(help);
    }
    if kind == ErrorKind::Invalid {
        return Failure::usage(error);
    }
    error.into()
}

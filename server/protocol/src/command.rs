//! A line to a request, and back.

use std::fmt;

use crate::TAG_BYTES_MAX;
use crate::fault::{Code, Fault};
use crate::field::Fields;

/// What a client wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Agree on a version.
    Hello(u32),
    /// Show a token.
    Auth(String),
    /// Nothing.
    Ping,
    /// End the connection once all before is answered.
    Quit,
    /// List commands.
    Help,
    /// Answer a query.
    Query(String),
    /// Say how a query would be answered.
    Explain(String),
    /// Say what is in the store.
    Status,
    /// Write out what is in the store.
    Export(Export),
    /// Take in the file that follows.
    Ingest(Ingest),
    /// Choose how rows are written.
    Format(Syntax),
    /// Choose limits of queries.
    Limit(Limits),
    /// Ask for progress lines, or for none.
    Progress(bool),
    /// Stop the request of a tag, or all that wait.
    Cancel(Option<Tag>),
}

/// What to write out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Export {
    /// Rows of the logs as they came; the range of days as the query text has it, all if empty.
    Raw(String),
    /// A publisher CSV: of an org, from the logs under a rule.
    Hub {
        /// Of this org alone.
        org: Option<String>,
        /// Counts from the logs, also where there are numbers of the Hub.
        from_logs: bool,
        /// Counting rule of counts from the logs.
        rule: Option<String>,
        /// What was known at the end of that day.
        as_of: Option<String>,
    },
    /// The list of imports, as JSON.
    Imports,
    /// What the Hub said differently later, as JSON.
    Revisions,
}

/// What to do with the file that follows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ingest {
    /// The name it is known by.
    pub name: String,
    /// A publisher CSV adds to what is there and replaces nothing else.
    pub partial: bool,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Syntax {
    /// Values between tabs.
    #[default]
    Tsv,
    /// A JSON array a row, and what the numbers mean.
    Json,
}

/// Limits of the queries that follow; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// Most rows of an answer that are sent.
    pub rows: Option<u64>,
    /// Most milliseconds of a query.
    pub ms: Option<u64>,
    /// Most memory of a query's groups, in MiB.
    pub mb: Option<u64>,
}

/// What a client calls a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Tag(String);

impl Tag {
    /// A tag of 1 to [`TAG_BYTES_MAX`] letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=TAG_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_tag);
        fits.then(|| Self(text.to_owned()))
    }

    /// Without the `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// What a command asks of the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The right to read; of `EXPORT raw` the right to all.
    Read,
    /// The right to take files in.
    Ingest,
}

/// A row of [`VERBS`].
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// Its word.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// What it does.
    pub meaning: &'static str,
    parse: fn(&str) -> Option<Command>,
}

const fn verb(
    (name, arguments): (&'static str, &'static str),
    needs: Needs,
    meaning: &'static str,
    parse: fn(&str) -> Option<Command>,
) -> Verb {
    Verb {
        name,
        arguments,
        needs,
        meaning,
        parse,
    }
}

/// Every command.
pub const VERBS: &[Verb] = &[
    verb(
        ("HELLO", "[VERSION]"),
        Needs::Nothing,
        "agree on a version; says who the server is",
        hello,
    ),
    verb(("AUTH", "TOKEN"), Needs::Nothing, "show a token", auth),
    verb(("PING", ""), Needs::Nothing, "do nothing", |text| {
        none(text, Command::Ping)
    }),
    verb(
        ("QUIT", ""),
        Needs::Nothing,
        "end once all before is answered",
        |text| none(text, Command::Quit),
    ),
    verb(("HELP", ""), Needs::Nothing, "list commands", |text| {
        none(text, Command::Help)
    }),
    verb(("QUERY", "TEXT"), Needs::Read, "answer a query", |text| {
        some(text).map(Command::Query)
    }),
    verb(
        ("EXPLAIN", "TEXT"),
        Needs::Read,
        "say how a query would be answered",
        |text| some(text).map(Command::Explain),
    ),
    verb(
        ("STATUS", ""),
        Needs::Read,
        "say what is in the store, as JSON",
        |text| none(text, Command::Status),
    ),
    verb(
        (
            "EXPORT",
            "raw [RANGE] | hub [org=ORG] [from=logs] [rule=NAME] [as_of=DATE] | imports | revisions",
        ),
        Needs::Read,
        "write out what is in the store",
        export,
    ),
    verb(
        ("INGEST", "name=NAME [partial=yes]"),
        Needs::Ingest,
        "take in the file that follows in chunks",
        ingest,
    ),
    verb(
        ("FORMAT", "tsv | json"),
        Needs::Nothing,
        "choose how rows are written",
        format,
    ),
    verb(
        ("LIMIT", "[rows=N] [ms=N] [mb=N]"),
        Needs::Nothing,
        "choose limits of the queries that follow",
        limit,
    ),
    verb(
        ("PROGRESS", "on | off"),
        Needs::Nothing,
        "ask for progress lines, or for none",
        progress,
    ),
    verb(
        ("CANCEL", "[@TAG]"),
        Needs::Nothing,
        "stop the request of a tag, or all before this one; takes effect at once",
        cancel,
    ),
];

fn none(text: &str, command: Command) -> Option<Command> {
    text.is_empty().then_some(command)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn hello(text: &str) -> Option<Command> {
    if text.is_empty() {
        return Some(Command::Hello(crate::VERSION));
    }
    text.parse().ok().map(Command::Hello)
}

fn auth(text: &str) -> Option<Command> {
    let is_token = !text.is_empty() && !text.contains(' ');
    is_token.then(|| Command::Auth(text.to_owned()))
}

fn export(text: &str) -> Option<Command> {
    let (what, rest) = text.split_once(' ').unwrap_or((text, ""));
    let export = match what {
        "raw" => Export::Raw(rest.trim().to_owned()),
        "hub" => {
            let fields = Fields::parse(rest)?;
            check_names(&fields, &["org", "from", "rule", "as_of"])?;
            let owned = |name| fields.get(name).map(str::to_owned);
            let from_logs = match fields.get("from") {
                None => false,
                Some("logs") => true,
                Some(_) => return None,
            };
            Export::Hub {
                org: owned("org"),
                from_logs,
                rule: owned("rule"),
                as_of: owned("as_of"),
            }
        }
        "imports" if rest.is_empty() => Export::Imports,
        "revisions" if rest.is_empty() => Export::Revisions,
        _ => return None,
    };
    Some(Command::Export(export))
}

fn ingest(text: &str) -> Option<Command> {
    let fields = Fields::parse(text)?;
    check_names(&fields, &["name", "partial"])?;
    Some(Command::Ingest(Ingest {
        name: fields
            .get("name")
            .filter(|name| !name.is_empty())?
            .to_owned(),
        partial: match fields.get("partial") {
            None => false,
            Some("yes") => true,
            Some(_) => return None,
        },
    }))
}

fn format(text: &str) -> Option<Command> {
    let syntax = match text {
        "tsv" => Syntax::Tsv,
        "json" => Syntax::Json,
        _ => return None,
    };
    Some(Command::Format(syntax))
}

fn limit(text: &str) -> Option<Command> {
    let fields = Fields::parse(text)?;
    check_names(&fields, &["rows", "ms", "mb"])?;
    let number = |name| match fields.get(name) {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    };
    Some(Command::Limit(Limits {
        rows: number("rows")?,
        ms: number("ms")?,
        mb: number("mb")?,
    }))
}

fn progress(text: &str) -> Option<Command> {
    match text {
        "on" => Some(Command::Progress(true)),
        "off" => Some(Command::Progress(false)),
        _ => None,
    }
}

fn cancel(text: &str) -> Option<Command> {
    if text.is_empty() {
        return Some(Command::Cancel(None));
    }
    let tag = Tag::new(text.strip_prefix('@')?)?;
    Some(Command::Cancel(Some(tag)))
}

/// None if a name is not among the known ones or there twice.
fn check_names(fields: &Fields, known: &[&str]) -> Option<()> {
    let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
    let is_once = |name: &&str| names.iter().filter(|other| *other == name).count() == 1;
    let fits = names
        .iter()
        .all(|name| known.contains(name) && is_once(name));
    fits.then_some(())
}

impl Command {
    /// Its row.
    #[must_use]
    pub fn verb(&self) -> &'static Verb {
        let name = match self {
            Self::Hello(_) => "HELLO",
            Self::Auth(_) => "AUTH",
            Self::Ping => "PING",
            Self::Quit => "QUIT",
            Self::Help => "HELP",
            Self::Query(_) => "QUERY",
            Self::Explain(_) => "EXPLAIN",
            Self::Status => "STATUS",
            Self::Export(_) => "EXPORT",
            Self::Ingest(_) => "INGEST",
            Self::Format(_) => "FORMAT",
            Self::Limit(_) => "LIMIT",
            Self::Progress(_) => "PROGRESS",
            Self::Cancel(_) => "CANCEL",
        };
        VERBS
            .iter()
            .find(|verb| verb.name == name)
            .unwrap_or(&UNKNOWN)
    }

    fn arguments(&self) -> String {
        match self {
            Self::Hello(version) => version.to_string(),
            Self::Auth(text) | Self::Query(text) | Self::Explain(text) => text.clone(),
            Self::Ping | Self::Quit | Self::Help | Self::Status => String::new(),
            Self::Export(export) => export.render(),
            Self::Ingest(ingest) => {
                let mut fields = Fields::default();
                fields.push("name", &ingest.name);
                if ingest.partial {
                    fields.push("partial", "yes");
                }
                fields.to_string().trim_start().to_owned()
            }
            Self::Format(Syntax::Tsv) => "tsv".to_owned(),
            Self::Format(Syntax::Json) => "json".to_owned(),
            Self::Limit(limits) => {
                let mut fields = Fields::default();
                let all = [("rows", limits.rows), ("ms", limits.ms), ("mb", limits.mb)];
                for (name, value) in all {
                    if let Some(value) = value {
                        fields.push(name, value);
                    }
                }
                fields.to_string().trim_start().to_owned()
            }
            Self::Progress(on) => if *on { "on" } else { "off" }.to_owned(),
            Self::Cancel(tag) => tag.as_ref().map_or_else(String::new, ToString::to_string),
        }
    }
}

/// Stands in for a row that a variant lacks; the laws show that none does.
static UNKNOWN: Verb = verb(("", ""), Needs::Read, "", |_| None);

impl Export {
    fn render(&self) -> String {
        match self {
            Self::Raw(range) if range.is_empty() => "raw".to_owned(),
            Self::Raw(range) => format!("raw {range}"),
            Self::Hub {
                org,
                from_logs,
                rule,
                as_of,
            } => {
                let mut fields = Fields::default();
                let logs = from_logs.then(|| "logs".to_owned());
                for (name, value) in [
                    ("org", org),
                    ("from", &logs),
                    ("rule", rule),
                    ("as_of", as_of),
                ] {
                    if let Some(value) = value {
                        fields.push(name, value);
                    }
                }
                format!("hub{fields}")
            }
            Self::Imports => "imports".to_owned(),
            Self::Revisions => "revisions".to_owned(),
        }
    }
}

/// A command and what the client calls it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Named again in the last line of the reply.
    pub tag: Option<Tag>,
    /// What to do.
    pub command: Command,
}

impl Request {
    /// A request from a line.
    ///
    /// # Errors
    ///
    /// `Proto` for a line that is no text or has a broken tag, `Unknown` for another verb, `Syntax` for
    /// wrong arguments.
    pub fn parse(line: &[u8]) -> Result<Self, Fault> {
        let (tag, rest) = Self::split_tag(line)?;
        let (name, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        let name = name.to_ascii_uppercase();
        let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
            return Err(Fault::new(
                Code::Unknown,
                format!("no command {}", name.escape_default()),
            ));
        };
        let command = (verb.parse)(arguments.trim()).ok_or_else(|| {
            Fault::new(
                Code::Syntax,
                format!("expected {} {}", verb.name, verb.arguments).trim_end(),
            )
        })?;
        Ok(Self { tag, command })
    }

    /// The tag of a line, also of one that is no request; and the rest.
    ///
    /// # Errors
    ///
    /// `Proto` for a line that is no text or has a broken tag.
    pub fn split_tag(line: &[u8]) -> Result<(Option<Tag>, &str), Fault> {
        let line = std::str::from_utf8(line)
            .map_err(|_| Fault::new(Code::Proto, "a line is not UTF-8"))?;
        if line.contains(['\0', '\n', '\r']) {
            return Err(Fault::new(
                Code::Proto,
                "a line has a NUL or a line end in it",
            ));
        }
        let line = line.trim();
        let Some(tagged) = line.strip_prefix('@') else {
            return Ok((None, line));
        };
        let (tag, rest) = tagged.split_once(' ').unwrap_or((tagged, ""));
        let tag = Tag::new(tag).ok_or_else(|| {
            Fault::new(
                Code::Proto,
                "a tag is @ and up to 64 letters, digits, - _ .",
            )
        })?;
        Ok((Some(tag), rest.trim_start()))
    }

    /// The line, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let tag = self
            .tag
            .as_ref()
            .map_or_else(String::new, |tag| format!("{tag} "));
        let line = format!(
            "{tag}{} {}",
            self.command.verb().name,
            self.command.arguments()
        );
        format!("{}\n", line.trim_end())
    }
}

/// Whether a line is the first one of an HTTP request. A browser can be made to send one to any port.
#[must_use]
pub fn looks_like_http(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').rev();
    words.next().is_some_and(|last| last.starts_with(b"HTTP/"))
}

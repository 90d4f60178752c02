//! A server with a small store, and its clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use footfall_engine::ingest::pipeline::Options;
use footfall_engine::storage::{Clock, SystemClock};
use footfall_engine::store::Store;
use footfall_engine::units::TimestampMs;
use footfall_protocol::{Reply, Status};
use footfall_server::token::{Right, Tokens, Wish};
use footfall_server::{Config, Ender, Limits, Server};
use tempfile::TempDir;

/// Header of logs.
pub(crate) const HEADER: &str =
    "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n";
/// How long a test waits for bytes that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Scene {
    dir: TempDir,
    pub(crate) line: SocketAddr,
    pub(crate) http: SocketAddr,
    ender: Ender,
    thread: Option<JoinHandle<()>>,
}

/// A server on any free ports.
fn config(store: &Path) -> Config {
    let nowhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    Config {
        store: store.to_owned(),
        listen: vec![nowhere],
        http: vec![nowhere],
        unix: None,
        hosts: Vec::new(),
        watch: Vec::new(),
        badges: Vec::new(),
        frames: Vec::new(),
        logs_requests: false,
        limits: Limits::default(),
    }
}

/// A day of the logs: 3 requests, 2 downloads of acme/llama by 2 downloaders; some of others.
pub(crate) fn day(day: u32, with_others: bool) -> String {
    let line = |time: &str, repo: &str, who: &str, country: &str| {
        format!("2026-07-{day:02}T{time}.000Z,200,GET,{repo},model,{who},,{country},\n")
    };
    let mut text = HEADER.to_owned();
    text += &line("10:00:00", "acme/llama", "u1", "DE");
    text += &line("10:00:10", "acme/llama", "u1", "DE");
    text += &line("23:30:00", "acme/llama", "u2", "US");
    if with_others {
        text += &line("12:00:00", "secret/plans", "u7", "FR");
    }
    text
}

/// A publisher CSV of two organisations.
pub(crate) const HUB_CSV: &str = "repoType,repoName,total,timestamp,downloads
model,acme/llama,1000,2026-07-01T00:00:00.000Z,40
model,acme/llama,1000,2026-07-02T00:00:00.000Z,30
model,secret/plans,9,2026-07-01T00:00:00.000Z,9
";

impl Scene {
    /// Two days of logs of one organisation.
    pub(crate) fn plain() -> Self {
        Self::build(&[day(1, false), day(2, false)], |_, _| {})
    }

    /// Logs of two organisations and a publisher CSV of both.
    pub(crate) fn mixed(change: impl FnOnce(&mut Config, &PathBuf)) -> Self {
        Self::build(&[day(1, true), day(2, true), HUB_CSV.to_owned()], change)
    }

    /// A store of these files; `change` may change the configuration and the store's directory.
    pub(crate) fn build(files: &[String], change: impl FnOnce(&mut Config, &PathBuf)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store_dir = dir.path().join("store");
        let store = Store::open_or_create(&store_dir).unwrap();
        for (number, text) in files.iter().enumerate() {
            let path = dir.path().join(format!("file-{number}.csv"));
            std::fs::write(&path, text).unwrap();
            let options = Options::new(1, Arc::new(SystemClock));
            assert!(
                store
                    .ingest(&[path], &options, &mut |_| {})
                    .unwrap()
                    .is_clean()
            );
        }
        let mut config = config(&store_dir);
        change(&mut config, &store_dir);
        Self::start(dir, config)
    }

    /// A server of a store that lies elsewhere.
    pub(crate) fn of(store: &Path) -> Self {
        Self::start(tempfile::tempdir().unwrap(), config(store))
    }

    fn start(dir: TempDir, config: Config) -> Self {
        let server = Server::open(config).unwrap();
        let (line, http) = (server.line_addresses()[0], server.http_addresses()[0]);
        let ender = server.ender();
        let thread = std::thread::spawn(move || server.run());
        Self {
            dir,
            line,
            http,
            ender,
            thread: Some(thread),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The store, opened beside the server.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path("store")).unwrap()
    }

    /// A token of a name, for some organisations or all.
    pub(crate) fn token(&self, name: &str, rights: &[Right], orgs: &[&str]) -> String {
        add_token(&self.path("store"), name, (rights, orgs), None)
    }

    /// A client of the line protocol that has read the greeting.
    pub(crate) fn line(&self) -> LineClient {
        LineClient::new(TcpStream::connect(self.line).unwrap())
    }

    /// Ends the server and waits for that.
    pub(crate) fn end(&mut self) {
        self.ender.end();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A response to `METHOD PATH`, with these headers.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let host = self.http.to_string();
        let mut all = vec![("Host", host.as_str())];
        all.retain(|(name, _)| {
            !headers
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(name))
        });
        all.extend_from_slice(headers);
        self.ask_bare(method, path, &all, body)
    }

    /// The same without a `Host` of ours.
    pub(crate) fn ask_bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses does not read on.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.end();
    }
}

/// A token that expires at some time.
pub(crate) fn add_token(
    store: &Path,
    name: &str,
    (rights, orgs): (&[Right], &[&str]),
    expires: Option<u64>,
) -> String {
    let wish = Wish {
        name: name.to_owned(),
        rights: rights.to_vec(),
        orgs: orgs.iter().map(|org| (*org).to_owned()).collect(),
        expires: expires.map(TimestampMs),
        ..Wish::default()
    };
    Tokens::add(store, wish, SystemClock.now()).unwrap()
}

/// A response of HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else {
            return Self {
                status: 0,
                headers: Vec::new(),
                body: bytes.to_vec(),
            };
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<(String, String)> = lines.map(pair).collect();
        let mut answer = Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunk(&answer.body);
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a fault.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let len = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&bytes[end + 2..end + 2 + len]);
        bytes = &bytes[(end + 4 + len).min(bytes.len())..];
    }
    body
}

/// A client of the line protocol.
pub(crate) struct LineClient {
    reader: BufReader<TcpStream>,
}

/// A reply: its lines, the bytes of its frames, its last line.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) header: Option<String>,
    pub(crate) rows: Vec<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: Status,
}

impl Whole {
    pub(crate) fn code(&self) -> &'static str {
        self.status
            .outcome
            .as_ref()
            .map_or_else(|fault| fault.code.name(), |_| "OK")
    }
}

impl LineClient {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self {
            reader: BufReader::new(stream),
        };
        assert!(client.raw_line().unwrap().starts_with("# footfall "));
        client
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Closes what is sent.
    pub(crate) fn shut(&mut self) {
        self.reader
            .get_mut()
            .shutdown(std::net::Shutdown::Write)
            .unwrap();
    }

    /// A line without its end; `None` once the server has closed.
    pub(crate) fn raw_line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches('\n').to_owned()),
        }
    }

    /// Reads a reply; `None` once the server has closed.
    pub(crate) fn reply(&mut self) -> Option<Whole> {
        let (mut header, mut rows, mut bytes) = (None, Vec::new(), Vec::new());
        loop {
            let line = self.raw_line()?;
            if let Some(len) = line.strip_prefix("$ ") {
                let from = bytes.len();
                bytes.resize(from + len.parse::<usize>().unwrap(), 0);
                self.reader.read_exact(&mut bytes[from..]).ok()?;
                continue;
            }
            match Reply::parse(line.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {line}")) {
                Reply::Header(text) => header = Some(text),
                Reply::Row(text) => rows.push(text),
                Reply::Remark(_) => {}
                Reply::Last(status) => {
                    return Some(Whole {
                        header,
                        rows,
                        bytes,
                        status,
                    });
                }
            }
        }
    }

    /// Sends a line and reads its reply.
    pub(crate) fn ask(&mut self, line: &str) -> Whole {
        self.send(format!("{line}\n"));
        self.reply().unwrap_or_else(|| panic!("no reply to {line}"))
    }
}

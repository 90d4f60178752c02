//! `footfall serve`: a store over the line protocol and HTTP.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::{ArgMatches, Args};
use footfall_engine::Error;
use footfall_server::{Config, Limits, Server, frame_source};
use serde::Deserialize;
use signal_hook::consts::SIGTERM;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::exit::{Exit, Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "serve",
    group: "Serve",
    about: "Answer over the line protocol and HTTP, and take in what comes",
    examples: "  footfall serve
  footfall serve exports/
  footfall serve --http 0.0.0.0:7860 --host stats.acme.org
  footfall serve --config /etc/footfall.toml",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Where the line protocol is spoken if nobody says.
const LISTEN: &str = "127.0.0.1:4815";
/// Where HTTP is spoken if nobody says.
const HTTP: &str = "127.0.0.1:4816";
/// In place of an address: not at all.
const NOWHERE: &str = "none";
/// How often it is asked whether the system wants the server to end.
const SIGNAL_PAUSE: Duration = Duration::from_millis(50);

/// Options of `serve`, on the command line or in a file; there each under its name, with `_` for `-`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wishes {
    /// Directories whose finished files are taken in, now and later
    #[arg(value_name = "EXPORTS")]
    #[serde(skip)]
    exports: Vec<PathBuf>,
    /// Where to speak the line protocol, or none [default: 127.0.0.1:4815]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "FOOTFALL_LISTEN",
        value_delimiter = ','
    )]
    listen: Vec<String>,
    /// Where to speak HTTP, or none [default: 127.0.0.1:4816]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "FOOTFALL_HTTP",
        value_delimiter = ','
    )]
    http: Vec<String>,
    /// A socket file for the line protocol, for the owner alone
    #[arg(long, value_name = "PATH", env = "FOOTFALL_UNIX")]
    unix: Option<PathBuf>,
    /// A name under which browsers may ask, beside those of this machine
    #[arg(
        long,
        value_name = "NAME",
        env = "FOOTFALL_HOST",
        value_delimiter = ','
    )]
    host: Vec<String>,
    /// A directory whose finished files are taken in, as EXPORTS
    #[arg(
        long,
        value_name = "DIR",
        env = "FOOTFALL_WATCH",
        value_delimiter = ','
    )]
    watch: Vec<PathBuf>,
    /// Repos whose badges everybody may see: a name or a glob
    #[arg(
        long,
        value_name = "REPO",
        env = "FOOTFALL_BADGE",
        value_delimiter = ','
    )]
    badge: Vec<String>,
    /// A host whose pages may show the dashboard inside a frame, such as acme.org
    #[arg(
        long,
        value_name = "HOST",
        env = "FOOTFALL_FRAME",
        value_delimiter = ','
    )]
    frame: Vec<String>,
    /// Longest time of a query in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", env = "FOOTFALL_QUERY_SECONDS")]
    query_seconds: Option<u64>,
    /// A file of these options, see footfall help server
    #[arg(long, value_name = "FILE", env = "FOOTFALL_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let settings = wishes
        .config
        .as_deref()
        .map_or_else(|| Ok(Wishes::default()), read)?;
    let config = wishes.merge(settings).config(global)?;
    let is_new = !config.store.exists();
    let server = Server::open(config)?;
    if is_new {
        note(global, &format!("new store: {}", global.store.display()));
    }
    for address in server.line_addresses() {
        note(global, &format!("line protocol: {address}"));
    }
    for address in server.http_addresses() {
        note(global, &format!("http: http://{address}/"));
    }
    end_on_signal(&server);
    server.run();
    Ok(Exit::Done)
}

fn read(path: &Path) -> Outcome<Wishes> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
    toml::from_str(&text).map_err(|error| {
        let message = error.message().to_owned();
        Failure::usage(
            Error::invalid(message)
                .at_path(path)
                .with_help("see footfall help server"),
        )
    })
}

/// SIGTERM lets requests end.
fn end_on_signal(server: &Server) {
    let (asked, ender) = (Arc::new(AtomicBool::new(false)), server.ender());
    // Where the signal cannot be caught, it ends the program at once, which harms nothing.
    if signal_hook::flag::register(SIGTERM, Arc::clone(&asked)).is_err() {
        return;
    }
    thread::spawn(move || {
        while !asked.load(Ordering::Relaxed) {
            thread::sleep(SIGNAL_PAUSE);
        }
        ender.end();
    });
}

impl Wishes {
    /// What the command line and the environment say, else what the file says.
    fn merge(mut self, settings: Self) -> Self {
        let either =
            |given: Vec<String>, set: Vec<String>| if given.is_empty() { set } else { given };
        self.listen = either(self.listen, settings.listen);
        self.http = either(self.http, settings.http);
        self.host = either(self.host, settings.host);
        self.badge = either(self.badge, settings.badge);
        self.frame = either(self.frame, settings.frame);
        self.watch.append(&mut self.exports);
        if self.watch.is_empty() {
            self.watch = settings.watch;
        }
        self.unix = self.unix.or(settings.unix);
        self.query_seconds = self.query_seconds.or(settings.query_seconds);
        self
    }

    fn config(self, global: &Global) -> Outcome<Config> {
        for directory in &self.watch {
            if !directory.is_dir() {
                return Err(Failure::usage(
                    Error::not_found("no such directory").at_path(directory),
                ));
            }
        }
        let frames: Result<Vec<String>, Error> =
            self.frame.iter().map(|host| frame_source(host)).collect();
        let usual = Limits::default();
        Ok(Config {
            store: global.store.clone(),
            listen: addresses("--listen", &self.listen, LISTEN)?,
            http: addresses("--http", &self.http, HTTP)?,
            unix: self.unix,
            hosts: self.host,
            watch: self.watch,
            badges: self.badge,
            frames: frames.map_err(Failure::usage)?,
            logs_requests: !global.quiet,
            limits: Limits {
                query_threads: global.threads(),
                query_time: self
                    .query_seconds
                    .map_or(usual.query_time, Duration::from_secs),
                ingest_memory: global.memory,
                ..usual
            },
        })
    }
}

fn addresses(option: &str, given: &[String], default: &str) -> Outcome<Vec<SocketAddr>> {
    let default = [default.to_owned()];
    let given = if given.is_empty() { &default } else { given };
    let mut addresses = Vec::new();
    for text in given.iter().filter(|text| *text != NOWHERE) {
        let found = text.to_socket_addrs();
        let found = found.map_err(|_| {
            let message = format!("{option} {text}: expected an address and a port");
            Failure::usage_of(message, "write 127.0.0.1:4815, [::1]:4815 or none")
        });
        addresses.extend(found?);
    }
    addresses.dedup();
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_the_file() {
        let settings: Wishes =
            toml::from_str("http = [\"none\"]\nquery_seconds = 7\nhost = [\"a\"]").unwrap();
        let wishes = Wishes {
            exports: vec![PathBuf::from("e")],
            host: vec!["b".to_owned()],
            watch: vec![PathBuf::from("w")],
            ..Wishes::default()
        };
        let merged = wishes.merge(settings);
        assert_eq!(
            (merged.http, merged.host),
            (vec!["none".to_owned()], vec!["b".to_owned()])
        );
        assert_eq!(merged.watch, [PathBuf::from("w"), PathBuf::from("e")]);
        assert_eq!(merged.query_seconds, Some(7));
        for wrong in ["htpp = []", "config = \"c\"", "exports = [\"e\"]"] {
            assert!(toml::from_str::<Wishes>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_have_ports() {
        let of = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
            addresses("--http", &given, HTTP).map_err(|failure| failure.report())
        };
        assert_eq!(of(&[]), Ok(vec!["127.0.0.1:4816".parse().unwrap()]));
        assert_eq!(of(&["none"]), Ok(Vec::new()));
        assert_eq!(of(&["[::1]:1"]), Ok(vec!["[::1]:1".parse().unwrap()]));
        assert!(of(&["127.0.0.1"]).is_err() && of(&["x"]).is_err());
    }
}

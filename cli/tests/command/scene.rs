//! A directory with a store and files, and the program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::served::{ask_served, is_question};

/// The current header but for `userAgent`.
pub(crate) const HEADER: &str =
    "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n";
/// The publisher CSV's.
pub(crate) const HUB_HEADER: &str = "repoType,repoName,total,timestamp,downloads\n";

/// A directory for one test.
pub(crate) struct Scene(TempDir);

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A scene whose store has two days of logs, in two files.
    pub(crate) fn with_logs() -> Self {
        let scene = Self::new();
        for day in 1..=2 {
            let name = format!("day-{day}.csv");
            scene.file(&name, good_day(day));
            assert_eq!(scene.run(&["ingest", &name]).code, 0);
        }
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// The program, in this directory, without the variables of whoever runs the tests.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.0.path());
        for name in ["FOOTFALL_STORE", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[], "")
    }

    /// Runs the program. What asks the store something is asked of a server too, and the same comes out.
    pub(crate) fn run_with(&self, words: &[&str], env: &[(&str, &str)], input: &str) -> Ran {
        let ran = self.run_once(words, env, input);
        let is_plain = env.is_empty() && input.is_empty();
        if is_plain && is_question(words) && self.path("footfall-store/CURRENT").exists() {
            ask_served(self, words, &ran);
        }
        ran
    }

    /// The same, without a server.
    pub(crate) fn run_here(&self, words: &[&str]) -> Ran {
        self.run_once(words, &[], "")
    }

    fn run_once(&self, words: &[&str], env: &[(&str, &str)], input: &str) -> Ran {
        let mut command = self.command(footfall());
        command.args(words).envs(env.iter().copied());
        finish(command, input)
    }

    /// Every file of the store, and its bytes.
    pub(crate) fn stored(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut dirs = vec![self.path("footfall-store")];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        files
    }
}

pub(crate) fn footfall() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_footfall"))
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &str) -> Ran {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A day of the logs with a request in its last hour: 3 requests, 2 downloads, 2 downloaders.
pub(crate) fn good_day(day: u32) -> String {
    let line = |time: &str, who: &str, country: &str| {
        format!("2026-07-{day:02}T{time}.000Z,200,GET,acme/llama,model,{who},,{country},\n")
    };
    [
        HEADER.to_owned(),
        line("10:00:00", "u1", "DE"),
        line("10:00:10", "u1", "DE"),
        line("23:30:00", "u2", "US"),
    ]
    .concat()
}

/// A publisher CSV of two days of a model and a dataset.
pub(crate) fn hub_csv(first: u32) -> String {
    let line = |repo: &str, total: u32, day: u32, downloads: u32| {
        format!("{repo},{total},2026-07-{day:02}T00:00:00.000Z,{downloads}\n")
    };
    [
        HUB_HEADER.to_owned(),
        line("model,acme/llama", 1_000, 1, first),
        line("model,acme/llama", 1_000, 2, 30),
        line("dataset,acme/text", 7, 1, 7),
    ]
    .concat()
}

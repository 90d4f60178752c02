//! The dashboard in a real browser: serves the demo store and runs `tests/browser` against it.
//!
//! It needs Chromium, Node and the packages of `tests/browser/package.json` (`npm ci` there). Where one of them is
//! missing it says so and is skipped, unless `FOOTFALL_BROWSER=required`.
#![expect(clippy::print_stdout, reason = "what is skipped has to be seen")]

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_footfall");
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
/// Options of test programs whose value is a word of its own.
const WITH_VALUE: [&str; 4] = ["--test-threads", "--skip", "--color", "--format"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        println!("browser: test");
        return ExitCode::SUCCESS;
    }
    if !is_wanted(&words) {
        return ExitCode::SUCCESS;
    }
    let needs = match Needs::find() {
        Ok(needs) => needs,
        Err(missing) => {
            let is_required = std::env::var("FOOTFALL_BROWSER").is_ok_and(|how| how == "required");
            let what = if is_required { "FAILED" } else { "skipped" };
            println!("browser tests: {what}, there is no {missing}");
            return ExitCode::from(u8::from(is_required));
        }
    };
    match run(&needs) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("browser tests: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the names that were given, if any, are of this test.
fn is_wanted(words: &[String]) -> bool {
    let mut before = "";
    let mut names = words.iter().filter(|word| {
        let is_value = WITH_VALUE.contains(&before);
        before = word;
        !is_value && !word.starts_with('-')
    });
    let Some(first) = names.next() else {
        return true;
    };
    std::iter::once(first)
        .chain(names)
        .any(|name| "browser".contains(name.as_str()))
}

struct Needs {
    browser: PathBuf,
    node: PathBuf,
    scripts: PathBuf,
}

impl Needs {
    fn find() -> Result<Self, String> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser");
        if !scripts.join("node_modules").is_dir() {
            return Err("node_modules in tests/browser (`npm ci` there)".to_owned());
        }
        let known = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let browser = known.or_else(|| BROWSERS.into_iter().find_map(in_path));
        Ok(Self {
            browser: browser.ok_or("Chromium")?,
            node: in_path("node").ok_or("Node")?,
            scripts,
        })
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|place| place.join(name));
    places.find(|place| place.is_file())
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(needs: &Needs) -> Result<bool, Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let demo = Command::new(PROGRAM)
        .args(["-q", "demo"])
        .current_dir(place.path())
        .stdout(Stdio::null())
        .status()?;
    if !demo.success() {
        return Err("`footfall demo` failed".into());
    }
    let store = place.path().join("demo-store");
    let mut server = Command::new(PROGRAM)
        .arg("--store")
        .arg(&store)
        .args(["serve", "--listen", "none", "--http", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()?;
    let said = server.stderr.take().ok_or("no standard error")?;
    let _server = Server(server);
    let mut lines = BufReader::new(said).lines();
    let address = loop {
        let line = lines.next().ok_or("the server ended")??;
        if let Some(address) = line.strip_prefix("http: ") {
            break address.to_owned();
        }
    };
    // What it logs has to go somewhere, or it would wait.
    std::thread::spawn(move || lines.for_each(drop));
    let tests = Command::new(&needs.node)
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .current_dir(&needs.scripts)
        .env("FOOTFALL_URL", address)
        .env("FOOTFALL_STORE", &store)
        .env("FOOTFALL", PROGRAM)
        .env("CHROMIUM", &needs.browser)
        .status()?;
    Ok(tests.success())
}

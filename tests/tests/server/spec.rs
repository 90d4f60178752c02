//! `format-spec/protocol.md` is what the server does: its tables, its transcript, its client.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

use footfall_protocol::{CODES, Needs, VERBS};
use footfall_tests::support::{spec_table, text};

use crate::scene::Scene;

const CHAPTER: &str = "protocol.md";

/// The block of the chapter whose fence says `name`.
fn block(name: &str) -> String {
    let chapter = text(&format!("format-spec/{CHAPTER}"));
    let lines = chapter
        .lines()
        .skip_while(|line| !(line.starts_with("```") && line.ends_with(name)));
    let lines: Vec<&str> = lines.skip(1).take_while(|line| *line != "```").collect();
    assert!(!lines.is_empty(), "no block {name}");
    lines.join("\n") + "\n"
}

#[test]
fn commands_and_codes_match() {
    let row = |cells: &[String]| {
        cells
            .iter()
            .map(|cell| cell.trim_matches('`').to_owned())
            .collect::<Vec<_>>()
    };
    let commands = VERBS.iter().map(|verb| {
        let needs = match verb.needs {
            Needs::Nothing => "–",
            Needs::Read => "read",
            Needs::Ingest => "ingest",
        };
        let arguments = verb.arguments.replace('|', ";");
        [
            verb.name.to_owned(),
            arguments,
            needs.to_owned(),
            verb.meaning.to_owned(),
        ]
        .to_vec()
    });
    let spec = spec_table(CHAPTER, "commands");
    assert_eq!(
        spec.iter().map(|cells| row(cells)).collect::<Vec<_>>(),
        commands.collect::<Vec<_>>()
    );
    let codes: Vec<Vec<String>> = CODES
        .iter()
        .map(|(_, name, meaning)| vec![(*name).to_owned(), (*meaning).to_owned()])
        .collect();
    assert_eq!(spec_table(CHAPTER, "codes"), codes);
    let kinds: Vec<String> = spec_table(CHAPTER, "replies")
        .iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(kinds, ["`=`", "`*`", "`#`", "`$`", "`+`", "`-`"]);
}

/// Whether a line is what the chapter says, where `…` stands for anything.
fn fits(said: &str, line: &str) -> bool {
    let parts: Vec<&str> = said.split('…').collect();
    let mut rest = line;
    for (index, part) in parts.iter().enumerate() {
        let at = if index == 0 {
            rest.starts_with(part).then_some(0)
        } else {
            rest.find(part)
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || said.ends_with('…')
}

#[test]
fn the_transcript_is_what_is_said() {
    let scene = Scene::plain();
    let stream = TcpStream::connect(scene.line).unwrap();
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let mut reader = BufReader::new(stream);
    let transcript = block("text transcript");
    for said in transcript.lines() {
        if let Some(sent) = said.strip_prefix("> ") {
            reader
                .get_mut()
                .write_all(format!("{sent}\n").as_bytes())
                .unwrap();
            continue;
        }
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end_matches('\n');
        assert!(fits(said, line), "\n{said}\n{line}");
    }
    let mut rest = String::new();
    assert_eq!(reader.read_line(&mut rest).unwrap(), 0, "{rest}");
}

#[test]
fn the_client_has_twenty_lines_and_works() {
    let client = block("python client");
    let lines = client.lines().filter(|line| !line.trim().is_empty());
    assert!(lines.count() <= 20);
    let scene = Scene::plain();
    let program = format!(
        "{client}\nheader, rows = Footfall(port={}).ask('QUERY downloads by country')\n\
         assert header['columns'][1]['name'] == 'downloads', header\nassert rows == [['DE', 2], ['US', 2]], rows\n\
         try: Footfall(port={}).ask('QUERY x'); assert False\nexcept RuntimeError as error: assert 'SYNTAX' in str(error)\n",
        scene.line.port(),
        scene.line.port()
    );
    match Command::new("python3").args(["-c", &program]).output() {
        Ok(output) => {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
        }
        Err(_) => println!("skipped: python3 is not there"),
    }
}

#[test]
fn a_shell_can_speak_it() {
    let scene = Scene::plain();
    let port = scene.line.port();
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'QUERY downloads by country\\nQUIT\\n' >&3; cat <&3"
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\n*DE\t2\n*US\t2\n+OK rows=2 "), "{said}");
}

//! What is written reads back, whatever it says and in whatever pieces it comes; nothing panics.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use footfall_protocol::{
    CHUNK_BYTES_MAX, CODES, Code, Command, Export, Fault, Fields, Frame, Frames, Ingest,
    LINE_BYTES_MAX, Limits, Reply, Request, Status, Syntax, Tag, VERBS, looks_like_http,
    push_cells,
};
use proptest::prelude::*;

fn tag() -> impl Strategy<Value = Option<Tag>> {
    proptest::option::of("[a-zA-Z0-9._-]{1,64}".prop_map(|text| Tag::new(&text).unwrap()))
}

/// Text that stays what it is on a line: one line, without spaces at its ends.
fn text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\\s]([^\\p{Cc}]{0,30}[^\\p{Cc}\\s])?".prop_map(|text| text)
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{1,20}|[ -~\\n\\t]{1,20}"
}

fn export() -> impl Strategy<Value = Export> {
    let some = || proptest::option::of(name());
    let hub = (some(), any::<bool>(), some(), some());
    prop_oneof![
        proptest::option::of("last [0-9]{1,3}d")
            .prop_map(|range| Export::Raw(range.unwrap_or_default())),
        hub.prop_map(|(org, from_logs, rule, as_of)| Export::Hub {
            org,
            from_logs,
            rule,
            as_of
        }),
        Just(Export::Imports),
        Just(Export::Revisions),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        any::<u32>().prop_map(Command::Hello),
        "[!-~]{1,80}".prop_map(Command::Auth),
        Just(Command::Ping),
        Just(Command::Quit),
        Just(Command::Help),
        text().prop_map(Command::Query),
        text().prop_map(Command::Explain),
        Just(Command::Status),
        export().prop_map(Command::Export),
        (name(), any::<bool>())
            .prop_map(|(name, partial)| Command::Ingest(Ingest { name, partial })),
        prop_oneof![Just(Syntax::Tsv), Just(Syntax::Json)].prop_map(Command::Format),
        any::<(Option<u64>, Option<u64>, Option<u64>)>()
            .prop_map(|(rows, ms, mb)| Command::Limit(Limits { rows, ms, mb })),
        any::<bool>().prop_map(Command::Progress),
        tag().prop_map(Command::Cancel),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    proptest::collection::vec(("[a-z_]{1,8}", "\\PC{0,12}|[ -~\\n\\r\\t]{0,12}"), 0..4).prop_map(
        |pairs| {
            let mut fields = Fields::default();
            pairs
                .iter()
                .for_each(|(name, value)| fields.push(name, value));
            fields
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let codes: Vec<Code> = CODES.iter().map(|(code, ..)| *code).collect();
    let fault = (proptest::sample::select(codes), fields(), "\\PC{0,40}");
    let outcome = prop_oneof![
        fields().prop_map(Ok),
        fault.prop_map(|(code, fields, text)| Err(Fault { code, fields, text })),
    ];
    (tag(), outcome).prop_map(|(tag, outcome)| Status { tag, outcome })
}

proptest! {
    #[test]
    fn a_request_reads_back(tag in tag(), command in command()) {
        let request = Request { tag, command };
        let line = request.to_line();
        prop_assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
        prop_assert_eq!(Request::parse(line.trim_end_matches('\n').as_bytes()).unwrap(), request);
    }

    #[test]
    fn a_status_reads_back(status in status()) {
        let line = status.to_string();
        prop_assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
        prop_assert_eq!(Reply::parse(line.trim_end_matches('\n').as_bytes()).unwrap(), Reply::Last(status));
    }

    #[test]
    fn cells_read_back(cells in proptest::collection::vec("\\PC{0,9}|[\\\\\\t\\n\\rnt]{0,9}", 1..6)) {
        let mut line = Vec::new();
        push_cells(cells.iter().map(String::as_str), &mut line);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(Reply::cells(std::str::from_utf8(&line).unwrap()), cells);
    }

    #[test]
    fn pieces_do_not_matter(
        frames in proptest::collection::vec((any::<bool>(), "[ -#%-~]{0,20}"), 0..12),
        cuts in proptest::collection::vec(1_usize..9, 1..20),
    ) {
        let (mut bytes, mut want) = (Vec::new(), Vec::new());
        for (is_chunk, text) in frames {
            if is_chunk {
                bytes.extend(format!("$ {}\n{text}", text.len()).into_bytes());
                want.push(Frame::Chunk(text.into_bytes()));
            } else {
                bytes.extend(format!("{text}\r\n").into_bytes());
                want.push(Frame::Line(text.into_bytes()));
            }
        }
        let (mut reader, mut got, mut rest) = (Frames::default(), Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            reader.push(piece);
            while let Some(frame) = reader.next_frame().unwrap() {
                got.push(frame);
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(!reader.is_midway());
        prop_assert_eq!(got, want);
    }

    #[test]
    fn no_bytes_break_a_parser(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut frames = Frames::default();
        frames.push(&bytes);
        while let Ok(Some(frame)) = frames.next_frame() {
            if let Frame::Line(line) = frame {
                let _ = (Request::parse(&line), Reply::parse(&line), looks_like_http(&line));
            }
        }
    }

    #[test]
    fn words_like_commands_break_no_parser(line in "@?[a-z]{0,3} ?(QUERY|EXPORT|INGEST|LIMIT|CANCEL|[A-Z]{1,5}) [ -~]{0,30}") {
        if let Ok(request) = Request::parse(line.as_bytes()) {
            let again = request.to_line();
            prop_assert_eq!(Request::parse(again.trim_end_matches('\n').as_bytes()).unwrap(), request);
        }
    }
}

#[test]
fn long_lines_and_chunks_are_refused_before_they_are_whole() {
    let mut frames = Frames::default();
    frames.push(&vec![b'x'; LINE_BYTES_MAX]);
    assert_eq!(frames.next_frame().unwrap(), None);
    frames.push(b"x");
    assert_eq!(frames.next_frame().unwrap_err().code, Code::TooLong);
    let mut frames = Frames::default();
    frames.push(format!("$ {}\n", CHUNK_BYTES_MAX + 1).as_bytes());
    assert_eq!(frames.next_frame().unwrap_err().code, Code::TooLong);
    for head in ["$\n", "$ -1\n", "$ 1x\n", "$ \n"] {
        let mut frames = Frames::default();
        frames.push(head.as_bytes());
        assert_eq!(frames.next_frame().unwrap_err().code, Code::Proto, "{head}");
    }
}

#[test]
fn every_verb_has_its_command() {
    for verb in VERBS {
        let arguments = match verb.name {
            "AUTH" | "QUERY" | "EXPLAIN" => "x",
            "EXPORT" => "imports",
            "INGEST" => "name=x",
            "FORMAT" => "tsv",
            "PROGRESS" => "on",
            _ => "",
        };
        let request = Request::parse(format!("{} {arguments}", verb.name).as_bytes()).unwrap();
        assert_eq!(request.command.verb().name, verb.name);
    }
}

#[test]
fn a_browser_is_told_from_a_client() {
    assert!(looks_like_http(b"GET / HTTP/1.1"));
    assert!(looks_like_http(b"POST /QUERY HTTP/1.0"));
    assert!(!looks_like_http(b"QUERY downloads by month"));
    assert!(!looks_like_http(b""));
}

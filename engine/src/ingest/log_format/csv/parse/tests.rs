//! What lines of CSV become.

use crate::ingest::collect::{Collect, read};
use crate::ingest::header::ReadOptions;
use crate::ingest::timestamp::Plausible;
use crate::units::TimestampMs;
use proptest::prelude::*;

const HEADER: &str = "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent,isInternal,x,y";
const LINE: &str = "2026-01-31T00:00:00.5Z,206,GET,a/b,model,u,i,NA,Erongo,ua/1,true,1,";

fn csv(lines: &str) -> Collect {
    read(
        format!("{HEADER}\n{lines}").as_bytes(),
        ReadOptions::default(),
    )
    .unwrap()
    .0
}

#[test]
fn every_column_arrives() {
    let told = csv(LINE);
    let row = &told.rows[0];
    assert_eq!(
        (row.line, row.ts, row.status, row.internal),
        (2, 1_769_817_600_500, 206, 1)
    );
    assert_eq!(
        row.text,
        ["GET", "a/b", "model", "u", "i", "NA", "Erongo", "ua/1"].map(str::to_owned)
    );
    assert_eq!(row.extra, [("x".to_owned(), "1".to_owned())]);
    // In another order, with a byte-order mark and quotes.
    let file = "\u{feff}\"repoType\",requestType,repoName,timestamp\r\nspace,Range,c/d,2026-01-31T00:00:00Z\r\n";
    let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
    assert_eq!(
        told.rows[0].text[..3],
        ["GET", "c/d", "space"].map(str::to_owned)
    );
    assert_eq!(told.rows[0].status, 206);
}

#[test]
fn each_kind_of_reject() {
    let with = |from: &str, to: &str| LINE.replacen(from, to, 1);
    for (line, code) in [
        (with("206", "abc"), "status"),
        (with("206", ""), "missing"),
        (with("GET", ""), "missing"),
        (with("a/b", "\"\""), "missing"),
        (with("model", ""), "missing"),
        (with("2026-01-31T00:00:00.5Z", ""), "missing"),
        (with(".5Z", ""), "timestamp_no_zone"),
        (with("2026", "20x6"), "timestamp"),
        (with("2026", "2226"), "timestamp_out_of_range"),
        (with("2026", "1999"), "timestamp_implausible"),
        (with("true", "maybe"), "internal"),
        (with(",1,", ",1"), "field_count"),
        (with(",1,", ",1,,"), "field_count"),
        (with("ua/1", "\"ua/1"), "bad_quote"),
        (with("ua/1", "\"ua\"/1"), "bad_quote"),
        (with("ua/1", "ua\0"), "nul"),
        (with("ua/1", "\"ua\0\""), "nul"),
        (with("ua/1", &"x".repeat(1 << 20)), "too_long"),
        (
            with("ua/1", &format!("\"{}\"", "x".repeat(1 << 20))),
            "too_long",
        ),
        ("x".to_owned(), "field_count"),
    ] {
        let now = TimestampMs(1_800_000_000_000);
        let options = ReadOptions {
            plausible: Plausible::until(now),
            ..ReadOptions::default()
        };
        let file = format!("{HEADER}\n{LINE}\n{line}\n{LINE}\n");
        let told = read(file.as_bytes(), options).unwrap().0;
        assert_eq!(
            told.codes(),
            [(3, code)],
            "{}",
            &line[..line.len().min(200)]
        );
        assert_eq!(told.rows.len(), 2, "{code}");
    }
    for quote in ["", "\""] {
        let mut bytes = format!(
            "{HEADER}\n{}\n{LINE}",
            with("ua/1", &format!("{quote}?{quote}"))
        )
        .into_bytes();
        let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
        bytes[at] = 0xff;
        let told = read(&bytes, ReadOptions::default()).unwrap().0;
        assert_eq!(told.codes(), [(2, "not_utf8")]);
    }
}

#[test]
fn a_line_with_too_many_fields_leaves_nothing_behind() {
    let short = "repoName,repoType,requestType,timestamp";
    let line = "a/b,model,GET,2026-01-31T00:00:00Z";
    let file = format!("{short}\n{line}\n{line}{}\n{line}\n", ",zz".repeat(20));
    let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
    assert_eq!(told.codes(), [(3, "field_count")]);
    assert_eq!(told.rows[0].text, told.rows[1].text);
    assert!(told.rows[0].text[3..].iter().all(String::is_empty));
}

#[test]
fn a_line_that_says_why_is_blank_whatever_its_quotes() {
    for why in [
        "#! status: abc",
        "#! x,\"y",
        "#! x,\"y\"z",
        "#! \"",
        "#! ,\"\",\"\"\"",
    ] {
        let told = csv(&format!("{LINE}\n{why}\r\n{LINE}\n{why}\n{LINE}\n{why}"));
        assert_eq!((told.rows.len(), told.rejects.len()), (3, 0), "{why}");
        assert_eq!(told.blanks, [3, 5, 7], "{why}");
    }
}

#[test]
fn simple_quotes_are_as_others() {
    for region in [
        "\"\"",
        "\"a,b\"",
        "\"é\"",
        "\"a \"\"b\"\"\"",
        "a\"b",
        "\"a\nb\"",
        "\"a\"",
        "\",\"",
    ] {
        for ending in ["\n", "\r\n", ""] {
            let file = format!(
                "requestType,repoName,timestamp,repoType,region\nGET,\"a/b\",2026-01-31T00:00:00Z,model,{region}{ending}"
            );
            let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
            let mut reader = csv::Reader::from_reader(file.as_bytes());
            let want = reader.records().next().unwrap().unwrap();
            assert_eq!(told.rows[0].text[6], &want[4], "{file}");
            assert_eq!(told.rows[0].text[1], "a/b");
        }
    }
}

#[test]
fn a_reject_says_what_was_found() {
    let told = csv(&LINE.replace("206", "abc"));
    assert_eq!(
        told.rejects[0].2.to_string(),
        "status is not a number from 0 to 999: abc"
    );
    let told = csv("a,b");
    assert_eq!(
        told.rejects[0].2.to_string(),
        "the line has 2 fields, the header 13"
    );
}

#[test]
fn many_extra_columns() {
    let names: Vec<String> = (0..30).map(|n| format!("n{n}")).collect();
    let values: Vec<String> = (0..30)
        .map(|n| {
            if n % 3 == 0 {
                String::new()
            } else {
                format!("v{n}")
            }
        })
        .collect();
    let file = format!("{HEADER},{}\n{LINE},{}", names.join(","), values.join(","));
    let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
    assert_eq!(told.rows[0].extra.len(), 21);
    assert_eq!(told.rows[0].extra[20], ("n29".to_owned(), "v29".to_owned()));
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9/;. -]{0,30}",
        1 => "[ -~é😀\",\n\r]{0,20}",
        1 => Just(String::new()),
    ]
}

proptest! {
    /// Whatever the csv crate writes is read back; whatever it reads from pieces, so do we.
    #[test]
    fn rows_equal_those_of_the_csv_crate(
        rows in proptest::collection::vec(proptest::collection::vec(cell(), 6), 0..20),
        crlf in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["a", "repoName", "hashedIp", "repoType", "b", "requestType", "timestamp"]).unwrap();
        for row in &rows {
            let [a, ip, b, c, d, e] = &row[..] else { unreachable!() };
            let kept = |cell: &str| format!("{cell}.");
            writer.write_record([a, &kept(b), ip, &kept(c), d, &kept(e), "2026-01-31T00:00:00Z"]).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let told = read(&file, ReadOptions::default()).unwrap().0;
        prop_assert_eq!(told.rejects, vec![]);
        let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_reader(&file[..]);
        let want: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(told.rows.len(), want.len());
        for (row, want) in told.rows.iter().zip(&want) {
            let extra = |name: &str| {
                row.extra.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
            };
            prop_assert_eq!(extra("a"), &want[0]);
            prop_assert_eq!(&row.text[1], &want[1]);
            prop_assert_eq!(&row.text[4], &want[2]);
            prop_assert_eq!(&row.text[2], &want[3]);
            prop_assert_eq!(extra("b"), &want[4]);
        }
    }

    #[test]
    fn every_line_is_told_once(lines in "[a,\"\n\r\0é]{0,200}") {
        // `read` checks the sum.
        csv(&lines);
    }

    /// Columns in an order that has no tails give the same rows.
    #[test]
    fn repeated_lines_are_as_others(
        lines in proptest::collection::vec((0_usize..6, 0_usize..9, 0_usize..7, 0_usize..12), 0..60),
    ) {
        let long = "f".repeat(64);
        let stamps = ["2026-01-31T00:00:00.500Z", "2026-02-01T23:59:59.999Z", "2026-01-31T00:00:00.0005Z",
            "2026-02-30T00:00:00.500Z", "2026-01-31T25:00:00.500Z", "\"2026-01-31T00:00:00.500Z\""];
        let statuses = ["200", "206", "7", "abc", "\"200\"", "", "2 0", "999", "20\0"];
        let methods = ["GET", "HEAD", "\"GET\"", "", "G\"T", "OPTIONSX", "gét"];
        let tails = [
            format!("a/b,model,,{long},DE,Berlin\n"),
            format!("a/b,model,{long},,DE,Berlin\n"),
            format!("a/c,model,{long},,DE,Berlin\n"),
            format!("a/b,model,,{long},DE,München\r\n"),
            format!("a/b,model,,{long},DE,\"Berlin, Mitte\"\n"),
            format!("a/b,model,,{long},DE,\"Ber\"\"lin\"\n"),
            format!("a/b,model,,{long},DE,\"Berlin\nMitte\"\n"),
            format!("a/b,model,,{long},DE,Berlin,\n"),
            format!("a/b,,,{long},DE,Berlin\n"),
            format!("a/b,model,,{long},DE,Ber\0lin\n"),
            format!("a/b,model,,{long},DE,\"Berlin\n"),
            "a/b,model,,f,DE,Berlin\n".to_owned(),
        ];
        let tail_names = "repoName,repoType,hashedUserId,hashedIp,country,region";
        let mut with = format!("timestamp,status,method,{tail_names}\n");
        let mut without = format!("status,timestamp,method,{tail_names}\n");
        for (stamp, status, method, tail) in lines {
            let (stamp, status, method, tail) = (stamps[stamp], statuses[status], methods[method], &tails[tail]);
            with.push_str(&format!("{stamp},{status},{method},{tail}"));
            without.push_str(&format!("{status},{stamp},{method},{tail}"));
        }
        let told = |file: &str| read(file.as_bytes(), ReadOptions::default()).unwrap().0;
        let (with, without) = (told(&with), told(&without));
        prop_assert_eq!(&with.rows, &without.rows);
        prop_assert_eq!(&with.blanks, &without.blanks);
        let codes = |told: &Collect| told.rejects.iter().map(|(line, _, why)| (*line, why.clone())).collect::<Vec<_>>();
        prop_assert_eq!(codes(&with), codes(&without));
    }
}

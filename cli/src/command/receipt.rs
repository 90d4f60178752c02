//! A receipt to what a person reads after an ingest.

use std::fmt::Write as _;
use std::path::Path;

use footfall_engine::ingest::pipeline::{Outcome, Receipt, Taken};
use footfall_engine::output::{printable, thousands};

use crate::size::{show_bytes, show_count};

/// Files of one outcome that are named before "and N more".
const FILES_SHOWN: usize = 10;
/// Bad lines shown of one file.
const SAMPLES_SHOWN: usize = 3;

/// The whole receipt: what needs a person first, the sums last.
pub(super) fn text(receipt: &Receipt, store: &Path) -> String {
    let mut text = String::new();
    refused(receipt, &mut text);
    rejected(receipt, &mut text);
    left(receipt, &mut text);
    publisher_csvs(receipt, &mut text);
    for line in notes(receipt) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&sums(receipt));
    let store = printable(&store.display().to_string());
    text.push_str(&format!("store: {store}\n"));
    text
}

/// What became of the files, in a line: `365 taken, 1 refused`.
pub(super) fn files_line(receipt: &Receipt) -> String {
    let count = |wanted: fn(&Outcome) -> bool| {
        let files = receipt.files.iter();
        files.filter(|file| wanted(&file.outcome)).count() as u64
    };
    let is_known =
        |outcome: &Outcome| matches!(outcome, Outcome::Seen { .. } | Outcome::Unchanged { .. });
    let outcomes = [
        (
            "taken",
            count(|outcome| matches!(outcome, Outcome::Taken(_))),
        ),
        ("known already", count(is_known)),
        (
            "refused",
            count(|outcome| matches!(outcome, Outcome::Refused { .. })),
        ),
        (
            "left for the next run",
            count(|outcome| matches!(outcome, Outcome::Left { .. })),
        ),
    ];
    let said = outcomes
        .iter()
        .filter(|(name, count)| *count > 0 || *name == "taken");
    let said: Vec<String> = said
        .map(|(name, count)| format!("{} {name}", thousands(*count)))
        .collect();
    said.join(", ")
}

/// Time, bytes and rate.
pub(super) fn speed(receipt: &Receipt) -> String {
    let seconds = receipt.seconds.max(1e-3);
    if receipt.rows == 0 {
        return format!("{seconds:.1} s");
    }
    let rate = show_count(receipt.rows as f64 / seconds);
    format!(
        "{seconds:.1} s: {}, {rate} rows/s",
        show_bytes(receipt.bytes)
    )
}

fn taken(receipt: &Receipt) -> impl Iterator<Item = (&str, &Taken)> {
    receipt.files.iter().filter_map(|file| match &file.outcome {
        Outcome::Taken(taken) => Some((file.path.as_str(), taken)),
        _ => None,
    })
}

fn samples(samples: &[(u64, String)], text: &mut String) {
    for (line, reason) in samples.iter().take(SAMPLES_SHOWN) {
        let _ = writeln!(text, "  line {}: {}", thousands(*line), printable(reason));
    }
}

fn and_more(total: usize, what: &str, text: &mut String) {
    if total > FILES_SHOWN {
        let more = thousands((total - FILES_SHOWN) as u64);
        let _ = writeln!(text, "and {more} more {what}; --json names all");
    }
}

fn refused(receipt: &Receipt, text: &mut String) {
    let files = receipt.files.iter().filter_map(|file| match &file.outcome {
        Outcome::Refused {
            error,
            help,
            samples,
        } => Some((&file.path, error, help, samples)),
        _ => None,
    });
    for (path, error, help, bad) in files.clone().take(FILES_SHOWN) {
        let error = error.strip_prefix(&format!("{path}: ")).unwrap_or(error);
        let _ = writeln!(text, "refused {}: {}", printable(path), printable(error));
        if let Some(help) = help {
            let _ = writeln!(text, "  help: {}", printable(help));
        }
        samples(bad, text);
    }
    and_more(files.count(), "refused files", text);
}

fn rejected(receipt: &Receipt, text: &mut String) {
    let files = || taken(receipt).filter(|(_, taken)| taken.rejected > 0);
    for (path, taken) in files().take(FILES_SHOWN) {
        let lines = plural(taken.rejected, "line");
        let _ = writeln!(text, "rejected {lines} of {}", printable(path));
        samples(&taken.samples, text);
        if let Some(rejects) = &taken.rejects_path {
            let _ = writeln!(
                text,
                "  they are in {}; mend and ingest it",
                printable(rejects)
            );
        }
    }
    and_more(files().count(), "files with rejected lines", text);
}

fn left(receipt: &Receipt, text: &mut String) {
    let files = receipt.files.iter().filter_map(|file| match &file.outcome {
        Outcome::Left { why } => Some((&file.path, why)),
        _ => None,
    });
    for (path, why) in files.clone().take(FILES_SHOWN) {
        let _ = writeln!(
            text,
            "left for the next run: {} ({})",
            printable(path),
            printable(why)
        );
    }
    and_more(files.count(), "files left", text);
}

fn publisher_csvs(receipt: &Receipt, text: &mut String) {
    for (path, taken) in taken(receipt) {
        let Some(revisions) = taken.revisions else {
            continue;
        };
        let moved = match revisions {
            0 => "nothing known before has changed".to_owned(),
            1 => "1 value known before has changed, see footfall hub revisions".to_owned(),
            count => format!(
                "{} values known before have changed, see footfall hub revisions",
                thousands(count)
            ),
        };
        let values = plural(taken.rows, "value");
        let _ = writeln!(text, "publisher CSV {}: {values}, {moved}", printable(path));
    }
}

fn notes(receipt: &Receipt) -> Vec<String> {
    let mut lines = Vec::new();
    let columns: Vec<String> = taken(receipt)
        .flat_map(|(_, taken)| &taken.new_columns)
        .map(|name| format!("extra.{}", printable(name)))
        .collect();
    if !columns.is_empty() {
        lines.push(format!("new columns, kept: {}", columns.join(", ")));
    }
    let cut: u64 = taken(receipt).map(|(_, taken)| taken.timestamps_cut).sum();
    if cut > 0 {
        lines.push(format!(
            "{} finer than milliseconds, cut",
            plural(cut, "timestamp")
        ));
    }
    lines
}

fn sums(receipt: &Receipt) -> String {
    let mut text = format!("files: {}\n", files_line(receipt));
    let sum = |field: fn(&Taken) -> u64| taken(receipt).map(|(_, taken)| field(taken)).sum::<u64>();
    let lines = sum(|taken| taken.lines);
    if lines > 0 {
        let _ = writeln!(
            text,
            "lines: {} = {} stored + {} rejected + {} blank or header",
            thousands(lines),
            thousands(sum(|taken| taken.rows)),
            thousands(sum(|taken| taken.rejected)),
            thousands(sum(|taken| taken.blank)),
        );
    }
    if receipt.days > 0 {
        let again = match receipt.days_rewritten {
            0 => String::new(),
            days => format!(
                ", {} of them had rows before and took {:.1} s",
                thousands(days),
                receipt.days_rewritten_seconds
            ),
        };
        let _ = writeln!(text, "days: {}{again}", thousands(receipt.days));
    }
    let upkeep = &receipt.upkeep;
    if let Some(error) = &upkeep.error {
        let _ = writeln!(
            text,
            "derived files of months were not built: {}; answers are right but slower until footfall rebuild",
            printable(error)
        );
    } else if upkeep.files > 0 {
        let kinds = upkeep.kinds.iter();
        let kinds: Vec<String> = kinds
            .map(|kind| format!("{} {} {:.1} s", kind.files, kind.kind, kind.seconds))
            .collect();
        let _ = writeln!(
            text,
            "derived files of months: {} built, {:.1} s ({})",
            thousands(upkeep.files),
            upkeep.seconds,
            kinds.join(", ")
        );
    }
    let _ = writeln!(text, "took {}", speed(receipt));
    let stages = receipt.stages.iter();
    let stages: Vec<String> = stages
        .map(|time| {
            format!(
                "{} {:.1} of {:.1}",
                time.stage, time.cpu_seconds, time.seconds
            )
        })
        .collect();
    if !stages.is_empty() {
        let _ = writeln!(text, "threads, CPU s of s: {}", stages.join(", "));
    }
    text
}

fn plural(count: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        thousands(count),
        if count == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::ingest::pipeline::{FileReceipt, StageTime, Upkeep};
    use footfall_engine::store::KindReport;

    fn file(path: &str, outcome: Outcome) -> FileReceipt {
        FileReceipt {
            path: path.to_owned(),
            outcome,
        }
    }

    fn taken_in_part() -> Taken {
        Taken {
            lines: 1_003,
            rows: 1_000,
            rejected: 2,
            blank: 1,
            new_columns: vec!["referer".to_owned()],
            rejects_path: Some("rejects/1.csv".to_owned()),
            samples: vec![(7, "status: not a number: abc".to_owned())],
            ..Taken::default()
        }
    }

    fn stage(stage: &'static str, (cpu_seconds, seconds): (f64, f64)) -> StageTime {
        StageTime {
            stage,
            seconds,
            cpu_seconds,
        }
    }

    #[test]
    fn everything_a_person_has_to_know() {
        let bad = Outcome::Refused {
            error: "b.csv: no column timestamp".to_owned(),
            help: Some("--map when=timestamp".to_owned()),
            samples: Vec::new(),
        };
        let receipt = Receipt {
            files: vec![
                file("a.csv", Outcome::Taken(taken_in_part())),
                file("b.csv", bad),
                file(
                    "c.csv",
                    Outcome::Seen {
                        import: 1,
                        as_path: "old.csv".to_owned(),
                    },
                ),
                file(
                    ".d",
                    Outcome::Left {
                        why: "hidden".to_owned(),
                    },
                ),
            ],
            rows: 1_000,
            rejected: 2,
            commits: 1,
            days: 3,
            days_rewritten: 1,
            days_rewritten_seconds: 0.25,
            upkeep: Upkeep {
                files: 2,
                seconds: 0.1,
                kinds: vec![KindReport {
                    kind: "series",
                    files: 2,
                    bytes: 1_000,
                    seconds: 0.25,
                }],
                error: None,
            },
            bytes: 2_000_000,
            seconds: 2.0,
            stages: vec![stage("read", (1.25, 1.5)), stage("parse", (2.0, 2.0))],
        };
        let expected = "\
refused b.csv: no column timestamp
  help: --map when=timestamp
rejected 2 lines of a.csv
  line 7: status: not a number: abc
  they are in rejects/1.csv; mend and ingest it
left for the next run: .d (hidden)
new columns, kept: extra.referer
files: 1 taken, 1 known already, 1 refused, 1 left for the next run
lines: 1,003 = 1,000 stored + 2 rejected + 1 blank or header
days: 3, 1 of them had rows before and took 0.2 s
derived files of months: 2 built, 0.1 s (2 series 0.2 s)
took 2.0 s: 2.0 MB, 500 rows/s
threads, CPU s of s: read 1.2 of 1.5, parse 2.0 of 2.0
store: ./footfall-store
";
        assert_eq!(text(&receipt, Path::new("./footfall-store")), expected);
    }

    #[test]
    fn revisions_are_said() {
        let text = |revisions| {
            let taken = Taken {
                rows: 5,
                revisions: Some(revisions),
                ..Taken::default()
            };
            let files = vec![file("p.csv", Outcome::Taken(taken))];
            text(
                &Receipt {
                    files,
                    ..Receipt::default()
                },
                Path::new("s"),
            )
        };
        assert!(
            text(0)
                .starts_with("publisher CSV p.csv: 5 values, nothing known before has changed\n")
        );
        assert!(
            text(1).starts_with("publisher CSV p.csv: 5 values, 1 value known before has changed")
        );
        assert!(text(2).starts_with("publisher CSV p.csv: 5 values, 2 values known before have"));
    }
}

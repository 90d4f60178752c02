//! A real publisher CSV, if it lies beside the checkout: in, through its file, and out again (tests).

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::{
    HubCounts, HubImport, HubParse, HubState, ParseOptions, RevisionKind, RowOrder, export_hub_csv,
    parse, revisions,
};
use crate::units::{Day, ImportNumber, TimestampMs};

const FILE: &str = "../shared/data/publisher-cran-2013.csv.gz";

/// Decompressed, or `None` where the file is not at hand.
fn real_csv() -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let found = [root.join(FILE), root.join("..").join(FILE)]
        .into_iter()
        .find_map(|path| std::fs::read(path).ok());
    let Some(packed) = found else {
        println!("skipped: no {FILE}");
        return None;
    };
    let mut csv = Vec::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice())
        .read_to_end(&mut csv)
        .unwrap();
    Some(csv)
}

fn import(number: u32, csv: &[u8]) -> Arc<HubImport> {
    let table = parse(csv, &ParseOptions::default()).unwrap().table;
    let known_at = TimestampMs(u64::from(number));
    Arc::new(HubImport {
        number: ImportNumber(number),
        known_at,
        partial: false,
        table,
    })
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    println!("{what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    result
}

#[test]
fn the_real_file_comes_back_byte_for_byte() {
    let Some(csv) = real_csv() else { return };
    let read = timed("parse", || {
        parse(csv.as_slice(), &ParseOptions::default()).unwrap()
    });
    let HubParse { table, counts } = read;
    let rows = 1_678_592;
    assert_eq!(
        counts,
        HubCounts {
            lines: rows + 1,
            rows,
            ..HubCounts::default()
        }
    );
    assert_eq!(table.repos().len(), 5_924);
    assert_eq!(table.order(), &RowOrder::Grouped);
    let (number, known_at) = (ImportNumber(1), TimestampMs(1));
    let import = HubImport {
        number,
        known_at,
        partial: false,
        table,
    };
    let file = timed("to_bytes", || import.to_bytes().unwrap());
    println!("{:.3} bytes per row", file.len() as f64 / rows as f64);
    assert!(file.len() as u64 <= 3 * rows);
    let read = timed("from_bytes", || HubImport::from_bytes(&file).unwrap());
    assert_eq!(read, import);
    let imports = [Arc::new(read)];
    let state = timed("fold", || HubState::fold(&imports, None));
    let sums = (0..state.repos().len()).map(|index| state.days(index).1.iter().sum::<u64>());
    assert_eq!(sums.clone().sum::<u64>(), 23_585_147);
    assert!(sums.eq(state.repos().iter().map(|repo| repo.total)));
    assert_eq!(state.first_day().unwrap().to_string(), "2013-01-01");
    assert_eq!(state.last_day().unwrap().to_string(), "2013-12-31");
    assert_eq!(
        state.newest_complete_day().unwrap().to_string(),
        "2013-12-30"
    );
    assert_eq!(state.present_days().len(), 365);
    let mut out = Vec::with_capacity(csv.len());
    let written = timed("export", || {
        export_hub_csv(&state, |_| true, &mut out).unwrap()
    });
    assert_eq!(written, rows);
    assert!(out == csv, "the export differs from the input");
}

#[test]
fn planted_revisions_of_the_real_file_are_found() {
    let Some(csv) = real_csv() else { return };
    let text = std::str::from_utf8(&csv).unwrap();
    let mut planted = Vec::new();
    let mut revised = String::with_capacity(text.len());
    for (line_index, line) in text.lines().enumerate() {
        let mut fields: Vec<_> = line.split(',').map(str::to_owned).collect();
        let number = fields[4].parse::<u64>().unwrap_or(0);
        let cell = |kind| (fields[1].clone(), fields[3][..10].to_owned(), kind);
        if line_index > 0 && line_index.is_multiple_of(40_009) {
            planted.push(cell(RevisionKind::Removed));
            continue;
        }
        if line_index > 0 && line_index.is_multiple_of(50_021) {
            planted.push(cell(RevisionKind::Changed));
            fields[4] = (number / 2).to_string();
        }
        revised.push_str(&fields.join(","));
        revised.push('\n');
    }
    revised.push_str("model,cran/a-new-one,3,2013-12-31T00:00:00.000Z,1\n");
    revised.push_str("model,cran/a-new-one,3,2014-01-01T00:00:00.000Z,2\n");
    planted.push((
        "cran/a-new-one".to_owned(),
        "2013-12-31".to_owned(),
        RevisionKind::Added,
    ));
    planted.sort();
    let imports = [import(1, &csv), import(2, revised.as_bytes())];
    let found = timed("revisions", || revisions(&imports));
    let listed: Vec<_> = found
        .days
        .iter()
        .map(|revision| {
            (
                revision.repo.to_string(),
                revision.day.to_string(),
                revision.kind(),
            )
        })
        .collect();
    assert_eq!(listed, planted);
    assert_eq!(found.growth, 1);
    let last = Day(16_070);
    assert!(
        found
            .days
            .iter()
            .all(|revision| revision.was_complete == (revision.day < last))
    );
    let before = HubState::fold(&imports, Some(TimestampMs(1)));
    let mut out = Vec::with_capacity(csv.len());
    export_hub_csv(&before, |_| true, &mut out).unwrap();
    assert!(out == csv, "what was known before is no longer so");
}

//! Every row column made unreadable, to the questions that are answered all the same: those that read no rows.

use std::fs;
use std::path::Path;

use footfall_engine::encoding::{ChunkIndex, ColumnId};
use footfall_engine::layout::{FileKind, FileView, SectionId};
use footfall_engine::query::Answer;
use footfall_engine::segment::column::{ODD_ROW, ODD_VERB, ROW_GAP};
use footfall_engine::store::Store;

use crate::scene::*;

const SECTION_INDEX: SectionId = SectionId(2);
const SECTION_PAGES: SectionId = SectionId(3);
const ROW_COLUMNS: [ColumnId; 3] = [ROW_GAP, ODD_ROW, ODD_VERB];

/// What is asked about clients.
const CLIENTS: [&str; 9] = [
    "clients",
    "clients by month",
    "clients by week where repo_type = model",
    "clients transformers",
    "clients transformers by month",
    "shared",
    "requests, downloads, downloaders by client",
    "downloaders by ci last 7d",
    "downloaders by client_version where client = hf_hub",
];

/// Changes a bit of every row column of a segment; gives how many columns it has.
fn spoil(path: &Path) -> usize {
    let mut bytes = fs::read(path).unwrap();
    let mut places = Vec::new();
    {
        let view = FileView::parse(&bytes, FileKind::Segment).unwrap();
        let pages = view.section_required(SECTION_PAGES).unwrap();
        let index = view.section_required(SECTION_INDEX).unwrap();
        let index = ChunkIndex::parse(index, pages.len() as u64).unwrap();
        let start = pages.as_ptr() as usize - bytes.as_ptr() as usize;
        let mut at = start;
        for (id, _, len) in index.columns() {
            if ROW_COLUMNS.contains(&id) {
                places.push(at);
            }
            at += usize::try_from(len).unwrap();
        }
    }
    for place in &places {
        bytes[*place] ^= 0x55;
    }
    fs::write(path, bytes).unwrap();
    places.len()
}

#[test]
fn questions_about_clients_are_answered_without_rows() {
    let scene = Scene::new();
    let store = scene.store();
    let files = footfall_generate::generate(&plan(60_000, 40), &scene.logs(), &mut |_| {});
    ingest(&store, &files.unwrap().files);
    let answers = |store: &Store| -> Vec<Answer> {
        let asked = CLIENTS.iter().map(|text| store.ask(text));
        asked.collect::<Result<_, _>>().unwrap()
    };
    let before = answers(&store);
    drop(store);

    let dir = scene.store().dir().to_owned();
    let files = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let segments = files.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("segment")
    });
    let spoiled: usize = segments.map(|path| spoil(&path)).sum();
    assert!(spoiled >= 40, "{spoiled}");

    let store = Store::open(&dir).unwrap();
    // What has to read rows says that it cannot.
    assert!(store.ask("downloads rule counter").is_err());
    let after = answers(&store);
    for ((text, before), after) in CLIENTS.iter().zip(&before).zip(&after) {
        assert!(before.same_as(after), "{text}");
    }
}

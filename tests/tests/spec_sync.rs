//! What `format-spec/` says and what the code does are the same.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use footfall_engine::bitmap::SET_KINDS;
use footfall_engine::encoding::{
    ENCODINGS, HEAVY_GAIN_PERCENT_MIN, HEAVY_VALUES_MIN, KEPT_GAIN_PERCENT_MIN,
};
use footfall_engine::layout::{
    EncodingId, FEATURES_KNOWN, FILE_HEADER_BYTES, FILE_MAGIC, FILE_TAIL_BYTES, FORMAT_VERSION,
    Features, FileBuilder, FileHeader, FileKind, PAGE_HEADER_BYTES, PAGE_VALUES_MAX, PageHeader,
    SECTION_BYTES, SECTIONS_MAX, SectionId, crc32,
};
use footfall_tests::support::{files, spec_table, text};

/// Numbers that are on disk, or bound what may be: a change here is a change of the layout. Ids of
/// encodings and file kinds, and offsets, are compared with the spec below.
#[test]
fn on_disk_constants_are_as_they_were() {
    let now = format!(
        "file magic {}\nformat version {FORMAT_VERSION}\nfeatures {:x} {:x} {:x}\n\
         file header {FILE_HEADER_BYTES}\nsection {SECTION_BYTES}\nsections max {SECTIONS_MAX}\n\
         file tail {FILE_TAIL_BYTES}\npage header {PAGE_HEADER_BYTES}\npage values max {PAGE_VALUES_MAX}\n\
         heavy gain {HEAVY_GAIN_PERCENT_MIN} %\nkept gain {KEPT_GAIN_PERCENT_MIN} %\nheavy values min {HEAVY_VALUES_MIN}\n",
        FILE_MAGIC.escape_ascii(),
        FEATURES_KNOWN.must_understand,
        FEATURES_KNOWN.must_understand_to_write,
        FEATURES_KNOWN.ignorable,
    );
    let then = "\
file magic FTFL
format version 1
features 0 0 0
file header 36
section 24
sections max 4096
file tail 12
page header 13
page values max 16777216
heavy gain 8 %
kept gain 2 %
heavy values min 64
";
    assert_eq!(now, then);
}

#[test]
fn encodings_match() {
    let spec: Vec<_> = spec_table("encodings.md", "encodings")
        .iter()
        .map(|row| row[..3].join(" "))
        .collect();
    let code: Vec<_> = ENCODINGS
        .iter()
        .map(|encoding| {
            let EncodingId(id) = encoding.id();
            format!("{id} {} {}", encoding.name(), encoding.depth())
        })
        .collect();
    assert_eq!(spec, code);
    let chapter = text("format-spec/encodings.md");
    for encoding in ENCODINGS {
        assert!(chapter.contains(&format!("\n## {}\n", encoding.name())));
    }
}

#[test]
fn file_kinds_match() {
    let spec: Vec<_> = spec_table("README.md", "file-kinds")
        .iter()
        .map(|row| row[..2].join(" "))
        .collect();
    let code: Vec<_> = FileKind::ALL
        .iter()
        .map(|kind| format!("{} {}", kind.id(), kind.name()))
        .collect();
    assert_eq!(spec, code);
}

#[test]
fn set_kinds_match() {
    let spec: Vec<_> = spec_table("sets.md", "set-kinds")
        .iter()
        .map(|row| row[..2].join(" "))
        .collect();
    let code = SET_KINDS.map(|(id, name)| format!("{id} {name}"));
    assert_eq!(spec, code);
}

#[test]
fn bucket_kinds_are_three() {
    // Their bytes are in the worked example and in the encoding's own tests.
    let spec = spec_table("encodings.md", "bucket-kinds");
    let ids: Vec<_> = spec.iter().map(|row| row[..2].join(" ")).collect();
    assert_eq!(ids, ["1 alone", "2 by_previous", "3 by_previous_short"]);
}

/// A table that no test reads would drift.
#[test]
fn every_table_is_read_by_a_test() {
    let dirs = ["engine", "server", "cli", "tests"];
    let sources: String = dirs
        .iter()
        .flat_map(|dir| files(dir, ".rs"))
        .map(|path| text(&path))
        .collect();
    let mut table_count = 0;
    for path in files("format-spec", ".md") {
        for line in text(&path).lines() {
            let name = line.trim().strip_prefix("<!-- table: ");
            let Some(name) = name.and_then(|name| name.strip_suffix(" -->")) else {
                continue;
            };
            table_count += 1;
            assert!(
                sources.contains(&format!("\"{name}\"")),
                "{path}: no test reads the table {name}"
            );
        }
    }
    assert!(table_count >= 7);
}

#[test]
fn page_header_matches() {
    let zero = PageHeader {
        encoding: EncodingId(0),
        value_count: 0,
        payload_bytes: 0,
        crc32: 0,
    };
    let mut fields = Fields::of("README.md", "page-header", zero.to_bytes().to_vec());
    let with = |change: &dyn Fn(&mut PageHeader)| {
        let mut header = zero;
        change(&mut header);
        header.to_bytes().to_vec()
    };
    fields.next(
        "encoding id",
        &with(&|header| header.encoding = EncodingId(u8::MAX)),
    );
    fields.next(
        "value count",
        &with(&|header| header.value_count = u32::MAX),
    );
    fields.next(
        "payload bytes",
        &with(&|header| header.payload_bytes = u32::MAX),
    );
    fields.next("page crc32", &with(&|header| header.crc32 = u32::MAX));
    fields.finish(PAGE_HEADER_BYTES);
    let header = PageHeader::of(EncodingId(3), 5, b"payload").unwrap();
    assert_eq!(header.crc32, crc32(&[&header.to_bytes()[..9], b"payload"]));
}

#[test]
fn file_header_matches() {
    let spec = spec_table("README.md", "file-header");
    let mut header = FileHeader::new(FileKind::Hub);
    header.format_version = 0x0a0b;
    header.features = Features {
        must_understand: 1,
        must_understand_to_write: 2,
        ignorable: 3,
    };
    let bytes = header.to_bytes();
    let expected: [(&str, &[u8]); 7] = [
        ("magic", b"FTFL"),
        ("format version", &[0x0b, 0x0a]),
        ("file kind", &[7, 0]),
        ("must understand", &1_u64.to_le_bytes()),
        ("must understand to write", &2_u64.to_le_bytes()),
        ("ignorable", &3_u64.to_le_bytes()),
        ("header crc32", &crc32(&[&bytes[..32]]).to_le_bytes()),
    ];
    assert_fields(&spec, &bytes, &expected);
}

#[test]
fn footer_and_tail_match() {
    let mut builder = FileBuilder::new(FileKind::Cells);
    builder
        .section(SectionId(9), b"nine")
        .section(SectionId(0x0102_0304), b"second");
    let file = builder.finish().unwrap();
    let footer = &file[FILE_HEADER_BYTES + 10..file.len() - FILE_TAIL_BYTES];
    assert_eq!(footer.len(), 2 * SECTION_BYTES);
    let section: [(&str, &[u8]); 4] = [
        ("section id", &[4, 3, 2, 1]),
        ("offset", &40_u64.to_le_bytes()),
        ("length", &6_u64.to_le_bytes()),
        ("section crc32", &crc32(&[b"second"]).to_le_bytes()),
    ];
    let spec = spec_table("README.md", "section");
    assert_fields(&spec, &footer[SECTION_BYTES..], &section);
    let tail: [(&str, &[u8]); 3] = [
        ("footer bytes", &48_u32.to_le_bytes()),
        ("footer crc32", &crc32(&[&file[..32], footer]).to_le_bytes()),
        ("magic", b"FTFL"),
    ];
    let spec = spec_table("README.md", "file-tail");
    assert_fields(&spec, &file[file.len() - FILE_TAIL_BYTES..], &tail);
}

#[test]
fn crc32_is_the_usual_one() {
    assert_eq!(crc32(&[b"1234", b"56789"]), 0xcbf4_3926);
}

/// The rows of a spec table name these fields, lie side by side, and the bytes are there.
fn assert_fields(spec: &[Vec<String>], bytes: &[u8], expected: &[(&str, &[u8])]) {
    assert_eq!(spec.len(), expected.len());
    let mut end = 0;
    for (row, (name, value)) in spec.iter().zip(expected) {
        let (offset, size): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        assert_eq!((row[2].as_str(), offset), (*name, end));
        end = offset + size;
        assert_eq!(&bytes[offset..end], *value, "{name}");
    }
    assert_eq!(end, bytes.len());
}

/// Compares a table with a type field by field: setting a field changes its bytes and no others.
struct Fields {
    spec: std::vec::IntoIter<Vec<String>>,
    zero: Vec<u8>,
    end: usize,
}

impl Fields {
    fn of(file: &str, table: &str, zero: Vec<u8>) -> Self {
        let spec = spec_table(file, table).into_iter();
        Self { spec, zero, end: 0 }
    }

    fn next(&mut self, name: &str, with_ones: &[u8]) {
        let row = self.spec.next().unwrap();
        let (offset, size): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        assert_eq!((row[2].as_str(), offset), (name, self.end));
        self.end = offset + size;
        let mut expected = self.zero.clone();
        expected[offset..self.end].fill(u8::MAX);
        assert_eq!(with_ones, expected, "{name}");
    }

    fn finish(mut self, bytes: usize) {
        assert!(self.spec.next().is_none());
        assert_eq!(self.end, bytes);
    }
}

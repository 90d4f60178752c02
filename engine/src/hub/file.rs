//! A [`HubImport`] to the bytes of its file, and back.
//!
//! # On disk
//!
//! `format-spec/hub.md`: the frame of every file (`layout`), and seven sections or eight.
//!
//! # Limits
//!
//! A repo has at most one row for each of the days up to 2199-12-31; with distinct names this bounds
//! what a damaged count can ask for.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use super::import::{HubHead, HubImport};
use super::names::{push_names, read_names};
use super::sequence::{push_u32s, push_u64s, read_u32s, read_u64s};
use super::table::{HubRepo, HubTable, RowOrder, Rows};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileBuilder, FileKind, FileView, SectionId};
use crate::units::{DAY_MAX, Day, ImportNumber, TimestampMs};

/// [`HubHead`].
pub const SECTION_HEAD: SectionId = SectionId(1);
/// Types and names of the repos.
pub const SECTION_NAMES: SectionId = SectionId(2);
/// All-time numbers of the repos.
pub const SECTION_TOTALS: SectionId = SectionId(3);
/// Rows of each repo.
pub const SECTION_ROW_COUNTS: SectionId = SectionId(4);
/// First day of each repo.
pub const SECTION_FIRST_DAYS: SectionId = SectionId(5);
/// Days left out before each row that is not its repo's first.
pub const SECTION_GAPS: SectionId = SectionId(6);
/// Downloads of each row.
pub const SECTION_DOWNLOADS: SectionId = SectionId(7);
/// The order of the rows in the CSV, if it was not grouped.
pub const SECTION_ORDER: SectionId = SectionId(8);

/// Flag of a partial import.
const FLAG_PARTIAL: u8 = 1;

impl HubImport {
    /// The bytes of its file; the same import gives the same bytes.
    ///
    /// # Errors
    ///
    /// `Limit` beyond 2³² repos or bytes of a name.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let table = &self.table;
        let totals: Vec<_> = table.repos().iter().map(|repo| repo.total).collect();
        let row_counts: Vec<_> = table.row_counts().collect();
        let (first_days, gaps) = split_days(table);
        let mut builder = FileBuilder::new(FileKind::Hub);
        let mut section = |id, write: &dyn Fn(&mut Vec<u8>) -> Result<()>| {
            let mut result = Ok(());
            builder.section_with(id, |out| result = write(out));
            result
        };
        section(SECTION_HEAD, &|out| push_head(&self.head(), out))?;
        section(SECTION_NAMES, &|out| push_names(table.repos(), out))?;
        section(SECTION_TOTALS, &|out| push_u64s(&totals, out))?;
        section(SECTION_ROW_COUNTS, &|out| push_u32s(&row_counts, out))?;
        section(SECTION_FIRST_DAYS, &|out| push_u32s(&first_days, out))?;
        section(SECTION_GAPS, &|out| push_u32s(&gaps, out))?;
        section(SECTION_DOWNLOADS, &|out| push_u64s(table.downloads(), out))?;
        if let RowOrder::Listed(order) = table.order() {
            section(SECTION_ORDER, &|out| push_u32s(&steps(order), out))?;
        }
        builder.finish()
    }

    /// Reads a file that [`HubImport::to_bytes`] wrote, and checks every byte.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let view = FileView::parse(bytes, FileKind::Hub)?;
        view.verify()?;
        let head = read_head(&view)?;
        let import = Self {
            number: head.number,
            known_at: head.known_at,
            partial: head.partial,
            table: read_table(&view, &head)?,
        };
        if import.head() != head {
            return Err(Error::corrupt("hub import: its head does not fit its rows"));
        }
        Ok(import)
    }
}

impl HubHead {
    /// Reads only the head of a file that [`HubImport::to_bytes`] wrote; the rest is not checked.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read_head(&FileView::parse(bytes, FileKind::Hub)?)
    }
}

fn push_head(head: &HubHead, out: &mut Vec<u8>) -> Result<()> {
    let count = |count: u64| {
        u32::try_from(count).map_err(|_| Error::limit("a hub import of 2^32 rows or repos"))
    };
    let mut writer = ByteWriter::new(out);
    writer
        .u32(head.number.get())
        .u64(head.known_at.get())
        .u8(if head.partial { FLAG_PARTIAL } else { 0 })
        .u32(count(head.repo_count)?)
        .u32(count(head.row_count)?)
        .varint(head.orgs.len() as u64);
    for org in &head.orgs {
        let text = org.as_deref().unwrap_or_default();
        let is_present = u64::from(org.is_some());
        writer
            .varint(text.len() as u64 + is_present)
            .bytes(text.as_bytes());
    }
    Ok(())
}

fn read_head(view: &FileView<'_>) -> Result<HubHead> {
    let mut reader = ByteReader::new(view.section_required(SECTION_HEAD)?);
    let number = ImportNumber(reader.u32()?);
    let known_at = TimestampMs(reader.u64()?);
    let flags = reader.u8()?;
    if flags & !FLAG_PARTIAL != 0 {
        return Err(reader.corrupt(format!("hub import with flags {flags:#x}")));
    }
    let repo_count = u64::from(reader.u32()?);
    let row_count = u64::from(reader.u32()?);
    let org_count = reader.varint_len(reader.remaining())?;
    let mut orgs = Vec::with_capacity(org_count);
    for _ in 0..org_count {
        orgs.push(
            match reader.varint_len(reader.remaining())?.checked_sub(1) {
                None => None,
                Some(len) => {
                    let text = std::str::from_utf8(reader.bytes(len)?);
                    Some(
                        text.map_err(|_| reader.corrupt("an org is not UTF-8"))?
                            .to_owned(),
                    )
                }
            },
        );
    }
    reader.finish()?;
    let partial = flags & FLAG_PARTIAL != 0;
    Ok(HubHead {
        number,
        known_at,
        partial,
        orgs,
        repo_count,
        row_count,
    })
}

fn read_table(view: &FileView<'_>, head: &HubHead) -> Result<HubTable> {
    let too_many = |_| Error::limit("a hub import larger than the memory of this machine");
    let repo_count = usize::try_from(head.repo_count).map_err(too_many)?;
    let row_count = usize::try_from(head.row_count).map_err(too_many)?;
    let mut repos = read_names(view.section_required(SECTION_NAMES)?, repo_count)?;
    HubTable::check_distinct(&repos)?;
    read_totals(view, &mut repos)?;
    let starts = read_starts(view, repo_count, row_count)?;
    let days = read_days(view, &starts)?;
    let downloads = read_whole(view, SECTION_DOWNLOADS, row_count, read_u64s)?;
    let order = match view.section(SECTION_ORDER) {
        None => RowOrder::Grouped,
        Some(_) => RowOrder::Listed(unsteps(read_whole(
            view,
            SECTION_ORDER,
            row_count,
            read_u32s,
        )?)),
    };
    HubTable::new(
        repos,
        Rows {
            starts,
            days,
            downloads,
        },
        order,
    )
}

type Read<T> = fn(&mut ByteReader<'_>, usize) -> Result<Vec<T>>;

/// The values of a section that holds `count` of them and nothing else.
fn read_whole<T>(
    view: &FileView<'_>,
    id: SectionId,
    count: usize,
    read: Read<T>,
) -> Result<Vec<T>> {
    let (offset, _) = view.section_range(id).unwrap_or_default();
    let mut reader = ByteReader::at(view.section_required(id)?, offset);
    let values = read(&mut reader, count)?;
    reader.finish()?;
    Ok(values)
}

fn read_totals(view: &FileView<'_>, repos: &mut [HubRepo]) -> Result<()> {
    let totals = read_whole(view, SECTION_TOTALS, repos.len(), read_u64s)?;
    for (repo, total) in repos.iter_mut().zip(totals) {
        repo.total = total;
    }
    Ok(())
}

fn read_starts(view: &FileView<'_>, repo_count: usize, row_count: usize) -> Result<Vec<u32>> {
    let mut starts = vec![0];
    let mut end = 0_u32;
    for count in read_whole(view, SECTION_ROW_COUNTS, repo_count, read_u32s)? {
        if count > DAY_MAX.get() + 1 {
            return Err(Error::corrupt(format!("a repo with {count} days")));
        }
        end = end
            .checked_add(count)
            .ok_or_else(|| Error::corrupt("2^32 rows of a hub import"))?;
        starts.push(end);
    }
    if end as usize != row_count {
        return Err(Error::corrupt(format!(
            "{end} rows of repos, the head has {row_count}"
        )));
    }
    Ok(starts)
}

/// First day of each repo, and for each other row how many days were left out before it.
fn split_days(table: &HubTable) -> (Vec<u32>, Vec<u32>) {
    let mut first_days = Vec::with_capacity(table.repos().len());
    let mut gaps = Vec::with_capacity(table.days().len());
    for repo_index in 0..table.repos().len() {
        let (days, _) = table.series(repo_index);
        first_days.extend(days.first().map(|day| day.get()));
        let gap = |(before, day): (&Day, &Day)| day.get() - before.get() - 1;
        gaps.extend(days.iter().zip(days.iter().skip(1)).map(gap));
    }
    (first_days, gaps)
}

fn read_days(view: &FileView<'_>, starts: &[u32]) -> Result<Vec<Day>> {
    let repo_count = starts.len().saturating_sub(1);
    let row_count = starts.last().map_or(0, |end| *end as usize);
    let first_days = read_whole(view, SECTION_FIRST_DAYS, repo_count, read_u32s)?;
    let gap_count = row_count.saturating_sub(repo_count);
    let gaps = read_whole(view, SECTION_GAPS, gap_count, read_u32s)?;
    let mut gaps = gaps.as_slice();
    let mut days = Vec::with_capacity(row_count);
    for (bounds, first_day) in starts.windows(2).zip(first_days) {
        let &[start, end] = bounds else { continue };
        let Some((own, others)) = end
            .checked_sub(start + 1)
            .and_then(|count| gaps.split_at_checked(count as usize))
        else {
            return Err(Error::corrupt("a repo without rows"));
        };
        gaps = others;
        let mut day = first_day;
        days.push(Day(day));
        for gap in own {
            // Wrapping days do not ascend, which the table's check finds.
            day = day.wrapping_add(*gap).wrapping_add(1);
            days.push(Day(day));
        }
    }
    Ok(days)
}

/// Each value as the step from one behind the value before it, wrapping: 0 where they ascend by one.
fn steps(order: &[u32]) -> Vec<u32> {
    let mut expected = 0;
    let step = |row: &u32| {
        let step = row.wrapping_sub(expected);
        expected = row.wrapping_add(1);
        step
    };
    order.iter().map(step).collect()
}

fn unsteps(mut steps: Vec<u32>) -> Vec<u32> {
    let mut expected = 0_u32;
    for step in &mut steps {
        *step = expected.wrapping_add(*step);
        expected = step.wrapping_add(1);
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{any_rows, csv_of, import};
    use super::*;
    use crate::ErrorKind;

    fn sample() -> HubImport {
        let key = |repo: &str| ("model".to_owned(), repo.to_owned());
        let rows = [
            (key("a/x"), Day(15_003), 7),
            (key("bare"), Day(15_000), u64::MAX),
            (key("a/x"), Day(15_001), 0),
        ];
        HubImport::clone(&import(3, 99, true, &csv_of(&rows, 5)))
    }

    /// The file with a section's content replaced, and every checksum right.
    fn with_section(file: &[u8], replaced: SectionId, content: &[u8]) -> Vec<u8> {
        let view = FileView::parse(file, FileKind::Hub).unwrap();
        let mut builder = FileBuilder::new(FileKind::Hub);
        for id in view.section_ids() {
            let old = view.section(id).unwrap();
            builder.section(id, if id == replaced { content } else { old });
        }
        builder.finish().unwrap()
    }

    proptest! {
        #[test]
        fn imports_come_back(rows in any_rows(60), partial: bool, known_at: u64) {
            let import = import(7, known_at, partial, &csv_of(&rows, 1));
            let file = import.to_bytes().unwrap();
            prop_assert_eq!(&HubImport::from_bytes(&file).unwrap(), &*import);
            prop_assert_eq!(HubHead::from_bytes(&file).unwrap(), import.head());
        }
    }

    #[test]
    fn the_head_says_what_is_in_it() {
        let import = sample();
        let head = HubHead::from_bytes(&import.to_bytes().unwrap()).unwrap();
        assert_eq!(head.orgs, [None, Some("a".to_owned())]);
        assert_eq!((head.repo_count, head.row_count), (2, 3));
        assert_eq!(
            (head.number, head.known_at, head.partial),
            (ImportNumber(3), TimestampMs(99), true)
        );
        assert_eq!(import.table.order(), &RowOrder::Listed(vec![1, 2, 0]));
    }

    #[test]
    fn every_flip_and_every_cut_is_found() {
        let file = sample().to_bytes().unwrap();
        for index in 0..file.len() {
            assert!(HubImport::from_bytes(&file[..index]).is_err());
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[index] ^= 1 << bit;
                assert!(HubImport::from_bytes(&flipped).is_err(), "{index} {bit}");
            }
        }
    }

    #[test]
    fn bytes_with_right_checksums_never_panic() {
        let import = sample();
        let file = import.to_bytes().unwrap();
        let ids: Vec<_> = FileView::parse(&file, FileKind::Hub)
            .unwrap()
            .section_ids()
            .collect();
        assert_eq!(ids.len(), 8);
        for id in ids {
            let content = FileView::parse(&file, FileKind::Hub)
                .unwrap()
                .section(id)
                .unwrap()
                .to_vec();
            for index in 0..content.len() {
                for value in (0..=255).step_by(3).chain([1, content[index] ^ 1]) {
                    let mut damaged = content.clone();
                    damaged[index] = value;
                    let damaged = with_section(&file, id, &damaged);
                    if let Ok(read) = HubImport::from_bytes(&damaged) {
                        assert_eq!(
                            HubImport::from_bytes(&read.to_bytes().unwrap()).unwrap(),
                            read
                        );
                    }
                }
                let cut = with_section(&file, id, &content[..index]);
                assert_eq!(
                    HubImport::from_bytes(&cut).unwrap_err().kind(),
                    ErrorKind::Corrupt
                );
            }
            let longer = with_section(&file, id, &[content.as_slice(), &[0]].concat());
            assert!(HubImport::from_bytes(&longer).is_err(), "section {}", id.0);
        }
    }

    #[test]
    fn a_missing_section_is_corrupt() {
        let file = sample().to_bytes().unwrap();
        let view = FileView::parse(&file, FileKind::Hub).unwrap();
        for left_out in view.section_ids().filter(|id| *id != SECTION_ORDER) {
            let mut builder = FileBuilder::new(FileKind::Hub);
            for id in view.section_ids().filter(|id| *id != left_out) {
                builder.section(id, view.section(id).unwrap());
            }
            let error = HubImport::from_bytes(&builder.finish().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "section {}", left_out.0);
        }
    }

    #[test]
    fn counts_without_names_are_refused_before_memory_is_asked_for() {
        let file = sample().to_bytes().unwrap();
        let mut head = sample().head();
        (head.repo_count, head.row_count) = (u64::from(u32::MAX), u64::from(u32::MAX));
        let mut content = Vec::new();
        push_head(&head, &mut content).unwrap();
        let error =
            HubImport::from_bytes(&with_section(&file, SECTION_HEAD, &content)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    /// Body rows of a table of the chapter.
    fn spec_table(name: &str) -> Vec<Vec<String>> {
        let spec = include_str!("../../../format-spec/hub.md");
        let rows = spec
            .lines()
            .skip_while(|line| *line != format!("<!-- table: {name} -->"));
        rows.skip(3)
            .take_while(|line| *line != "<!-- end -->")
            .map(|line| {
                line.trim_matches('|')
                    .split('|')
                    .map(|cell| cell.trim().into())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_sections_are_those_of_the_spec() {
        let spec: Vec<u32> = spec_table("hub-sections")
            .iter()
            .map(|row| row[0].parse().unwrap())
            .collect();
        let file = sample().to_bytes().unwrap();
        let view = FileView::parse(&file, FileKind::Hub).unwrap();
        assert_eq!(view.section_ids().map(|id| id.0).collect::<Vec<_>>(), spec);
    }

    #[test]
    fn the_head_is_that_of_the_spec() {
        let zero = HubHead {
            number: ImportNumber(0),
            known_at: TimestampMs(0),
            partial: false,
            orgs: vec![],
            repo_count: 0,
            row_count: 0,
        };
        let most = u64::from(u32::MAX);
        let set = [
            HubHead {
                number: ImportNumber(u32::MAX),
                ..zero.clone()
            },
            HubHead {
                known_at: TimestampMs(u64::MAX),
                ..zero.clone()
            },
            HubHead {
                partial: true,
                ..zero.clone()
            },
            HubHead {
                repo_count: most,
                ..zero.clone()
            },
            HubHead {
                row_count: most,
                ..zero
            },
        ];
        let spec = spec_table("hub-head");
        assert_eq!(spec.len(), set.len());
        let mut end = 0;
        for (row, head) in spec.iter().zip(set) {
            let (offset, size): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
            assert_eq!(offset, end, "no gap before {}", row[2]);
            end = offset + size;
            let mut want = vec![0; 22];
            want[offset..end].fill(if head.partial { 1 } else { 0xff });
            let mut found = Vec::new();
            push_head(&head, &mut found).unwrap();
            assert_eq!(found, want, "{}", row[2]);
        }
    }

    #[test]
    fn the_example_of_the_spec_holds() {
        let key = ("model".to_owned(), "a/x".to_owned());
        let rows = [(key.clone(), Day(18_649), 2), (key, Day(18_651), 7)];
        let mut import = HubImport::clone(&import(1, 1000, false, &csv_of(&rows, 0)));
        let totals = Rows {
            starts: vec![0, 2],
            days: import.table.days().to_vec(),
            downloads: import.table.downloads().to_vec(),
        };
        let repo = HubRepo {
            repo_type: "model".into(),
            repo: "a/x".into(),
            total: 9,
        };
        import.table = HubTable::new(vec![repo], totals, RowOrder::Grouped).unwrap();
        let page = |values: &[u32]| {
            let mut bytes = Vec::new();
            push_u32s(values, &mut bytes).unwrap();
            bytes
        };
        let head = b"\x01\0\0\0\xe8\x03\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x01\x02a";
        let names = [b"\x01\x05model", &page(&[0])[..], &page(&[3]), b"\x01a/x"].concat();
        let want = [
            (SECTION_HEAD, head.to_vec()),
            (SECTION_NAMES, names),
            (SECTION_TOTALS, [page(&[9]), page(&[0])].concat()),
            (SECTION_ROW_COUNTS, page(&[2])),
            (SECTION_FIRST_DAYS, page(&[18_649])),
            (SECTION_GAPS, page(&[1])),
            (SECTION_DOWNLOADS, [page(&[2, 7]), page(&[0, 0])].concat()),
        ];
        let file = import.to_bytes().unwrap();
        let view = FileView::parse(&file, FileKind::Hub).unwrap();
        assert_eq!(view.section_ids().count(), want.len());
        for (id, content) in want {
            assert_eq!(view.section(id), Some(&content[..]), "section {}", id.0);
        }
    }
}

//! A log's content to blocks that end where lines end.
//!
//! Invariants:
//! 1. A block holds whole lines, and whole records where quotes span lines; blocks joined are the
//!    content behind the header, but for lines that are too long (`blocks_change_nothing`).
//! 2. The same content gives the same blocks, however the file hands it out: a block is filled
//!    before it is cut.
//! 3. Memory is bounded by [`BLOCK_BYTES_TARGET`] + twice the longest line that is allowed: of a
//!    longer one its first [`TOO_LONG_HEAD_BYTES`] are kept and the rest is read past.

use super::found::Found;
use super::header::Header;
use super::input::{Content, Input};
use super::log_format::{LogFormat, format_of_kind};
use crate::error::Result;
use memchr::memchr;
use std::sync::Arc;

/// How large a block is to be, in bytes: 15,000 usual rows, so that what is done once per block, and
/// once for each of its distinct texts, does not count, and yet a block stays in the second-level
/// cache or near.
pub const BLOCK_BYTES_TARGET: usize = 2 << 20;

/// How much of a line that is too long goes to the rejects file, in bytes.
pub const TOO_LONG_HEAD_BYTES: usize = 1 << 10;

/// Some whole lines of a log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Block {
    /// Its number in the file, from 0.
    pub index: u64,
    /// Line number of its first line, from 1.
    pub first_line: u64,
    /// How many lines it has.
    pub line_count: u64,
    /// The lines.
    pub bytes: Vec<u8>,
    /// Set if the block is one line that is too long; `bytes` is empty then.
    pub too_long: Option<TooLong>,
}

/// A line that is longer than allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TooLong {
    /// Its first bytes.
    pub head: Vec<u8>,
    /// How many bytes it has.
    pub bytes: u64,
}

/// What was read, once all of it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogContent {
    /// Hash and length.
    pub content: Content,
    /// Lines, those of the header included.
    pub lines: u64,
    /// Lines of the header.
    pub header_lines: u64,
}

/// Hands out a log block by block.
pub struct LogReader {
    input: Input,
    header: Arc<Header>,
    format: &'static dyn LogFormat,
    header_lines: u64,
    header_text: Vec<u8>,
    next_line: u64,
    next_index: u64,
    /// Read, but behind the border of the last block.
    carry: Vec<u8>,
    ended: bool,
    /// A buffer to be filled again.
    spare: Vec<u8>,
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogReader")
            .field("input", &self.input)
            .field("next_line", &self.next_line)
            .finish_non_exhaustive()
    }
}

impl LogReader {
    /// Reads what follows a header of `header_lines` lines.
    pub(super) fn new(
        input: Input,
        header: Header,
        (header_lines, header_text): (u64, Vec<u8>),
    ) -> Self {
        Self {
            format: format_of_kind(header.format),
            input,
            header: Arc::new(header),
            header_lines,
            header_text,
            next_line: header_lines + 1,
            next_index: 0,
            carry: Vec::new(),
            ended: false,
            spare: Vec::new(),
        }
    }

    /// What `parse_block` needs beside a block.
    #[must_use]
    pub fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// The header as it stands in the file, without its line ending; empty when there is none.
    #[must_use]
    pub fn header_text(&self) -> &[u8] {
        &self.header_text
    }

    /// The open file.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The syntax's name.
    #[must_use]
    pub fn format_name(&self) -> &'static str {
        self.format.name()
    }

    /// Gives it the buffer of a block that was parsed, to be filled again.
    pub fn lend(&mut self, buffer: Vec<u8>) {
        self.spare = buffer;
    }

    /// Takes back what was lent and not used.
    pub fn take_back(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        let line_bytes_max = self.header.options.line_bytes_max;
        // What it holds is written over: filling it with zeros first would take as long as reading it.
        let mut bytes = std::mem::take(&mut self.spare);
        let mut len = self.carry.len();
        let room = BLOCK_BYTES_TARGET.saturating_sub(len);
        let mut target = len + self.input.whole_pieces(room);
        bytes.resize(target, 0);
        for (to, from) in bytes.iter_mut().zip(self.carry.drain(..)) {
            *to = from;
        }
        let mut found = Found::default();
        found.add(bytes.get(..len).unwrap_or_default());
        loop {
            let rest = bytes.get_mut(len..).unwrap_or_default();
            len += self.input.fill(rest, |piece| found.add(piece))?;
            self.ended = self.input.is_at_end();
            if len == 0 {
                self.spare = bytes;
                return Ok(None);
            }
            bytes.truncate(len);
            let known = (self.ended, &found.quotes);
            let border = self.format.border(&bytes, known, line_bytes_max);
            if border > 0 {
                let behind = bytes.get(border..).unwrap_or_default();
                let mut after = Found::default();
                after.add(behind);
                let endings = found.endings - after.endings;
                self.carry.extend_from_slice(behind);
                bytes.truncate(border);
                return Ok(Some(self.block(bytes, endings as u64)));
            }
            // The first line is longer than allowed if its ending, of at most two bytes, is not
            // there by now.
            if len > line_bytes_max + 2 {
                return self.too_long(bytes).map(Some);
            }
            target = len + BLOCK_BYTES_TARGET;
            bytes.resize(target, 0);
        }
    }

    /// Reads to the end and gives the content's hash.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub fn finish(self) -> Result<LogContent> {
        let content = self.input.finish()?;
        Ok(LogContent {
            content,
            lines: self.next_line - 1,
            header_lines: self.header_lines,
        })
    }

    fn block(&mut self, bytes: Vec<u8>, endings: u64) -> Block {
        let line_count = endings + u64::from(bytes.last().is_some_and(|last| *last != b'\n'));
        let block = Block {
            index: self.next_index,
            first_line: self.next_line,
            line_count,
            bytes,
            too_long: None,
        };
        self.next_index += 1;
        self.next_line += line_count;
        block
    }

    /// Reads past the line that `bytes` begin with.
    fn too_long(&mut self, mut bytes: Vec<u8>) -> Result<Block> {
        let head = bytes.get(..TOO_LONG_HEAD_BYTES).unwrap_or(&bytes).to_vec();
        let mut length = 0;
        let rest = loop {
            if let Some(end) = memchr(b'\n', &bytes) {
                length += end as u64;
                break bytes.split_off(end + 1);
            }
            length += bytes.len() as u64;
            bytes.clear();
            if self.ended {
                break Vec::new();
            }
            self.ended = self.input.append(&mut bytes, BLOCK_BYTES_TARGET)?;
        };
        self.carry = rest;
        let block = Block {
            index: self.next_index,
            first_line: self.next_line,
            line_count: 1,
            bytes: Vec::new(),
            too_long: Some(TooLong {
                head,
                bytes: length,
            }),
        };
        self.next_index += 1;
        self.next_line += 1;
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::super::collect::{Collect, drain, open, open_reader, parse_alone, read};
    use super::super::found::Quotes;
    use super::super::header::ReadOptions;
    use super::super::log_format::{FormatKind, format_of_kind};
    use super::super::sniff::Sniffed;
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    const HEADER: &str =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n";
    const LINE: &str = "2026-01-31T00:00:00.000Z,200,GET,a/b,model,,ff,US,Ohio\n";

    fn small(line_bytes_max: usize) -> ReadOptions {
        ReadOptions {
            line_bytes_max,
            ..ReadOptions::default()
        }
    }

    fn csv(lines: &str) -> Collect {
        read(format!("{HEADER}{lines}").as_bytes(), small(1000))
            .unwrap()
            .0
    }

    #[test]
    fn many_blocks_are_the_content() {
        let lines = LINE.repeat(70_000);
        let (told, content) = read(format!("{HEADER}{lines}").as_bytes(), small(1000)).unwrap();
        assert_eq!(told.rows.len(), 70_000);
        assert_eq!(told.rows.last().unwrap().line, 70_001);
        assert_eq!((content.lines, content.header_lines), (70_001, 1));
    }

    #[test]
    fn line_endings_and_blank_lines() {
        let told = csv(&format!(
            "{}\n\r\n{}",
            LINE.replace('\n', "\r\n"),
            LINE.trim_end()
        ));
        assert_eq!(
            told.rows.iter().map(|row| row.line).collect::<Vec<_>>(),
            [2, 5]
        );
        assert_eq!(told.blanks, [3, 4]);
        assert!(told.rows.iter().all(|row| row.text[6] == "Ohio"));
    }

    #[test]
    fn cr_alone_is_named() {
        let file = format!("{HEADER}{LINE}").replace('\n', "\r");
        let error = open(file.as_bytes(), small(1000)).unwrap_err();
        assert!(error.message().contains("CR alone"), "{error}");
        // Behind a good header it is one line with far too many fields.
        let told = csv(&LINE.repeat(3).replace('\n', "\r"));
        assert_eq!(told.codes(), [(2, "field_count")]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_one_line() {
        for long in [1001, 200_000, 3 * BLOCK_BYTES_TARGET] {
            for ending in ["\n", "\r\n"] {
                let lines = format!("{LINE}{}{ending}{LINE}", "x".repeat(long));
                let told = csv(&lines);
                assert_eq!(told.codes(), [(3, "too_long")], "{long}");
                assert_eq!(told.rejects[0].1.len(), TOO_LONG_HEAD_BYTES.min(long));
                assert_eq!(
                    told.rows.iter().map(|row| row.line).collect::<Vec<_>>(),
                    [2, 4]
                );
            }
        }
        let told = csv(&format!("{}\n", "x".repeat(1000)));
        assert_eq!(told.codes(), [(2, "field_count")]);
        let told = csv(&"x".repeat(3 * BLOCK_BYTES_TARGET));
        assert_eq!(told.codes(), [(2, "too_long")]);
    }

    #[test]
    fn an_unclosed_quote_costs_one_line() {
        let bad = "2026-01-31T00:00:00.000Z,200,GET,a/b,model,,ff,US,\"Ohio\n";
        let quoted = LINE.replace("Ohio", "\"Ohio, the state\"");
        for rest in [LINE.to_owned(), quoted, LINE.repeat(100_000), String::new()] {
            let told = csv(&format!("{LINE}{bad}{rest}"));
            assert_eq!(told.codes(), [(3, "bad_quote")]);
            assert_eq!(told.rejects[0].1, bad.trim_end().as_bytes());
            assert_eq!(told.rows.len() as u64, told.lines() - 1);
        }
    }

    #[test]
    fn an_unclosed_quote_on_every_line_is_read_in_linear_time() {
        let bad = "2026-01-31T00:00:00.000Z,200,GET,a/b,model,,ff,US,\"Ohio\n";
        let told = csv(&bad.repeat(50_000));
        assert_eq!(told.rejects.len(), 50_000);
    }

    #[test]
    fn a_quoted_line_ending_continues_a_record() {
        let two = LINE.replace("Ohio", "\"O\nhio\"");
        let told = csv(&format!("{two}{LINE}"));
        assert_eq!(
            told.rows.iter().map(|row| row.line).collect::<Vec<_>>(),
            [2, 4]
        );
        assert_eq!(told.rows[0].text[6], "O\nhio");
        assert_eq!(told.continued, 1);
    }

    /// Hands out a few bytes at a time.
    struct Dribble(std::io::Cursor<Vec<u8>>, usize);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = self.1 * 7 % 1009 + 1;
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }

    #[test]
    fn how_a_stream_dribbles_changes_nothing() {
        let file = format!(
            "{HEADER}{}",
            LINE.replace("Ohio", "\"a\nb\"").repeat(60_000)
        );
        let blocks = |sniffed: Sniffed| {
            let Sniffed::Log(mut reader) = sniffed else {
                panic!()
            };
            let mut blocks = Vec::new();
            while let Some(block) = reader.next_block().unwrap() {
                blocks.push(block);
            }
            (blocks, reader.finish().unwrap())
        };
        let whole = blocks(open(file.as_bytes(), small(1000)).unwrap());
        let dribble = Dribble(std::io::Cursor::new(file.into_bytes()), 1);
        assert!(whole == blocks(open_reader(Box::new(dribble), small(1000)).unwrap()));
        assert!(whole.0.len() > 1);
    }

    /// Pieces of which lines are made that quotes can break.
    fn piece() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "\"",
            "\"\"",
            ",",
            "\n",
            "\r\n",
            "\r",
            "x",
            "yyyyyyyyyyyyyyyyyyyy",
            ",\"",
            "\",",
            "\"\n",
            LINE,
            "\0",
            "é",
            "#! ",
        ])
    }

    proptest! {
        #[test]
        fn blocks_change_nothing(pieces in proptest::collection::vec(piece(), 0..60),
                                 sizes in proptest::collection::vec(1..80_usize, 1..9)) {
            let lines = pieces.concat();
            let options = small(64);
            let Sniffed::Log(reader) = open(HEADER.as_bytes(), options.clone())? else {
                return Err(TestCaseError::fail("not a log"));
            };
            let whole = parse_alone(reader.header(), lines.as_bytes());
            // Cut as the reader would if blocks were tiny and of changing size.
            let format = format_of_kind(FormatKind::Csv);
            let (mut rest, mut first_line, mut told) = (lines.as_bytes(), 2, Collect::default());
            let (mut size, mut sizes) = (1, sizes.iter().cycle());
            while !rest.is_empty() {
                let at_end = size >= rest.len();
                let bytes = &rest[..size.min(rest.len())];
                let border = format.border(bytes, (at_end, &Quotes::of(bytes)), 64);
                if border == 0 {
                    let grown = size + 1;
                    if size > 64 + 2 && memchr(b'\n', &rest[..size]).is_none() {
                        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                        let block = parse_alone_at(reader.header(), &rest[..end], first_line);
                        append(&mut told, block);
                        first_line += 1;
                        rest = &rest[end..];
                        size = *sizes.next().unwrap();
                    } else {
                        size = grown;
                    }
                    continue;
                }
                let (block, behind) = rest.split_at(border);
                append(&mut told, parse_alone_at(reader.header(), block, first_line));
                first_line += memchr::memchr_iter(b'\n', block).count() as u64;
                rest = behind;
                size = *sizes.next().unwrap();
            }
            prop_assert_eq!(told, whole);
        }
    }

    fn parse_alone_at(header: &Header, bytes: &[u8], first_line: u64) -> Collect {
        let mut told = Collect::default();
        let block = Block {
            first_line,
            bytes: bytes.to_vec(),
            ..Block::default()
        };
        super::super::log_format::parse_block(&block, header, &mut told).unwrap();
        told
    }

    fn append(to: &mut Collect, from: Collect) {
        to.rows.extend(from.rows);
        to.rejects.extend(from.rejects);
        to.blanks.extend(from.blanks);
        to.continued += from.continued;
    }

    #[test]
    fn the_publisher_csv_is_handed_on_whole() {
        let file = "\u{feff}repoType,repoName,total,timestamp,downloads\nmodel,a/b,1,x,1\n";
        let Sniffed::PublisherCsv(mut input) = open(file.as_bytes(), small(1000)).unwrap() else {
            panic!("not seen");
        };
        let mut text = String::new();
        input.read_to_string(&mut text).unwrap();
        assert_eq!(text, file.trim_start_matches('\u{feff}'));
        assert_eq!(
            input.finish().unwrap().hash,
            *blake3::hash(file.as_bytes()).as_bytes()
        );
        assert!(drain(open(file.as_bytes(), small(1000)).unwrap()).is_err());
    }
}

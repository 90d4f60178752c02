//! Whole inputs to what a sink was told, for tests.

use super::block::{Block, LogContent};
use super::header::ReadOptions;
use super::input::Input;
use super::log_format::parse_block;
use super::reject::RejectReason;
use super::row::{RawRow, RowHead, RowSink};
use super::sniff::{Sniffed, sniff};
use crate::error::{Error, Result};
use std::io::{Cursor, Read};

/// A row with its text owned: (line, ts, status, then method, repo, repo type, user, ip, country,
/// region, agent, internal), then extra columns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Told {
    pub(super) line: u64,
    pub(super) ts: u64,
    pub(super) ts_cut: bool,
    pub(super) status: u16,
    pub(super) text: [String; 8],
    pub(super) internal: u8,
    pub(super) extra: Vec<(String, String)>,
}

/// Everything that was told.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Collect {
    pub(super) rows: Vec<Told>,
    pub(super) rejects: Vec<(u64, Vec<u8>, RejectReason)>,
    pub(super) blanks: Vec<u64>,
    pub(super) continued: u64,
    names: Vec<String>,
}

impl Collect {
    pub(super) fn lines(&self) -> u64 {
        (self.rows.len() + self.rejects.len() + self.blanks.len()) as u64 + self.continued
    }

    pub(super) fn codes(&self) -> Vec<(u64, &'static str)> {
        self.rejects
            .iter()
            .map(|(line, _, reason)| (*line, reason.code()))
            .collect()
    }
}

impl RowSink for Collect {
    fn extra_column(&mut self, index: u32, name: &str) -> Result<()> {
        self.names.truncate(index as usize);
        self.names.push(name.to_owned());
        Ok(())
    }

    fn row(&mut self, line: u64, row: &RawRow<'_>) -> Result<()> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        self.rows.push(Told {
            line,
            ts: row.ts.0,
            ts_cut: row.ts_cut,
            status: row.status,
            text: [
                row.method,
                row.repo,
                row.repo_type,
                row.user,
                row.ip,
                row.country,
                row.region,
                row.agent,
            ]
            .map(text),
            internal: row.internal,
            extra: row
                .extra
                .iter()
                .map(|(index, value)| (self.names[*index as usize].clone(), text(value)))
                .collect(),
        });
        Ok(())
    }

    fn row_again(&mut self, line: u64, back: u32, head: &RowHead<'_>) -> Result<()> {
        let mut row = self.rows[self.rows.len() - back as usize].clone();
        (row.line, row.ts, row.ts_cut) = (line, head.ts.0, head.ts_cut);
        row.status = head.status;
        row.text[0] = String::from_utf8(head.method.to_vec()).unwrap();
        self.rows.push(row);
        Ok(())
    }

    fn reject(&mut self, line: u64, raw: &[u8], reason: RejectReason) -> Result<()> {
        self.rejects.push((line, raw.to_vec(), reason));
        Ok(())
    }

    fn blank(&mut self, line: u64) {
        self.blanks.push(line);
    }

    fn continued(&mut self, lines: u64) {
        self.continued += lines;
    }
}

/// Opens bytes as a log.
pub(super) fn open(bytes: &[u8], options: ReadOptions) -> Result<Sniffed> {
    open_reader(Box::new(Cursor::new(bytes.to_vec())), options)
}

pub(super) fn open_reader(source: Box<dyn Read + Send>, options: ReadOptions) -> Result<Sniffed> {
    sniff(Input::from_reader("test.log", source)?, options)
}

/// Reads a log to its end.
pub(super) fn drain(sniffed: Sniffed) -> Result<(Collect, LogContent)> {
    let Sniffed::Log(mut reader) = sniffed else {
        return Err(Error::invalid("this is the publisher CSV"));
    };
    let mut told = Collect::default();
    let header = reader.header().clone();
    while let Some(block) = reader.next_block()? {
        let before = told.lines();
        parse_block(&block, &header, &mut told)?;
        assert_eq!(
            told.lines() - before,
            block.line_count,
            "every line is told once"
        );
        reader.lend(block.bytes);
    }
    let content = reader.finish()?;
    assert_eq!(content.header_lines + told.lines(), content.lines);
    Ok((told, content))
}

/// Reads bytes as a log.
pub(super) fn read(bytes: &[u8], options: ReadOptions) -> Result<(Collect, LogContent)> {
    drain(open(bytes, options)?)
}

/// Parses bytes behind a header as one block.
pub(super) fn parse_alone(header: &super::header::Header, bytes: &[u8]) -> Collect {
    let mut told = Collect::default();
    let block = Block {
        first_line: 2,
        bytes: bytes.to_vec(),
        ..Block::default()
    };
    parse_block(&block, header, &mut told).unwrap();
    told
}

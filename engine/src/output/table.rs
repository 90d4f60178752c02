//! An answer to a table for people: aligned, with what the numbers mean below it.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{Look, Output, footnote, for_people, is_number, printable};
use crate::query::{Answer, Column};

/// Between two columns.
const GAP: &str = "  ";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const NORMAL: &str = "\u{1b}[0m";

/// The output `table`.
pub(super) struct Table;

impl Output for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn media_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn meaning(&self) -> &'static str {
        "aligned, with what the numbers mean below; for people"
    }

    fn for_programs(&self) -> bool {
        false
    }

    fn write(&self, answer: &Answer, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let header = answer
            .columns
            .iter()
            .map(|column| printable(&column.name))
            .collect();
        let mut lines: Vec<Vec<String>> = vec![header];
        for row in &answer.rows {
            let cells = answer.columns.iter().zip(row);
            lines.push(
                cells
                    .map(|(column, value)| printable(&for_people(answer, column, value)))
                    .collect(),
            );
        }
        let widths = widths(&answer.columns, &lines);
        for (index, cells) in lines.iter().enumerate() {
            let line = aligned(&answer.columns, &widths, cells);
            let style = if index == 0 { BOLD } else { "" };
            styled(out, look, style, &line)?;
        }
        if answer.rows.is_empty() {
            styled(out, look, DIM, "(no rows)")?;
        }
        let foot = footnote::lines(answer);
        if !foot.is_empty() {
            writeln!(out)?;
        }
        foot.iter()
            .try_for_each(|line| styled(out, look, DIM, line))
    }
}

fn styled(out: &mut dyn Write, look: Look, style: &str, line: &str) -> io::Result<()> {
    if look == Look::Colour && !style.is_empty() {
        writeln!(out, "{style}{line}{NORMAL}")
    } else {
        writeln!(out, "{line}")
    }
}

fn widths(columns: &[Column], lines: &[Vec<String>]) -> Vec<usize> {
    let width = |index: usize| {
        let cells = lines.iter().filter_map(|line| line.get(index));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    (0..columns.len()).map(width).collect()
}

fn aligned(columns: &[Column], widths: &[usize], cells: &[String]) -> String {
    let mut line = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        if !line.is_empty() {
            line.push_str(GAP);
        }
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        if is_number(column) {
            line.push_str(&pad);
            line.push_str(cell);
        } else {
            line.push_str(cell);
            line.push_str(&pad);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    fn text(answer: &Answer, look: Look) -> String {
        let mut bytes = Vec::new();
        Table.write(answer, look, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let expected = "\
country   downloads  downloaders
US            1,234        1,000
NA               56          500
(absent)          7            –

downloaders: adding these rows gives 1,500 (1.02×)
1 accepted request has no identity: never a downloader
rule 5min, 2026-06-15 to 2026-07-14 (UTC)
";
        assert_eq!(text(&samples::by_country(), Look::Plain), expected);
    }

    #[test]
    fn partial_buckets_have_a_star_and_missing_ones_a_dash() {
        let expected = "\
month     downloads
2026-05*         10
2026-06           –
2026-07           0

* partial: the range cuts it, or a day of it is missing or not complete
– nothing is stored for 2026-06
rule 5min, 2026-05-10 to 2026-07-31 (UTC)
";
        assert_eq!(text(&samples::by_month(), Look::Plain), expected);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let text = text(&samples::odd(), Look::Plain);
        let ends: Vec<usize> = text
            .lines()
            .take(samples::odd().rows.len() + 1)
            .map(UnicodeWidthStr::width)
            .collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }

    #[test]
    fn colours_only_where_asked_for() {
        assert!(text(&samples::by_country(), Look::Colour).starts_with(BOLD));
        assert!(!text(&samples::odd(), Look::Plain).contains('\u{1b}'));
    }
}

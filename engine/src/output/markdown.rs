//! An answer to a table of GitHub's Markdown, for issues, pages and chats.

use std::io::{self, Write};

use super::{Look, Output, footnote, for_people, is_number, printable};
use crate::query::Answer;

/// The output `markdown`.
pub(super) struct Markdown;

impl Output for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["md"]
    }

    fn media_type(&self) -> &'static str {
        "text/markdown; charset=utf-8"
    }

    fn meaning(&self) -> &'static str {
        "a table of GitHub's Markdown"
    }

    fn for_programs(&self) -> bool {
        false
    }

    fn write(&self, answer: &Answer, _: Look, out: &mut dyn Write) -> io::Result<()> {
        line(
            out,
            answer.columns.iter().map(|column| escaped(&column.name)),
        )?;
        let rules = answer.columns.iter().map(|column| {
            let rule = if is_number(column) { "--:" } else { ":--" };
            rule.to_owned()
        });
        line(out, rules)?;
        for row in &answer.rows {
            let cells = answer.columns.iter().zip(row);
            line(
                out,
                cells.map(|(column, value)| escaped(&for_people(answer, column, value))),
            )?;
        }
        for (index, note) in footnote::lines(answer).iter().enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            writeln!(out, "{gap}- {}", escaped(note))?;
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    write!(out, "|")?;
    for cell in cells {
        write!(out, " {cell} |")?;
    }
    writeln!(out)
}

/// Characters that would be markup have a backslash before them; an underscore inside a word is none.
fn escaped(text: &str) -> String {
    let text = printable(text);
    let characters: Vec<char> = text.chars().collect();
    let in_word = |index: usize| {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| characters.get(at))
                .is_some_and(|near| near.is_alphanumeric())
        };
        is_word(index.checked_sub(1)) && is_word(index.checked_add(1))
    };
    let mut markdown = String::with_capacity(text.len());
    for (index, character) in characters.iter().enumerate() {
        let is_markup = match character {
            '\\' | '|' | '*' | '`' | '[' | ']' | '<' | '>' | '&' | '~' | '$' | '!' | '#' => true,
            '_' => !in_word(index),
            _ => false,
        };
        if is_markup {
            markdown.push('\\');
        }
        markdown.push(*character);
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn a_table_with_notes() {
        let mut bytes = Vec::new();
        Markdown
            .write(&samples::by_month(), Look::Plain, &mut bytes)
            .unwrap();
        let expected = "\
| month | downloads |
| :-- | --: |
| 2026-05\\* | 10 |
| 2026-06 | – |
| 2026-07 | 0 |

- \\* partial: the range cuts it, or a day of it is missing or not complete
- – nothing is stored for 2026-06
- rule 5min, 2026-05-10 to 2026-07-31 (UTC)
";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(escaped("a|b\n<b>_x_ y_z"), "a\\|b\\\\n\\<b\\>\\_x\\_ y_z");
    }
}

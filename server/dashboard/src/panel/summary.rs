//! What fits on one sheet: four numbers, one chart, ten repos, three sentences that the data say.

use std::fmt::Write;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::{self, Look, printable, sparkline, thousands};
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::store::{DayRange, SourceStatus};
use footfall_engine::units::Day;

use super::headline::{Figure, figures};
use super::movers::{Move, contribution, moves, repos};
use super::trend::chart;
use super::{Asked, Panel};
use crate::number::{change, count, int_of, text_of};
use crate::sheet::{sheet, text};

/// Repos that are listed.
const TOP: usize = 10;
/// Bars of the one chart in a text.
const BARS: usize = 60;

/// The panel.
pub(crate) const SUMMARY: &dyn Panel = &Summary;

struct Summary;

impl Panel for Summary {
    fn id(&self) -> &'static str {
        "summary"
    }

    fn title(&self) -> &'static str {
        ""
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(summed) = Summed::of(asked)? else {
            return Ok(None);
        };
        let (metric, name) = lead(asked);
        Ok(Some(html! {
            h1 { (summed.title) }
            div.figures { @for figure in &summed.figures { (figure.markup()) } }
            (chart(asked, metric, name)?)
            div.columns {
                table.top {
                    thead { tr { th scope="col" { "The ten largest" } th.number scope="col" { (name) } th.number scope="col" { "Change" } } }
                    tbody { @for ((_, repo), (now, before)) in &summed.top { tr {
                        th scope="row" { (repo) } td.number { (thousands(*now)) }
                        td.number { (before.map_or_else(String::new, |before| change(*now, before).1)) }
                    } } }
                }
                ul.sentences { @for sentence in &summed.sentences { li { (sentence) } } }
            }
            p.definition { (DEFINITIONS) }
        }))
    }
}

/// Each number's definition in a line.
const DEFINITIONS: &str = "Downloads (Hub): the Hub's own figures. Downloads (5-minute rule): one downloader, one repo, five minutes. Unique downloaders: signed-in accounts and anonymous addresses, each once. Known machines: bots that call themselves so, or the set that is kept. Change: against the period before. Days are UTC days.";

/// A repo, its number now, and before.
type Ranked = ((String, String), (u64, Option<u64>));

/// What the sheet says.
struct Summed {
    title: String,
    figures: Vec<Figure>,
    top: Vec<Ranked>,
    sentences: Vec<String>,
}

impl Summed {
    fn of(asked: &Asked<'_>) -> Result<Option<Self>> {
        let figures = figures(asked)?;
        if figures.is_empty() {
            return Ok(None);
        }
        let (metric, _) = lead(asked);
        let days = asked.days(metric)?;
        let title = days.map_or_else(
            || "Downloads".to_owned(),
            |(first, last)| format!("Downloads, {first} to {last}"),
        );
        let moved = repos(asked)?;
        let top = match &moved {
            Some(moved) => {
                let first = moved.iter().take(TOP).cloned();
                let known = |(name, (now, before)): Move| (name, (now, Some(before)));
                first.map(known).collect()
            }
            None => ranked(asked, metric)?,
        };
        let mut sentences = match moved {
            Some(moved) => moved_most(moved),
            None => vec![
                "Nothing is stored of the period before: there is nothing to compare with."
                    .to_owned(),
            ],
        };
        sentences.push(gaps(asked, days));
        Ok(Some(Self {
            title,
            figures,
            top,
            sentences,
        }))
    }
}

/// The number that leads: the Hub's, where there is one.
fn lead(asked: &Asked<'_>) -> (&'static str, &'static str) {
    if asked.has_hub() {
        ("hub_downloads", "Downloads (Hub)")
    } else {
        ("downloads", "Downloads")
    }
}

fn ranked(asked: &Asked<'_>, metric: &str) -> Result<Vec<Ranked>> {
    let answer = asked.answer(metric, &[Dimension::RepoType, Dimension::Repo])?;
    let rows = answer.rows.iter().take(TOP);
    Ok(rows
        .map(|row| {
            let name = (text_of(row, 0), text_of(row, 1));
            (name, (int_of(row, 2).unwrap_or(0), None))
        })
        .collect())
}

/// The largest rise, and the largest fall.
fn moved_most(moved: Vec<Move>) -> Vec<String> {
    let whole: u64 = moved.iter().map(|(_, (_, before))| before).sum();
    let (rises, falls) = moves(moved);
    let said = |word: &str, moved: Option<&Move>| match moved {
        None => format!("No repo {word}."),
        Some(((_, name), (now, before))) => {
            let of_whole = match contribution((*now, *before), whole).as_str() {
                "" => String::new(),
                part => format!("; that is {part} of all"),
            };
            format!(
                "{name} {word} most: from {} to {} ({}){of_whole}.",
                thousands(*before),
                thousands(*now),
                change(*now, *before).1
            )
        }
    };
    vec![said("rose", rises.first()), said("fell", falls.first())]
}

/// Which days of the range are not there, in a sentence.
fn gaps(asked: &Asked<'_>, days: Option<(Day, Day)>) -> String {
    let sources = [
        (&asked.status.logs, "the logs"),
        (&asked.status.hub, "the Hub's CSV"),
    ];
    let known = sources
        .into_iter()
        .filter_map(|(source, name)| Some((source.as_ref()?, name)));
    let mut said = Vec::new();
    for (source, name) in known {
        said.extend(gap(source, name, days));
    }
    if said.is_empty() {
        "No day of this range is missing.".to_owned()
    } else {
        format!(
            "{}: numbers that cross such days are too low.",
            said.join("; ")
        )
    }
}

fn gap(source: &SourceStatus, name: &str, days: Option<(Day, Day)>) -> Option<String> {
    let (first, last) = days?;
    let is_in = |range: &&DayRange| range.from <= last && range.to >= first;
    let missing: Vec<&DayRange> = source.missing.iter().filter(is_in).collect();
    let cut = missing.first()?;
    let span = if cut.from == cut.to {
        cut.from.to_string()
    } else {
        format!("{} to {}", cut.from, cut.to)
    };
    Some(match missing.len() - 1 {
        0 => format!("{name} lack {span}"),
        more => format!("{name} lack {span} and {more} more stretches"),
    })
}

/// The sheet as a text for chat and mail, in Markdown.
///
/// # Errors
///
/// Those of its queries.
pub(crate) fn markdown(asked: &Asked<'_>) -> Result<String> {
    let Some(summed) = Summed::of(asked)? else {
        return Ok("Nothing is stored yet.\n".to_owned());
    };
    let (metric, name) = lead(asked);
    let by_day = asked.answer(metric, &[Dimension::Time(TimeUnit::Day)])?;
    let values: Vec<Option<u64>> = by_day.rows.iter().map(|row| int_of(row, 1)).collect();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# {}\n", summed.title);
    out.push_str(&table(&numbers(&summed.figures))?);
    let _ = writeln!(out, "\n{name} by day: {}\n", sparkline(&values, BARS));
    out.push_str(&table(&largest(&summed.top, name))?);
    out.push('\n');
    for sentence in &summed.sentences {
        let _ = writeln!(out, "- {}", escaped(sentence));
    }
    let _ = writeln!(out, "\n{DEFINITIONS}");
    Ok(out)
}

fn numbers(figures: &[Figure]) -> Answer {
    let columns = ["number", "now", "before", "change"].map(|name| (name, ColumnType::Text));
    let row = |figure: &Figure| {
        let known = figure.value.zip(figure.before);
        let changed = known.map_or_else(String::new, |(now, before)| change(now, before).1);
        let texts = [
            figure.name.clone(),
            count(figure.value),
            count(figure.before),
            changed,
        ];
        texts.into_iter().map(text).collect()
    };
    sheet(&columns, figures.iter().map(row).collect())
}

fn largest(top: &[Ranked], name: &str) -> Answer {
    let columns = [
        ("repo", ColumnType::Text),
        (name, ColumnType::Int),
        ("change", ColumnType::Text),
    ];
    let row = |((_, repo), (now, before)): &Ranked| {
        let changed = before.map_or_else(String::new, |before| change(*now, before).1);
        vec![text(repo.as_str()), Value::Int(*now), text(changed)]
    };
    sheet(&columns, top.iter().map(row).collect())
}

/// An answer as the engine's output writes it.
fn table(answer: &Answer) -> Result<String> {
    let invalid = |text: String| footfall_engine::Error::invalid(text);
    let markdown = output::by_name("markdown").ok_or_else(|| invalid("no markdown".to_owned()))?;
    let mut bytes = Vec::new();
    let written = markdown.write(answer, Look::Plain, &mut bytes);
    written.map_err(|error| invalid(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| invalid(error.to_string()))
}

/// A sentence in which nothing is Markdown.
fn escaped(sentence: &str) -> String {
    let mut out = String::new();
    for sign in printable(sentence).chars() {
        if "\\`*_{}[]<>#|~".contains(sign) {
            out.push('\\');
        }
        out.push(sign);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_name_what_moved_most() {
        let repo = |name: &str, now, before| (("model".to_owned(), name.to_owned()), (now, before));
        let said = moved_most(vec![repo("a/up", 30, 10), repo("a/down", 1, 90)]);
        assert_eq!(
            said[0],
            "a/up rose most: from 10 to 30 (+200.0 %); that is +20.0 % of all."
        );
        assert!(said[1].starts_with("a/down fell most: from 90 to 1"));
        assert_eq!(moved_most(Vec::new())[0], "No repo rose.");
    }

    #[test]
    fn no_name_becomes_markdown() {
        assert_eq!(escaped("a_b <c> [d](e)"), "a\\_b \\<c\\> \\[d\\](e)");
    }
}

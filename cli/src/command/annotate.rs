//! `footfall annotate`: what happened on a day, shown by every series that crosses it.

use clap::{ArgMatches, Args};
use footfall_engine::query::ColumnType;
use footfall_engine::query::Value;
use footfall_engine::query::change::Origin;
use footfall_engine::schema::time::parse_day;
use footfall_engine::settings::Annotation;
use footfall_engine::units::Day;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::{Exit, Failure, Outcome};
use crate::sheet::{sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "annotate",
    group: "Look after a store",
    about: "annotate DAY TEXT, list, remove DAY: what happened, noted under series",
    examples: "  footfall annotate 2026-03-01 'moved to another org'
  footfall annotate 2026-03-01 'the export hashes addresses anew' --resalt
  footfall annotate list
  footfall annotate remove 2026-03-01",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `annotate`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// A day and a text about it; or list; or remove, a day, and the text if not all of the day go
    #[arg(required = true, value_name = "DAY TEXT")]
    words: Vec<String>,
    /// Accounts or addresses are hashed in another way from this day on: whoever was there before it is not
    /// known again, and counts of downloaders across it are given as at least and at most
    #[arg(long)]
    resalt: bool,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let words: Vec<&str> = wishes.words.iter().map(String::as_str).collect();
    let store = global.open()?;
    match words.as_slice() {
        ["list"] => {
            let mut list = sheet(&[
                ("day", ColumnType::Time),
                ("text", ColumnType::Text),
                ("from", ColumnType::Text),
                ("resalt", ColumnType::Bool),
            ]);
            for change in store.changes()? {
                list.rows.push(vec![
                    text(change.day.to_string()),
                    text(change.text),
                    text(match change.origin {
                        Origin::Documented => "the Hub",
                        Origin::Header => "the logs",
                        Origin::Owner => "you",
                    }),
                    Value::Bool(change.resalt),
                ]);
            }
            return global.show(&list);
        }
        ["remove", of, rest @ ..] => {
            let text = Some(rest.join(" ")).filter(|text| !text.is_empty());
            store.remove_annotations(day(of)?, text.as_deref())?;
        }
        [of, rest @ ..] => {
            let annotation = Annotation::new(day(of)?, &rest.join(" "), wishes.resalt);
            store.annotate(annotation.map_err(usage_if_invalid)?)?;
        }
        [] => {}
    }
    Ok(Exit::Done)
}

fn day(word: &str) -> Outcome<Day> {
    parse_day(word).ok_or_else(|| {
        Failure::usage_of(
            format!("{word:?} is not a day"),
            "write it as 2026-03-01, or footfall annotate list",
        )
    })
}

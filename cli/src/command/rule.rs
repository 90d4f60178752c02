//! `footfall rule`: counting rules of the owner, kept in the store.

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::query::{ColumnType, Value};
use footfall_engine::rules::{BuiltIn, RULES, Rule};
use footfall_engine::settings::RuleWords;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::{Exit, Outcome};
use crate::sheet::{sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "rule",
    group: "Look after a store",
    about: "rule add, list, remove: counting rules of your own, kept in the store",
    examples: "  footfall rule add pulls --methods GET --status 200,206 --collapse 'clock 10m'
  footfall rule list
  footfall query 'downloads by month rule pulls'
  footfall rule remove pulls",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `rule`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Keep a rule; queries name it like a built-in one
    Add(Words),
    /// List the built-in rules and your own
    List,
    /// Forget a rule of your own
    Remove {
        /// Its name
        name: String,
    },
}

/// A rule, in words.
#[derive(Args, Clone, Debug)]
struct Words {
    /// Its name: letters, digits, '-', '_' and '.'
    name: String,
    /// Accepted methods [default: all]
    #[arg(long, value_name = "METHOD,…", value_delimiter = ',')]
    methods: Vec<String>,
    /// Accepted statuses, or one limit: 200,206 or '<400' [default: all]
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',')]
    status: Vec<String>,
    /// How the accepted requests of one downloader in one repo become downloads: none (each is one),
    /// hour or day (one each), 'clock 300s' (one per window of the clock), 'first 300s' (windows that begin
    /// with their first request), 'gap 30s' (chains of requests at most this far apart); ms, s, m, h, d
    #[arg(long, value_name = "HOW")]
    collapse: String,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes { what } = parsed(matches)?;
    let store = global.open()?;
    match what {
        What::Add(words) => {
            let words = RuleWords {
                name: words.name,
                methods: words.methods,
                statuses: words.status,
                collapse: words.collapse,
            };
            let rule = store.add_rule(words).map_err(usage_if_invalid)?;
            note(global, &format!("{rule}; use it: rule {}", rule.name));
        }
        What::Remove { name } => store.remove_rule(&name)?,
        What::List => {
            let mut list = sheet(&[
                ("rule", ColumnType::Text),
                ("methods", ColumnType::Text),
                ("status", ColumnType::Text),
                ("collapse", ColumnType::Text),
                ("built_in", ColumnType::Bool),
            ]);
            let built_in = RULES.iter().map(BuiltIn::rule);
            list.rows = built_in.map(|rule| row(&rule, true)).collect();
            list.rows
                .extend(store.rules()?.iter().map(|rule| row(rule, false)));
            return global.show(&list);
        }
    }
    Ok(Exit::Done)
}

fn row(rule: &Rule, is_built_in: bool) -> Vec<Value> {
    let listed = |words: Vec<String>| {
        if words.is_empty() {
            text("all")
        } else {
            text(words.join(","))
        }
    };
    vec![
        text(rule.name.clone()),
        listed(rule.methods.clone()),
        listed(rule.statuses.words()),
        text(rule.collapse.to_string()),
        Value::Bool(is_built_in),
    ]
}

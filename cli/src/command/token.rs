//! `footfall token add|list|revoke`: who may come in.

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::Error;
use footfall_engine::query::{Answer, ColumnType, text as query_text};
use footfall_engine::storage::{Clock, SystemClock};
use footfall_engine::store::Store;
use footfall_engine::units::TimestampMs;
use footfall_server::token::{Right, Token, Tokens, Wish};

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::exit::{Exit, Failure, Outcome};
use crate::sheet::{optional_text, sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "token",
    group: "Serve",
    about: "Make, list and revoke tokens; a store that has one is closed to everybody else",
    examples: "  footfall token add grafana --read
  footfall token add partner --read --org acme --expires 90d
  footfall token add nightly --ingest
  footfall token list
  footfall token revoke partner",
    arguments: arguments_of::<Wishes>,
    run,
};

const DAY_MS: u64 = 86_400_000;

/// Options of `token`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Make a token; it is printed once and kept nowhere
    Add(Add),
    /// List tokens
    List,
    /// End what a token allows, also for those who are connected
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Args, Clone, Debug)]
struct Add {
    /// What to call it
    name: String,
    /// To ask queries
    #[arg(long)]
    read: bool,
    /// To take files in
    #[arg(long)]
    ingest: bool,
    /// To do all, and to see rows as they came
    #[arg(long)]
    admin: bool,
    /// Only repos of this organisation; may be given more than once
    #[arg(long, conflicts_with = "repo")]
    org: Vec<String>,
    /// Only this repo; may be given more than once
    #[arg(long)]
    repo: Vec<String>,
    /// Until the end of this day, or for so many days: 2027-01-01, 90d
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let dir = match &wishes.what {
        // A server that others reach needs a token before it needs logs.
        What::Add(_) => Store::open_or_create(&global.store)?.dir().to_owned(),
        What::List | What::Revoke { .. } => global.open()?.dir().to_owned(),
    };
    match wishes.what {
        What::Add(add) => {
            let now = SystemClock.now();
            let token = Tokens::add(&dir, add.wish(now)?, now)?;
            global.show_text(&format!("{token}\n"))?;
            note(global, "keep it: it is shown this once");
        }
        What::List => {
            let tokens = Tokens::load(&dir)?.unwrap_or_default();
            return global.show(&list(tokens.all(), SystemClock.now()));
        }
        What::Revoke { name } => Tokens::revoke(&dir, &name)?,
    }
    Ok(Exit::Done)
}

impl Add {
    fn wish(self, now: TimestampMs) -> Outcome<Wish> {
        let rights = [
            (self.read, Right::Read),
            (self.ingest, Right::Ingest),
            (self.admin, Right::Admin),
        ];
        let rights = rights.into_iter().filter(|(is_given, _)| *is_given);
        let rights: Vec<Right> = rights.map(|(_, right)| right).collect();
        if rights.is_empty() {
            return Err(Failure::usage_of(
                "a token needs a right",
                "give --read, --ingest or --admin",
            ));
        }
        Ok(Wish {
            name: self.name,
            rights,
            orgs: self.org.into_iter().collect(),
            repos: self.repo.into_iter().collect(),
            expires: self.expires.map(|when| expires(&when, now)).transpose()?,
        })
    }
}

/// The end of a day, an instant, or so many days from now.
fn expires(when: &str, now: TimestampMs) -> Outcome<TimestampMs> {
    let days = when
        .strip_suffix('d')
        .and_then(|days| days.parse::<u64>().ok());
    if let Some(days) = days {
        return Ok(TimestampMs(
            now.get().saturating_add(days.saturating_mul(DAY_MS)),
        ));
    }
    query_text::end_of(when).map_err(|error| {
        let mine = Error::invalid(format!("--expires {when}: {}", error.message()));
        Failure::usage(mine.with_help("write 2027-01-01 or 90d"))
    })
}

fn list(tokens: &[Token], now: TimestampMs) -> Answer {
    let mut list = sheet(&[
        ("name", ColumnType::Text),
        ("rights", ColumnType::Text),
        ("repos", ColumnType::Text),
        ("created", ColumnType::Text),
        ("expires", ColumnType::Text),
        ("valid", ColumnType::Bool),
    ]);
    for token in tokens {
        let rights: Vec<&str> = token.rights.iter().map(|right| right.name()).collect();
        let orgs = token.orgs.iter().map(|org| format!("{org}/*"));
        let repos: Vec<String> = orgs.chain(token.repos.iter().cloned()).collect();
        let only = (!repos.is_empty()).then(|| repos.join(" "));
        let expires = token.expires_ms.map(|end| TimestampMs(end).to_string());
        list.rows.push(vec![
            text(&token.name),
            text(rights.join(" ")),
            text(only.unwrap_or_else(|| "all".to_owned())),
            text(TimestampMs(token.created_ms).to_string()),
            optional_text(expires),
            footfall_engine::query::Value::Bool(token.is_valid_at(now)),
        ]);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates() {
        let at = |when: &str| expires(when, TimestampMs(5)).map_err(|failure| failure.report());
        assert_eq!(at("2d"), Ok(TimestampMs(5 + 2 * DAY_MS)));
        assert_eq!(at("1970-01-01"), Ok(TimestampMs(DAY_MS - 1)));
        assert!(at("soon").is_err());
    }
}

//! A saved set's definition to the downloaders in it.
//!
//! A set is defined by an expression, as the audience of which it is evaluated in every snapshot anew, or by a
//! list of hashes, which are those of accounts and of addresses unless `user:` or `ip:` stands before
//! them. What was evaluated is kept with the snapshot.

use std::collections::HashSet;
use std::sync::Arc;

use super::request::{Request, Subject};
use super::source::Source;
use super::{Analysis, audience};
use crate::bitmap::BitSet;
use crate::dictionary::identity::IdentityKey;
use crate::error::{Error, Result};
use crate::query::{Query, suggest};
use crate::schema::IdentityKind;
use crate::settings::SetWords;

/// The name of the set of machines that are known by what they call themselves.
pub(super) const KNOWN: &str = "known-machines";

/// Sets that every store has until the owner saves another one under the name: name and definition. A client
/// that people use (`python`, `curl`) is none of them.
pub const BUILT_IN: &[(&str, &str)] = &[(
    KNOWN,
    "client in (AhrefsBot, Amazonbot, Applebot, Baiduspider, bingbot, Bytespider, CCBot, ClaudeBot, DataForSeoBot, \
     DotBot, DuckDuckBot, GPTBot, Googlebot, \"Googlebot-Image\", MJ12bot, PetalBot, SemrushBot, YandexBot) \
     rule requests",
)];

/// Most sets that are defined by each other in a row.
const DEPTH_MAX: u32 = 16;

/// What the text of a definition asks for.
///
/// # Errors
///
/// `Invalid` with the column where it has no meaning.
pub fn definition(text: &str) -> Result<Request> {
    let analysis: &'static dyn Analysis = &audience::Audience;
    let name = analysis.card().name;
    Request::parse(analysis, &format!("{name} {text}")).map_err(|error| match error.help() {
        Some(help) if help.starts_with("write ") => error.with_help(
            "write a set and perhaps where, a range, rule: 'acme/llama-7b and not country = DE' last 90d",
        ),
        _ => error,
    })
}

/// What the text of a range and conditions means: what a request of the analysis of that name is about.
///
/// # Errors
///
/// `Invalid` with the column where it has no meaning.
pub fn scope(analysis: &str, text: &str) -> Result<Query> {
    match super::by_name(analysis) {
        Some(known) => Ok(Request::parse(known, &format!("{analysis} {text}"))?.scope),
        None => Err(Error::invalid(format!("no analysis {analysis}"))),
    }
}

/// The canonical text of a definition.
#[must_use]
pub fn definition_text(request: &Request) -> String {
    let text = request.render();
    text.strip_prefix(request.analysis)
        .unwrap_or(&text)
        .trim_start()
        .to_owned()
}

/// The downloaders of the saved set of that name.
///
/// # Errors
///
/// `NotFound` when there is none, or one that its definition names; as [`Source::sets`].
pub(super) fn saved(source: &Source<'_>, name: &str) -> Result<Arc<BitSet>> {
    if let Some(known) = source.view.set(name) {
        return Ok(known);
    }
    let sets = &source.view.settings().sets;
    let own = sets.iter().find(|words| words.name == name);
    let built_in = || BUILT_IN.iter().find(|(known, _)| *known == name);
    let words = own.cloned().or_else(|| {
        built_in().map(|(name, definition)| SetWords {
            name: (*name).to_owned(),
            definition: (*definition).to_owned(),
            hashes: Vec::new(),
        })
    });
    let Some(words) = words else {
        let error = Error::not_found(format!("no set is called {name}"));
        let names = sets.iter().map(|words| words.name.as_str());
        return Err(match suggest::did_you_mean(name, names) {
            Some(help) => error.with_help(help),
            None => error.with_help("footfall set list shows what there is"),
        });
    };
    if source.depth >= DEPTH_MAX {
        let message = format!("more than {DEPTH_MAX} sets are defined by each other");
        return Err(Error::limit(message));
    }
    let inner = Source {
        depth: source.depth + 1,
        ..*source
    };
    let set = Arc::new(evaluate(&inner, &words)?);
    source.view.keep_set(name, Arc::clone(&set));
    Ok(set)
}

/// The downloaders of a definition.
///
/// # Errors
///
/// `NotFound` when it names a set that there is not, `Limit` when sets are defined by too many others; as
/// [`Source::sets`].
pub fn evaluate(source: &Source<'_>, words: &SetWords) -> Result<BitSet> {
    if words.definition.is_empty() {
        return listed(source, &words.hashes);
    }
    let request = definition(&words.definition)?;
    let Subject::Set(set) = &request.subject else {
        return Err(Error::invalid("a set is defined by a set"));
    };
    Ok(set.evaluate(source, &request.scope)?.set)
}

/// Those whose hashes are listed; `user:` or `ip:` before a hash says of which kind it is.
fn listed(source: &Source<'_>, hashes: &[String]) -> Result<BitSet> {
    let kinds = [("user:", IdentityKind::User), ("ip:", IdentityKind::Ip)];
    let wanted = hashes.iter().flat_map(|hash| {
        let whole = kinds.map(|(_, kind)| IdentityKey::of_text(kind, hash.as_bytes()));
        let told = kinds.iter().filter_map(|(prefix, kind)| {
            let hash = hash.strip_prefix(prefix)?;
            Some(IdentityKey::of_text(*kind, hash.as_bytes()))
        });
        whole.into_iter().chain(told)
    });
    let wanted: HashSet<IdentityKey<'_>> = wanted.collect();
    let keys = source.view.identities();
    let mut set = BitSet::new(keys.next_id());
    for id in 1..keys.next_id() {
        if wanted.contains(&keys.key(id)?) {
            set.insert(id)?;
        }
    }
    Ok(set)
}

//! Pages about the store: `footfall-dashboard` draws, this asks for it under the asker's terms.

use std::sync::Arc;
use std::time::Duration;

use footfall_dashboard::{Ask, Place, State, Viewer, asset, render};
use footfall_engine::Result;
use footfall_engine::analysis::{Question, Request};
use footfall_engine::catalog::View;
use footfall_engine::catalog::terms::Allowed;
use footfall_engine::hub::Revisions;
use footfall_engine::ingest::pipeline::Progress;
use footfall_engine::query::{Answer, Change, Query, changes, text};
use footfall_engine::store::{ImportInfo, Status, Store};
use footfall_engine::units::Day;
use footfall_protocol::{Code, Fault};
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION};

use super::query::on_pool;
use super::respond::{Found, has_already};
use super::{Answers, Call, login, restricted};
use crate::fault::fault_of;
use crate::gate::Access;

/// Repos or organisations of a restriction that are named.
const NAMES_SHOWN: usize = 6;

/// `GET /`.
pub(super) async fn overview(call: Call) -> std::result::Result<Found, Fault> {
    page(call, Place::Overview).await
}

/// `GET /counting`.
pub(super) async fn counting(call: Call) -> std::result::Result<Found, Fault> {
    page(call, Place::Counting).await
}

/// `GET /data`.
pub(super) async fn data(call: Call) -> std::result::Result<Found, Fault> {
    page(call, Place::Data).await
}

/// `GET /repo/{type}/{name}`, where a name has a slash or none.
pub(super) async fn repo(call: Call) -> std::result::Result<Found, Fault> {
    let mut names = call.names.iter().cloned();
    let kind = names.next().unwrap_or_default();
    let name: Vec<String> = names.collect();
    page(call, Place::Repo(kind, name.join("/"))).await
}

/// `GET /assets/{version}/{name}`.
pub(super) async fn file(call: Call) -> std::result::Result<Found, Fault> {
    let name = call.names.last().map(String::as_str).unwrap_or_default();
    let asset = asset::named(name).ok_or_else(|| Fault::new(Code::NotFound, "no such file"))?;
    let mut found = Found::new(asset.media_type, asset.bytes);
    let for_ever = "public, max-age=31536000, immutable";
    found.headers.push((CACHE_CONTROL, for_ever.to_owned()));
    Ok(found)
}

async fn page(call: Call, place: Place) -> std::result::Result<Found, Fault> {
    let state = State::of(place, &call.parameters).map_err(|error| fault_of(&error, None))?;
    let context = Arc::clone(&call.context);
    on_pool(&context, move || drawn(&call, &state)).await
}

fn drawn(call: &Call, state: &State) -> std::result::Result<Found, Fault> {
    let context = &call.context;
    let terms = context.terms(&call.access, Arc::clone(&call.asked), Duration::MAX);
    let fault = |error| fault_of(&error, terms.stop.as_ref());
    let view = context.store.view().map_err(fault)?;
    let viewer = viewer(call);
    // The same commit shows the same page until its days grow older.
    let today = context.clock.now().day();
    let etag = format!(
        "W/\"{}-{today}-{}\"",
        view.manifest().number,
        asset::fingerprint(&format!("{}{viewer:?}", state.href()))
    );
    let progress = context.taking.get();
    if progress.is_none() && has_already(&call.headers, &etag) {
        return Ok(Found::not_modified(etag));
    }
    let reader = Reader {
        store: &context.store,
        answers: &context.answers,
        view: view.under(terms.clone()),
        viewer,
        today,
        progress,
    };
    let page = render(&reader, state).map_err(fault)?;
    let mut found = Found::new(page.media_type, page.content);
    // While something is taken in, it is another page the next moment.
    found.etag = progress.is_none().then_some(etag);
    if let Some(name) = page.file {
        let saved_as = format!("attachment; filename=\"{name}\"");
        found.headers.push((CONTENT_DISPOSITION, saved_as));
    }
    Ok(found)
}

/// Who asks, as a page says it.
fn viewer(call: &Call) -> Viewer {
    let is_by_cookie =
        !call.headers.contains_key(AUTHORIZATION) && login::tokens(&call.headers).next().is_some();
    let is_holder = matches!(*call.access, Access::Holder(_));
    Viewer {
        name: (is_by_cookie && is_holder).then(|| call.access.name().to_owned()),
        only: only(&call.access.allowed()),
    }
}

/// What is said of a restriction.
fn only(allowed: &Allowed) -> Option<String> {
    let (what, names) = match allowed {
        Allowed::All => return None,
        Allowed::Orgs(orgs) => ("repos of ", orgs),
        Allowed::Repos(repos) => ("", repos),
    };
    let first: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!(
        "This token sees only {what}{}{more}: every number here is of those. Imports and findings are of the store as a whole, and not shown.",
        first.join(", "),
    ))
}

/// A store, read at one commit under the terms of who asks.
struct Reader<'s> {
    store: &'s Store,
    answers: &'s Answers,
    view: View,
    viewer: Viewer,
    today: Day,
    progress: Option<Progress>,
}

impl Reader<'_> {
    /// What was answered before at this commit to who may see the same, else the answer now.
    fn kept(&self, text: &str, ask: impl FnOnce() -> Result<Answer>) -> Result<Arc<Answer>> {
        let allowed = &self.view.terms().allowed;
        let key = format!("{} {allowed:?} {text}", self.view.manifest().number);
        self.answers.get(&key, ask)
    }
}

impl Ask for Reader<'_> {
    fn progress(&self) -> Option<Progress> {
        // It is of the store as a whole.
        self.progress
            .filter(|_| self.view.terms().allowed == Allowed::All)
    }

    fn answer(&self, query: &Query) -> Result<Arc<Answer>> {
        self.kept(&text::render(query), || {
            self.store.evaluate_on(&self.view, query)
        })
    }

    fn analyse(&self, request: &Request) -> Result<Arc<Answer>> {
        self.kept(&request.render(), || {
            let question = Question::Analysis(request.clone());
            self.store.ask_on(&self.view, &question)
        })
    }

    fn changes(&self) -> Result<Vec<Change>> {
        changes(&self.view)
    }

    fn revisions(&self) -> Result<Arc<Revisions>> {
        // What is another in a later CSV is of the store as a whole.
        match self.view.terms().allowed {
            Allowed::All => {
                let number = self.view.manifest().number;
                let find = || self.store.hub_revisions_on(&self.view).map(Arc::new);
                self.answers.revisions.get(number, find)
            }
            _ => Ok(Arc::default()),
        }
    }

    fn own_rules(&self) -> Result<Vec<String>> {
        let rules = self.view.rules().iter();
        Ok(rules.map(|rule| rule.name.clone()).collect())
    }

    fn has_groups(&self) -> Result<bool> {
        Ok(!self.view.settings().groups.is_empty())
    }

    fn has_set(&self, name: &str) -> Result<bool> {
        let sets = &self.view.settings().sets;
        Ok(sets.iter().any(|set| set.name == name))
    }

    fn sees_all(&self) -> bool {
        self.view.terms().allowed == Allowed::All
    }

    fn status(&self) -> Result<Status> {
        let at = (self.view.manifest().number, self.today);
        let whole = self.answers.status.get(at, || self.store.status())?;
        match self.view.terms().allowed {
            Allowed::All => Ok(whole),
            _ => restricted::status(whole, self),
        }
    }

    fn imports(&self) -> Result<Vec<ImportInfo>> {
        // What was taken in is of the store as a whole.
        match self.view.terms().allowed {
            Allowed::All => self.store.imports(),
            _ => Ok(Vec::new()),
        }
    }

    fn findings(&self) -> Result<Arc<Answer>> {
        // What is found is of the store as a whole.
        match self.view.terms().allowed {
            Allowed::All => self.store.findings(),
            _ => Ok(Arc::default()),
        }
    }

    fn viewer(&self) -> Viewer {
        self.viewer.clone()
    }
}

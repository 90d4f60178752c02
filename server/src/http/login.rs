//! A token that was typed to a cookie that shows it, and back.
//!
//! The cookie is for pages alone: `HttpOnly`, so that no script reads it, and `SameSite=Strict`, so that no page of
//! another site makes a browser show it. A browser keeps such a cookie from a frame inside a page of another site. So
//! where frames are allowed, who logs in inside one over TLS gets a `Partitioned` cookie, which the browser shows
//! under that one outer site alone.
//!
//! # Invariants
//!
//! 1. A cookie opens nothing but what is read with `GET`.
//! 2. What another site began neither logs in nor out (`Entry::Door`).
//! 3. A log-in leads nowhere but to this server.

use footfall_dashboard::login;
use footfall_protocol::{Code, Fault};
use hyper::header::{COOKIE, HeaderName, LOCATION, ORIGIN, SET_COOKIE};
use hyper::{HeaderMap, StatusCode};

use super::address::Address;
use super::respond::{Found, HTML};
use super::{Call, body, guard};
use crate::context::Context;
use crate::counter::one;
use crate::gate::Access;
use crate::token::Right;

/// Name of the cookie.
const NAME: &str = "footfall";
/// Longest time that a browser keeps it, in seconds: browsers keep none longer.
const SECONDS_MAX: u64 = 400 * 86_400;

/// Tokens that cookies show; several where a browser has some of other paths.
pub(super) fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(COOKIE).iter();
    texts
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| {
            let (name, token) = pair.trim().split_once('=')?;
            (name == NAME).then_some(token)
        })
}

/// `GET /login`.
pub(super) async fn form(call: Call) -> Result<Found, Fault> {
    let to = local(call.parameter("to").unwrap_or_default());
    let is_in = guard::who(&call.context, &call.headers, true)
        .is_ok_and(|access| access.is_some_and(|access| access.has(Right::Read)));
    if is_in {
        return Ok(see(to));
    }
    Ok(Found::new(HTML, login(to, None)))
}

/// `POST /login`.
pub(super) async fn enter(mut call: Call) -> Result<Found, Fault> {
    let limits = call.context.limits.clone();
    let text = body::text(&mut call.body, &limits).await?;
    let fields = Address::parse("/", &text)
        .ok_or_else(|| Fault::new(Code::Syntax, "the form has escapes that are no text"))?
        .parameters;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    };
    let (to, token) = (local(field("to")), field("token"));
    let wrong = match call.context.gate.with_token(token) {
        Some(access) if access.has(Right::Read) => {
            let seconds = seconds(&call.context, &access);
            return Ok(see(to).with(SET_COOKIE, cookie(&call, token, seconds)));
        }
        Some(_) => "This token puts files in; the pages need one that reads.",
        None => {
            one(&call.context.counters.wrong_tokens);
            "No token is like this, or it no longer holds."
        }
    };
    let mut found = Found::new(HTML, login(to, Some(wrong)));
    found.status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(found)
}

/// `POST /logout`.
pub(super) async fn leave(call: Call) -> Result<Found, Fault> {
    Ok(see("/login").with(SET_COOKIE, cookie(&call, "", 0)))
}

/// To the page that asks for a token, and back here then.
pub(super) fn ask(uri: &hyper::Uri) -> Found {
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    let here: String = here.bytes().map(|byte| format!("%{byte:02X}")).collect();
    see(&format!("/login?to={here}"))
}

/// To another address, with `GET`.
fn see(href: &str) -> Found {
    let mut found = Found::new("", "");
    found.status = StatusCode::SEE_OTHER;
    found.with(LOCATION, href.to_owned())
}

/// An address of this server as it was given, else that of its first page.
pub(super) fn local(to: &str) -> &str {
    let is_plain = to
        .bytes()
        .all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if is_plain && to.starts_with('/') && !to.starts_with("//") {
        to
    } else {
        "/"
    }
}

/// How long a token holds, as far as a browser remembers.
fn seconds(context: &Context, access: &Access) -> u64 {
    let Access::Holder(token) = access else {
        return SECONDS_MAX;
    };
    let now = context.clock.now().get();
    let left = token.expires_ms.map(|end| end.saturating_sub(now) / 1_000);
    left.unwrap_or(SECONDS_MAX).min(SECONDS_MAX)
}

fn cookie(call: &Call, token: &str, seconds: u64) -> String {
    let headers = &call.headers;
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    // A proxy in front speaks TLS with the browser, which says so in the origin of a form.
    let is_secure = origin.is_some_and(|origin| origin.starts_with("https://"));
    let is_framed = !call.context.config.frames.is_empty() && guard::is_frame(headers);
    let how = match (is_secure, is_framed) {
        (true, true) => "; Secure; SameSite=None; Partitioned",
        (true, false) => "; Secure; SameSite=Strict",
        (false, _) => "; SameSite=Strict",
    };
    format!("{NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly{how}")
}

impl Found {
    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_nowhere_else() {
        for to in ["/", "/data", "/?where=country+%3D+DE"] {
            assert_eq!(local(to), to);
        }
        for to in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "data",
            "/a\nb",
            "/ä",
            "/a b",
        ] {
            assert_eq!(local(to), "/", "{to}");
        }
    }

    #[test]
    fn cookies_of_others_are_none_of_ours() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; footfall=x; b=footfall".parse().unwrap());
        headers.append(COOKIE, "xfootfall=y;footfall=z".parse().unwrap());
        assert_eq!(tokens(&headers).collect::<Vec<_>>(), ["x", "z"]);
    }
}

//! A request's head to who sent it, and whether a browser was made to.
//!
//! A page of another site can make a browser send requests to this server. Without `Host` checks it
//! could even read the answers, by pointing its own name here. So names are on a list, and what a
//! browser says that another site began is refused. No answer allows other origins to read it.

use std::net::SocketAddr;

use footfall_protocol::{Code, Fault};
use hyper::HeaderMap;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderName, ORIGIN};

use super::login;
use crate::context::Context;
use crate::counter::one;
use crate::gate::Access;

/// Names of this machine itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The one value of a header; `Err` if it is there several times or is no text.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Host and port in their parts, `[::1]:80` too.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() =>
        {
            let is_whole = !name.contains(':') || name.ends_with(']');
            if is_whole { name } else { host }
        }
        _ => host,
    }
}

/// Fails unless the request names this server.
pub(super) fn check_host(
    headers: &HeaderMap,
    (hosts, local): (&[String], SocketAddr),
) -> Result<(), Fault> {
    let refused = |text: &str| Err(Fault::new(Code::Denied, text));
    let Ok(Some(host)) = only(headers, &HOST) else {
        return Err(Fault::new(Code::Proto, "a request has one Host"));
    };
    let name = host_name(host).to_ascii_lowercase();
    let own = match local.ip() {
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    };
    let is_known = LOOPBACK.contains(&name.as_str())
        || name == own
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(&name));
    if is_known {
        Ok(())
    } else {
        refused("not a name of this server; --host adds one")
    }
}

/// Fails if a browser says that another site began the request.
pub(super) fn check_site(headers: &HeaderMap) -> Result<(), Fault> {
    let refused = || Err(Fault::new(Code::Denied, "another site began this request"));
    match only(headers, &FETCH_SITE) {
        Ok(None | Some("same-origin" | "none")) => {}
        _ => return refused(),
    }
    let (Ok(origin), Ok(host)) = (only(headers, &ORIGIN), only(headers, &HOST)) else {
        return refused();
    };
    let Some(origin) = origin else { return Ok(()) };
    let from = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    match (from, host) {
        (Some(from), Some(host)) if from.eq_ignore_ascii_case(host) => Ok(()),
        _ => refused(),
    }
}

/// Whether a browser says that it shows the answer in a frame of its own, and not as part of a page.
pub(super) fn is_frame(headers: &HeaderMap) -> bool {
    only(headers, &FETCH_MODE) == Ok(Some("navigate"))
        && only(headers, &FETCH_DEST) == Ok(Some("iframe"))
}

/// Whether it is a browser that shows what it gets to a person.
pub(super) fn is_person(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Who sent the request; `None` without a token where one is needed. A cookie counts where it is asked for.
pub(super) fn who(
    context: &Context,
    headers: &HeaderMap,
    takes_cookie: bool,
) -> Result<Option<Access>, Fault> {
    let wrong = || {
        one(&context.counters.wrong_tokens);
        Fault::new(Code::Auth, "no such token")
    };
    match only(headers, &AUTHORIZATION) {
        Ok(None) => {
            let mut shown = login::tokens(headers).filter(|_| takes_cookie);
            let access = shown.find_map(|token| context.gate.with_token(token));
            Ok(access.or_else(|| context.gate.without_token()))
        }
        Ok(Some(value)) => {
            let token = token(value).ok_or_else(wrong)?;
            let access = context.gate.with_token(&token);
            // A token that nobody asked for does no harm where everybody is let in.
            let access = access.or_else(|| context.gate.without_token());
            access.map(Some).ok_or_else(wrong)
        }
        Err(()) => Err(wrong()),
    }
}

/// The token of `Bearer TOKEN`, or of `Basic` with the token as password.
fn token(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = from_base64(rest)?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':')
        .map(|(_, password)| password.to_owned())
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(bits.checked_shr(count)? as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn names_of_this_server_alone() {
        let local = "127.0.0.1:4816".parse().unwrap();
        let own = ["stats.acme.org".to_owned()];
        let fits = |host: &str| check_host(&headers(&[("host", host)]), (&own, local)).is_ok();
        for host in [
            "localhost",
            "localhost:4816",
            "127.0.0.1:4816",
            "[::1]:4816",
            "LOCALHOST",
            "stats.acme.org",
            "Stats.Acme.org:443",
        ] {
            assert!(fits(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:4816",
            "evil.example:127.0.0.1",
            "localhost@evil.example",
            "[::1].evil",
            "0.0.0.0",
            "acme.org",
            "stats.acme.org.",
            "::1",
            "[::1",
            "127.1",
            "2130706433",
            "localhost:4816:80",
        ] {
            assert!(!fits(host), "{host}");
        }
        assert!(check_host(&headers(&[]), (&own, local)).is_err());
        let two = headers(&[("host", "localhost"), ("host", "localhost")]);
        assert!(check_host(&two, (&own, local)).is_err());
    }

    #[test]
    fn other_sites_are_refused() {
        let fits = |pairs: &[(&'static str, &str)]| {
            let mut all = vec![("host", "localhost:4816")];
            all.extend_from_slice(pairs);
            check_site(&headers(&all)).is_ok()
        };
        assert!(fits(&[]) && fits(&[("origin", "http://localhost:4816")]));
        assert!(fits(&[("sec-fetch-site", "same-origin")]) && fits(&[("sec-fetch-site", "none")]));
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost",
            "http://localhost:4817",
            "localhost:4816",
            "",
            "ftp://localhost:4816",
        ] {
            assert!(!fits(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "", "anything"] {
            assert!(!fits(&[("sec-fetch-site", site)]), "{site}");
        }
    }

    #[test]
    fn tokens_of_both_schemes() {
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc").as_deref(), Some("abc"));
        // user:pass:word
        assert_eq!(
            token("Basic dXNlcjpwYXNzOndvcmQ=").as_deref(),
            Some("pass:word")
        );
        for wrong in ["", "Bearer", "Digest abc", "Basic ###", "Basic dXNlcg=="] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
    }
}

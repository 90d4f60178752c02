//! A fault to what its asker can read: a person a page, a program JSON.

use footfall_dashboard::notice;
use footfall_protocol::{Code, Fault};
use hyper::Method;
use hyper::http::request::Parts;

use super::respond::{Found, HTML, fault};
use super::{guard, login};

/// A fault as it is told.
pub(super) fn fault_of(why: &Fault, head: &Parts, number: u64) -> Found {
    let plain = fault(why, number);
    let is_data = head.uri.path().starts_with("/api/");
    if !guard::is_person(&head.headers) || head.method != Method::GET || is_data {
        return plain;
    }
    let page = match why.code {
        Code::Auth => return login::ask(&head.uri),
        Code::Denied if guard::check_site(&head.headers).is_err() => {
            // The cookie of who logged in comes only with a click on this page.
            let here = head.uri.path_and_query().map_or("/", |here| here.as_str());
            let text = "Another site led here. Nothing is shown until you ask for it yourself.";
            notice("Footfall", text, (login::local(here), "Show the page"))
        }
        _ => {
            let help = why.fields.iter().find(|(name, _)| *name == "help");
            let help = help.map_or_else(String::new, |(_, help)| format!(". {help}"));
            let text = format!("{}{help}", why.text);
            notice("This page cannot be shown", &text, ("/", "To the overview"))
        }
    };
    Found {
        status: plain.status,
        headers: plain.headers,
        ..Found::new(HTML, page)
    }
}

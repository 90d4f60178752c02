//! What stands before the pages: where one logs in, and why a page is not shown.

use maud::{DOCTYPE, Markup, html};

use super::frame::{metas, name};

/// The page that asks for a token, and leads to `to` then. `wrong` says what was wrong with the one given.
#[must_use]
pub fn login(to: &str, wrong: Option<&str>) -> String {
    let body = html! {
        h1 { "Log in" }
        form.door action="/login" method="post" {
            input type="hidden" name="to" value=(to);
            label for="token" { "Token" }
            input id="token" type="password" name="token" required autofocus autocomplete="current-password"
                aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| "wrong")];
            button type="submit" { "Log in" }
            @if let Some(wrong) = wrong { p.error #wrong role="alert" { (wrong) } }
        }
        p.note { "A token is made with " code { "footfall token add NAME --read" } ". It stays in a cookie of this browser until you log out." }
    };
    page("Log in", &body)
}

/// A page that says why there is no other, with a link to go on.
#[must_use]
pub fn notice(title: &str, text: &str, (href, link): (&str, &str)) -> String {
    let body = html! {
        h1 { (title) }
        p { (text) }
        p { a href=(href) { (link) } }
    };
    page(title, &body)
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { (metas(title)) }
            body.alone { main {
                p.places { (name()) }
                (body)
            } }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_stays_text() {
        let page = login("/?q=\"><script>", Some("<b>")) + &notice("<i>", "<u>", ("/\"x", "go"));
        for markup in ["<script", "<b>", "<i>", "<u>", "\"x\""] {
            assert!(!page.contains(markup), "{markup}: {page}");
        }
    }
}

//! A page that says where to ask.

use footfall_protocol::Fault;

use super::Call;
use super::respond::Found;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// `GET /`.
pub(super) async fn page(_: Call) -> Result<Found, Fault> {
    Ok(Found::new("text/html; charset=utf-8", PAGE))
}

/// `GET /style.css`.
pub(super) async fn style(_: Call) -> Result<Found, Fault> {
    Ok(Found::new("text/css; charset=utf-8", STYLE))
}

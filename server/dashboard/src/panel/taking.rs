//! How far is the ingest that is running? Nothing while there is none.

use maud::{Markup, html};

use footfall_engine::Result;

use super::{Asked, Panel};
use crate::number::{count, share};

/// The panel.
pub(crate) const TAKING: &dyn Panel = &Taking;

struct Taking;

impl Panel for Taking {
    fn id(&self) -> &'static str {
        "taking"
    }

    fn title(&self) -> &'static str {
        "Files are being taken in"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let Some(progress) = asked.progress() else {
            return Ok(None);
        };
        Ok(Some(html! {
            p role="status" {
                (count(Some(progress.files_done))) " of " (count(Some(progress.files))) " files"
                @if let Some(share) = share(progress.bytes_done, progress.bytes) { ", " (share) " of their bytes" }
                ", " (count(Some(progress.rows))) " requests so far. The numbers below are of what is stored already."
            }
        }))
    }
}

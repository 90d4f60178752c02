//! What does each word mean? Every number's definition, in a sentence.

use maud::{Markup, html};

use footfall_engine::Result;

use super::{Asked, Panel};
use crate::definition::DEFINITIONS;

/// The panel.
pub(crate) const MEANINGS: &dyn Panel = &Meanings;

struct Meanings;

impl Panel for Meanings {
    fn id(&self) -> &'static str {
        "meanings"
    }

    fn title(&self) -> &'static str {
        "What does each word mean?"
    }

    fn body(&self, _: &Asked<'_>) -> Result<Option<Markup>> {
        Ok(Some(html! {
            dl.meanings { @for (word, meaning) in DEFINITIONS { dt { (word) } dd { (meaning) } } }
            p.note { "Every answer says its rule, its days and its query: open “Where these numbers come from” below a panel." }
        }))
    }
}

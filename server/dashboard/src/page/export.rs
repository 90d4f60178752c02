//! A panel to a file of what it shows: numbers, or a drawing that stands alone.

use footfall_engine::output::{self, Look};
use footfall_engine::{Error, Result};

use crate::chart;
use crate::detail::{Export, ExportFormat};
use crate::panel::{Asked, Panel};

/// What a drawing is.
const SVG: &str = "image/svg+xml";

/// The file, and what it is.
pub(super) fn file(
    panel: &dyn Panel,
    asked: Asked<'_>,
    wanted: &Export,
) -> Result<(String, &'static str)> {
    panel.body(&asked)?;
    let nothing = || Error::not_found(format!("the panel {} shows no such thing here", panel.id()));
    let mut sheets = asked.into_files().into_iter();
    let sheet = sheets.nth(wanted.at).ok_or_else(nothing)?;
    let format = match wanted.format {
        ExportFormat::Svg => {
            let drawing = sheet.drawing.ok_or_else(nothing)?;
            return Ok((chart::alone(&drawing.svg, &drawing.caption), SVG));
        }
        numbers => numbers.ending(),
    };
    let output = output::by_name(format).ok_or_else(nothing)?;
    let mut bytes = Vec::new();
    let written = output.write(&sheet.numbers, Look::Plain, &mut bytes);
    written.map_err(|error| Error::invalid(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| Error::invalid(error.to_string()))?;
    Ok((text, output.media_type()))
}

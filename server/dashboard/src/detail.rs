//! What of a page is open beside its filter: one panel alone, a file of it, a second repo, a day.

use footfall_engine::schema::time::parse_day;
use footfall_engine::units::Day;
use footfall_engine::{Error, Result};

/// What of a page is open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Detail {
    /// One panel alone.
    pub panel: Option<String>,
    /// A panel as a file.
    pub export: Option<Export>,
    /// A second repo, which is thought to follow the page's.
    pub beside: Option<String>,
    /// A day that is taken apart.
    pub day: Option<Day>,
}

/// A panel as a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Export {
    /// The panel.
    pub panel: String,
    /// Which of its tables or drawings, from 0.
    pub at: usize,
    /// What it is written as.
    pub format: ExportFormat,
}

/// What a panel can be written as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExportFormat {
    /// Numbers, as the engine's output `csv`.
    Csv,
    /// Numbers, as its output `json`.
    Json,
    /// A drawing.
    Svg,
}

/// Formats by the ending of their files.
const FORMATS: [(&str, ExportFormat); 3] = [
    ("csv", ExportFormat::Csv),
    ("json", ExportFormat::Json),
    ("svg", ExportFormat::Svg),
];

impl ExportFormat {
    /// The ending of files in it.
    #[must_use]
    pub fn ending(self) -> &'static str {
        let found = FORMATS.iter().find(|(_, known)| *known == self);
        found.map_or("", |(ending, _)| ending)
    }
}

impl Export {
    /// `PANEL.FORMAT`, or `PANEL.N.FORMAT` for another than the first.
    fn parse(text: &str) -> Result<Self> {
        let unknown = || {
            Error::invalid(format!(
                "export {text:?}, expected a panel and csv, json or svg: repos.csv"
            ))
        };
        let mut parts = text.split('.');
        let (panel, second, third) = (parts.next(), parts.next(), parts.next());
        let (at, ending) = match (second, third) {
            (Some(at), Some(ending)) => (at.parse().ok(), ending),
            (Some(ending), None) => (Some(0), ending),
            _ => return Err(unknown()),
        };
        let format = FORMATS.iter().find(|(known, _)| *known == ending);
        match (panel, at, format, parts.next()) {
            (Some(panel), Some(at), Some((_, format)), None) if !panel.is_empty() => Ok(Self {
                panel: panel.to_owned(),
                at,
                format: *format,
            }),
            _ => Err(unknown()),
        }
    }

    fn render(&self) -> String {
        let ending = self.format.ending();
        match self.at {
            0 => format!("{}.{ending}", self.panel),
            at => format!("{}.{at}.{ending}", self.panel),
        }
    }
}

impl Detail {
    /// Takes a parameter of an address in, if it is one of these; whether it was.
    ///
    /// # Errors
    ///
    /// `Invalid` for a value without meaning.
    pub(crate) fn take(&mut self, name: &str, value: &str) -> Result<bool> {
        match name {
            "panel" => self.panel = Some(value.to_owned()),
            "export" => self.export = Some(Export::parse(value)?),
            "with" => self.beside = Some(value.to_owned()),
            "day" => {
                let day = parse_day(value).ok_or_else(|| {
                    Error::invalid(format!("day {value:?}, expected one as 2026-07-14"))
                })?;
                self.day = Some(day);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Its parameters, in the address's order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let parameters = [
            ("with", self.beside.clone()),
            ("day", self.day.map(|day| day.to_string())),
            ("panel", self.panel.clone()),
            ("export", self.export.as_ref().map(Export::render)),
        ];
        let known = parameters.into_iter();
        known.filter_map(|(name, value)| Some((name, value?)))
    }

    /// The same without a panel or a file that stands alone: the whole page.
    pub(crate) fn whole(&self) -> Self {
        Self {
            panel: None,
            export: None,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_back() {
        let export = |at, format| Export {
            panel: "repos".to_owned(),
            at,
            format,
        };
        for export in [
            None,
            Some(export(0, ExportFormat::Csv)),
            Some(export(3, ExportFormat::Svg)),
        ] {
            let detail = Detail {
                panel: Some("spikes".to_owned()),
                export,
                beside: Some("model:acme/a b".to_owned()),
                day: parse_day("2026-07-14"),
            };
            let mut back = Detail::default();
            for (name, value) in detail.parameters() {
                assert!(back.take(name, &value).unwrap(), "{name}");
            }
            assert_eq!(back, detail);
            assert_eq!(detail.whole().parameters().count(), 2);
        }
        assert!(!Detail::default().take("range", "all").unwrap());
    }

    #[test]
    fn what_has_no_meaning_is_an_error() {
        for (name, value) in [
            ("day", "2026-13-01"),
            ("export", "repos"),
            ("export", "repos.pdf"),
            ("export", ".csv"),
            ("export", "repos.x.csv"),
            ("export", "repos.1.2.csv"),
        ] {
            assert!(Detail::default().take(name, value).is_err(), "{value}");
        }
    }
}

//! Which way? A series over time, the Hub's first.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::change::Concern;
use footfall_engine::schema::{Dimension, TimeUnit};

use super::figure::{Course, figure};
use super::{Asked, Medium, Panel};
use crate::period::{DAYS_OF_CHART_MAX, len};
use crate::state::{State, Tab};

/// The panel.
pub(crate) const TREND: &dyn Panel = &Trend;

struct Trend;

impl Panel for Trend {
    fn id(&self) -> &'static str {
        "trend"
    }

    fn title(&self) -> &'static str {
        "Which way?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let metric = match asked.state.tab {
            Tab::Downloads => "downloads",
            Tab::Downloaders => "downloaders",
        };
        let mut charts = Vec::new();
        if asked.has_hub() && asked.state.tab == Tab::Downloads {
            charts.push(chart(asked, "hub_downloads", "Downloads (Hub)")?);
        }
        if asked.has_logs() {
            let name = if metric == "downloads" {
                "Downloads, from logs"
            } else {
                "Unique downloaders"
            };
            charts.push(chart(asked, metric, name)?);
        }
        if charts.is_empty() {
            return Ok(None);
        }
        let tab = |name: &str, tab: Tab| {
            let is_here = asked.state.tab == tab;
            let href = State {
                tab,
                ..asked.state.clone()
            }
            .href();
            html! { a.tab href=(href) aria-current=[is_here.then_some("true")] { (name) } }
        };
        Ok(Some(html! {
            @if asked.has_logs() && asked.medium == Medium::Page {
                nav.tabs aria-label="What the chart shows" { (tab("Downloads", Tab::Downloads)) (tab("Unique downloaders", Tab::Downloaders)) }
            }
            @for chart in &charts { (chart) }
        }))
    }
}

/// Days where a chart can show them, else weeks.
fn unit(asked: &Asked<'_>, metric: &str) -> Result<TimeUnit> {
    let is_short = asked
        .days(metric)?
        .is_none_or(|days| len(days) <= DAYS_OF_CHART_MAX);
    Ok(if is_short {
        TimeUnit::Day
    } else {
        TimeUnit::Week
    })
}

/// The figure of a metric over the page's range.
pub(super) fn chart(asked: &Asked<'_>, metric: &str, name: &str) -> Result<Markup> {
    let unit = unit(asked, metric)?;
    let answer = asked.answer(metric, &[Dimension::Time(unit)])?;
    let concern = if metric == "hub_downloads" {
        Concern::Hub
    } else {
        Concern::Logs
    };
    let course = Course {
        name,
        unit,
        headings: &[name],
        concern,
    };
    figure(asked, &course, answer)
}

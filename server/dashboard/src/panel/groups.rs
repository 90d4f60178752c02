//! Which families? The same numbers by the owner's groups of repos.

use std::collections::BTreeMap;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::value::Test;
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::{change, count, int_at, int_of, share, text_of};
use crate::sheet::{int, sheet, text};

/// The panel.
pub(crate) const GROUPS: &dyn Panel = &Groups;

struct Groups;

/// A family's numbers: now, before, downloaders.
#[derive(Default)]
struct Family {
    now: u64,
    before: u64,
    downloaders: Option<u64>,
}

impl Panel for Groups {
    fn id(&self) -> &'static str {
        "groups"
    }

    fn title(&self) -> &'static str {
        "Which families?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let has_hub = asked.has_hub();
        if !asked.ask().has_groups()? || !(has_hub || asked.has_logs()) {
            return Ok(None);
        }
        let (metric, name) = if has_hub {
            ("hub_downloads", "Downloads (Hub)")
        } else {
            ("downloads", "Downloads")
        };
        let by = [Dimension::Group];
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let now = asked.answer(metric, &by)?;
        for row in &now.rows {
            families.entry(text_of(row, 0)).or_default().now = int_of(row, 1).unwrap_or(0);
        }
        let before = asked.before(&now);
        if let Some(before) = before {
            for row in &asked.answer_in(before, metric, &by)?.rows {
                families.entry(text_of(row, 0)).or_default().before = int_of(row, 1).unwrap_or(0);
            }
        }
        if asked.has_logs() {
            for row in &asked.answer("downloaders", &by)?.rows {
                families.entry(text_of(row, 0)).or_default().downloaders = int_of(row, 1);
            }
        }
        let whole = int_at(&*asked.answer(metric, &[])?, 0, 0).unwrap_or(0);
        let mut families: Vec<(String, Family)> = families.into_iter().collect();
        families.sort_by_key(|(_, family)| std::cmp::Reverse(family.now));
        asked.sheet(file(metric, &families));
        Ok(Some(html! {
            div.scroll { table.groups {
                thead { tr {
                    th scope="col" { "Family" } (number_heading(name)) (number_heading("Share"))
                    @if before.is_some() { (number_heading("Change")) }
                    @if asked.has_logs() { (number_heading("Unique downloaders")) }
                } }
                tbody { @for (group, family) in &families { tr {
                    th scope="row" { (asked.link(&asked.state.with(&Dimension::Group, Test::Equal(group.clone())), shown(group))) }
                    td.number { (thousands(family.now)) }
                    td.number { (share(family.now, whole).unwrap_or_default()) }
                    @if before.is_some() { td.number title=(format!("{} before", thousands(family.before))) { (change(family.now, family.before).1) } }
                    @if asked.has_logs() { td.number { (count(family.downloaders)) } }
                } } }
            } }
        }))
    }
}

fn shown(group: &str) -> &str {
    if group.is_empty() {
        "in no family"
    } else {
        group
    }
}

fn file(metric: &str, families: &[(String, Family)]) -> Answer {
    let columns = [
        ("group", ColumnType::Text),
        (metric, ColumnType::Int),
        ("before", ColumnType::Int),
        ("downloaders", ColumnType::Int),
    ];
    let row = |(group, family): &(String, Family)| {
        vec![
            text(group.as_str()),
            Value::Int(family.now),
            Value::Int(family.before),
            int(family.downloaders),
        ]
    };
    sheet(&columns, families.iter().map(row).collect())
}

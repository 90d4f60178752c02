//! A store to the rows it was made of.

use super::Store;
use crate::catalog::View;
use crate::dictionary::template;
use crate::error::Result;
use crate::schema::{IdentityKind, Row};
use crate::segment::{Attribute, DayRows, Segment, to_rows};
use crate::units::{Day, TimestampMs};

impl Store {
    /// Calls `each` for every row of the days `from..=to`, day by day, in the order they are stored.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`; the first error of `each`.
    pub fn rows(
        &self,
        (from, to): (Day, Day),
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let view = self.view()?;
        let days = view.manifest().partitions.iter();
        for partition in days.filter(|partition| (from..=to).contains(&partition.day)) {
            let segment = view.segment(partition)?;
            rows_of(&view, &segment, each)?;
        }
        Ok(())
    }
}

fn rows_of(view: &View, segment: &Segment, each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    let rows = to_rows(segment)?;
    for index in 0..rows.len() {
        each(row(view, segment, &rows, index)?)?;
    }
    Ok(())
}

fn row(view: &View, segment: &Segment, rows: &DayRows, index: usize) -> Result<Row> {
    let names = view.names();
    let at = |values: &[u32]| values.get(index).copied().unwrap_or(0);
    let attribute = |id| rows.attribute(id).map_or(0, at);
    let (method, status) = names.verb(at(&rows.verb));
    let (repo_type, repo) = names.repo(at(&rows.repo));
    let (country, region) = names.place(attribute(Attribute::PLACE));
    let mut row = Row {
        ts: TimestampMs(rows.day.start().get() + u64::from(at(&rows.ts))),
        status,
        method: method.to_owned(),
        repo_type: repo_type.to_owned(),
        repo: repo.to_owned(),
        country: country.to_owned(),
        region: region.to_owned(),
        internal: match attribute(Attribute::INTERNAL) {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        },
        ..Row::default()
    };
    identity(
        view,
        (at(&rows.downloader), attribute(Attribute::OTHER_IP)),
        &mut row,
    )?;
    let agent = names.agents().text(attribute(Attribute::AGENT));
    row.user_agent = template::join(agent, segment.session(attribute(Attribute::SESSION)));
    for (id, values) in &rows.attributes {
        let column = id.extra_index().filter(|_| at(values) != 0);
        if let Some(column) = column
            && let Some(name) = view.manifest().extra_columns.get(usize::from(column))
            && let Some(texts) = names.extra(column)
        {
            row.extra
                .insert(name.clone(), texts.text(at(values)).to_owned());
        }
    }
    Ok(row)
}

fn identity(view: &View, (downloader, other_ip): (u32, u32), row: &mut Row) -> Result<()> {
    if downloader != 0 {
        let key = view.identities().key(downloader)?;
        match key.kind {
            IdentityKind::User => row.user_hash = key.text(),
            IdentityKind::Ip => row.ip_hash = key.text(),
        }
    }
    if other_ip != 0 {
        row.ip_hash = view.identities().key(other_ip)?.text();
    }
    Ok(())
}

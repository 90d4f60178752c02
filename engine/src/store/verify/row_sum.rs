//! The rows of a segment to what the ledger keeps of them: rows and row hashes by import and hour.
//!
//! The hashes were taken when the lines were parsed. That they come out the same means that what is
//! stored is what was read: the proof runs through dictionaries, encodings and compactions.

use std::collections::BTreeMap;

use super::Codes;
use super::segment::Decoded;
use crate::catalog::HourSum;
use crate::dictionary::identity::fingerprint;
use crate::dictionary::{Names, template};
use crate::error::Result;
use crate::ingest::pipeline::row_hash;
use crate::schema::IdentityKind;
use crate::segment::Attribute;
use crate::units::{HOUR_MS, ImportNumber};

/// Rows by import and hour since 1970.
pub(super) type RowSums = BTreeMap<(ImportNumber, u32), HourSum>;

/// Half of the fingerprints of what codes stand for; 0 for what is absent.
pub(super) struct Prints {
    verbs: Vec<u64>,
    repos: Vec<u64>,
    places: Vec<u64>,
    agents: Vec<u64>,
    /// For each extra column, by its number in the store.
    extra: Vec<Vec<u64>>,
}

impl Prints {
    pub(super) fn of(names: &Names, extra_columns: &[String]) -> Self {
        let absent_first = |texts: &mut dyn Iterator<Item = &str>| -> Vec<u64> {
            let prints = texts.skip(1).map(print);
            std::iter::once(0).chain(prints).collect()
        };
        let extra = (0..).zip(extra_columns).map(|(column, name)| {
            let name = print(name) | 1;
            let texts = names.extra(column).into_iter();
            let mut prints = absent_first(&mut texts.flat_map(|texts| texts.texts()));
            prints
                .iter_mut()
                .for_each(|print| *print = print.wrapping_mul(name));
            prints
        });
        Self {
            verbs: names.verbs().texts().map(print).collect(),
            repos: names.repos().texts().map(print).collect(),
            places: absent_first(&mut names.places().texts()),
            agents: absent_first(&mut names.agents().texts()),
            extra: extra.collect(),
        }
    }
}

fn print(text: &str) -> u64 {
    low(twox_hash::XxHash3_128::oneshot(text.as_bytes()))
}

/// The lower half.
fn low(print: u128) -> u64 {
    (print & u128::from(u64::MAX)) as u64
}

/// The attributes of all rows; one that no row has is empty.
struct Attributes {
    import: Vec<u32>,
    place: Vec<u32>,
    agent: Vec<u32>,
    session: Vec<u32>,
    internal: Vec<u32>,
    other_ip: Vec<u32>,
    extra: Vec<(usize, Vec<u32>)>,
}

impl Attributes {
    fn of(decoded: &Decoded<'_>) -> Result<Self> {
        let mut extra = Vec::new();
        for attribute in decoded.segment.attributes() {
            if let Some(column) = attribute.extra_index() {
                extra.push((usize::from(column), decoded.rows_of(attribute)?));
            }
        }
        Ok(Self {
            import: decoded.rows_of(Attribute::IMPORT)?,
            place: decoded.rows_of(Attribute::PLACE)?,
            agent: decoded.rows_of(Attribute::AGENT)?,
            session: decoded.rows_of(Attribute::SESSION)?,
            internal: decoded.rows_of(Attribute::INTERNAL)?,
            other_ip: decoded.rows_of(Attribute::OTHER_IP)?,
            extra,
        })
    }
}

/// Rows and row hashes by import and hour; sums are 0 where codes cannot be read.
///
/// # Errors
///
/// `Corrupt` when rows or keys cannot be read.
pub(super) fn row_sums(decoded: &Decoded<'_>, codes: &Codes) -> Result<RowSums> {
    let segment = decoded.segment;
    let attributes = Attributes::of(decoded)?;
    let hasher = Hasher::of(decoded, codes, &attributes);
    let downloaders = segment.downloaders()?;
    let first_hour = segment.meta().day.get().saturating_mul(24);
    let (mut sums, mut row) = (RowSums::new(), 0_usize);
    let mut visits = decoded.slice.rank.iter().zip(&decoded.slice.rows);
    for repo in segment.repos()?.iter() {
        for (&rank, &rows) in visits.by_ref().take(repo.visits.len()) {
            let downloader = downloaders.get(rank as usize).copied().unwrap_or(0);
            let mut identity = (None, [0, 0]);
            for row in row..row + rows as usize {
                let other_ip = at(&attributes.other_ip, row);
                if identity.0 != Some(other_ip) {
                    identity = (
                        Some(other_ip),
                        identity_prints(codes, downloader, other_ip)?,
                    );
                }
                let hash = hasher
                    .as_ref()
                    .map(|hasher| hasher.hash(row, repo.code, identity.1));
                let hour = first_hour.saturating_add(at(&decoded.ts, row) / HOUR_MS as u32);
                let import = ImportNumber(at(&attributes.import, row));
                let sum = sums.entry((import, hour)).or_insert(HourSum {
                    hour,
                    ..HourSum::default()
                });
                sum.rows += 1;
                sum.sum = sum.sum.wrapping_add(hash.unwrap_or(0));
            }
            row += rows as usize;
        }
    }
    Ok(sums)
}

fn at(values: &[u32], row: usize) -> u32 {
    values.get(row).copied().unwrap_or(0)
}

/// Fingerprints of the account and of the address of a row.
fn identity_prints(codes: &Codes, downloader: u32, other_ip: u32) -> Result<[u64; 2]> {
    let mut prints = [0; 2];
    if let Some(keys) = &codes.identities {
        for id in [downloader, other_ip].into_iter().filter(|id| *id != 0) {
            let key = keys.key(id)?;
            let print = fingerprint(key.kind, key.text().as_bytes());
            match key.kind {
                IdentityKind::User => prints[0] = print,
                IdentityKind::Ip => prints[1] = print,
            }
        }
    }
    Ok(prints)
}

/// Makes the hash of a row that parsing made.
struct Hasher<'a> {
    decoded: &'a Decoded<'a>,
    attributes: &'a Attributes,
    prints: &'a Prints,
    names: &'a Names,
    day_start: u64,
}

impl<'a> Hasher<'a> {
    fn of(decoded: &'a Decoded<'a>, codes: &'a Codes, attributes: &'a Attributes) -> Option<Self> {
        codes.identities.as_ref()?;
        Some(Self {
            decoded,
            attributes,
            prints: codes.prints.as_ref()?,
            names: codes.names.as_ref()?,
            day_start: decoded.segment.meta().day.start().get(),
        })
    }

    fn hash(&self, row: usize, repo: u32, [user, ip]: [u64; 2]) -> u128 {
        let of = |prints: &[u64], code: u32| prints.get(code as usize).copied().unwrap_or(0);
        let (attributes, prints) = (self.attributes, self.prints);
        let extra = attributes.extra.iter().map(|(column, values)| {
            let prints = prints
                .extra
                .get(*column)
                .map(Vec::as_slice)
                .unwrap_or_default();
            of(prints, at(values, row))
        });
        let components = [
            self.day_start + u64::from(at(&self.decoded.ts, row)),
            of(&prints.verbs, at(&self.decoded.verb, row)),
            of(&prints.repos, repo),
            user,
            ip,
            of(&prints.places, at(&attributes.place, row)),
            self.agent(row),
            u64::from(at(&attributes.internal, row)),
        ];
        row_hash(components, extra.fold(0, u64::wrapping_add))
    }

    fn agent(&self, row: usize) -> u64 {
        let code = at(&self.attributes.agent, row);
        let session = self
            .decoded
            .segment
            .session(at(&self.attributes.session, row));
        if session.is_some() {
            return print(&template::join(self.names.agents().text(code), session));
        }
        self.prints.agents.get(code as usize).copied().unwrap_or(0)
    }
}

//! One imported file to what the ledger keeps of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{ImportNumber, TimestampMs};

/// What the ledger keeps of an imported file for ever.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// The import's number.
    pub import: ImportNumber,
    /// The file's path as it was found, or `-` for standard input.
    pub path: String,
    /// The file's length in bytes, as it lay there.
    pub len: u64,
    /// When the file was changed last, in milliseconds since 1970; not for standard input.
    pub mtime_ms: Option<u64>,
    /// Hash of its decompressed bytes.
    pub hash: ContentHash,
    /// How many rows were stored.
    pub rows: u64,
    /// How many lines were rejected.
    pub rejected: u64,
    /// How many lines were blank or headers.
    pub blank: u64,
    /// What the file was read as.
    pub log_format: String,
    /// Its columns in its order, under its names.
    #[serde(default)]
    pub columns: Vec<String>,
    /// The earliest row.
    #[serde(default)]
    pub ts_first: Option<TimestampMs>,
    /// The latest row.
    #[serde(default)]
    pub ts_last: Option<TimestampMs>,
    /// When it was taken in.
    pub ingested_at: TimestampMs,
    /// Other numbers of its receipt, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

/// The rows that an import has in one UTC hour, so that deliveries that overlap, or are the same
/// in another order or another division, can be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HourSum {
    /// Hours since 1970-01-01T00Z.
    pub hour: u32,
    /// How many rows.
    pub rows: u64,
    /// Sum of the rows' 128-bit hashes, modulo 2¹²⁸: the same in any order.
    pub sum: u128,
}

/// A record with its hours, ascending.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LedgerEntry {
    /// What is kept in memory.
    pub record: LedgerRecord,
    /// What is read when it is asked for.
    pub hours: Vec<HourSum>,
}

/// BLAKE3 of a file's decompressed bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ContentHash {
    fn parse(text: &str) -> Option<Self> {
        let hash = blake3::Hash::from_hex(text).ok()?;
        Some(Self(*hash.as_bytes()))
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(from)?;
        Self::parse(text).ok_or_else(|| D::Error::custom(format!("no BLAKE3 hash: {text:?}")))
    }
}

/// The record of a file with this content.
#[cfg(test)]
pub(super) fn sample(import: ImportNumber, content: &str) -> LedgerEntry {
    let seed = u64::from(import.get());
    let hour = |at: u32| HourSum {
        hour: 400_000 + at,
        rows: seed + 1,
        sum: u128::MAX / u128::from(seed * 24 + u64::from(at) + 1),
    };
    let record = LedgerRecord {
        import,
        path: format!("logs/\"{content}\".csv"),
        len: 1000 + seed,
        mtime_ms: Some(1_700_000_000_000 + seed),
        hash: ContentHash(*blake3::hash(content.as_bytes()).as_bytes()),
        rows: 24 * (seed + 1),
        rejected: 1,
        blank: 2,
        log_format: "csv".into(),
        columns: vec!["timestamp".into(), "repoName".into()],
        ts_first: Some(TimestampMs(1)),
        ts_last: None,
        ingested_at: TimestampMs(9),
        counts: BTreeMap::from([("cut_digits".into(), 3)]),
    };
    LedgerEntry {
        record,
        hours: (0..24).map(hour).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_json() {
        let record = sample(ImportNumber(3), "x").record;
        let text = serde_json::to_string(&record).unwrap();
        assert!(
            text.contains(&format!("\"hash\":\"{}\"", record.hash)),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<LedgerRecord>(&text).unwrap(), record);
        let broken = text.replace(&record.hash.to_string(), "ab");
        assert!(serde_json::from_str::<LedgerRecord>(&broken).is_err());
    }
}

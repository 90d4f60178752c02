//! One request with all its columns, owned: the logical table's row.
//!
//! The fast paths never build one; it serves tests, export and anything that wants a request whole.

use std::collections::BTreeMap;

use crate::units::TimestampMs;

/// One line of an access log. An empty text is an absent value.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Row {
    /// When, in UTC.
    pub ts: TimestampMs,
    /// HTTP status, 0 to 999.
    pub status: u16,
    /// HTTP method as written.
    pub method: String,
    /// `model`, `dataset`, `space` or whatever comes later.
    pub repo_type: String,
    /// `org/name`, case-sensitive.
    pub repo: String,
    /// Hashed account of an authenticated request.
    pub user_hash: String,
    /// Hashed address, of a request that was not authenticated.
    pub ip_hash: String,
    /// ISO code; `NA` is Namibia.
    pub country: String,
    /// Region or city; means something only together with the country.
    pub region: String,
    /// The `User-Agent` header as sent.
    pub user_agent: String,
    /// Set by old exports only.
    pub internal: Option<bool>,
    /// Columns that no published header set has, by name; absent values are left out.
    pub extra: BTreeMap<String, String>,
}

/// Header of the current export (v2), in order.
pub const COLUMNS_V2: [&str; 10] = [
    "timestamp",
    "status",
    "method",
    "repoName",
    "repoType",
    "hashedUserId",
    "hashedIp",
    "country",
    "region",
    "userAgent",
];

//! The text of fields to their values and to a row, or why the line is rejected.

use crate::ingest::header::{Known, Verb, verb_of};
use crate::ingest::reject::{RejectReason, shortened};
use crate::ingest::row::{INTERNAL_ABSENT, INTERNAL_FALSE, INTERNAL_TRUE, RawRow};
use crate::ingest::timestamp::{self, Plausible, Timestamp};

/// A row of its known columns, without extra ones, if all of them are of the usual form.
///
/// Apart from [`row`], so that a good row pays nothing for the size of a reason.
#[inline]
pub(super) fn usual_row<'f>(
    known: impl Fn(Known) -> &'f [u8],
    verb: Verb,
    plausible: &Plausible,
) -> Option<RawRow<'f>> {
    let stamp = timestamp::parse_usual(known(Known::Timestamp), plausible)?;
    let verb = match verb {
        Verb::MethodStatus => (known(Known::Method), number(known(Known::Status))?),
        Verb::RequestType => verb_of(known(Known::RequestType)),
    };
    usual_rest(stamp, verb, known)
}

/// As [`usual_row`], of one whose time, method and status are known.
#[inline(always)]
pub(super) fn usual_rest<'f>(
    stamp: Timestamp,
    (method, status): (&'f [u8], u16),
    known: impl Fn(Known) -> &'f [u8],
) -> Option<RawRow<'f>> {
    let (repo, repo_type) = (known(Known::RepoName), known(Known::RepoType));
    if method.is_empty() || repo.is_empty() || repo_type.is_empty() {
        return None;
    }
    let internal = match known(Known::Internal) {
        b"" => INTERNAL_ABSENT,
        b"true" => INTERNAL_TRUE,
        b"false" => INTERNAL_FALSE,
        _ => return None,
    };
    Some(RawRow {
        ts: stamp.ms,
        ts_cut: stamp.cut,
        status,
        method,
        repo,
        repo_type,
        user: known(Known::User),
        ip: known(Known::Ip),
        country: known(Known::Country),
        region: known(Known::Region),
        agent: known(Known::Agent),
        internal,
        extra: &[],
    })
}

/// A row of its known columns, without extra ones, or why it is none.
pub(super) fn row<'f>(
    known: impl Fn(Known) -> &'f [u8],
    verb: Verb,
    plausible: &Plausible,
) -> Result<RawRow<'f>, RejectReason> {
    let stamp = timestamp(known(Known::Timestamp), plausible)?;
    let (method, status) = match verb {
        Verb::MethodStatus => (
            required(known(Known::Method), Known::Method)?,
            status(known(Known::Status))?,
        ),
        Verb::RequestType => verb_of(required(known(Known::RequestType), Known::RequestType)?),
    };
    Ok(RawRow {
        ts: stamp.ms,
        ts_cut: stamp.cut,
        status,
        method,
        repo: required(known(Known::RepoName), Known::RepoName)?,
        repo_type: required(known(Known::RepoType), Known::RepoType)?,
        user: known(Known::User),
        ip: known(Known::Ip),
        country: known(Known::Country),
        region: known(Known::Region),
        agent: known(Known::Agent),
        internal: internal(known(Known::Internal))?,
        extra: &[],
    })
}

/// A timestamp.
#[inline]
fn timestamp(text: &[u8], plausible: &Plausible) -> Result<Timestamp, RejectReason> {
    timestamp::parse(text, plausible).map_err(|why| match text {
        [] => RejectReason::Missing {
            column: Known::Timestamp.name(),
        },
        _ => RejectReason::Timestamp {
            why,
            found: shortened(text),
        },
    })
}

/// A text that must not be empty.
#[inline]
fn required(text: &[u8], column: Known) -> Result<&[u8], RejectReason> {
    match text {
        [] => Err(RejectReason::Missing {
            column: column.name(),
        }),
        _ => Ok(text),
    }
}

/// One to three digits.
#[inline]
fn number(text: &[u8]) -> Option<u16> {
    let digit = |byte: u8| Some(u16::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    match *text {
        [a, b, c] => Some(digit(a)? * 100 + digit(b)? * 10 + digit(c)?),
        [a, b] => Some(digit(a)? * 10 + digit(b)?),
        [a] => digit(a),
        _ => None,
    }
}

/// A status: one to three digits.
fn status(text: &[u8]) -> Result<u16, RejectReason> {
    number(text).ok_or_else(|| match text {
        [] => RejectReason::Missing {
            column: Known::Status.name(),
        },
        _ => RejectReason::Status {
            found: shortened(text),
        },
    })
}

/// `isInternal`: true, false or nothing, in any case of letters.
#[inline]
fn internal(text: &[u8]) -> Result<u8, RejectReason> {
    match text {
        [] => Ok(INTERNAL_ABSENT),
        _ if text.eq_ignore_ascii_case(b"true") => Ok(INTERNAL_TRUE),
        _ if text.eq_ignore_ascii_case(b"false") => Ok(INTERNAL_FALSE),
        _ => Err(RejectReason::Internal {
            found: shortened(text),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_from_0_to_999() {
        for number in 0..1000_u16 {
            assert_eq!(status(number.to_string().as_bytes()), Ok(number));
        }
        assert_eq!(status(b"007"), Ok(7));
        for text in ["abc", "1000", "0200", "-1", "2 0", "200.0", "２"] {
            let found = text.to_owned();
            assert_eq!(status(text.as_bytes()), Err(RejectReason::Status { found }));
        }
        assert_eq!(status(b""), Err(RejectReason::Missing { column: "status" }));
    }

    #[test]
    fn internal_has_three_values() {
        assert_eq!(internal(b""), Ok(INTERNAL_ABSENT));
        assert_eq!(internal(b"True"), Ok(INTERNAL_TRUE));
        assert_eq!(internal(b"false"), Ok(INTERNAL_FALSE));
        assert_eq!(
            internal(b"1").map_err(|reason| reason.code()),
            Err("internal")
        );
    }
}

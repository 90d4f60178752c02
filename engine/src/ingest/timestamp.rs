//! The text of a timestamp (RFC 3339) to UTC milliseconds.
//!
//! The usual shape `YYYY-MM-DDTHH:MM:SS[.f…](Z|±hh:mm)` is read by hand; anything else is what
//! `chrono::DateTime::parse_from_rfc3339` says of it: lower-case `t` and `z`, a space for the `T`.
//! As chrono has it, second 60 is taken at any minute and lies in the second that follows.
//!
//! Invariants:
//! 1. What the fast path reads, chrono reads to the same instant
//!    (`fast_path_equals_chrono`); what neither reads is an error.
//! 2. A result lies in 1970-01-01 … 2199-12-31 and inside the [`Plausible`] bounds.

use crate::units::{DAY_MAX, DAY_MS, Day, HOUR_MS, TimestampMs};
use std::fmt;

/// Which instants are believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plausible {
    /// The first.
    pub min: TimestampMs,
    /// The last.
    pub max: TimestampMs,
}

/// 2000-01-01T00:00:00Z.
const YEAR_2000: TimestampMs = Day(10_957).start();
/// How far ahead of the clock a timestamp may be.
const AHEAD_MS_MAX: u64 = 48 * HOUR_MS;

impl Plausible {
    /// From the year 2000 to 48 hours after `now`.
    #[must_use]
    pub const fn until(now: TimestampMs) -> Self {
        Self {
            min: YEAR_2000,
            max: TimestampMs(now.0.saturating_add(AHEAD_MS_MAX)),
        }
    }

    /// Whatever can be stored (`--any-date`).
    #[must_use]
    pub const fn any() -> Self {
        Self {
            min: TimestampMs(0),
            max: TimestampMs(DAY_MAX.end().0 - 1),
        }
    }
}

/// Why a timestamp is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimestampError {
    /// It would be one if it said its zone.
    NoZone,
    /// It is not RFC 3339.
    Malformed,
    /// Before 1970 or after 2199.
    OutOfRange,
    /// Before 2000 or too far ahead of the clock.
    Implausible,
}

impl TimestampError {
    /// A short, stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoZone => "timestamp_no_zone",
            Self::Malformed => "timestamp",
            Self::OutOfRange => "timestamp_out_of_range",
            Self::Implausible => "timestamp_implausible",
        }
    }
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoZone => "has no zone (a Z or +hh:mm at its end)",
            Self::Malformed => "is not RFC 3339 (2026-01-31T23:59:59.999Z)",
            Self::OutOfRange => "is before 1970 or after 2199",
            Self::Implausible => {
                "is before 2000 or more than 48 h ahead of the clock (--any-date takes it)"
            }
        })
    }
}

/// A timestamp that was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timestamp {
    /// The instant, finer digits cut.
    pub ms: TimestampMs,
    /// Whether digits other than 0 were cut.
    pub cut: bool,
}

/// Reads a timestamp.
///
/// # Errors
/// See [`TimestampError`].
#[inline]
pub fn parse(text: &[u8], plausible: &Plausible) -> Result<Timestamp, TimestampError> {
    let (ms, cut) = match fast(text) {
        Some(read) => read,
        None => fallback(text)?,
    };
    let ms = u64::try_from(ms).map_err(|_| TimestampError::OutOfRange)?;
    if ms >= DAY_MAX.end().0 {
        return Err(TimestampError::OutOfRange);
    }
    if ms < plausible.min.0 || ms > plausible.max.0 {
        return Err(TimestampError::Implausible);
    }
    Ok(Timestamp {
        ms: TimestampMs(ms),
        cut,
    })
}

/// Reads a timestamp of the usual shape that can be taken; `None` says nothing about any other.
#[inline]
pub(super) fn parse_usual(text: &[u8], plausible: &Plausible) -> Option<Timestamp> {
    let (ms, cut) = fast(text)?;
    let ms = u64::try_from(ms).ok()?;
    let last = plausible.max.0.min(DAY_MAX.end().0 - 1);
    let taken = ms >= plausible.min.0 && ms <= last;
    taken.then_some(Timestamp {
        ms: TimestampMs(ms),
        cut,
    })
}

/// Bytes of the usual shape with milliseconds and `Z`.
pub(super) const USUAL_BYTES: usize = 24;
/// Bytes of a date and the `T`.
const DATE_BYTES: usize = 11;

/// The date that was read last: lines mostly have the same one as the line before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    text: [u8; DATE_BYTES],
    start_ms: u64,
}

impl Default for Date {
    fn default() -> Self {
        Self {
            text: *b"1970-01-01T",
            start_ms: 0,
        }
    }
}

impl Date {
    /// Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`; `None` says nothing about any other.
    #[inline(always)]
    pub(super) fn parse_usual(
        &mut self,
        text: &[u8; USUAL_BYTES],
        plausible: &Plausible,
    ) -> Option<Timestamp> {
        let (date, time) = text.split_first_chunk::<DATE_BYTES>()?;
        if *date != self.text {
            let whole = parse_usual(text, plausible)?;
            self.text = *date;
            self.start_ms = whole.ms.day().start().0;
            return Some(whole);
        }
        let (clock, fraction) = time.split_first_chunk::<8>()?;
        let digits = matched(u64::from_le_bytes(*clock), *b"00:00:00")?;
        // Each pair of digits in the byte of its first one; none is above 99.
        let pairs = digits * 10 + (digits >> 8);
        let (hour, minute, second) = (digit(pairs, 0), digit(pairs, 3), digit(pairs, 6));
        let [b'.', a, b, c, b'Z'] = *fraction else {
            return None;
        };
        let ms = thousandths([a, b, c])?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let of_day = (hour * 3600 + minute * 60 + second) * 1000 + ms;
        let ms = self.start_ms + u64::from(of_day);
        let taken = ms >= plausible.min.0 && ms <= plausible.max.0.min(DAY_MAX.end().0 - 1);
        taken.then_some(Timestamp {
            ms: TimestampMs(ms),
            cut: false,
        })
    }
}

/// Eight bytes against a template: where it has a 0, a digit; elsewhere the byte itself.
/// Gives the digits' values in place.
#[inline]
fn matched(word: u64, template: [u8; 8]) -> Option<u64> {
    let mut add = [0; 8];
    let mut mask = [0xff; 8];
    let mut index = 0;
    while index < 8 {
        if template[index] == b'0' {
            add[index] = 6;
            mask[index] = 0xf0;
        }
        index += 1;
    }
    // A digit becomes 0 … 9, so that neither it nor it + 6 has a high nibble. A byte large enough
    // to carry into its neighbour has one itself.
    let x = word ^ u64::from_le_bytes(template);
    let wrong = (x | x.wrapping_add(u64::from_le_bytes(add))) & u64::from_le_bytes(mask);
    (wrong == 0).then_some(x)
}

/// Byte `index` of a word of digit values.
#[inline]
const fn digit(word: u64, index: u32) -> u32 {
    (word >> (8 * index)) as u32 & 0xff
}

/// Days before each month of a common year, from index 1.
const DAYS_BEFORE: [u16; 16] = [
    0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365, 365, 365,
];
/// Days of each month of a common year, from index 1; 0 where there is no such month.
const DAYS_IN: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; `None` if there is none.
#[inline]
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    if month > 12 {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let in_month = u32::from(DAYS_IN[month as usize & 15]) + u32::from(leap && month == 2);
    if day == 0 || day > in_month {
        return None;
    }
    let before = u32::from(DAYS_BEFORE[month as usize & 15]) + u32::from(leap && month > 2);
    // Days since year 0, which was a leap year, moved to 1970.
    let years = year + 399;
    let leaps = years / 4 - years / 100 + years / 400;
    Some(i64::from(year * 365 + leaps + before + day) - 719_625)
}

/// The usual shape, to (milliseconds, whether something was cut); `None` if it is not that shape.
#[inline]
fn fast(text: &[u8]) -> Option<(i64, bool)> {
    let (head, tail) = text.split_at_checked(19)?;
    let date = matched(u64::from_le_bytes(*head.first_chunk()?), *b"0000-00-")?;
    let clock = matched(
        u64::from_le_bytes(*head.get(8..)?.first_chunk()?),
        *b"00T00:00",
    )?;
    let [b':', s1, s0] = *head.last_chunk::<3>()? else {
        return None;
    };
    let (s1, s0) = (s1.wrapping_sub(b'0'), s0.wrapping_sub(b'0'));
    if s1 > 5 || s0 > 9 {
        return None;
    }
    let year = digit(date, 0) * 1000 + digit(date, 1) * 100 + digit(date, 2) * 10 + digit(date, 3);
    let month = digit(date, 5) * 10 + digit(date, 6);
    let day = digit(clock, 0) * 10 + digit(clock, 1);
    let hour = digit(clock, 3) * 10 + digit(clock, 4);
    let minute = digit(clock, 6) * 10 + digit(clock, 7);
    if hour > 23 || minute > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + u32::from(s1 * 10 + s0);
    let ms = days(year, month, day)? * DAY_MS as i64 + i64::from(seconds) * 1000;
    let ((fraction, cut), zone) = match *tail {
        [b'.', a, b, c, b'Z'] => match thousandths([a, b, c]) {
            Some(value) => ((value, false), &b"Z"[..]),
            None => return None,
        },
        [b'.', ref rest @ ..] => fraction(rest)?,
        _ => ((0, false), tail),
    };
    Some((ms + i64::from(fraction) - offset_ms(zone)?, cut))
}

/// Three digits to milliseconds.
#[inline]
fn thousandths(digits: [u8; 3]) -> Option<u32> {
    let [a, b, c] = digits.map(|byte| u32::from(byte.wrapping_sub(b'0')));
    (a < 10 && b < 10 && c < 10).then_some(a * 100 + b * 10 + c)
}

/// The digits behind the point: milliseconds, whether anything was cut, and what follows.
fn fraction(text: &[u8]) -> Option<((u32, bool), &[u8])> {
    let count = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(count)?;
    if digits.is_empty() {
        return None;
    }
    let mut first = [b'0'; 3];
    for (to, from) in first.iter_mut().zip(digits) {
        *to = *from;
    }
    let cut = digits.iter().skip(3).any(|digit| *digit != b'0');
    Some(((thousandths(first)?, cut), rest))
}

/// `Z` or `±hh:mm` to milliseconds east of UTC.
#[inline]
fn offset_ms(zone: &[u8]) -> Option<i64> {
    let [sign, a, b, b':', c, d] = *zone else {
        return (zone == b"Z").then_some(0);
    };
    let [a, b, c, d] = [a, b, c, d].map(|byte| byte.wrapping_sub(b'0'));
    if a > 9 || b > 9 || c > 5 || d > 9 {
        return None;
    }
    let (hours, minutes) = (i64::from(a * 10 + b), i64::from(c * 10 + d));
    if hours > 23 {
        return None;
    }
    let ms = (hours * 60 + minutes) * 60_000;
    match sign {
        b'+' => Some(ms),
        b'-' => Some(-ms),
        _ => None,
    }
}

/// What chrono says, for the unusual shapes and for telling what is wrong.
#[cold]
fn fallback(text: &[u8]) -> Result<(i64, bool), TimestampError> {
    let text = std::str::from_utf8(text).map_err(|_| TimestampError::Malformed)?;
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(read) => {
            let cut = read.timestamp_subsec_nanos() % 1_000_000 != 0;
            Ok((read.timestamp_millis(), cut))
        }
        Err(_) if chrono::DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() => {
            Err(TimestampError::NoZone)
        }
        Err(_) => Err(TimestampError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(text: &str) -> Result<(u64, bool), TimestampError> {
        parse(text.as_bytes(), &Plausible::any()).map(|read| (read.ms.0, read.cut))
    }

    #[test]
    fn usual_and_unusual_shapes() {
        let want = Ok((1_769_903_999_999, false));
        for text in [
            "2026-01-31T23:59:59.999Z",
            "2026-01-31T23:59:59.999000000Z",
            "2026-02-01T05:29:59.999+05:30",
            "2026-01-31T18:59:59.999-05:00",
            "2026-01-31t23:59:59.999z",
            "2026-01-31 23:59:59.999Z",
        ] {
            assert_eq!(ms(text), want, "{text}");
        }
        assert_eq!(
            ms("2026-01-31T23:59:59.9999Z"),
            Ok((1_769_903_999_999, true))
        );
        assert_eq!(ms("2026-01-31T23:59:59.9Z"), Ok((1_769_903_999_900, false)));
        assert_eq!(ms("2026-01-31T23:59:59Z"), Ok((1_769_903_999_000, false)));
        assert_eq!(ms("1970-01-01T00:00:00Z"), Ok((0, false)));
        assert_eq!(
            ms("2199-12-31T23:59:59.999Z"),
            Ok((DAY_MAX.end().0 - 1, false))
        );
        // A leap second lies in the second that follows.
        assert_eq!(
            ms("2016-12-31T23:59:60.250Z"),
            ms("2017-01-01T00:00:00.250Z")
        );
    }

    #[test]
    fn each_kind_of_wrong() {
        use TimestampError::{Malformed, NoZone, OutOfRange};
        for (text, why) in [
            ("2026-01-31T23:59:59.999", NoZone),
            ("2026-01-31T23:59:59", NoZone),
            ("2026-01-31 23:59:59", NoZone),
            ("2026-02-29T00:00:00Z", Malformed),
            ("2026-13-01T00:00:00Z", Malformed),
            ("2026-00-01T00:00:00Z", Malformed),
            ("2026-01-00T00:00:00Z", Malformed),
            ("2026-01-31T24:00:00Z", Malformed),
            ("2026-01-31T23:60:00Z", Malformed),
            ("2026-01-31T23:59:61Z", Malformed),
            ("2026-01-31T23:59:59.Z", Malformed),
            ("2026-01-31T23:59:59+24:00", Malformed),
            ("2026-01-31", Malformed),
            ("31/Jan/2026:23:59:59 +0000", Malformed),
            ("1769903999", Malformed),
            ("", Malformed),
            ("1969-12-31T23:59:59.999Z", OutOfRange),
            ("1970-01-01T00:00:00+00:01", OutOfRange),
            ("2200-01-01T00:00:00Z", OutOfRange),
            ("0000-01-01T00:00:00Z", OutOfRange),
        ] {
            assert_eq!(ms(text), Err(why), "{text}");
        }
        assert_eq!(
            parse(b"2026-01-31T23:59:5\xff", &Plausible::any()).err(),
            Some(Malformed)
        );
    }

    proptest! {
        #[test]
        fn a_date_seen_before_changes_nothing(
            texts in prop::collection::vec(
                "(1970-01-01|2026-0[1-3]-[0-3][019])[T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9][.:][0-9]{3}[Zz]",
                1..20,
            ),
        ) {
            let mut date = Date::default();
            for text in texts {
                let bytes = text.as_bytes().first_chunk().unwrap();
                let want = parse_usual(bytes, &Plausible::any());
                prop_assert_eq!(date.parse_usual(bytes, &Plausible::any()), want, "{}", text);
            }
        }
    }

    #[test]
    fn plausible_bounds_are_inclusive() {
        let now = TimestampMs(ms("2026-01-01T00:00:00Z").unwrap().0);
        let read = |text: &str| parse(text.as_bytes(), &Plausible::until(now)).err();
        assert_eq!(
            read("1999-12-31T23:59:59.999Z"),
            Some(TimestampError::Implausible)
        );
        assert_eq!(read("2000-01-01T00:00:00Z"), None);
        assert_eq!(read("2026-01-03T00:00:00Z"), None);
        assert_eq!(
            read("2026-01-03T00:00:00.001Z"),
            Some(TimestampError::Implausible)
        );
    }

    #[test]
    fn every_day_of_four_centuries_is_read() {
        let mut text = String::new();
        for number in 0..146_097 {
            let date =
                chrono::NaiveDate::from_ymd_opt(1800, 1, 1).unwrap() + chrono::Days::new(number);
            text.clear();
            text.push_str(&format!("{}T00:00:00Z", date.format("%Y-%m-%d")));
            let want = date
                .and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp_millis();
            assert_eq!(fast(text.as_bytes()), Some((want, false)), "{text}");
        }
    }

    /// Bytes near a timestamp: its alphabet, in about its shape.
    fn near() -> impl Strategy<Value = String> {
        "[012][09][0-9]{2}[-/][0-9]{2}-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|z|[+-][0-9]{2}:?[0-9]{2}|)"
    }

    proptest! {
        #[test]
        fn usual_is_as_any(text in near(), min in 0..4_102_444_800_000_u64, long in 0..4_102_444_800_000_u64) {
            let plausible = Plausible { min: TimestampMs(min), max: TimestampMs(min + long) };
            if let Some(read) = parse_usual(text.as_bytes(), &plausible) {
                prop_assert_eq!(Ok(read), parse(text.as_bytes(), &plausible));
            }
        }

        #[test]
        fn fast_path_equals_chrono(text in near()) {
            let want = chrono::DateTime::parse_from_rfc3339(&text).ok().map(|read| {
                (read.timestamp_millis(), read.timestamp_subsec_nanos() % 1_000_000 != 0)
            });
            if let Some(read) = fast(text.as_bytes()) {
                let got = fallback(text.as_bytes()).ok();
                // chrono cuts beyond nine digits, so it may not see that something was cut.
                prop_assert_eq!(Some(read.0), got.map(|got| got.0));
                prop_assert!(Some(read.1) == got.map(|got| got.1) || text.len() > 30);
            }
            prop_assert_eq!(fast(text.as_bytes()).or_else(|| fallback(text.as_bytes()).ok()).map(|r| r.0),
                want.map(|w| w.0));
        }

        #[test]
        fn the_usual_shape_takes_the_fast_path(number in 0..7_258_118_400_000_i64, offset in -1439..1440) {
            let utc = chrono::DateTime::from_timestamp_millis(number).unwrap();
            let text = utc.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            prop_assert_eq!(fast(text.as_bytes()), Some((number, false)));
            let zone = chrono::FixedOffset::east_opt(offset * 60).unwrap();
            let text = utc.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Nanos, false);
            prop_assert_eq!(fast(text.as_bytes()), Some((number, false)), "{}", text);
        }

        #[test]
        fn any_bytes_are_read_without_harm(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&text, &Plausible::any());
        }
    }
}

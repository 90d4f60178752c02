//! The CSV's `timestamp` to a day, and back.

use crate::units::{DAY_MAX, Day};

/// Length of `2021-01-22T00:00:00.000Z`.
pub(super) const DAY_TEXT_BYTES: usize = 24;

/// What the Hub writes after the date.
const MIDNIGHT: &[u8] = b"T00:00:00.000Z";

/// Days before each month of a year that is not a leap year.
const MONTH_STARTS: [u32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Reads a timestamp as the Hub writes it, else any RFC 3339 form of a midnight UTC.
///
/// The error says what was wrong, to be put behind the text.
pub(super) fn parse_day(text: &[u8]) -> Result<Day, &'static str> {
    if let Some((date, MIDNIGHT)) = text.split_at_checked(10)
        && let Some(day) = parse_date(date)
    {
        return Ok(day);
    }
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8")?;
    let instant = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| "is not a timestamp with a zone, such as 2021-01-22T00:00:00.000Z")?;
    let instant = instant.naive_utc();
    if instant.time() != chrono::NaiveTime::MIN {
        return Err("is not midnight UTC: a row stands for a whole UTC day");
    }
    Day::from_date(instant.date()).ok_or("is outside 1970-01-01 … 2199-12-31")
}

/// `2021-01-22`, if it is a date of the years 1970 to 2199.
fn parse_date(text: &[u8]) -> Option<Day> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        _ => None,
    };
    let year = digit(y1)? * 1000 + digit(y2)? * 100 + digit(y3)? * 10 + digit(y4)?;
    let month = digit(m1)? * 10 + digit(m2)?;
    let day = digit(d1)? * 10 + digit(d2)?;
    if !(1970..2200).contains(&year) || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let month_index = month as usize - 1;
    let month_start = MONTH_STARTS.get(month_index)?;
    let february = u32::from(month == 2 && is_leap(year));
    if day > MONTH_STARTS.get(month_index + 1)? - month_start + february {
        return None;
    }
    let leap_day = u32::from(month > 2 && is_leap(year));
    Some(Day(year_start(year) + month_start + leap_day + day - 1))
}

/// Leap years of 1970 … 2199.
fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to the first of January of `year`.
fn year_start(year: u32) -> u32 {
    let before = year - 1;
    // 477 = leap years before 1970.
    (year - 1970) * 365 + before / 4 - before / 100 + before / 400 - 477
}

/// `2021-01-22T00:00:00.000Z`; a day past [`DAY_MAX`], which no table holds, as that day.
pub(super) fn render_day(day: Day) -> [u8; DAY_TEXT_BYTES] {
    let day = day.get().min(DAY_MAX.get());
    // At least 365 days a year: the guess is never below the true year and at most one above.
    let mut year = 1970 + day / 365;
    if year_start(year) > day {
        year -= 1;
    }
    let mut rest = day - year_start(year);
    let mut month = 1_u32;
    for length in MONTH_STARTS.windows(2).map(|pair| pair[1] - pair[0]) {
        let length = length + u32::from(month == 2 && is_leap(year));
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    let digit = |value: u32| b'0' + (value % 10).to_le_bytes()[0];
    let mut text = *b"0000-00-00T00:00:00.000Z";
    text[0] = digit(year / 1000);
    text[1] = digit(year / 100);
    text[2] = digit(year / 10);
    text[3] = digit(year);
    text[5] = digit(month / 10);
    text[6] = digit(month);
    text[8] = digit((rest + 1) / 10);
    text[9] = digit(rest + 1);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_what_the_calendar_library_says() {
        for number in 0..=DAY_MAX.get() {
            let day = Day(number);
            let text = render_day(day);
            let want = format!("{day}T00:00:00.000Z");
            assert_eq!(std::str::from_utf8(&text), Ok(want.as_str()));
            assert_eq!(parse_day(&text), Ok(day));
        }
    }

    #[test]
    fn other_forms_of_the_same_midnight_are_read() {
        for text in [
            "2013-02-08T00:00:00Z",
            "2013-02-08T01:00:00+01:00",
            "2013-02-08 00:00:00.0Z",
        ] {
            assert_eq!(parse_day(text.as_bytes()), Ok(Day(15_744)), "{text}");
        }
    }

    #[test]
    fn no_other_text_is_a_day() {
        for text in [
            "",
            "2013-02-08",
            "2013-02-08T00:00:00",
            "2013-02-08T00:00:00.001Z",
            "2013-02-08T00:00:00+01:00",
            "2013-02-29T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2013-13-01T00:00:00.000Z",
            "2013-00-01T00:00:00.000Z",
            "2013-01-00T00:00:00.000Z",
            "1969-12-31T00:00:00.000Z",
            "2200-01-01T00:00:00.000Z",
            "2O13-01-01T00:00:00.000Z",
        ] {
            assert!(parse_day(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_day(b"\xff013-01-01T00:00:00.000Z").is_err());
    }
}

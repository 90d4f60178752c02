//! Days to a calendar: a row for each month, a field for each day.

use maud::{Markup, html};

use footfall_engine::schema::TimeUnit;
use footfall_engine::units::Day;

/// What is known of a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DayKind {
    /// It has rows, and a later day has too.
    Whole,
    /// It has rows, but more may come.
    Partial,
    /// It has none.
    Missing,
    /// Rows of it came a day or more after a later day was there.
    Late,
    /// Rows of it came twice.
    Doubled,
}

impl DayKind {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "present",
            Self::Partial => "partial",
            Self::Missing => "missing",
            Self::Late => "late",
            Self::Doubled => "doubled",
        }
    }

    /// What stands in its field, so that no kind is told by its colour alone.
    fn sign(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Partial => "○",
            Self::Missing => "×",
            Self::Late => "+",
            Self::Doubled => "2",
        }
    }
}

/// Days of the longest month.
const DAYS: u32 = 31;

/// The calendar of the days from `first` to `last`.
pub(crate) fn calendar((first, last): (Day, Day), kind: impl Fn(Day) -> DayKind) -> Markup {
    let months = TimeUnit::Month.of_day(first)..=TimeUnit::Month.of_day(last);
    html! {
        table.calendar {
            caption.quiet { "Days stored, by month" }
            thead { tr { th scope="col" { span.quiet { "Month" } } @for day in 1..=DAYS { th scope="col" { (day) } } } }
            tbody { @for month in months { tr {
                th scope="row" { (TimeUnit::Month.label(month)) }
                @for day in days(month) {
                    @if day < first || day > last {
                        td {}
                    } @else {
                        @let kind = kind(day);
                        td class=(kind.name()) title=(format!("{day}: {}", kind.name())) {
                            span aria-hidden="true" { (kind.sign()) } span.quiet { (kind.name()) }
                        }
                    }
                }
            } } }
        }
    }
}

fn days(month: u32) -> Vec<Day> {
    let span = TimeUnit::Month.span(month);
    let days = span.and_then(footfall_engine::query::bucket::days_of);
    days.map_or_else(Vec::new, |(first, last)| {
        (first.get()..=last.get()).map(Day).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::schema::time::parse_day;

    #[test]
    fn every_day_has_its_field() {
        let range = (
            parse_day("2026-01-30").unwrap(),
            parse_day("2026-03-02").unwrap(),
        );
        let drawn = calendar(range, |day| match day {
            day if day == range.1 => DayKind::Partial,
            day if day == range.0 => DayKind::Missing,
            _ => DayKind::Whole,
        });
        let drawn = drawn.into_string();
        let count = |kind: &str| drawn.matches(&format!("class=\"{kind}\"")).count();
        assert_eq!(
            (count("present"), count("partial"), count("missing")),
            (1 + 28 + 1, 1, 1)
        );
        assert_eq!(drawn.matches("<tr>").count(), 4);
    }
}

//! Numbers by weekday and hour to a map of shades.

use maud::{Markup, html};

use crate::number::count;

/// Names of weekdays, from 1.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Hours of a day.
const HOURS: usize = 24;
/// Shades above that of zero, see `asset/style.css`.
const SHADES: u64 = 5;

/// The map; `values` by weekday (Monday first) and hour.
pub(crate) fn heat(values: &[[u64; HOURS]; 7], name: &str) -> Markup {
    let greatest = values.iter().flatten().copied().max().unwrap_or(0).max(1);
    html! {
        table.heat {
            caption { (name) " by weekday and hour, UTC" }
            thead { tr {
                th scope="col" { span.quiet { "Day" } }
                @for hour in 0..HOURS { th scope="col" { (hour) } }
            } }
            tbody { @for (day, hours) in DAYS.iter().zip(values) { tr {
                th scope="row" { (day) }
                @for value in hours {
                    td class=(format!("shade-{}", (value * SHADES).div_ceil(greatest))) title=(count(Some(*value))) {
                        span.quiet { (count(Some(*value))) }
                    }
                }
            } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_go_from_none_to_the_most() {
        let mut values = [[0; HOURS]; 7];
        values[0][0] = 1;
        values[6][23] = 1_000;
        let drawn = heat(&values, "Downloads").into_string();
        assert_eq!(drawn.matches("shade-0").count(), 7 * HOURS - 2);
        assert_eq!(
            (
                drawn.matches("shade-1\"").count(),
                drawn.matches("shade-5").count()
            ),
            (1, 1)
        );
    }
}

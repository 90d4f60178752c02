//! When? Downloads by weekday and hour.

use maud::Markup;

use footfall_engine::Result;
use footfall_engine::schema::{Dimension, TimeUnit};

use super::{Asked, Panel};
use crate::chart::heat::heat;
use crate::number::int_of;

/// The panel.
pub(crate) const HOURS: &dyn Panel = &Hours;

struct Hours;

impl Panel for Hours {
    fn id(&self) -> &'static str {
        "hours"
    }

    fn title(&self) -> &'static str {
        "When?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let by = [TimeUnit::Weekday, TimeUnit::HourOfDay].map(Dimension::Time);
        let answer = asked.answer("downloads", &by)?;
        let mut values = [[0; 24]; 7];
        for row in &answer.rows {
            let at = |column: usize| {
                usize::try_from(int_of(row, column).unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
            };
            let hours = values.get_mut(at(0).wrapping_sub(1));
            if let Some(value) = hours.and_then(|hours| hours.get_mut(at(1))) {
                *value = int_of(row, 2).unwrap_or(0);
            }
        }
        Ok(Some(heat(&values, "Downloads")))
    }
}

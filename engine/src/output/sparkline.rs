//! Numbers to a line of bars, one character each.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Stands where nothing is known.
const UNKNOWN: char = '·';

/// At most `width` bars from zero to the greatest value; neighbours are added where there are more
/// values. A value that is not known is `·`, unless a neighbour that shares its bar is known.
#[must_use]
pub fn sparkline(values: &[Option<u64>], width: usize) -> String {
    let bars = grouped(values, width);
    let greatest = bars.iter().flatten().copied().max().unwrap_or(0);
    bars.iter()
        .map(|value| match value {
            None => UNKNOWN,
            Some(0) => BARS[0],
            Some(value) => bar(*value, greatest),
        })
        .collect()
}

/// The lowest bar is zero's; everything above zero is at least the second.
fn bar(value: u64, greatest: u64) -> char {
    let top = BARS.len() as u128 - 1;
    let step = (u128::from(value) * top).div_ceil(u128::from(greatest.max(1)));
    usize::try_from(step)
        .ok()
        .and_then(|step| BARS.get(step))
        .copied()
        .unwrap_or('█')
}

fn grouped(values: &[Option<u64>], width: usize) -> Vec<Option<u64>> {
    let count = values.len().min(width);
    let at = |bar: usize| bar * values.len() / count.max(1);
    (0..count)
        .map(|bar| {
            let group = values.get(at(bar)..at(bar + 1)).unwrap_or_default();
            let known = group.iter().flatten();
            known.copied().reduce(u64::saturating_add)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_unknown_differ() {
        let values = [Some(0), None, Some(1), Some(50), Some(100)];
        assert_eq!(sparkline(&values, 10), "▁·▂▅█");
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[Some(0); 3], 10), "▁▁▁");
        assert_eq!(sparkline(&[Some(u64::MAX)], 1), "█");
    }

    #[test]
    fn more_values_than_bars_are_added() {
        let values = [Some(1), Some(1), None, None, Some(2), None];
        assert_eq!(sparkline(&values, 3), "█·█");
        let many = vec![Some(3); 365];
        assert_eq!(sparkline(&many, 12).chars().count(), 12);
    }
}

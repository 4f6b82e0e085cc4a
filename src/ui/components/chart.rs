//! Figures of days as a row of bars.

/// Units from one bar to the next; a bar takes three of them.
pub const STEP: usize = 4;

/// The bars as one path of an SVG, for a height in units; the highest fills it, and a day with any figure has a bar.
pub fn bars(days: &[i64], height: i64) -> String {
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    days.iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(at, n)| {
            let tall = (i128::from(*n) * i128::from(height) / i128::from(most)).max(2);
            format!("M{} {height}v-{tall}h3v{tall}z", at * STEP)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn the_highest_bar_fills_the_height() {
        assert_eq!(bars(&[0, 1000, 1, 500], 24), "M4 24v-24h3v24zM8 24v-2h3v2zM12 24v-12h3v12z");
        assert_eq!(bars(&[0, 0], 24), "");
        assert_eq!(bars(&[i64::MAX], 96), "M0 96v-96h3v96z");
    }
}

//! Views of the last days as a row of bars.

use crate::ui::i18n::tn;
use leptos::prelude::*;

const STEP: usize = 4;
const HEIGHT: i64 = 24;

/// The bars as one path; the highest fills the height, and a day with any view has a bar.
fn path(days: &[i64]) -> String {
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    days.iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(at, n)| {
            let tall = (n * HEIGHT / most).max(2);
            format!("M{} {HEIGHT}v-{tall}h3v{tall}z", at * STEP)
        })
        .collect()
}

/// A bar for each day, the oldest first.
pub fn chart(days: &[i64]) -> AnyView {
    let label = tn("posts.chart", days.iter().sum());
    view! {
        <svg
            viewBox=format!("0 0 {} {HEIGHT}", days.len() * STEP)
            class="h-6 w-30 text-accent"
            fill="currentColor"
            role="img"
            aria-label=label
        >
            <path class="text-base-300" d=format!("M0 {HEIGHT}v-1h{}v1z", days.len() * STEP)></path>
            <path d=path(days)></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn the_highest_bar_fills_the_height() {
        assert_eq!(path(&[0, 1000, 1, 500]), "M4 24v-24h3v24zM8 24v-2h3v2zM12 24v-12h3v12z");
        assert_eq!(path(&[0, 0]), "");
    }
}

//! Views of the last days as a row of bars.

use crate::ui::components::chart::{STEP, bars};
use crate::ui::i18n::tn;
use leptos::prelude::*;

const HEIGHT: i64 = 24;

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
            <path d=bars(days, HEIGHT)></path>
        </svg>
    }
    .into_any()
}

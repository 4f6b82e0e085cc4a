//! A design as a small drawing. A page of ours allows no style of its own, but attributes of drawings.

use crate::domain::design::{Header, Look};
use leptos::prelude::*;

/// How a letter looks, from afar; without a design, like typed lines.
pub fn drawing(look: Option<&Look>) -> AnyView {
    let Some(look) = look else { return typed() };
    let Look { accent, text, paper, background, radius, .. } = look;
    let [accent, text, paper, background] = [accent, text, paper, background].map(ToString::to_string);
    let (button, corner) = ((*radius).min(9).to_string(), (*radius / 2).to_string());
    let line = |y: u16, width: u16| {
        let fill = text.clone();
        view! { <rect x="66" y=y.to_string() width=width.to_string() height="4" rx="2" fill=fill opacity="0.55" /> }
            .into_any()
    };
    let lines: Vec<AnyView> = [(64, 150), (74, 168), (84, 120)].map(|(y, width)| line(y, width)).into();
    let head = match look.header {
        Header::Centre => {
            view! { <rect x="120" y="7" width="60" height="5" rx="2.5" fill=accent.clone() /> }.into_any()
        }
        Header::Band => view! { <rect x="50" y="16" width="200" height="20" fill=accent.clone() /> }.into_any(),
        Header::Line => view! { <rect x="66" y="34" width="168" height="2" fill=accent.clone() /> }.into_any(),
    };
    view! {
        <svg viewBox="0 0 300 140" class="w-full" aria-hidden="true" focusable="false">
            <rect width="300" height="140" fill=background />
            <rect x="50" y="18" width="200" height="122" rx=corner fill=paper />
            {head}
            <rect x="66" y="48" width="90" height="8" rx="2" fill=text.clone() />
            {lines}
            <rect x="66" y="100" width="64" height="20" rx=button fill=accent />
        </svg>
    }
    .into_any()
}

fn typed() -> AnyView {
    let lines: Vec<AnyView> = [(28, 90), (50, 200), (62, 180), (74, 210), (86, 120), (108, 70)]
        .map(|(y, width): (u16, u16)| {
            view! {
                <rect x="40" y=y.to_string() width=width.to_string() height="4" rx="2" fill="currentColor" opacity="0.45" />
            }
            .into_any()
        })
        .into();
    view! { <svg viewBox="0 0 300 140" class="w-full" aria-hidden="true" focusable="false">{lines}</svg> }.into_any()
}

//! Times and sizes in the reader's words. The server writes UTC; once the page is alive, the browser
//! says the same instant in the reader's zone, for the table of zones is too large to ship.

use super::i18n::use_lang;
use crate::domain::lang::{Lang, group};
use crate::locales;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use leptos::prelude::*;
use std::time::Duration;
use web_sys::js_sys;

/// Seconds between two looks at the clock while a page is open.
const TICK_SECONDS: u64 = 30;

/// Counts on while the page is open, so that relative times stay true. Browser only.
#[derive(Clone, Copy)]
struct Tick(RwSignal<u64>);

/// Starts the clock that relative times follow; called once, by the app.
pub fn provide_tick() {
    let tick = RwSignal::new(0_u64);
    provide_context(Tick(tick));
    Effect::new(move |_| {
        let handle = set_interval_with_handle(move || tick.update(|n| *n += 1), Duration::from_secs(TICK_SECONDS));
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
}

/// An instant. Shows date and time in `zone` (an IANA name; empty for the browser's own), or with
/// `relative` something like “in 3 h” and the exact time on hover. Before the wasm, and where the
/// browser does not know the zone, it shows UTC and says so.
#[component]
pub fn Time(
    #[prop(into)] at: Signal<DateTime<Utc>>,
    #[prop(optional, into)] zone: String,
    #[prop(optional)] relative: bool,
    /// Writes the zone's name behind the time.
    #[prop(optional)]
    with_zone: bool,
) -> impl IntoView {
    let lang = use_lang();
    let utc = move || format!("{} UTC", format_naive(lang, at.get().naive_utc()));
    let local = RwSignal::new(None::<(String, String)>);
    let tick = use_context::<Tick>();
    Effect::new(move |_| {
        if relative && let Some(Tick(tick)) = tick {
            tick.track();
        }
        local.set(in_zone(at.get(), &zone).map(|(wall, name)| {
            let exact = format!("{}:{:02} {name}", format_naive(lang, wall), wall.second());
            let text = if relative {
                relative_text(lang, at.get().timestamp() - (js_sys::Date::now() / 1000.0) as i64)
                    .unwrap_or_else(|| format_naive(lang, wall))
            } else if with_zone {
                format!("{} {name}", format_naive(lang, wall))
            } else {
                format_naive(lang, wall)
            };
            (text, exact)
        }));
    });
    view! {
        <time
            class="tabular-nums whitespace-nowrap"
            datetime=move || at.get().to_rfc3339()
            title=move || local.get().map_or_else(utc, |(_, exact)| exact)
        >
            {move || local.get().map_or_else(utc, |(text, _)| text)}
        </time>
    }
}

/// The browser's IANA zone, or nothing if it does not tell. For effects and event handlers only.
pub fn browser_zone() -> Option<String> {
    use leptos::wasm_bindgen::JsValue;
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &JsValue::from_str("timeZone")).ok()?.as_string()
}

/// The wall time of an instant in a zone, and the zone's name, as the browser knows them.
fn in_zone(at: DateTime<Utc>, zone: &str) -> Option<(NaiveDateTime, String)> {
    use leptos::wasm_bindgen::{JsCast, JsValue};
    let options = js_sys::Object::new();
    let name = if zone.is_empty() { browser_zone()? } else { zone.to_owned() };
    js_sys::Reflect::set(&options, &JsValue::from_str("timeZone"), &JsValue::from_str(&name)).ok()?;
    let date = js_sys::Date::new(&JsValue::from_f64(at.timestamp_millis() as f64));
    let to_text = js_sys::Reflect::get(&date, &JsValue::from_str("toLocaleString")).ok()?;
    // Swedish writes ISO dates. Called this way, an unknown zone is an error and not a panic.
    let text = to_text.dyn_into::<js_sys::Function>().ok()?.call2(&date, &JsValue::from_str("sv-SE"), &options).ok()?;
    Some((parse_wall(&text.as_string()?)?, name))
}

/// Reads `2026-11-23 10:00:14`, whatever stands between the numbers.
fn parse_wall(text: &str) -> Option<NaiveDateTime> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let date = NaiveDate::from_ymd_opt(i32::try_from(next()?).ok()?, next()?, next()?)?;
    date.and_hms_opt(next()?, next()?, next()?)
}

/// “in 3 h”, “5 min ago” for a distance in seconds; none past 30 days, where a date says more.
pub fn relative_text(lang: Lang, seconds: i64) -> Option<String> {
    let (distance, ahead) = (seconds.abs(), seconds > 0);
    let (key, n) = match (distance, ahead) {
        (..60, _) => return Some(locales::text(lang, "time.now")),
        (..3_600, true) => ("time.in_minutes", distance / 60),
        (..3_600, false) => ("time.ago_minutes", distance / 60),
        (..86_400, true) => ("time.in_hours", distance / 3_600),
        (..86_400, false) => ("time.ago_hours", distance / 3_600),
        (..2_592_000, true) => ("time.in_days", distance / 86_400),
        (..2_592_000, false) => ("time.ago_days", distance / 86_400),
        _ => return None,
    };
    Some(locales::text_with(lang, key, &[("n", &n)]))
}

/// A wall time: `23 Nov 2026, 10:00`.
pub fn format_naive(lang: Lang, at: NaiveDateTime) -> String {
    format!("{}, {:02}:{:02}", format_date(lang, at.date()), at.hour(), at.minute())
}

/// A date: `23 Nov 2026`.
pub fn format_date(lang: Lang, date: NaiveDate) -> String {
    let month = locales::text(lang, &format!("time.month_{}", date.month()));
    format!("{} {month} {}", date.day(), date.year())
}

/// The day of the week, short: 1 is Monday.
pub fn weekday_word(lang: Lang, day: u32) -> String {
    locales::text(lang, &format!("time.weekday_{day}"))
}

/// A number, grouped.
pub fn format_number(lang: Lang, n: i64) -> String {
    group(lang, n)
}

/// A size in bytes, in units of 1024 with at most one decimal.
pub fn format_bytes(lang: Lang, bytes: i64) -> String {
    let (unit, key) = match bytes.unsigned_abs() {
        ..1024 => (1, "bytes.b"),
        1024..1_048_576 => (1024, "bytes.kb"),
        1_048_576..1_073_741_824 => (1_048_576, "bytes.mb"),
        _ => (1_073_741_824, "bytes.gb"),
    };
    let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
    let point = if lang == Lang::Ru { ',' } else { '.' };
    let text = if tenth == 0 || whole >= 10 { group(lang, whole) } else { format!("{whole}{point}{tenth}") };
    locales::text_with(lang, key, &[("n", &text)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_away_a_time_is() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (3 * 3600, "in 3 h"),
            (-300, "5 min ago"),
            (86_400, "in 1 d"),
            (-7200, "2 h ago"),
        ] {
            assert_eq!(relative_text(Lang::En, seconds).as_deref(), Some(text), "{seconds}");
        }
        assert_eq!(relative_text(Lang::Ru, 3 * 3600).as_deref(), Some("через 3\u{a0}ч"));
        assert_eq!(relative_text(Lang::En, 31 * 86_400), None);
    }

    #[test]
    fn reads_what_the_browser_writes() {
        let wall = parse_wall("2026-11-23 10:02:14").unwrap();
        assert_eq!(format_naive(Lang::En, wall), "23 Nov 2026, 10:02");
        assert_eq!(format_naive(Lang::Ru, wall), "23 ноя 2026, 10:02");
        assert_eq!(parse_wall("Invalid Date"), None);
    }

    #[test]
    fn writes_sizes() {
        assert_eq!(format_bytes(Lang::En, 512), "512 B");
        assert_eq!(format_bytes(Lang::En, 1536), "1.5 KB");
        assert_eq!(format_bytes(Lang::Ru, 1536), "1,5\u{a0}КБ");
        assert_eq!(format_bytes(Lang::En, 20 * 1_048_576), "20 MB");
    }
}

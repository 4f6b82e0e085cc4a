//! A month with every run of it, past and to come. A run leads to its mailing, a day to come to a new one on it.

use crate::api::error::AppError;
use crate::api::overview::get_calendar;
use crate::domain::bidi::visible;
use crate::domain::calendar::{Calendar, Day, Entry, lead, months_away};
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::i18n::{t, t_with, tn, use_lang};
use crate::ui::link::{use_link, use_param};
use crate::ui::pages::overview::whose;
use crate::ui::time::{format_date, weekday_word};
use chrono::{Datelike, NaiveDate};
use leptos::prelude::*;

/// `/calendar`: the month of `month` or of `day`, whose runs then stand beneath it; `of` as on the overview.
#[component]
pub fn CalendarPage() -> impl IntoView {
    let (of, month, day) = (use_param("of"), use_param("month"), use_param("day"));
    let loaded = Resource::new_blocking(
        move || (of.get(), month.get(), day.get()),
        |(of, month, day)| get_calendar(of, month, day),
    );
    view! { <Transition>{move || loaded.get().map(shown)}</Transition> }.into_any()
}

fn shown(loaded: Result<Calendar, AppError>) -> AnyView {
    let Calendar { all, oversees, month, today, zone, days, chosen, cut } = match loaded {
        Ok(calendar) => calendar,
        Err(error) => {
            let panel = failed(&error);
            return view! { <Page title=t("calendar.title")>{panel}</Page> }.into_any();
        }
    };
    let title = t(if all { "calendar.title_all" } else { "calendar.title" });
    let new =
        view! { <a class="btn btn-primary" href="/mailings/new">{icon(Icon::Plus, "size-4")}{t("mailings.new")}</a> };
    let empty = days.iter().all(|day| day.entries.is_empty());
    let cells: Vec<AnyView> = days.into_iter().map(|day| cell(day, today)).collect();
    let blanks: Vec<AnyView> = (0..lead(month))
        .map(|_| view! { <li class="hidden bg-base-200/60 sm:block" aria-hidden="true"></li> }.into_any())
        .collect();
    let weekdays: Vec<AnyView> =
        (1..=7).map(|day| view! { <span>{weekday_word(use_lang(), day)}</span> }.into_any()).collect();
    view! {
        <Page title=title lead=t_with("calendar.lead", &[("zone", &zone)]) actions=new.into_any()>
            {oversees.then(|| whose(all))}
            {head(month)}
            {cut.then(|| view! { <p class="mb-4 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm">{t("calendar.cut")}</p> })}
            {empty.then(|| view! { <p class="mb-4 text-sm opacity-80">{t("calendar.none")}</p> })}
            <div class="overflow-hidden rounded-box border border-base-300 bg-base-300">
                <div class="hidden grid-cols-7 bg-base-100 py-2 text-center text-xs opacity-80 sm:grid" aria-hidden="true">{weekdays}</div>
                <ol class="grid gap-px sm:grid-cols-7">{blanks}{cells}</ol>
            </div>
            {chosen.map(day_list)}
        </Page>
    }
    .into_any()
}

/// The month, and the way to the others.
fn head(month: NaiveDate) -> AnyView {
    let link = use_link();
    let name = format!("{} {}", t(&format!("calendar.month_{}", month.month())), month.year());
    let to = move |months: i32, word: &str, sign: &'static str| {
        let value = months_away(month, months).format("%Y-%m").to_string();
        let word = t(word);
        view! {
            <a
                class="btn btn-sm"
                href=move || link(&[("month", Some(value.as_str())), ("day", None)])
                title=word.clone()
                aria-label=word
            >
                {sign}
            </a>
        }
        .into_any()
    };
    view! {
        <nav aria-label=t("calendar.month") class="mb-4 flex flex-wrap items-center gap-2">
            <h2 class="mr-auto text-lg font-semibold">{name}</h2>
            {to(-1, "calendar.before", "←")}
            <a class="btn btn-sm" href=move || link(&[("month", None), ("day", None)])>{t("calendar.today")}</a>
            {to(1, "calendar.after", "→")}
        </nav>
    }
    .into_any()
}

/// A day; where a screen is narrow, only one that has something.
fn cell(day: Day, today: NaiveDate) -> AnyView {
    let Day { date, entries, more } = day;
    let link = use_link();
    let class = match (entries.is_empty(), date == today) {
        (true, true) => "bg-base-100 p-2 ring-2 ring-inset ring-accent sm:min-h-28",
        (true, false) => "hidden bg-base-100 p-2 sm:block sm:min-h-28",
        (false, true) => "min-w-0 bg-base-100 p-2 ring-2 ring-inset ring-accent sm:min-h-28",
        (false, false) => "min-w-0 bg-base-100 p-2 sm:min-h-28",
    };
    let name = format_date(use_lang(), date);
    let weekday = weekday_word(use_lang(), date.weekday().number_from_monday());
    let number = view! {
        <span class="sm:hidden">{format!("{weekday} {name}")}</span>
        <span class="hidden sm:inline" aria-hidden="true">{date.day()}</span>
        <span class="sr-only max-sm:hidden">{name.clone()}</span>
    };
    let number = if date < today {
        view! { <p class="text-xs tabular-nums opacity-80">{number}</p> }.into_any()
    } else {
        let label = t_with("calendar.new", &[("day", &name)]);
        // A time today may be past: the new mailing would begin at once.
        let href = match date == today {
            true => "/mailings/new".to_owned(),
            false => format!("/mailings/new?when=at&start={date}T10:00&period=once&step=message"),
        };
        view! { <p class="text-xs tabular-nums"><a class="link link-hover" href=href title=label>{number}</a></p> }
            .into_any()
    };
    let lines: Vec<AnyView> = entries.into_iter().map(line).collect();
    let more = (more > 0).then(|| {
        let day = date.to_string();
        view! {
            <a class="link text-xs" href=move || link(&[("day", Some(day.as_str())), ("month", None)])>{tn("calendar.more", more)}</a>
        }
    });
    view! {
        <li class=class aria-current=(date == today).then_some("date")>
            {number}
            <ul class="mt-1 space-y-1">{lines}</ul>
            {more}
        </li>
    }
    .into_any()
}

/// A run: its time, and its mailing.
fn line(entry: Entry) -> AnyView {
    let Entry { mailing, time, run, .. } = entry;
    let (href, state) = match run {
        Some((run, state)) => (format!("/mailings/{}?run={run}", mailing.id), t(&format!("state.{state}"))),
        None => (format!("/mailings/{}", mailing.id), t("calendar.coming")),
    };
    let title = format!("{time}, {state}");
    let owner = (!mailing.owner.is_empty())
        .then(|| view! { <span class="block truncate opacity-80">{mailing.owner.clone()}</span> });
    view! {
        <li class="text-xs">
            <a class="link link-hover block truncate py-1" href=href title=title>
                <span class="tabular-nums opacity-80">{time}</span> " " {visible(&mailing.title)}
                <span class="sr-only">{format!(", {state}")}</span>
            </a>
            {owner}
        </li>
    }
    .into_any()
}

/// All runs of a day.
fn day_list(day: Day) -> AnyView {
    let heading = t_with("calendar.day", &[("day", &format_date(use_lang(), day.date))]);
    let empty =
        day.entries.is_empty().then(|| view! { <p class="mt-2 text-sm opacity-80">{t("calendar.none_day")}</p> });
    let rows: Vec<AnyView> = day.entries.into_iter().map(line).collect();
    view! {
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5" id="day">
            <h2 class="font-semibold">{heading}</h2>
            {empty}
            <ul class="mt-2 space-y-1">{rows}</ul>
        </section>
    }
    .into_any()
}

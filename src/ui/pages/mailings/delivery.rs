//! One delivery: all attempts with the mail server's replies.

use super::deliveries::{said, server_words};
use super::{doubt, failed_page, reason_word, use_id};
use crate::api::error::AppError;
use crate::api::mailings::{DecideDeliveries, get_delivery};
use crate::domain::bidi::visible;
use crate::domain::delivery::{Attempt, Decision, DeliveryDetail, DeliveryState};
use crate::domain::returned::Returned;
use crate::ui::components::badge::{attempt_badge, delivery_badge};
use crate::ui::components::page::Page;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{FormErrors, error_of};
use crate::ui::i18n::{number, t, t_with};
use crate::ui::time::Time;
use leptos::prelude::*;

/// What became of one client in one run.
#[component]
pub fn DeliveryPage() -> impl IntoView {
    let (mailing, delivery) = (use_id("id"), use_id("delivery"));
    let decide = ServerAction::<DecideDeliveries>::new();
    let loaded = Resource::new_blocking(
        move || (mailing.get(), delivery.get(), decide.version().get()),
        |(mailing, delivery, _)| load((mailing, delivery)),
    );
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| match loaded {
                Ok(detail) => shown(mailing.get_untracked().unwrap_or_default(), detail, decide),
                Err(error) => failed_page(&error),
            })}
        </Suspense>
    }
    .into_any()
}

async fn load((mailing, delivery): (Option<i64>, Option<i64>)) -> Result<DeliveryDetail, AppError> {
    get_delivery(mailing.ok_or(AppError::NotFound)?, delivery.ok_or(AppError::NotFound)?).await
}

fn shown(mailing: i64, detail: DeliveryDetail, decide: ServerAction<DecideDeliveries>) -> AnyView {
    let DeliveryDetail { own, client, mailing_title, zone, row, attempts, decisions, returned } = detail;
    let error = Signal::derive(move || error_of(decide.value().get().as_ref()));
    let decisions = (!decisions.is_empty()).then(|| decided(decisions, &zone));
    let trail = vec![(t("mailings.title"), "/mailings".to_owned()), (mailing_title, format!("/mailings/{mailing}"))];
    let reason = reason_word("reason", &row.reason);
    let back_zone = zone.clone();
    let said = said(&row.meaning, &reason, row.due_at, &zone);
    let columns = ["number", "time", "stage", "status", "code", "reply"];
    let columns = columns.into_iter().map(|name| Column::new(t(&format!("mailings.attempt_{name}")))).collect();
    let table = if attempts.is_empty() {
        view! { <p class="text-sm">{t("mailings.no_attempts")}</p> }.into_any()
    } else {
        let rows: Vec<AnyView> = attempts.into_iter().map(|attempt| attempt_row(attempt, zone.clone())).collect();
        view! { <Table label=t("mailings.attempts") columns=columns>{rows}</Table> }.into_any()
    };
    view! {
        <Page title=row.email.clone() breadcrumb=trail lead=row.full_name.clone() aside=delivery_badge(row.state)>
            {said.map(|said| view! {
                <section class="mb-6 rounded-box border border-base-300 bg-base-100 p-5">
                    <h2 class="sr-only">{t("mailings.outcome_heading")}</h2>
                    {said}
                    {server_words(row.last_code, row.last_reply)}
                </section>
            })}
            {client.map(|id| view! {
                <p class="mb-6 text-sm"><a class="link" href=format!("/clients/{id}")>{t("mailings.to_client")}</a></p>
            })}
            <FormErrors error=error />
            {(own && row.state == DeliveryState::Unknown).then(|| doubt::of_one(mailing, row.id, decide))}
            {decisions}
            {(!returned.is_empty()).then(|| came_back(returned, &back_zone, own))}
            <h2 class="mb-3 text-lg font-semibold">{t("mailings.attempts")}</h2>
            {table}
        </Page>
    }
    .into_any()
}

/// What came back after a mail server had taken the letter; the owner may read it as it came.
fn came_back(returned: Vec<Returned>, zone: &str, own: bool) -> AnyView {
    let lines: Vec<AnyView> = returned
        .into_iter()
        .map(|Returned { id, at, class, status, diagnostic, readable }| {
            let zone = zone.to_owned();
            let source = (own && readable).then(|| {
                view! { <a class="link" rel="external" download="" href=format!("/returns/{id}/source")>{t("mailings.came_back_source")}</a> }
            });
            view! {
                <li class="mb-2">
                    {t(&format!("mailings.returned_{class}"))} ", " <Time at=at zone=zone with_zone=true />
                    <span class="block font-mono text-xs break-words">{status} " " {visible(&diagnostic)}</span>
                    {source}
                </li>
            }
            .into_any()
        })
        .collect();
    view! {
        <h2 class="mb-3 text-lg font-semibold">{t("mailings.came_back")}</h2>
        <ul class="mb-6 list-disc pl-5 text-sm" data-testid="came-back">{lines}</ul>
    }
    .into_any()
}

/// Who said what, and when.
fn decided(decisions: Vec<Decision>, zone: &str) -> AnyView {
    let lines: Vec<AnyView> = decisions
        .into_iter()
        .map(|Decision { verdict, at, by }| {
            let word = t_with(&format!("mailings.verdict_{}_by", verdict.as_str()), &[("name", &by)]);
            let zone = zone.to_owned();
            view! { <li>{word} ", " <Time at=at zone=zone with_zone=true /></li> }.into_any()
        })
        .collect();
    view! {
        <h2 class="mb-3 text-lg font-semibold">{t("mailings.decisions")}</h2>
        <ul class="mb-6 list-disc pl-5 text-sm">{lines}</ul>
    }
    .into_any()
}

fn attempt_row(attempt: Attempt, zone: String) -> AnyView {
    let code = [attempt.code.map(|code| code.to_string()), attempt.enhanced].into_iter().flatten().collect::<Vec<_>>();
    view! {
        <Row>
            <Cell label=t("mailings.attempt_number")>{number(attempt.number)}</Cell>
            <Cell label=t("mailings.attempt_time")>
                <Time at=attempt.at zone=zone with_zone=true />
                <span class="block text-xs opacity-80">{t_with("mailings.took", &[("n", &number(attempt.ms))])}</span>
            </Cell>
            <Cell label=t("mailings.attempt_stage")>
                {t(&format!("mailings.stage_{}", attempt.stage.as_str()))}
                <span class="block text-xs opacity-80">{attempt.relay}</span>
            </Cell>
            <Cell label=t("mailings.attempt_status")>{attempt_badge(attempt.status)}</Cell>
            <Cell label=t("mailings.attempt_code")>{code.join(" ")}</Cell>
            <Cell label=t("mailings.attempt_reply")>
                <span class="font-mono text-xs break-words">{attempt.reply}</span>
            </Cell>
        </Row>
    }
    .into_any()
}

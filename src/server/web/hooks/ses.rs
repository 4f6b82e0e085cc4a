//! What Amazon SES tells of letters through Amazon SNS: bounces, complaints, delays. A letter is named by its token, in the
//! envelope's sender (`mail.source`) or in the header fields that SES brings along.

use super::sns::Refused;
use super::{AppState, answer};
use crate::domain::suppression::Source;
use crate::server::metrics;
use crate::server::services::returns::{self, Told};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use vestnik_reports::{Class, Status, classify};

/// An event, as a notification or as event publishing writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(alias = "notificationType")]
    event_type: String,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery_delay: Option<Delay>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
    #[serde(default)]
    complaint_feedback_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delay {
    #[serde(default)]
    delayed_recipients: Vec<Recipient>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    email_address: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    diagnostic_code: Option<String>,
}

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    class: Class,
    status: Option<Status>,
    recipient: String,
    text: String,
}

/// None for what nothing follows from: that a letter was sent, delivered or opened.
fn read(event: Event) -> Option<Meaning> {
    let first = |recipients: Vec<Recipient>| recipients.into_iter().next().unwrap_or_default();
    match event.event_type.as_str() {
        "Bounce" => Some(bounce(event.bounce?)),
        "Complaint" => {
            let complaint = event.complaint?;
            let kind = complaint.complaint_feedback_type.unwrap_or_default();
            // Somebody took a letter out of their spam folder.
            let class = if kind == "not-spam" { Class::Unknown } else { Class::Complaint };
            let recipient = first(complaint.complained_recipients).email_address;
            Some(Meaning { class, status: None, recipient, text: kind })
        }
        "DeliveryDelay" => {
            let Recipient { email_address, status, diagnostic_code } = first(event.delivery_delay?.delayed_recipients);
            let status = status.and_then(|status| status.parse().ok());
            let text = diagnostic_code.unwrap_or_default();
            Some(Meaning { class: Class::UnderWay, status, recipient: email_address, text })
        }
        _ => None,
    }
}

/// What the mail server said decides; where it said nothing that tells, SES's own word does.
fn bounce(Bounce { bounce_type, bounce_sub_type, bounced_recipients }: Bounce) -> Meaning {
    let Recipient { email_address, status, diagnostic_code } =
        bounced_recipients.into_iter().next().unwrap_or_default();
    let status = status.and_then(|status| status.parse().ok());
    let text = diagnostic_code.unwrap_or_else(|| format!("{bounce_type}/{bounce_sub_type}"));
    let class = match classify(status, &text) {
        Class::Unknown => match (bounce_type.as_str(), bounce_sub_type.as_str()) {
            ("Permanent", _) => Class::NoAddress,
            ("Transient", "MailboxFull") => Class::Full,
            ("Transient", "MessageTooLarge" | "ContentRejected" | "AttachmentRejected") => Class::Letter,
            // Amazon documents that answers of somebody who is away come as such, too.
            ("Transient", "General") => Class::Unknown,
            ("Transient", _) => Class::Passing,
            _ => Class::Unknown,
        },
        class => class,
    };
    Meaning { class, status, recipient: email_address, text }
}

/// `POST /hooks/ses`.
pub async fn told(State(state): State<AppState>, body: Bytes) -> Response {
    let Some(topic) = &state.config.ses_topic else {
        return (StatusCode::FORBIDDEN, "VESTNIK_SES_TOPIC is not set\n").into_response();
    };
    let envelope = match serde_json::from_slice(&body) {
        Ok(envelope) => envelope,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    match state.sns.check(topic, &envelope, state.now()).await {
        Ok(()) => {}
        Err(Refused::Away(why)) => return away(&why),
        Err(refused) => {
            metrics::hook_refused();
            tracing::warn!(%refused, "a message for the hook of Amazon SES does not count");
            return (StatusCode::UNAUTHORIZED, format!("{refused}\n")).into_response();
        }
    }
    match envelope.kind.as_str() {
        "SubscriptionConfirmation" => match state.sns.confirm(topic, &envelope).await {
            Ok(()) => {
                tracing::info!("Amazon SNS is told that its messages are wanted here");
                "confirmed\n".into_response()
            }
            Err(Refused::Away(why)) => away(&why),
            Err(refused) => (StatusCode::BAD_REQUEST, format!("{refused}\n")).into_response(),
        },
        "Notification" => notified(&state, &envelope.message).await,
        kind => {
            tracing::warn!(kind, "Amazon SNS sends no more, or something unknown");
            "ok\n".into_response()
        }
    }
}

fn away(why: &str) -> Response {
    tracing::warn!(why, "Amazon SNS cannot be asked; its message comes again");
    (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response()
}

async fn notified(state: &AppState, message: &str) -> Response {
    // Whoever sets a topic up is sent a line that is no event.
    let Some(meaning) = serde_json::from_str(message).ok().and_then(read) else { return "ok\n".into_response() };
    let told = Told {
        class: meaning.class,
        status: meaning.status,
        token: "",
        recipient: &meaning.recipient,
        text: &meaning.text,
        raw: message.as_bytes(),
        source: Source::Webhook,
    };
    answer(returns::told(&state.db, &state.config.tokens, &told, state.now()).await)
}

#[cfg(test)]
#[path = "ses_tests.rs"]
mod tests;

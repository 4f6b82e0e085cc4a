//! States as badges: a word, an icon and a colour.

use super::icon::{Icon, icon};
use crate::domain::delivery::{AttemptStatus, DeliveryState};
use crate::domain::mailing::{MailingState, Run, RunState};
use crate::ui::i18n::t;
use leptos::prelude::*;

const INFO: &str = "border-info/40 text-info bg-info/10";
pub const GOOD: &str = "border-success/40 text-success bg-success/10";
pub const BAD: &str = "border-error/40 text-error bg-error/10";
pub const WAIT: &str = "border-warning/60 bg-warning/20";
const DOUBT: &str = "border-base-content/50 border-dashed text-base-content";
pub const CALM: &str = "border-base-300 text-base-content/80 bg-base-200";

/// A badge of any word; prefer the ones below, which know their state.
pub fn badge(word: String, symbol: Icon, colour: &'static str) -> AnyView {
    view! {
        <span class=format!("inline-flex items-center gap-1 rounded-selector border px-2 py-0.5 text-xs font-medium whitespace-nowrap {colour}")>
            {icon(symbol, "size-4")}
            {word}
        </span>
    }
    .into_any()
}

/// A mailing's state. One that is finished and `left_out` somebody is no plain success.
pub fn mailing_badge(state: MailingState, left_out: i64) -> AnyView {
    let (symbol, colour) = match state {
        MailingState::Finished if left_out > 0 => return badge(t("state.finished_gaps"), Icon::Alert, WAIT),
        MailingState::Finished => (Icon::Check, GOOD),
        MailingState::Disabled => (Icon::Cross, BAD),
        MailingState::Paused => (Icon::Pause, WAIT),
        MailingState::Running => (Icon::Clock, INFO),
        MailingState::Created => (Icon::Repeat, CALM),
    };
    badge(t(&format!("state.{}", state.as_str())), symbol, colour)
}

/// Where a delivery stands.
pub fn delivery_badge(state: DeliveryState) -> AnyView {
    let (symbol, colour) = match state {
        DeliveryState::Pending | DeliveryState::Claimed => (Icon::Clock, CALM),
        DeliveryState::Armed => (Icon::Mail, INFO),
        DeliveryState::Sent => (Icon::Check, GOOD),
        DeliveryState::Deferred => (Icon::Clock, WAIT),
        DeliveryState::Failed => (Icon::Cross, BAD),
        DeliveryState::Unknown => (Icon::Question, DOUBT),
        DeliveryState::NotSent => (Icon::Ban, CALM),
    };
    badge(t(&format!("state.{}", state.as_str())), symbol, colour)
}

/// How an attempt ended.
pub fn attempt_badge(status: AttemptStatus) -> AnyView {
    delivery_badge(match status {
        AttemptStatus::Sent => DeliveryState::Sent,
        AttemptStatus::Deferred => DeliveryState::Deferred,
        AttemptStatus::Failed => DeliveryState::Failed,
        AttemptStatus::Unknown => DeliveryState::Unknown,
    })
}

/// What a run came to, of a mailing in this state: nothing of one that is stopped is sent. One that left somebody out is no
/// plain success.
pub fn run_badge(run: &Run, mailing: MailingState) -> AnyView {
    let (symbol, colour) = match run.state {
        RunState::Open if matches!(mailing, MailingState::Paused | MailingState::Disabled) => {
            return mailing_badge(mailing, 0);
        }
        RunState::Open => (Icon::Clock, INFO),
        RunState::Done if run.counts.left_out() > 0 => return badge(t("state.done_gaps"), Icon::Alert, WAIT),
        RunState::Done => (Icon::Check, GOOD),
        RunState::Skipped => (Icon::Ban, WAIT),
    };
    badge(t(&format!("state.{}", run.state.as_str())), symbol, colour)
}

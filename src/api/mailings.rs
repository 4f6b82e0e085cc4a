//! Mailings.

use super::error::{AppError, FieldErrors};
use crate::domain::audience::AudienceSize;
use crate::domain::client::Client;
use crate::domain::delivery::{DeliveryDetail, DeliveryRow};
use crate::domain::mailing::{MailingDetail, MailingList, MailingRow, Review, ReviewBeside};
use crate::domain::page::Page;
use crate::forms::chosen::Chosen;
use crate::forms::decisions::DecisionForm;
use crate::forms::mailings::{MailingForm, MissedForm};
use crate::forms::picks::Picks;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One mailing, for what is done to it as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct MailingId {
    pub id: i64,
}

/// Which mailings of the list are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct MailingFilter {
    pub search: String,
    /// A `MailingState` word, or empty for all.
    pub state: String,
    /// A column's name, with `-` before it downwards; empty for the newest first.
    pub sort: String,
    /// A cursor from the page before, or empty.
    pub after: String,
}

/// Which deliveries of a mailing are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeliveryFilter {
    pub mailing: i64,
    /// 0 for the current run.
    pub run: i64,
    /// A `DeliveryState` word, or empty for all.
    pub state: String,
    pub search: String,
    /// A cursor from the page before, or empty.
    pub after: String,
}

/// A page of the reader's mailings.
#[server(prefix = "/api", endpoint = "mailings/list")]
pub async fn list_mailings(filter: MailingFilter) -> Result<MailingList, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let MailingFilter { search, state, sort, after } = &filter;
    let state = crate::domain::mailing::MailingState::parse(state);
    let listing = mailings::Listing { search, state, sort, after };
    request::answer(mailings::list(&request::state()?.db, &actor, listing).await)
}

/// The mailings that a list shows, as they are now.
#[server(prefix = "/api", endpoint = "mailings/look")]
pub async fn look_at_mailings(ids: Vec<i64>) -> Result<Vec<MailingRow>, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(mailings::look(&request::state()?.db, &actor, &ids).await)
}

/// A mailing's own page.
#[server(prefix = "/api", endpoint = "mailings/get")]
pub async fn get_mailing(id: i64) -> Result<MailingDetail, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(mailings::detail(&state.db, &actor, id, state.now()).await)
}

/// The form of a mailing that is to be edited or copied.
#[server(prefix = "/api", endpoint = "mailings/draft")]
pub async fn mailing_draft(id: i64, copy: bool) -> Result<MailingForm, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(mailings::draft(&request::state()?.db, &actor, id, copy).await)
}

/// What the form would do, or what is wrong with it: an answer too, since a form in steps is looked at
/// before it is whole.
#[server(prefix = "/api", endpoint = "mailings/review")]
pub async fn review_mailing(form: MailingForm) -> Result<Result<Review, FieldErrors>, AppError> {
    use crate::server::services::{Error, mailings};
    use crate::server::web::request;
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    match mailings::review(&state.db, &actor, &form, state.mass_mail(), state.now()).await {
        Err(Error::Invalid(wrong)) => Ok(Err(wrong)),
        other => request::answer(other).map(Ok),
    }
}

/// What a review shows beside a form that is right, of which so many `letters` would leave.
#[server(prefix = "/api", endpoint = "mailings/review/beside")]
pub async fn look_beside(form: MailingForm, letters: i64) -> Result<ReviewBeside, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let relays = request::answer(state.relays.overview().await.map_err(Into::into))?;
    request::answer(mailings::beside(&state.db, &actor, &form, letters, (state.from(), relays), state.now()).await)
}

/// Clients whom an audience holds now for what is about a topic, and how many of them get nothing: `kind` is `all`, `search` or
/// `picked`. Nothing to search for finds nobody.
#[server(prefix = "/api", endpoint = "mailings/audience")]
pub async fn count_audience(
    kind: String,
    search: String,
    selection: i64,
    #[server(default)] topic: i64,
) -> Result<AudienceSize, AppError> {
    use crate::domain::audience::Audience;
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let audience = match kind.as_str() {
        "all" => Audience::All,
        "picked" => Audience::Picked { selection },
        "search" if !search.trim().is_empty() => Audience::Search { text: search.trim().to_owned() },
        _ => return Ok(AudienceSize::default()),
    };
    let state = request::state()?;
    request::answer(mailings::audience_size(&state.db, (actor.id, topic), &audience, state.now()).await)
}

/// The reader's own zone, and the names of all.
#[server(prefix = "/api", endpoint = "zones")]
pub async fn list_zones() -> Result<(String, Vec<String>), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    Ok((actor.zone, mailings::zones()))
}

/// Makes or changes a mailing and leads to its page.
#[server(prefix = "/api", endpoint = "mailings/save")]
pub async fn save_mailing(form: MailingForm, #[server(default)] once: String) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let (mass, now) = (state.mass_mail(), state.now());
    let id = request::answer(mailings::save(&state.db, &actor, &form, &once, mass, now).await)?;
    state.wake.ring();
    request::go(&format!("/mailings/{id}?done=mailings.saved"));
    Ok(())
}

/// Stops a mailing until it is resumed.
#[server(prefix = "/api", endpoint = "mailings/pause")]
pub async fn pause_mailing(form: MailingId) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(mailings::pause(&state.db, &actor, form.id, state.now()).await)?;
    request::go(&format!("/mailings/{}?done=mailings.paused", form.id));
    Ok(())
}

/// Lets a paused mailing go on.
#[server(prefix = "/api", endpoint = "mailings/resume")]
pub async fn resume_mailing(form: MailingId) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(mailings::resume(&state.db, &actor, form.id).await)?;
    state.wake.ring();
    request::go(&format!("/mailings/{}?done=mailings.resumed", form.id));
    Ok(())
}

/// Deletes a mailing with its runs.
#[server(prefix = "/api", endpoint = "mailings/delete")]
pub async fn delete_mailing(form: MailingId) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(mailings::delete(&state.db, &actor, form.id, state.now()).await)?;
    request::go("/mailings?done=mailings.deleted");
    Ok(())
}

/// Pauses the chosen mailings and goes back to the list.
#[server(prefix = "/api", endpoint = "mailings/pause/chosen")]
pub async fn pause_mailings(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n = request::answer(mailings::pause_chosen(&state.db, &actor, &form, state.now()).await)?;
    request::go(&form.back("/mailings", &[("done", "mailings.paused_many"), ("n", &n.to_string())]));
    Ok(())
}

/// Lets the chosen mailings go on and goes back to the list.
#[server(prefix = "/api", endpoint = "mailings/resume/chosen")]
pub async fn resume_mailings(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n = request::answer(mailings::resume_chosen(&state.db, &actor, &form).await)?;
    state.wake.ring();
    request::go(&form.back("/mailings", &[("done", "mailings.resumed_many"), ("n", &n.to_string())]));
    Ok(())
}

/// Deletes the chosen mailings with their runs and goes back to the list.
#[server(prefix = "/api", endpoint = "mailings/delete/chosen")]
pub async fn delete_mailings(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n = request::answer(mailings::delete_chosen(&state.db, &actor, &form, state.now()).await)?;
    request::go(&form.back("/mailings", &[("done", "mailings.deleted_many"), ("n", &n.to_string())]));
    Ok(())
}

/// A page of a run's deliveries.
#[server(prefix = "/api", endpoint = "mailings/deliveries")]
pub async fn list_deliveries(filter: DeliveryFilter) -> Result<Page<DeliveryRow>, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = crate::domain::delivery::DeliveryState::parse(&filter.state);
    let (db, after) = (request::state()?.db, filter.after.parse().unwrap_or(0));
    request::answer(mailings::deliveries(&db, &actor, filter.mailing, filter.run, state, &filter.search, after).await)
}

/// A delivery with all its attempts.
#[server(prefix = "/api", endpoint = "mailings/delivery")]
pub async fn get_delivery(mailing: i64, delivery: i64) -> Result<DeliveryDetail, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(mailings::delivery(&request::state()?.db, &actor, mailing, delivery).await)
}

/// Says what became of deliveries whose fate is unknown, and goes back to where it was asked.
#[server(prefix = "/api", endpoint = "mailings/deliveries/decide")]
pub async fn decide_deliveries(form: DecisionForm) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n = request::answer(mailings::decide(&state.db, &actor, &form, state.now()).await)?;
    state.wake.ring();
    let DecisionForm { mailing, run, delivery, verdict, .. } = form;
    let page = match delivery {
        0 => format!("/mailings/{mailing}?run={run}&"),
        delivery => format!("/mailings/{mailing}/deliveries/{delivery}?"),
    };
    request::go(&format!("{page}done=mailings.done_{verdict}&n={n}"));
    Ok(())
}

/// How many clients a mailing's newest run did not reach who would get a letter now; none of any other run.
#[server(prefix = "/api", endpoint = "mailings/missed")]
pub async fn count_missed(mailing: i64, run: i64) -> Result<i64, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(mailings::missed(&state.db, &actor, mailing, run, state.now()).await)
}

/// Sends a mailing once more, to those whom its newest run did not reach, and goes back to its page.
#[server(prefix = "/api", endpoint = "mailings/missed/send")]
pub async fn send_to_missed(form: MissedForm) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let sent = mailings::send_to_missed(&state.db, &actor, &form, state.mass_mail(), state.now()).await;
    let n = request::answer(sent)?;
    state.wake.ring();
    request::go(&format!("/mailings/{}?done=mailings.done_missed&n={n}", form.mailing));
    Ok(())
}

/// Goes on to choose clients one by one for the mailing that is being made.
#[server(prefix = "/api", endpoint = "mailings/picks/start")]
pub async fn start_picking(form: MailingForm) -> Result<(), AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let selection = request::answer(mailings::begin_picking(&state.db, &actor, form.selection, state.now()).await)?;
    let form = MailingForm { clients: "picked".to_owned(), search: String::new(), selection, ..form };
    request::go(&form.address("pick"));
    Ok(())
}

/// A page of the reader's clients, each with whether the selection holds it.
#[server(prefix = "/api", endpoint = "mailings/picks/list")]
pub async fn list_choices(selection: i64, search: String, after: String) -> Result<Page<(Client, bool)>, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(mailings::choices(&request::state()?.db, &actor, selection, &search, &after).await)
}

/// Changes a selection, and answers with how many clients it holds then.
#[server(prefix = "/api", endpoint = "mailings/picks/change")]
pub async fn change_picks(form: Picks) -> Result<i64, AppError> {
    use crate::server::{services::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(mailings::change_picks(&request::state()?.db, &actor, &form).await)
}

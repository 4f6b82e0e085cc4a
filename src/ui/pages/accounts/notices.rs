//! `/account/notices`: what one is told by letter without asking.

use super::tabs::{section, tabbed};
use crate::api::profile::{SaveNotices, get_notices};
use crate::domain::account::Notice;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::CheckField;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/account/notices`.
#[component]
pub fn NoticesPage() -> impl IntoView {
    let save = ServerAction::<SaveNotices>::new();
    let notices = Resource::new_blocking(move || save.version().get(), |_| get_notices());
    let error = Signal::derive(move || error_of(save.value().get().as_ref()));
    let body = move || {
        notices.get().map(|notices| match notices {
            Ok(notices) => {
                let boxes: Vec<AnyView> = notices.into_iter().map(choice).collect();
                let form = view! {
                    <FormErrors error=error />
                    <ActionForm action=save>
                        // A form without a ticked box is a form too.
                        <input type="hidden" name="form[none]" value="" />
                        {boxes}
                        <Submit label=t("common.save") pending=save.pending() />
                    </ActionForm>
                };
                section(t("account.notices"), t("account.notices_lead"), form.into_any())
            }
            Err(error) => failed(&error),
        })
    };
    tabbed("/account/notices", view! { <Suspense>{body}</Suspense> }.into_any())
}

fn choice((notice, wanted): (Notice, bool)) -> AnyView {
    let word = notice.as_str();
    let (label, hint) = (t(&format!("account.notice_{word}")), t(&format!("account.notice_{word}_hint")));
    view! { <CheckField name=format!("form[{word}]") label=label hint=hint checked=wanted /> }.into_any()
}

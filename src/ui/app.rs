//! The HTML document and the routes.

use super::areas::{Accounts, Blog, Staff, Work};
use super::assets::Assets;
use super::components::layout::Shell;
use super::i18n::{provide_lang, use_lang};
use super::pages::home::Home;
use super::pages::not_found::NotFound;
use super::refused::{ForgetRefused, carried, take_up};
use super::session::{RefreshSession, provide_session};
use super::theme::use_theme;
use super::time::provide_tick;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

/// The HTML document, on the server. Needs the contexts [`Assets`], `Lang` and `Theme`.
pub fn shell() -> impl IntoView {
    let assets = use_context::<Assets>().unwrap_or_default();
    let texts = assets.texts.get(use_lang().as_str()).cloned();
    let fonts: Vec<AnyView> = assets
        .fonts
        .into_iter()
        .map(|font| {
            view! { <link rel="preload" href=font r#as="font" r#type="font/woff2" crossorigin="anonymous" /> }
                .into_any()
        })
        .collect();
    let preloads = (!assets.calm).then(|| {
        view! {
            <link rel="modulepreload" href=assets.js />
            <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
            <link rel="preload" href=texts r#as="fetch" r#type="application/json" crossorigin="anonymous" />
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang=use_lang().as_str() data-theme=use_theme().data_theme() data-calm=assets.calm.then_some("")>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=assets.css />
                {fonts}
                {preloads}
                <script type="module" src=assets.start_js></script>
                {assets.dev_reload.map(|src| view! { <script src=src></script> })}
                {carried()}
                <MetaTags />
            </head>
            <body class="min-h-dvh bg-base-200 text-base-content antialiased">
                <App />
            </body>
        </html>
    }
}

/// The app, on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    take_up();
    provide_lang();
    provide_tick();
    provide_session();
    let owner = Owner::current();
    view! {
        <Router>
            <ForgetRefused owner=owner />
            <RefreshSession />
            <Shell>
                <Routes fallback=|| view! { <NotFound /> }>
                    <Route path=path!("/") view=Home />
                    <Route path=path!("/login") view=Accounts::LogInPage />
                    <Route path=path!("/login/code") view=Accounts::CodePage />
                    <Route path=path!("/signup") view=Accounts::SignUpPage />
                    <Route path=path!("/signup/sent") view=Accounts::SentPage />
                    <Route path=path!("/setup") view=Accounts::SetupPage />
                    <Route path=path!("/invitation") view=Accounts::InvitationPage />
                    <Route path=path!("/confirm") view=Accounts::ConfirmPage />
                    <Route path=path!("/resend") view=Accounts::ResendPage />
                    <Route path=path!("/forgot") view=Accounts::ForgotPage />
                    <Route path=path!("/forgot/sent") view=Accounts::ForgotSentPage />
                    <Route path=path!("/reset") view=Accounts::ResetPage />
                    <Route path=path!("/account") view=Accounts::ProfilePage />
                    <Route path=path!("/account/security") view=Accounts::SecurityPage />
                    <Route path=path!("/account/notices") view=Accounts::NoticesPage />
                    <Route path=path!("/account/data") view=Accounts::OwnDataPage />
                    <Route path=path!("/account/email") view=Accounts::NewEmailPage />
                    <Route path=path!("/account/revoke") view=Accounts::RevokePage />
                    <Route path=path!("/overview") view=Work::OverviewPage />
                    <Route path=path!("/calendar") view=Work::CalendarPage />
                    <Route path=path!("/messages") view=Work::MessagesPage />
                    <Route path=path!("/messages/starters") view=Work::StartersPage />
                    <Route path=path!("/messages/new") view=Work::MessageNewPage />
                    <Route path=path!("/messages/:id") view=Work::MessageEditPage />
                    <Route path=path!("/designs") view=Work::DesignsPage />
                    <Route path=path!("/designs/new") view=Work::DesignNewPage />
                    <Route path=path!("/designs/:id") view=Work::DesignEditPage />
                    <Route path=path!("/outbox") view=Work::OutboxPage />
                    <Route path=path!("/outbox/:id") view=Work::LetterPage />
                    <Route path=path!("/clients") view=Work::ClientsPage />
                    <Route path=path!("/clients/new") view=Work::ClientNewPage />
                    <Route path=path!("/clients/import") view=Work::ImportPage />
                    <Route path=path!("/clients/import/:id") view=Work::ImportShowPage />
                    <Route path=path!("/clients/doubles") view=Work::DoublesPage />
                    <Route path=path!("/clients/:id") view=Work::ClientEditPage />
                    <Route path=path!("/topics") view=Work::TopicsPage />
                    <Route path=path!("/topics/new") view=Work::TopicNewPage />
                    <Route path=path!("/topics/:id") view=Work::TopicEditPage />
                    <Route path=path!("/suppressions") view=Work::SuppressionsPage />
                    <Route path=path!("/suppressions/new") view=Work::SuppressionNewPage />
                    <Route path=path!("/suppressions/import") view=Work::SuppressionsImportPage />
                    <Route path=path!("/suppressions/import/:id") view=Work::SuppressionsImportShowPage />
                    <Route path=path!("/suppressions/:id") view=Work::SuppressionPage />
                    <Route path=path!("/mailings") view=Work::MailingsPage />
                    <Route path=path!("/mailings/new") view=Work::MailingNewPage />
                    <Route path=path!("/mailings/:id") view=Work::MailingShowPage />
                    <Route path=path!("/mailings/:id/edit") view=Work::MailingEditPage />
                    <Route path=path!("/mailings/:id/deliveries/:delivery") view=Work::DeliveryPage />
                    <Route path=path!("/blog") view=Blog::BlogPage />
                    <Route path=path!("/blog/:slug") view=Blog::BlogPostPage />
                    <Route path=path!("/posts") view=Staff::PostsPage />
                    <Route path=path!("/posts/new") view=Staff::PostNewPage />
                    <Route path=path!("/posts/images") view=Staff::ImagesPage />
                    <Route path=path!("/posts/:id") view=Staff::PostEditPage />
                    <Route path=path!("/posts/:id/history") view=Staff::HistoryPage />
                    <Route path=path!("/posts/:id/merge") view=Staff::MergePage />
                    <Route path=path!("/reports") view=Work::ReportsPage />
                    <Route path=path!("/users") view=Staff::UsersPage />
                    <Route path=path!("/users/:id") view=Staff::UserPage />
                    <Route path=path!("/all-mailings") view=Staff::AllMailingsPage />
                    <Route path=path!("/audit") view=Staff::AuditPage />
                    <Route path=path!("/settings") view=Staff::SettingsPage />
                    <Route path=path!("/invitations") view=Staff::InvitationsPage />
                    <Route path=path!("/returns") view=Staff::ReturnsPage />
                    <Route path=path!("/doctor") view=Staff::DoctorPage />
                    <Route path=path!("/relays") view=Staff::RelaysPage />
                    <Route path=path!("/relays/new") view=Staff::RelayNewPage />
                    <Route path=path!("/relays/:id") view=Staff::RelayEditPage />
                    <Route path=path!("/relays/:id/test") view=Staff::RelayTestPage />
                </Routes>
            </Shell>
        </Router>
    }
}

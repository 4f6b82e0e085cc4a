//! The HTML document and the routes.

use super::assets::Assets;
use super::components::layout::Shell;
use super::i18n::{provide_lang, use_lang};
use super::pages::accounts::{
    CodePage, ConfirmPage, ForgotPage, ForgotSentPage, InvitationPage, LogInPage, NewEmailPage, OwnDataPage,
    ProfilePage, ResendPage, ResetPage, SecurityPage, SentPage, SetupPage, SignUpPage,
};
use super::pages::blog::{BlogPage, BlogPostPage};
use super::pages::clients::{ClientEditPage, ClientNewPage, ClientsPage, ImportPage, ImportShowPage};
use super::pages::home::Home;
use super::pages::mailings::{DeliveryPage, MailingEditPage, MailingNewPage, MailingShowPage, MailingsPage};
use super::pages::messages::edit::{MessageEditPage, MessageNewPage};
use super::pages::messages::list::MessagesPage;
use super::pages::not_found::NotFound;
use super::pages::outbox::list::OutboxPage;
use super::pages::outbox::show::LetterPage;
use super::pages::oversight::{AllMailingsPage, AuditPage, UserPage, UsersPage};
use super::pages::posts::{HistoryPage, ImagesPage, MergePage, PostEditPage, PostNewPage, PostsPage};
use super::pages::relays::{RelayEditPage, RelayNewPage, RelayTestPage, RelaysPage};
use super::pages::reports::ReportsPage;
use super::pages::settings::{InvitationsPage, SettingsPage};
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
    let fonts: Vec<AnyView> = assets
        .fonts
        .into_iter()
        .map(|font| {
            view! { <link rel="preload" href=font r#as="font" r#type="font/woff2" crossorigin="anonymous" /> }
                .into_any()
        })
        .collect();
    view! {
        <!DOCTYPE html>
        <html lang=use_lang().as_str() data-theme=use_theme().data_theme()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=assets.css />
                {fonts}
                <link rel="modulepreload" href=assets.js />
                <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
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
                    <Route path=path!("/login") view=LogInPage />
                    <Route path=path!("/login/code") view=CodePage />
                    <Route path=path!("/signup") view=SignUpPage />
                    <Route path=path!("/signup/sent") view=SentPage />
                    <Route path=path!("/setup") view=SetupPage />
                    <Route path=path!("/invitation") view=InvitationPage />
                    <Route path=path!("/confirm") view=ConfirmPage />
                    <Route path=path!("/resend") view=ResendPage />
                    <Route path=path!("/forgot") view=ForgotPage />
                    <Route path=path!("/forgot/sent") view=ForgotSentPage />
                    <Route path=path!("/reset") view=ResetPage />
                    <Route path=path!("/account") view=ProfilePage />
                    <Route path=path!("/account/security") view=SecurityPage />
                    <Route path=path!("/account/data") view=OwnDataPage />
                    <Route path=path!("/account/email") view=NewEmailPage />
                    <Route path=path!("/messages") view=MessagesPage />
                    <Route path=path!("/messages/new") view=MessageNewPage />
                    <Route path=path!("/messages/:id") view=MessageEditPage />
                    <Route path=path!("/outbox") view=OutboxPage />
                    <Route path=path!("/outbox/:id") view=LetterPage />
                    <Route path=path!("/clients") view=ClientsPage />
                    <Route path=path!("/clients/new") view=ClientNewPage />
                    <Route path=path!("/clients/import") view=ImportPage />
                    <Route path=path!("/clients/import/:id") view=ImportShowPage />
                    <Route path=path!("/clients/:id") view=ClientEditPage />
                    <Route path=path!("/mailings") view=MailingsPage />
                    <Route path=path!("/mailings/new") view=MailingNewPage />
                    <Route path=path!("/mailings/:id") view=MailingShowPage />
                    <Route path=path!("/mailings/:id/edit") view=MailingEditPage />
                    <Route path=path!("/mailings/:id/deliveries/:delivery") view=DeliveryPage />
                    <Route path=path!("/blog") view=BlogPage />
                    <Route path=path!("/blog/:slug") view=BlogPostPage />
                    <Route path=path!("/posts") view=PostsPage />
                    <Route path=path!("/posts/new") view=PostNewPage />
                    <Route path=path!("/posts/images") view=ImagesPage />
                    <Route path=path!("/posts/:id") view=PostEditPage />
                    <Route path=path!("/posts/:id/history") view=HistoryPage />
                    <Route path=path!("/posts/:id/merge") view=MergePage />
                    <Route path=path!("/reports") view=ReportsPage />
                    <Route path=path!("/users") view=UsersPage />
                    <Route path=path!("/users/:id") view=UserPage />
                    <Route path=path!("/all-mailings") view=AllMailingsPage />
                    <Route path=path!("/audit") view=AuditPage />
                    <Route path=path!("/settings") view=SettingsPage />
                    <Route path=path!("/invitations") view=InvitationsPage />
                    <Route path=path!("/relays") view=RelaysPage />
                    <Route path=path!("/relays/new") view=RelayNewPage />
                    <Route path=path!("/relays/:id") view=RelayEditPage />
                    <Route path=path!("/relays/:id/test") view=RelayTestPage />
                </Routes>
            </Shell>
        </Router>
    }
}

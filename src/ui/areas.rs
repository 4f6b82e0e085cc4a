//! Pages whose code the browser fetches when the first of them is shown, one module for each area. What
//! a visitor opens first (the home page, *not found*) is not among them.

use super::pages::accounts::{
    CodePage, ConfirmPage, ForgotPage, ForgotSentPage, InvitationPage, LogInPage, NewEmailPage, NoticesPage,
    OwnDataPage, ProfilePage, ResendPage, ResetPage, RevokePage, SecurityPage, SentPage, SetupPage, SignUpPage,
};
use super::pages::blog::{BlogPage, BlogPostPage};
use super::pages::calendar::CalendarPage;
use super::pages::clients::{ClientEditPage, ClientNewPage, ClientsPage, DoublesPage, ImportPage, ImportShowPage};
use super::pages::designs::{DesignEditPage, DesignNewPage, DesignsPage};
use super::pages::doctor::DoctorPage;
use super::pages::mailings::{DeliveryPage, MailingEditPage, MailingNewPage, MailingShowPage, MailingsPage};
use super::pages::messages::edit::{MessageEditPage, MessageNewPage};
use super::pages::messages::list::MessagesPage;
use super::pages::messages::starters::StartersPage;
use super::pages::outbox::list::OutboxPage;
use super::pages::outbox::show::LetterPage;
use super::pages::oversight::{AllMailingsPage, AuditPage, ReturnsPage, UserPage, UsersPage};
use super::pages::overview::OverviewPage;
use super::pages::posts::{HistoryPage, ImagesPage, MergePage, PostEditPage, PostNewPage, PostsPage};
use super::pages::relays::{RelayEditPage, RelayNewPage, RelayTestPage, RelaysPage};
use super::pages::reports::ReportsPage;
use super::pages::settings::{InvitationsPage, SettingsPage};
use super::pages::suppressions::{
    SuppressionNewPage, SuppressionPage, SuppressionsImportPage, SuppressionsImportShowPage, SuppressionsPage,
};
use super::pages::topics::{TopicEditPage, TopicNewPage, TopicsPage};
use leptos::prelude::*;
use leptos_router::ChooseView;

/// `area!(load, Area, Page, …)` makes an enum of pages that routes take as their view. `load` is where
/// the code is split: nothing but it may name the pages' components.
macro_rules! area {
    ($(#[$doc:meta])* $load:ident, $area:ident, $($page:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[allow(clippy::enum_variant_names, reason = "they are named as the pages' components")]
        pub enum $area {
            $($page),+
        }

        /// Fetches the area's code; `None` asks for nothing more.
        #[lazy]
        fn $load(page: Option<$area>) -> AnyView {
            match page {
                $(Some($area::$page) => $page().into_any(),)+
                None => ().into_any(),
            }
        }

        impl ChooseView for $area {
            async fn choose(self) -> AnyView {
                $load(Some(self)).await
            }

            async fn preload(&self) {
                drop($load(None).await);
            }
        }
    };
}

area!(
    /// Getting in, and one's own account.
    accounts, Accounts, CodePage, ConfirmPage, ForgotPage, ForgotSentPage, InvitationPage, LogInPage, NewEmailPage,
    NoticesPage, OwnDataPage, ProfilePage, ResendPage, ResetPage, RevokePage, SecurityPage, SentPage, SetupPage, SignUpPage
);
area!(
    /// What every user works with.
    work, Work, CalendarPage, ClientEditPage, ClientNewPage, ClientsPage, DeliveryPage, DesignEditPage, DesignNewPage, DesignsPage, DoublesPage, ImportPage, ImportShowPage, LetterPage,
    MailingEditPage, MailingNewPage, MailingShowPage, MailingsPage, MessageEditPage, MessageNewPage, MessagesPage,
    OutboxPage, OverviewPage, ReportsPage, StartersPage, SuppressionNewPage, SuppressionPage, SuppressionsImportPage,
    SuppressionsImportShowPage, SuppressionsPage, TopicEditPage, TopicNewPage, TopicsPage
);
area!(
    /// Reading the blog.
    blog, Blog, BlogPage, BlogPostPage
);
area!(
    /// What editors, managers and administrators see.
    staff, Staff, AllMailingsPage, AuditPage, DoctorPage, HistoryPage, ImagesPage, InvitationsPage, MergePage, PostEditPage,
    PostNewPage, PostsPage, RelayEditPage, RelayNewPage, RelayTestPage, RelaysPage, ReturnsPage, SettingsPage, UserPage, UsersPage
);

//! What all requests share.

use crate::domain::email::EmailAddress;
use crate::domain::mass_mail::MassMail;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::engine::Wake;
use crate::server::engine::relays::{Grant, Pool};
use crate::server::mail::relay::Relay;
use crate::server::mail::timeouts::Timeouts;
use crate::server::seal::Sealer;
use crate::server::services::Error;
use crate::server::services::doctor::checkups::Checkups;
use crate::server::services::figures::SharedFigures;
use crate::server::services::leaving::Desk;
use crate::server::services::letters::Origin;
use crate::server::services::posts::kept::Kept;
use crate::server::services::posts::views::Views;
use crate::server::services::relays::Means;
use crate::server::services::test_letter::Post;
use crate::server::supervisor::Supervisor;
use crate::server::web::cache::PageCache;
use crate::server::web::hooks::sns::Sns;
use crate::server::web::live::Live;
use crate::server::web::loopback::{self, Head};
use crate::server::web::pace::Pace;
use crate::server::web::quota::Quota;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Uploads that one user may have under way at a time.
pub const UPLOADS: usize = 3;
/// Files of own data that one user may fetch at a time.
pub const TAKEAWAYS: usize = 1;

/// What the public pages count and keep in memory.
#[derive(Clone)]
pub struct Blog {
    pub views: Views,
    pub figures: SharedFigures,
    pub kept: Kept,
    pub pages: Arc<PageCache>,
}

impl Blog {
    pub fn new(clock: SharedClock) -> Self {
        let kept = Kept::new(clock.clone());
        let figures = SharedFigures::new(clock.clone(), kept.counts());
        Self { views: Views::new(clock), figures, kept, pages: Arc::default() }
    }

    /// Does what these need done until the service stops.
    pub fn keep(&self, db: &Db, stop: &CancellationToken, supervisor: &Supervisor) {
        let with = || (db.clone(), stop.clone());
        let (views, (db_of_views, over)) = (self.views.clone(), with());
        supervisor.spawn("views of posts", move || views.clone().keep(db_of_views.clone(), over.clone()));
        let (figures, (counted, over)) = (self.figures.clone(), with());
        supervisor.spawn("figures of the home page", move || figures.clone().keep(counted.clone(), over.clone()));
        let (changes, (followed, over)) = (self.kept.changes().clone(), with());
        supervisor.spawn("changes of the blog", move || changes.clone().follow(followed.clone(), over.clone()));
    }
}

/// The running service, cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub clock: SharedClock,
    pub config: Arc<Config>,
    /// The mail servers in use, or the built-in catcher.
    pub relays: Pool,
    /// Tells the engine that there is something new to do.
    pub wake: Wake,
    /// Tells it that there is a new letter of the service itself.
    pub letters: Wake,
    /// Uploads under way.
    pub uploads: Quota,
    /// Files of own data that are being written.
    pub takeaways: Quota,
    /// Where those who leave are written down.
    pub leaving: Desk,
    /// Requests of each address.
    pub pace: Pace,
    /// Pages that follow a mailing.
    pub live: Live,
    pub blog: Blog,
    /// What was found out about how email leaves.
    pub checkups: Checkups,
    /// Judges what Amazon SNS tells.
    pub sns: Sns,
    /// Watches over what must not end before the service does.
    pub supervisor: Supervisor,
    /// Cancelled when the service is to end: open event streams end too.
    pub stop: CancellationToken,
}

impl AppState {
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether mass mail may leave.
    pub fn mass_mail(&self) -> MassMail {
        MassMail::of(&self.config.public_url, self.catching())
    }

    pub fn from(&self) -> &EmailAddress {
        &self.config.from
    }

    /// Who the service's own letters come from.
    pub fn origin(&self) -> Origin<'_> {
        Origin { from: &self.config.from, site: &self.config.public_url }
    }

    pub fn timeouts(&self) -> &Timeouts {
        &self.config.timeouts
    }

    /// How a single letter leaves.
    pub fn post(&self) -> Post<'_> {
        Post {
            timeouts: self.timeouts(),
            from: self.from(),
            secret: self.config.secret.expose_secret().as_bytes(),
            dkim: self.config.dkim.as_ref(),
            tokens: &self.config.tokens,
            site: &self.config.public_url,
            returns: self.config.return_path(),
        }
    }

    /// The relay for a single letter, and the permission for it, to be kept until it is out.
    ///
    /// # Errors
    /// [`Error::Conflict`] while there is none, or all limits are used up.
    pub async fn relay_for_one(&self) -> Result<(Relay, Grant), Error> {
        self.relays.for_one().await.ok_or(Error::Conflict("error.relay.none_now"))
    }

    /// What passwords of relays are sealed with.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.config.secret)
    }

    /// What trying a relay takes, with what [`AppState::sealer`] gives.
    pub fn means<'a>(&'a self, sealer: &'a Sealer) -> Means<'a> {
        Means { sealer, hello: self.config.hello.as_deref() }
    }

    /// Whether letters are caught on this machine.
    pub fn catching(&self) -> bool {
        self.relays.catching()
    }

    /// Whether whoever makes this request may read the Outbox without an account: somebody at this machine.
    pub fn outbox_is_open<'a>(&self, head: impl Into<Head<'a>>) -> bool {
        self.catching() && loopback::asks(self, head.into())
    }
}

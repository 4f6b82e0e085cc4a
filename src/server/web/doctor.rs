//! Examinations that an administrator asks for.

use super::state::AppState;
use crate::server::services::doctor::{Patient, examine};
use crate::server::services::relays::Keeper;
use crate::server::services::{Actor, Error};
use vestnik_doctor::{Dns, TimeServer};

/// Begins an examination in the background, unless one is under way. The actor was proven to have
/// `Permission::Settings`.
pub fn check_up(state: &AppState, actor: Actor) {
    let of = state.clone();
    state.checkups.start(state.clock.clone(), async move {
        let dns = Dns::system().map_err(|error| Error::Internal(error.to_string()))?;
        let sealer = of.sealer();
        let patient = Patient {
            from: of.from(),
            return_domain: of.config.return_domain.as_deref(),
            relay: of.config.relay.as_ref(),
            public_url: &of.config.public_url,
            dkim: of.config.dkim.as_deref(),
            means: of.means(&sealer),
        };
        examine(&of.db, Keeper::actor(&actor), &patient, &dns, &TimeServer::default(), &of.clock).await
    });
}

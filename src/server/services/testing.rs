//! Actors for tests.

use super::Actor;
use crate::domain::user::{Permission, Role};
use crate::server::db::Db;
use crate::server::db::testing::user;

/// A new user, proven as the owner of what is theirs.
pub async fn actor(db: &Db, email: &str) -> Actor {
    Actor::prove(&user(db, email, Role::User).await, Permission::Own).expect("a user may own")
}

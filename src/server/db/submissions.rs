//! Table `submissions`: what was made of forms that may be sent twice.

use super::{DbResult, Tx, on_tx};
use chrono::{DateTime, Utc};

/// What a form makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Client,
    Design,
    Mailing,
    Message,
    Post,
}

impl Made {
    /// A word that tells the kinds apart.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Design => "design",
            Self::Mailing => "mailing",
            Self::Message => "message",
            Self::Post => "post",
        }
    }

    fn found(self) -> &'static str {
        match self {
            Self::Client => "SELECT id FROM clients WHERE id = $1",
            Self::Design => "SELECT id FROM designs WHERE id = $1",
            Self::Mailing => "SELECT id FROM mailings WHERE id = $1",
            Self::Message => "SELECT id FROM messages WHERE id = $1",
            Self::Post => "SELECT id FROM posts WHERE id = $1",
        }
    }
}

/// Takes a form for this transaction: until its end no other one gets past this with the same form. What was made of
/// it before, unless that is gone by now.
pub async fn take(tx: &mut Tx, owner: i64, form: &str, kind: Made, now: DateTime<Utc>) -> DbResult<Option<i64>> {
    const SQL: &str = "INSERT INTO submissions (owner_id, form, made_id, created_at) VALUES ($1, $2, 0, $3)
        ON CONFLICT (owner_id, form) DO UPDATE SET created_at = excluded.created_at RETURNING made_id";
    let made: i64 = on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(form).bind(now).fetch_one(conn).await)?;
    Ok(on_tx!(tx, conn => sqlx::query_scalar(kind.found()).bind(made).fetch_optional(conn).await)?)
}

/// Notes what was made of a form that was taken.
pub async fn made(tx: &mut Tx, owner: i64, form: &str, id: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE submissions SET made_id = $3 WHERE owner_id = $1 AND form = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(owner).bind(form).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets forms that came before then.
pub async fn forget_old(tx: &mut Tx, before: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM submissions WHERE created_at < $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}

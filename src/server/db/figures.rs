//! What the home page counts.

use super::{Db, DbResult, on_db};
use crate::domain::post::Figures;

/// Mailings in all, mailings that are active, and addresses over all owners, each once. Every count
/// reads an index alone (migration 0019); over a million clients it still takes a good part of a
/// second, so ask through `services::figures`.
pub async fn count(db: &Db) -> DbResult<Figures> {
    const MAILINGS: &str = "SELECT COUNT(*) FROM mailings";
    const ACTIVE: &str =
        "SELECT COUNT(*) FROM mailings WHERE status = 'running' AND paused_at IS NULL AND disabled_at IS NULL";
    const CLIENTS: &str = "SELECT COUNT(*) FROM (SELECT DISTINCT address_key FROM clients) AS addresses";
    let mailings = on_db!(db, pool => sqlx::query_scalar(MAILINGS).fetch_one(pool).await)?;
    let active = on_db!(db, pool => sqlx::query_scalar(ACTIVE).fetch_one(pool).await)?;
    let clients = on_db!(db, pool => sqlx::query_scalar(CLIENTS).fetch_one(pool).await)?;
    Ok(Figures { mailings, active, clients })
}

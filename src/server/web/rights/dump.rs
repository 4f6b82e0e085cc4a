//! All that a database holds, to be compared.

use crate::server::db::{Db, on_db};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Rows as texts, by table.
pub type Dump = BTreeMap<String, Vec<String>>;

/// What changes though nothing does: tries and views are counted, log-ins noted, visits noted in sessions, and reports
/// keep what they have once counted. A table, or one of its columns.
const LEFT_OUT: [&str; 12] = [
    "audit",
    "audit_waiting",
    "audit_chain",
    "posts.views",
    "post_views",
    "throttles",
    "tallies",
    "reply_tallies",
    "runs.tallied",
    "runs.tallied_at",
    "sessions.data",
    "sessions.expires_at",
];

/// Everything in the database that a refused request must leave alone.
pub async fn dump(db: &Db) -> Dump {
    const SQLITE: &str = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
    const POSTGRES: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = 'public'";
    let (sql, text) = match db {
        Db::Sqlite { .. } => (SQLITE, "quote"),
        Db::Postgres(_) => (POSTGRES, "quote_nullable"),
    };
    let columns: Vec<(String, String)> = on_db!(db, pool => sqlx::query_as(sql).fetch_all(pool).await).unwrap();
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    for (table, column) in columns {
        let place = format!("{table}.{column}");
        if !LEFT_OUT.contains(&table.as_str()) && !LEFT_OUT.contains(&place.as_str()) {
            tables.entry(table).or_default().push(format!("{text}(\"{column}\")"));
        }
    }
    let mut dump = Dump::new();
    for (table, columns) in tables {
        let sql = format!("SELECT {} FROM \"{table}\" ORDER BY 1", columns.join(" || '|' || "));
        let rows: Vec<String> =
            on_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_all(pool).await).unwrap();
        dump.insert(table, rows);
    }
    dump
}

/// The first difference between two dumps, as a sentence.
pub fn difference(before: &Dump, after: &Dump) -> Option<String> {
    after.iter().find_map(|(table, rows)| {
        let old = before.get(table)?;
        let changed = rows.iter().find(|row| !old.contains(row)).or_else(|| old.iter().find(|row| !rows.contains(row)));
        (rows != old).then(|| format!("{table}: {changed:?}"))
    })
}

//! How the databases find what lists show: by an index, in its order, whatever is searched for. No table is
//! read through and nothing is sorted for a page.

use super::testing::on_both;
use super::{
    Db, attempts, audit, clients, deliveries, doubles, letters, mailings, messages, overview, returns, suppressions,
};
use crate::domain::client::ClientSort;
use crate::domain::delivery::DeliveryState;
use crate::domain::mailing::MailingSort;
use crate::domain::message::MessageSort;
use crate::domain::suppression::Reason;
use chrono::DateTime;
use sqlx::{AssertSqlSafe, Executor, Row};

/// Every query of a page, with a name for it.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("letters".to_owned(), letters::LIST.to_owned()),
        ("reports that name no letter".to_owned(), returns::UNMATCHED.to_owned()),
        ("attempts of a run".to_owned(), attempts::OF_RUN.to_owned()),
        ("doubles".to_owned(), doubles::LIST.to_owned()),
        ("runs of all owners in a month".to_owned(), overview::begun_sql(None)),
        ("runs of all owners under way".to_owned(), overview::running_sql(None)),
        ("runs of all owners with unknown letters".to_owned(), overview::unknown_sql(None)),
        ("stopped mailings of all owners".to_owned(), overview::stopped_sql(None)),
    ];
    for search in [false, true] {
        for state in DeliveryState::ALL.map(Some).into_iter().chain([None]) {
            // Of what engines have just taken there is little.
            if state != Some(DeliveryState::Claimed) {
                let name = || format!("deliveries, {state:?}, search {search}");
                pages.extend(deliveries::list_sql(state, search).into_iter().map(|sql| (name(), sql)));
            }
        }
        for reason in [None, Some(Reason::Complaint)] {
            for at in [None, Some(DateTime::UNIX_EPOCH)] {
                let filter = suppressions::Filter { search: if search { "a" } else { "" }, reason, at };
                pages.push((format!("ledger, {reason:?}, search {search}, {at:?}"), suppressions::list_sql(&filter)));
            }
        }
        for filter in [false, true] {
            pages.push((format!("audit log, act {filter}, search {search}"), audit::list_sql(search, filter)));
            for descending in [false, true] {
                for sort in [MessageSort::Created, MessageSort::Subject] {
                    let name = format!("messages by {sort:?}, down {descending}, search {search}, after {filter}");
                    pages.push((name, messages::list_sql(search, sort, descending, filter)));
                }
                for (sort, state) in [(MailingSort::Created, false), (MailingSort::Title, true)] {
                    let name = format!("mailings by {sort:?}, down {descending}, search {search}, after {filter}");
                    pages.push((name, mailings::list_sql(search, state, sort, descending, filter)));
                }
                for sort in [ClientSort::Created, ClientSort::Email, ClientSort::FullName] {
                    let name = format!("clients by {sort:?}, down {descending}, search {search}, after {filter}");
                    let found = clients::Found::from(if search { "a" } else { "" });
                    pages.push((name, clients::list_sql(&found, sort, descending, filter)));
                }
            }
        }
    }
    pages
}

/// Counts and reports: these read much, but from an index, and only what is asked for.
fn sums() -> Vec<(&'static str, String)> {
    let ledger = |search, reason| suppressions::count_sql(&suppressions::Filter { search, reason, at: None });
    let ended = suppressions::ended_sql(&suppressions::Filter::default());
    let left_out = clients::Found { search: "a", left_out_at: Some(DateTime::UNIX_EPOCH) };
    vec![
        ("clients who get nothing", clients::list_sql(&left_out, ClientSort::Email, false, true)),
        ("the ledger", ledger("", None)),
        ("what has ended in the ledger", ended),
        ("the ledger by reason", ledger("", Some(Reason::Complaint))),
        ("addresses found in the ledger", ledger("a", None)),
        ("deliveries in a state", deliveries::count_sql(Some(DeliveryState::Failed), false)),
        ("deliveries found that were sent", deliveries::count_sql(Some(DeliveryState::Sent), true)),
        ("deliveries found", deliveries::count_sql(None, true)),
        ("deliveries found that wait", deliveries::count_sql(Some(DeliveryState::Pending), true)),
    ]
}

/// How the database would answer.
async fn plan(db: &Db, sql: &str) -> String {
    match db {
        Db::Sqlite { read, .. } => {
            let rows = read.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
        }
        Db::Postgres(pool) => {
            // With hardly a row, a scan would be as good; what matters is that there is a way without one.
            let off = ["seqscan", "bitmapscan", "sort"].map(|way| format!("SET LOCAL enable_{way} = off")).join(";");
            let mut tx = pool.begin().await.unwrap();
            tx.execute(AssertSqlSafe(off)).await.unwrap();
            let rows = tx.fetch_all(AssertSqlSafe(with_values(sql))).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
        }
    }
}

/// PostgreSQL explains with values only: any will do where they have the right type.
fn with_values(sql: &str) -> String {
    let mut sql = format!("EXPLAIN {sql}");
    for (parameter, value) in [
        ("until > $6", "until > TIMESTAMPTZ '2026-01-01'"),
        ("until <= $4", "until <= TIMESTAMPTZ '2026-01-01'"),
        ("LIMIT $2", "LIMIT 5"),
        ("LIMIT $3", "LIMIT 5"),
        ("LIMIT $4", "LIMIT 5"),
        ("LIMIT $5", "LIMIT 5"),
        ("LIMIT $6", "LIMIT 5"),
        ("a.id = $2", "a.id = 5"),
        ("LIKE $1", "LIKE '%a%'"),
        ("LIKE $3", "LIKE '%a%'"),
        ("LIKE $2", "LIKE '%a%'"),
        ("LIKE $4", "LIKE '%a%'"),
        ("id < $1", "id < 5"),
        ("id < $2", "id < 5"),
        ("id > $2", "id > 5"),
        ("id < $3", "id < 5"),
        ("id > $4", "id > 5"),
        ("id < $4", "id < 5"),
        ("client_id > $2", "client_id > 5"),
        ("taken_to > $2 THEN q.taken_to ELSE $2", "taken_to > 5 THEN q.taken_to ELSE 5"),
        ("> ($2, $3)", "> (TIMESTAMPTZ '2026-01-01', 5)"),
        ("id > $5", "id > 5"),
        ("id < $5", "id < 5"),
        ("> ($4, $5)", "> ('a', 5)"),
        ("< ($4, $5)", "< ('a', 5)"),
        ("> ($3, $4)", "> ('a', 5)"),
        ("< ($3, $4)", "< ('a', 5)"),
        ("act = $2", "act = 'a'"),
        ("s.until > $6", "s.until > '2026-01-01'"),
        ("email_key > $3", "email_key > 'a'"),
        ("reason = $3", "reason = 'a'"),
        ("at >= $2", "at >= '2026-01-01'"),
        ("at < $3", "at < '2026-01-01'"),
        ("occurrence >= $3", "occurrence >= '2026-01-01'"),
        ("occurrence < $4", "occurrence < '2026-01-01'"),
    ] {
        sql = sql.replace(parameter, value);
    }
    for parameter in ["$1", "$2", "$3", "$4", "$5", "$6"] {
        sql = sql.replace(&format!("{parameter} = {parameter}"), "TRUE");
    }
    for (parameter, value) in [("$1", "1"), ("$3", "'a'")] {
        sql = sql.replace(parameter, value);
    }
    assert!(!sql.contains('$'), "{sql}");
    sql
}

/// Indices of the few rows that are asked for: to read one through is to read no more than these.
const OF_FEW: [&str; 3] = ["USING INDEX runs_open", "USING INDEX runs_unknown", "USING INDEX mailings_stopped"];

/// A table that is read through, and not by the order of its rows.
fn scans(plan: &str) -> bool {
    let of_few = |line: &str| line == "SCAN CONSTANT ROW" || OF_FEW.iter().any(|index| line.ends_with(index));
    plan.lines().any(|line| line.contains("Seq Scan") || line.trim_start().starts_with("SCAN ") && !of_few(line))
}

async fn pages_come_from_an_index(db: Db) {
    for (name, sql) in pages() {
        let plan = plan(&db, &sql).await;
        let sorts = plan.contains("TEMP B-TREE") || plan.contains("Sort  (");
        assert!(!scans(&plan) && !sorts, "{name}\n{sql}\n{plan}");
    }
}

async fn sums_come_from_an_index(db: Db) {
    for (name, sql) in sums() {
        let plan = plan(&db, &sql).await;
        assert!(!scans(&plan), "{name}\n{sql}\n{plan}");
    }
}

async fn a_scan_is_told(db: Db) {
    let plan = plan(&db, "SELECT id FROM clients WHERE comment > 'a' AND owner_id <> $1 ORDER BY comment").await;
    assert!(scans(&plan) && (plan.contains("TEMP B-TREE") || plan.contains("Sort  (")), "{plan}");
}

on_both!(pages_come_from_an_index, sums_come_from_an_index, a_scan_is_told);

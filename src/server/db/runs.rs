//! Table `runs`, and the opening of a run: the snapshot of its message and audience.

mod missed;

pub use missed::{count_missed, fill_missed};

use super::claims;
use super::limits::LETTERS_MAX;
use super::{Db, DbResult, Tx, designs, doubles, images, on_db, on_tx, suppressions, topics, word};
use crate::domain::audience::{Audience, AudienceSize};
use crate::domain::design::{BuiltIn, Look};
use crate::domain::lang::Lang;
use crate::domain::mailing::{Counts, Run, RunState, SkipReason};
use crate::domain::suppression::Reason;
use chrono::{DateTime, Utc};

/// A run as stored.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: i64,
    occurrence: DateTime<Utc>,
    state: String,
    reason: String,
    opened_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    counts: CountsRow,
}

/// A run's counters as stored.
#[derive(sqlx::FromRow)]
pub(super) struct CountsRow {
    waiting: i64,
    deferred: i64,
    sent: i64,
    failed: i64,
    unknown: i64,
    not_sent: i64,
}

impl From<CountsRow> for Counts {
    fn from(CountsRow { waiting, deferred, sent, failed, unknown, not_sent }: CountsRow) -> Self {
        Self { waiting, deferred, sent, failed, unknown, not_sent }
    }
}

impl Row {
    pub(super) fn into_run(self) -> DbResult<Run> {
        Ok(Run {
            id: self.id,
            occurrence: self.occurrence,
            state: word("runs.state", &self.state, RunState::parse)?,
            reason: self.reason,
            opened_at: self.opened_at,
            finished_at: self.finished_at,
            counts: self.counts.into(),
        })
    }
}

const COLUMNS: &str = "SELECT id, occurrence, state, reason, opened_at, finished_at, waiting, deferred, sent,
    failed, unknown, not_sent FROM runs WHERE ";

/// What a run keeps of its message, so that later changes do not touch it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub subject: String,
    /// What mail programs show beside the subject.
    pub preheader: String,
    pub body: String,
    /// The owner's name, shown as the sender.
    pub from_name: String,
    /// The owner's address, for answers.
    pub reply_to: String,
    pub lang: Lang,
    /// How it looks; none is a letter that somebody typed.
    pub look: Option<Look>,
    /// What the mailing is about, or [`NO_TOPIC`](crate::domain::suppression::NO_TOPIC).
    pub topic: i64,
}

/// The message and the owner of a mailing as they are now.
pub async fn snapshot(tx: &mut Tx, mailing: i64) -> DbResult<Snapshot> {
    #[derive(sqlx::FromRow)]
    struct Row {
        subject: String,
        preheader: String,
        body: String,
        design: String,
        look: Option<String>,
        name: String,
        email: String,
        lang: String,
        topic_id: i64,
    }
    const SQL: &str = "SELECT m.subject, m.preheader, m.body, m.design, d.look, u.name, u.email, u.lang, g.topic_id
        FROM mailings g JOIN messages m ON m.id = g.message_id JOIN users u ON u.id = g.owner_id
        LEFT JOIN designs d ON d.id = m.design_id WHERE g.id = $1";
    let row: Row = on_tx!(tx, conn => sqlx::query_as(SQL).bind(mailing).fetch_one(conn).await)?;
    let look = match row.look {
        Some(look) => Some(designs::read(&look)?),
        None => word("messages.design", &row.design, BuiltIn::parse)?.look(&row.name),
    };
    Ok(Snapshot {
        lang: word("users.lang", &row.lang, Lang::parse)?,
        look,
        subject: row.subject,
        preheader: row.preheader,
        body: row.body,
        from_name: row.name,
        reply_to: row.email,
        topic: row.topic_id,
    })
}

/// Opens a run. None if this occurrence has one already.
pub async fn open(
    tx: &mut Tx,
    mailing: i64,
    occurrence: DateTime<Utc>,
    snapshot: &Snapshot,
    now: DateTime<Utc>,
) -> DbResult<Option<i64>> {
    const SQL: &str = "INSERT INTO runs (mailing_id, occurrence, state, reason, subject, body, from_name,
        reply_to, lang, opened_at, topic_id, preheader, look, told, waiting, deferred, sent, failed, unknown, not_sent)
        VALUES ($1, $2, 'open', '', $3, $4, $5, $6, $7, $8, $9, $10, $11, FALSE, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (mailing_id, occurrence) DO NOTHING RETURNING id";
    let look = snapshot.look.as_ref().map(designs::written).unwrap_or_default();
    let mut pictures = images::ids_in(&snapshot.body);
    if let Some(look) = &snapshot.look {
        pictures.extend(images::ids_in(&look.footer));
        pictures.extend(look.logo.as_ref().map(|logo| logo.id.clone()));
    }
    images::note_use(tx, mailing, &pictures.into_iter().collect::<Vec<_>>(), now).await?;
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(mailing)
        .bind(occurrence)
        .bind(&snapshot.subject)
        .bind(&snapshot.body)
        .bind(&snapshot.from_name)
        .bind(&snapshot.reply_to)
        .bind(snapshot.lang.as_str())
        .bind(now)
        .bind(snapshot.topic)
        .bind(&snapshot.preheader)
        .bind(&look)
        .fetch_optional(conn)
        .await)?)
}

/// Records that an occurrence was passed over, and why.
pub async fn skip(
    tx: &mut Tx,
    mailing: i64,
    occurrence: DateTime<Utc>,
    reason: SkipReason,
    now: DateTime<Utc>,
) -> DbResult<()> {
    const SQL: &str = "INSERT INTO runs (mailing_id, occurrence, state, reason, subject, body, from_name,
        reply_to, lang, opened_at, finished_at, waiting, deferred, sent, failed, unknown, not_sent)
        VALUES ($1, $2, 'skipped', $3, '', '', '', '', 'en', $4, $4, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (mailing_id, occurrence) DO NOTHING";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(mailing)
        .bind(occurrence)
        .bind(reason.as_str())
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Records that a run that was just opened has nobody to send to.
pub async fn turn_into_skip(tx: &mut Tx, run: i64, reason: SkipReason, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE runs SET state = 'skipped', reason = $2, finished_at = $3 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(run).bind(reason.as_str()).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// A condition on clients named `c`: they are in the audience, whose text and selection are bound at these places.
fn meant(audience: &Audience, c: &str, [text, selection]: [&str; 2]) -> String {
    match audience {
        Audience::All => format!("{text} = {text} AND {selection} = {selection}"),
        Audience::Search { .. } => format!("{c}.search LIKE {text} ESCAPE '\\' AND {selection} = {selection}"),
        Audience::Picked { .. } => format!(
            "{text} = {text} AND {c}.id IN (SELECT client_id FROM selection_clients WHERE selection_id = {selection})"
        ),
    }
}

/// What the audience's condition is bound to.
fn bound(audience: &Audience) -> (String, i64) {
    match audience {
        Audience::All => (String::new(), 0),
        Audience::Search { text } => (super::like_pattern(text), 0),
        Audience::Picked { selection } => (String::new(), *selection),
    }
}

/// SQL: the ledger of owner `$2` as far as it holds for a topic at an instant, an address once, to be joined with clients `c`.
fn ledger(topic: &str, now: &str) -> String {
    format!(
        "LEFT JOIN (SELECT address_key, MIN(reason) AS reason FROM suppressions WHERE owner_id = $2 AND {}
         GROUP BY address_key) s ON s.address_key = c.address_key",
        suppressions::holds(topic, now)
    )
}

/// Whether anybody is in an owner's ledger: where nobody is, nothing need be joined.
const ANY_LEFT_OUT: &str = "SELECT EXISTS (SELECT 1 FROM suppressions WHERE owner_id = $1)";

/// How many clients of an owner a run about a topic would be for now, and how many of them [`fill`] would leave out; nobody
/// counts twice.
pub async fn audience_size(
    db: &Db,
    (owner, topic): (i64, i64),
    audience: &Audience,
    now: DateTime<Utc>,
) -> DbResult<AudienceSize> {
    let any: bool = on_db!(db, pool => sqlx::query_scalar(ANY_LEFT_OUT).bind(owner).fetch_one(pool).await)?;
    let wished = topics::wished(topics::only_wished(db, (owner, topic)).await?, "$4");
    let (reason, join) = if any { ("COALESCE(s.reason, '')", ledger("$4", "$5")) } else { ("''", String::new()) };
    let places = ["$1", "$3"];
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {reason}, COUNT(*) FROM clients c {join} WHERE c.owner_id = $2 AND $4 = $4 AND $5 = $5 AND {wished} AND {} AND {}
         GROUP BY 1",
        meant(audience, "c", places),
        doubles::only_once(&meant(audience, "o", places))
    ));
    let (text, selection) = bound(audience);
    let counts: Vec<(String, i64)> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(text)
        .bind(owner)
        .bind(selection)
        .bind(topic)
        .bind(now)
        .fetch_all(pool)
        .await)?;
    let mut size = AudienceSize::default();
    for (reason, n) in counts {
        size.clients += n;
        let reason = if reason.is_empty() { None } else { Some(word("suppressions.reason", &reason, Reason::parse)?) };
        match reason {
            None => {}
            Some(Reason::Unsubscribed) => size.left += n,
            Some(Reason::Complaint) => size.complained += n,
            Some(Reason::HardBounce | Reason::SoftBounces) => size.returned += n,
            Some(Reason::ByHand | Reason::Imported) => size.listed += n,
        }
    }
    Ok(size)
}

/// How many clients of an audience have no name, and how many no comment.
pub async fn audience_without(db: &Db, owner: i64, audience: &Audience) -> DbResult<(i64, i64)> {
    let places = ["$1", "$3"];
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN c.full_name = '' THEN 1 ELSE 0 END), 0) AS BIGINT),
         CAST(COALESCE(SUM(CASE WHEN c.comment = '' THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM clients c WHERE c.owner_id = $2 AND {} AND {}",
        meant(audience, "c", places),
        doubles::only_once(&meant(audience, "o", places))
    ));
    let (text, selection) = bound(audience);
    Ok(on_db!(db, pool => sqlx::query_as(sql).bind(text).bind(owner).bind(selection).fetch_one(pool).await)?)
}

/// Copies the audience into deliveries, in one statement, and returns how many there are: of a topic that nobody gets by
/// default, those who have asked for it. Suppressed addresses are there too, as not sent, so that the record is whole.
pub async fn fill(
    tx: &mut Tx,
    run: i64,
    (owner, topic): (i64, i64),
    audience: &Audience,
    now: DateTime<Utc>,
) -> DbResult<i64> {
    let filled =
        fill_with(tx, run, (owner, topic), &|c, places| meant(audience, c, places), bound(audience), now).await?;
    Ok(filled.total)
}

/// What a run was filled with.
struct Filled {
    total: i64,
    /// Of them, those who get nothing.
    left_out: i64,
}

/// [`fill`] with the clients whom a condition names, whose two places are bound to these values.
async fn fill_with(
    tx: &mut Tx,
    run: i64,
    (owner, topic): (i64, i64),
    meant: &(dyn Fn(&str, [&str; 2]) -> String + Sync),
    (text, selection): (String, i64),
    now: DateTime<Utc>,
) -> DbResult<Filled> {
    let into = format!(
        "INSERT INTO deliveries (run_id, client_id, email, full_name, comment, state, reason, due_at)
        SELECT $1, c.id, c.email, c.full_name, c.comment, CASE WHEN s.reason IS NULL THEN 'pending' ELSE 'not_sent' END,
        COALESCE('suppressed_' || s.reason, ''), $3 FROM clients c {} WHERE c.owner_id = $2 AND ",
        ledger("$6", "$3")
    );
    let places = ["$4", "$5"];
    // Nobody gets two letters for having the address in two spellings.
    let filter = format!(
        "{} AND {} AND {}",
        topics::wished(topics::only_wished_in(tx, (owner, topic)).await?, "$6"),
        meant("c", places),
        doubles::only_once(&meant("o", places))
    );
    let sql = sqlx::AssertSqlSafe(format!("{into} {filter} ORDER BY c.id ON CONFLICT DO NOTHING"));
    let rows = on_tx!(&mut *tx, conn => sqlx::query(sql)
        .bind(run)
        .bind(owner)
        .bind(now)
        .bind(text)
        .bind(selection)
        .bind(topic)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    claims::open(tx, run).await?;
    let total = i64::try_from(rows).unwrap_or(i64::MAX);
    const LEFT_OUT: &str = "SELECT COUNT(*) FROM deliveries WHERE run_id = $1 AND listed = 'not_sent'";
    let any: bool = on_tx!(&mut *tx, conn => sqlx::query_scalar(ANY_LEFT_OUT).bind(owner).fetch_one(conn).await)?;
    let left_out: i64 = match any {
        true => on_tx!(&mut *tx, conn => sqlx::query_scalar(LEFT_OUT).bind(run).fetch_one(conn).await)?,
        false => 0,
    };
    const COUNT: &str = "UPDATE runs SET waiting = $2, not_sent = $3 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(COUNT)
        .bind(run)
        .bind(total - left_out)
        .bind(left_out)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(Filled { total, left_out })
}

/// Moves the counters of a run by the differences in `by`.
pub async fn count(tx: &mut Tx, run: i64, by: &Counts) -> DbResult<()> {
    const SQL: &str = "UPDATE runs SET waiting = waiting + $2, deferred = deferred + $3, sent = sent + $4,
        failed = failed + $5, unknown = unknown + $6, not_sent = not_sent + $7 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(run)
        .bind(by.waiting)
        .bind(by.deferred)
        .bind(by.sent)
        .bind(by.failed)
        .bind(by.unknown)
        .bind(by.not_sent)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Closes a run in which nothing is left to do; false if there is.
pub async fn close(tx: &mut Tx, run: i64, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE runs SET state = 'done', finished_at = $2
        WHERE id = $1 AND state = 'open' AND waiting = 0 AND deferred = 0";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(run).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Runs of a mailing, the newest first.
pub async fn of_mailing(db: &Db, mailing: i64, limit: i64) -> DbResult<Vec<Run>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} mailing_id = $1 ORDER BY occurrence DESC LIMIT $2"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(mailing).bind(limit).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_run).collect()
}

/// Whether a run of the mailing is still sending.
pub async fn is_open(tx: &mut Tx, mailing: i64) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM runs WHERE mailing_id = $1 AND state = 'open')";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(mailing).fetch_one(conn).await)?)
}

/// The newest run of a mailing that was not passed over because another one still sent.
pub async fn newest(tx: &mut Tx, mailing: i64) -> DbResult<Option<i64>> {
    const SQL: &str =
        "SELECT id FROM runs WHERE mailing_id = $1 AND reason <> 'overlap' ORDER BY occurrence DESC LIMIT 1";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(mailing).fetch_optional(conn).await)?)
}

/// Lets a run end before its mailing does.
pub async fn ends_before(tx: &mut Tx, run: i64, end: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE runs SET end_at = $2 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(run).bind(end).execute(conn).await.map(drop))?;
    Ok(())
}

/// An open run as the engine needs it.
#[derive(Clone, Debug)]
pub struct OpenRun {
    pub id: i64,
    pub mailing_id: i64,
    pub snapshot: Snapshot,
    pub end_at: DateTime<Utc>,
    pub hold: bool,
    /// Paused or disabled: nothing of it may leave.
    pub stopped: bool,
    pub disabled: bool,
    /// Its owner may not send any more.
    pub blocked: bool,
    pub owner_id: i64,
    pub opened_at: DateTime<Utc>,
    /// Letters that have left it or may yet.
    pub letters: i64,
    /// Letters that the owner may send on a day.
    pub letters_max: Option<i64>,
}

/// All open runs, or that of one mailing, the oldest first. Those of deleted accounts are emptied by others.
pub async fn open_runs(db: &Db, mailing: Option<i64>) -> DbResult<Vec<OpenRun>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: i64,
        mailing_id: i64,
        subject: String,
        preheader: String,
        body: String,
        look: String,
        from_name: String,
        reply_to: String,
        lang: String,
        end_at: DateTime<Utc>,
        policy: String,
        paused_at: Option<DateTime<Utc>>,
        disabled_at: Option<DateTime<Utc>>,
        blocked_at: Option<DateTime<Utc>>,
        owner_id: i64,
        opened_at: DateTime<Utc>,
        topic_id: i64,
        letters: i64,
        letters_max: Option<i64>,
    }
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT r.id, r.mailing_id, r.subject, r.preheader, r.body, r.look, r.from_name, r.reply_to, r.lang,
         CASE WHEN r.end_at < g.end_at THEN r.end_at ELSE g.end_at END AS end_at, g.policy,
         g.paused_at, g.disabled_at, u.blocked_at, g.owner_id, r.opened_at, r.topic_id,
         r.waiting + r.deferred + r.sent + r.failed + r.unknown AS letters, {LETTERS_MAX} AS letters_max
         FROM runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
         WHERE r.state = 'open' AND u.deleted_at IS NULL AND ($1 = 0 OR g.id = $1) ORDER BY r.id"
    ));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(mailing.unwrap_or(0)).fetch_all(pool).await)?;
    rows.into_iter()
        .map(|row| {
            Ok(OpenRun {
                id: row.id,
                mailing_id: row.mailing_id,
                snapshot: Snapshot {
                    subject: row.subject,
                    preheader: row.preheader,
                    body: row.body,
                    look: Some(row.look)
                        .filter(|look| !look.is_empty())
                        .map(|look| designs::read(&look))
                        .transpose()?,
                    from_name: row.from_name,
                    reply_to: row.reply_to,
                    lang: word("runs.lang", &row.lang, Lang::parse)?,
                    topic: row.topic_id,
                },
                end_at: row.end_at,
                hold: row.policy == "hold",
                stopped: row.paused_at.is_some() || row.disabled_at.is_some(),
                disabled: row.disabled_at.is_some(),
                blocked: row.blocked_at.is_some(),
                owner_id: row.owner_id,
                opened_at: row.opened_at,
                letters: row.letters,
                letters_max: row.letters_max,
            })
        })
        .collect()
}

/// The run of each mailing that says most about it now: the open one, otherwise the newest. One that was passed over because
/// another still sent says less than that.
pub async fn current(db: &Db, mailings: &[i64]) -> DbResult<Vec<(i64, Run)>> {
    #[derive(sqlx::FromRow)]
    struct Of {
        mailing_id: i64,
        #[sqlx(flatten)]
        run: Row,
    }
    if mailings.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers only: neither database lets a list be bound in a way that the other understands.
    let ids: Vec<String> = mailings.iter().map(i64::to_string).collect();
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT mailing_id, id, occurrence, state, reason, opened_at, finished_at, waiting, deferred, sent, failed,
         unknown, not_sent FROM runs r WHERE mailing_id IN ({}) AND id = (SELECT x.id FROM runs x
         WHERE x.mailing_id = r.mailing_id ORDER BY x.state = 'open' DESC,
         x.reason = 'overlap', x.occurrence DESC LIMIT 1)",
        ids.join(", ")
    ));
    let rows: Vec<Of> = on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?;
    rows.into_iter().map(|row| Ok((row.mailing_id, row.run.into_run()?))).collect()
}

/// Whether a run belongs to a mailing.
pub async fn belongs(db: &Db, mailing: i64, run: i64) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM runs WHERE mailing_id = $1 AND id = $2)";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(mailing).bind(run).fetch_one(pool).await)?)
}

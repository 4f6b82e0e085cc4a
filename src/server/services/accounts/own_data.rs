//! Everything that is somebody's own as one JSON document, which is written while it is sent: as much of it
//! is in memory as one batch of rows holds.

use crate::domain::account::device;
use crate::domain::audit::Act;
use crate::domain::client::ClientSort;
use crate::server::db::audit::Entry;
use crate::server::db::clients::After;
use crate::server::db::own_data::{self as rows, OwnMailing, OwnRun};
use crate::server::db::{self, Db, attempts, clients, sessions};
use crate::server::services::{Actor, Error, Result, audit};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::mpsc;

/// Rows that are read at once.
const BATCH: i64 = 500;
/// Bytes that are sent at once, about.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the reader.
const AHEAD: usize = 2;

/// Begins to write what is the actor's own, and notes that they took it. Who does not receive any more ends it.
///
/// # Errors
/// Database errors at the beginning; later ones come as the last piece.
pub async fn own_data(db: Db, actor: &Actor, now: DateTime<Utc>) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
    let mut tx = db.begin().await?;
    let entry: Entry<'_> = audit::entry(actor, Act::DataExported, actor.id, &actor.email);
    db::audit::append(&mut tx, &entry, now).await?;
    tx.commit().await?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let actor = actor.clone();
    tokio::spawn(async move {
        let mut writer = Writer { out: Out { sender: sender.clone(), buffer: Vec::new() }, db, actor, now };
        if let Err(error) = writer.document().await
            && !sender.is_closed()
        {
            // Gone meanwhile, then nobody needs to know.
            let _ = sender.send(Err(error)).await;
        }
    });
    Ok(receiver)
}

/// Where the document goes.
struct Out {
    sender: mpsc::Sender<Result<Vec<u8>>>,
    buffer: Vec<u8>,
}

impl Out {
    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.buffer, value).map_err(|error| Error::Internal(error.to_string()))
    }

    /// An object whose end is left open for more members.
    fn open(&mut self, value: &impl Serialize) -> Result<()> {
        self.json(value)?;
        self.buffer.pop();
        Ok(())
    }

    /// Sends what is there, if it is worth it.
    async fn pass_on(&mut self, least: usize) -> Result<()> {
        if self.buffer.len() < least {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.buffer);
        self.sender.send(Ok(piece)).await.map_err(|_| Error::Internal("whoever asked has gone".to_owned()))
    }
}

struct Writer {
    out: Out,
    db: Db,
    actor: Actor,
    now: DateTime<Utc>,
}

/// Writes an array of rows that come in batches from after a key.
macro_rules! array {
    ($writer:expr, $key:expr, $batch:expr, $next:expr) => {{
        $writer.out.text("[");
        let mut after = $key;
        let mut first = true;
        loop {
            let rows = $batch(&after).await?;
            let Some(last) = rows.last() else { break };
            after = $next(last);
            for row in &rows {
                $writer.out.text(if std::mem::take(&mut first) { "\n" } else { ",\n" });
                $writer.out.json(row)?;
            }
            $writer.out.pass_on(PIECE).await?;
        }
        $writer.out.text("]");
    }};
}

impl Writer {
    async fn document(&mut self) -> Result<()> {
        let (db, id) = (self.db.clone(), self.actor.id);
        let account = rows::account(&db, id).await?.ok_or(Error::NotFound)?;
        self.out.text("{\"exported_at\":");
        self.out.json(&self.now)?;
        self.out.text(",\n\"account\":");
        self.out.json(&account)?;
        self.out.text(",\n\"sessions\":");
        let sessions: Vec<serde_json::Value> = sessions::of_user(&db, id, self.now)
            .await?
            .into_iter()
            .map(|(_, visit)| {
                let device = device(&visit.agent);
                serde_json::json!({ "device": device, "address": visit.address, "began": visit.began, "seen": visit.seen })
            })
            .collect();
        self.out.json(&sessions)?;
        self.out.text(",\n\"clients\":");
        let page =
            async |after: &After| clients::list(&db, id, "", ClientSort::Created, false, Some(after), BATCH).await;
        array!(self, After { key: String::new(), id: 0 }, page, |client: &crate::domain::client::Client| After {
            key: String::new(),
            id: client.id
        });
        self.out.text(",\n\"suppressions\":");
        let page = async |after: &i64| rows::suppressions(&db, id, *after, BATCH).await;
        array!(self, 0, page, |row: &rows::OwnSuppression| row.id);
        self.out.text(",\n\"designs\":");
        self.out.json(&db::designs::list(&db, id).await?)?;
        self.out.text(",\n\"messages\":");
        let page = async |after: &i64| rows::messages(&db, id, *after, BATCH).await;
        array!(self, 0, page, |row: &rows::OwnMessage| row.id);
        self.out.text(",\n\"posts\":");
        let page = async |after: &i64| rows::posts(&db, id, *after, BATCH).await;
        array!(self, 0, page, |row: &rows::OwnPost| row.id);
        self.out.text(",\n\"audit_log\":");
        let page = async |after: &i64| db::audit::by_actor(&db, id, *after, BATCH).await;
        array!(self, 0, page, |line: &crate::domain::audit::AuditLine| line.id);
        self.mailings().await?;
        self.out.text("}\n");
        self.out.pass_on(1).await
    }

    async fn mailings(&mut self) -> Result<()> {
        self.out.text(",\n\"mailings\":[");
        let (mut after, mut first) = (0, true);
        loop {
            let mailings = rows::mailings(&self.db, self.actor.id, after, BATCH).await?;
            let Some(last) = mailings.last() else { break };
            after = last.id;
            for mailing in &mailings {
                self.out.text(if std::mem::take(&mut first) { "\n" } else { ",\n" });
                self.mailing(mailing).await?;
            }
        }
        self.out.text("]");
        Ok(())
    }

    async fn mailing(&mut self, mailing: &OwnMailing) -> Result<()> {
        self.out.open(mailing)?;
        self.out.text(",\"runs\":[");
        let (mut after, mut first) = (DateTime::<Utc>::UNIX_EPOCH, true);
        loop {
            // Each has a message with it.
            let runs = rows::runs(&self.db, mailing.id, after, BATCH / 10).await?;
            let Some(last) = runs.last() else { break };
            after = last.occurrence;
            for run in &runs {
                self.out.text(if std::mem::take(&mut first) { "\n" } else { ",\n" });
                self.run(run).await?;
            }
        }
        self.out.text("]}");
        self.out.pass_on(PIECE).await
    }

    async fn run(&mut self, run: &OwnRun) -> Result<()> {
        self.out.open(run)?;
        self.out.text(",\"deliveries\":[");
        let (mut after, mut first) = (0, true);
        loop {
            let deliveries = rows::deliveries(&self.db, run.id, after, BATCH).await?;
            let Some(last) = deliveries.last() else { break };
            after = last.id;
            let ids: Vec<i64> = deliveries.iter().map(|delivery| delivery.id).collect();
            let mut attempts = attempts::of_deliveries(&self.db, &ids).await?;
            for delivery in &deliveries {
                self.out.text(if std::mem::take(&mut first) { "\n" } else { ",\n" });
                self.out.open(delivery)?;
                self.out.text(",\"attempts\":");
                self.out.json(&attempts.remove(&delivery.id).unwrap_or_default())?;
                self.out.text("}");
            }
            self.out.pass_on(PIECE).await?;
        }
        self.out.text("]}");
        Ok(())
    }
}

#[cfg(test)]
#[path = "own_data_tests.rs"]
mod tests;

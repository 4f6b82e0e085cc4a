//! What an import would do with the first lines of a file.

use super::lines::Checked;
use crate::domain::import::{Fate, FirstLine, LineProblem, Outlook};
use crate::server::db::address::address_key;
use crate::server::db::{Db, DbResult, clients};
use std::collections::HashSet;

/// The lines that are shown with their fates, how all that were checked fare, and what is wrong in them. `more`: others follow.
pub async fn outlook(
    db: &Db,
    owner: i64,
    checked: Vec<Checked>,
    more: bool,
) -> DbResult<(Vec<FirstLine>, Outlook, Vec<LineProblem>)> {
    let keys: Vec<String> =
        checked.iter().filter_map(|line| Some(address_key(&line.held.as_ref()?.as_ref().ok()?.email))).collect();
    let mut known: HashSet<String> = clients::known(db, owner, &keys).await?.into_iter().collect();
    let (mut lines, mut outlook, mut problems) = (Vec::new(), Outlook { more, ..Outlook::default() }, Vec::new());
    for Checked { cells, held, .. } in checked {
        outlook.lines += 1;
        let fate = match held {
            None => Fate::Open,
            Some(Err(problem)) => {
                problems.push(problem);
                outlook.faulty += 1;
                Fate::Faulty
            }
            // A second line with the same address finds the client of the first.
            Some(Ok(client)) if known.insert(address_key(&client.email)) => {
                outlook.new += 1;
                Fate::New
            }
            Some(Ok(_)) => {
                outlook.known += 1;
                Fate::Known
            }
        };
        if !cells.is_empty() {
            lines.push(FirstLine { fate, cells });
        }
    }
    Ok((lines, outlook, problems))
}

//! The trail: appended in the transaction of what it tells of, never changed.

use diesel::prelude::*;

use super::columns::{from_word, json, to_json, word};
use super::db::{Db, on_each};
use super::schema::trail;
use crate::domain::account::Account;
use crate::domain::trail::Event;
use crate::domain::{Fault, Id, Moment};

pub fn append(db: &mut Db, event: &Event, id: &Id<Event>) -> Result<(), Fault> {
    let kind = word(&event.kind)?;
    let detail = (!event.detail.is_null()).then(|| to_json(&event.detail)).transpose()?;
    on_each!(db, |link| diesel::insert_into(trail::table)
        .values((
            trail::id.eq(id.as_str()),
            trail::kind.eq(kind.as_str()),
            trail::at.eq(event.at.unix()),
            trail::account_id.eq(event.account.as_ref().map(Id::as_str)),
            trail::client_id.eq(event.client.as_ref().map(Id::as_str)),
            trail::session_id.eq(event.session.as_ref().map(Id::as_str)),
            trail::reference.eq(event.reference.as_deref()),
            trail::detail.eq(detail.as_deref()),
        ))
        .execute(link))?;
    Ok(())
}

/// Everything remembered about an account, the oldest first.
pub fn of_account(db: &mut Db, account: &Id<Account>) -> Result<Vec<Event>, Fault> {
    type Row = (String, i64, Option<String>, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = on_each!(db, |link| trail::table
        .filter(trail::account_id.eq(account.as_str()))
        .order((trail::at, trail::id))
        .select((trail::kind, trail::at, trail::client_id, trail::session_id, trail::reference, trail::detail))
        .load(link))?;
    rows.into_iter()
        .map(|(kind, at, client, session, reference, detail)| {
            Ok(Event {
                kind: from_word(&kind, "trail")?,
                at: Moment::from_unix(at),
                account: Some(account.clone()),
                client: client.map(Id::new),
                session: session.map(Id::new),
                reference,
                detail: detail.map_or_else(|| Ok(serde_json::Value::Null), |detail| json(&detail, "trail"))?,
            })
        })
        .collect()
}

pub fn count(db: &mut Db) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| trail::table.count().get_result(link))?)
}

//! The trail: appended in the transaction of what it tells of, never changed.

use diesel::prelude::*;
use serde::Serialize;

use super::columns::{from_word, json, to_json, word};
use super::db::{Db, on_each};
use super::schema::trail;
use super::update::{Bind, Insert, Insertion};
use crate::domain::account::Account;
use crate::domain::trail::Event;
use crate::domain::{Fault, Id, Moment};

struct Append;

impl Insertion for Append {
    const INTO: &'static str = "INSERT INTO trail (id, kind, at, account_id, client_id, session_id, reference, detail)";
}

pub fn append(db: &mut Db, event: &Event, id: &Id<Event>) -> Result<(), Fault> {
    let detail = (!event.detail.is_null()).then(|| to_json(&event.detail)).transpose()?;
    append_written(db, event, detail.as_deref(), id)
}

/// The same, with the detail written from what states it: tokens are issued too often to build a value of it first.
pub fn append_telling(db: &mut Db, event: &Event, detail: &impl Serialize, id: &Id<Event>) -> Result<(), Fault> {
    append_written(db, event, Some(&to_json(detail)?), id)
}

fn append_written(db: &mut Db, event: &Event, detail: Option<&str>, id: &Id<Event>) -> Result<(), Fault> {
    let kind = word(&event.kind)?;
    let insert = Insert::of(
        Append,
        [
            Bind::Text(id.as_str()),
            Bind::Text(&kind),
            Bind::Number(event.at.unix()),
            Bind::MaybeText(event.account.as_ref().map(Id::as_str)),
            Bind::MaybeText(event.client.as_ref().map(Id::as_str)),
            Bind::MaybeText(event.session.as_ref().map(Id::as_str)),
            Bind::MaybeText(event.reference.as_deref()),
            Bind::MaybeText(detail),
        ],
    );
    db.add(insert).map(drop)
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

//! Sessions, and each as its clients know it.

use std::collections::HashMap;

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at as moment, json, known, to_json};
use super::db::{Db, on_each};
use super::schema::{session_clients, sessions};
use super::update::{Bind, Update};
use crate::domain::account::Account;
use crate::domain::agent::Agent;
use crate::domain::secret::{DeviceCookie, SessionCookie, Stored};
use crate::domain::session::{Acquaintance, Acting, Session};
use crate::domain::{Client, Fault, Id, Moment};

/// Where a session is used from.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub device: Option<Stored<DeviceCookie>>,
    pub agent: Option<Agent>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Row {
    id: String,
    account_id: String,
    acquaintance: String,
    opened_at: i64,
    seen_at: i64,
    ended_at: Option<i64>,
    acting_id: Option<String>,
    acting_proved: bool,
    acting_within: Option<String>,
}

impl Row {
    fn decode(self) -> Result<Session, Fault> {
        let (proved, within) = (self.acting_proved, self.acting_within.map(Id::new));
        Ok(Session {
            acting: self.acting_id.map(|id| Acting { account: Id::new(id), proved, within }),
            id: Id::new(self.id),
            account: Id::new(self.account_id),
            acquaintance: json(&self.acquaintance, "sessions")?,
            opened_at: Moment::from_unix(self.opened_at),
            seen_at: Moment::from_unix(self.seen_at),
            ended_at: moment(self.ended_at),
        })
    }
}

pub fn open(db: &mut Db, session: &Session, cookie: &Stored<SessionCookie>) -> Result<(), Fault> {
    let acquaintance = to_json(&session.acquaintance)?;
    let acting = session.acting.as_ref();
    on_each!(db, |link| diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id.as_str()),
            sessions::cookie.eq(cookie.as_str()),
            sessions::account_id.eq(session.account.as_str()),
            sessions::acquaintance.eq(acquaintance.as_str()),
            sessions::opened_at.eq(session.opened_at.unix()),
            sessions::seen_at.eq(session.seen_at.unix()),
            sessions::ended_at.eq(session.ended_at.map(Moment::unix)),
            sessions::acting_id.eq(acting.map(|acting| acting.account.as_str())),
            sessions::acting_proved.eq(acting.is_some_and(|acting| acting.proved)),
            sessions::acting_within.eq(acting.and_then(|acting| acting.within.as_ref()).map(Id::as_str)),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, id: &Id<Session>) -> Result<Option<Session>, Fault> {
    let row: Option<Row> =
        on_each!(db, |link| sessions::table.find(id.as_str()).select(Row::as_select()).get_result(link).optional())?;
    row.map(Row::decode).transpose()
}

/// Ended ones too: whether a session stands is decided by `Session::stands`.
pub fn find_by_cookie(db: &mut Db, cookie: &Stored<SessionCookie>) -> Result<Option<Session>, Fault> {
    let row: Option<Row> = on_each!(db, |link| sessions::table
        .filter(sessions::cookie.eq(cookie.as_str()))
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// The same session under a new cookie, for when its rank changes. False when it has ended.
pub fn rekey(
    db: &mut Db,
    id: &Id<Session>,
    cookie: &Stored<SessionCookie>,
    acquaintance: &Acquaintance,
    seen_at: Moment,
) -> Result<bool, Fault> {
    let acquaintance = to_json(acquaintance)?;
    let changed =
        on_each!(db, |link| diesel::update(sessions::table.find(id.as_str()).filter(sessions::ended_at.is_null()))
            .set((
                sessions::cookie.eq(cookie.as_str()),
                sessions::acquaintance.eq(acquaintance.as_str()),
                sessions::seen_at.eq(seen_at.unix()),
            ))
            .execute(link))?;
    Ok(changed > 0)
}

/// Records what was proved. False when the session has ended.
pub fn prove(db: &mut Db, id: &Id<Session>, acquaintance: &Acquaintance, seen_at: Moment) -> Result<bool, Fault> {
    let acquaintance = to_json(acquaintance)?;
    let changed =
        on_each!(db, |link| diesel::update(sessions::table.find(id.as_str()).filter(sessions::ended_at.is_null()))
            .set((sessions::acquaintance.eq(acquaintance.as_str()), sessions::seen_at.eq(seen_at.unix())))
            .execute(link))?;
    Ok(changed > 0)
}

/// Never moves back, and never wakes an ended session.
pub fn touch(db: &mut Db, id: &Id<Session>, seen_at: Moment) -> Result<(), Fault> {
    let update = Update {
        pieces: ["UPDATE sessions SET seen_at = ", " WHERE ended_at IS NULL AND id = ", " AND seen_at < "],
        binds: [Bind::Number(seen_at.unix()), Bind::Text(id.as_str()), Bind::Number(seen_at.unix())],
    };
    on_each!(db, |link| update.execute(link))?;
    Ok(())
}

/// False when it had ended already.
pub fn end(db: &mut Db, id: &Id<Session>, at: Moment) -> Result<bool, Fault> {
    let ended =
        on_each!(db, |link| diesel::update(sessions::table.find(id.as_str()).filter(sessions::ended_at.is_null()))
            .set(sessions::ended_at.eq(at.unix()))
            .execute(link))?;
    Ok(ended > 0)
}

/// What `end_all` ends.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    sessions::table.filter(sessions::account_id.eq(account)).filter(sessions::ended_at.is_null())
}

pub fn end_all(db: &mut Db, account: &Id<Account>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set(sessions::ended_at.eq(at.unix()))
        .execute(link))?)
}

/// Where a session is used from, for its owner to recognise.
pub fn seen_from(
    db: &mut Db,
    id: &Id<Session>,
    device: &Stored<DeviceCookie>,
    agent: Option<&Agent>,
) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(sessions::table.find(id.as_str()))
        .set((sessions::device.eq(device.as_str()), sessions::agent.eq(agent.map(Agent::as_str))))
        .execute(link))?;
    Ok(())
}

/// The device and browser of each of an account's sessions that were not ended.
pub fn places(db: &mut Db, account: &Id<Account>) -> Result<HashMap<Id<Session>, Place>, Fault> {
    type Row = (String, Option<String>, Option<String>);
    let rows: Vec<Row> = on_each!(db, |link| sessions::table
        .filter(sessions::account_id.eq(account.as_str()))
        .filter(sessions::ended_at.is_null())
        .select((sessions::id, sessions::device, sessions::agent))
        .load(link))?;
    let places = rows.into_iter().map(|(id, device, agent)| {
        (Id::new(id), Place { device: device.map(Stored::from_store), agent: agent.as_deref().map(Agent::kept) })
    });
    Ok(places.collect())
}

/// The device one session was used from, ended or not.
pub fn device(db: &mut Db, id: &Id<Session>) -> Result<Option<Stored<DeviceCookie>>, Fault> {
    let device: Option<Option<String>> =
        on_each!(db, |link| sessions::table.find(id.as_str()).select(sessions::device).get_result(link).optional())?;
    Ok(device.flatten().map(Stored::from_store))
}

/// Every session ever opened from a device since `since`, ended or not.
pub fn of_device(
    db: &mut Db,
    account: &Id<Account>,
    device: &Stored<DeviceCookie>,
    since: Moment,
) -> Result<Vec<Session>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| sessions::table
        .filter(sessions::account_id.eq(account.as_str()))
        .filter(sessions::device.eq(device.as_str()))
        .filter(sessions::opened_at.ge(since.unix()))
        .order((sessions::opened_at, sessions::id))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Records who acts in the session from now on. False when it has ended.
pub fn act(db: &mut Db, id: &Id<Session>, acting: &Acting) -> Result<bool, Fault> {
    let changed =
        on_each!(db, |link| diesel::update(sessions::table.find(id.as_str()).filter(sessions::ended_at.is_null()))
            .set((
                sessions::acting_id.eq(acting.account.as_str()),
                sessions::acting_proved.eq(acting.proved),
                sessions::acting_within.eq(acting.within.as_ref().map(Id::as_str)),
            ))
            .execute(link))?;
    Ok(changed > 0)
}

/// What `live_acting` lists.
#[auto_type]
pub(super) fn acting<'a>(actor: &'a str) -> _ {
    sessions::table.filter(sessions::acting_id.eq(actor)).filter(sessions::ended_at.is_null())
}

/// Not ended, in which somebody acts for another account.
pub fn live_acting(db: &mut Db, actor: &Id<Account>) -> Result<Vec<Session>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| acting(actor.as_str())
        .order((sessions::opened_at, sessions::id))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Not ended, the oldest first; those past their limits are among them.
pub fn live(db: &mut Db, account: &Id<Account>) -> Result<Vec<Session>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| sessions::table
        .filter(sessions::account_id.eq(account.as_str()))
        .filter(sessions::ended_at.is_null())
        .order((sessions::opened_at, sessions::id))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// The session as `client` knows it: the name it has, else `fresh`.
pub fn sid(db: &mut Db, id: &Id<Session>, client: &Id<Client>, fresh: &str) -> Result<String, Fault> {
    if let Some(sid) = find_sid(db, id, client)? {
        return Ok(sid);
    }
    on_each!(db, |link| diesel::insert_into(session_clients::table)
        .values((
            session_clients::session_id.eq(id.as_str()),
            session_clients::client_id.eq(client.as_str()),
            session_clients::sid.eq(fresh),
        ))
        .on_conflict((session_clients::session_id, session_clients::client_id))
        .do_nothing()
        .execute(link))?;
    known(find_sid(db, id, client)?, "session_clients")
}

fn find_sid(db: &mut Db, id: &Id<Session>, client: &Id<Client>) -> Result<Option<String>, Fault> {
    Ok(on_each!(db, |link| session_clients::table
        .find((id.as_str(), client.as_str()))
        .select(session_clients::sid)
        .get_result(link)
        .optional())?)
}

pub fn find_by_sid(db: &mut Db, client: &Id<Client>, sid: &str) -> Result<Option<Session>, Fault> {
    let row: Option<Row> = on_each!(db, |link| session_clients::table
        .inner_join(sessions::table)
        .filter(session_clients::client_id.eq(client.as_str()))
        .filter(session_clients::sid.eq(sid))
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// Every client that took part, with the name it knows the session by.
pub fn clients(db: &mut Db, id: &Id<Session>) -> Result<Vec<(Id<Client>, String)>, Fault> {
    let rows: Vec<(String, String)> = on_each!(db, |link| session_clients::table
        .filter(session_clients::session_id.eq(id.as_str()))
        .order(session_clients::client_id)
        .select((session_clients::client_id, session_clients::sid))
        .load(link))?;
    Ok(rows.into_iter().map(|(client, sid)| (Id::new(client), sid)).collect())
}

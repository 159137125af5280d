//! Notices on their way. Who may deliver one is decided by affected rows: claiming moves `next_at` ahead, and every
//! later word about a notice counts only for the attempt it was claimed with.

use diesel::prelude::*;

use super::columns::{from_word, word};
use super::db::{Db, on_each};
use super::grant;
use super::schema::{grants, outbox, session_clients, sessions};
use crate::domain::account::Account;
use crate::domain::outbox::LogoutNotice;
use crate::domain::{Client, Fault, Id, Moment};

const KIND: &str = "backchannel_logout";

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct Row {
    id: String,
    cause: String,
    client_id: String,
    account_id: String,
    sub: String,
    sid: Option<String>,
    attempts: i64,
    next_at: i64,
    expires_at: i64,
}

impl Row {
    fn decode(self) -> Result<LogoutNotice, Fault> {
        Ok(LogoutNotice {
            id: Id::new(self.id),
            cause: from_word(&self.cause, "outbox")?,
            client: Id::new(self.client_id),
            account: Id::new(self.account_id),
            sub: self.sub,
            sid: self.sid,
            attempts: self.attempts,
            next_at: Moment::from_unix(self.next_at),
            expires_at: Moment::from_unix(self.expires_at),
        })
    }
}

/// A notice of the same act to the same client is there once.
pub fn put(db: &mut Db, notice: &LogoutNotice) -> Result<(), Fault> {
    put_all(db, std::slice::from_ref(notice))
}

/// More in one statement than PostgreSQL takes parameters for would be refused.
const AT_ONCE: usize = 1000;

/// The same for many at once: a lock ends in as few statements as can be, however many portals there are.
pub fn put_all(db: &mut Db, notices: &[LogoutNotice]) -> Result<(), Fault> {
    for notices in notices.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(notices.len());
        for notice in notices {
            rows.push((
                outbox::id.eq(notice.id.as_str()),
                outbox::kind.eq(KIND),
                outbox::cause.eq(word(&notice.cause)?),
                outbox::client_id.eq(notice.client.as_str()),
                outbox::account_id.eq(notice.account.as_str()),
                outbox::sub.eq(notice.sub.as_str()),
                outbox::sid.eq(notice.sid.as_deref()),
                outbox::attempts.eq(notice.attempts),
                outbox::next_at.eq(notice.next_at.unix()),
                outbox::expires_at.eq(notice.expires_at.unix()),
            ));
        }
        on_each!(db, |link| diesel::insert_into(outbox::table)
            .values(&rows)
            .on_conflict(outbox::id)
            .do_nothing()
            .execute(link))?;
    }
    Ok(())
}

/// What is due, the longest waiting first, without the clients that have enough under way.
pub fn due(db: &mut Db, now: Moment, but: &[String], limit: i64) -> Result<Vec<LogoutNotice>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| outbox::table
        .filter(outbox::next_at.le(now.unix()))
        .filter(outbox::client_id.ne_all(but))
        .order((outbox::next_at, outbox::id))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Begins an attempt that nobody else may make before `until`. `None`: another server was first.
pub fn claim(db: &mut Db, notice: &LogoutNotice, until: Moment) -> Result<Option<LogoutNotice>, Fault> {
    let attempts = notice.attempts + 1;
    let claimed = on_each!(db, |link| diesel::update(
        outbox::table
            .find(notice.id.as_str())
            .filter(outbox::attempts.eq(notice.attempts))
            .filter(outbox::next_at.eq(notice.next_at.unix()))
    )
    .set((outbox::attempts.eq(attempts), outbox::next_at.eq(until.unix())))
    .execute(link))?;
    Ok((claimed > 0).then(|| LogoutNotice { attempts, next_at: until, ..notice.clone() }))
}

/// Another attempt at `next_at`. False when somebody else has the notice by now.
pub fn postpone(db: &mut Db, notice: &LogoutNotice, next_at: Moment) -> Result<bool, Fault> {
    let postponed = on_each!(db, |link| diesel::update(
        outbox::table.find(notice.id.as_str()).filter(outbox::attempts.eq(notice.attempts))
    )
    .set(outbox::next_at.eq(next_at.unix()))
    .execute(link))?;
    Ok(postponed > 0)
}

/// The notice is done with, told or given up. False when somebody else has it by now, or had it.
pub fn finish(db: &mut Db, notice: &LogoutNotice) -> Result<bool, Fault> {
    let finished = on_each!(db, |link| diesel::delete(
        outbox::table.find(notice.id.as_str()).filter(outbox::attempts.eq(notice.attempts))
    )
    .execute(link))?;
    Ok(finished > 0)
}

/// Every client that may still hold something of the account: it has a grant that was not revoked, whatever became of
/// its session, or takes part in a session that was not ended, whatever became of its tokens.
pub fn reached(db: &mut Db, account: &Id<Account>) -> Result<Vec<Id<Client>>, Fault> {
    let by_session = session_clients::table
        .inner_join(sessions::table)
        .filter(sessions::account_id.eq(account.as_str()))
        .filter(sessions::ended_at.is_null())
        .select(session_clients::client_id);
    let mut clients: Vec<String> =
        on_each!(db, |link| grant::standing(account.as_str()).select(grants::client_id).union(by_session).load(link))?;
    clients.sort_unstable();
    Ok(clients.into_iter().map(Id::new).collect())
}

/// The sessions of an account as one client knows them, as far as they may still stand there.
pub fn sids(db: &mut Db, account: &Id<Account>, client: &Id<Client>) -> Result<Vec<String>, Fault> {
    Ok(on_each!(db, |link| session_clients::table
        .inner_join(sessions::table)
        .filter(session_clients::client_id.eq(client.as_str()))
        .filter(sessions::account_id.eq(account.as_str()))
        .filter(sessions::ended_at.is_null())
        .order(session_clients::sid)
        .select(session_clients::sid)
        .load(link))?)
}

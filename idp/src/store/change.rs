//! Changes of password and phone under way, and what they leave on the account.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at, known};
use super::db::{Db, on_each};
use super::schema::recovery::changes;
use super::schema::{accounts, devices, grants};
use crate::domain::account::Account;
use crate::domain::change::{Change, What};
use crate::domain::outbox::Cause;
use crate::domain::secret::{BlindIndex, DeviceCookie, Sealed, Stored};
use crate::domain::session::Session;
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
struct Row {
    id: String,
    account_id: String,
    session_id: String,
    kind: String,
    value: String,
    owner_proved_at: Option<i64>,
    phone_proved_at: Option<i64>,
    began_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
}

impl Row {
    fn decode(self) -> Result<Change, Fault> {
        Ok(Change {
            id: Id::new(self.id),
            account: Id::new(self.account_id),
            session: Id::new(self.session_id),
            what: known(What::parse(&self.kind), "changes")?,
            value: self.value,
            owner_proved_at: at(self.owner_proved_at),
            phone_proved_at: at(self.phone_proved_at),
            began_at: Moment::from_unix(self.began_at),
            expires_at: Moment::from_unix(self.expires_at),
            ended_at: at(self.ended_at),
        })
    }
}

pub fn begin(db: &mut Db, change: &Change) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(changes::table)
        .values((
            changes::id.eq(change.id.as_str()),
            changes::account_id.eq(change.account.as_str()),
            changes::session_id.eq(change.session.as_str()),
            changes::kind.eq(change.what.name()),
            changes::value.eq(change.value.as_str()),
            changes::owner_proved_at.eq(change.owner_proved_at.map(Moment::unix)),
            changes::began_at.eq(change.began_at.unix()),
            changes::expires_at.eq(change.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// The newest that a session began and that did not end.
pub fn find_open(db: &mut Db, session: &Id<Session>) -> Result<Option<Change>, Fault> {
    let row: Option<Row> = on_each!(db, |link| changes::table
        .filter(changes::session_id.eq(session.as_str()))
        .filter(changes::ended_at.is_null())
        .order((changes::began_at.desc(), changes::id.desc()))
        .select(Row::as_select())
        .first(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

pub fn prove_owner(db: &mut Db, id: &Id<Change>, at: Moment) -> Result<bool, Fault> {
    let proved = on_each!(db, |link| diesel::update(
        changes::table.find(id.as_str()).filter(changes::ended_at.is_null()).filter(changes::owner_proved_at.is_null())
    )
    .set(changes::owner_proved_at.eq(at.unix()))
    .execute(link))?;
    Ok(proved > 0)
}

pub fn prove_phone(db: &mut Db, id: &Id<Change>, at: Moment) -> Result<bool, Fault> {
    let proved = on_each!(db, |link| diesel::update(
        changes::table
            .find(id.as_str())
            .filter(changes::ended_at.is_null())
            .filter(changes::owner_proved_at.is_not_null())
            .filter(changes::phone_proved_at.is_null())
    )
    .set(changes::phone_proved_at.eq(at.unix()))
    .execute(link))?;
    Ok(proved > 0)
}

/// False when it had ended: of two answers to one page, one counts.
pub fn complete(db: &mut Db, id: &Id<Change>, at: Moment) -> Result<bool, Fault> {
    let ended = on_each!(db, |link| diesel::update(
        changes::table
            .find(id.as_str())
            .filter(changes::ended_at.is_null())
            .filter(changes::owner_proved_at.is_not_null())
    )
    .set(changes::ended_at.eq(at.unix()))
    .execute(link))?;
    Ok(ended > 0)
}

/// What `end_all` ends.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    changes::table.filter(changes::account_id.eq(account)).filter(changes::ended_at.is_null())
}

pub fn end_all(db: &mut Db, account: &Id<Account>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set(changes::ended_at.eq(at.unix()))
        .execute(link))?)
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| changes::table
        .filter(changes::expires_at.lt(before.unix()))
        .order(changes::expires_at)
        .limit(limit)
        .select(changes::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(changes::table.filter(changes::id.eq_any(&stale))).execute(link))?)
}

/// Replaces the hash; false when it is not `before` any more, so that of two changes at once one counts.
pub fn set_password(db: &mut Db, id: &Id<Account>, before: &str, hash: &str, at: Moment) -> Result<bool, Fault> {
    let set = on_each!(db, |link| diesel::update(
        accounts::table.find(id.as_str()).filter(accounts::password_hash.eq(before))
    )
    .set((accounts::password_hash.eq(hash), accounts::updated_at.eq(at.unix())))
    .execute(link))?;
    Ok(set > 0)
}

/// The facts a recovery leaves.
pub struct Recovered<'a> {
    pub hash: &'a str,
    pub at: Moment,
    pub phone_counts_from: Moment,
}

pub fn recover(db: &mut Db, id: &Id<Account>, recovered: &Recovered<'_>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(id.as_str()))
        .set((
            accounts::password_hash.eq(recovered.hash),
            accounts::recovered_at.eq(recovered.at.unix()),
            accounts::phone_counts_from.eq(recovered.phone_counts_from.unix()),
            accounts::updated_at.eq(recovered.at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// A phone as it is stored, and from when it counts.
pub struct Phone<'a> {
    pub sealed: &'a Sealed,
    pub index: &'a BlindIndex,
    pub counts_from: Moment,
}

pub fn set_phone(db: &mut Db, id: &Id<Account>, phone: &Phone<'_>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(id.as_str()))
        .set((
            accounts::phone.eq(phone.sealed.as_str()),
            accounts::phone_index.eq(phone.index.as_str()),
            accounts::phone_counts_from.eq(phone.counts_from.unix()),
            accounts::updated_at.eq(at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// The holder was proofed in person as at enrolment: levels hold again (`security.md` LG-20).
pub fn reproof(db: &mut Db, id: &Id<Account>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(id.as_str()))
        .set((accounts::reproofed_at.eq(at.unix()), accounts::phone_counts_from.eq(None::<i64>)))
        .execute(link))?;
    Ok(())
}

/// Forgets every device of an account but the one in use.
pub fn forget_devices(db: &mut Db, id: &Id<Account>, but: Option<&Stored<DeviceCookie>>) -> Result<usize, Fault> {
    let but = but.map_or("", Stored::as_str);
    Ok(on_each!(db, |link| diesel::delete(
        devices::table.filter(devices::account_id.eq(id.as_str())).filter(devices::cookie.ne(but))
    )
    .execute(link))?)
}

/// Ends what lives while nobody is signed in: a password or phone it was let in by is no more (`contract.md` 4).
pub fn revoke_offline(db: &mut Db, id: &Id<Account>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        grants::table
            .filter(grants::account_id.eq(id.as_str()))
            .filter(grants::offline.eq(true))
            .filter(grants::revoked_at.is_null())
    )
    .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(Cause::CredentialChanged.name())))
    .execute(link))?)
}

//! Grants. A code or token is only a key to one, so one update here ends a whole family.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at as moment, json, known, listed, to_json, words};
use super::db::{Db, on_each};
use super::schema::{grants, sessions};
use super::update::{Bind, Insert, Insertion};
use crate::domain::account::Account;
use crate::domain::grant::{Actor, Authentication, Grant, Party};
use crate::domain::request::ClaimsRequest;
use crate::domain::session::Session;
use crate::domain::{Acr, Client, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = grants)]
pub(super) struct Row {
    id: String,
    client_id: String,
    account_id: Option<String>,
    sub: Option<String>,
    session_id: Option<String>,
    sid: Option<String>,
    auth_time: Option<i64>,
    acr: Option<String>,
    acquaintance: Option<String>,
    scope: String,
    claims: Option<String>,
    service: Option<String>,
    offline: bool,
    opened_at: i64,
    revoked_at: Option<i64>,
    resources: Option<String>,
    transaction_id: Option<String>,
    actor_id: Option<String>,
    actor_sub: Option<String>,
}

impl Row {
    pub(super) fn decode(self) -> Result<Grant, Fault> {
        let actor = match (self.actor_id, self.actor_sub) {
            (Some(account), Some(sub)) => Some(Actor { account: Id::new(account), sub }),
            (None, None) => None,
            _ => return Err(Fault::broken("store", "a grant with half an actor")),
        };
        let party = match self.account_id {
            None => Party::ClientItself,
            Some(account) => Party::Holder(Authentication {
                account: Id::new(account),
                actor,
                sub: known(self.sub, "grants")?,
                session: Id::new(known(self.session_id, "grants")?),
                sid: known(self.sid, "grants")?,
                auth_time: Moment::from_unix(known(self.auth_time, "grants")?),
                acr: known(self.acr.as_deref().and_then(Acr::parse), "grants")?,
                acquaintance: json(&known(self.acquaintance, "grants")?, "grants")?,
            }),
        };
        Ok(Grant {
            id: Id::new(self.id),
            client: Id::new(self.client_id),
            party,
            scope: words(&self.scope),
            claims: self.claims.map_or_else(|| Ok(ClaimsRequest::default()), |claims| json(&claims, "grants"))?,
            service: self.service,
            resources: self.resources.as_deref().map(words).unwrap_or_default(),
            transaction: self.transaction_id.map(Id::new),
            offline: self.offline,
            opened_at: Moment::from_unix(self.opened_at),
            revoked_at: moment(self.revoked_at),
        })
    }
}

struct Open;

impl Insertion for Open {
    const INTO: &'static str = "INSERT INTO grants (id, client_id, account_id, sub, session_id, sid, auth_time, acr, \
        acquaintance, scope, claims, service, offline, opened_at, revoked_at, resources, transaction_id, actor_id, \
        actor_sub)";
}

pub fn open(db: &mut Db, grant: &Grant) -> Result<(), Fault> {
    let holder = grant.holder();
    let actor = holder.and_then(|holder| holder.actor.as_ref());
    let acquaintance = holder.map(|holder| to_json(&holder.acquaintance)).transpose()?;
    let claims = (grant.claims != ClaimsRequest::default()).then(|| to_json(&grant.claims)).transpose()?;
    let scope = grant.scope.join(" ");
    let resources = listed(&grant.resources);
    let insert = Insert::of(
        Open,
        [
            Bind::Text(grant.id.as_str()),
            Bind::Text(grant.client.as_str()),
            Bind::MaybeText(holder.map(|holder| holder.account.as_str())),
            Bind::MaybeText(holder.map(|holder| holder.sub.as_str())),
            Bind::MaybeText(holder.map(|holder| holder.session.as_str())),
            Bind::MaybeText(holder.map(|holder| holder.sid.as_str())),
            Bind::MaybeNumber(holder.map(|holder| holder.auth_time.unix())),
            Bind::MaybeText(holder.map(|holder| holder.acr.urn())),
            Bind::MaybeText(acquaintance.as_deref()),
            Bind::Text(&scope),
            Bind::MaybeText(claims.as_deref()),
            Bind::MaybeText(grant.service.as_deref()),
            Bind::Flag(grant.offline),
            Bind::Number(grant.opened_at.unix()),
            Bind::MaybeNumber(grant.revoked_at.map(Moment::unix)),
            Bind::MaybeText(resources.as_deref()),
            Bind::MaybeText(grant.transaction.as_ref().map(Id::as_str)),
            Bind::MaybeText(actor.map(|actor| actor.account.as_str())),
            Bind::MaybeText(actor.map(|actor| actor.sub.as_str())),
        ],
    );
    db.add(insert).map(drop)
}

pub fn find(db: &mut Db, id: &Id<Grant>) -> Result<Option<Grant>, Fault> {
    let row: Option<Row> =
        on_each!(db, |link| grants::table.find(id.as_str()).select(Row::as_select()).get_result(link).optional())?;
    row.map(Row::decode).transpose()
}

/// False when it was revoked before: the first reason stays.
pub fn revoke(db: &mut Db, id: &Id<Grant>, at: Moment, reason: &str) -> Result<bool, Fault> {
    let revoked =
        on_each!(db, |link| diesel::update(grants::table.find(id.as_str()).filter(grants::revoked_at.is_null()))
            .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
            .execute(link))?;
    Ok(revoked > 0)
}

/// What `revoke_all` revokes.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    grants::table.filter(grants::account_id.eq(account)).filter(grants::revoked_at.is_null())
}

pub fn revoke_all(db: &mut Db, account: &Id<Account>, at: Moment, reason: &str) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
        .execute(link))?)
}

/// What went on while the holder was away, and ends with the password or a factor it rests on (`contract.md` 4).
pub fn revoke_offline(db: &mut Db, account: &Id<Account>, at: Moment, reason: &str) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        grants::table
            .filter(grants::account_id.eq(account.as_str()))
            .filter(grants::offline.eq(true))
            .filter(grants::revoked_at.is_null())
    )
    .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
    .execute(link))?)
}

/// What `revoke_acting` revokes.
#[auto_type]
pub(super) fn acting<'a>(actor: &'a str) -> _ {
    grants::table.filter(grants::actor_id.eq(actor)).filter(grants::revoked_at.is_null())
}

/// What was granted to others through somebody who acted for them.
pub fn revoke_acting(db: &mut Db, actor: &Id<Account>, at: Moment, reason: &str) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(acting(actor.as_str()))
        .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
        .execute(link))?)
}

/// The same for one of those others.
pub fn revoke_acting_for(
    db: &mut Db,
    actor: &Id<Account>,
    account: &Id<Account>,
    at: Moment,
    reason: &str,
) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        grants::table
            .filter(grants::account_id.eq(account.as_str()))
            .filter(grants::actor_id.eq(actor.as_str()))
            .filter(grants::revoked_at.is_null())
    )
    .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
    .execute(link))?)
}

/// What the session issued and the holder did not let go on offline.
pub fn revoke_session(db: &mut Db, session: &Id<Session>, at: Moment, reason: &str) -> Result<usize, Fault> {
    // Grants are found by account; an index on the session would cost every sign-in for the sake of a sign-out.
    let account: Option<String> = on_each!(db, |link| sessions::table
        .find(session.as_str())
        .select(sessions::account_id)
        .get_result(link)
        .optional())?;
    let Some(account) = account else { return Ok(0) };
    Ok(on_each!(db, |link| diesel::update(
        grants::table
            .filter(grants::account_id.eq(account.as_str()))
            .filter(grants::session_id.eq(session.as_str()))
            .filter(grants::offline.eq(false))
            .filter(grants::revoked_at.is_null())
    )
    .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
    .execute(link))?)
}

/// Everything the session issued, what was let go on offline included.
pub fn revoke_issued_in(
    db: &mut Db,
    account: &Id<Account>,
    session: &Id<Session>,
    client: Option<&Id<Client>>,
    (at, reason): (Moment, &str),
) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| {
        let of_session = grants::account_id
            .eq(account.as_str())
            .and(grants::session_id.eq(session.as_str()))
            .and(grants::revoked_at.is_null());
        let set = (grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason));
        match client {
            Some(client) => diesel::update(grants::table.filter(of_session.and(grants::client_id.eq(client.as_str()))))
                .set(set)
                .execute(link),
            None => diesel::update(grants::table.filter(of_session)).set(set).execute(link),
        }
    })?)
}

pub fn revoke_client(
    db: &mut Db,
    account: &Id<Account>,
    client: &Id<Client>,
    at: Moment,
    reason: &str,
) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        grants::table
            .filter(grants::account_id.eq(account.as_str()))
            .filter(grants::client_id.eq(client.as_str()))
            .filter(grants::revoked_at.is_null())
    )
    .set((grants::revoked_at.eq(at.unix()), grants::revoked_reason.eq(reason)))
    .execute(link))?)
}

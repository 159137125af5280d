//! Invitations, and the clients registered by them.

use diesel::prelude::*;

use super::columns::{at, json, to_json};
use super::db::{Db, on_each};
use super::schema::{invitations, registrations};
use crate::domain::invitation::{Invitation, Registration};
use crate::domain::secret::{InitialAccessToken, RegistrationToken, Stored};
use crate::domain::{Client, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
struct Row {
    id: String,
    policy: String,
    uses_left: i64,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl Row {
    fn decode(self) -> Result<Invitation, Fault> {
        Ok(Invitation {
            id: Id::new(self.id),
            policy: json(&self.policy, "invitations")?,
            uses_left: self.uses_left,
            created_at: Moment::from_unix(self.created_at),
            expires_at: Moment::from_unix(self.expires_at),
            revoked_at: at(self.revoked_at),
        })
    }
}

pub fn put(db: &mut Db, invitation: &Invitation, token: &Stored<InitialAccessToken>) -> Result<(), Fault> {
    let policy = to_json(&invitation.policy)?;
    on_each!(db, |link| diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(invitation.id.as_str()),
            invitations::token.eq(token.as_str()),
            invitations::policy.eq(policy.as_str()),
            invitations::uses_left.eq(invitation.uses_left),
            invitations::created_at.eq(invitation.created_at.unix()),
            invitations::expires_at.eq(invitation.expires_at.unix()),
            invitations::revoked_at.eq(invitation.revoked_at.map(Moment::unix)),
        ))
        .execute(link))?;
    Ok(())
}

/// The invitation of a token, as long as it may be used.
pub fn find_open(db: &mut Db, token: &Stored<InitialAccessToken>, now: Moment) -> Result<Option<Invitation>, Fault> {
    let row: Option<Row> = on_each!(db, |link| invitations::table
        .filter(invitations::token.eq(token.as_str()))
        .filter(invitations::uses_left.gt(0))
        .filter(invitations::expires_at.gt(now.unix()))
        .filter(invitations::revoked_at.is_null())
        .select(Row::as_select())
        .first(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// Takes one use. False when none was left, or the invitation ended meanwhile: the one condition decides every race.
pub fn spend(db: &mut Db, id: &Id<Invitation>, now: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        invitations::table
            .find(id.as_str())
            .filter(invitations::uses_left.gt(0))
            .filter(invitations::expires_at.gt(now.unix()))
            .filter(invitations::revoked_at.is_null())
    )
    .set(invitations::uses_left.eq(invitations::uses_left - 1))
    .execute(link))?;
    Ok(spent > 0)
}

/// Every invitation, the oldest first.
pub fn list(db: &mut Db) -> Result<Vec<Invitation>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| invitations::table
        .order((invitations::created_at, invitations::id))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// False when there is none of this id, or it was revoked before.
pub fn revoke(db: &mut Db, id: &Id<Invitation>, at: Moment) -> Result<bool, Fault> {
    let revoked = on_each!(db, |link| diesel::update(
        invitations::table.find(id.as_str()).filter(invitations::revoked_at.is_null())
    )
    .set(invitations::revoked_at.eq(at.unix()))
    .execute(link))?;
    Ok(revoked > 0)
}

/// Notes that a client registered itself.
pub fn register(
    db: &mut Db,
    client: &Id<Client>,
    by: &Id<Invitation>,
    token: &Stored<RegistrationToken>,
    at: Moment,
) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(registrations::table)
        .values((
            registrations::client_id.eq(client.as_str()),
            registrations::invitation_id.eq(by.as_str()),
            registrations::token.eq(token.as_str()),
            registrations::registered_at.eq(at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// The registration a token manages. What binds it outlives the invitation's own end.
pub fn registration(db: &mut Db, token: &Stored<RegistrationToken>) -> Result<Option<Registration>, Fault> {
    let row: Option<(String, String, i64)> = on_each!(db, |link| registrations::table
        .inner_join(invitations::table)
        .filter(registrations::token.eq(token.as_str()))
        .select((registrations::client_id, invitations::policy, registrations::registered_at))
        .first(link)
        .optional())?;
    let Some((client, policy, registered_at)) = row else { return Ok(None) };
    Ok(Some(Registration {
        client: Id::new(client),
        policy: json(&policy, "invitations")?,
        registered_at: Moment::from_unix(registered_at),
    }))
}

/// From now on only the operator changes the client. False when it did not manage itself.
pub fn take_over(db: &mut Db, client: &Id<Client>) -> Result<bool, Fault> {
    let taken = on_each!(db, |link| diesel::delete(registrations::table.find(client.as_str())).execute(link))?;
    Ok(taken > 0)
}

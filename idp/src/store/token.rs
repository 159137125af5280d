//! Access and refresh tokens, each found together with its grant in one query.

use diesel::prelude::*;

use super::columns::{at as moment, known, listed, words};
use super::db::{Db, on_each};
use super::grant;
use super::schema::{access_tokens, grants, refresh_tokens};
use super::update::{Bind, Insert, Insertion, Update};
use crate::domain::binding::Confirmation;
use crate::domain::grant::{Grant, IssuedAccessToken, IssuedRefreshToken};
use crate::domain::secret::{AccessToken, RefreshToken, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_tokens)]
struct AccessRow {
    hash: String,
    grant_id: String,
    scope: String,
    issued_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    told: Option<String>,
    audience: Option<String>,
    confirmation: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refresh_tokens)]
struct RefreshRow {
    hash: String,
    grant_id: String,
    issued_at: i64,
    expires_at: i64,
    spent_at: Option<i64>,
    confirmation: Option<String>,
}

impl AccessRow {
    fn decode(self) -> Result<IssuedAccessToken, Fault> {
        Ok(IssuedAccessToken {
            hash: Stored::from_store(self.hash),
            grant: Id::new(self.grant_id),
            scope: words(&self.scope),
            audience: self.audience.as_deref().map(words).unwrap_or_default(),
            issued_at: Moment::from_unix(self.issued_at),
            expires_at: Moment::from_unix(self.expires_at),
            revoked_at: moment(self.revoked_at),
            told: self.told,
            confirmation: confirmation(self.confirmation, "access_tokens")?,
        })
    }
}

impl RefreshRow {
    fn decode(self) -> Result<IssuedRefreshToken, Fault> {
        Ok(IssuedRefreshToken {
            hash: Stored::from_store(self.hash),
            grant: Id::new(self.grant_id),
            issued_at: Moment::from_unix(self.issued_at),
            expires_at: Moment::from_unix(self.expires_at),
            spent_at: moment(self.spent_at),
            confirmation: confirmation(self.confirmation, "refresh_tokens")?,
        })
    }
}

/// A binding that cannot be read must not pass for none.
fn confirmation(text: Option<String>, table: &'static str) -> Result<Option<Confirmation>, Fault> {
    text.map(|text| known(Confirmation::parse(&text), table)).transpose()
}

struct PutAccess;

impl Insertion for PutAccess {
    const INTO: &'static str =
        "INSERT INTO access_tokens (hash, grant_id, scope, issued_at, expires_at, audience, confirmation)";
}

/// Of a token that was just minted: neither revoked nor told anything yet.
pub fn put_access(db: &mut Db, token: &IssuedAccessToken) -> Result<(), Fault> {
    let scope = token.scope.join(" ");
    let audience = listed(&token.audience);
    let confirmation = token.confirmation.as_ref().map(Confirmation::to_string);
    let insert = Insert::of(
        PutAccess,
        [
            Bind::Text(token.hash.as_str()),
            Bind::Text(token.grant.as_str()),
            Bind::Text(&scope),
            Bind::Number(token.issued_at.unix()),
            Bind::Number(token.expires_at.unix()),
            Bind::MaybeText(audience.as_deref()),
            Bind::MaybeText(confirmation.as_deref()),
        ],
    );
    db.add(insert).map(drop)
}

pub fn put_refresh(db: &mut Db, token: &IssuedRefreshToken) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(token.hash.as_str()),
            refresh_tokens::grant_id.eq(token.grant.as_str()),
            refresh_tokens::issued_at.eq(token.issued_at.unix()),
            refresh_tokens::expires_at.eq(token.expires_at.unix()),
            refresh_tokens::spent_at.eq(token.spent_at.map(Moment::unix)),
            refresh_tokens::confirmation.eq(token.confirmation.as_ref().map(Confirmation::to_string)),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find_access(db: &mut Db, hash: &Stored<AccessToken>) -> Result<Option<(IssuedAccessToken, Grant)>, Fault> {
    let row: Option<(AccessRow, grant::Row)> = on_each!(db, |link| access_tokens::table
        .inner_join(grants::table)
        .filter(access_tokens::hash.eq(hash.as_str()))
        .select((AccessRow::as_select(), grant::Row::as_select()))
        .get_result(link)
        .optional())?;
    row.map(|(token, grant)| Ok((token.decode()?, grant.decode()?))).transpose()
}

pub fn find_refresh(db: &mut Db, hash: &Stored<RefreshToken>) -> Result<Option<(IssuedRefreshToken, Grant)>, Fault> {
    let row: Option<(RefreshRow, grant::Row)> = on_each!(db, |link| refresh_tokens::table
        .inner_join(grants::table)
        .filter(refresh_tokens::hash.eq(hash.as_str()))
        .select((RefreshRow::as_select(), grant::Row::as_select()))
        .get_result(link)
        .optional())?;
    row.map(|(token, grant)| Ok((token.decode()?, grant.decode()?))).transpose()
}

/// True for exactly one caller, ever.
pub fn spend_refresh(db: &mut Db, hash: &Stored<RefreshToken>, at: Moment) -> Result<bool, Fault> {
    let update = Update {
        pieces: ["UPDATE refresh_tokens SET spent_at = ", " WHERE spent_at IS NULL AND hash = "],
        binds: [Bind::Number(at.unix()), Bind::Text(hash.as_str())],
    };
    let spent = on_each!(db, |link| update.execute(link))?;
    Ok(spent > 0)
}

/// Moves the end of an unspent token on, never back.
pub fn extend_refresh(db: &mut Db, hash: &Stored<RefreshToken>, expires_at: Moment) -> Result<(), Fault> {
    let update = Update {
        pieces: [
            "UPDATE refresh_tokens SET expires_at = ",
            " WHERE spent_at IS NULL AND hash = ",
            " AND expires_at < ",
        ],
        binds: [Bind::Number(expires_at.unix()), Bind::Text(hash.as_str()), Bind::Number(expires_at.unix())],
    };
    on_each!(db, |link| update.execute(link))?;
    Ok(())
}

/// False when it was revoked before, or is unknown.
pub fn revoke_access(db: &mut Db, hash: &Stored<AccessToken>, at: Moment) -> Result<bool, Fault> {
    let revoked = on_each!(db, |link| diesel::update(
        access_tokens::table.find(hash.as_str()).filter(access_tokens::revoked_at.is_null())
    )
    .set(access_tokens::revoked_at.eq(at.unix()))
    .execute(link))?;
    Ok(revoked > 0)
}

/// Notes which set of claims the token was told. False when it was told just these before: of two readings at once,
/// one records the release.
pub fn told(db: &mut Db, hash: &Stored<AccessToken>, set: &str) -> Result<bool, Fault> {
    let changed = on_each!(db, |link| diesel::update(
        access_tokens::table.find(hash.as_str()).filter(access_tokens::told.is_null().or(access_tokens::told.ne(set)))
    )
    .set(access_tokens::told.eq(set))
    .execute(link))?;
    Ok(changed > 0)
}

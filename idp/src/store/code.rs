//! Authorization codes: spent at most once, whoever comes first.

use diesel::prelude::*;

use super::columns::at as moment;
use super::db::{Db, on_each};
use super::grant;
use super::schema::{codes, grants};
use super::update::{Bind, Update};
use crate::domain::grant::{Grant, IssuedCode};
use crate::domain::secret::{Code, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = codes)]
struct Row {
    hash: String,
    grant_id: String,
    client_id: String,
    redirect_uri: String,
    code_challenge: Option<String>,
    nonce: Option<String>,
    issued_at: i64,
    expires_at: i64,
    spent_at: Option<i64>,
    failures: i64,
    dpop_jkt: Option<String>,
}

impl Row {
    fn decode(self) -> IssuedCode {
        IssuedCode {
            hash: Stored::from_store(self.hash),
            grant: Id::new(self.grant_id),
            client: Id::new(self.client_id),
            redirect_uri: self.redirect_uri,
            code_challenge: self.code_challenge,
            nonce: self.nonce,
            issued_at: Moment::from_unix(self.issued_at),
            expires_at: Moment::from_unix(self.expires_at),
            spent_at: moment(self.spent_at),
            failures: self.failures,
            dpop_jkt: self.dpop_jkt,
        }
    }
}

pub fn put(db: &mut Db, code: &IssuedCode) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(codes::table)
        .values((
            codes::hash.eq(code.hash.as_str()),
            codes::grant_id.eq(code.grant.as_str()),
            codes::client_id.eq(code.client.as_str()),
            codes::redirect_uri.eq(code.redirect_uri.as_str()),
            codes::code_challenge.eq(code.code_challenge.as_deref()),
            codes::nonce.eq(code.nonce.as_deref()),
            codes::issued_at.eq(code.issued_at.unix()),
            codes::expires_at.eq(code.expires_at.unix()),
            codes::spent_at.eq(code.spent_at.map(Moment::unix)),
            codes::failures.eq(code.failures),
            codes::dpop_jkt.eq(code.dpop_jkt.as_deref()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, hash: &Stored<Code>) -> Result<Option<(IssuedCode, Grant)>, Fault> {
    let row: Option<(Row, grant::Row)> = on_each!(db, |link| codes::table
        .inner_join(grants::table)
        .filter(codes::hash.eq(hash.as_str()))
        .select((Row::as_select(), grant::Row::as_select()))
        .get_result(link)
        .optional())?;
    row.map(|(code, grant)| Ok((code.decode(), grant.decode()?))).transpose()
}

/// True for exactly one caller, ever.
pub fn spend(db: &mut Db, hash: &Stored<Code>, at: Moment) -> Result<bool, Fault> {
    let update = Update {
        pieces: ["UPDATE codes SET spent_at = ", " WHERE spent_at IS NULL AND hash = "],
        binds: [Bind::Number(at.unix()), Bind::Text(hash.as_str())],
    };
    let spent = on_each!(db, |link| update.execute(link))?;
    Ok(spent > 0)
}

/// Counts a wrong verifier; the answer is how many there were, none for an unknown code.
pub fn fail(db: &mut Db, hash: &Stored<Code>) -> Result<i64, Fault> {
    let failures: Option<i64> = on_each!(db, |link| diesel::update(codes::table.find(hash.as_str()))
        .set(codes::failures.eq(codes::failures + 1))
        .returning(codes::failures)
        .get_result(link)
        .optional())?;
    Ok(failures.unwrap_or(0))
}

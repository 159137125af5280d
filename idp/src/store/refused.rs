//! Refused requests of clients. Written in bites by one task of a server, read by operators and the client's own team.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::columns::{from_word, json, to_json};
use super::db::{Db, on_each};
use super::schema::{clients, refused_requests};
use crate::domain::refused_request::{Endpoint, RefusedRequest};
use crate::domain::{Client, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = refused_requests)]
struct Row {
    id: String,
    client_id: String,
    reference: String,
    at: i64,
    endpoint: String,
    error: String,
    told: String,
    reason: Option<String>,
    clause: String,
    parameters: String,
    repeated: i64,
}

impl Row {
    fn decode(self) -> Result<RefusedRequest, Fault> {
        Ok(RefusedRequest {
            id: Id::new(self.id),
            client: Id::new(self.client_id),
            reference: self.reference,
            at: Moment::from_unix(self.at),
            endpoint: from_word(&self.endpoint, "refused_requests")?,
            error: self.error,
            told: self.told,
            reason: self.reason,
            clause: self.clause,
            parameters: json(&self.parameters, "refused_requests")?,
            repeated: self.repeated,
        })
    }
}

/// Which of these are clients.
pub fn known(db: &mut Db, ids: &[String]) -> Result<BTreeSet<Id<Client>>, Fault> {
    let known: Vec<String> =
        on_each!(db, |link| clients::table.filter(clients::id.eq_any(ids)).select(clients::id).load(link))?;
    Ok(known.into_iter().map(Id::new).collect())
}

pub fn put(db: &mut Db, refused: &RefusedRequest) -> Result<(), Fault> {
    let parameters = to_json(&refused.parameters)?;
    on_each!(db, |link| diesel::insert_into(refused_requests::table)
        .values((
            refused_requests::id.eq(refused.id.as_str()),
            refused_requests::client_id.eq(refused.client.as_str()),
            refused_requests::reference.eq(refused.reference.as_str()),
            refused_requests::at.eq(refused.at.unix()),
            refused_requests::endpoint.eq(refused.endpoint.name()),
            refused_requests::error.eq(refused.error.as_str()),
            refused_requests::told.eq(refused.told.as_str()),
            refused_requests::reason.eq(refused.reason.as_deref()),
            refused_requests::clause.eq(refused.clause.as_str()),
            refused_requests::parameters.eq(parameters.as_str()),
            refused_requests::repeated.eq(refused.repeated),
        ))
        .execute(link))?;
    Ok(())
}

/// How many of a client are kept since then.
pub fn kept(db: &mut Db, client: &Id<Client>, since: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| refused_requests::table
        .filter(refused_requests::client_id.eq(client.as_str()))
        .filter(refused_requests::at.gt(since.unix()))
        .count()
        .get_result(link))?)
}

/// How many of one kind are kept since then.
pub fn kept_of_kind(
    db: &mut Db,
    client: &Id<Client>,
    (endpoint, error): (Endpoint, &str),
    since: Moment,
) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| refused_requests::table
        .filter(refused_requests::client_id.eq(client.as_str()))
        .filter(refused_requests::at.gt(since.unix()))
        .filter(refused_requests::endpoint.eq(endpoint.name()))
        .filter(refused_requests::error.eq(error))
        .count()
        .get_result(link))?)
}

/// Counts refusals that are not kept at the last one of their kind. False when there is none to count them at.
pub fn count(db: &mut Db, client: &Id<Client>, (endpoint, error): (Endpoint, &str), more: i64) -> Result<bool, Fault> {
    let last: Option<String> = on_each!(db, |link| refused_requests::table
        .filter(refused_requests::client_id.eq(client.as_str()))
        .filter(refused_requests::endpoint.eq(endpoint.name()))
        .filter(refused_requests::error.eq(error))
        .order(refused_requests::id.desc())
        .select(refused_requests::id)
        .first(link)
        .optional())?;
    let Some(last) = last else { return Ok(false) };
    let counted = on_each!(db, |link| diesel::update(refused_requests::table.find(&last))
        .set(refused_requests::repeated.eq(refused_requests::repeated + more))
        .execute(link))?;
    Ok(counted > 0)
}

/// What is looked for among the refusals of one client.
#[derive(Clone, Debug, Default)]
pub struct Looking {
    pub reference: Option<String>,
    pub before: Option<Id<RefusedRequest>>,
    pub limit: i64,
}

/// The newest first.
pub fn of_client(db: &mut Db, client: &Id<Client>, looking: &Looking) -> Result<Vec<RefusedRequest>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| {
        let mut query = refused_requests::table.filter(refused_requests::client_id.eq(client.as_str())).into_boxed();
        if let Some(reference) = &looking.reference {
            query = query.filter(refused_requests::reference.eq(reference.as_str()));
        }
        if let Some(before) = &looking.before {
            query = query.filter(refused_requests::id.lt(before.as_str()));
        }
        query.order(refused_requests::id.desc()).limit(looking.limit).select(Row::as_select()).load(link)
    })?;
    rows.into_iter().map(Row::decode).collect()
}

pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| refused_requests::table
        .filter(refused_requests::at.lt(before.unix()))
        .order(refused_requests::at)
        .limit(limit)
        .select(refused_requests::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(refused_requests::table.filter(refused_requests::id.eq_any(&stale)))
        .execute(link))?)
}

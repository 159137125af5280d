//! Pushed authorization requests: kept under a digest of their reference, answered at most once.

use diesel::prelude::*;

use super::columns::{at as moment, json, to_json};
use super::db::{Db, on_each};
use super::schema::pushed_requests;
use super::update::{Bind, Insert, Insertion, Update};
use crate::domain::request::PushedRequest;
use crate::domain::secret::{PushedReference, Stored, minted_before};
use crate::domain::{Fault, Moment, Span};

#[derive(Queryable, Selectable)]
#[diesel(table_name = pushed_requests)]
struct Row {
    hash: String,
    request: String,
    expires_at: i64,
    spent_at: Option<i64>,
}

impl Row {
    fn decode(self) -> Result<PushedRequest, Fault> {
        Ok(PushedRequest {
            reference: Stored::from_store(self.hash),
            request: json(&self.request, "pushed_requests")?,
            expires_at: Moment::from_unix(self.expires_at),
            spent_at: moment(self.spent_at),
        })
    }
}

struct Put;

impl Insertion for Put {
    const INTO: &'static str =
        "INSERT INTO pushed_requests (hash, client_id, request, pushed_at, expires_at, kept_until, spent_at)";
}

/// `kept_until`: for how long it may still be answered, by whoever came for it in its last moment.
pub fn put(db: &mut Db, pushed: &PushedRequest, kept_until: Moment) -> Result<(), Fault> {
    let request = to_json(&pushed.request)?;
    let insert = Insert::of(
        Put,
        [
            Bind::Text(pushed.reference.as_str()),
            Bind::Text(pushed.request.client_id.as_str()),
            Bind::Text(&request),
            Bind::Number(pushed.request.asked_at.unix()),
            Bind::Number(pushed.expires_at.unix()),
            Bind::Number(kept_until.unix()),
            Bind::MaybeNumber(pushed.spent_at.map(Moment::unix)),
        ],
    );
    db.add(insert).map(drop)
}

pub fn find(db: &mut Db, reference: &Stored<PushedReference>) -> Result<Option<PushedRequest>, Fault> {
    let row: Option<Row> = on_each!(db, |link| pushed_requests::table
        .find(reference.as_str())
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// True for exactly one caller, ever; never for a request that was forgotten.
pub fn spend(db: &mut Db, reference: &Stored<PushedReference>, at: Moment) -> Result<bool, Fault> {
    let update = Update {
        pieces: ["UPDATE pushed_requests SET spent_at = ", " WHERE spent_at IS NULL AND hash = "],
        binds: [Bind::Number(at.unix()), Bind::Text(reference.as_str())],
    };
    let spent = on_each!(db, |link| update.execute(link))?;
    Ok(spent > 0)
}

/// Longer than any is kept: its own lifetime and that of the interaction it was opened in.
const LONGEST: Span = Span::hours(2);

/// Forgets up to `limit` that nobody can answer any more. They lie in the order they were pushed.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| pushed_requests::table
        .filter(pushed_requests::hash.lt(minted_before(before - LONGEST)))
        .filter(pushed_requests::kept_until.lt(before.unix()))
        .order(pushed_requests::hash)
        .limit(limit)
        .select(pushed_requests::hash)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(pushed_requests::table.filter(pushed_requests::hash.eq_any(&stale)))
        .execute(link))?)
}

//! Browsers sent to other providers, and what they brought back that belongs to nobody here yet.

use diesel::prelude::*;

use super::columns::at as moment;
use super::db::{Db, on_each};
use super::schema::{upstream_proofs, upstream_trips};
use crate::domain::account::Account;
use crate::domain::secret::{BlindIndex, Stored, UpstreamState};
use crate::domain::upstream::{LinkProof, Trip};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = upstream_trips)]
struct TripRow {
    state: String,
    upstream: String,
    interaction_id: String,
    browser: String,
    linking: bool,
    begun_at: i64,
    expires_at: i64,
    spent_at: Option<i64>,
}

pub fn send(db: &mut Db, trip: &Trip) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(upstream_trips::table)
        .values((
            upstream_trips::state.eq(trip.state.as_str()),
            upstream_trips::upstream.eq(trip.upstream.as_str()),
            upstream_trips::interaction_id.eq(trip.interaction.as_str()),
            upstream_trips::browser.eq(trip.browser.as_str()),
            upstream_trips::linking.eq(trip.linking),
            upstream_trips::begun_at.eq(trip.begun_at.unix()),
            upstream_trips::expires_at.eq(trip.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, state: &Stored<UpstreamState>) -> Result<Option<Trip>, Fault> {
    let row: Option<TripRow> = on_each!(db, |link| upstream_trips::table
        .find(state.as_str())
        .select(TripRow::as_select())
        .get_result(link)
        .optional())?;
    Ok(row.map(|row| Trip {
        state: Stored::from_store(row.state),
        upstream: row.upstream,
        interaction: Id::new(row.interaction_id),
        browser: Stored::from_store(row.browser),
        linking: row.linking,
        begun_at: Moment::from_unix(row.begun_at),
        expires_at: Moment::from_unix(row.expires_at),
        spent_at: moment(row.spent_at),
    }))
}

/// True for exactly one answer, ever.
pub fn spend(db: &mut Db, state: &Stored<UpstreamState>, at: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        upstream_trips::table.find(state.as_str()).filter(upstream_trips::spent_at.is_null())
    )
    .set(upstream_trips::spent_at.eq(at.unix()))
    .execute(link))?;
    Ok(spent > 0)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = upstream_proofs)]
struct ProofRow {
    id: String,
    upstream: String,
    issuer: String,
    subject: String,
    browser: String,
    interaction_id: String,
    origin_id: String,
    account_id: Option<String>,
    proved_at: i64,
    expires_at: i64,
    spent_at: Option<i64>,
}

pub fn keep_proof(db: &mut Db, proof: &LinkProof) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(upstream_proofs::table)
        .values((
            upstream_proofs::id.eq(proof.id.as_str()),
            upstream_proofs::upstream.eq(proof.upstream.as_str()),
            upstream_proofs::issuer.eq(proof.issuer.as_str()),
            upstream_proofs::subject.eq(proof.subject.as_str()),
            upstream_proofs::browser.eq(proof.browser.as_str()),
            upstream_proofs::interaction_id.eq(proof.interaction.as_str()),
            upstream_proofs::origin_id.eq(proof.origin.as_str()),
            upstream_proofs::proved_at.eq(proof.proved_at.unix()),
            upstream_proofs::expires_at.eq(proof.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find_proof(db: &mut Db, id: &Id<LinkProof>) -> Result<Option<LinkProof>, Fault> {
    let row: Option<ProofRow> = on_each!(db, |link| upstream_proofs::table
        .find(id.as_str())
        .select(ProofRow::as_select())
        .get_result(link)
        .optional())?;
    Ok(row.map(|row| LinkProof {
        id: Id::new(row.id),
        upstream: row.upstream,
        issuer: row.issuer,
        subject: BlindIndex::from_text(row.subject),
        browser: Stored::from_store(row.browser),
        interaction: Id::new(row.interaction_id),
        origin: Id::new(row.origin_id),
        account: row.account_id.map(Id::new),
        proved_at: Moment::from_unix(row.proved_at),
        expires_at: Moment::from_unix(row.expires_at),
        spent_at: moment(row.spent_at),
    }))
}

/// Whose it becomes: the first who proves a password for it, and nobody after them.
pub fn claim_proof(db: &mut Db, id: &Id<LinkProof>, account: &Id<Account>) -> Result<bool, Fault> {
    let claimed = on_each!(db, |link| diesel::update(
        upstream_proofs::table
            .find(id.as_str())
            .filter(upstream_proofs::spent_at.is_null())
            .filter(upstream_proofs::account_id.is_null().or(upstream_proofs::account_id.eq(account.as_str())))
    )
    .set(upstream_proofs::account_id.eq(account.as_str()))
    .execute(link))?;
    Ok(claimed > 0)
}

/// True for exactly one answer, ever.
pub fn spend_proof(db: &mut Db, id: &Id<LinkProof>, at: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        upstream_proofs::table.find(id.as_str()).filter(upstream_proofs::spent_at.is_null())
    )
    .set(upstream_proofs::spent_at.eq(at.unix()))
    .execute(link))?;
    Ok(spent > 0)
}

/// What was proved for an account and not used is worth nothing once its link was taken away (`security.md` UP-10).
pub fn cancel_proofs(db: &mut Db, issuer: &str, subject: &BlindIndex, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        upstream_proofs::table
            .filter(upstream_proofs::issuer.eq(issuer))
            .filter(upstream_proofs::subject.eq(subject.as_str()))
            .filter(upstream_proofs::spent_at.is_null())
    )
    .set(upstream_proofs::spent_at.eq(at.unix()))
    .execute(link))?)
}

/// Forgets up to `limit` of each kind that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let trips: Vec<String> = on_each!(db, |link| upstream_trips::table
        .filter(upstream_trips::expires_at.lt(before.unix()))
        .order(upstream_trips::expires_at)
        .limit(limit)
        .select(upstream_trips::state)
        .load(link))?;
    let proofs: Vec<String> = on_each!(db, |link| upstream_proofs::table
        .filter(upstream_proofs::expires_at.lt(before.unix()))
        .order(upstream_proofs::expires_at)
        .limit(limit)
        .select(upstream_proofs::id)
        .load(link))?;
    let trips =
        on_each!(db, |link| diesel::delete(upstream_trips::table.filter(upstream_trips::state.eq_any(&trips)))
            .execute(link))?;
    let proofs =
        on_each!(db, |link| diesel::delete(upstream_proofs::table.filter(upstream_proofs::id.eq_any(&proofs)))
            .execute(link))?;
    Ok(trips + proofs)
}

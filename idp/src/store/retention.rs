//! Forgetting what has served its time, a bounded batch at a time. Grants of holders, sessions, consents and the
//! trail stay: they are the history of use, kept for years.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::{access_tokens, codes, grants, otps, refresh_tokens, throttles};
use super::{
    app, ceremony, change, confirmation, interaction, officer_act, phone_code, pushed, recovery, refused, registration,
    sign_out, totp, upstream, used,
};
use crate::domain::refused_request::KEPT;
use crate::domain::secret::minted_before;
use crate::domain::{Fault, Moment, Span};

/// Rows of one kind per call: short enough that nobody waits noticeably for the write lock.
const BATCH: i64 = 200;

/// How many rows went. Call again while the answer is not zero.
pub fn sweep(db: &mut Db, now: Moment) -> Result<usize, Fault> {
    Ok(interaction::sweep(db, now - Span::hours(1), BATCH)?
        + confirmation::sweep(db, now - Span::hours(1), BATCH)?
        + sign_out::sweep(db, now, BATCH)?
        + ceremony::sweep(db, now, BATCH)?
        + totp::sweep(db, now - Span::hours(1), BATCH)?
        + pushed::sweep(db, now, BATCH)?
        + upstream::sweep(db, now, BATCH)?
        + refused::sweep(db, now - KEPT, BATCH)?
        // A spent assertion identifier outlives the clock difference we accept.
        + used::sweep(db, now - Span::minutes(2), BATCH)?
        // A phone that comes late is told why.
        + app::sweep(db, now - Span::hours(1), BATCH)?
        // Sends are counted per day.
        + otps_before(db, now - Span::days(2))?
        + phone_code::sweep(db, now - Span::days(2), BATCH)?
        + registration::sweep_drafts(db, now - Span::days(1), BATCH)?
        // A replayed code is recognised, and its family ended, a day after the code itself has gone.
        + codes_before(db, now - Span::days(1) - Span::minutes(1))?
        // No access token lives longer than an hour.
        + access_before(db, now - Span::hours(1))?
        + refresh_before(db, now)?
        // Whoever comes back to an ended recovery is told how it ended.
        + recovery::sweep(db, now - Span::days(2), BATCH)?
        + change::sweep(db, now - Span::days(1), BATCH)?
        // A key brought again after so long is a new act.
        + officer_act::sweep(db, now - Span::days(30), BATCH)?
        + throttles_before(db, now - Span::days(60))?)
}

fn otps_before(db: &mut Db, before: Moment) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| otps::table
        .filter(otps::expires_at.lt(before.unix()))
        .order(otps::expires_at)
        .limit(BATCH)
        .select(otps::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(otps::table.filter(otps::id.eq_any(&stale))).execute(link))?)
}

/// Of what is stored in the order it was minted, the oldest: an index on the end of each would cost every sign-in.
fn codes_before(db: &mut Db, minted: Moment) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| codes::table
        .filter(codes::hash.lt(minted_before(minted)))
        .order(codes::hash)
        .limit(BATCH)
        .select(codes::hash)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(codes::table.filter(codes::hash.eq_any(&stale))).execute(link))?)
}

/// A client's own grant has one access token and nothing else, so it goes with it.
fn access_before(db: &mut Db, minted: Moment) -> Result<usize, Fault> {
    let stale: Vec<(String, String)> = on_each!(db, |link| access_tokens::table
        .filter(access_tokens::hash.lt(minted_before(minted)))
        .order(access_tokens::hash)
        .limit(BATCH)
        .select((access_tokens::hash, access_tokens::grant_id))
        .load(link))?;
    for (hash, grant) in &stale {
        on_each!(db, |link| diesel::delete(access_tokens::table.find(hash)).execute(link))?;
        on_each!(db, |link| diesel::delete(grants::table.find(grant).filter(grants::account_id.is_null()))
            .execute(link))?;
    }
    Ok(stale.len())
}

fn refresh_before(db: &mut Db, before: Moment) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| refresh_tokens::table
        .filter(refresh_tokens::expires_at.lt(before.unix()))
        .order(refresh_tokens::expires_at)
        .limit(BATCH)
        .select(refresh_tokens::hash)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(refresh_tokens::table.filter(refresh_tokens::hash.eq_any(&stale)))
        .execute(link))?)
}

fn throttles_before(db: &mut Db, before: Moment) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| throttles::table
        .filter(throttles::last_at.lt(before.unix()))
        .order(throttles::last_at)
        .limit(BATCH)
        .select(throttles::key)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(throttles::table.filter(throttles::key.eq_any(&stale))).execute(link))?)
}

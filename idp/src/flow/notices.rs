//! Messages to holders: put down in the transaction of what they tell of, so that a lock ordered by any process reaches
//! its holder, and handed over by whichever server comes first (LCC Art 34(3): at once).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::sealed;
use crate::domain::account::Account;
use crate::domain::holder_notice::{HolderNotice, News, pause};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, Span};
use crate::idp::Idp;
use crate::store::{self, Db};

const PATIENCE: Duration = Duration::from_millis(500);
/// For how long an attempt belongs to the server that began it.
const LEASE: Span = Span::seconds(30);
const BATCH: i64 = 32;

pub(super) fn put(
    db: &mut Db,
    id: &Id<HolderNotice>,
    (account, news): (&Id<Account>, News),
    at: Moment,
) -> Result<(), Fault> {
    let expires_at = at + news.worth_sending();
    let notice = HolderNotice { id: id.clone(), account: account.clone(), news, attempts: 0, next_at: at, expires_at };
    store::holder_notice::put(db, &notice)
}

/// Runs until aborted. A failed round is logged and tried again.
pub async fn deliver(idp: Arc<Idp>) {
    let mut interval = tokio::time::interval(PATIENCE);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(fault) = round(&idp).await {
            tracing::warn!(%fault, "notices.round");
        }
    }
}

/// One attempt for everything due.
pub async fn round(idp: &Arc<Idp>) -> Result<(), Fault> {
    let now = idp.clock.now();
    let due = idp.store.read(move |db| store::holder_notice::due(db, now, BATCH)).await?;
    for notice in due {
        let this = Arc::clone(idp);
        let begun = idp.store.transact(move |db| begin(db, notice, &this)).await?;
        let Some((notice, phone)) = begun else { continue };
        let sent = idp.notice.send(&phone, &notice.news.text(), now).await;
        if let Err(fault) = &sent {
            tracing::warn!(%fault, "notices.not_sent");
        }
        let this = Arc::clone(idp);
        idp.store.transact(move |db| settle(db, &notice, sent.is_ok(), &this)).await?;
    }
    Ok(())
}

/// Claims a message and reads whom it goes to. What cannot be sent any more is given up.
fn begin(db: &mut Db, notice: HolderNotice, idp: &Idp) -> Result<Option<(HolderNotice, String)>, Fault> {
    let now = idp.clock.now();
    let phone = store::account::credentials(db, &notice.account)?.and_then(|known| known.phone);
    let Some(phone) = phone.filter(|_| now < notice.expires_at) else {
        let reason = if now < notice.expires_at { "no_phone" } else { "too_late" };
        if store::holder_notice::finish(db, &notice.id)? {
            remember(db, Kind::HolderNotTold, &notice, Some(reason), idp)?;
        }
        return Ok(None);
    };
    if !store::holder_notice::claim(db, &notice, now + LEASE)? {
        return Ok(None);
    }
    let phone = sealed::open_phone(&notice.account, &phone, &idp.vault)?;
    Ok(Some((HolderNotice { attempts: notice.attempts + 1, ..notice }, phone)))
}

fn settle(db: &mut Db, notice: &HolderNotice, sent: bool, idp: &Idp) -> Result<(), Fault> {
    if !sent {
        return store::holder_notice::postpone(db, &notice.id, idp.clock.now() + pause(notice.attempts));
    }
    if store::holder_notice::finish(db, &notice.id)? {
        remember(db, Kind::HolderTold, notice, None, idp)?;
    }
    Ok(())
}

fn remember(db: &mut Db, kind: Kind, notice: &HolderNotice, reason: Option<&str>, idp: &Idp) -> Result<(), Fault> {
    let (news, of) = notice.news.kept();
    let detail = json!({"news": news, "of": of, "attempts": notice.attempts, "reason": reason});
    store::trail::append(db, &Event::new(kind, idp.clock.now()).of(&notice.account).with(detail), &idp.id()?)
}

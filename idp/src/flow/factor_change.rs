//! What follows when a holder adds or takes away a way to sign in: every other session ends, what goes on while they are
//! away ends (`contract.md` 4), the registered phone is told at once (`security.md` LG-38), and the trail remembers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::fresh::{self, Guarded};
use super::step_up::{self, Sms};
use super::{Answer, Browser, admit, sealed};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Account, Fault, Span};
use crate::factor::notice::{self, Change};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// Who is let through to their factors.
pub struct Here<'a> {
    pub session: Session,
    pub account: Account,
    pub browser: &'a Browser,
    pub idp: &'a Idp,
}

/// Behind a fresh proof of level 2, in one transaction that holds the account: on to `body`, or away to where the proof is
/// given.
pub async fn guarded<T: Send + 'static>(
    (path, late): (&'static str, Span),
    browser: &Browser,
    idp: &Arc<Idp>,
    elsewhere: impl FnOnce(Answer) -> T + Send + 'static,
    body: impl FnOnce(&mut Db, Here<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| match fresh::guard(db, path, (Hold::Alone, late), &who, &this)? {
            Guarded::Open(open) => {
                let (session, account) = *open;
                body(db, Here { session, account, browser: &who, idp: &this })
            }
            Guarded::Elsewhere(answer) => Ok(elsewhere(answer)),
        })
        .await
}

/// As `guarded`, for a change: whoever must hear of it does, after the commit.
pub async fn changed<T: Send + 'static>(
    path: &'static str,
    browser: &Browser,
    idp: &Arc<Idp>,
    elsewhere: impl FnOnce(Answer) -> T + Send + 'static,
    body: impl FnOnce(&mut Db, Here<'_>) -> Result<(T, Option<Sms>), Fault> + Send + 'static,
) -> Result<T, Fault> {
    let away = |answer| (elsewhere(answer), None);
    let (done, sms) = guarded((path, fresh::PATIENCE), browser, idp, away, body).await?;
    tell(sms, idp).await;
    Ok(done)
}

/// In the transaction of the change, by the session that made it.
pub fn follow(db: &mut Db, here: &Session, change: Change, detail: Value, idp: &Idp) -> Result<Option<Sms>, Fault> {
    let (account, now) = (&here.account, idp.clock.now());
    let mut sessions = 0;
    for other in store::session::live(db, account)?.iter().filter(|other| other.id != here.id) {
        admit::end(db, other, json!({"reason": "factor_changed"}), idp)?;
        sessions += 1;
    }
    let grants = store::grant::revoke_offline(db, account, now, "factor_changed")?;
    let mut remembered = json!({"sessions": sessions, "grants": grants});
    if let (Some(all), Value::Object(more)) = (remembered.as_object_mut(), detail) {
        all.extend(more);
    }
    let kind = match change {
        Change::PasskeyAdded => Kind::PasskeyAdded,
        Change::PasskeyRemoved => Kind::PasskeyRemoved,
        Change::TotpAdded => Kind::TotpAdded,
        Change::TotpRemoved => Kind::TotpRemoved,
    };
    let event = Event::new(kind, now).of(account).within(&here.id).with(remembered);
    store::trail::append(db, &event, &idp.id()?)?;
    let Some(phone) = store::account::credentials(db, account)?.and_then(|known| known.phone) else { return Ok(None) };
    let to = sealed::open_phone(account, &phone, &idp.vault)?;
    Ok(Some(Sms { to, text: notice::text(change).to_owned() }))
}

/// After the commit. A message that cannot be handed over takes nothing back.
async fn tell(sms: Option<Sms>, idp: &Idp) {
    idp.desk.ring();
    if let Some(sms) = sms
        && let Err(fault) = step_up::deliver(sms, idp).await
    {
        tracing::error!(%fault, "notice.not_sent");
    }
}

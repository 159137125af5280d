//! What follows when a holder adds or takes away a way to sign in: every other session ends, what goes on while they are
//! away ends (`contract.md` 4), the registered phone is told at once (`security.md` LG-38), and the trail remembers.

use serde_json::{Value, json};

use super::step_up::{self, Sms};
use super::{admit, sealed};
use crate::domain::Fault;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::factor::notice::{self, Change};
use crate::idp::Idp;
use crate::store::{self, Db};

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
pub async fn tell(sms: Option<Sms>, idp: &Idp) {
    idp.desk.ring();
    if let Some(sms) = sms
        && let Err(fault) = step_up::deliver(sms, idp).await
    {
        tracing::error!(%fault, "notice.not_sent");
    }
}

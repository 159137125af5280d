//! Another provider says that somebody's session there ended (Back-Channel Logout 1.0 §2.5 to §2.8): the sessions here
//! that rest on it end (`security.md` UP-19). A token that is not wholly right changes nothing (UP-16).

use std::sync::Arc;

use serde_json::json;

use super::upstream::end;
use super::upstreams::Upstream;
use crate::domain::Fault;
use crate::domain::trail::{Event, Kind};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};
use crate::upstream::LoggedOut;

/// What the other provider is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Ended,
    Refused,
    /// Its keys could not be asked for: it may try again.
    Later,
}

pub async fn hear(name: &str, token: &str, idp: &Arc<Idp>) -> Result<Heard, Fault> {
    let Some(upstream) = idp.upstreams.find(name) else { return Ok(Heard::Refused) };
    let now = idp.clock.now();
    // A provider that was switched off may still end what it began.
    let told = match upstream.oidc.logged_out(token, now).await {
        Ok(told) => told,
        Err(failure) => {
            tracing::warn!(upstream.name = name, reason = ?failure, "upstream.logout_refused");
            idp.metrics.upstream(name, "logout_refused");
            return Ok(if failure.is_outage() { Heard::Later } else { Heard::Refused });
        }
    };
    let this = Arc::clone(idp);
    let heard = idp.store.transact(move |db| carry_out(db, &upstream, &told, &this)).await?;
    idp.metrics.upstream(name, if heard == Heard::Ended { "logout" } else { "logout_refused" });
    idp.desk.ring();
    Ok(heard)
}

fn carry_out(db: &mut Db, upstream: &Upstream, told: &LoggedOut, idp: &Idp) -> Result<Heard, Fault> {
    let class = format!("upstream_logout.{}", upstream.name);
    let jti = idp.vault.blind_index("upstream.jti", &told.jti);
    if !store::used::once(db, &class, jti.as_str(), told.expires_at)? {
        return Ok(Heard::Refused);
    }
    let sid = told.sid.as_deref().map(|sid| upstream.session(sid, idp));
    let known = match &told.sub {
        Some(sub) => store::upstream_link::find(db, &upstream.agreed.issuer, &upstream.subject(sub, idp))?,
        None => None,
    };
    let sessions = match (&known, &told.sub, &sid) {
        (Some(known), _, sid) => {
            store::account::hold(db, &known.account, Hold::Alone)?;
            store::upstream_link::resting(db, &known.id, sid.as_ref())?
        }
        (None, None, Some(sid)) => store::upstream_link::resting_by_sid(db, &upstream.agreed.issuer, sid)?,
        _ => Vec::new(),
    };
    let ended = end(db, &sessions, "upstream_signed_out", idp)?;
    if let Some(known) = &known {
        let event = Event::new(Kind::UpstreamSignedOut, idp.clock.now())
            .of(&known.account)
            .with(json!({"upstream": upstream.name, "sessions": ended}));
        store::trail::append(db, &event, &idp.id()?)?;
    }
    Ok(Heard::Ended)
}

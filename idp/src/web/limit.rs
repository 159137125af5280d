//! Soft limits per address on the pages people open: sign-in, OTP, and pages without a session. Never on endpoints a
//! portal's servers call, since a national portal is one address (`contract.md` 7, `security.md` D7).

use actix_web::{HttpRequest, HttpResponse};

use super::read::caller;
use super::reply::{self, Context};
use crate::domain::Span;
use crate::idp::Idp;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Counted {
    /// A password posted.
    SignIn,
    /// A code posted or asked for.
    Otp,
    /// Any page or interaction opened without a session.
    Page,
}

/// `Some`: over the limit, and this is the answer.
pub async fn over(counted: Counted, request: &HttpRequest, context: &Context<'_>) -> Option<HttpResponse> {
    let idp: &Idp = context.idp;
    let limits = &idp.config.limits;
    let (name, allowed, window) = match counted {
        Counted::SignIn => ("sign_in", limits.sign_ins_per_address, Span::seconds(60)),
        Counted::Otp => ("otp", limits.otps_per_address, Span::seconds(300)),
        Counted::Page => ("page", limits.pages_per_address, Span::seconds(300)),
    };
    let caller = caller(request, idp);
    let allowed = allowed.saturating_mul(limits.share(caller));
    let address = idp.vault.blind_index("address", &caller.to_string());
    let key = format!("limit/{name}/{}", address.as_str());
    let hits = match idp.ephemeral.hit(&key, window).await {
        Ok(hits) => hits,
        Err(fault) => {
            // D6: without the shared counter a guess is still counted per account, device and network in SQL; the
            // address counter falls back to this process's share.
            tracing::warn!(%fault, "limit.fallback");
            idp.fallback.hit(&key, window).await.unwrap_or(u64::MAX)
        }
    };
    (hits > allowed).then(|| reply::busy(window.as_seconds().min(30), context))
}

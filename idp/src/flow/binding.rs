//! What the caller proves to hold: the DPoP proof of a call and its nonce, and what new tokens are bound to. One line
//! for each endpoint: `proof` before its transaction, `spend` or `settle` within.

use super::caller::{Call, replayed_assertion, spend_jti};
use super::quota;
use crate::domain::{Client, Fault, Moment};
use crate::idp::Idp;
use crate::keys;
use crate::protocol::binding::{self, Possession};
use crate::protocol::dpop::{self, Proof, Request, VerifiedProof};
use crate::protocol::mtls;
use crate::protocol::token::Authenticated;
use crate::protocol::{Error, ErrorCode};
use crate::store::{self, Db};

/// The kind under which proofs are spent.
const CLASS: &str = "dpop";

/// How long a nonce is handed out; it is taken as long again.
const NONCE_SECONDS: i64 = 120;

/// Judges the DPoP proof of a call, if it has one; nothing is spent yet. `access_token` is the one beside it at a resource.
pub fn proof(call: &Call<'_>, access_token: Option<&str>, idp: &Idp) -> Result<Option<Proof>, Error> {
    let Some(jwt) = dpop::single(&call.dpop)? else { return Ok(None) };
    let signed = keys::proof::verify(jwt, &dpop::ALGS).map_err(|reason| {
        dpop::invalid("RFC 9449 §4.3", "DPoP proof is malformed, or its key or signature is not acceptable")
            .because(reason)
    })?;
    let verified = VerifiedProof { header: &signed.header.members, claims: &signed.claims, jkt: &signed.header.jkt };
    // RFC 8705 §5: what is called by the alias is called by another address.
    let bases = [Some(idp.config.issuer.as_str()), idp.config.mtls.alias()];
    let addresses: Vec<String> = bases.into_iter().flatten().map(|base| format!("{base}{}", call.path)).collect();
    let request = Request { method: call.method, addresses: &addresses, access_token };
    let now = idp.clock.now();
    let proof = dpop::judge(&verified, &request, now)?;
    match &proof.nonce {
        Some(nonce) if knows_nonce(nonce, now, idp) => Ok(Some(proof)),
        // RFC 9449 §8: a nonce that was presented is checked whether it was needed or not.
        Some(_) => Err(dpop::use_nonce()),
        None if idp.config.dpop.require_nonce => Err(dpop::use_nonce()),
        None => Ok(Some(proof)),
    }
}

/// `security.md` DP-07: every proof is remembered until it would be refused for its age, and none is forgotten before, so
/// that what bounds the memory is how many one client may bring in that time. Anybody is a public client who says so.
pub async fn within_budget(client: &Client, call: &Call<'_>, idp: &Idp) -> Result<(), Fault> {
    if call.dpop.is_empty()
        || quota::hits("dpop", &client.id, dpop::OLDEST, idp).await <= idp.config.limits.dpop_proofs_per_client
    {
        return Ok(());
    }
    Err(Fault::overloaded("flow", "a client brought too many DPoP proofs"))
}

/// RFC 9449 §11.1: a proof counts once. False when it counted before.
pub fn spend(db: &mut Db, proof: Option<&Proof>) -> Result<bool, Fault> {
    let Some(proof) = proof else { return Ok(true) };
    let (identifier, until) = proof.identifier();
    store::used::once(db, CLASS, &identifier, until)
}

/// What the caller holds, by its proof and its connection.
pub fn held(call: &Call<'_>, proof: Option<&Proof>, idp: &Idp) -> Possession {
    let now = idp.clock.now();
    let usable = call.certificate.as_ref().filter(|certificate| match mtls::usable(certificate, now) {
        Ok(()) => true,
        Err(reason) => {
            tracing::warn!(reason, "certificate.unusable");
            false
        }
    });
    Possession {
        jkt: proof.map(|proof| proof.jkt.clone()),
        x5t: usable.map(|certificate| certificate.thumbprint.clone()),
    }
}

/// A proof that was judged, and what the caller holds by it.
pub struct Shown {
    proof: Option<Proof>,
    held: Possession,
}

/// `proof` for an endpoint that issues.
pub fn shown(call: &Call<'_>, idp: &Idp) -> Result<Shown, Error> {
    let proof = proof(call, None, idp)?;
    let held = held(call, proof.as_ref(), idp);
    Ok(Shown { proof, held })
}

/// Spends the assertion, then the proof, in the order of `contract.md` 4, and says what the caller holds. Whoever must come
/// back with a nonce has spent nothing.
pub fn spent(
    db: &mut Db,
    caller: &Authenticated,
    shown: &Result<Shown, Error>,
) -> Result<Result<Possession, Error>, Fault> {
    if let Err(error) = shown
        && error.code == ErrorCode::UseDpopNonce
    {
        let replayed = match caller.jti() {
            Some((jti, _)) => store::used::is_known(db, super::caller::ASSERTION, jti)?,
            None => false,
        };
        return Ok(Err(if replayed { replayed_assertion() } else { error.clone() }));
    }
    if !spend_jti(db, caller)? {
        return Ok(Err(replayed_assertion()));
    }
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => return Ok(Err(error.clone())),
    };
    if !spend(db, shown.proof.as_ref())? {
        return Ok(Err(dpop::replayed()));
    }
    Ok(Ok(shown.held.clone()))
}

/// `spent`, and what new tokens are bound to.
pub fn settle(
    db: &mut Db,
    caller: &Authenticated,
    shown: &Result<Shown, Error>,
) -> Result<Result<Authenticated, Error>, Fault> {
    let held = match spent(db, caller, shown)? {
        Ok(held) => held,
        Err(error) => return Ok(Err(error)),
    };
    Ok(binding::confirmation(caller.client(), &held).map(|bound| caller.clone().holding(held, bound)))
}

/// The nonce of this moment: the window it was made in, and a code only we can make. Nothing is stored, and every node
/// makes and knows the same (RFC 9449 §8).
pub fn nonce(idp: &Idp) -> String {
    let window = window(idp.clock.now());
    format!("{window}-{}", idp.vault.seal_of("dpop_nonce", &window.to_string()))
}

/// The nonce an answer hands out where one is needed; nobody else is bothered with it.
pub fn next_nonce(idp: &Idp) -> Option<String> {
    idp.config.dpop.require_nonce.then(|| nonce(idp))
}

fn window(now: Moment) -> i64 {
    now.unix().div_euclid(NONCE_SECONDS)
}

fn knows_nonce(nonce: &str, now: Moment, idp: &Idp) -> bool {
    let Some((made, code)) = nonce.split_once('-') else { return false };
    let current = window(now);
    let Some(made) = [current, current - 1].into_iter().find(|window| window.to_string() == made) else { return false };
    idp.vault.knows_seal("dpop_nonce", &made.to_string(), code)
}

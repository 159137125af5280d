//! Who the client says it expects: `id_token_hint` and `login_hint`, resolved before the rules look at them.

use crate::domain::{Client, Fault, PersonNumber};
use crate::idp::Idp;
use crate::protocol::authorize::checks::{HintState, Hints, LoginHint, Way};
use crate::protocol::params::Params;
use crate::store;

/// Resolves both hints. `posted`: a person number is taken from a form body only, never from a URL.
pub async fn resolve(params: &Params, client: &Client, posted: bool, way: Way, idp: &Idp) -> Result<Hints, Fault> {
    // An ID token of ours for this client, expired or not (OIDC Core §3.1.2.1; `security.md` AZ-14).
    let id_token_hint = match params.first("id_token_hint").filter(|hint| !hint.is_empty()) {
        Some(jwt) => HintState::of(idp.ring.verify_own(jwt).as_ref(), &idp.config.issuer, client),
        None => HintState::Absent,
    };
    let login_hint = login_hint(params.first("login_hint"), posted, idp).await?;
    Ok(Hints { way, id_token_hint, login_hint, now: idp.clock.now(), post: posted })
}

async fn login_hint(hint: Option<&str>, posted: bool, idp: &Idp) -> Result<LoginHint, Fault> {
    let Some(hint) = hint.filter(|hint| !hint.is_empty()) else { return Ok(LoginHint::Absent) };
    if let Some(number) = PersonNumber::parse(hint) {
        if !posted {
            return Ok(LoginHint::Unknown);
        }
        let index = idp.vault.blind_index("person", number.reveal());
        let account = idp.store.read(move |db| store::account::find_by_person(db, &index)).await?;
        return Ok(account.map_or(LoginHint::Unknown, |account| LoginHint::Account(account.id)));
    }
    // A `sub` is 43 base64url characters; anything else cannot be one of ours.
    let is_sub = hint.len() == 43 && hint.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    Ok(if is_sub { LoginHint::Subject(hint.to_owned()) } else { LoginHint::Unknown })
}

//! Admission: whether a token opens a dossier, by what the provider says of it and by what its sender proved to hold.

use idp::domain::binding::Confirmation;
use idp::domain::{Acr, Moment};
use idp::keys;
use idp::protocol::binding::{Possession, Scheme, may_present};
use idp::protocol::dpop::{self, Proof, Request, VerifiedProof};
use idp::protocol::step_up::{StepUp, refusal};
use idp::protocol::userinfo::invalid_token;
use idp::protocol::{Error, ErrorCode};
use serde_json::Value;

use super::super::clients::DOSSIERS_READ;

/// What a door asks of a token.
pub struct Door<'a> {
    pub resource: &'a str,
    pub needed: StepUp,
}

/// How a token came.
pub struct Sent {
    pub scheme: Scheme,
    pub held: Possession,
}

/// RFC 9449 §7.1: the proof beside a token sent under the scheme DPoP. It counts once it was spent.
pub fn proof(headers: &[&str], request: &Request<'_>, now: Moment) -> Result<Proof, Error> {
    let missing = || dpop::invalid("RFC 9449 §7.1", "DPoP proof is missing");
    let jwt = dpop::single(headers)?.ok_or_else(missing)?;
    let signed = keys::proof::verify(jwt, &dpop::ALGS).map_err(|_| {
        dpop::invalid("RFC 9449 §4.3", "DPoP proof is malformed, or its key or signature is not acceptable")
    })?;
    let verified = VerifiedProof { header: &signed.header.members, claims: &signed.claims, jkt: &signed.header.jkt };
    dpop::judge(&verified, request, now)
}

/// What an introspection answer comes to: the token must live, be for us, be sent by whoever it is bound to, carry the
/// scope, and rest on a sign-in that is strong enough.
pub fn judge(told: &Value, sent: &Sent, door: &Door<'_>, now: Moment) -> Result<(), Error> {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let for_us = match told.get("aud") {
        Some(Value::Array(several)) => several.iter().any(|one| one == door.resource),
        Some(one) => one == door.resource,
        None => false,
    };
    if told.get("active") != Some(&Value::Bool(true)) || !for_us {
        return Err(invalid_token());
    }
    may_present(bound(told.get("cnf"))?.as_ref(), sent.scheme, &sent.held)?;
    if !text("scope").unwrap_or_default().split(' ').any(|scope| scope == DOSSIERS_READ) {
        let told = "dossiers.read is not in the scope of this token";
        return Err(Error::new(ErrorCode::InsufficientScope, "RFC 6750 §3.1", told));
    }
    let auth_time = told.get("auth_time").and_then(Value::as_i64).unwrap_or_default();
    if !door.needed.is_met(text("acr").and_then(Acr::parse), Moment::from_unix(auth_time), now) {
        return Err(refusal(door.needed.acr));
    }
    Ok(())
}

/// RFC 9449 §6.2, RFC 8705 §3.2. A token bound to anything else is nobody's here.
fn bound(cnf: Option<&Value>) -> Result<Option<Confirmation>, Error> {
    let Some(cnf) = cnf else { return Ok(None) };
    let (mut jkt, mut x5t) = (None, None);
    for (name, value) in cnf.as_object().into_iter().flatten() {
        let place = match name.as_str() {
            "jkt" => &mut jkt,
            "x5t#S256" => &mut x5t,
            _ => return Err(invalid_token()),
        };
        *place = Some(value.as_str().ok_or_else(invalid_token)?.to_owned());
    }
    Confirmation::of(jkt, x5t).map(Some).ok_or_else(invalid_token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const API: &str = "https://api";

    fn good() -> Value {
        json!({
            "active": true, "aud": API, "scope": "openid dossiers.read", "acr": "urn:vn:eid:muc:2", "auth_time": 900
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut told = good();
        told[name] = value;
        told
    }

    fn sent(scheme: Scheme, jkt: Option<&str>, x5t: Option<&str>) -> Sent {
        Sent { scheme, held: Possession { jkt: jkt.map(str::to_owned), x5t: x5t.map(str::to_owned) } }
    }

    fn code(told: &Value, sent: &Sent, acr: Option<Acr>) -> Result<(), ErrorCode> {
        let door = Door { resource: API, needed: StepUp { acr, max_age: None } };
        judge(told, sent, &door, Moment::from_unix(1000)).map_err(|error| error.code)
    }

    #[test]
    fn a_token_opens_only_what_it_is_for() {
        let plain = sent(Scheme::Bearer, None, None);
        assert_eq!(code(&good(), &plain, Some(Acr::Muc2)), Ok(()));
        assert_eq!(code(&with("aud", json!(["https://b", API])), &plain, None), Ok(()));
        for bad in [
            json!({"active": false}),
            with("active", json!("true")),
            with("aud", json!("https://b")),
            with("aud", json!(["https://b"])),
            with("aud", Value::Null),
        ] {
            assert_eq!(code(&bad, &plain, None), Err(ErrorCode::InvalidToken), "{bad}");
        }
        for scope in ["openid", "dossiers.reader", ""] {
            assert_eq!(code(&with("scope", json!(scope)), &plain, None), Err(ErrorCode::InsufficientScope));
        }
        let weak = with("acr", json!("urn:vn:eid:muc:1"));
        assert_eq!(code(&weak, &plain, None), Ok(()));
        assert_eq!(code(&weak, &plain, Some(Acr::Muc2)), Err(ErrorCode::InsufficientUserAuthentication));
    }

    #[test]
    fn a_bound_token_opens_only_for_whoever_holds_what_it_is_bound_to() {
        let (by_key, by_certificate) = (json!({"jkt": "k"}), json!({"x5t#S256": "c"}));
        let both = json!({"jkt": "k", "x5t#S256": "c"});
        let (dpop, bearer) = (Scheme::Dpop, Scheme::Bearer);
        for (cnf, sent, opens) in [
            (&by_key, sent(dpop, Some("k"), None), true),
            (&by_key, sent(dpop, Some("l"), None), false),
            (&by_key, sent(bearer, None, None), false),
            (&by_key, sent(bearer, None, Some("c")), false),
            (&by_certificate, sent(bearer, None, Some("c")), true),
            (&by_certificate, sent(bearer, None, Some("d")), false),
            (&by_certificate, sent(bearer, None, None), false),
            (&by_certificate, sent(dpop, Some("k"), Some("c")), false),
            (&both, sent(dpop, Some("k"), Some("c")), true),
            (&both, sent(dpop, Some("k"), None), false),
            (&json!({}), sent(bearer, None, None), false),
            (&json!("k"), sent(bearer, None, None), false),
            (&json!({"jkt": 1}), sent(dpop, Some("1"), None), false),
            (&json!({"jkt": "k", "kid": "x"}), sent(dpop, Some("k"), None), false),
        ] {
            let outcome = code(&with("cnf", cnf.clone()), &sent, None);
            assert_eq!(outcome, if opens { Ok(()) } else { Err(ErrorCode::InvalidToken) }, "{cnf}");
        }
        let unbound = code(&good(), &sent(dpop, Some("k"), None), None);
        assert_eq!(unbound, Err(ErrorCode::InvalidToken), "RFC 9449 §7.1");
    }
}

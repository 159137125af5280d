//! Pushed authorization requests (RFC 9126): the reference a push is answered with, and whether what it names may be
//! taken up.

use crate::domain::Moment;
use crate::domain::relying_party::Client;
use crate::domain::request::{AuthorizationRequest, PushedRequest};
use crate::protocol::dpop;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::params::Params;

/// RFC 9126 §2.2: what our references begin with.
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a reference.
pub fn request_uri(reference: &str) -> String {
    format!("{URN}{reference}")
}

/// The reference a request brings instead of parameters; whatever stands beside it is ignored (RFC 9126 §4).
pub fn reference(params: &Params) -> Result<Option<&str>, Error> {
    let found = params.all("request_uri").find_map(|uri| uri.strip_prefix(URN));
    if found.is_some() && params.repeated("request_uri") {
        return Err(Error::invalid_request("RFC 6749 §3.1", "request_uri is repeated"));
    }
    Ok(found)
}

/// What was pushed, if this client pushed it and it may still be answered. All refusals are one, so that nothing is learned
/// about the requests of others.
pub fn taken_up(found: Option<PushedRequest>, client: &Client, now: Moment) -> Result<AuthorizationRequest, Error> {
    let pushed = found.ok_or_else(unknown)?;
    // RFC 9126 §2.2: bound to the client that pushed it.
    if pushed.request.client_id != client.id {
        return Err(unknown().because("pushed by another client"));
    }
    if pushed.spent_at.is_some() {
        return Err(spent());
    }
    // RFC 9126 §4: an expired one is refused as invalid.
    if now >= pushed.expires_at {
        return Err(refused("expired"));
    }
    let reference = pushed.reference.as_str().to_owned();
    // What counts as a fresh sign-in is measured from when the holder came, not from when the client asked.
    Ok(AuthorizationRequest { pushed: Some(reference), asked_at: now, ..pushed.request })
}

/// What whoever brings an answered reference again is told (RFC 9126 §7.3).
pub fn spent() -> Error {
    refused("answered before")
}

fn refused(reason: &'static str) -> Error {
    unknown().explained(reason)
}

fn unknown() -> Error {
    Error::new(
        ErrorCode::InvalidRequestUri,
        "RFC 9126 §4",
        "request_uri is not known here, has expired or was answered before",
    )
}

/// RFC 9449 §10.1: a proof at the push binds the code like `dpop_jkt`, and must not contradict it.
pub fn bound(request: AuthorizationRequest, jkt: Option<String>) -> Result<AuthorizationRequest, Error> {
    match (&request.dpop_jkt, jkt) {
        (Some(asked), Some(proved)) if *asked != proved => {
            Err(dpop::invalid("RFC 9449 §10.1", "dpop_jkt is not the key of the DPoP proof"))
        }
        (None, Some(proved)) => Ok(AuthorizationRequest { dpop_jkt: Some(proved), ..request }),
        _ => Ok(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Stored;
    use crate::protocol::fixtures::{self, at};

    fn pushed() -> PushedRequest {
        PushedRequest {
            reference: Stored::of("reference"),
            request: fixtures::request(&fixtures::client("rp", "openid"), "openid"),
            expires_at: at(1090),
            spent_at: None,
        }
    }

    #[test]
    fn rfc9126_4_pj_04_05_what_may_be_taken_up() {
        let (rp, other) = (fixtures::client("rp", "openid"), fixtures::client("other", "openid"));
        let spent = PushedRequest { spent_at: Some(at(1001)), ..pushed() };
        let rows: [(Option<PushedRequest>, &Client, i64, bool); 6] = [
            (Some(pushed()), &rp, 1000, true),
            (Some(pushed()), &rp, 1089, true),
            (Some(pushed()), &rp, 1090, false),
            (Some(pushed()), &other, 1000, false),
            (Some(spent), &rp, 1002, false),
            (None, &rp, 1000, false),
        ];
        for (found, client, now, good) in rows {
            match taken_up(found, client, at(now)) {
                Ok(request) => {
                    assert!(good);
                    assert_eq!((request.asked_at, request.pushed), (at(now), Some(pushed().reference.as_str().into())));
                }
                Err(error) => assert!(!good && error.code == ErrorCode::InvalidRequestUri),
            }
        }
    }

    #[test]
    fn rfc9126_2_2_only_our_own_form_is_a_reference() {
        let of = |text: &str| reference(&Params::parse(text).unwrap()).map(|found| found.map(str::to_owned));
        let text = format!("client_id=rp&request_uri={}&request_uri=", request_uri("abc"));
        assert!(of(&text).is_err(), "repeated");
        assert_eq!(of(&format!("request_uri={}", request_uri("abc"))).unwrap().as_deref(), Some("abc"));
        for other in [
            "",
            "request_uri=",
            "request_uri=https://rp.gov.vn/object",
            "request_uri=URN:ietf:params:oauth:request_uri:x",
        ] {
            assert_eq!(of(other).unwrap(), None, "{other}");
        }
    }
}

//! Token introspection (RFC 7662): who may ask, and what is answered.

use serde_json::{Map, Value, json};

use crate::domain::binding::{Confirmation, token_type};
use crate::domain::grant::Grant;
use crate::domain::level::Acr;
use crate::domain::relying_party::SigningAlg;
use crate::domain::{Client, Id, Moment};

use super::access_token::audience;
use super::authorization_details::is_identifier;
use super::error::Error;
use super::params::Params;
use super::profile::default_alg;
use super::token::Authenticated;

/// The token asked about. `token_type_hint` only orders a search we do not need, so any value of it will do (RFC 7662 §2.1).
pub fn token(params: &Params) -> Result<&str, Error> {
    params.one("token_type_hint")?;
    params.one("token")?.ok_or_else(|| Error::invalid_request("RFC 7662 §2.1", "token is missing"))
}

/// RFC 7662 §2.1: the caller must have proved who it is; naming oneself is not enough.
pub fn admit(caller: &Authenticated) -> Result<(), Error> {
    if caller.client().is_public() {
        return Err(Error::invalid_client("RFC 7662 §2.1", "client authentication is needed here"));
    }
    Ok(())
}

/// What the caller may learn of a token's audience: all of it is the business of the client it was issued to, its own part
/// that of a server in it (`contract.md` 4). `None`: it is told that the token is inactive, like everybody else
/// (`security.md` IN-02).
pub fn seen(caller: &Authenticated, grant: &Grant, audience: &[String]) -> Option<Vec<String>> {
    let client = caller.client();
    if client.id == grant.client {
        return Some(audience.to_vec());
    }
    let own: Vec<String> = audience.iter().filter(|one| client.resources.serves.contains(one)).cloned().collect();
    (!own.is_empty()).then_some(own)
}

/// Who spends the transaction of a token by asking about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    pub by: Id<Client>,
    /// `vn_attempt`: repeated, the first answer is given again.
    pub attempt: Option<String>,
}

/// RFC 7662 §2.1 leaves room for further parameters: the server's own name for this attempt.
pub fn attempt(params: &Params) -> Result<Option<String>, Error> {
    match params.one("vn_attempt")? {
        Some(attempt) if !is_identifier(attempt) => {
            let told = "vn_attempt is not 1 to 64 characters of [A-Za-z0-9._-]";
            Err(Error::invalid_request("RFC 7662 §2.1", told))
        }
        attempt => Ok(attempt.map(str::to_owned)),
    }
}

/// Whether the caller is whom a token is for: a server in its audience, or the client itself where it names none but us. Its
/// question spends a transaction (`contract.md` 4); the client's own question about a server's token only looks.
pub fn is_meant(caller: &Authenticated, grant: &Grant, audience: &[String], issuer: &str) -> bool {
    let client = caller.client();
    if audience.iter().all(|one| one == issuer) {
        return client.id == grant.client;
    }
    audience.iter().any(|one| client.resources.serves.contains(one))
}

/// Which kind of token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Access,
    Refresh,
}

/// What is known of a live token.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    pub issuer: &'a str,
    pub kind: Kind,
    /// What its bearer must prove to hold.
    pub confirmation: Option<&'a Confirmation>,
    pub grant: &'a Grant,
    /// The token's own scope, which may be narrower than the grant's.
    pub scope: &'a [String],
    /// The resources it is for, as far as the caller may know; none: it is the client's own.
    pub audience: &'a [String],
    /// As it holds now.
    pub acr: Option<Acr>,
    pub issued_at: Moment,
    pub expires_at: Moment,
    /// What the holder approved (RFC 9396 §9.2).
    pub authorization_details: Option<&'a Value>,
}

/// RFC 7662 §2.2, with `acr` and `auth_time` for step-up (RFC 9470 §6.2). Never a claim of the holder.
pub fn body(live: &Live<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    let mut state = |name: &str, value: Value| body.insert(name.to_owned(), value);
    state("active", true.into());
    state("iss", live.issuer.into());
    state("client_id", live.grant.client.as_str().into());
    state(
        "aud",
        match live.audience {
            [] => live.grant.client.as_str().into(),
            resources => audience(resources),
        },
    );
    state("iat", live.issued_at.unix().into());
    state("exp", live.expires_at.unix().into());
    if !live.scope.is_empty() {
        state("scope", live.scope.join(" ").into());
    }
    if live.kind == Kind::Access {
        state("token_type", token_type(live.confirmation).into());
    }
    // RFC 9449 §6.2, RFC 8705 §3.2.
    if let Some(confirmation) = live.confirmation {
        state("cnf", Value::Object(confirmation.members()));
    }
    if let Some(details) = live.authorization_details {
        state("authorization_details", details.clone());
    }
    match live.grant.holder() {
        Some(authentication) => {
            state("sub", authentication.sub.as_str().into());
            // RFC 8693 §4.1, as everywhere the subject is named.
            if let Some(actor) = &authentication.actor {
                state("act", actor.claim());
            }
            state("auth_time", authentication.auth_time.unix().into());
            if let Some(acr) = live.acr {
                state("acr", acr.urn().into());
            }
        }
        None => {
            state("sub", live.grant.client.as_str().into());
        }
    }
    body
}

/// RFC 9701 §5: the answer as claims of a JWT for the caller alone. Neither `sub` nor `exp`, so that it never passes for a
/// token itself.
pub fn signed(answer: Value, caller: &Client, issuer: &str, now: Moment) -> Map<String, Value> {
    let claims = [
        ("iss", issuer.into()),
        ("aud", caller.id.as_str().into()),
        ("iat", now.unix().into()),
        ("token_introspection", answer),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// RFC 9701 §6: RS256 where nothing is registered, and under FAPI what that allows.
pub fn signing_alg(caller: &Client) -> SigningAlg {
    caller.answers.introspection_signed_response_alg.unwrap_or_else(|| default_alg(caller.profile))
}

/// RFC 7662 §2.2: everything else is answered alike, without a reason.
pub fn inactive() -> Value {
    json!({ "active": false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arrangement::Resources;
    use crate::protocol::fixtures::{self, words};

    #[test]
    fn rfc9396_only_whom_a_token_is_for_spends_what_it_carries() {
        let grant = fixtures::grant("rp", "openid");
        let caller = |id: &str, serves: &str| {
            let resources = Resources { serves: words(serves), ..Resources::default() };
            fixtures::authenticated(&Client { resources, ..fixtures::client(id, "openid") })
        };
        let (both, ours) = (words("https://a https://b"), words(fixtures::ISSUER));
        let mixed = [both.clone(), ours.clone()].concat();
        for (caller, audience, expected) in [
            (caller("rp", ""), &[][..], true),
            (caller("rp", ""), &both, false),
            (caller("api", "https://b https://c"), &both, true),
            (caller("api", "https://c"), &both, false),
            (caller("api", "https://c"), &[], false),
            (caller("rp", "https://a"), &both, true),
            (caller("rp", ""), &ours, true),
            (caller("api", "https://a"), &ours, false),
            (caller("rp", ""), &mixed, false),
            (caller("api", "https://a"), &mixed, true),
        ] {
            assert_eq!(is_meant(&caller, &grant, audience, fixtures::ISSUER), expected, "{audience:?}");
        }
    }

    #[test]
    fn an_attempt_has_a_plain_name_or_none() {
        let of = |text: &str| attempt(&Params::parse(text).unwrap()).ok();
        assert_eq!(of(""), Some(None));
        assert_eq!(of("vn_attempt="), Some(None));
        assert_eq!(of("vn_attempt=order-7"), Some(Some("order-7".to_owned())));
        for bad in ["vn_attempt=a+b", "vn_attempt=%C3%A9", "vn_attempt=a&vn_attempt=a"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}

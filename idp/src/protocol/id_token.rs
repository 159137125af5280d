//! ID tokens (OIDC Core §2): what one says, and what one of ours says when it comes back as a hint.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};

use crate::domain::grant::Authentication;
use crate::domain::level::{Acr, Levels};
use crate::domain::relying_party::SigningAlg;
use crate::domain::{Client, Id, Moment, Span, authenticator};

/// Everything an ID token is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub issuer: &'a str,
    pub client: &'a Client,
    pub authentication: &'a Authentication,
    /// As it holds now; `None` on a refresh after it stopped holding.
    pub acr: Option<Acr>,
    /// As sent, on the answer to a code only (OIDC Core §12.2).
    pub nonce: Option<&'a str>,
    /// Stated to clients registered with any `vn_` scope.
    pub levels: Option<Levels>,
    /// Released claims with their values.
    pub released: &'a Map<String, Value>,
    pub now: Moment,
    pub lifetime: Span,
}

/// The claims of an ID token. Claims of the protocol always win over released ones of the same name.
pub fn claims(facts: &Facts<'_>) -> Map<String, Value> {
    let authentication = facts.authentication;
    let mut claims = told(facts.released);
    let mut state = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    state("iss", facts.issuer.into());
    state("sub", authentication.sub.as_str().into());
    state("aud", facts.client.id.as_str().into());
    state("iat", facts.now.unix().into());
    state("exp", (facts.now + facts.lifetime).unix().into());
    state("auth_time", authentication.auth_time.unix().into());
    state("sid", authentication.sid.as_str().into());
    // RFC 8693 §4.1.
    if let Some(actor) = &authentication.actor {
        state("act", actor.claim());
    }
    state("amr", authenticator::amr(&authentication.acquaintance.factors()).into());
    if let Some(acr) = facts.acr {
        state("acr", acr.urn().into());
    }
    if let Some(nonce) = facts.nonce {
        state("nonce", nonce.into());
    }
    if let Some(levels) = facts.levels.filter(|_| facts.client.has_vn_scope()) {
        claims.extend(level_claims(levels));
    }
    claims
}

/// Both levels as claims; organisations have no account level.
pub(super) fn level_claims(levels: Levels) -> impl Iterator<Item = (String, Value)> {
    let account = levels.account.map(|level| ("vn_account_level".to_owned(), Value::from(level.number())));
    let authentication = ("vn_auth_level".to_owned(), Value::from(levels.authentication.number()));
    account.into_iter().chain([authentication])
}

/// OIDC Core §5.3.2: a claim without a value is left out, neither null nor empty.
pub(super) fn told(released: &Map<String, Value>) -> Map<String, Value> {
    let has_value = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    released.iter().filter(|(_, value)| has_value(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Ties an ID token to the access token beside it, which may be signed only now that all is recorded.
pub fn bind(claims: &mut Map<String, Value>, access_token: &str, alg: SigningAlg) {
    claims.insert("at_hash".to_owned(), at_hash(access_token, alg).into());
}

/// OIDC Core §3.1.3.6: the left half of the token's hash, by the hash of the signature algorithm (Ed25519: SHA-512).
fn at_hash(token: &str, alg: SigningAlg) -> String {
    let left = |digest: &[u8]| URL_SAFE_NO_PAD.encode(digest.split_at(digest.len() / 2).0);
    match alg {
        SigningAlg::ES256 | SigningAlg::PS256 | SigningAlg::RS256 => left(&Sha256::digest(token.as_bytes())),
        SigningAlg::EdDSA => left(&Sha512::digest(token.as_bytes())),
    }
}

/// Whom an ID token of ours was issued to, and about whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hinted {
    pub client: Id<Client>,
    pub sub: String,
    pub sid: Option<String>,
}

/// Reads an ID token that came back as `id_token_hint`, its signature verified before. An expired one will do (OIDC
/// Core §3.1.2.1, RP-Initiated Logout §2). The error says why it is none of ours.
pub fn hinted(claims: &Map<String, Value>, issuer: &str) -> Result<Hinted, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Err("was not issued here");
    }
    // `auth_time` stands in every ID token of ours and in nothing else we sign.
    let (Some(client), Some(sub), true) = (text("aud"), text("sub"), claims.contains_key("auth_time")) else {
        return Err("is not an ID token");
    };
    Ok(Hinted { client: Id::new(client), sub: sub.to_owned(), sid: text("sid").map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::domain::level::AuthenticationLevel;
    use crate::domain::{AccountLevel, Factor};
    use crate::protocol::fixtures::{self, at};

    fn facts<'a>(
        client: &'a Client,
        authentication: &'a Authentication,
        released: &'a Map<String, Value>,
    ) -> Facts<'a> {
        Facts {
            issuer: "https://id.gov.vn",
            client,
            authentication,
            acr: Some(Acr::Muc2),
            nonce: Some("n"),
            levels: Some(Levels { account: Some(AccountLevel::Two), authentication: AuthenticationLevel::Two }),
            released,
            now: at(1000),
            lifetime: Span::minutes(10),
        }
    }

    #[test]
    fn oidc_core_2_exactly_these_claims() {
        let client = fixtures::client("rp", "openid profile vn_identity");
        let authentication = fixtures::authentication(&[(Factor::Password, 900), (Factor::SmsOtp, 950)]);
        let released = json!({"name": "An", "nickname": "", "gender": null, "iss": "evil", "acr": "9"});
        let released = released.as_object().unwrap();
        let mut claims = claims(&facts(&client, &authentication, released));
        bind(&mut claims, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", SigningAlg::RS256);
        assert_eq!(
            Value::Object(claims),
            json!({
                "iss": "https://id.gov.vn", "sub": "sub-1", "aud": "rp", "iat": 1000, "exp": 1600, "auth_time": 950,
                "sid": "sid-1", "acr": "urn:vn:eid:muc:2", "amr": ["otp", "pwd", "sms", "mfa"], "nonce": "n",
                "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "vn_account_level": 2, "vn_auth_level": 2, "name": "An"
            })
        );
    }

    #[test]
    fn contract_4_levels_only_for_clients_with_a_vn_scope_and_nothing_absent_is_null() {
        let client = fixtures::client("rp", "openid profile");
        let authentication = fixtures::authentication(&[(Factor::Password, 900)]);
        let released = Map::new();
        let facts = Facts { acr: None, nonce: None, ..facts(&client, &authentication, &released) };
        let claims = claims(&facts);
        let names: BTreeSet<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names, ["amr", "aud", "auth_time", "exp", "iat", "iss", "sid", "sub"].into());
    }

    #[test]
    fn oidc_core_3_1_3_6_at_hash_goes_by_the_hash_of_the_algorithm() {
        for alg in [SigningAlg::ES256, SigningAlg::PS256, SigningAlg::RS256] {
            assert_eq!(at_hash("token", alg).len(), 22);
        }
        assert_eq!(at_hash("token", SigningAlg::EdDSA).len(), 43);
    }

    #[test]
    fn oidc_core_3_1_2_1_a_hint_is_an_id_token_of_ours() {
        let good = json!({"iss": "i", "aud": "rp", "sub": "s", "auth_time": 1, "exp": 0, "sid": "x"});
        let hint = hinted(good.as_object().unwrap(), "i").unwrap();
        assert_eq!(hint, Hinted { client: Id::new("rp"), sub: "s".into(), sid: Some("x".into()) });
        for (member, value) in
            [("iss", json!("j")), ("aud", json!(["rp", "b"])), ("sub", json!(1)), ("auth_time", Value::Null)]
        {
            let mut bad = good.as_object().unwrap().clone();
            if value.is_null() {
                bad.remove(member)
            } else {
                bad.insert(member.into(), value)
            };
            assert!(hinted(&bad, "i").is_err(), "{member}");
        }
    }
}

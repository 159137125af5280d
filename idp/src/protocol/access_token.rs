//! Access tokens a server reads without asking us (RFC 9068): what one says, and what one of ours says when it comes back.

use serde::Serialize;
use serde_json::{Map, Value};

use super::scope::spaced;
use crate::domain::binding::Confirmation;
use crate::domain::grant::{Actor, Grant};
use crate::domain::level::Acr;
use crate::domain::{Moment, Span};

/// `security.md` N-03: for so long, at most, it may outlive a lock.
pub const LONGEST: Span = Span::seconds(300);

/// Everything such a token is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub issuer: &'a str,
    pub grant: &'a Grant,
    /// Never empty: a token for no resource is not read by anybody but us.
    pub audience: &'a [String],
    pub scope: &'a [String],
    /// As it holds now.
    pub acr: Option<Acr>,
    /// What its bearer must prove to hold (RFC 9449 §6.1, RFC 8705 §3.1).
    pub confirmation: Option<&'a Confirmation>,
    /// What its record goes by.
    pub jti: &'a str,
    pub now: Moment,
    pub lifetime: Span,
    /// RFC 9396 §9.1: what was approved. It says what the token is for and never that it is still good for it: whoever acts
    /// on it asks first, since it is good once.
    pub authorization_details: Option<&'a Value>,
}

/// What such a token says.
#[derive(Serialize)]
pub struct Claims<'a> {
    iss: &'a str,
    exp: Moment,
    aud: Value,
    client_id: &'a str,
    iat: Moment,
    jti: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty", serialize_with = "spaced")]
    scope: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Map<String, Value>>,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<&'a Value>,
}

/// RFC 9068 §2.2. Never a claim about the citizen: a token passes through hands that none was released to (§6).
pub fn claims<'a>(facts: &Facts<'a>) -> Claims<'a> {
    let holder = facts.grant.holder();
    let client_id = facts.grant.client.as_str();
    Claims {
        iss: facts.issuer,
        exp: facts.now + facts.lifetime,
        aud: audience(facts.audience),
        client_id,
        iat: facts.now,
        jti: facts.jti,
        scope: facts.scope,
        cnf: facts.confirmation.map(Confirmation::members),
        // §2.2: a client that acts for itself is its own subject.
        sub: holder.map_or(client_id, |holder| holder.sub.as_str()),
        // RFC 8693 §4.1, as everywhere the subject is named.
        act: holder.and_then(|holder| holder.actor.as_ref()).map(Actor::claim),
        auth_time: holder.map(|holder| holder.auth_time),
        acr: holder.and(facts.acr).map(Acr::urn),
        authorization_details: facts.authorization_details,
    }
}

/// RFC 7519 §4.1.3: one alone is written as text.
pub fn audience(resources: &[String]) -> Value {
    match resources {
        [one] => one.as_str().into(),
        several => several.to_vec().into(),
    }
}

/// What the record of a token goes by, its signature verified before.
pub fn jti(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("jti").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::grant::Party;
    use crate::protocol::fixtures::{self, ISSUER, at, words};

    #[test]
    fn rfc9068_2_2_golden_claims() {
        let grant = fixtures::grant("rp", "openid dossiers.read");
        let (audience, scope) = (words("https://api.gov.vn"), words("openid dossiers.read"));
        let facts = Facts {
            confirmation: None,
            issuer: ISSUER,
            grant: &grant,
            audience: &audience,
            scope: &scope,
            acr: Some(Acr::Muc1),
            jti: "j",
            now: at(1000),
            lifetime: LONGEST,
            authorization_details: None,
        };
        let told = |facts: &Facts<'_>| serde_json::to_value(claims(facts)).unwrap();
        assert_eq!(jti(told(&facts).as_object().unwrap()), Some("j"));
        assert_eq!(
            told(&facts),
            json!({
                "iss": ISSUER, "exp": 1300, "aud": "https://api.gov.vn", "client_id": "rp", "iat": 1000, "jti": "j",
                "scope": "openid dossiers.read", "sub": "sub-1", "auth_time": 900, "acr": "urn:vn:eid:muc:1"
            })
        );
        let own = Grant { party: Party::ClientItself, ..grant.clone() };
        let two = words("https://a https://b");
        assert_eq!(
            told(&Facts { grant: &own, audience: &two, scope: &[], acr: None, ..facts }),
            json!({
                "iss": ISSUER, "exp": 1300, "aud": ["https://a", "https://b"], "client_id": "rp", "iat": 1000,
                "jti": "j", "sub": "rp"
            })
        );
        let (details, key) = (json!([{"type": "vn_transaction"}]), Confirmation::parse("jkt:a"));
        let bound = told(&Facts { authorization_details: Some(&details), confirmation: key.as_ref(), ..facts });
        assert_eq!((&bound["authorization_details"], &bound["cnf"]), (&details, &json!({"jkt": "a"})));
    }
}

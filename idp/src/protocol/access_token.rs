//! Access tokens a server reads without asking us (RFC 9068): what one says, and what one of ours says when it comes back.

use serde_json::{Map, Value};

use crate::domain::binding::Confirmation;
use crate::domain::grant::Grant;
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
}

/// RFC 9068 §2.2. Never a claim about the citizen: a token passes through hands that none was released to (§6).
pub fn claims(facts: &Facts<'_>) -> Map<String, Value> {
    let grant = facts.grant;
    let mut claims = Map::new();
    let mut state = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    state("iss", facts.issuer.into());
    state("exp", (facts.now + facts.lifetime).unix().into());
    state("aud", audience(facts.audience));
    state("client_id", grant.client.as_str().into());
    state("iat", facts.now.unix().into());
    state("jti", facts.jti.into());
    if !facts.scope.is_empty() {
        state("scope", facts.scope.join(" ").into());
    }
    if let Some(confirmation) = facts.confirmation {
        state("cnf", Value::Object(confirmation.members()));
    }
    match grant.holder() {
        Some(holder) => {
            state("sub", holder.sub.as_str().into());
            // RFC 8693 §4.1, as everywhere the subject is named.
            if let Some(actor) = &holder.actor {
                state("act", actor.claim());
            }
            state("auth_time", holder.auth_time.unix().into());
            if let Some(acr) = facts.acr {
                state("acr", acr.urn().into());
            }
        }
        // §2.2: a client that acts for itself is its own subject.
        None => {
            state("sub", grant.client.as_str().into());
        }
    }
    claims
}

/// RFC 9396 §9.1: what was approved. It says what the token is for and never that it is still good for it: whoever acts on
/// it asks first, since it is good once.
pub fn carry(claims: &mut Map<String, Value>, authorization_details: Option<&Value>) {
    if let Some(details) = authorization_details {
        claims.insert("authorization_details".to_owned(), details.clone());
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
        };
        let told = claims(&facts);
        assert_eq!(jti(&told), Some("j"));
        assert_eq!(
            Value::Object(told),
            json!({
                "iss": ISSUER, "exp": 1300, "aud": "https://api.gov.vn", "client_id": "rp", "iat": 1000, "jti": "j",
                "scope": "openid dossiers.read", "sub": "sub-1", "auth_time": 900, "acr": "urn:vn:eid:muc:1"
            })
        );
        let own = Grant { party: Party::ClientItself, ..grant.clone() };
        let two = words("https://a https://b");
        assert_eq!(
            Value::Object(claims(&Facts { grant: &own, audience: &two, scope: &[], acr: None, ..facts })),
            json!({
                "iss": ISSUER, "exp": 1300, "aud": ["https://a", "https://b"], "client_id": "rp", "iat": 1000,
                "jti": "j", "sub": "rp"
            })
        );
    }
}

//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::Span;
use crate::domain::binding::{Confirmation, token_type};
use crate::protocol::scope::spaced;

/// Tokens on their way to the client, as the members of the answer, which `written` alone makes. Shown once; not for any log.
#[derive(Serialize)]
pub struct TokenSet<'a> {
    /// Only of characters that JSON leaves as they are (RFC 6750 §2.1), and the longest thing here: see `written`.
    #[serde(skip)]
    pub access_token: &'a str,
    /// What the access token is bound to.
    #[serde(rename = "token_type", serialize_with = "kind")]
    pub confirmation: Option<&'a Confirmation>,
    pub expires_in: Span,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<&'a str>,
    /// Always returned, since it may be narrower than what was asked.
    #[serde(skip_serializing_if = "<[String]>::is_empty", serialize_with = "spaced")]
    pub scope: &'a [String],
    /// What the holder approved (RFC 9396 §7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<&'a Value>,
}

impl TokenSet<'_> {
    /// The answer as JSON.
    pub fn written(&self) -> serde_json::Result<String> {
        let others = Zeroizing::new(serde_json::to_string(self)?);
        let mut text = String::with_capacity(self.access_token.len() + others.len() + 20);
        text.push_str(r#"{"access_token":""#);
        text.push_str(self.access_token);
        text.push_str(r#"","#);
        // `token_type` is always among them.
        text.push_str(others.strip_prefix('{').unwrap_or_default());
        Ok(text)
    }
}

fn kind<S: Serializer>(confirmation: &Option<&Confirmation>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token_type(*confirmation))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(set: &TokenSet<'_>) -> Value {
        serde_json::from_str(&set.written().unwrap()).unwrap()
    }

    #[test]
    fn rfc6749_5_1_members() {
        let scope = ["openid".to_owned(), "email".to_owned()];
        let set = TokenSet {
            access_token: "a",
            expires_in: Span::seconds(600),
            refresh_token: None,
            id_token: None,
            confirmation: None,
            scope: &scope,
            authorization_details: None,
        };
        assert_eq!(
            told(&set),
            json!({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "scope": "openid email"})
        );
        let key = Confirmation::parse("jkt:a");
        let bound = TokenSet { confirmation: key.as_ref(), ..set };
        // RFC 9449 §5; a token bound to a certificate is still sent as a bearer token (RFC 8705 §3).
        assert_eq!(told(&bound)["token_type"], "DPoP");
        let certificate = Confirmation::parse("x5t:a");
        assert_eq!(told(&TokenSet { confirmation: certificate.as_ref(), ..bound })["token_type"], "Bearer");
        let all = TokenSet { refresh_token: Some("r"), id_token: Some("i"), scope: &[], confirmation: None, ..bound };
        assert_eq!(
            told(&all),
            json!({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "refresh_token": "r", "id_token": "i"})
        );
        // RFC 9396 §7.
        let details = json!([{"type": "vn_transaction"}]);
        assert_eq!(told(&TokenSet { authorization_details: Some(&details), ..all })["authorization_details"], details);
    }
}

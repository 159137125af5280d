//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use serde_json::{Map, Value};

use crate::domain::Span;
use crate::domain::binding::{Confirmation, token_type};

/// Tokens on their way to the client. Shown once; not for any log.
pub struct TokenSet<'a> {
    pub access_token: &'a str,
    pub expires_in: Span,
    pub refresh_token: Option<&'a str>,
    pub id_token: Option<&'a str>,
    /// What the access token is bound to.
    pub confirmation: Option<&'a Confirmation>,
    /// Always returned, since it may be narrower than what was asked.
    pub scope: &'a [String],
    /// What the holder approved (RFC 9396 §7).
    pub authorization_details: Option<&'a Value>,
}

impl TokenSet<'_> {
    /// The JSON body; empty members are left out.
    pub fn answer(&self) -> Value {
        let mut answer = Map::new();
        answer.insert("access_token".to_owned(), self.access_token.into());
        answer.insert("token_type".to_owned(), token_type(self.confirmation).into());
        answer.insert("expires_in".to_owned(), self.expires_in.as_seconds().into());
        if let Some(token) = self.refresh_token {
            answer.insert("refresh_token".to_owned(), token.into());
        }
        if let Some(token) = self.id_token {
            answer.insert("id_token".to_owned(), token.into());
        }
        if !self.scope.is_empty() {
            answer.insert("scope".to_owned(), self.scope.join(" ").into());
        }
        if let Some(details) = self.authorization_details {
            answer.insert("authorization_details".to_owned(), details.clone());
        }
        Value::Object(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            set.answer(),
            json!({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "scope": "openid email"})
        );
        let key = Confirmation::parse("jkt:a");
        let bound = TokenSet { confirmation: key.as_ref(), ..set };
        // RFC 9449 §5; a token bound to a certificate is still sent as a bearer token (RFC 8705 §3).
        assert_eq!(bound.answer()["token_type"], "DPoP");
        let certificate = Confirmation::parse("x5t:a");
        assert_eq!(TokenSet { confirmation: certificate.as_ref(), ..bound }.answer()["token_type"], "Bearer");
        let all = TokenSet { refresh_token: Some("r"), id_token: Some("i"), scope: &[], confirmation: None, ..bound };
        assert_eq!(
            all.answer(),
            json!({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "refresh_token": "r", "id_token": "i"})
        );
        // RFC 9396 §7.
        let details = json!([{"type": "vn_transaction"}]);
        assert_eq!(
            TokenSet { authorization_details: Some(&details), ..all }.answer()["authorization_details"],
            details
        );
    }
}

//! An authorization request, built right and then spoilt on purpose.

use super::relying_party::RelyingParty;
use super::wire::{encode, pairs};
use super::{fresh, sha256_base64url};

#[derive(Clone, Debug)]
pub struct Ask {
    pub fields: Vec<(String, String)>,
    pub verifier: String,
    pub state: String,
    pub nonce: String,
}

impl Ask {
    /// A request that succeeds: code, S256, state, nonce, scope `openid`.
    pub fn of(client: &RelyingParty) -> Ask {
        let (verifier, state, nonce) = (fresh(), fresh(), fresh());
        let challenge = sha256_base64url(&verifier);
        let fields = pairs(&[
            ("client_id", &client.id),
            ("response_type", "code"),
            ("redirect_uri", &client.redirect),
            ("scope", "openid"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ask { fields, verifier, state, nonce }
    }

    pub fn with(mut self, name: &str, value: &str) -> Ask {
        self.fields.retain(|(known, _)| known != name);
        self.also(name, value)
    }

    pub fn scope(self, scope: &str) -> Ask {
        self.with("scope", scope)
    }

    /// Adds the parameter even where it stands already.
    pub fn also(mut self, name: &str, value: &str) -> Ask {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Ask {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn target(&self) -> String {
        format!("/authorize?{}", encode(&self.fields))
    }
}

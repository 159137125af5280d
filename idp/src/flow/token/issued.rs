//! Tokens recorded and ready to leave: signed, and encrypted where the client wants it so, after the commit.

use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::domain::binding::Confirmation;
use crate::domain::relying_party::{Client, SigningAlg};
use crate::domain::secret::{AccessToken, Minted};
use crate::domain::{Fault, Span};
use crate::flow::answers;
use crate::idp::Idp;
use crate::keys::ACCESS_TOKEN;
use crate::protocol::id_token;
use crate::protocol::token::set::TokenSet;

pub(super) struct Issued {
    pub client: Arc<Client>,
    pub access_token: Access,
    pub expires_in: Span,
    pub refresh_token: Option<Zeroizing<String>>,
    /// What the access token is bound to.
    pub confirmation: Option<Confirmation>,
    pub scope: Vec<String>,
    /// What the ID token states, when one is due.
    pub id_token: Option<Map<String, Value>>,
    /// What the holder approved (RFC 9396 §7).
    pub authorization_details: Option<Value>,
}

/// An access token in the form its servers take.
pub(super) enum Access {
    Opaque(Minted<AccessToken>),
    /// Its claims as JSON, to be signed by this algorithm (RFC 9068).
    Jwt(SigningAlg, Vec<u8>),
}

impl Access {
    fn text(self, idp: &Idp) -> Result<Zeroizing<String>, Fault> {
        Ok(Zeroizing::new(match self {
            Access::Opaque(token) => token.reveal().to_owned(),
            Access::Jwt(alg, claims) => idp.ring.sign_written(alg, ACCESS_TOKEN, &claims, idp.clock.now())?,
        }))
    }
}

impl Issued {
    pub async fn answer(self, idp: &Arc<Idp>) -> Result<String, Fault> {
        let access_token = self.access_token.text(idp)?;
        let alg = self.client.id_token_signed_response_alg;
        let encryption = self.client.answers.id_token_encryption();
        let id_token = match self.id_token {
            Some(mut claims) => {
                id_token::bind(&mut claims, &access_token, alg);
                Some(answers::sealed(&claims, Some(alg), encryption, &self.client, idp).await?)
            }
            None => None,
        };
        let set = TokenSet {
            access_token: &access_token,
            expires_in: self.expires_in,
            refresh_token: self.refresh_token.as_ref().map(|token| token.as_str()),
            id_token: id_token.as_deref(),
            confirmation: self.confirmation.as_ref(),
            scope: &self.scope,
            authorization_details: self.authorization_details.as_ref(),
        };
        set.written().map_err(|error| Fault::broken("flow", error))
    }
}

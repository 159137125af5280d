//! Rp: a relying party as a portal team would write it, on the `openidconnect` crate over our HTTP client.
//!
//! Code flow with PKCE, `state`, `nonce`, the issuer check of RFC 9207, ID token and `at_hash` verification, userinfo.
//! It keeps nothing between two calls but what discovery told; what a browser must bring back is its caller's to keep.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use admin::web::relying_party::{HttpFailure, Outbound, Unverified, verified};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpResponse, IssuerUrl, LanguageTag,
    LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl,
    Scope, SubjectIdentifier, TokenResponse, UserInfoClaims,
};
use serde_json::{Map, Value};
use url::Url;

mod approval;
pub mod logout_token;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the provider and the portal agreed on at registration.
#[derive(Clone)]
pub struct Registration {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    pub redirect_uri: String,
    pub signing: CoreJwsSigningAlgorithm,
}

/// What one sign-in asks for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub scopes: Vec<String>,
    pub acr: Option<String>,
    pub language: String,
    /// Further parameters, sent as they are: `service`, `claims`, `prompt`.
    pub parameters: Vec<(String, String)>,
}

/// A sign-in under way: goes into the browser's own session at the portal until the answer comes.
pub struct Begun {
    pub url: String,
    pub state: String,
    nonce: Nonce,
    verifier: String,
    /// What the citizen is asked to approve, as it was sent.
    details: Option<Value>,
}

/// The authorization response as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub code: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// A finished sign-in: what the provider told, as it told it.
#[derive(Clone)]
pub struct SignedIn {
    pub id_token: CoreIdToken,
    pub id_claims: Map<String, Value>,
    pub userinfo: Map<String, Value>,
    /// What the citizen approved, spent by asking.
    pub approved: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider's own answer to the request, or the citizen's.
    Refused { error: String, description: Option<String> },
    /// The answer does not belong to what we asked, so nothing in it is believed.
    Untrusted(&'static str),
    /// The provider cannot be reached, or its answer cannot be used.
    Provider(String),
}

struct Provider {
    metadata: approval::Metadata,
    client: Client,
}

pub struct RelyingParty {
    registration: Registration,
    outbound: Outbound,
    provider: RwLock<Option<Arc<Provider>>>,
    /// Logout tokens heard already.
    heard: logout_token::Heard,
}

impl RelyingParty {
    pub fn new(registration: Registration) -> Result<Self, Failure> {
        let outbound = Outbound::new(None).map_err(Failure::Provider)?;
        Ok(Self { registration, outbound, provider: RwLock::new(None), heard: logout_token::Heard::default() })
    }

    pub async fn begin(&self, ask: &Ask) -> Result<Begun, Failure> {
        let provider = self.provider().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, fresh_state, Nonce::new_random)
            .add_scopes(ask.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new))
            .add_ui_locale(LanguageTag::new(ask.language.clone()))
            .set_pkce_challenge(challenge);
        if let Some(acr) = &ask.acr {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        for (name, value) in &ask.parameters {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        let (url, state, nonce) = request.url();
        let details = ask.parameters.iter().find(|(name, _)| name == "authorization_details");
        let details = details.and_then(|(_, text)| serde_json::from_str(text).ok());
        Ok(Begun { url: url.into(), state: state.into_secret(), nonce, verifier: verifier.into_secret(), details })
    }

    /// Redeems the answer. The caller has found `begun` by the answer's `state` in the same browser's session.
    pub async fn finish(&self, begun: Begun, answer: &Answer) -> Result<SignedIn, Failure> {
        // RFC 9207 §2.4: an answer without our issuer may be another provider's, errors included.
        if answer.iss.as_deref() != Some(self.registration.issuer.as_str()) {
            return Err(Failure::Untrusted("iss"));
        }
        if let Some(error) = &answer.error {
            return Err(Failure::Refused { error: error.clone(), description: answer.error_description.clone() });
        }
        let code = answer.code.clone().ok_or(Failure::Untrusted("code"))?;

        let provider = self.provider().await?;
        let tokens: CoreTokenResponse = provider
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Failure::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request_async(&|request| self.outbound.send(request))
            .await
            .map_err(|error| Failure::Provider(told("token", &error)))?;

        let id_token = tokens.id_token().ok_or(Failure::Untrusted("id_token"))?.clone();
        let subject = self.verify(&provider, &id_token, &begun.nonce, tokens.access_token()).await?;
        let userinfo = self.userinfo(&provider, tokens.access_token(), subject).await?;
        let id_claims = payload(&id_token).ok_or(Failure::Untrusted("id_token"))?;
        // Last, for it ends the token.
        let approved = match &begun.details {
            None => None,
            Some(asked) => Some(self.spend(&provider, tokens.access_token()).await?).filter(|told| told == asked),
        };
        if approved.is_none() && begun.details.is_some() {
            return Err(Failure::Untrusted("authorization_details"));
        }
        Ok(SignedIn { id_token, id_claims, userinfo, approved })
    }

    /// Where RP-initiated logout begins, when the provider offers it.
    pub async fn end_session(&self, id_token: &CoreIdToken, back: &str) -> Result<Option<Url>, Failure> {
        let provider = self.provider().await?;
        let Some(endpoint) = provider.metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        let back = PostLogoutRedirectUrl::new(back.to_owned()).map_err(|error| Failure::Provider(error.to_string()))?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(id_token)
            .set_client_id(ClientId::new(self.registration.client_id.clone()))
            .set_post_logout_redirect_uri(back);
        Ok(Some(request.http_get_url()))
    }

    /// Whom the token is about, once it is believed.
    async fn verify(
        &self,
        provider: &Provider,
        id_token: &CoreIdToken,
        nonce: &Nonce,
        access_token: &AccessToken,
    ) -> Result<SubjectIdentifier, Failure> {
        match self.claims(provider, id_token, nonce, access_token) {
            // The provider may have rotated its keys since we asked for them: ask once more.
            Err(Unverified::NoKey) => {
                let fresh = self.discover().await?;
                self.claims(&fresh, id_token, nonce, access_token)
            }
            settled => settled,
        }
        .map_err(|_| Failure::Untrusted("id_token"))
    }

    fn claims(
        &self,
        provider: &Provider,
        id_token: &CoreIdToken,
        nonce: &Nonce,
        access_token: &AccessToken,
    ) -> Result<SubjectIdentifier, Unverified> {
        let verifier = provider.client.id_token_verifier().set_allowed_algs([self.registration.signing.clone()]);
        let claims = verified(id_token, &verifier, nonce, access_token)?;
        Ok(claims.subject().clone())
    }

    /// OIDC Core §5.3.2: the crate compares `sub`; the body is kept as it came, members unknown to the crate included.
    async fn userinfo(
        &self,
        provider: &Provider,
        token: &AccessToken,
        subject: SubjectIdentifier,
    ) -> Result<Map<String, Value>, Failure> {
        let body = Mutex::new(Vec::new());
        let send = |request| async {
            let response = self.outbound.send(request).await?;
            *body.lock().unwrap_or_else(PoisonError::into_inner) = response.body().clone();
            Ok::<HttpResponse, HttpFailure>(response)
        };
        let _typed: UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim> = provider
            .client
            .user_info(token.clone(), Some(subject))
            .map_err(|error| Failure::Provider(error.to_string()))?
            .request_async(&send)
            .await
            .map_err(|error| Failure::Provider(told("userinfo", &error)))?;
        let body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body).map_err(|error| Failure::Provider(error.to_string()))
    }

    async fn provider(&self) -> Result<Arc<Provider>, Failure> {
        let known = self.provider.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(provider) => Ok(provider),
            None => self.discover().await,
        }
    }

    async fn discover(&self) -> Result<Arc<Provider>, Failure> {
        let registration = &self.registration;
        let issuer =
            IssuerUrl::new(registration.issuer.clone()).map_err(|error| Failure::Provider(error.to_string()))?;
        let redirect = RedirectUrl::new(registration.redirect_uri.clone())
            .map_err(|error| Failure::Provider(error.to_string()))?;
        let metadata = approval::Metadata::discover_async(issuer, &|request| self.outbound.send(request))
            .await
            .map_err(|error| Failure::Provider(told("discovery", &error)))?;
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(registration.client_id.clone()),
            Some(ClientSecret::new(registration.client_secret.clone())),
        )
        .set_redirect_uri(redirect);
        let provider = Arc::new(Provider { metadata, client });
        *self.provider.write().unwrap_or_else(PoisonError::into_inner) = Some(provider.clone());
        Ok(provider)
    }
}

fn fresh_state() -> CsrfToken {
    CsrfToken::new_random_len(32)
}

/// One line of a failure with its causes, in the words of the part that failed.
fn told(endpoint: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{endpoint}: {error}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

/// The claims of a verified ID token as they were signed.
fn payload(id_token: &CoreIdToken) -> Option<Map<String, Value>> {
    let text = id_token.to_string();
    let payload = text.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
#[path = "rp_tests.rs"]
mod tests;

//! The provider as the console sees it: a relying party like any other, on the `openidconnect` crate (code flow, PKCE,
//! `state`, `nonce`, the issuer check of RFC 9207).
//!
//! Discovery is asked for when it is first needed and again when it has grown old, so that the console may start first.

use std::sync::Arc;

use idp::config::Config;
use idp::domain::{Moment, Span};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, LanguageTag, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::relying_party::{Outbound, Token, Unverified, verified};

/// How long discovery and keys are believed; the provider says the same of them (`contract.md` 8).
const FRESH: Span = Span::minutes(15);

/// The one claim beyond the standard's that the console needs: the sign-in it must follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sid {
    sid: String,
}

impl AdditionalClaims for Sid {}

type TokenFields = IdTokenFields<
    Sid,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Client = openidconnect::Client<
    Sid,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<TokenFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A sign-in under way. It waits, sealed, in the browser that began it.
#[derive(Serialize, Deserialize)]
pub struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    begun_at: i64,
}

/// The authorization response as it arrived.
#[derive(Deserialize)]
pub struct Response {
    state: Option<String>,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Who signed in, in the console's own terms.
pub struct SignedIn {
    pub sub: String,
    pub sid: String,
    pub id_token: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider or the person at it said no.
    Refused,
    /// The answer does not belong to what we asked; nothing in it is believed.
    Untrusted(&'static str),
    /// The provider cannot be reached, or its answer cannot be used. For the log.
    Provider(String),
}

struct Known {
    client: Client,
    end_session: Option<Url>,
    at: Moment,
}

pub struct Provider {
    issuer: String,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect_uri: RedirectUrl,
    outbound: Outbound,
    known: Mutex<Option<Arc<Known>>>,
}

impl Provider {
    /// Reads the client secret; says what is wrong with the settings otherwise.
    pub fn new(config: &Config) -> Result<Self, String> {
        let secret = match &config.admin.client_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("admin.client_secret_file: {}: {error}", path.display()))?;
                Some(ClientSecret::new(text.trim().to_owned()))
            }
            None => None,
        };
        let redirect_uri = RedirectUrl::new(format!("{}/callback", config.admin.public_url()))
            .map_err(|error| format!("admin.public_url: {error}"))?;
        let also_trusted = match &config.fetch.extra_ca {
            Some(path) => {
                let pem =
                    std::fs::read(path).map_err(|error| format!("fetch.extra_ca: {}: {error}", path.display()))?;
                let certificate = reqwest::Certificate::from_pem(&pem);
                Some(certificate.map_err(|error| format!("fetch.extra_ca: {error}"))?)
            }
            None => None,
        };
        Ok(Self {
            issuer: config.issuer.clone(),
            client_id: ClientId::new(config.admin.client_id.clone()),
            client_secret: secret,
            redirect_uri,
            outbound: Outbound::new(also_trusted)?,
            known: Mutex::new(None),
        })
    }

    /// Where the browser goes to sign in, and what it must bring back.
    pub async fn begin(&self, language: &str, now: Moment) -> Result<(Url, Begun), Failure> {
        let known = self.known(now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = known
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .add_ui_locale(LanguageTag::new(language.to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let begun = Begun {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            begun_at: now.unix(),
        };
        Ok((url, begun))
    }

    /// Redeems the answer for an ID token that is ours, fresh and meant for this browser.
    pub async fn finish(&self, begun: Begun, response: Response, now: Moment) -> Result<SignedIn, Failure> {
        if now.since(Moment::from_unix(begun.begun_at)) > Span::hours(1) {
            return Err(Failure::Untrusted("begun too long ago"));
        }
        if response.state.as_deref() != Some(begun.state.as_str()) {
            return Err(Failure::Untrusted("state"));
        }
        // RFC 9207 §2.4: an answer without our issuer may be another provider's, errors included.
        if response.iss.as_deref() != Some(self.issuer.as_str()) {
            return Err(Failure::Untrusted("iss"));
        }
        if response.error.is_some() {
            return Err(Failure::Refused);
        }
        let code = response.code.ok_or(Failure::Untrusted("code"))?;
        let known = self.known(now).await?;
        let tokens = known
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Failure::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request_async(&|request| self.outbound.send(request))
            .await
            // What the provider said stays out of the log: it may quote the request.
            .map_err(|_| Failure::Provider("the token endpoint refused or did not answer".to_owned()))?;
        let id_token = tokens.id_token().ok_or(Failure::Untrusted("no id_token"))?;
        let nonce = Nonce::new(begun.nonce);
        match believed(&known.client, id_token, &nonce, tokens.access_token()) {
            // The provider may have rotated its keys since we asked for them: ask once more.
            Err(Unverified::NoKey) => {
                let known = self.discover(now).await?;
                believed(&known.client, id_token, &nonce, tokens.access_token())
            }
            settled => settled,
        }
        .map_err(|_| Failure::Untrusted("id_token"))
    }

    /// The sign-out of the provider (OIDC RP-Initiated Logout 1.0 §2), coming back to `back`.
    pub async fn end_session(&self, id_token: &str, back: &str, now: Moment) -> Result<Option<Url>, Failure> {
        let known = self.known(now).await?;
        Ok(known.end_session.clone().map(|mut url| {
            url.query_pairs_mut()
                .append_pair("id_token_hint", id_token)
                .append_pair("client_id", self.client_id.as_str())
                .append_pair("post_logout_redirect_uri", back);
            url
        }))
    }

    async fn known(&self, now: Moment) -> Result<Arc<Known>, Failure> {
        if let Some(known) = self.known.lock().await.as_ref().filter(|known| now.since(known.at) < FRESH) {
            return Ok(Arc::clone(known));
        }
        self.discover(now).await
    }

    async fn discover(&self, now: Moment) -> Result<Arc<Known>, Failure> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| Failure::Provider(error.to_string()))?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &|request| self.outbound.send(request))
            .await
            .map_err(|_| Failure::Provider("discovery failed".to_owned()))?;
        let end_session = metadata.additional_metadata().end_session_endpoint.as_ref().map(|at| at.url().clone());
        let client =
            openidconnect::Client::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone())
                .set_redirect_uri(self.redirect_uri.clone());
        let known = Arc::new(Known { client, end_session, at: now });
        *self.known.lock().await = Some(Arc::clone(&known));
        Ok(known)
    }
}

fn believed(
    client: &Client,
    token: &Token<Sid>,
    nonce: &Nonce,
    access_token: &AccessToken,
) -> Result<SignedIn, Unverified> {
    let claims = verified(token, &client.id_token_verifier(), nonce, access_token)?;
    Ok(SignedIn {
        sub: claims.subject().as_str().to_owned(),
        sid: claims.additional_claims().sid.clone(),
        id_token: token.to_string(),
    })
}

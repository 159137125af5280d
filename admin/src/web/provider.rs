//! The provider as the console sees it: a relying party like any other, on the `openidconnect` crate (code flow, PKCE,
//! `state`, `nonce`, the issuer check of RFC 9207).
//!
//! Discovery is asked for when it is first needed and again when it has grown old, so that the console may start first.

use std::sync::Arc;
use std::time::Duration;

use idp::config::Config;
use idp::domain::{Moment, Span};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdToken,
    IdTokenFields, IssuerUrl, LanguageTag, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    ProviderMetadataWithLogout, RedirectUrl, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    TokenResponse, http,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

/// How long discovery and keys are believed; the provider says the same of them (`contract.md` 8).
const FRESH: Span = Span::minutes(15);

const LARGEST_BODY: usize = 256 * 1024;

/// The one claim beyond the standard's that the console needs: the sign-in it must follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sid {
    sid: String,
}

impl AdditionalClaims for Sid {}

type Token = IdToken<Sid, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
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
    http: reqwest::Client,
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
        // A redirect from the token endpoint would carry our credentials elsewhere.
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(10));
        if let Some(path) = &config.fetch.extra_ca {
            let pem = std::fs::read(path).map_err(|error| format!("fetch.extra_ca: {}: {error}", path.display()))?;
            let certificate =
                reqwest::Certificate::from_pem(&pem).map_err(|error| format!("fetch.extra_ca: {error}"))?;
            http = http.tls_certs_merge([certificate]);
        }
        Ok(Self {
            issuer: config.issuer.clone(),
            client_id: ClientId::new(config.admin.client_id.clone()),
            client_secret: secret,
            redirect_uri,
            http: http.build().map_err(|error| error.to_string())?,
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
            .request_async(&|request| self.send(request))
            .await
            // What the provider said stays out of the log: it may quote the request.
            .map_err(|_| Failure::Provider("the token endpoint refused or did not answer".to_owned()))?;
        let id_token = tokens.id_token().ok_or(Failure::Untrusted("no id_token"))?;
        let nonce = Nonce::new(begun.nonce);
        match verified(&known.client, id_token, &nonce, tokens.access_token()) {
            // The provider may have rotated its keys since we asked for them: ask once more.
            Err(Unverified::NoKey) => {
                let known = self.discover(now).await?;
                verified(&known.client, id_token, &nonce, tokens.access_token())
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
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &|request| self.send(request))
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

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        let request = reqwest::Request::try_from(request).map_err(Trouble::new)?;
        let mut response = self.http.execute(request).await.map_err(Trouble::new)?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = response.headers().clone();
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Trouble::new)? {
            if body.len().saturating_add(chunk.len()) > LARGEST_BODY {
                return Err(Trouble("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body).map_err(Trouble::new)
    }
}

enum Unverified {
    NoKey,
    Wrong,
}

/// OIDC Core §3.1.3.7, and §3.1.3.6 for `at_hash`.
fn verified(
    client: &Client,
    token: &Token,
    nonce: &Nonce,
    access_token: &openidconnect::AccessToken,
) -> Result<SignedIn, Unverified> {
    let verifier = client.id_token_verifier();
    let claims = token.claims(&verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Unverified::NoKey,
        _ => Unverified::Wrong,
    })?;
    if let Some(expected) = claims.access_token_hash() {
        let alg = token.signing_alg().map_err(|_| Unverified::Wrong)?;
        let key = token.signing_key(&verifier).map_err(|_| Unverified::Wrong)?;
        let actual = AccessTokenHash::from_token(access_token, alg, key).map_err(|_| Unverified::Wrong)?;
        if actual != *expected {
            return Err(Unverified::Wrong);
        }
    }
    Ok(SignedIn {
        sub: claims.subject().as_str().to_owned(),
        sid: claims.additional_claims().sid.clone(),
        id_token: token.to_string(),
    })
}

/// Why a call did not come back, without the address it went to.
#[derive(Debug)]
struct Trouble(String);

impl Trouble {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

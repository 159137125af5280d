//! What relying parties here do alike, the console and the sandbox's portals: they call the provider from the
//! `openidconnect` crate over our HTTP client, and believe an ID token after the same checks.
//!
//! Must not know: what is asked for, or what becomes of who signed in.

use std::time::Duration;

use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, ClaimsVerificationError, HttpRequest, HttpResponse, IdToken,
    IdTokenClaims, Nonce, SignatureVerificationError, http,
};

/// The largest body read from the provider.
pub const LARGEST_BODY: usize = 256 * 1024;

/// An ID token with the members `A` beyond the standard's.
pub type Token<A> = IdToken<A, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// The way to the provider.
pub struct Outbound(reqwest::Client);

impl Outbound {
    /// `also_trusted`: an authority beside the public ones.
    pub fn new(also_trusted: Option<reqwest::Certificate>) -> Result<Self, String> {
        // A redirect from a token or userinfo endpoint would carry our credentials elsewhere.
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(10));
        if let Some(certificate) = also_trusted {
            http = http.tls_certs_merge([certificate]);
        }
        http.build().map(Self).map_err(|error| error.to_string())
    }

    /// The adapter between the crate's HTTP types and our client.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let request = reqwest::Request::try_from(request).map_err(HttpFailure::new)?;
        let mut response = self.0.execute(request).await.map_err(HttpFailure::new)?;
        let mut answer = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(HttpFailure::new)? {
            if body.len().saturating_add(chunk.len()) > LARGEST_BODY {
                return Err(HttpFailure("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body).map_err(HttpFailure::new)
    }
}

/// Why the provider could not be asked. Addresses stay out of the text: they may carry a code.
#[derive(Debug)]
pub struct HttpFailure(String);

impl HttpFailure {
    fn new(error: impl std::error::Error) -> Self {
        let mut text = String::new();
        let mut cause: Option<&dyn std::error::Error> = error.source();
        while let Some(deeper) = cause {
            text = deeper.to_string();
            cause = deeper.source();
        }
        Self(if text.is_empty() { "the request failed".to_owned() } else { text })
    }
}

impl std::fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpFailure {}

pub enum Unverified {
    /// No key of the set fits: perhaps a newer one does.
    NoKey,
    Wrong,
}

/// OIDC Core §3.1.3.7, and §3.1.3.6 for `at_hash`.
pub fn verified<'a, A: AdditionalClaims>(
    token: &'a Token<A>,
    verifier: &CoreIdTokenVerifier<'_>,
    nonce: &Nonce,
    access_token: &AccessToken,
) -> Result<&'a IdTokenClaims<A, CoreGenderClaim>, Unverified> {
    let claims = token.claims(verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Unverified::NoKey,
        _ => Unverified::Wrong,
    })?;
    if let Some(expected) = claims.access_token_hash() {
        let alg = token.signing_alg().map_err(|_| Unverified::Wrong)?;
        let key = token.signing_key(verifier).map_err(|_| Unverified::Wrong)?;
        let actual = AccessTokenHash::from_token(access_token, alg, key).map_err(|_| Unverified::Wrong)?;
        if actual != *expected {
            return Err(Unverified::Wrong);
        }
    }
    Ok(claims)
}

//! One provider, through the `openidconnect` crate: what its discovery document and key set say, the address a browser is
//! sent to, and the tokens that come back. The crate reads the documents, makes the PKCE challenge and checks signatures;
//! what the claims must say is in `token`.

mod jwt;

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySet,
    JwsSigningAlgorithm, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, http,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use jwt::{Parts, Signed};

use super::{Arrived, Bound, Carried, Carrier, Credential, Failure, Identified, LoggedOut, ReadObject, token};
use crate::domain::{Moment, Span};

/// How long a discovery document and its keys are believed.
const FRESH: Span = Span::minutes(15);
/// For the sake of a signature nobody can check, the keys are asked for no oftener than this.
const ASKED_AGAIN: Span = Span::seconds(30);
/// Who waited for a document that did not come does not wait for it again at once.
const ALSO_FAILED: Span = Span::seconds(2);

/// What the crate does not read of a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Advertised {
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Advertised {}

type Metadata = ProviderMetadata<
    Advertised,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the operator agreed on with the provider.
pub struct Settings {
    pub issuer: String,
    pub client_id: String,
    pub scopes: Vec<String>,
    pub redirect_uri: String,
    pub object: ReadObject,
}

struct Known {
    metadata: Metadata,
    keys: CoreJsonWebKeySet,
    at: Moment,
    /// How often the keys were asked for.
    asked: u64,
}

#[derive(Default)]
struct Turn {
    failed: Option<(Moment, Failure)>,
    /// The last time a signature made us ask for keys.
    pressed: Option<Moment>,
}

pub struct Oidc {
    settings: Settings,
    carrier: Box<dyn Carrier>,
    known: Mutex<Option<Arc<Known>>>,
    /// One request at a time asks for the documents; the others wait for what it brings.
    turn: tokio::sync::Mutex<Turn>,
}

impl Oidc {
    pub fn new(settings: Settings, carrier: Box<dyn Carrier>) -> Self {
        Self { settings, carrier, known: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    pub fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// Where the browser goes (OIDC Core §3.1.2.1, RFC 7636 §4.3). Always a fresh sign-in: what it leads to here counts
    /// as one.
    pub async fn begin(&self, bound: &Bound<'_>, language: &str, now: Moment) -> Result<String, Failure> {
        let known = self.known(now).await?;
        let mut url = known.metadata.authorization_endpoint().url().clone();
        self.outside(&url)?;
        let verifier = PkceCodeVerifier::new(bound.verifier.to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", bound.state)
            .append_pair("nonce", bound.nonce)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "login")
            .append_pair("ui_locales", language);
        Ok(url.into())
    }

    /// A browser is sent to https only, or to this machine where the issuer itself is on it.
    fn outside(&self, url: &Url) -> Result<(), Failure> {
        let here = self.settings.issuer.starts_with("http://")
            && url.scheme() == "http"
            && matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        if here || (url.scheme() == "https" && url.has_host()) {
            return Ok(());
        }
        Err(Failure::Unreachable("its authorization endpoint is not an https address".to_owned()))
    }

    /// RFC 9207 §2.4: an answer that names another issuer, or none where ours always names itself, may be another
    /// provider's. Asked before anything is sent to the token endpoint.
    pub async fn answered(&self, iss: Option<&str>, now: Moment) -> Result<(), Failure> {
        let known = self.known(now).await?;
        let advertised = known.metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match iss {
            Some(iss) if iss == self.settings.issuer => Ok(()),
            None if !advertised => Ok(()),
            _ => Err(Failure::Untrusted("iss")),
        }
    }

    /// Where an assertion of ours is addressed and the code is redeemed.
    pub async fn redeem(
        &self,
        code: &str,
        bound: &Bound<'_>,
        credential: &Credential,
        now: Moment,
    ) -> Result<Identified, Failure> {
        let known = self.known(now).await?;
        let endpoint = known.metadata.token_endpoint();
        let endpoint = endpoint.ok_or_else(|| unreachable("it names no token endpoint"))?.to_string();
        let answer = self.post(endpoint, code, bound.verifier, credential).await?;
        let told = |name: &str| answer.get(name).and_then(Value::as_str);
        if !told("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(Failure::Untrusted("token_type"));
        }
        let (access, id_token) = match (told("access_token"), told("id_token")) {
            (Some(access), Some(id_token)) => (access.to_owned(), id_token.to_owned()),
            _ => return Err(Failure::Untrusted("id_token")),
        };
        let signed = self.signed(&id_token, &[None, Some("JWT")], now).await?;
        let expected = token::Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: bound.nonce,
            begun_at: bound.begun_at,
            now,
        };
        let identified = token::id_token(&signed.claims, &expected)?;
        token::access_token(&signed.claims, &signed.alg, &access)?;
        if let Some(endpoint) = known.metadata.userinfo_endpoint() {
            let claims = self.userinfo(endpoint.to_string(), &access).await?;
            token::userinfo(&claims, &identified.sub)?;
        }
        Ok(identified)
    }

    /// A logout token it sent us (Back-Channel Logout 1.0 §2.6), typed as what it is.
    pub async fn logged_out(&self, jwt: &str, now: Moment) -> Result<LoggedOut, Failure> {
        let signed = self.signed(jwt, &[Some("logout+jwt")], now).await?;
        token::logout_token(&signed.claims, (&self.settings.issuer, &self.settings.client_id), now)
    }

    async fn post(
        &self,
        endpoint: String,
        code: &str,
        verifier: &str,
        credential: &Credential,
    ) -> Result<Map<String, Value>, Failure> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("code_verifier", verifier);
        match credential {
            Credential::Secret(secret) => {
                // RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(&self.settings.client_id), encoded(secret));
                headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
            }
            Credential::Assertion(jwt) => {
                form.append_pair("client_id", &self.settings.client_id)
                    .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                    .append_pair("client_assertion", jwt);
            }
        }
        let arrived = self.carry(Carried { url: endpoint, headers, form: Some(form.finish()) }).await?;
        // RFC 6749 §5.2. Whatever else it answers is no answer to a token request.
        if matches!(arrived.status, 400 | 401) {
            let told = self.read(&arrived)?;
            let code = told.get("error").and_then(Value::as_str).unwrap_or("unnamed");
            return Err(Failure::Refused(code.chars().filter(char::is_ascii_graphic).take(64).collect()));
        }
        self.read_ok(&arrived)
    }

    async fn userinfo(&self, endpoint: String, access: &str) -> Result<Map<String, Value>, Failure> {
        let headers = vec![("accept", "application/json".to_owned()), ("authorization", format!("Bearer {access}"))];
        let arrived = self.carry(Carried { url: endpoint, headers, form: None }).await?;
        self.read_ok(&arrived)
    }

    async fn carry(&self, request: Carried) -> Result<Arrived, Failure> {
        self.carrier.carry(request).await.map_err(|fault| Failure::Unreachable(fault.detail))
    }

    fn read_ok(&self, arrived: &Arrived) -> Result<Map<String, Value>, Failure> {
        if arrived.status == 200 {
            self.read(arrived)
        } else {
            Err(unreachable(&format!("answered {}", arrived.status)))
        }
    }

    fn read(&self, arrived: &Arrived) -> Result<Map<String, Value>, Failure> {
        let essence = arrived.content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(unreachable("did not answer JSON"));
        }
        (self.settings.object)(&arrived.body).map_err(|_| unreachable("answered JSON that cannot be believed"))
    }

    /// The claims of a token this provider signed, by an algorithm it advertises and with a key of its own.
    async fn signed(&self, jwt: &str, types: &[Option<&str>], now: Moment) -> Result<Signed, Failure> {
        let parts = Parts::read(jwt, self.settings.object).ok_or(Failure::Untrusted("token"))?;
        let named = parts.header.get("typ").map(|typ| typ.as_str().unwrap_or_default());
        let typed = types.iter().any(|known| match (known, named) {
            (None, None) => true,
            (Some(known), Some(named)) => known.eq_ignore_ascii_case(named),
            _ => false,
        });
        if !typed || parts.header.contains_key("crit") {
            return Err(Failure::Untrusted("typ"));
        }
        let known = self.known(now).await?;
        let alg: Option<CoreJwsSigningAlgorithm> =
            parts.header.get("alg").cloned().and_then(|alg| serde_json::from_value(alg).ok());
        // `none` and the algorithms of a shared secret have no key type of ours (RFC 8725 §3.1).
        let alg = alg.filter(|alg| alg.key_type().is_some() && !alg.uses_shared_secret());
        let alg = alg.filter(|alg| known.metadata.id_token_signing_alg_values_supported().contains(alg));
        let alg = alg.ok_or(Failure::Untrusted("alg"))?;
        if !parts.is_signed_by(&known.keys, &alg) {
            let newer = self.newer_keys(&known, now).await?;
            if !newer.is_some_and(|newer| parts.is_signed_by(&newer.keys, &alg)) {
                return Err(Failure::Untrusted("signature"));
            }
        }
        let alg = parts.header.get("alg").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Signed { claims: parts.claims, alg })
    }

    async fn known(&self, now: Moment) -> Result<Arc<Known>, Failure> {
        let fresh = |known: &Arc<Known>| now.since(known.at) < FRESH;
        if let Some(known) = self.held().filter(fresh) {
            return Ok(known);
        }
        let mut turn = self.turn.lock().await;
        if let Some(known) = self.held().filter(fresh) {
            return Ok(known);
        }
        if let Some((at, failure)) = &turn.failed
            && now.since(*at) < ALSO_FAILED
        {
            return Err(failure.clone());
        }
        let found = self.discover(now).await;
        match found {
            Ok(known) => {
                turn.failed = None;
                Ok(self.hold(known))
            }
            Err(failure) => {
                turn.failed = Some((now, failure.clone()));
                Err(failure)
            }
        }
    }

    async fn discover(&self, now: Moment) -> Result<Known, Failure> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| unreachable(&error.to_string()))?;
        let metadata = Metadata::discover_async(issuer, &|request| self.send(request)).await;
        let metadata = metadata.map_err(|error| match error {
            DiscoveryError::Validation(_) => Failure::OtherIssuer,
            other => unreachable(&told("discovery", &other)),
        })?;
        // Discovery §4.3, byte by byte.
        if metadata.issuer().as_str() != self.settings.issuer {
            return Err(Failure::OtherIssuer);
        }
        Ok(Known { keys: metadata.jwks().clone(), metadata, at: now, asked: 0 })
    }

    /// The keys as they are now; none where they were asked for a moment ago.
    async fn newer_keys(&self, known: &Known, now: Moment) -> Result<Option<Arc<Known>>, Failure> {
        let mut turn = self.turn.lock().await;
        // Whoever had the turn before may have brought what is wanted.
        let held = self.held().filter(|held| held.asked > known.asked);
        if held.is_some() || turn.pressed.is_some_and(|pressed| now.since(pressed) < ASKED_AGAIN) {
            return Ok(held);
        }
        turn.pressed = Some(now);
        let uri = known.metadata.jwks_uri();
        let keys = JsonWebKeySet::fetch_async(uri, &|request| self.send(request)).await;
        let keys = keys.map_err(|error| unreachable(&told("keys", &error)))?;
        let newer = Known { metadata: known.metadata.clone(), keys, at: known.at, asked: known.asked + 1 };
        Ok(Some(self.hold(newer)))
    }

    fn held(&self) -> Option<Arc<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        known
    }

    /// The crate's own requests: documents to read.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unsent> {
        let headers = vec![("accept", "application/json".to_owned())];
        let carried = Carried { url: request.uri().to_string(), headers, form: None };
        let arrived = self.carrier.carry(carried).await.map_err(|fault| Unsent(fault.detail))?;
        if arrived.status == 200 {
            (self.settings.object)(&arrived.body).map_err(Unsent)?;
        }
        let response = http::Response::builder().status(arrived.status).header("content-type", arrived.content_type);
        response.body(arrived.body).map_err(|error| Unsent(error.to_string()))
    }
}

#[derive(Debug)]
struct Unsent(String);

impl std::fmt::Display for Unsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsent {}

fn unreachable(why: &str) -> Failure {
    Failure::Unreachable(why.to_owned())
}

/// One line of a failure with its causes.
fn told(document: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{document}: {error}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

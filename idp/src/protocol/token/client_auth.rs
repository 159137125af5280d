//! Who is this client? Exactly one way of authenticating (RFC 6749 §2.3), the registered one, judged alike whatever
//! is wrong, so that an unknown client and a wrong secret look the same (`security.md` CA-16).

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::binding::Confirmation;
use crate::domain::certificate::ClientCertificate;
use crate::domain::relying_party::{AuthMethod, ClientStatus, Registered};
use crate::domain::secret::{ClientSecret, Minted, Stored};
use crate::domain::{Client, Id, Moment, Span};
use crate::protocol::binding::Possession;
use crate::protocol::discovery::path;
use crate::protocol::error::Error;
use crate::protocol::jti;
use crate::protocol::mtls;
use crate::protocol::params::{self, Params};
use crate::protocol::profile;

/// RFC 7521 §4.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presented, not yet proved.
pub struct Credentials {
    client_id: Id<Client>,
    proof: Proof,
    certificate: Option<Arc<ClientCertificate>>,
}

enum Proof {
    Secret(AuthMethod, Minted<ClientSecret>),
    Assertion(String),
    Nothing,
}

impl Credentials {
    /// The client to look up. For an assertion this is its `sub`, read before its signature is verified.
    pub fn client_id(&self) -> &Id<Client> {
        &self.client_id
    }

    /// With the certificate of the connection, which counts for clients that registered for it.
    pub fn shown_with(self, certificate: Option<Arc<ClientCertificate>>) -> Self {
        Self { certificate, ..self }
    }

    /// The assertion whose signature must be verified with the client's keys before `prove`.
    pub fn assertion(&self) -> Option<&str> {
        match &self.proof {
            Proof::Assertion(jwt) => Some(jwt),
            Proof::Secret(..) | Proof::Nothing => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match &self.proof {
            Proof::Secret(method, _) => *method,
            Proof::Assertion(_) => AuthMethod::PrivateKeyJwt,
            Proof::Nothing => AuthMethod::None,
        };
        write!(f, "Credentials({} by {method:?})", self.client_id)
    }
}

/// One answer for everything that is wrong; the reason is for the log and for the client's own team.
fn refused(reason: &'static str) -> Error {
    Error::invalid_client("RFC 6749 §5.2", "client authentication failed").explained(reason)
}

fn twice() -> Error {
    Error::invalid_request("RFC 6749 §2.3", "client authentication is sent in more than one way")
}

/// Reads what the client presented: the `Authorization` header, the body, or both for `client_id`. More than one method is
/// `invalid_request` (RFC 6749 §2.3), an unreadable one or none at all `invalid_client` (§5.2).
pub fn credentials(params: &Params, authorization: Option<&str>) -> Result<Credentials, Error> {
    let named = params.one("client_id")?;
    let secret = params.one("client_secret")?;
    let assertion = params.one("client_assertion")?;
    let assertion_type = params.one("client_assertion_type")?;
    let ways = [authorization.is_some(), secret.is_some(), assertion.is_some() || assertion_type.is_some()];
    if ways.into_iter().filter(|used| *used).count() > 1 {
        return Err(twice());
    }
    let (client_id, proof) = if let Some(header) = authorization {
        let (id, secret) = basic(header).ok_or_else(|| refused("authorization header is malformed"))?;
        (id, Proof::Secret(AuthMethod::ClientSecretBasic, Minted::from_text(secret)))
    } else if let Some(secret) = secret {
        let id = named.ok_or_else(|| refused("client_id is missing"))?;
        (id.to_owned(), Proof::Secret(AuthMethod::ClientSecretPost, Minted::from_text(secret.to_owned())))
    } else if assertion_type.is_some() || assertion.is_some() {
        let jwt = assertion.filter(|_| assertion_type == Some(JWT_BEARER));
        let jwt = jwt.ok_or_else(|| refused("client_assertion and its type do not go together"))?;
        let id = claimed_subject(jwt).ok_or_else(|| refused("client_assertion is not a JWT"))?;
        (id, Proof::Assertion(jwt.to_owned()))
    } else {
        (named.ok_or_else(|| refused("no client named"))?.to_owned(), Proof::Nothing)
    };
    // RFC 7521 §4.2: a client_id beside other credentials must name the same client.
    if named.is_some_and(|named| named != client_id) {
        return Err(refused("client_id is not the authenticated client"));
    }
    Ok(Credentials { client_id: Id::new(client_id), proof, certificate: None })
}

/// The client a request says it comes from, whether that is true or not. What is kept under it must be harmless there.
pub fn claimed(params: &Params, authorization: Option<&str>) -> Option<Id<Client>> {
    let by_header = authorization.and_then(basic).map(|(id, _)| id);
    let named = || params.one("client_id").ok().flatten().map(str::to_owned);
    let by_assertion = || params.one("client_assertion").ok().flatten().and_then(claimed_subject);
    by_header.or_else(named).or_else(by_assertion).map(Id::new)
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined and encoded in base64.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim_matches(' ')).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    let (id, secret) = (params::decode(id).ok()?, params::decode(secret).ok()?);
    (!id.is_empty() && !secret.is_empty()).then_some((id, secret))
}

/// The `sub` an assertion claims, to know whose keys verify it. Nothing else is read before the signature is.
fn claimed_subject(jwt: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.sub)
}

/// A client assertion whose signature was verified with the client's registered keys.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedAssertion<'a> {
    pub header: &'a Map<String, Value>,
    pub claims: &'a Map<String, Value>,
}

/// What was verified outside of the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verified<'a> {
    /// The assertion after its signature was verified, absent when it was not.
    pub assertion: Option<&'a VerifiedAssertion<'a>>,
    /// Thumbprints of the registered keys, for a client known by the key of its certificate.
    pub keys: &'a [String],
}

/// Proof that `prove` said yes. Nothing else makes one.
#[derive(Clone, Debug)]
pub struct Authenticated {
    client: Arc<Client>,
    jti: Option<(String, Moment)>,
    held: Possession,
    bound: Option<Confirmation>,
}

impl Authenticated {
    /// The client, as registered when it proved itself.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The assertion's `jti`, made unique to its client, and how long it must be remembered. It may be used once
    /// (`security.md` CA-04).
    pub fn jti(&self) -> Option<(&str, Moment)> {
        self.jti.as_ref().map(|(jti, until)| (jti.as_str(), *until))
    }

    /// The same client, with what it also proved to hold and what its new tokens are therefore bound to.
    pub fn holding(self, held: Possession, bound: Option<Confirmation>) -> Self {
        Self { held, bound, ..self }
    }

    /// What the client proved to hold beside its own authentication.
    pub fn held(&self) -> &Possession {
        &self.held
    }

    /// What new tokens are bound to.
    pub fn bound(&self) -> Option<&Confirmation> {
        self.bound.as_ref()
    }
}

/// Judges credentials against the registration. The times of an assertion or certificate are compared with
/// `now`. Every failure is the same `invalid_client`.
pub fn prove(
    credentials: &Credentials,
    registered: Option<&Registered>,
    verified: &Verified<'_>,
    issuer: &str,
    now: Moment,
) -> Result<Authenticated, Error> {
    // Hashed before anything is compared, so that an unknown client costs as much as a wrong secret.
    let presented: Option<(AuthMethod, Stored<ClientSecret>)> = match &credentials.proof {
        Proof::Secret(method, secret) => Some((*method, secret.stored())),
        Proof::Assertion(_) | Proof::Nothing => None,
    };
    let registered = registered.ok_or_else(|| refused("client is unknown"))?;
    let client = &registered.client;
    if client.id != credentials.client_id {
        return Err(refused("client is unknown"));
    }
    if !profile::may_authenticate_by(client.profile, client.token_endpoint_auth_method) {
        return Err(refused("method is not one of its profile"));
    }
    let certificate = credentials.certificate.as_deref();
    let by_certificate = mtls::is_by_certificate(client.token_endpoint_auth_method);
    // RFC 6749 §2.3: beside a certificate that authenticates there is no room for another method.
    if by_certificate && certificate.is_some() && !matches!(credentials.proof, Proof::Nothing) {
        return Err(twice());
    }
    let jti = match (&credentials.proof, presented) {
        (_, Some((method, secret))) => {
            if client.token_endpoint_auth_method != method {
                return Err(refused("method is not the registered one"));
            }
            if registered.secret.as_ref() != Some(&secret) {
                return Err(refused("secret is wrong"));
            }
            None
        }
        (Proof::Assertion(_), None) if client.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt => {
            let verified = verified.assertion.ok_or_else(|| refused("assertion signature is wrong"))?;
            Some(assertion(verified, client, issuer, now).map_err(refused)?)
        }
        (Proof::Nothing, None) if client.is_public() => None,
        (Proof::Nothing, None) if by_certificate => {
            mtls::authenticates(client, certificate, verified.keys, now).map_err(refused)?;
            None
        }
        _ => return Err(refused("method is not the registered one")),
    };
    if registered.status != ClientStatus::Live {
        return Err(refused("client is not in service"));
    }
    Ok(Authenticated { client: client.clone(), jti, held: Possession::default(), bound: None })
}

/// FAPI 2.0 SP §5.3.2.1: clocks ahead by up to this are accepted.
const CLOCK_AHEAD: Span = Span::seconds(60);

/// RFC 7523 §3, with the audience as `security.md` D14 narrows it. Returns the `jti` to be used once, and until when.
fn assertion(
    verified: &VerifiedAssertion<'_>,
    client: &Client,
    issuer: &str,
    now: Moment,
) -> Result<(String, Moment), &'static str> {
    let claim = |name: &str| verified.claims.get(name);
    // RFC 8725 §3.11: a token made for another use is refused by its type.
    let typ = verified.header.get("typ").map(|typ| typ.as_str().unwrap_or_default().to_ascii_lowercase());
    if typ.is_some_and(|typ| typ != "jwt" && typ != "client-authentication+jwt") {
        return Err("assertion is of another type");
    }
    let names_client = |name| claim(name).and_then(Value::as_str) == Some(client.id.as_str());
    if !names_client("iss") || !names_client("sub") {
        return Err("assertion iss and sub are not the client");
    }
    let aud = claim("aud").and_then(Value::as_str).ok_or("assertion aud is not one plain string")?;
    let is_endpoint = || aud.strip_prefix(issuer) == Some(path::TOKEN);
    if aud != issuer && !(profile::takes_token_endpoint_as_audience(client) && is_endpoint()) {
        return Err("assertion aud is not us");
    }
    let expires = claim("exp").and_then(Value::as_i64).map(Moment::from_unix).ok_or("assertion exp is not a number")?;
    if now >= expires {
        return Err("assertion has expired");
    }
    if expires.since(now) > profile::longest_assertion_life(client) {
        return Err("assertion expires too late");
    }
    for name in ["iat", "nbf"] {
        let Some(value) = claim(name) else { continue };
        let moment = value.as_i64().map(Moment::from_unix).ok_or("assertion time is not a number")?;
        if moment.since(now) > CLOCK_AHEAD {
            return Err("assertion is from the future");
        }
    }
    let jti = jti::of(verified.claims).ok_or("assertion jti is missing, empty, too long or has a NUL")?;
    Ok((format!("{} {jti}", client.id), expires))
}

#[cfg(test)]
#[path = "client_auth_tests.rs"]
mod tests;

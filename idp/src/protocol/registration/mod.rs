//! Client registration as an operator writes it: OAuth/OIDC metadata (RFC 7591 §2) and our `vn_` members, every default
//! filled in and every value checked, so that a `Client` that exists is one that may be served (`contract.md` 4, 8).
//!
//! Owns: which members exist, their defaults and their limits. Must not know: where the file came from, minting of
//! secrets, or storage. An operator's file is refused over an unknown member, so that a misspelt limit is noticed; a
//! client that registers itself is not (RFC 7591 §2), and gets at most what its invitation allows (`policy`).

mod answers;
mod application;
mod binding;
mod describe;
mod keys;
mod logout;
pub mod manage;
mod members;
pub mod policy;
mod purposes;
mod requests;
mod resources;
pub mod sector;

use serde_json::Value;

use crate::domain::relying_party::{AuthMethod, GrantType, LegalBasis, SubjectType, persons};
use crate::domain::{Client, Id};

pub use describe::describe;

use super::error::{Error, ErrorCode};
use super::uri::{self, Kind};
use super::{profile, scope};
use members::Members;

/// What decides besides the file.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// `danger_http_loopback`: plain HTTP on loopback may be registered.
    pub http_loopback: bool,
    pub unknown: Unknown,
    /// Clients may show certificates.
    pub certificates: bool,
    /// Some authority is trusted to issue them.
    pub client_ca: bool,
}

/// What becomes of members nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// An operator is better told.
    Refused,
    /// RFC 7591 §2: a client may speak of more than we understand.
    Ignored,
}

/// The shortest secret an operator may choose, in characters; minted ones have 43.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: usize = 256;

/// RFC 7591 §3.2.2: redirect URIs have a code of their own.
pub(crate) fn refuse(member: &str, why: impl std::fmt::Display) -> Error {
    let code = if member == "redirect_uris" { ErrorCode::InvalidRedirectUri } else { ErrorCode::InvalidClientMetadata };
    Error::new(code, "RFC 7591 §3.2.2", format!("{member} {why}"))
}

/// Reads a client file. Returns the client and the secret written in it, if any; a confidential client without one keeps
/// its own or gets a fresh one. Every refusal names the member.
pub fn admit(file: &Value, admission: &Admission) -> Result<(Client, Option<String>), Error> {
    let mut members = Members::of(file)?;
    let id = client_id(&mut members)?;
    let redirect_uris = members.texts("redirect_uris")?;
    let method = members.choice("token_endpoint_auth_method")?.unwrap_or(AuthMethod::ClientSecretBasic);
    let profile = requests::profile(&mut members, method)?;
    let grant_types = members.choice::<Vec<GrantType>>("grant_types")?;
    let grant_types = grant_types.unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let resources = resources::admit(&mut members, method, admission)?;
    // A server that only checks tokens asks for none.
    if !grant_types.is_empty() || resources.serves.is_empty() {
        check_grants(&grant_types, method, &redirect_uris)?;
    }
    check_response_types(&mut members, &grant_types)?;
    for uri in &redirect_uris {
        check_redirect("redirect_uris", uri, method, admission)?;
    }
    let post_logout_redirect_uris = members.texts("post_logout_redirect_uris")?;
    for uri in &post_logout_redirect_uris {
        check_address("post_logout_redirect_uris", uri, admission)?;
    }
    let assertion_alg = requests::alg(&mut members, "token_endpoint_auth_signing_alg", profile)?;
    let (jwks, jwks_uri) = keys::admit(&mut members, method, assertion_alg, admission)?;
    let requests = requests::rules(&mut members, profile, jwks.is_some() || jwks_uri.is_some(), admission)?;
    let to = match (&jwks, &jwks_uri) {
        (Some(jwks), _) => answers::Keys::Value(jwks),
        (None, Some(_)) => answers::Keys::Reference,
        (None, None) => answers::Keys::None,
    };
    let answers = answers::admit(&mut members, to, profile)?;
    let secret = secret(&mut members, method)?;
    let scope = scopes(&mut members)?;
    let purposes = purposes::admit(&mut members, &scope)?;
    let client_name = members.bilingual("client_name")?.unwrap_or_else(|| members::both(id.as_str()));
    let logout = logout::admit(&mut members, &redirect_uris, admission)?;
    let application = application::admit(&mut members, assertion_alg, admission)?;
    let sector = sector::admit(&mut members, &id, &redirect_uris, application.sector_identifier_uri.as_deref())?;
    let client = Client {
        relying_party: members.bilingual("vn_relying_party")?.unwrap_or_else(|| client_name.clone()),
        client_name,
        redirect_uris,
        post_logout_redirect_uris,
        grant_types,
        token_endpoint_auth_method: method,
        id_token_signed_response_alg: requests::alg(&mut members, "id_token_signed_response_alg", profile)?
            .unwrap_or_else(|| profile::default_alg(profile)),
        subject_type: members.choice("subject_type")?.unwrap_or(SubjectType::Pairwise),
        default_acr_values: members.texts("default_acr_values")?,
        default_max_age: members.number("default_max_age", 0, u64::MAX)?,
        logo_uri: page(&mut members, "logo_uri", admission)?,
        client_uri: page(&mut members, "client_uri", admission)?,
        policy_uri: page(&mut members, "policy_uri", admission)?,
        tos_uri: page(&mut members, "tos_uri", admission)?,
        contacts: members.texts("contacts")?,
        min_account_level: members.level("vn_min_account_level", 2)?,
        min_auth_level: members.level("vn_min_auth_level", 4)?,
        acr_demand: members.choice("vn_acr_demand")?.unwrap_or(profile.is_fapi()),
        legal_basis: members.choice("vn_legal_basis")?.unwrap_or(LegalBasis::Consent),
        services: purposes::services(&mut members, &scope, &purposes)?,
        purposes,
        scope,
        // ND 85/2016: five levels of information security.
        security_level: members.level("vn_security_level", 5)?,
        profile,
        assertion_audience: requests::audience(&mut members, profile)?,
        sector,
        sso: members.choice("vn_sso")?.unwrap_or(true),
        holders: holders(&mut members)?,
        pkce: requests::pkce(&mut members, method, profile)?,
        jwks_uri,
        // OIDC Registration §2: https, as every address here.
        initiate_login_uri: page(&mut members, "initiate_login_uri", admission)?,
        application,
        requests,
        answers,
        jwks,
        binding: binding::admit(&mut members, method, admission)?,
        logout,
        resources,
        id,
    };
    if admission.unknown == Unknown::Refused {
        members.finish()?;
    }
    Ok((client, secret))
}

/// ND69 Art 7: whom the client serves; organisations only where it says so.
fn holders(members: &mut Members) -> Result<Vec<crate::domain::Holder>, Error> {
    let Some(mut holders) = members.choice::<Vec<crate::domain::Holder>>("vn_holders")? else { return Ok(persons()) };
    holders.sort();
    holders.dedup();
    if holders.is_empty() { Err(refuse("vn_holders", "is empty")) } else { Ok(holders) }
}

fn client_id(members: &mut Members) -> Result<Id<Client>, Error> {
    let id = members.text("client_id")?.ok_or_else(|| refuse("client_id", "is missing"))?;
    let proper = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if proper { Ok(Id::new(id)) } else { Err(refuse("client_id", "is not up to 64 characters of [A-Za-z0-9._-]")) }
}

fn check_grants(grants: &[GrantType], method: AuthMethod, redirect_uris: &[String]) -> Result<(), Error> {
    let uses = |grant| grants.contains(&grant);
    if grants.is_empty() {
        return Err(refuse("grant_types", "is empty"));
    }
    if uses(GrantType::AuthorizationCode) && redirect_uris.is_empty() {
        return Err(refuse("redirect_uris", "is missing, and authorization_code needs one"));
    }
    if uses(GrantType::RefreshToken) && !uses(GrantType::AuthorizationCode) {
        return Err(refuse("grant_types", "has refresh_token without authorization_code"));
    }
    // RFC 6749 §4.4: for confidential clients only.
    if uses(GrantType::ClientCredentials) && method == AuthMethod::None {
        return Err(refuse("grant_types", "has client_credentials for a public client"));
    }
    Ok(())
}

/// RFC 7591 §2.1: response types must fit the grants, and `code` is the only one there is.
fn check_response_types(members: &mut Members, grants: &[GrantType]) -> Result<(), Error> {
    let types = members.texts("response_types")?;
    let fits = types.iter().all(|kind| kind == "code" && grants.contains(&GrantType::AuthorizationCode));
    if fits { Ok(()) } else { Err(refuse("response_types", "may only be code, with grant_types authorization_code")) }
}

/// RFC 9700 §2.1, §2.6, RFC 8252 §7.3: https, loopback where allowed, or a native application's own loopback listener.
fn check_redirect(member: &str, uri: &str, method: AuthMethod, admission: &Admission) -> Result<(), Error> {
    if method == AuthMethod::None && uri::is_native(uri) && uri::lawful(uri).is_ok() {
        return Ok(());
    }
    check_address(member, uri, admission)
}

fn check_address(member: &str, uri: &str, admission: &Admission) -> Result<(), Error> {
    match uri::lawful(uri) {
        Ok((_, Kind::Https)) => Ok(()),
        Ok((_, Kind::HttpLoopback)) if admission.http_loopback => Ok(()),
        Ok((_, Kind::HttpLoopback)) => Err(refuse(member, format!("{uri} is not an https URI"))),
        Err(why) => Err(refuse(member, format!("{uri} {why}"))),
    }
}

fn page(members: &mut Members, member: &'static str, admission: &Admission) -> Result<Option<String>, Error> {
    let uri = members.text(member)?;
    if let Some(uri) = &uri {
        check_address(member, uri, admission)?;
    }
    Ok(uri)
}

fn secret(members: &mut Members, method: AuthMethod) -> Result<Option<String>, Error> {
    let Some(secret) = members.text("client_secret")? else { return Ok(None) };
    if !matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) {
        return Err(refuse("client_secret", "stands beside a method that uses none"));
    }
    let proper = (SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len())
        && secret.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if proper { Ok(Some(secret)) } else { Err(refuse("client_secret", "is not 16 to 256 printable ASCII characters")) }
}

fn scopes(members: &mut Members) -> Result<Vec<String>, Error> {
    let text = members.text("scope")?.unwrap_or_else(|| scope::OPENID.to_owned());
    let mut scopes: Vec<String> = Vec::new();
    for value in scope::values(&text) {
        if !scope::is_scope_token(value) {
            return Err(refuse("scope", "has a character no scope may have"));
        }
        // `vn_` is ours: a misspelt scope of the catalogue must not pass for one of the client's own.
        if value.starts_with("vn_") && !scope::is_catalogued(value) {
            return Err(refuse("scope", format!("{value} is not known")));
        }
        if !scopes.iter().any(|known| known == value) {
            scopes.push(value.to_owned());
        }
    }
    if scopes.is_empty() { Err(refuse("scope", "is empty")) } else { Ok(scopes) }
}

#[cfg(test)]
mod tests;

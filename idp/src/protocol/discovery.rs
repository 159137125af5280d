//! Metadata (OIDC Discovery §3, RFC 8414 §2). What is listed works, and what works is listed. Both well-known documents
//! are this one.

use serde_json::{Map, Value, json};

use crate::domain::arrangement::{ContentAlg, KeyAlg};
use crate::domain::claim::{self, ClaimName};
use crate::domain::level::Acr;
use crate::domain::relying_party::SigningAlg;
use crate::domain::transaction::DetailsType;

use super::dpop;

/// Where each endpoint lives below the issuer.
pub mod path {
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    pub const JWKS: &str = "/jwks";
    pub const AUTHORIZE: &str = "/authorize";
    pub const PAR: &str = "/par";
    pub const TOKEN: &str = "/token";
    pub const USERINFO: &str = "/userinfo";
    pub const INTROSPECT: &str = "/introspect";
    pub const REVOKE: &str = "/revoke";
    pub const END_SESSION: &str = "/end-session";
    pub const CHECK_SESSION: &str = "/check-session";
    pub const REGISTER: &str = "/register";
    /// Ours: what the team of a client asks of its own refused requests.
    pub const TRACE: &str = "/trace";
}

/// What the running configuration adds to what the code can do.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Fixed by configuration; never taken from a request (`security.md` JO-17).
    pub issuer: &'a str,
    /// Where clients may show a certificate, when they may.
    pub certificates: Option<Certificates<'a>>,
    /// The `acr` values that can be reached, in the order of `contract.md` 4.
    pub acr: &'a [Acr],
    pub service_documentation: Option<&'a str>,
    pub op_policy_uri: Option<&'a str>,
    pub op_tos_uri: Option<&'a str>,
}

/// Mutual TLS as offered (RFC 8705 §5).
#[derive(Clone, Copy, Debug)]
pub struct Certificates<'a> {
    /// What stands in place of the issuer in the addresses of these endpoints.
    pub alias: &'a str,
    /// Whether any authority is trusted to issue certificates for clients.
    pub has_authority: bool,
}

/// Endpoints that can be called by the alias.
const ALIASED: [(&str, &str); 6] = [
    ("pushed_authorization_request_endpoint", path::PAR),
    ("token_endpoint", path::TOKEN),
    ("userinfo_endpoint", path::USERINFO),
    ("introspection_endpoint", path::INTROSPECT),
    ("revocation_endpoint", path::REVOKE),
    ("vn_trace_endpoint", path::TRACE),
];

/// Claims of the protocol itself, beside the catalogue.
const PROTOCOL_CLAIMS: &[&str] = &[
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "vn_account_level",
    "vn_auth_level",
];

/// Algorithms of our own signatures, the one every library knows first.
const ALGS: [&str; 4] = ["RS256", "ES256", "PS256", "EdDSA"];

/// The metadata document.
pub fn metadata(published: &Published<'_>) -> Value {
    let parts = [
        endpoints(published.issuer),
        requests(published),
        clients(published.certificates),
        answers(),
        sign_out(published.issuer),
        published.certificates.map(mutual_tls).unwrap_or_default(),
    ];
    let optional = [
        ("service_documentation", published.service_documentation),
        ("op_policy_uri", published.op_policy_uri),
        ("op_tos_uri", published.op_tos_uri),
    ];
    let optional = optional.into_iter().filter_map(|(name, uri)| Some((name.to_owned(), uri?.into())));
    let members = parts.into_iter().filter_map(|part| if let Value::Object(part) = part { Some(part) } else { None });
    Value::Object(members.flatten().chain(optional).collect())
}

fn endpoints(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": at(path::AUTHORIZE),
        "pushed_authorization_request_endpoint": at(path::PAR),
        "require_pushed_authorization_requests": false,
        "token_endpoint": at(path::TOKEN),
        "userinfo_endpoint": at(path::USERINFO),
        "jwks_uri": at(path::JWKS),
        "introspection_endpoint": at(path::INTROSPECT),
        "revocation_endpoint": at(path::REVOKE),
        "registration_endpoint": at(path::REGISTER),
        "vn_trace_endpoint": at(path::TRACE),
    })
}

/// What may be asked for.
fn requests(published: &Published<'_>) -> Value {
    json!({
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"],
        "authorization_signing_alg_values_supported": ALGS,
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": claim::scopes(),
        // RFC 9396 §10.
        "authorization_details_types_supported": DetailsType::ALL.map(DetailsType::name),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": ALGS,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": published.acr.iter().map(|acr| acr.urn()).collect::<Vec<_>>(),
        "ui_locales_supported": ["vi", "en"],
    })
}

/// How clients prove themselves.
fn clients(certificates: Option<Certificates<'_>>) -> Value {
    let algs = SigningAlg::ALL.map(SigningAlg::name);
    let confidential = confidential(certificates);
    let every = [confidential.as_slice(), &["none"]].concat();
    json!({
        "token_endpoint_auth_methods_supported": every,
        "token_endpoint_auth_signing_alg_values_supported": algs,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algs,
        "revocation_endpoint_auth_methods_supported": every,
        "revocation_endpoint_auth_signing_alg_values_supported": algs,
        "dpop_signing_alg_values_supported": dpop::ALGS.map(SigningAlg::name),
    })
}

/// What is told, and in which form.
fn answers() -> Value {
    let (key_algs, content_algs) = (KeyAlg::ALL.map(KeyAlg::name), ContentAlg::ALL.map(ContentAlg::name));
    let claims: Vec<&str> = PROTOCOL_CLAIMS.iter().copied().chain(ClaimName::all().map(ClaimName::as_str)).collect();
    json!({
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["pairwise", "public"],
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "id_token_signing_alg_values_supported": ALGS,
        "id_token_encryption_alg_values_supported": key_algs,
        "id_token_encryption_enc_values_supported": content_algs,
        "userinfo_signing_alg_values_supported": ALGS,
        "userinfo_encryption_alg_values_supported": key_algs,
        "userinfo_encryption_enc_values_supported": content_algs,
        "introspection_signing_alg_values_supported": ALGS,
    })
}

fn sign_out(issuer: &str) -> Value {
    json!({
        "end_session_endpoint": format!("{issuer}{}", path::END_SESSION),
        "check_session_iframe": format!("{issuer}{}", path::CHECK_SESSION),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    })
}

fn confidential(certificates: Option<Certificates<'_>>) -> Vec<&'static str> {
    let mut methods = vec!["client_secret_basic", "client_secret_post", "private_key_jwt"];
    if let Some(certificates) = certificates {
        methods.extend(certificates.has_authority.then_some("tls_client_auth"));
        methods.push("self_signed_tls_client_auth");
    }
    methods
}

/// RFC 8705 §3.3, §5.
fn mutual_tls(certificates: Certificates<'_>) -> Value {
    let alias = |(name, path): (&str, &str)| (name.to_owned(), format!("{}{path}", certificates.alias).into());
    let aliases: Map<String, Value> = ALIASED.into_iter().map(alias).collect();
    json!({"tls_client_certificate_bound_access_tokens": true, "mtls_endpoint_aliases": aliases})
}

//! Metadata (OIDC Discovery §3, RFC 8414 §2). What is listed works, and what works is listed. Both well-known documents
//! are this one.

use serde_json::{Map, Value, json};

use crate::domain::claim::{self, ClaimName};
use crate::domain::level::Acr;
use crate::domain::relying_party::SigningAlg;

use super::dpop;

/// Where each endpoint lives below the issuer.
pub mod path {
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    pub const JWKS: &str = "/jwks";
    pub const AUTHORIZE: &str = "/authorize";
    pub const TOKEN: &str = "/token";
    pub const USERINFO: &str = "/userinfo";
    pub const INTROSPECT: &str = "/introspect";
    pub const REVOKE: &str = "/revoke";
    pub const END_SESSION: &str = "/end-session";
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
const ALIASED: [(&str, &str); 4] = [
    ("token_endpoint", path::TOKEN),
    ("userinfo_endpoint", path::USERINFO),
    ("introspection_endpoint", path::INTROSPECT),
    ("revocation_endpoint", path::REVOKE),
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

/// The metadata document.
pub fn metadata(published: &Published<'_>) -> Value {
    let issuer = published.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let algs = ["RS256", "ES256", "PS256", "EdDSA"];
    let assertion_algs = SigningAlg::ALL.map(SigningAlg::name);
    let claims: Vec<&str> = PROTOCOL_CLAIMS.iter().copied().chain(ClaimName::all().map(ClaimName::as_str)).collect();
    let confidential = confidential(published.certificates);
    let every = [confidential.as_slice(), &["none"]].concat();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at(path::AUTHORIZE),
        "token_endpoint": at(path::TOKEN),
        "userinfo_endpoint": at(path::USERINFO),
        "jwks_uri": at(path::JWKS),
        "introspection_endpoint": at(path::INTROSPECT),
        "revocation_endpoint": at(path::REVOKE),
        "end_session_endpoint": at(path::END_SESSION),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": every,
        "token_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "revocation_endpoint_auth_methods_supported": every,
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "dpop_signing_alg_values_supported": dpop::ALGS.map(SigningAlg::name),
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": algs,
        "scopes_supported": claim::scopes(),
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": published.acr.iter().map(|acr| acr.urn()).collect::<Vec<_>>(),
        "ui_locales_supported": ["vi", "en"],
    });
    let optional = [
        ("service_documentation", published.service_documentation),
        ("op_policy_uri", published.op_policy_uri),
        ("op_tos_uri", published.op_tos_uri),
    ];
    if let Some(members) = document.as_object_mut() {
        members.extend(published.certificates.map(mutual_tls).into_iter().flatten());
        members.extend(optional.into_iter().filter_map(|(name, uri)| Some((name.to_owned(), uri?.into()))));
    }
    document
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
fn mutual_tls(certificates: Certificates<'_>) -> [(String, Value); 2] {
    let alias = |(name, path): (&str, &str)| (name.to_owned(), format!("{}{path}", certificates.alias).into());
    let aliases: Map<String, Value> = ALIASED.into_iter().map(alias).collect();
    [
        ("tls_client_certificate_bound_access_tokens".to_owned(), true.into()),
        ("mtls_endpoint_aliases".to_owned(), aliases.into()),
    ]
}

//! The clients the targets ask for, and what holds for every refusal.

use std::sync::Arc;

use idp::domain::relying_party::{Client, ClientStatus, Registered};
use idp::domain::{Moment, secret::Minted};
use idp::protocol::Error;
use idp::protocol::registration::{Admission, Unknown, admit};
use serde_json::{Map, Value, json};

pub const ISSUER: &str = "https://id.gov.vn";
pub const SECRET: &str = "a-secret-of-enough-characters";
/// When the kept tokens were made.
pub const NOW: Moment = Moment::from_unix(1_795_308_910);
/// The key that signed the kept assertion.
pub const JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"c-tShkNXo0yoi2Ee4N-m7yidBJzqEw56BBg6JQEKYi8","y":"ckllIU6i1IDLy_60IlUc1PgT06wOfeoVW5W6wPyaERQ","use":"sig","alg":"ES256","kid":"load"}"#;

pub fn admission(unknown: Unknown) -> Admission {
    Admission { http_loopback: true, unknown, certificates: true, client_ca: true }
}

fn registered(file: &Value) -> Client {
    match admit(file, &admission(Unknown::Refused)) {
        Ok((client, _)) => client,
        Err(error) => panic!("{}", error.told),
    }
}

/// A portal with everything a request can ask for.
pub fn portal() -> Client {
    registered(&json!({
        "client_id": "portal", "redirect_uris": ["https://portal.gov.vn/cb", "https://portal.gov.vn/cb?of=1"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile phone offline_access vn_identity vn_eid_status dossiers.read",
        "vn_resources": ["https://api.gov.vn"], "client_secret": SECRET,
    }))
}

/// An application on a citizen's machine, whose port is chosen at run time.
pub fn native() -> Client {
    registered(&json!({
        "client_id": "native", "redirect_uris": ["http://127.0.0.1/cb", "http://[::1]/cb"], "scope": "openid",
        "token_endpoint_auth_method": "none", "application_type": "native", "vn_sector": "native.vn",
    }))
}

/// A program that signs what it sends.
pub fn service() -> Client {
    let jwks = format!("{{\"keys\":[{JWK}]}}");
    let keys: Option<Value> = serde_json::from_str(&jwks).ok();
    registered(&json!({
        "client_id": "svc", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt",
        "scope": "api", "jwks": keys,
    }))
}

pub fn live(client: Client) -> Registered {
    let secret = Minted::from_text(SECRET.to_owned()).stored();
    Registered { client: Arc::new(client), status: ClientStatus::Live, secret: Some(secret), version: 1 }
}

/// RFC 6749 §5.2: what is told of a refusal goes into headers, addresses and pages.
pub fn well_told(error: &Error) {
    let fits = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\';
    assert!(error.told.bytes().all(fits), "told: {:?}", error.told);
    assert!(error.told.len() <= 512, "told at length: {}", error.told.len());
}

pub fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// Two objects, one a line: the header and the claims of something whose signature was verified.
pub fn two_objects(input: &[u8]) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let (header, claims) = text(input)?.split_once('\n')?;
    Some((serde_json::from_str(header).ok()?, serde_json::from_str(claims).ok()?))
}

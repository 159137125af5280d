//! Clients: who they say they are, and what they register.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use idp::domain::relying_party::Registered;
use idp::protocol::Params;
use idp::protocol::registration::{Unknown, admit, describe};
use idp::protocol::token::client_auth::{Credentials, Verified, VerifiedAssertion, credentials, prove};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::made::{ISSUER, NOW, SECRET, admission, live, portal, service, text, two_objects, well_told};

static PORTAL: LazyLock<Registered> = LazyLock::new(|| live(portal()));
static SERVICE: LazyLock<Registered> = LazyLock::new(|| live(service()));

/// Any header is read or refused; one that is written as RFC 6749 §2.3.1 says is read back, as nobody's where
/// its name has a NUL; only the secret opens.
pub fn basic_header(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let none = Params::default();
    match credentials(&none, Some(text)) {
        Err(error) => well_told(&error),
        Ok(found) => {
            assert!(found.assertion().is_none());
            if let Ok(client) = prove(&found, Some(&PORTAL), &Verified::default(), ISSUER, NOW) {
                assert_eq!(client.client().id.as_str(), "portal");
                let encoded =
                    text.split_once(' ').and_then(|(_, encoded)| STANDARD.decode(encoded.trim_matches(' ')).ok());
                let joined = encoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
                let secret = joined.split_once(':').map(|(_, secret)| secret).unwrap_or_default();
                let decoded = Params::parse(&format!("v={secret}")).ok();
                assert_eq!(
                    decoded.as_ref().and_then(|params| params.first("v")),
                    Some(SECRET),
                    "opened without the secret"
                );
            }
        }
    }
    let (id, secret) = text.split_once('\n').unwrap_or((text, "secret"));
    if !id.is_empty() && !secret.is_empty() {
        let half = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let header = format!("Basic {}", STANDARD.encode(format!("{}:{}", half(id), half(secret))));
        let found = credentials(&none, Some(&header)).map(|found| found.client_id().as_str().to_owned());
        let expected = if id.contains('\0') { "" } else { id };
        assert!(found.is_ok_and(|found| found == expected), "{id:?} is not read back");
    }
}

/// RFC 7523 §3, said once more; and a client is never another.
pub fn assertion(input: &[u8]) {
    let Some((header, claims)) = two_objects(input) else { return };
    let payload = URL_SAFE_NO_PAD.encode(Value::Object(claims.clone()).to_string());
    let form = format!(
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=e30.{payload}.AA"
    );
    let Ok(params) = Params::parse(&form) else { return };
    let found: Credentials = match credentials(&params, None) {
        Ok(found) => found,
        Err(error) => return well_told(&error),
    };
    let verified = VerifiedAssertion { header: &header, claims: &claims };
    let proofs = Verified { assertion: Some(&verified), keys: &[] };
    let unsigned = prove(&found, Some(&SERVICE), &Verified::default(), ISSUER, NOW);
    assert!(unsigned.is_err(), "without a signature");
    assert!(prove(&found, Some(&PORTAL), &proofs, ISSUER, NOW).is_err(), "another client, or another method");
    match prove(&found, Some(&SERVICE), &proofs, ISSUER, NOW) {
        Err(error) => well_told(&error),
        Ok(client) => {
            let said = |name: &str| claims.get(name).and_then(Value::as_str);
            assert_eq!((said("iss"), said("sub")), (Some("svc"), Some("svc")));
            assert!(matches!(said("aud"), Some(ISSUER | "https://id.gov.vn/token")));
            let Some((jti, until)) = client.jti() else { panic!("an assertion that may be sent again") };
            assert!(said("jti").is_some_and(|own| !own.is_empty() && jti.ends_with(own)));
            assert!(until > NOW && until.since(NOW).as_seconds() <= 3610);
            assert!(header.get("typ").is_none_or(|typ| typ.as_str().is_some_and(|typ| !typ.contains("dpop"))));
        }
    }
}

/// What is registered is described as it was registered, and everything in it was checked.
pub fn registration(input: &[u8]) {
    let Ok(file) = serde_json::from_slice::<Value>(input) else { return };
    for unknown in [Unknown::Refused, Unknown::Ignored] {
        let (client, secret) = match admit(&file, &admission(unknown)) {
            Ok(admitted) => admitted,
            Err(error) => {
                well_told(&error);
                continue;
            }
        };
        assert!(secret.is_none_or(|secret| secret.len() >= 16));
        for uri in &client.redirect_uris {
            assert!(idp::protocol::uri::lawful(uri).is_ok(), "{uri}");
        }
        assert!(client.scope.iter().all(|scope| idp::protocol::scope::is_scope_token(scope)));
        let described = describe(&client).map(Value::Object).unwrap_or_default();
        match admit(&described, &admission(Unknown::Refused)) {
            Ok((again, _)) => assert_eq!(again, client),
            Err(error) => panic!("{}: {described}", error.told),
        }
    }
}

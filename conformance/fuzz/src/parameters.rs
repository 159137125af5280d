//! Queries and forms, and what is asked in them.

use std::sync::LazyLock;

use idp::domain::relying_party::Client;
use idp::domain::request::{AuthorizationRequest, ClaimsRequest};
use idp::protocol::Params;
use idp::protocol::authorize::{self, AddressPolicy, HintState, Hints, LoginHint, Way};
use idp::protocol::token::request::TokenRequest;
use idp::protocol::{pkce as rule, resource, scope as scopes, token};
use url::form_urlencoded;

use crate::made::{ISSUER, NOW, native, portal, text, well_told};

static CLIENTS: LazyLock<[Client; 2]> = LazyLock::new(|| [portal(), native()]);

/// What is read is what the WHATWG reader sees too, and is read the same when written again.
pub fn parameters(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let params = match Params::parse(text) {
        Ok(params) => params,
        Err(error) => return well_told(&error),
    };
    let seen: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
    assert!(seen.len() <= 100, "too many fields");
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&seen).finish();
    assert!(params == Params::of(seen.clone()), "two readers disagree");
    assert!(Params::parse(&written).is_ok_and(|again| again == params), "written and read again");
    for (name, _) in &seen {
        assert_eq!(params.repeated(name), seen.iter().filter(|(other, _)| other == name).count() > 1);
    }
}

/// Answers go only to a registered address; what is understood was sent, registered and sent once.
pub fn authorize(input: &[u8]) {
    let Some(Ok(params)) = text(input).map(Params::parse) else { return };
    if let Err(error) = authorize::client_id(&params) {
        well_told(&error);
    }
    for client in CLIENTS.iter() {
        let policy = AddressPolicy { issuer: ISSUER, http_loopback: true };
        let address = match authorize::address(&params, client, &policy) {
            Ok(address) => address,
            Err(error) => {
                well_told(&error);
                continue;
            }
        };
        assert!(is_of(address.uri(), client), "{} is not registered", address.uri());
        let hints = Hints {
            way: Way::default(),
            id_token_hint: HintState::Absent,
            login_hint: LoginHint::Absent,
            now: NOW,
            post: false,
        };
        match authorize::validate(&params, client, &hints) {
            Err(error) => {
                well_told(&error);
                let sent = address.refuse(&error);
                assert!(sent.uri.starts_with(address.uri()) && sent.uri.len() < 32_768);
                assert!(sent.uri.bytes().all(|byte| byte.is_ascii_graphic()), "{}", sent.uri);
            }
            Ok(request) => {
                assert_eq!(request.redirect_uri, address.uri());
                assert_eq!(request.client_id, client.id);
                assert!(request.scope.iter().all(|scope| client.has_scope(scope)));
                let named = |one: &String| params.all("resource").any(|sent| sent == one);
                assert!(request.resources.iter().all(named));
                if resource::permitted(&request.resources, client, ISSUER).is_ok() {
                    assert!(
                        request.resources.iter().all(|one| one == ISSUER || client.resources.may_ask.contains(one))
                    );
                }
                assert_eq!(request.state.as_deref(), params.first("state"));
                assert_eq!(request.nonce.as_deref(), params.first("nonce"));
                assert!(request.code_challenge.as_deref().is_none_or(rule::is_challenge));
                assert!(
                    ["state", "nonce", "scope", "redirect_uri", "claims"].iter().all(|name| !params.repeated(name))
                );
                // Kept while a citizen signs in, and the same afterwards, but for the last digit of a fraction in claims.
                let kept = serde_json::to_string(&request).unwrap_or_default();
                let again = serde_json::from_str::<AuthorizationRequest>(&kept);
                let again = again.map(|again| AuthorizationRequest { claims: request.claims.clone(), ..again });
                assert!(again.is_ok_and(|again| again == request));
            }
        }
    }
}

fn is_of(uri: &str, client: &Client) -> bool {
    let loopback = |known: &str| {
        let (host, path) = (known.strip_suffix("/cb").unwrap_or(known), "/cb");
        let port =
            uri.strip_prefix(host).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.strip_suffix(path));
        port.is_some_and(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port))
    };
    client.redirect_uris.iter().any(|known| known == uri || (client.is_public() && loopback(known)))
}

pub fn scope(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for value in scopes::values(text) {
        assert!(!value.contains(' '));
        assert!(!scopes::is_scope_token(value) || value.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    }
    for client in CLIENTS.iter() {
        match scopes::granted(text, client) {
            Err(error) => well_told(&error),
            Ok(granted) => {
                assert!(!granted.is_empty());
                for (place, one) in granted.iter().enumerate() {
                    assert!(client.has_scope(one) && text.split(' ').any(|asked| asked == one));
                    assert!(!granted.iter().skip(place + 1).any(|other| other == one), "{one} twice");
                }
                assert!(scopes::granted(&granted.join(" "), client).is_ok_and(|again| again == granted));
            }
        }
    }
}

pub fn claims(input: &[u8]) {
    let Some(text) = text(input) else { return };
    match authorize::claims::parse(text) {
        Err(error) => well_told(&error),
        Ok(request) => {
            let all = request.userinfo.values().chain(request.id_token.values()).chain(&request.acr);
            for one in all {
                assert!(one.values.len() <= 51, "{} values", one.values.len());
            }
            let kept = serde_json::to_string(&request).unwrap_or_default();
            let again = serde_json::from_str::<ClaimsRequest>(&kept).unwrap_or_default();
            assert!(
                again.userinfo.keys().eq(request.userinfo.keys()) && again.id_token.keys().eq(request.id_token.keys())
            );
            assert_eq!((again.sub, again.acr.is_some()), (request.sub, request.acr.is_some()));
        }
    }
}

/// A verifier fits its own challenge and, of two that are well formed, only its own.
pub fn pkce(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    for verifier in [one, other] {
        if rule::is_verifier(verifier) {
            let challenge = rule::challenge_of(verifier);
            assert!(rule::is_challenge(&challenge) && rule::verifies(&challenge, verifier));
            assert!((43..=128).contains(&verifier.len()));
        }
    }
    if rule::verifies(one, other) {
        assert_eq!(one, rule::challenge_of(other));
    }
}

pub fn token_request(input: &[u8]) {
    let Some(Ok(params)) = text(input).map(Params::parse) else { return };
    match token::request::parse(&params) {
        Err(error) => well_told(&error),
        Ok(request) => {
            let needed = match &request {
                TokenRequest::Code { code, .. } => Some(("code", code)),
                TokenRequest::Refresh { refresh_token, .. } => Some(("refresh_token", refresh_token)),
                _ => None,
            };
            if let Some((name, value)) = needed {
                assert!(!value.is_empty() && params.first(name) == Some(value) && !params.repeated(name));
                // What prints the same whatever its value tells nothing of it.
                let other = Params::of(vec![(name.to_owned(), "x".repeat(value.as_str().len()))]).over(&params);
                let other = token::request::parse(&other).unwrap_or_else(|error| panic!("{}", error.told));
                assert_eq!(format!("{request:?}"), format!("{other:?}"));
            }
        }
    }
    match resource::asked(&params) {
        Err(error) => well_told(&error),
        Ok(resources) => {
            assert!(resources.len() <= 10);
            assert!(resources.iter().all(|one| params.all("resource").any(|sent| sent == one)));
        }
    }
}

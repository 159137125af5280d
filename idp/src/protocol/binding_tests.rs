use super::*;
use crate::domain::Id;
use crate::domain::arrangement::Binding;
use crate::domain::relying_party::AuthMethod;
use crate::domain::secret::Stored;
use crate::protocol::fixtures::{self, at};

fn held(text: &str) -> Possession {
    let confirmation = Confirmation::parse(text);
    let part = |of: fn(&Confirmation) -> Option<&str>| confirmation.as_ref().and_then(of).map(str::to_owned);
    Possession { jkt: part(Confirmation::jkt), x5t: part(Confirmation::x5t) }
}

fn client(dpop: bool, certificate: bool) -> Client {
    let binding = Binding {
        dpop_bound_access_tokens: dpop,
        tls_client_certificate_bound_access_tokens: certificate,
        ..Binding::default()
    };
    Client { binding, ..fixtures::client("rp", "openid") }
}

#[test]
fn dp_14_what_new_tokens_are_bound_to() {
    for (dpop, certificate, shown, expected) in [
        (false, false, "", Ok("")),
        (false, false, "jkt:a", Ok("jkt:a")),
        (false, false, "x5t:c", Ok("")),
        (false, false, "jkt:a x5t:c", Ok("jkt:a")),
        (true, false, "jkt:a", Ok("jkt:a")),
        (true, false, "", Err(ErrorCode::InvalidDpopProof)),
        (true, false, "x5t:c", Err(ErrorCode::InvalidDpopProof)),
        (false, true, "x5t:c", Ok("x5t:c")),
        (false, true, "", Err(ErrorCode::InvalidRequest)),
        (false, true, "jkt:a", Err(ErrorCode::InvalidRequest)),
        (false, true, "jkt:a x5t:c", Ok("jkt:a x5t:c")),
    ] {
        let found = confirmation(&client(dpop, certificate), &held(shown));
        let found = found.map(|bound| bound.map(|bound| bound.to_string()).unwrap_or_default());
        assert_eq!(found.map_err(|error| error.code), expected.map(str::to_owned), "{dpop} {certificate} {shown}");
    }
}

#[test]
fn dp_10_dp_11_how_a_token_may_be_presented() {
    for (bound, scheme, shown, good) in [
        ("", Scheme::Bearer, "", true),
        ("", Scheme::Bearer, "jkt:a x5t:c", true),
        ("", Scheme::Dpop, "jkt:a", false),
        ("jkt:a", Scheme::Dpop, "jkt:a", true),
        ("jkt:a", Scheme::Dpop, "jkt:a x5t:c", true),
        ("jkt:a", Scheme::Dpop, "jkt:b", false),
        ("jkt:a", Scheme::Dpop, "", false),
        ("jkt:a", Scheme::Bearer, "", false),
        ("jkt:a", Scheme::Bearer, "jkt:a", false),
        ("x5t:c", Scheme::Bearer, "x5t:c", true),
        ("x5t:c", Scheme::Bearer, "x5t:d", false),
        ("x5t:c", Scheme::Bearer, "", false),
        ("x5t:c", Scheme::Bearer, "jkt:c", false),
        ("x5t:c", Scheme::Dpop, "jkt:a x5t:c", false),
        ("jkt:a x5t:c", Scheme::Dpop, "jkt:a x5t:c", true),
        ("jkt:a x5t:c", Scheme::Dpop, "jkt:a", false),
        ("jkt:a x5t:c", Scheme::Dpop, "jkt:a x5t:d", false),
    ] {
        let found = may_present(Confirmation::parse(bound).as_ref(), scheme, &held(shown));
        assert_eq!(found.is_ok(), good, "{bound} {scheme:?} {shown}");
        assert!(found.err().is_none_or(|error| error.code == ErrorCode::InvalidToken));
    }
}

#[test]
fn dp_13_a_code_bound_to_a_key() {
    let code = |jkt: Option<&str>| IssuedCode {
        hash: Stored::of("code"),
        grant: Id::new("grant-1"),
        client: Id::new("rp"),
        redirect_uri: String::new(),
        code_challenge: None,
        nonce: None,
        issued_at: at(0),
        expires_at: at(60),
        spent_at: None,
        failures: 0,
        dpop_jkt: jkt.map(str::to_owned),
    };
    let asked = |jkt, shown| may_redeem(&code(jkt), &held(shown)).map_err(|error| error.code);
    assert_eq!(asked(None, ""), Ok(()));
    assert_eq!(asked(None, "jkt:a"), Ok(()));
    assert_eq!(asked(Some("a"), "jkt:a"), Ok(()));
    assert_eq!(asked(Some("a"), "jkt:b"), Err(ErrorCode::InvalidGrant));
    assert_eq!(asked(Some("a"), ""), Err(ErrorCode::InvalidDpopProof));
    assert_eq!(asked(Some("a"), "x5t:a"), Err(ErrorCode::InvalidDpopProof));
}

#[test]
fn rfc9449_5_mt_07_refresh_tokens_of_public_clients_are_bound() {
    let token = |bound: &str| IssuedRefreshToken {
        hash: Stored::of("r"),
        grant: Id::new("grant-1"),
        issued_at: at(0),
        expires_at: at(60),
        spent_at: None,
        confirmation: Confirmation::parse(bound),
    };
    let asked = |bound, shown| may_refresh(&token(bound), &held(shown)).map_err(|error| error.code);
    assert_eq!(asked("", ""), Ok(()));
    assert_eq!(asked("jkt:a", "jkt:a"), Ok(()));
    assert_eq!(asked("jkt:a", "jkt:b"), Err(ErrorCode::InvalidGrant));
    assert_eq!(asked("jkt:a", ""), Err(ErrorCode::InvalidDpopProof));
    assert_eq!(asked("x5t:c", "x5t:c"), Ok(()));
    assert_eq!(asked("x5t:c", "x5t:d"), Err(ErrorCode::InvalidGrant));
    assert_eq!(asked("x5t:c", ""), Err(ErrorCode::InvalidGrant));
    assert_eq!(asked("jkt:a x5t:c", "jkt:a x5t:d"), Err(ErrorCode::InvalidGrant));

    let bound = Confirmation::parse("jkt:a");
    let public = Client { token_endpoint_auth_method: AuthMethod::None, ..client(false, false) };
    assert_eq!(of_refresh_token(&public, bound.as_ref()), bound);
    assert_eq!(of_refresh_token(&public, None), None);
    assert_eq!(of_refresh_token(&client(false, false), bound.as_ref()), None);
}

//! What is told of a token (RFC 7662, RFC 9701), and what falls with one (RFC 7009).

use serde_json::json;

use super::super::introspect::{self, Kind, Live};
use super::super::revoke::{self, Falls};
use super::super::*;
use super::fixtures::{self, ISSUER, at};
use super::{params, rp};
use crate::domain::Client;
use crate::domain::arrangement::Resources;
use crate::domain::grant::{Grant, Party};
use crate::domain::level::Acr;
use crate::domain::relying_party::{AuthMethod, Profile, SigningAlg};

#[test]
fn rfc7662_2_introspection_tells_the_client_of_the_token_and_nobody_else() {
    let grant = fixtures::grant("rp", "openid profile");
    let caller = |id: &str| fixtures::authenticated(&fixtures::client(id, "openid"));
    let both = fixtures::words("https://a https://b");
    let server = Client {
        resources: Resources { serves: both[1..].to_vec(), ..Resources::default() },
        ..fixtures::client("server", "x")
    };
    let server = fixtures::authenticated(&server);
    assert_eq!(introspect::seen(&caller("rp"), &grant, &[]), Some(vec![]));
    assert_eq!(introspect::seen(&caller("rp"), &grant, &both), Some(both.clone()));
    assert_eq!(introspect::seen(&caller("other"), &grant, &both), None);
    assert_eq!(introspect::seen(&caller("other"), &grant, &[]), None);
    assert_eq!(introspect::seen(&server, &grant, &both), Some(both[1..].to_vec()), "IN-04: its own part only");
    assert_eq!(introspect::seen(&server, &grant, &both[..1]), None);
    let public = Client { token_endpoint_auth_method: AuthMethod::None, ..rp() };
    assert_eq!(introspect::admit(&fixtures::authenticated(&public)).unwrap_err().code, ErrorCode::InvalidClient);
    assert!(introspect::admit(&caller("rp")).is_ok());
    let live = Live {
        issuer: ISSUER,
        kind: Kind::Access,
        confirmation: None,
        grant: &grant,
        scope: &grant.scope,
        audience: &[],
        acr: Some(Acr::Muc1),
        issued_at: at(1000),
        expires_at: at(1600),
        authorization_details: None,
    };
    assert_eq!(
        serde_json::Value::Object(introspect::body(&live)),
        json!({
            "active": true, "iss": ISSUER, "client_id": "rp", "aud": "rp", "iat": 1000, "exp": 1600,
            "scope": "openid profile", "token_type": "Bearer", "sub": "sub-1", "auth_time": 900, "acr": "urn:vn:eid:muc:1"
        })
    );
    let aud = |audience: &[String]| introspect::body(&Live { audience, ..live })["aud"].clone();
    assert_eq!((aud(&both), aud(&both[..1])), (json!(["https://a", "https://b"]), json!("https://a")));
    let bound = crate::domain::binding::Confirmation::parse("jkt:k x5t:c");
    let told = introspect::body(&Live { confirmation: bound.as_ref(), ..live });
    assert_eq!((&told["token_type"], &told["cnf"]), (&json!("DPoP"), &json!({"jkt": "k", "x5t#S256": "c"})));
    let own = Grant { party: Party::ClientItself, scope: vec![], ..grant.clone() };
    // RFC 9396 §9.2.
    let details = json!([{"type": "vn_transaction"}]);
    let told = introspect::body(&Live { authorization_details: Some(&details), ..live });
    assert_eq!(told["authorization_details"], details);
    let refresh = introspect::body(&Live { kind: Kind::Refresh, grant: &own, scope: &[], acr: None, ..live });
    assert_eq!(
        serde_json::Value::Object(refresh),
        json!({"active": true, "iss": ISSUER, "client_id": "rp", "aud": "rp", "iat": 1000, "exp": 1600, "sub": "rp"})
    );
    assert_eq!(introspect::inactive(), json!({"active": false}));
    assert!(introspect::token(&params("token_type_hint=junk")).is_err());
    assert_eq!(introspect::token(&params("token=t&token_type_hint=junk")).unwrap(), "t");
}

#[test]
fn rfc9701_5_in_08_golden_claims_of_a_signed_answer() {
    let mut caller = fixtures::client("server", "x");
    assert_eq!(
        serde_json::Value::Object(introspect::signed(introspect::inactive(), &caller, ISSUER, at(1000))),
        json!({"iss": ISSUER, "aud": "server", "iat": 1000, "token_introspection": {"active": false}})
    );
    assert_eq!(introspect::signing_alg(&caller), SigningAlg::RS256);
    caller.profile = Profile::Fapi2;
    assert_eq!(introspect::signing_alg(&caller), SigningAlg::ES256);
    caller.answers.introspection_signed_response_alg = Some(SigningAlg::EdDSA);
    assert_eq!(introspect::signing_alg(&caller), SigningAlg::EdDSA);
}

#[test]
fn rfc7009_2_1_revocation_rv_01_rv_02() {
    let grant = fixtures::grant("rp", "openid");
    let caller = |id: &str| fixtures::authenticated(&fixtures::client(id, "openid"));
    assert_eq!(revoke::decide(&caller("rp"), &grant, Kind::Refresh), Ok(Falls::Grant));
    assert_eq!(revoke::decide(&caller("rp"), &grant, Kind::Access), Ok(Falls::Token));
    assert_eq!(revoke::decide(&caller("other"), &grant, Kind::Refresh).unwrap_err().code, ErrorCode::InvalidGrant);
    for (text, found) in [
        ("token=t&token_type_hint=junk", Some("t")),
        ("token=a.b.c", Some("a.b.c")),
        ("", None),
        ("token=a&token=b", None),
    ] {
        assert_eq!(revoke::token(&params(text)).ok(), found, "{text}");
    }
}

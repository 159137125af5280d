//! The keys a client may register, and what they are for.

use super::*;

const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1"}"#;

fn rsa(bytes: usize, first: u8, last: u8, exponent: &[u8]) -> Value {
    let mut modulus = vec![0xa5; bytes];
    modulus[0] = first;
    modulus[bytes - 1] = last;
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
    json!({"kty": "RSA", "n": encode(&modulus), "e": encode(exponent)})
}

#[test]
fn rfc7517_jo_16_only_strong_public_signing_keys() {
    let ec: Value = serde_json::from_str(EC).unwrap();
    let changed = |name: &str, value: Value| {
        let mut key = ec.clone();
        key[name] = value;
        key
    };
    let point = ec["x"].clone();
    let f4 = [1, 0, 1];
    let rows = [
        (json!([ec]), true),
        (json!([{"kty": "OKP", "crv": "Ed25519", "x": point}]), true),
        (json!([rsa(256, 0x80, 1, &f4)]), true),
        (json!([changed("alg", json!("ES256"))]), true),
        (json!([]), false),
        (json!(["x"]), false),
        (json!([ec, ec]), false),
        (json!([changed("d", point.clone())]), false),
        (json!([changed("use", json!("enc"))]), false),
        (json!([changed("alg", json!("RS256"))]), false),
        (json!([changed("alg", json!("HS256"))]), false),
        (json!([changed("crv", json!("P-521"))]), false),
        (json!([changed("x", json!("AAAA"))]), false),
        (json!([changed("kid", json!("k".repeat(201)))]), false),
        (json!([changed("kid", json!(1))]), false),
        (json!([{"kty": "oct", "k": point}]), false),
        (json!([{"kty": "OKP", "crv": "X25519", "x": point}]), false),
        (json!([rsa(128, 0x80, 1, &f4)]), false),
        (json!([rsa(256, 0x7f, 1, &f4)]), false),
        (json!([rsa(256, 0x80, 2, &f4)]), false),
        (json!([rsa(256, 0x80, 1, &[3])]), false),
        (json!([rsa(256, 0x80, 1, &[1])]), false),
        (json!([rsa(256, 0x80, 1, &[1, 0, 2])]), false),
        (json!([rsa(2000, 0x80, 1, &f4)]), false),
    ];
    for (keys, good) in rows {
        let file = with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": keys}}));
        assert_eq!(admit(&file, &STRICT).is_ok(), good, "{keys}");
    }
}

#[test]
fn oidc_registration_2_one_key_signs_assertions_by_the_registered_algorithm() {
    let with_alg = |alg: &str, keys: Value| {
        admit(
            &with(json!({
                "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": keys},
                "token_endpoint_auth_signing_alg": alg, "request_object_signing_alg": "ES256",
            })),
            &STRICT,
        )
    };
    let (rsa, mut ec) = (rsa(256, 0x80, 1, &[1, 0, 1]), serde_json::from_str::<Value>(EC).unwrap());
    ec["kid"] = json!("of the objects");
    ec["use"] = json!("sig");
    let client = with_alg("PS256", json!([rsa, ec])).unwrap().0;
    assert_eq!(client.application.token_endpoint_auth_signing_alg, Some(SigningAlg::PS256));
    // What else the keys sign is not narrowed by it.
    assert!(!client.jwks.unwrap().contains("PS256"));
    assert!(with_alg("ES256", json!([rsa])).unwrap_err().told.starts_with("jwks has no key to sign with"));
    assert!(with_alg("HS256", json!([ec])).unwrap_err().told.starts_with("token_endpoint_auth_signing_alg"));
}

#[test]
fn oidc_registration_2_an_answer_is_encrypted_only_where_a_key_is_for_it() {
    let ec: Value = serde_json::from_str(EC).unwrap();
    let key = |patch: Value| {
        let mut key = ec.clone();
        key.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        key
    };
    let f4 = rsa(256, 0x80, 1, &[1, 0, 1]);
    let rows = [
        ("ECDH-ES", json!([ec]), true),
        ("ECDH-ES+A256KW", json!([key(json!({"use": "enc"}))]), true),
        ("RSA-OAEP-256", json!([f4]), true),
        ("ECDH-ES", json!([key(json!({"use": "enc", "alg": "ECDH-ES"})), f4]), true),
        ("ECDH-ES+A256KW", json!([key(json!({"use": "enc", "alg": "ECDH-ES"}))]), false),
        ("ECDH-ES", json!([key(json!({"use": "sig"}))]), false),
        ("ECDH-ES", json!([key(json!({"alg": "ES256"}))]), false),
        ("ECDH-ES", json!([f4]), false),
        ("RSA-OAEP-256", json!([ec]), false),
        ("ECDH-ES", json!([key(json!({"use": "enc", "alg": "ES256"}))]), false),
        ("ECDH-ES", json!([key(json!({"use": "sig", "alg": "ECDH-ES"}))]), false),
        ("ECDH-ES", json!([key(json!({"use": "other"}))]), false),
        ("ECDH-ES", json!([key(json!({"use": "enc", "d": "AAAA"}))]), false),
    ];
    for (alg, keys, good) in rows {
        for answer in ["id_token", "userinfo"] {
            let mut changes = json!({"jwks": {"keys": keys}});
            changes[format!("{answer}_encrypted_response_alg")] = json!(alg);
            assert_eq!(admit(&with(changes.clone()), &STRICT).is_ok(), good, "{changes}");
        }
    }
    let keys = json!({"keys": [key(json!({"use": "enc"}))]});
    let client = client(json!({
        "jwks": keys, "userinfo_signed_response_alg": "PS256", "introspection_signed_response_alg": "EdDSA",
        "id_token_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_alg": "ECDH-ES+A256KW",
        "userinfo_encrypted_response_enc": "A256GCM"
    }));
    let stored: Client = serde_json::from_str(&serde_json::to_string(&client).unwrap()).unwrap();
    assert_eq!(stored, client);
    let shown = serde_json::to_value(&client).unwrap();
    assert_eq!(shown["id_token_encrypted_response_enc"], "A128CBC-HS256");
    assert_eq!(shown["userinfo_encrypted_response_enc"], "A256GCM");
    // A key that is only encrypted to proves nobody.
    let assertion = |keys: Value| with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys}));
    assert!(admit(&assertion(keys), &STRICT).unwrap_err().told.starts_with("jwks has no key to sign with"));
    let both = json!({"keys": [ec, key(json!({"kid": "2", "use": "enc"}))]});
    assert!(admit(&assertion(both), &STRICT).is_ok());
}

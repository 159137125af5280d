use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier};
use serde_json::{Map, Value, json};

use super::client::{admit, verify};
use super::*;
use crate::domain::Moment;
use crate::domain::key::StoredKey;
use crate::domain::relying_party::SigningAlg;
use crate::random::SeededRandom;

const NOW: Moment = Moment::from_unix(1_800_000_000);

fn vault() -> (tempfile::TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::at(&folder.path().join("keys"), &SeededRandom::new(1)).unwrap();
    (folder, vault)
}

fn later(seconds: i64) -> Moment {
    NOW + crate::domain::Span::seconds(seconds)
}

fn ring(algs: &[SigningAlg]) -> (tempfile::TempDir, Vault, Vec<StoredKey>, Ring) {
    let (folder, vault) = vault();
    let keys: Vec<_> = algs.iter().map(|alg| Ring::mint(&vault, *alg, NOW, NOW).unwrap()).collect();
    let ring = Ring::load(&vault, &keys).unwrap();
    (folder, vault, keys, ring)
}

fn claims() -> Map<String, Value> {
    let claims = json!({"iss": "https://id.example.vn", "exp": 1_800_000_600, "name": "Nguyễn Văn An"});
    claims.as_object().unwrap().clone()
}

/// The published key as OpenSSL knows it, made from its JWK members alone.
fn openssl_key(jwk: &Value) -> PKey<Public> {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let number = |name: &str| BigNum::from_slice(&bytes(name)).unwrap();
    match jwk["kty"].as_str().unwrap() {
        "EC" => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            let key = EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
            PKey::from_ec_key(key).unwrap()
        }
        "RSA" => PKey::from_rsa(Rsa::from_public_components(number("n"), number("e")).unwrap()).unwrap(),
        "OKP" => PKey::public_key_from_raw_bytes(&bytes("x"), Id::ED25519).unwrap(),
        other => panic!("{other}"),
    }
}

/// Verifies with OpenSSL and nothing of ours.
fn openssl_accepts(jwt: &str, jwk: &Value) -> bool {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = openssl_key(jwk);
    match jwk["alg"].as_str().unwrap() {
        "ES256" => {
            let (r, s) = signature.split_at(32);
            let parts = (BigNum::from_slice(r).unwrap(), BigNum::from_slice(s).unwrap());
            let signature = EcdsaSig::from_private_components(parts.0, parts.1).unwrap();
            let digest = openssl::sha::sha256(signed.as_bytes());
            signature.verify(&digest, &key.ec_key().unwrap()).unwrap()
        }
        "EdDSA" => Verifier::new_without_digest(&key).unwrap().verify_oneshot(&signature, signed.as_bytes()).unwrap(),
        alg => {
            let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
            if alg == "PS256" {
                verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
            }
            verifier.update(signed.as_bytes()).unwrap();
            verifier.verify(&signature).unwrap()
        }
    }
}

#[test]
fn every_alg_signs_what_openssl_and_josekit_verify() {
    let (_folder, _vault, _keys, ring) = ring(&SigningAlg::ALL);
    let set: Value = serde_json::from_str(&ring.jwks(NOW)).unwrap();
    for alg in SigningAlg::ALL {
        let jwt = ring.sign(alg, "JWT", &claims(), NOW).unwrap();
        let published = set["keys"].as_array().unwrap().iter().find(|key| key["alg"] == alg.name()).unwrap();
        assert!(openssl_accepts(&jwt, published), "{alg:?}");

        let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, json!({"alg": alg.name(), "kid": published["kid"], "typ": "JWT"}));

        let jwk = Jwk::from_map(published.as_object().unwrap().clone()).unwrap();
        let verifier = sign::verifier(alg, &jwk).unwrap();
        let (payload, _) = josekit::jwt::decode_with_verifier(&jwt, verifier.as_ref()).unwrap();
        assert_eq!(payload.claims_set(), &claims());
        assert_eq!(ring.verify_own(&jwt), Some(claims()));
        assert_eq!(verify(&jwt, &ring.jwks(NOW), &[alg]).unwrap().claims, claims());
    }
}

#[test]
fn rfc_7518_3_4_every_es256_signature_is_64_bytes_and_verifies() {
    let (_folder, _vault, _keys, ring) = ring(&[SigningAlg::ES256]);
    // One number in 256 has a leading zero byte.
    for serial in 0..600 {
        let claims = json!({ "jti": serial }).as_object().unwrap().clone();
        let jwt = ring.sign(SigningAlg::ES256, "JWT", &claims, NOW).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(jwt.rsplit('.').next().unwrap()).unwrap().len(), 64);
        assert_eq!(ring.verify_own(&jwt), Some(claims));
    }
}

#[test]
fn rfc_7518_3_4_nothing_but_two_numbers_in_range_is_an_es256_signature() {
    let (private, public) = sign::generate(SigningAlg::ES256).unwrap();
    let good = sign::signer(SigningAlg::ES256, &private).unwrap().sign(b"text").unwrap();
    let verifier = sign::verifier(SigningAlg::ES256, &public).unwrap();
    assert!(verifier.verify(b"text", &good).is_ok());
    assert!(verifier.verify(b"other", &good).is_err());
    let (r, s) = good.split_at(32);
    let order =
        BigNum::from_hex_str("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551").unwrap().to_vec();
    let der = EcdsaSig::from_private_components(BigNum::from_slice(r).unwrap(), BigNum::from_slice(s).unwrap());
    let bad = [
        Vec::new(),
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        [r, &[0; 32]].concat(),
        [&[0; 32], s].concat(),
        [&order[..], s].concat(),
        [r, &order].concat(),
        [s, r].concat(),
        der.unwrap().to_der().unwrap(),
    ];
    for bad in bad {
        assert!(verifier.verify(b"text", &bad).is_err(), "{bad:?}");
    }
    let mut off = public.clone();
    off.set_parameter("y", public.parameter("x").cloned()).unwrap();
    assert!(sign::verifier(SigningAlg::ES256, &off).is_err(), "a point that is not on the curve");
}

#[test]
fn jo_13_the_set_has_public_members_unique_kids_use_and_alg() {
    let (_folder, _vault, _keys, ring) = ring(&SigningAlg::ALL);
    let set: Value = serde_json::from_str(&ring.jwks(NOW)).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let kids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), 4);
    for key in keys {
        let members: BTreeSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: BTreeSet<_> = match key["kty"].as_str().unwrap() {
            "EC" => ["kty", "crv", "x", "y", "kid", "use", "alg"].into(),
            "OKP" => ["kty", "crv", "x", "kid", "use", "alg"].into(),
            _ => ["kty", "n", "e", "kid", "use", "alg"].into(),
        };
        assert_eq!(members, expected);
        assert_eq!(key["use"], "sig");
    }
    let rsa: BTreeSet<_> = keys.iter().filter_map(|key| key["n"].as_str()).collect();
    assert_eq!(rsa.len(), 2, "RS256 and PS256 have keys of their own");
    assert!(admit(&ring.jwks(NOW)).is_ok());
}

#[test]
fn rfc_7638_3_1_the_example_has_its_thumbprint() {
    let jwk = json!({
        "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    });
    let jwk = Jwk::from_map(jwk.as_object().unwrap().clone()).unwrap();
    assert_eq!(jwk::thumbprint(&jwk).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn contract_8_a_key_is_published_before_use_and_checks_hints_after_its_end() {
    let (_folder, vault) = vault();
    let old = Ring::mint(&vault, SigningAlg::ES256, NOW, NOW).unwrap();
    let next = Ring::mint(&vault, SigningAlg::ES256, later(10), later(100)).unwrap();
    let ring = Ring::load(&vault, std::slice::from_ref(&old)).unwrap();
    assert_eq!(ring.missing(NOW), [SigningAlg::PS256, SigningAlg::RS256, SigningAlg::EdDSA]);
    assert!(!ring.refresh(&vault, std::slice::from_ref(&old)).unwrap());
    let seen_by_clone = ring.clone();
    assert!(ring.refresh(&vault, &[old.clone(), next.clone()]).unwrap());

    let kid = |at: Moment| {
        let jwt = seen_by_clone.sign(SigningAlg::ES256, "JWT", &claims(), at).unwrap();
        let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    };
    assert!(ring.jwks(later(10)).contains(&next.kid), "published before its first use");
    assert_eq!(kid(later(99)), old.kid);
    assert_eq!(kid(later(100)), next.kid);

    let hint = ring.sign(SigningAlg::ES256, "JWT", &claims(), later(50)).unwrap();
    let retired = StoredKey { retired_at: Some(later(200)), ..old.clone() };
    assert!(ring.refresh(&vault, &[retired, next.clone()]).unwrap());
    assert!(ring.jwks(later(199)).contains(&old.kid));
    assert!(!ring.jwks(later(200)).contains(&old.kid));
    assert!(ring.jwks(later(200)).contains(&next.kid));
    assert_eq!(ring.verify_own(&hint), Some(claims()), "a retired key still checks what it signed");
}

#[test]
fn without_a_key_in_use_nothing_is_signed() {
    let (_folder, vault) = vault();
    let future = Ring::mint(&vault, SigningAlg::ES256, NOW, later(1)).unwrap();
    let ring = Ring::load(&vault, &[future]).unwrap();
    assert!(ring.sign(SigningAlg::ES256, "JWT", &claims(), NOW).is_err());
    assert!(ring.sign(SigningAlg::ES256, "JWT", &claims(), later(1)).is_ok());
    assert!(ring.sign(SigningAlg::RS256, "JWT", &claims(), later(1)).is_err());
}

#[test]
fn st_02_a_signing_key_opens_under_its_own_kid_and_master_only() {
    let (_folder, vault, keys, _ring) = ring(&[SigningAlg::ES256, SigningAlg::EdDSA]);
    let swapped = StoredKey { private: keys[1].private.clone(), ..keys[0].clone() };
    assert!(Ring::load(&vault, &[swapped]).is_err());
    let renamed = StoredKey { kid: keys[1].kid.clone(), ..keys[0].clone() };
    assert!(Ring::load(&vault, &[renamed]).is_err());
    let folder = tempfile::tempdir().unwrap();
    let other = Vault::at(folder.path(), &SeededRandom::new(2)).unwrap();
    assert!(Ring::load(&other, &keys).is_err());
}

#[test]
fn an_id_token_hint_is_ours_whole_and_an_id_token() {
    let (_folder, vault, _keys, ours) = ring(&[SigningAlg::ES256]);
    let (_other_folder, _other_vault, _other_keys, other) = ring(&[SigningAlg::RS256]);
    let jwt = ours.sign(SigningAlg::ES256, "JWT", &claims(), NOW).unwrap();
    assert!(ours.verify_own(&jwt).is_some());
    assert!(other.verify_own(&jwt).is_none(), "another ring's");
    assert!(ours.verify_own(&ours.sign(SigningAlg::ES256, "logout+jwt", &claims(), NOW).unwrap()).is_none());
    assert!(Ring::load(&vault, &[]).unwrap().verify_own(&jwt).is_none());
    let flipped = jwt.replacen(if jwt.contains('a') { 'a' } else { 'b' }, "_", 1);
    for bad in [flipped, format!("{jwt}="), format!("{jwt} "), jwt[..jwt.len() - 1].to_owned(), String::new()] {
        assert!(ours.verify_own(&bad).is_none(), "{bad}");
    }
}

#[test]
fn rfc8725_3_11_each_kind_of_token_is_read_as_that_kind_only() {
    let (_folder, _vault, _keys, ours) = ring(&[SigningAlg::ES256]);
    let access = ours.sign(SigningAlg::ES256, ACCESS_TOKEN, &claims(), NOW).unwrap();
    assert_eq!(ours.verify_access(&access), Some(claims()));
    assert!(ours.verify_own(&access).is_none());
    for typ in [JWT, INTROSPECTION, "AT+JWT", "application/at+jwt", ""] {
        let other = ours.sign(SigningAlg::ES256, typ, &claims(), NOW).unwrap();
        assert!(ours.verify_access(&other).is_none(), "{typ}");
    }
    let (signed, _) = access.rsplit_once('.').unwrap();
    assert!(ours.verify_access(&format!("{signed}.AAAA")).is_none());
}

#[test]
fn st_16_the_vault_makes_private_files_and_refuses_public_ones() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let vault = Vault::at(&directory, &SeededRandom::new(1)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for name in ["master", "blind-index", "pepper"] {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
    let again = Vault::at(&directory, &SeededRandom::new(2)).unwrap();
    assert_eq!(again.fingerprint(), vault.fingerprint(), "a second start keeps the keys");

    let pepper = directory.join("pepper");
    std::fs::set_permissions(&pepper, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(Vault::at(&directory, &SeededRandom::new(1)).unwrap_err().detail.contains("pepper"));
    std::fs::set_permissions(&pepper, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(Vault::at(&directory, &SeededRandom::new(1)).is_err());
}

#[test]
fn st_08_a_missing_or_broken_key_stops_the_start() {
    let (folder, vault) = vault();
    let directory = folder.path().join("keys");
    for (name, text) in [("pepper", ""), ("pepper", "c2hvcnQ"), ("master", "not base64!")] {
        let kept = std::fs::read(directory.join(name)).unwrap();
        std::fs::write(directory.join(name), text).unwrap();
        assert!(Vault::at(&directory, &SeededRandom::new(1)).unwrap_err().detail.contains(name), "{text}");
        std::fs::write(directory.join(name), kept).unwrap();
    }
    let kept = std::fs::read_to_string(directory.join("master")).unwrap();
    std::fs::remove_file(directory.join("master")).unwrap();
    assert!(Vault::at(&directory, &SeededRandom::new(1)).is_err(), "never replaced in silence");
    let padded = kept.trim().replace('-', "+").replace('_', "/") + "=\n";
    std::fs::write(directory.join("master"), padded).unwrap();
    std::fs::set_permissions(directory.join("master"), PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(Vault::at(&directory, &SeededRandom::new(1)).unwrap().fingerprint(), vault.fingerprint());
}

#[test]
fn two_first_starts_at_once_agree_on_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let prints: BTreeSet<_> = std::thread::scope(|scope| {
        let start = |seed| {
            let path = folder.path().join("keys");
            scope.spawn(move || Vault::at(&path, &SeededRandom::new(seed)).unwrap().fingerprint())
        };
        let starts: Vec<_> = (0..8).map(start).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(prints.len(), 1);
}

#[test]
fn a_blind_index_and_a_form_token_belong_to_their_kind_and_key() {
    let (_folder, vault) = vault();
    let folder = tempfile::tempdir().unwrap();
    let other = Vault::at(folder.path(), &SeededRandom::new(2)).unwrap();
    let index = vault.blind_index("person", "099090000001");
    assert_eq!(index, vault.blind_index("person", "099090000001"));
    for different in [
        vault.blind_index("phone", "099090000001"),
        vault.blind_index("person", "099090000002"),
        vault.blind_index("person0", "99090000001"),
        other.blind_index("person", "099090000001"),
    ] {
        assert_ne!(index, different);
    }
    let token = vault.form_token("browser", "consent");
    assert!(vault.knows_form_token("browser", "consent", &token));
    assert!(!vault.knows_form_token("browser", "sign-in", &token));
    assert!(!vault.knows_form_token("browsercon", "sent", &token));
    assert!(!other.knows_form_token("browser", "consent", &token));
    assert!(!vault.knows_form_token("browser", "consent", ""));
    assert_eq!(format!("{vault:?}"), "Vault(hidden)");
}

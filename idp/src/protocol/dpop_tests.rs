use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::fixtures::at;

const URL: &str = "https://id.gov.vn/token";
const NOW: i64 = 1_000_000;

fn addresses() -> Vec<String> {
    vec![URL.to_owned(), "https://mtls.id.gov.vn/token".to_owned()]
}

fn right() -> Value {
    json!({"jti": "j-1", "htm": "POST", "htu": URL, "iat": NOW})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = right();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn judged(header: &Value, claims: &Value, access_token: Option<&str>) -> Result<Proof, Error> {
    let (header, claims) = (header.as_object().unwrap(), claims.as_object().unwrap());
    let request = Request { method: "POST", addresses: &addresses(), access_token };
    judge(&VerifiedProof { header, claims, jkt: "key" }, &request, at(NOW))
}

fn typed() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256"})
}

#[test]
fn rfc9449_4_3_dp_01_one_header_with_one_jwt() {
    assert_eq!(single(&[]), Ok(None));
    assert_eq!(single(&["a.b.c"]), Ok(Some("a.b.c")));
    for bad in [&["a.b.c", "a.b.c"][..], &["a.b.c,d.e.f"], &["a.b.c, d.e.f"], &["a.b.c d.e.f"], &[""], &["a.b"], &["a"]]
    {
        assert_eq!(single(bad).unwrap_err().code, ErrorCode::InvalidDpopProof, "{bad:?}");
    }
}

#[test]
fn rfc9449_4_3_dp_02_to_dp_05_what_a_proof_must_say() {
    let rows: Vec<(&str, Value, Value, bool)> = vec![
        ("control", typed(), right(), true),
        ("more members", json!({"typ": "dpop+jwt", "kid": "x"}), with("nbf", json!(NOW + 5000)), true),
        ("dp_02 no typ", json!({}), right(), false),
        ("dp_02 typ JWT", json!({"typ": "JWT"}), right(), false),
        ("dp_02 typ of another case", json!({"typ": "DPOP+JWT"}), right(), false),
        ("dp_02 typ a list", json!({"typ": ["dpop+jwt"]}), right(), false),
        ("dp_04 no jti", typed(), with("jti", Value::Null), false),
        ("dp_04 jti a number", typed(), with("jti", json!(7)), false),
        ("dp_04 jti empty", typed(), with("jti", json!("")), false),
        ("dp_04 jti of 257", typed(), with("jti", json!("j".repeat(257))), false),
        ("a NUL in the jti", typed(), with("jti", json!("j\0i")), false),
        ("jti of 256", typed(), with("jti", json!("j".repeat(256))), true),
        ("no htm", typed(), with("htm", Value::Null), false),
        ("htm GET", typed(), with("htm", json!("GET")), false),
        ("htm lower case", typed(), with("htm", json!("post")), false),
        ("no htu", typed(), with("htu", Value::Null), false),
        ("dp_04 htu a list", typed(), with("htu", json!([URL])), false),
        ("dp_04 htu a number", typed(), with("htu", json!(1)), false),
        ("no iat", typed(), with("iat", Value::Null), false),
        ("dp_04 iat text", typed(), with("iat", json!(NOW.to_string())), false),
        ("dp_04 iat huge", typed(), with("iat", json!(1e308)), false),
        ("dp_04 iat negative", typed(), with("iat", json!(-1)), false),
        ("dp_04 iat past every integer", typed(), with("iat", json!(u64::MAX)), false),
        ("iat with a fraction", typed(), with("iat", json!(1_000_000.5)), true),
        ("dp_05 -301", typed(), with("iat", json!(NOW - 301)), false),
        ("dp_05 -300", typed(), with("iat", json!(NOW - 300)), true),
        ("dp_05 +10", typed(), with("iat", json!(NOW + 10)), true),
        ("dp_05 +60", typed(), with("iat", json!(NOW + 60)), true),
        ("dp_05 +61", typed(), with("iat", json!(NOW + 61)), false),
        ("ath where no token is", typed(), with("ath", json!("x")), true),
    ];
    for (name, header, claims, good) in rows {
        let found = judged(&header, &claims, None);
        assert_eq!(
            found.as_ref().map_err(|error| error.code).err(),
            (!good).then_some(ErrorCode::InvalidDpopProof),
            "{name}"
        );
    }
}

#[test]
fn rfc9449_4_3_9_how_htu_is_compared() {
    let same = [
        URL,
        "https://mtls.id.gov.vn/token",
        "HTTPS://ID.gov.VN/token",
        "https://id.gov.vn:443/token",
        "https://id.gov.vn/token?a=b",
        "https://id.gov.vn/token#x",
        "https://id.gov.vn/token?",
    ];
    for htu in same {
        assert!(judged(&typed(), &with("htu", json!(htu)), None).is_ok(), "{htu}");
    }
    let other = [
        "http://id.gov.vn/token",
        "https://id.gov.vn:8443/token",
        "https://id.gov.vn/token/",
        "https://id.gov.vn/Token",
        "https://id.gov.vn/userinfo",
        "https://id.gov.vn",
        "https://id.gov.vn.evil.vn/token",
        "https://evil@id.gov.vn/token",
        "https://@id.gov.vn/token",
        "https://:@id.gov.vn/token",
        "https://%69d.gov.vn/token",
        "https://id.gov.vn:0443/token",
        "https://id.gov.vn/x/../token",
        "https://id.gov.vn//token",
        "https:id.gov.vn/token",
        "https:/id.gov.vn/token",
        "https:\\\\id.gov.vn\\token",
        " https://id.gov.vn/token",
        "https://id.gov.vn/tok\nen",
        "/token",
        "",
    ];
    for htu in other {
        assert!(judged(&typed(), &with("htu", json!(htu)), None).is_err(), "{htu}");
    }
}

#[test]
fn rfc9449_7_dp_10_the_hash_of_the_token_beside_it() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    // RFC 9449 §7.1, example.
    let ath = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
    assert!(judged(&typed(), &with("ath", json!(ath)), Some(token)).is_ok());
    for bad in [Value::Null, json!(""), json!(1), json!(hash("another")), json!(format!("{ath}="))] {
        assert!(judged(&typed(), &with("ath", bad.clone()), Some(token)).is_err(), "{bad}");
    }
}

#[test]
fn rfc9449_8_a_nonce_is_handed_on_or_asked_again() {
    assert_eq!(judged(&typed(), &with("nonce", json!("n")), None).unwrap().nonce.as_deref(), Some("n"));
    assert_eq!(judged(&typed(), &right(), None).unwrap().nonce, None);
    assert_eq!(judged(&typed(), &with("nonce", json!(1)), None).unwrap_err().code, ErrorCode::UseDpopNonce);
}

#[test]
fn rfc9449_11_1_a_proof_is_remembered_as_long_as_it_is_good() {
    for iat in [NOW - 300, NOW, NOW + 60] {
        let (value, until) = judged(&typed(), &with("iat", json!(iat)), None).unwrap().identifier();
        assert_eq!(value, "key j-1");
        // The first second in which it is refused for its age is not before it is forgotten.
        assert!(until >= at(iat + 301), "{iat}");
    }
}

proptest! {
    #[test]
    fn only_our_own_addresses_are_ours(text in "(https?://)?[a-z0-9./:@?#%\\\\-]{0,40}") {
        let ours = text.split(['?', '#']).next().is_some_and(|bare| bare == URL);
        prop_assert_eq!(judged(&typed(), &with("htu", json!(text)), None).is_ok(), ours);
    }

    #[test]
    fn any_case_of_scheme_and_host_is_the_same(upper in prop::collection::vec(any::<bool>(), 17)) {
        let (front, path) = URL.split_at(17);
        let spelled: String =
            front.chars().zip(&upper).map(|(c, up)| if *up { c.to_ascii_uppercase() } else { c }).collect();
        let htu = format!("{spelled}{path}");
        prop_assert!(judged(&typed(), &with("htu", json!(htu)), None).is_ok());
    }

    #[test]
    fn a_proof_out_of_its_window_is_never_good(iat in any::<i64>()) {
        let good = (NOW - 300..=NOW + 60).contains(&iat);
        prop_assert_eq!(judged(&typed(), &with("iat", json!(iat)), None).is_ok(), good);
    }
}

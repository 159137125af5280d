use proptest::prelude::*;

use super::*;
use crate::domain::relying_party::AuthMethod;
use crate::protocol::fixtures::{self, ISSUER};

const POLICY: AddressPolicy<'static> = AddressPolicy { issuer: ISSUER, http_loopback: false };
const GOOD: &str = "https://rp.gov.vn/cb";

fn query(pairs: &[(&str, &str)]) -> Params {
    Params::parse(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()).unwrap()
}

/// The address of a request as it comes: first its client, then where to answer it.
fn address(
    params: &Params,
    registered: Option<&Registered>,
    policy: &AddressPolicy<'_>,
) -> Result<ReturnAddress, Error> {
    super::address(params, named(params, registered)?, policy)
}

fn rp() -> Registered {
    fixtures::registered(fixtures::client("rp", "openid"))
}

fn ask(registered: &Registered, uri: &str) -> Result<ReturnAddress, Error> {
    address(&query(&[("client_id", "rp"), ("redirect_uri", uri)]), Some(registered), &POLICY)
}

#[test]
fn rfc6749_4_1_2_1_the_registered_address_and_nothing_else() {
    assert_eq!(ask(&rp(), GOOD).unwrap().uri(), GOOD);
    assert_eq!(ask(&rp(), GOOD).unwrap().origin(), "https://rp.gov.vn");
}

/// Every row of `security.md` 2.2 that is about an address.
const NEAR_MISSES: &[&str] = &[
    // RU-01
    "https://rp.gov.vn/cb/",
    "https://rp.gov.vn/cb?",
    "https://rp.gov.vn/cb?x=1",
    "https://rp.gov.vn/cb#",
    "https://rp.gov.vn/cb#f",
    "https://rp.gov.vn/CB",
    // RU-02
    "https://RP.gov.vn/cb",
    "HTTPS://rp.gov.vn/cb",
    // RU-04
    "https://rp.gov.vn/cb/../evil",
    "https://rp.gov.vn/cb/%2e%2e/evil",
    "https://rp.gov.vn/cb;x",
    "https://rp.gov.vn/./cb",
    "https://rp.gov.vn//cb",
    // RU-05
    "https://rp.gov.vn%2f@evil.vn/cb",
    "https://rp.gov.vn@evil.vn/cb",
    "https://a@b@rp.gov.vn/cb",
    // RU-07
    "https://rp.gov.vn\\evil.vn/cb",
    "https:/\\rp.gov.vn/cb",
    "https:rp.gov.vn/cb",
    "https://rp.gov.vn/c\tb",
    "https://rp.gov.vn/cb\n",
    "\nhttps://rp.gov.vn/cb",
    " https://rp.gov.vn/cb",
    // RU-08
    "https://rр.gov.vn/cb",
    "https://xn--rp-gov-vn/cb",
    "https://rp。gov.vn/cb",
    "https://rp.gov.vn./cb",
    // RU-10
    "http://rp.gov.vn/cb",
    // RU-11
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///cb",
    "intent://rp.gov.vn/cb",
    // RU-17
    "https://other.gov.vn/cb",
    "https://rp.gov.vn:443/cb",
    "https://rp.gov.vn",
    "rp.gov.vn/cb",
    "//rp.gov.vn/cb",
    "https://rp.gov.vn/cb%00",
];

#[test]
fn rfc9700_4_1_3_ru_01_to_ru_17_are_a_page() {
    for uri in NEAR_MISSES {
        let error = ask(&rp(), uri).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest, "{uri}");
        assert_eq!(error.told, "redirect_uri is not registered", "{uri}");
    }
}

#[test]
fn ru_10_ru_11_what_should_never_have_been_registered_is_refused_at_request_too() {
    for uri in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "http://rp.gov.vn/cb",
        "https://*.gov.vn/cb",
        "http://localhost:1/",
    ] {
        let mut client = fixtures::client("rp", "openid");
        client.redirect_uris = vec![uri.to_owned()];
        assert!(ask(&fixtures::registered(client), uri).is_err(), "{uri}");
    }
}

#[test]
fn rfc6749_4_1_2_1_az_01_02_23_ru_14_client_and_repeats_are_a_page() {
    let (id, uri) = (("client_id", "rp"), ("redirect_uri", GOOD));
    let rows: [(&[(&str, &str)], ErrorCode); 9] = [
        (&[uri], ErrorCode::InvalidRequest),
        (&[("client_id", ""), uri], ErrorCode::InvalidRequest),
        (&[id, id, uri], ErrorCode::InvalidRequest),
        (&[id], ErrorCode::InvalidRequest),
        (&[id, ("redirect_uri", "")], ErrorCode::InvalidRequest),
        (&[id, uri, uri], ErrorCode::InvalidRequest),
        (&[id, uri, ("redirect_uri", "https://evil.vn/")], ErrorCode::InvalidRequest),
        (&[id, ("redirect_uri", "https://evil.vn/"), uri], ErrorCode::InvalidRequest),
        (&[("client_id", "unknown"), uri], ErrorCode::InvalidClient),
    ];
    for (pairs, code) in rows {
        assert_eq!(address(&query(pairs), Some(&rp()), &POLICY).unwrap_err().code, code, "{pairs:?}");
    }
    assert_eq!(address(&query(&[id, uri]), None, &POLICY).unwrap_err().code, ErrorCode::InvalidClient);
    for status in [ClientStatus::Suspended, ClientStatus::Closed] {
        let gone = Registered { status, ..rp() };
        assert_eq!(address(&query(&[id, uri]), Some(&gone), &POLICY).unwrap_err().code, ErrorCode::InvalidClient);
    }
}

#[test]
fn rfc8252_7_3_ru_16_any_port_for_a_native_client_only() {
    let mut native = fixtures::client("rp", "openid");
    native.redirect_uris = vec!["http://127.0.0.1/cb".to_owned()];
    let confidential = fixtures::registered(native.clone());
    native.token_endpoint_auth_method = AuthMethod::None;
    let native = fixtures::registered(native);
    for good in ["http://127.0.0.1:49152/cb", "http://127.0.0.1/cb"] {
        assert_eq!(ask(&native, good).unwrap().uri(), good);
        assert!(ask(&confidential, good).is_err(), "{good}");
    }
    for bad in [
        "http://localhost:49152/cb",
        "http://[::1]:49152/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/cb?x=1",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.1:1@evil.vn/cb",
    ] {
        assert!(ask(&native, bad).is_err(), "{bad}");
    }
}

#[test]
fn rfc8252_7_3_a_confidential_client_keeps_its_exact_port_on_loopback_too() {
    let mut client = fixtures::client("rp", "openid");
    client.redirect_uris = vec!["http://127.0.0.1/cb".to_owned()];
    let registered = fixtures::registered(client);
    let params = query(&[("client_id", "rp"), ("redirect_uri", "http://127.0.0.1:49152/cb")]);
    assert!(address(&params, Some(&registered), &AddressPolicy { http_loopback: true, ..POLICY }).is_err());
}

#[test]
fn contract_3_loopback_http_by_policy_with_its_exact_port() {
    let mut client = fixtures::client("rp", "openid");
    client.redirect_uris = vec!["http://localhost:8082/cb".to_owned()];
    let registered = fixtures::registered(client);
    let at = |uri, http_loopback| {
        let params = query(&[("client_id", "rp"), ("redirect_uri", uri)]);
        address(&params, Some(&registered), &AddressPolicy { http_loopback, ..POLICY })
    };
    assert!(at("http://localhost:8082/cb", true).is_ok());
    assert!(at("http://localhost:8082/cb", false).is_err());
    assert!(at("http://localhost:8083/cb", true).is_err());
    assert!(at("http://127.0.0.1:8082/cb", true).is_err());
}

#[test]
fn rfc9207_2_iss_and_state_on_every_answer_in_both_modes() {
    let base = [("client_id", "rp"), ("redirect_uri", GOOD), ("state", "a b&=%")];
    let by_query = address(&query(&base), Some(&rp()), &POLICY).unwrap();
    assert_eq!(
        by_query.code("xyz").uri,
        "https://rp.gov.vn/cb?code=xyz&state=a+b%26%3D%25&iss=https%3A%2F%2Fid.gov.vn"
    );
    let error = Error::invalid_request("c", "scope \u{e9} \"is\" bad");
    let refused = by_query.refuse(&error);
    assert!(refused.uri.contains("error=invalid_request&error_description=scope+%3F+%3Fis%3F+bad&state="));
    assert!(refused.fields.is_empty());
    let params = query(&[base[0], base[1], base[2], ("response_mode", "form_post")]);
    let by_form = address(&params, Some(&rp()), &POLICY).unwrap().code("xyz");
    assert_eq!((by_form.mode, by_form.uri.as_str()), (ResponseMode::FormPost, GOOD));
    let fields: Vec<(&str, &str)> = by_form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(fields, [("code", "xyz"), ("state", "a b&=%"), ("iss", ISSUER)]);
}

#[test]
fn rfc6749_3_1_2_a_registered_query_is_kept() {
    let rows = [
        ("https://rp/a", "https://rp/a?x=1"),
        ("https://rp/a?", "https://rp/a?x=1"),
        ("https://rp/a?b=c", "https://rp/a?b=c&x=1"),
    ];
    for (uri, expected) in rows {
        assert_eq!(with_query(uri, [("x", "1")]), expected);
    }
}

#[test]
fn az_07_an_unknown_mode_is_answered_by_query() {
    for pairs in [vec![("response_mode", "fragment")], vec![("response_mode", "form_post"), ("response_mode", "query")]]
    {
        let all: Vec<_> = [("client_id", "rp"), ("redirect_uri", GOOD)].into_iter().chain(pairs).collect();
        assert_eq!(address(&query(&all), Some(&rp()), &POLICY).unwrap().answer(&[]).mode, ResponseMode::Query);
    }
}

#[test]
fn az_16_only_a_sane_state_is_echoed() {
    let (long, longer, marked) = ("s".repeat(2048), "s".repeat(2049), "é".repeat(2048));
    let rows: [(&[&str], Option<&str>); 8] = [
        (&["x"], Some("x")),
        (&[&long], Some(&long)),
        (&[&marked], Some(&marked)),
        (&[&longer], None),
        (&["a\0b"], None),
        (&["a\r\nb"], None),
        (&["a", "b"], None),
        (&[""], None),
    ];
    for (states, echoed) in rows {
        let states = states.iter().map(|state| ("state", *state));
        let all: Vec<_> = [("client_id", "rp"), ("redirect_uri", GOOD)].into_iter().chain(states).collect();
        let address = address(&query(&all), Some(&rp()), &POLICY).unwrap();
        assert_eq!(address.state.as_deref(), echoed);
        assert!(!address.refuse(&Error::invalid_request("c", "x")).uri.contains(['\r', '\n', '\0']));
    }
}

#[test]
fn a_kept_request_is_checked_against_the_registration_of_today() {
    let mut client = fixtures::client("rp", "openid");
    let request = fixtures::request(&client, "openid");
    assert!(ReturnAddress::of(&request, &client, &POLICY).is_ok());
    assert!(ReturnAddress::of(&request, &fixtures::client("other", "openid"), &POLICY).is_err());
    client.redirect_uris = vec!["https://rp.gov.vn/new".to_owned()];
    assert!(ReturnAddress::of(&request, &client, &POLICY).is_err());
}

#[derive(Clone, Debug)]
enum Mutation {
    Insert(usize, char),
    Delete(usize),
    Replace(usize, char),
    Upper(usize),
    Append(&'static str),
    Prepend(&'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let odd = prop::sample::select("/\\?#@:.%;&=*~ \t\n\0aZ9-_é。\u{200b}".chars().collect::<Vec<_>>());
    let tail = vec!["/", "?", "#", "?x=1", "/..", "/%2e%2e/evil", ";x", "@evil.vn", ".evil.vn", "%00", "//", "\\"];
    let head = vec!["https://evil.vn/?", "javascript:", "//", " ", "https://evil.vn@", "data:,", "view-source:"];
    prop_oneof![
        (any::<usize>(), odd.clone()).prop_map(|(i, c)| Mutation::Insert(i, c)),
        any::<usize>().prop_map(Mutation::Delete),
        (any::<usize>(), odd).prop_map(|(i, c)| Mutation::Replace(i, c)),
        any::<usize>().prop_map(Mutation::Upper),
        prop::sample::select(tail).prop_map(Mutation::Append),
        prop::sample::select(head).prop_map(Mutation::Prepend),
    ]
}

fn mutate(uri: &str, mutation: &Mutation) -> String {
    let mut chars: Vec<char> = uri.chars().collect();
    let within = |i: usize, length: usize| if length == 0 { 0 } else { i % length };
    match mutation {
        Mutation::Insert(i, c) => chars.insert(within(*i, chars.len() + 1), *c),
        Mutation::Delete(i) if !chars.is_empty() => drop(chars.remove(within(*i, chars.len()))),
        Mutation::Replace(i, c) if !chars.is_empty() => chars[i % uri.chars().count()] = *c,
        Mutation::Upper(i) if !chars.is_empty() => chars[i % uri.chars().count()].make_ascii_uppercase(),
        Mutation::Append(text) => chars.extend(text.chars()),
        Mutation::Prepend(text) => return format!("{text}{uri}"),
        _ => {}
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn p3_no_near_miss_ever_becomes_an_address(
        start in prop::sample::select(vec![GOOD, "https://rp.gov.vn/cb?own=1", "https://rp.gov.vn:8443/a/b"]),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut client = fixtures::client("rp", "openid");
        client.redirect_uris.extend(["https://rp.gov.vn/cb?own=1".to_owned(), "https://rp.gov.vn:8443/a/b".to_owned()]);
        let asked = mutations.iter().fold(start.to_owned(), |uri, step| mutate(&uri, step));
        let is_registered = client.redirect_uris.contains(&asked);
        let found = ask(&fixtures::registered(client), &asked);
        prop_assert_eq!(found.is_ok(), is_registered, "{}", asked);
        if let Ok(address) = found {
            let target = address.code("c").uri;
            let target = url::Url::parse(&target).unwrap();
            prop_assert_eq!(target.host_str(), Some("rp.gov.vn"));
        }
    }
}

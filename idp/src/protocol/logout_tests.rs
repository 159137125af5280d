use url::form_urlencoded;

use super::*;
use crate::protocol::fixtures;

const BYE: &str = "https://rp.gov.vn/bye";

fn query(pairs: &[(&str, &str)]) -> Params {
    Params::parse(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()).unwrap()
}

fn hint() -> LogoutHint {
    LogoutHint::Valid(Hinted { client: Id::new("rp"), sub: "s".into(), sid: Some("sid-1".into()) })
}

fn word(ending: &Ending) -> String {
    let target = |back: &Option<Back>| back.as_ref().map_or("our page".to_owned(), Back::location);
    match ending {
        Ending::Confirm { back } => format!("ask, then {}", target(back)),
        Ending::Direct { back } => target(back),
        Ending::Page(_) => "error".to_owned(),
    }
}

#[test]
fn rp_initiated_logout_2_and_3_lo_01_to_lo_04() {
    let to = ("post_logout_redirect_uri", BYE);
    let state = ("state", "a b");
    let long = "s".repeat(2049);
    type Row<'a> = (Vec<(&'a str, &'a str)>, LogoutHint, Here, &'a str);
    let rows: Vec<Row<'_>> = vec![
        // LO-01: without a hint the person is asked, and goes nowhere
        (vec![], LogoutHint::Absent, Here::Another, "ask, then our page"),
        (vec![], LogoutHint::Absent, Here::Nobody, "ask, then our page"),
        (vec![state], LogoutHint::Absent, Here::Another, "ask, then our page"),
        (vec![to, state], LogoutHint::Absent, Here::Another, "ask, then our page"),
        (vec![to, ("client_id", "rp")], LogoutHint::Absent, Here::Another, "ask, then our page"),
        // LO-04: a hint of the session here, expired or not, ends it at once
        (vec![], hint(), Here::Hinted, "our page"),
        (vec![state], hint(), Here::Hinted, "our page"),
        (vec![to], hint(), Here::Hinted, "https://rp.gov.vn/bye"),
        (vec![to, state], hint(), Here::Hinted, "https://rp.gov.vn/bye?state=a+b"),
        (vec![to, ("state", "")], hint(), Here::Hinted, "https://rp.gov.vn/bye"),
        (vec![to, ("client_id", "rp")], hint(), Here::Hinted, "https://rp.gov.vn/bye"),
        (vec![to], hint(), Here::Nobody, "https://rp.gov.vn/bye"),
        // a hint of another session does not end this one unasked
        (vec![], hint(), Here::Another, "ask, then our page"),
        (vec![to, state], hint(), Here::Another, "ask, then https://rp.gov.vn/bye?state=a+b"),
        // no redirect
        (vec![to], LogoutHint::Invalid("was not issued here"), Here::Another, "error"),
        (vec![], LogoutHint::Invalid("was not issued here"), Here::Another, "error"),
        (vec![to, ("client_id", "other")], hint(), Here::Hinted, "error"),
        (vec![to, to], hint(), Here::Hinted, "error"),
        (vec![to, state, state], hint(), Here::Hinted, "error"),
        (vec![to, ("state", &long)], hint(), Here::Hinted, "error"),
        (vec![to, ("state", "a\r\nb")], hint(), Here::Hinted, "error"),
    ];
    let registered = fixtures::registered(fixtures::client("rp", "openid"));
    for (pairs, hint, here, expected) in rows {
        let found = end(&query(&pairs), &hint, Some(&registered), here);
        assert_eq!(word(&found), expected, "{pairs:?} {hint:?} {here:?}");
    }
}

#[test]
fn lo_02_only_an_address_registered_byte_for_byte() {
    let registered = fixtures::registered(fixtures::client("rp", "openid"));
    for uri in [
        "https://rp.gov.vn/bye/",
        "https://rp.gov.vn/bye?",
        "https://rp.gov.vn/bye?foo=bar",
        "https://rp.gov.vn/bye#",
        "https://RP.gov.vn/bye",
        "http://rp.gov.vn/bye",
        "https://rp.gov.vn/cb",
        "javascript:alert(1)",
        "https://evil.vn/",
        "https://rp.gov.vn@evil.vn/bye",
        "https://rp.gov.vn/./bye",
    ] {
        let found = end(&query(&[("post_logout_redirect_uri", uri)]), &hint(), Some(&registered), Here::Hinted);
        assert_eq!(word(&found), "error", "{uri}");
    }
    let params = query(&[("post_logout_redirect_uri", BYE)]);
    let suspended = Registered { status: ClientStatus::Suspended, ..registered.clone() };
    let other = fixtures::registered(fixtures::client("other", "openid"));
    for registered in [None, Some(&suspended), Some(&other)] {
        assert_eq!(word(&end(&params, &hint(), registered, Here::Hinted)), "error");
    }
}

#[test]
fn the_client_looked_up_is_the_hints_first() {
    let named = query(&[("client_id", "named")]);
    assert_eq!(client_id(&named, &hint()).unwrap().as_str(), "rp");
    assert_eq!(client_id(&named, &LogoutHint::Absent).unwrap().as_str(), "named");
    assert_eq!(client_id(&query(&[]), &LogoutHint::Absent), None);
}

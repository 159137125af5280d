//! `security.md` 2.2: the return address is compared as bytes (RFC 9700 section 4.1.3).

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;

async fn refused(idp: &Sandbox, client: &RelyingParty, address: &str) {
    let ask = Ask::of(client).with("redirect_uri", address);
    verdict::page(&idp.visitor().get(&ask.target()).await, 400);
    // Neither do errors leave to it.
    let ask = ask.with("prompt", "none").with("response_type", "token");
    verdict::page(&idp.visitor().get(&ask.target()).await, 400);
}

#[tokio::test]
async fn ru_00_control_the_registered_address_is_used_with_its_own_query() {
    let idp = Sandbox::shared();
    let address = "https://rp.gov.vn/cb?tenant=1";
    let client = idp.client(json!({"redirect_uris": [address]}));
    let ask = Ask::of(&client).with("prompt", "none");
    let answer = idp.visitor().get(&ask.target()).await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://rp.gov.vn/cb?tenant=1&"), "{location}");
    assert_eq!(answer.returned().unwrap().get("error"), Some("login_required"));
}

#[tokio::test]
async fn ru_01_to_ru_10_near_misses_are_pages() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for address in [
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
        "https://rp.gov.vn/%63b",
        // RU-05
        "https://rp.gov.vn%2f@evil.vn/cb",
        "https://rp.gov.vn@evil.vn/cb",
        "https://a@b@rp.gov.vn/cb",
        // RU-07
        "https://rp.gov.vn\\evil.vn/cb",
        "https:/\\rp.gov.vn/cb",
        "https:rp.gov.vn/cb",
        "https://rp.gov.vn/\tcb",
        "https://rp.gov.vn/cb\n",
        " https://rp.gov.vn/cb",
        "https://rp.gov.vn/cb\0",
        // RU-08
        "https://rр.gov.vn/cb",
        "https://xn--r-8tb.gov.vn/cb",
        "https://rp．gov.vn/cb",
        "https://rp.gov.vn./cb",
        "https://rp.gov.vn:443/cb",
        // RU-10, RU-11
        "http://rp.gov.vn/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://rp.gov.vn/cb",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "intent://rp.gov.vn/cb",
        "//rp.gov.vn/cb",
        "/cb",
    ] {
        refused(idp, &client, address).await;
    }
}

#[tokio::test]
async fn ru_generated_near_misses_never_redirect() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let visitor = idp.visitor();
    let right = client.redirect.as_bytes();
    // Every byte of the address dropped, doubled, or changed in case or by one.
    for at in 0..right.len() {
        let mut spoilt = vec![right.to_vec(); 4];
        spoilt[0].remove(at);
        spoilt[1].insert(at, right[at]);
        spoilt[2][at] ^= 0x20;
        spoilt[3][at] += 1;
        for bytes in spoilt.into_iter().filter(|bytes| bytes != right) {
            let address = String::from_utf8_lossy(&bytes).into_owned();
            let answer = visitor.get(&Ask::of(&client).with("redirect_uri", &address).target()).await;
            assert!(answer.status == 400 && answer.header("location").is_none(), "{address:?}");
        }
    }
}

#[tokio::test]
async fn ru_11_and_ru_13_registration_refuses_what_no_request_may_use() {
    let idp = Sandbox::shared();
    let right = idp.confidential();
    for address in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "intent://rp.gov.vn/cb",
        "https://*.gov.vn/cb",
        "https://rp.gov.vn/*",
        "https://rp.gov.vn/cb#f",
        "http://rp.gov.vn/cb",
        "https://user@rp.gov.vn/cb",
        "cb",
        "",
    ] {
        let mut metadata = right.metadata.clone();
        metadata["client_id"] = json!("ru-11-refused");
        metadata["redirect_uris"] = json!([address]);
        let why = idp.refuses_client(&metadata).unwrap_or_else(|| panic!("{address:?} was registered"));
        assert!(!why.is_empty() && why.lines().count() == 1, "one line why: {why:?}");
        let ask = Ask::of(&right).with("client_id", "ru-11-refused");
        verdict::page(&idp.visitor().get(&ask.target()).await, 400);
    }
}

#[tokio::test]
async fn ru_14_two_addresses_or_none_are_pages() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let evil = "https://evil.vn/cb";
    let right = Ask::of(&client);
    for ask in [
        right.clone().also("redirect_uri", evil),
        right.clone().with("redirect_uri", evil).also("redirect_uri", &client.redirect),
        right.clone().also("redirect_uri", &client.redirect),
        right.clone().without("redirect_uri"),
        right.clone().with("redirect_uri", ""),
    ] {
        verdict::page(&idp.visitor().get(&ask.target()).await, 400);
    }
}

#[tokio::test]
async fn ru_16_a_native_client_may_change_the_port_of_its_loopback_address_only() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/cb"],
    }));
    let ask = Ask::of(&client).with("redirect_uri", "http://127.0.0.1:49152/cb");
    assert_eq!(idp.visitor().open(&ask.target()).await.page().name(), "sign-in");
    for address in [
        "http://localhost:49152/cb",
        "http://[::1]:49152/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152/cb?x=1",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.1:49152@evil.vn/cb",
        "http://127.0.0.1:99999/cb",
    ] {
        refused(idp, &client, address).await;
    }
}

#[tokio::test]
async fn ru_17_another_clients_address_is_a_page() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let other = idp.client(json!({"redirect_uris": ["https://other.gov.vn/cb"]}));
    refused(idp, &client, &other.redirect).await;
}

//! A NUL in what names something: PostgreSQL keeps and compares no such text, SQLite does. Whoever names nobody that way is told what
//! anybody is who names nobody, on either.

use serde_json::json;

use crate::support::relying_party::basic;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, pairs};

/// What says the same of every name that is none.
fn told(answer: &Answer) -> (u16, String, String) {
    match answer.header("content-type") {
        Some(kind) if kind.starts_with("application/json") => {
            (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned(), String::new())
        }
        Some(kind) if kind.starts_with("text/html") => {
            let page = answer.page();
            (answer.status, page.name().to_owned(), page.code().to_owned())
        }
        _ => (answer.status, String::new(), String::new()),
    }
}

const NOBODY: [&str; 3] = ["nobody", "no\0body", "\0"];

#[tokio::test]
async fn whoever_names_nobody_with_a_nul_is_told_what_others_are() {
    let idp = Sandbox::shared();
    let visitor = idp.visitor();
    let escaped = |name: &str| name.replace('\0', "%00");
    for place in [
        "/authorize?response_type=code&client_id=",
        "/end-session?client_id=",
        "/signed-out?sign_out=",
        "/sign-in?i=",
        "/register/",
        "/logo/",
        "/upstream/",
    ] {
        let mut all = Vec::new();
        for name in NOBODY {
            all.push(told(&visitor.get(&format!("{place}{}", escaped(name))).await));
        }
        assert!(all.iter().all(|one| *one == all[0] && one.0 < 500), "{place}: {all:?}");
    }
    for endpoint in ["/token", "/par", "/introspect", "/revoke"] {
        let mut all = Vec::new();
        for name in NOBODY {
            let fields = pairs(&[("grant_type", "client_credentials"), ("token", name), ("response_type", "code")]);
            let by_header = visitor.post(endpoint, &fields, &[("authorization", &basic(name, "a secret"))]).await;
            all.push(told(&by_header));
            let by_form = [fields, pairs(&[("client_id", name), ("client_secret", "a secret")])].concat();
            all.push(told(&visitor.post(endpoint, &by_form, &[]).await));
        }
        assert!(all.iter().all(|one| one.0 == 401 && one.1 == "invalid_client"), "{endpoint}: {all:?}");
    }
}

#[tokio::test]
async fn a_value_with_a_nul_is_refused_and_the_next_is_served() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({
        "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
        "scope": "openid reports:read",
    }));
    for (name, value) in
        [("scope", "a\0b"), ("resource", "https://api.gov.vn/\0"), ("code", "\0"), ("refresh_token", "\0")]
    {
        let grant = match name {
            "code" => "authorization_code",
            "refresh_token" => "refresh_token",
            _ => "client_credentials",
        };
        let refused = client.call("/token", &[("grant_type", grant), (name, value)]).await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.body);
    }
    let served = client.call("/token", &[("grant_type", "client_credentials"), ("scope", "reports:read")]).await;
    assert_eq!(served.status, 200, "{}", served.body);
}

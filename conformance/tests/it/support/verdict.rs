//! The exact answers of `security.md` 2: PAGE(n), RED(e), TOK(n,e).

use super::ask::Ask;
use super::relying_party::RelyingParty;
use super::wire::{Answer, Returned};

/// PAGE(n): our own HTML page with this status, no `Location`, a reference on it.
pub fn page(answer: &Answer, status: u16) {
    let what = answer.url.as_str();
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert!(answer.header("location").is_none(), "{what} redirects");
    assert!(answer.header("content-type").unwrap_or_default().starts_with("text/html"), "{what} is no page");
    let page = answer.page();
    assert_eq!(page.name(), "error", "{what}");
    assert!(!page.code().is_empty(), "{what}: the error page names its code");
    assert!(page.has("reference"), "{what}: the error page has a reference");
}

/// RED(e): the error goes to the registered address, with `state`, the exact `iss` and nothing issued.
pub fn redirect(answer: &Answer, client: &RelyingParty, ask: &Ask, error: &str) -> Returned {
    let returned = redirect_without_state(answer, client, error);
    assert_eq!(returned.get("state"), Some(ask.state.as_str()), "state is echoed");
    returned
}

pub fn redirect_without_state(answer: &Answer, client: &RelyingParty, error: &str) -> Returned {
    let returned = answer.returned();
    let returned = returned.unwrap_or_else(|| panic!("{} not RED({error}): {}", answer.status, answer.body));
    assert_eq!(returned.get("error"), Some(error), "{returned:?}");
    assert_eq!(returned.address, client.redirect);
    assert_eq!(returned.get("iss"), Some(client.issuer.as_str()), "RFC 9207: iss in every response");
    for issued in ["code", "access_token", "id_token"] {
        assert_eq!(returned.get(issued), None);
    }
    if !returned.by_form {
        assert_eq!(answer.status, 303, "RFC 9700 section 4.12: 303, never 307");
        assert!(!answer.header("location").unwrap().contains('#'), "nothing in the fragment");
    }
    let known = ["error", "error_description", "error_uri", "state", "iss", "session_state"];
    assert!(returned.fields.iter().all(|(name, _)| known.contains(&name.as_str())), "{returned:?}");
    let described = returned.get("error_description").unwrap_or_default();
    assert!(described.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\'), "{described:?}");
    returned
}

/// TOK(n,e): JSON error, never cached.
pub fn token_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.body);
    assert_eq!(answer.header("content-type").map(|t| t.starts_with("application/json")), Some(true));
    assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"));
    assert_eq!(status == 401, answer.header("www-authenticate").is_some(), "WWW-Authenticate goes with 401");
}

/// FAM: every token of the grant is dead now.
pub async fn family_is_dead(client: &RelyingParty, access: &[&str], refresh: &[&str]) {
    for token in access {
        assert_eq!(client.userinfo(token).await.status, 401, "the access token outlived its family");
        if client.introspects() {
            assert_eq!(client.introspect(token).await, serde_json::json!({"active": false}));
        }
    }
    for token in refresh {
        token_error(&client.refresh(token).await, 400, "invalid_grant");
    }
}

impl RelyingParty {
    /// A public client cannot authenticate, so introspection is not for it.
    pub fn introspects(&self) -> bool {
        !matches!(self.proof, super::relying_party::Proof::None)
    }
}

//! `security.md` CA-11 and `protocol.md` 1.2: the keys of a client by reference, and as they are now.

use serde_json::{Value, json};

use crate::support::relying_party::{Proof, RelyingParty, key_pair};
use crate::support::sandbox::Sandbox;
use crate::support::server::Server;
use crate::support::verdict;

const PROBE: [(&str, &str); 2] = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];

struct Portal {
    server: Server,
    client: RelyingParty,
}

impl Portal {
    /// A client whose keys are at `/jwks` of its own server.
    fn open(idp: &Sandbox) -> Portal {
        let server = Server::open();
        let client = idp.client(json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks": null, "jwks_uri": format!("{}/jwks", server.origin),
        }));
        let mut portal = Portal { server, client };
        portal.rotate();
        portal
    }

    fn rotate(&mut self) {
        let (key, mut set) = key_pair();
        set["keys"][0]["kid"] = json!(key.key_id());
        self.serve(&set);
        self.client.proof = Proof::Assertion(Box::new(key));
    }

    fn serve(&self, set: &Value) {
        self.server.serve("/jwks", "application/json", set.to_string());
    }

    async fn is_known(&self) -> bool {
        let answer = self.client.call("/token", &PROBE).await;
        match answer.status {
            400 => verdict::token_error(&answer, 400, "invalid_grant"),
            _ => verdict::token_error(&answer, 401, "invalid_client"),
        }
        answer.status == 400
    }
}

#[tokio::test]
async fn control_a_client_proves_itself_with_the_keys_at_its_jwks_uri() {
    let idp = Sandbox::shared();
    let portal = Portal::open(idp);
    assert!(portal.is_known().await && portal.is_known().await);
    assert_eq!(portal.server.asked("/jwks"), 1, "fetched once");
}

#[tokio::test]
async fn ca_11_a_rotation_is_followed_at_once_and_asked_for_rarely() {
    let idp = Sandbox::shared();
    let mut portal = Portal::open(idp);
    assert!(portal.is_known().await);
    let old = portal.client.proof.clone();
    portal.rotate();
    assert!(portal.is_known().await, "the new key works at once");
    assert_eq!(portal.server.asked("/jwks"), 2);
    let new = std::mem::replace(&mut portal.client.proof, old);
    assert!(!portal.is_known().await, "the key that was taken out signs nothing");
    for _ in 0..5 {
        portal.client.proof = Proof::Assertion(Box::new(key_pair().0));
        assert!(!portal.is_known().await);
    }
    assert_eq!(portal.server.asked("/jwks"), 2, "unknown keys of strangers are not asked for again and again");
    portal.client.proof = new;
    assert!(portal.is_known().await);
}

#[tokio::test]
async fn keys_without_a_name_are_followed_too() {
    let idp = Sandbox::shared();
    let mut portal = Portal::open(idp);
    for asked in 1..=2 {
        let (key, set) = key_pair();
        assert_eq!(set["keys"][0].get("kid"), None);
        portal.serve(&set);
        portal.client.proof = Proof::Assertion(Box::new(key));
        assert!(portal.is_known().await && portal.is_known().await);
        assert_eq!(portal.server.asked("/jwks"), asked);
    }
    portal.client.proof = Proof::Assertion(Box::new(key_pair().0));
    assert!(!portal.is_known().await && !portal.is_known().await);
    assert_eq!(portal.server.asked("/jwks"), 2);
}

#[tokio::test]
async fn no_set_no_client() {
    let idp = Sandbox::shared();
    let portal = Portal::open(idp);
    portal.server.remove("/jwks");
    assert!(!portal.is_known().await);
    let private = Portal::open(idp);
    let Proof::Assertion(key) = &private.client.proof else { panic!() };
    private.serve(&json!({"keys": [serde_json::to_value(&**key).unwrap()]}));
    assert!(!private.is_known().await, "a set with a private key is not taken");
    let long = Portal::open(idp);
    long.server.serve("/jwks", "application/json", vec![b' '; 65 * 1024]);
    assert!(!long.is_known().await, "64 KiB and no more");
}

#[tokio::test]
async fn rfc7591_2_one_or_the_other_and_by_https() {
    let idp = Sandbox::shared();
    let keyed = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"})).metadata;
    for (name, value) in [
        ("jwks_uri", json!("https://rp.gov.vn/jwks")),
        ("jwks_uri", json!("http://rp.gov.vn/jwks")),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        let mut wrong = keyed.clone();
        wrong[name] = value.clone();
        if value != json!("https://rp.gov.vn/jwks") {
            wrong.as_object_mut().unwrap().remove("jwks");
        }
        assert!(idp.refuses_client(&wrong).is_some_and(|why| why.contains("jwks_uri")), "{value}");
    }
}

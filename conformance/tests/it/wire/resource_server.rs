//! `protocol.md` 1.6, resource DPoP negatives: the whole list, at the sample resource server and at userinfo alike.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::proof::{Key, ath};
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode, pairs};
use crate::support::{base64url, fresh, now};

/// A place that takes tokens.
struct Door {
    origin: String,
    path: &'static str,
    /// Such a token opens it.
    access: String,
    key: Key,
}

impl Door {
    fn htu(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    async fn knock(&self, scheme: &str, proofs: &[String]) -> Answer {
        let authorization = format!("{scheme} {}", self.access);
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proofs.iter().map(|proof| ("dpop", proof.as_str())));
        Visitor::new(&self.origin).send("GET", self.path, &headers, None).await
    }

    fn proof(&self, claims: Value) -> String {
        self.spoilt(json!({}), claims)
    }

    /// A good proof with members of header and claims replaced, or (null) left out.
    fn spoilt(&self, header: Value, claims: Value) -> String {
        let mut all = ath(&self.access);
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        self.key.spoilt("GET", &self.htu(), header, all)
    }

    /// One that no key made, or not by an algorithm that counts.
    fn unsigned(&self, alg: &str) -> String {
        let head = json!({"typ": "dpop+jwt", "alg": alg, "jwk": self.key.public()});
        let mut body = json!({"jti": fresh(), "htm": "GET", "htu": self.htu(), "iat": now()});
        body["ath"] = ath(&self.access)["ath"].clone();
        let encoded = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.{}", encoded(&head), encoded(&body), base64url(&[7; 64]))
    }
}

fn portal(idp: &Sandbox) -> RelyingParty {
    idp.client(json!({
        "scope": "openid profile offline_access dossiers.read",
        "vn_resources": [idp.neighbour(6)],
    }))
}

/// An access token of a new holder, bound to the key.
async fn bound(idp: &Sandbox, ask: impl Fn(Ask) -> Ask, key: &Key) -> Value {
    let client = portal(idp);
    let ask = ask(Ask::of(&client));
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let (mut fields, header) = client.credentials();
    fields.extend(pairs(&client.redemption(&code, &ask.verifier)));
    let proof = key.proof("POST", &format!("{}/token", idp.issuer), json!({}));
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("dpop", proof.as_str())];
    headers.extend(header.as_deref().map(|value| ("authorization", value)));
    let answer = idp.visitor().send("POST", "/token", &headers, Some(encode(&fields).into_bytes())).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{}", answer.body);
    answer.json()
}

async fn doors(idp: &Sandbox) -> [Door; 2] {
    let (key, name) = (Key::new(), idp.neighbour(6));
    let api = bound(idp, |ask| ask.scope("openid dossiers.read").with("resource", &name), &key).await;
    let own = bound(idp, |ask| ask.scope("openid profile"), &key).await;
    let access = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
    [
        Door { origin: name, path: "/dossiers", access: access(&api), key: key.clone() },
        Door { origin: idp.issuer.clone(), path: "/userinfo", access: access(&own), key },
    ]
}

fn challenged(answer: &Answer, error: &str, name: &str) {
    assert_eq!(answer.status, 401, "{name}: {}", answer.body);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("algs=\"ES256 PS256 EdDSA\""), "{name}: {challenge}");
    assert!(challenge.contains(&format!("error=\"{error}\"")), "{name}: {challenge}");
    assert_eq!(answer.json()["error"], json!(error), "{name}");
}

/// Name, scheme, proofs and the error each must meet.
fn negatives(door: &Door) -> Vec<(&'static str, &'static str, Vec<String>, &'static str)> {
    let private = {
        let mut jwk = door.key.public();
        jwk["d"] = serde_json::to_value(&door.key.0).unwrap()["d"].clone();
        jwk
    };
    let (good, other) = (|| door.proof(json!({})), Key::new());
    let mut broken = good();
    broken.replace_range(broken.len() - 8.., "AAAAAAAA");
    let claims = |name: &str, value: Value| vec![door.proof(json!({name: value}))];
    let header = |name: &str, value: Value| vec![door.spoilt(json!({name: value}), json!({}))];
    let by_other = other.proof("GET", &door.htu(), ath(&door.access));
    const PROOF: &str = "invalid_dpop_proof";
    let mut rows = vec![
        ("no proof", "DPoP", vec![], PROOF),
        ("two headers", "DPoP", vec![good(), good()], PROOF),
        ("two in one", "DPoP", vec![format!("{}, {}", good(), good())], PROOF),
        ("empty", "DPoP", vec![String::new()], PROOF),
        ("malformed", "DPoP", vec!["a.b.c".to_owned()], PROOF),
        ("malformed, no dots", "DPoP", vec!["x".to_owned()], PROOF),
        ("bad signature", "DPoP", vec![broken], PROOF),
        ("no typ", "DPoP", header("typ", Value::Null), PROOF),
        ("wrong typ", "DPoP", header("typ", json!("jwt")), PROOF),
        ("no jwk", "DPoP", header("jwk", Value::Null), PROOF),
        ("private jwk", "DPoP", header("jwk", private), PROOF),
        ("symmetric jwk", "DPoP", header("jwk", json!({"kty": "oct", "k": "AAAA"})), PROOF),
        ("another's jwk", "DPoP", header("jwk", other.public()), PROOF),
        ("no jti", "DPoP", claims("jti", Value::Null), PROOF),
        ("empty jti", "DPoP", claims("jti", json!("")), PROOF),
        ("no htm", "DPoP", claims("htm", Value::Null), PROOF),
        ("wrong htm", "DPoP", claims("htm", json!("POST")), PROOF),
        ("htm in lower case", "DPoP", claims("htm", json!("get")), PROOF),
        ("no htu", "DPoP", claims("htu", Value::Null), PROOF),
        ("wrong htu", "DPoP", claims("htu", json!(format!("{}/else", door.htu()))), PROOF),
        ("htu of another port", "DPoP", claims("htu", json!(format!("http://localhost:1{}", door.path))), PROOF),
        ("no iat", "DPoP", claims("iat", Value::Null), PROOF),
        ("iat as text", "DPoP", claims("iat", json!(now().to_string())), PROOF),
        ("an hour old", "DPoP", claims("iat", json!(now() - 3600)), PROOF),
        ("an hour ahead", "DPoP", claims("iat", json!(now() + 3600)), PROOF),
        ("no ath", "DPoP", claims("ath", Value::Null), PROOF),
        ("wrong ath", "DPoP", claims("ath", ath("another token")["ath"].clone()), PROOF),
        ("the token itself as ath", "DPoP", claims("ath", json!(door.access)), PROOF),
        ("another key", "DPoP", vec![by_other.clone()], "invalid_token"),
        ("as bearer", "Bearer", vec![], "invalid_token"),
        ("as bearer, with a proof", "Bearer", vec![good()], "invalid_token"),
        ("as bearer, with another's proof", "Bearer", vec![by_other], "invalid_token"),
    ];
    for alg in ["none", "HS256", "RS256", "ES384"] {
        rows.push(("an algorithm that proves nothing", "DPoP", vec![door.unsigned(alg)], PROOF));
    }
    rows
}

#[tokio::test]
async fn rfc9449_7_what_opens_no_resource() {
    for door in doors(Sandbox::shared()).await {
        let rows = negatives(&door);
        assert_eq!(rows.len(), 36);
        for (name, scheme, proofs, error) in rows {
            challenged(&door.knock(scheme, &proofs).await, error, &format!("{} {name}", door.path));
        }
        // None of it spent anything: a good proof opens, and once.
        let good = door.proof(json!({}));
        assert_eq!(door.knock("DPoP", std::slice::from_ref(&good)).await.status, 200, "control {}", door.path);
        challenged(&door.knock("DPoP", &[good]).await, "invalid_dpop_proof", "replay");
    }
}

#[tokio::test]
async fn rfc9449_4_3_what_a_proof_may_be() {
    for door in doors(Sandbox::shared()).await {
        let fraction: Value = serde_json::from_str(&format!("{}.5", now())).unwrap();
        let loud = door.htu().replace("http://localhost", "HTTP://LOCALHOST");
        for (name, scheme, claims) in [
            ("plain", "DPoP", json!({})),
            ("scheme in lower case", "dpop", json!({})),
            ("scheme and host in capitals", "DPoP", json!({"htu": loud})),
            ("query and fragment", "DPoP", json!({"htu": format!("{}?a=b#c", door.htu())})),
            ("a clock behind", "DPoP", json!({"iat": now() - 10})),
            ("a clock ahead", "DPoP", json!({"iat": now() + 10})),
            ("a fraction", "DPoP", json!({"iat": fraction})),
            ("more claims", "DPoP", json!({"nbf": now() - 1, "exp": now() + 60, "extra": [1]})),
        ] {
            let answer = door.knock(scheme, &[door.proof(claims)]).await;
            assert_eq!(answer.status, 200, "{} {name}: {}", door.path, answer.body);
            assert!(answer.json()["sub"].is_string() && answer.header("date").is_some(), "{name}");
            assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{name}");
        }
    }
}

#[tokio::test]
async fn rfc6750_3_the_resource_server_says_what_it_takes() {
    let idp = Sandbox::shared();
    let api = Visitor::new(&idp.neighbour(6));
    let nobody = api.get("/dossiers").await;
    let challenges: Vec<&str> =
        nobody.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!((nobody.status, nobody.body.as_str()), (401, ""));
    assert!(challenges[0].starts_with("Bearer realm=") && challenges[1].starts_with("DPoP realm="), "{challenges:?}");
    assert!(challenges[1].contains("algs=\"ES256 PS256 EdDSA\"") && !challenges.concat().contains("error="));
    // RFC 9728 §5.1: where to read more.
    let metadata = format!("{}/.well-known/oauth-protected-resource", idp.neighbour(6));
    assert!(challenges[0].contains(&format!("resource_metadata=\"{metadata}\"")));
    let told = api.get(&metadata).await.json();
    assert_eq!(told["resource"], json!(idp.neighbour(6)));
    assert_eq!(told["authorization_servers"], json!([idp.issuer]));
    assert_eq!(told["dpop_signing_alg_values_supported"], json!(["ES256", "PS256", "EdDSA"]));
    assert_eq!(told["tls_client_certificate_bound_access_tokens"], json!(false), "no TLS, no certificates");
    // RFC 6750 §2: two ways at once, and a header that is none.
    for headers in
        [vec![("authorization", "Bearer")], vec![("authorization", "Bearer x"), ("authorization", "Bearer x")]]
    {
        let answer = api.send("GET", "/dossiers", &headers, None).await;
        assert_eq!((answer.status, answer.json()["error"].clone()), (400, json!("invalid_request")));
    }
    let twice = api.send("GET", "/dossiers?access_token=x", &[("authorization", "Bearer x")], None).await;
    assert_eq!((twice.status, twice.json()["error"].clone()), (400, json!("invalid_request")));
    let basic = api.send("GET", "/dossiers", &[("authorization", "Basic eDp4")], None).await;
    assert_eq!((basic.status, basic.body.as_str()), (401, ""), "another scheme carries no token");
}

#[tokio::test]
async fn rfc9470_3_a_bound_token_steps_up_like_any_other() {
    let idp = Sandbox::shared();
    let (key, name) = (Key::new(), idp.neighbour(6));
    // Plain OAuth: without `openid` there is no ID token, and the resource server needs none.
    let weak = bound(idp, |ask| ask.scope("dossiers.read").with("resource", &name).without("nonce"), &key).await;
    assert_eq!(weak.get("id_token"), None);
    let strong = ("acr_values", "urn:vn:eid:muc:2");
    let strong =
        bound(idp, |ask| ask.scope("dossiers.read").with("resource", &name).with(strong.0, strong.1), &key).await;
    let door = |tokens: &Value, path| Door {
        origin: name.clone(),
        path,
        access: tokens["access_token"].as_str().unwrap().to_owned(),
        key: key.clone(),
    };
    let whole = "/dossiers/1.004222";
    for (tokens, path, opens) in [(&weak, "/dossiers", true), (&weak, whole, false), (&strong, whole, true)] {
        let door = door(tokens, path);
        let answer = door.knock("DPoP", &[door.proof(json!({}))]).await;
        if opens {
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        } else {
            challenged(&answer, "insufficient_user_authentication", path);
            assert!(answer.header("www-authenticate").unwrap().contains("acr_values=\"urn:vn:eid:muc:2\""));
        }
    }
}

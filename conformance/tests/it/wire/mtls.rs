//! `security.md` 2.8: mutual TLS.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::certificate::{Certified, Wanted, authority, ec_key, make, rsa_key};
use crate::support::flow::{Will, consent_form, sign_in_form};
use crate::support::holder::record;
use crate::support::port;
use crate::support::provider::{List, Provider, Secured};
use crate::support::relying_party::{Proof, REDIRECT, RelyingParty, merge};
use crate::support::revocation::list;
use crate::support::wire::{Answer, Visitor, pairs};
use crate::support::{next, verdict};

const SUBJECT: &[(&str, &str)] = &[("C", "VN"), ("O", "Bộ Thử Nghiệm"), ("CN", "Cổng, một")];
const DN: &str = "CN=Cổng\\, một, O=Bộ Thử Nghiệm, C=VN";

/// Registers a client for itself that authenticates by certificate.
fn machine(idp: &Provider, patch: Value) -> String {
    let id = format!("machine-{}", next());
    let mut metadata = json!({
        "client_id": id, "grant_types": ["client_credentials"], "scope": "reports:read",
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": DN,
        "tls_client_certificate_bound_access_tokens": true,
    });
    merge(&mut metadata, patch);
    idp.put_client(&metadata);
    id
}

fn self_signed(idp: &Provider, certified: &Certified) -> String {
    let by_key = json!({
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "tls_client_auth_subject_dn": null,
        "jwks": certified.jwks(),
    });
    machine(idp, by_key)
}

async fn token(visitor: &Visitor, client: &str) -> Answer {
    visitor.post("/token", &pairs(&[("client_id", client), ("grant_type", "client_credentials")]), &[]).await
}

async fn introspected(visitor: &Visitor, client: &str, access: &str) -> Value {
    visitor.post("/introspect", &pairs(&[("client_id", client), ("token", access)]), &[]).await.json()
}

fn stranger(answer: &Answer) {
    verdict::token_error(answer, 401, "invalid_client");
}

fn issued(root: &Certified, wanted: Wanted<'_>) -> Certified {
    make(rsa_key(), Some(root), &wanted)
}

#[tokio::test]
async fn mt_00_control_tls_client_auth_by_subject_and_by_san() {
    let idp = Secured::new();
    let metadata = idp.visitor().get("/.well-known/openid-configuration").await.json();
    let alias = format!("https://localhost:{}", idp.mutual_port);
    assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], json!(format!("{alias}/token")));
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], json!(true));
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!(method)));
    }
    let client = machine(&idp.provider, json!({}));
    let certified = issued(&idp.client_root, Wanted { subject: SUBJECT, ..Wanted::default() });
    let visitor = idp.mutual(Some(&certified));
    let answer = token(&visitor, &client).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("Bearer")), "{}", answer.body);
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let told = introspected(&visitor, &client, &access).await;
    assert_eq!(told["cnf"], json!({"x5t#S256": certified.thumbprint()}));
    assert_eq!(metadata["mtls_endpoint_aliases"]["vn_trace_endpoint"], json!(format!("{alias}/trace")));
    let traced = async |visitor: &Visitor| visitor.post("/trace", &pairs(&[("client_id", &client)]), &[]).await;
    assert_eq!(traced(&visitor).await.status, 200);
    stranger(&traced(&idp.mutual(None)).await);

    let by = |name: &str, value: &str| json!({"tls_client_auth_subject_dn": null, name: value});
    let named =
        Wanted { subject: &[("CN", "x")], dns: Some("portal.gov.vn"), uri: Some("urn:portal"), ..Wanted::default() };
    let named = idp.mutual(Some(&issued(&idp.client_root, named)));
    for (patch, good) in [
        (by("tls_client_auth_san_dns", "Portal.gov.vn"), true),
        (by("tls_client_auth_san_dns", "gov.vn"), false),
        (by("tls_client_auth_san_uri", "urn:portal"), true),
        (by("tls_client_auth_san_uri", "urn:another"), false),
        (by("tls_client_auth_san_ip", "127.0.0.1"), false),
        (json!({}), false),
    ] {
        let answer = token(&named, &machine(&idp.provider, patch.clone())).await;
        assert_eq!(answer.status, if good { 200 } else { 401 }, "{patch}");
    }
}

#[tokio::test]
async fn mt_01_mt_02_mt_04_certificates_that_prove_nothing() {
    let idp = Secured::new();
    let own = make(rsa_key(), None, &Wanted { subject: SUBJECT, ..Wanted::default() });
    let (by_authority, by_key) = (machine(&idp.provider, json!({})), self_signed(&idp.provider, &own));
    let good = issued(&idp.client_root, Wanted { subject: SUBJECT, ..Wanted::default() });
    let weak = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
    let elsewhere = authority("Gốc máy khách");
    let wanted = |valid, for_clients| Wanted { subject: SUBJECT, valid, for_clients, ..Wanted::default() };
    assert_eq!(token(&idp.mutual(Some(&good)), &by_authority).await.status, 200, "control");
    assert_eq!(token(&idp.mutual(Some(&own)), &by_key).await.status, 200, "control");
    // MT-01: none at all, and none at the public listener.
    for visitor in [idp.mutual(None), idp.visitor()] {
        stranger(&token(&visitor, &by_authority).await);
        stranger(&token(&visitor, &by_key).await);
    }
    let rows = [
        ("MT-02 self-signed for tls_client_auth", &own, &by_authority),
        ("MT-02 issued for self_signed", &good, &by_key),
        ("another authority of the same name", &issued(&elsewhere, wanted((-60, 3600), true)), &by_authority),
        (
            "another subject",
            &issued(&idp.client_root, Wanted { subject: &[("CN", "Cổng, một")], ..Wanted::default() }),
            &by_authority,
        ),
        ("MT-04 expired", &issued(&idp.client_root, wanted((-3600, -60), true)), &by_authority),
        ("MT-04 not valid yet", &issued(&idp.client_root, wanted((600, 3600), true)), &by_authority),
        ("MT-04 for servers", &issued(&idp.client_root, wanted((-60, 3600), false)), &by_authority),
        ("MT-04 expired, own", &make(own.key.clone(), None, &wanted((-3600, -60), true)), &by_key),
        ("MT-04 not valid yet, own", &make(own.key.clone(), None, &wanted((600, 3600), true)), &by_key),
        ("MT-04 for servers, own", &make(own.key.clone(), None, &wanted((-60, 3600), false)), &by_key),
    ];
    for (name, shown, client) in rows {
        let answer = token(&idp.mutual(Some(shown)), client).await;
        assert_eq!(answer.status, 401, "{name}");
        stranger(&answer);
    }
    // A client that would not refuse its own weak key; the server's library may end the handshake already.
    let weak = make(weak, Some(&idp.client_root), &wanted((-60, 3600), true));
    assert_eq!(raw_status(idp.mutual_port, &good, &by_authority).as_deref(), Some("200"), "control");
    let answered = raw_status(idp.mutual_port, &weak, &by_authority);
    assert!(answered.as_deref().is_none_or(|status| status == "401"), "MT-04 weak key: {answered:?}");
    // CA-01: a certificate that authenticates leaves no room for a secret.
    let fields = pairs(&[("client_id", &by_authority), ("client_secret", "x"), ("grant_type", "client_credentials")]);
    let both = idp.mutual(Some(&good)).post("/token", &fields, &[]).await;
    verdict::token_error(&both, 400, "invalid_request");
}

#[tokio::test]
async fn mt_04_a_revoked_certificate_proves_nothing() {
    let idp = Secured::checking(Some(&|root| list(root, &[], true)));
    let client = machine(&idp.provider, json!({}));
    let by_subject = || issued(&idp.client_root, Wanted { subject: SUBJECT, ..Wanted::default() });
    let (good, stolen) = (by_subject(), by_subject());
    // One connection, kept open: what it showed is judged by the list of the moment.
    let (standing, other) = (idp.mutual(Some(&stolen)), idp.mutual(Some(&good)));
    for visitor in [&standing, &other] {
        assert_eq!(token(visitor, &client).await.status, 200, "control");
    }
    idp.revoke(&list(&idp.client_root, &[&stolen], true));
    let mut answer = token(&standing, &client).await;
    for _ in 0..600 {
        if answer.status != 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = token(&standing, &client).await;
    }
    stranger(&answer);
    stranger(&token(&idp.mutual(Some(&stolen)), &client).await);
    assert_eq!(token(&other, &client).await.status, 200, "control: nobody else is touched");

    // What cannot be read changes nothing; a list of the past, or of another authority, vouches for nobody.
    idp.revoke(b"nothing");
    assert!(idp.provider.tells("tls.authorities_kept", 1), "{}", idp.provider.log());
    assert_eq!(token(&other, &client).await.status, 200);
    stranger(&token(&standing, &client).await);
    let lists: [(&str, &List); 3] = [
        ("expired", &|root| list(root, &[], false)),
        ("of another authority", &|_| list(&authority("Gốc khác"), &[], true)),
        ("forged", &|root| list(&Certified { key: rsa_key(), ..root.clone() }, &[], true)),
    ];
    for (name, list) in lists {
        let idp = Secured::checking(Some(list));
        let client = machine(&idp.provider, json!({}));
        let shown = issued(&idp.client_root, Wanted { subject: SUBJECT, ..Wanted::default() });
        assert_eq!(token(&idp.mutual(Some(&shown)), &client).await.status, 401, "{name}");
    }
}

/// The status of a token request over a connection that forgives what OpenSSL's client would not send; none when there
/// was no answer.
fn raw_status(port: u16, shown: &Certified, client: &str) -> Option<String> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    builder.set_certificate(&shown.certificate).unwrap();
    builder.set_private_key(&shown.key).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = builder.build().connect("localhost", stream).ok()?;
    let body = format!("grant_type=client_credentials&client_id={client}");
    let head = "POST /token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).ok()?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).ok()?;
    String::from_utf8_lossy(&answer[..read]).split(' ').nth(1).map(str::to_owned)
}

#[tokio::test]
async fn mt_08_a_renewed_certificate_binds_new_tokens() {
    let idp = Secured::new();
    let own = make(rsa_key(), None, &Wanted { subject: SUBJECT, ..Wanted::default() });
    let renewed = make(own.key.clone(), None, &Wanted { subject: &[("CN", "renewed")], ..Wanted::default() });
    let client = self_signed(&idp.provider, &own);
    let (before, after) = (idp.mutual(Some(&own)), idp.mutual(Some(&renewed)));
    let one = token(&before, &client).await.json()["access_token"].as_str().unwrap().to_owned();
    let two = token(&after, &client).await.json()["access_token"].as_str().unwrap().to_owned();
    let cnf = async |access: &str| introspected(&after, &client, access).await["cnf"]["x5t#S256"].clone();
    assert_eq!((cnf(&one).await, cnf(&two).await), (json!(own.thumbprint()), json!(renewed.thumbprint())));
    // The old token is refused with the new certificate; both are refused as tokens of no holder otherwise.
    let told = async |visitor: &Visitor, access: &str| {
        let bearer = format!("Bearer {access}");
        let answer = visitor.send("GET", "/userinfo", &[("authorization", &bearer)], None).await;
        assert_eq!(answer.status, 401);
        answer.header("www-authenticate").unwrap().contains("bound to another certificate")
    };
    assert!(told(&after, &one).await && told(&before, &two).await && told(&idp.visitor(), &one).await);
    assert!(!told(&before, &one).await && !told(&after, &two).await, "control: stopped elsewhere");
}

#[tokio::test]
async fn rfc8705_3_no_bound_token_without_a_certificate_and_none_bound_unasked() {
    let idp = Secured::new();
    let secret = "a-secret-of-enough-characters";
    let with_secret = |bound: bool| {
        machine(
            &idp.provider,
            json!({
                "token_endpoint_auth_method": "client_secret_post", "client_secret": secret,
                "tls_client_auth_subject_dn": null, "tls_client_certificate_bound_access_tokens": bound,
            }),
        )
    };
    let (bound, unbound) = (with_secret(true), with_secret(false));
    let any = make(ec_key(), None, &Wanted { subject: &[("CN", "anybody")], ..Wanted::default() });
    let expired = make(ec_key(), None, &Wanted { subject: &[("CN", "x")], valid: (-600, -60), ..Wanted::default() });
    let ask = async |visitor: &Visitor, client: &str| {
        let grant = ("grant_type", "client_credentials");
        visitor.post("/token", &pairs(&[("client_id", client), ("client_secret", secret), grant]), &[]).await
    };
    for visitor in [idp.visitor(), idp.mutual(None), idp.mutual(Some(&expired))] {
        verdict::token_error(&ask(&visitor, &bound).await, 400, "invalid_request");
    }
    let visitor = idp.mutual(Some(&any));
    for (client, cnf) in [(&bound, json!({"x5t#S256": any.thumbprint()})), (&unbound, Value::Null)] {
        let access = ask(&visitor, client).await.json()["access_token"].as_str().unwrap().to_owned();
        let fields = pairs(&[("client_id", client), ("client_secret", secret), ("token", &access)]);
        assert_eq!(idp.visitor().post("/introspect", &fields, &[]).await.json()["cnf"], cnf);
    }
}

#[tokio::test]
async fn mt_05_a_header_counts_from_a_trusted_proxy_only() {
    let own = make(rsa_key(), None, &Wanted { subject: SUBJECT, ..Wanted::default() });
    let encoded = format!(":{}:", STANDARD.encode(own.certificate.to_der().unwrap()));
    let escaped = String::from_utf8(own.pem()).unwrap().replace('\n', "%0A").replace('+', "%2B");
    let mtls = |trusted: &str| {
        let lines = "issuer_alias = \"https://mtls.example.vn\"\ncertificate_header = \"x-ssl-client-cert\"\n";
        Provider::plain(port::one(), &format!("[mtls]\n{lines}trusted_proxies = [\"{trusted}\"]\n"))
    };
    let ask = async |idp: &Provider, client: &str, headers: &[(&str, &str)]| {
        let fields = pairs(&[("client_id", client), ("grant_type", "client_credentials")]);
        idp.visitor().post("/token", &fields, headers).await
    };
    let trusting = mtls("127.0.0.1");
    let client = self_signed(&trusting, &own);
    for value in [&encoded, &escaped] {
        let answer = ask(&trusting, &client, &[("x-ssl-client-cert", value)]).await;
        assert_eq!(answer.status, 200, "control: {}", answer.body);
    }
    let two = [("x-ssl-client-cert", encoded.as_str()), ("x-ssl-client-cert", encoded.as_str())];
    stranger(&ask(&trusting, &client, &two).await);
    stranger(&ask(&trusting, &client, &[("x-ssl-client-cert", "junk")]).await);
    stranger(&ask(&trusting, &client, &[("client-cert", &encoded)]).await);
    stranger(&ask(&trusting, &client, &[]).await);

    let wary = mtls("192.0.2.1");
    let client = self_signed(&wary, &own);
    for header in ["x-ssl-client-cert", "x-forwarded-client-cert", "client-cert"] {
        stranger(&ask(&wary, &client, &[(header, &encoded), ("x-forwarded-for", "192.0.2.1")]).await);
    }
    assert!(wary.tells("certificate_header.forged", 3), "each is told: {}", wary.log());
    assert_eq!(wary.log().matches("certificate_header.forged").count(), 3);
    assert!(!wary.log().contains(&encoded), "and its value is not");

    // By default nobody is trusted, and no such client can be registered.
    let plain = Provider::plain(port::one(), "");
    let metadata = plain.visitor().get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata.get("mtls_endpoint_aliases"), None);
    assert!(!metadata["token_endpoint_auth_methods_supported"].to_string().contains("tls_client_auth"));
}

/// A code for a new holder, and its verifier.
async fn code(idp: &Secured, client: &RelyingParty) -> (String, String) {
    let (record, holder) = record(1, json!({}));
    idp.provider.import(&record);
    let (visitor, ask) = (idp.visitor(), Ask::of(client).scope("openid offline_access"));
    let mut at = visitor.open(&ask.target()).await;
    while at.returned().is_none() {
        let form = match at.page().name() {
            "sign-in" => sign_in_form(&at, &holder.number, &holder.password),
            "consent" => consent_form(&at, Will::AllowAll),
            other => panic!("ended on {other}"),
        };
        at = visitor.submit(&at, &form).await;
    }
    (at.returned().unwrap().code(), ask.verifier)
}

#[tokio::test]
async fn mt_07_the_tokens_of_a_public_client_go_with_its_certificate() {
    let idp = Secured::new();
    let id = format!("app-{}", next());
    let metadata = json!({
        "client_id": id, "redirect_uris": [REDIRECT], "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none", "scope": "openid offline_access",
        "tls_client_certificate_bound_access_tokens": true,
    });
    idp.provider.put_client(&metadata);
    let issuer = idp.provider.issuer.clone();
    let client = RelyingParty { id: id.clone(), redirect: REDIRECT.to_owned(), proof: Proof::None, metadata, issuer };
    let any = || make(ec_key(), None, &Wanted { subject: &[("CN", "anybody")], ..Wanted::default() });
    let (own, other) = (idp.mutual(Some(&any())), idp.mutual(Some(&any())));
    let (code, verifier) = code(&idp, &client).await;
    let ask = async |visitor: &Visitor, fields: &[(&str, &str)]| {
        let mut all = pairs(&[("client_id", id.as_str())]);
        all.extend(pairs(fields));
        visitor.post("/token", &all, &[]).await
    };
    let redemption = client.redemption(&code, &verifier);
    verdict::token_error(&ask(&idp.visitor(), &redemption).await, 400, "invalid_request");
    let answer = ask(&own, &redemption).await;
    assert_eq!(answer.status, 200, "control: the code is still good: {}", answer.body);
    let tokens = answer.json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo =
        async |visitor: &Visitor| visitor.send("GET", "/userinfo", &[("authorization", &bearer)], None).await.status;
    assert_eq!((userinfo(&own).await, userinfo(&other).await, userinfo(&idp.visitor()).await), (200, 401, 401));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    verdict::token_error(&ask(&other, &refresh).await, 400, "invalid_grant");
    assert_eq!(ask(&own, &refresh).await.status, 200, "control: nothing was spent");
}

//! `contract.md` 2, `--tls`: the sandbox's own authority, the provider's listener for certificates, the resource server
//! over TLS; and everything else as without it.

use std::collections::BTreeMap;

use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use serde_json::{Value, json};

use crate::support::certificate::{Certified, Wanted, make, rsa_key};
use crate::support::flow::Will;
use crate::support::holder::{AN, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor, pairs};

const READER: &str = "dossier-reader";

fn file(idp: &Sandbox, name: &str) -> Vec<u8> {
    std::fs::read(idp.data().join("tls").join(name)).unwrap()
}

fn certified(idp: &Sandbox, name: &str) -> Certified {
    Certified {
        certificate: X509::from_pem(&file(idp, &format!("{name}.pem"))).unwrap(),
        key: PKey::private_key_from_pem(&file(idp, &format!("{name}.key"))).unwrap(),
    }
}

/// `https://localhost:N+offset`, trusting the sandbox's authority and nobody else.
fn caller(idp: &Sandbox, offset: u16, shown: Option<&Certified>) -> Visitor {
    let root = reqwest::Certificate::from_pem(&file(idp, "ca.pem")).unwrap();
    let mut http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .resolve("localhost", std::net::SocketAddr::from(([127, 0, 0, 1], 0)))
        .tls_certs_only([root]);
    if let Some(shown) = shown {
        http = http.identity(reqwest::Identity::from_pkcs8_pem(&shown.pem(), &shown.key_pem()).unwrap());
    }
    Visitor::on(http.build().unwrap(), &secure(idp, offset))
}

fn secure(idp: &Sandbox, offset: u16) -> String {
    idp.neighbour(offset).replace("http:", "https:")
}

async fn token(visitor: &Visitor, idp: &Sandbox) -> Answer {
    let resource = secure(idp, 6);
    let fields = [("client_id", READER), ("grant_type", "client_credentials"), ("resource", resource.as_str())];
    visitor.post("/token", &pairs(&fields), &[]).await
}

async fn dossiers(visitor: &Visitor, access: &str) -> Answer {
    let bearer = format!("Bearer {access}");
    visitor.send("GET", "/dossiers", &[("authorization", &bearer)], None).await
}

async fn metadata(idp: &Sandbox) -> Value {
    idp.visitor().get("/.well-known/openid-configuration").await.json()
}

#[tokio::test]
async fn contract_2_tls_beside_the_same_provider() {
    let idp = Sandbox::with(&["--tls"]);
    let (told, alias) = (metadata(&idp).await, secure(&idp, 5));
    assert_eq!(told["issuer"], json!(idp.issuer), "the issuer stays");
    let aliases: BTreeMap<String, String> = serde_json::from_value(told["mtls_endpoint_aliases"].clone()).unwrap();
    assert!(aliases.len() >= 5 && aliases.values().all(|address| address.starts_with(&alias)), "{aliases:?}");
    assert_eq!(told["tls_client_certificate_bound_access_tokens"], json!(true));
    assert!(idp.table().contains(&idp.data().canonicalize().unwrap().join("tls/ca.pem").display().to_string()));
    for offset in [5, 6] {
        assert!(caller(&idp, offset, None).get("/.well-known/oauth-protected-resource").await.status < 500);
        let port = secure(&idp, offset).rsplit(':').next().unwrap().parse().unwrap();
        for (version, spoken) in [
            (SslVersion::TLS1_3, true),
            (SslVersion::TLS1_2, true),
            (SslVersion::TLS1_1, false),
            (SslVersion::TLS1, false),
        ] {
            assert_eq!(speaks(port, version), spoken, "N+{offset} {version:?}");
        }
    }

    // The portals go on as ever, and so does a restart, with the same authority.
    sign_in_at_the_national_portal(&idp).await;
    let before = ["ca.pem", "server.pem", "dossier-reader.pem"].map(|name| file(&idp, name));
    idp.kill();
    idp.start();
    assert_eq!(["ca.pem", "server.pem", "dossier-reader.pem"].map(|name| file(&idp, name)), before);
    let reader = certified(&idp, READER);
    assert_eq!(token(&caller(&idp, 5, Some(&reader)), &idp).await.status, 200);
}

fn speaks(port: u16, version: SslVersion) -> bool {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    builder.build().connect("localhost", stream).is_ok()
}

async fn sign_in_at_the_national_portal(idp: &Sandbox) {
    let (portal, holder) = (Visitor::new(&idp.neighbour(2)), Holder::seeded(AN));
    let sent = portal.get("/sign-in").await.location().unwrap();
    assert!(sent.as_str().starts_with(&idp.issuer), "{sent}");
    let visitor = idp.visitor();
    let first = visitor.open(sent.as_str()).await;
    let back = idp.walk(&visitor, first, &holder, Will::AllowAll).await.location().unwrap();
    let home = portal.open(back.as_str()).await;
    assert!(home.page().has("claims") && home.body.contains(&holder.name), "{}", home.page().text);
}

#[tokio::test]
async fn rfc8705_3_a_token_bound_to_a_certificate_at_the_resource_server() {
    let idp = Sandbox::with(&["--tls"]);
    let reader = certified(&idp, READER);
    let subject = &[("O", "Sandbox"), ("CN", READER)];
    let own = make(rsa_key(), None, &Wanted { subject, ..Wanted::default() });
    let answer = token(&caller(&idp, 5, Some(&reader)), &idp).await;
    assert_eq!(answer.status, 200, "control: {}", answer.body);
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let answer = dossiers(&caller(&idp, 6, Some(&reader)), &access).await;
    assert_eq!((answer.status, &answer.json()["client_id"]), (200, &json!(READER)), "control: {}", answer.body);
    assert!(answer.header("date").is_some());

    // MT-01, MT-02: nobody else gets such a token.
    for visitor in [caller(&idp, 5, None), caller(&idp, 5, Some(&own)), idp.visitor()] {
        verdict::token_error(&token(&visitor, &idp).await, 401, "invalid_client");
    }
    // Nor does it open for anybody else: without a certificate, with another one, with the server's.
    for shown in [None, Some(own), Some(certified(&idp, "server"))] {
        let answer = dossiers(&caller(&idp, 6, shown.as_ref()), &access).await;
        assert_eq!((answer.status, answer.json()["error"].clone()), (401, json!("invalid_token")));
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("bound to another certificate"), "{challenge}");
    }
    let with_dpop = format!("DPoP {access}");
    let answer = caller(&idp, 6, Some(&certified(&idp, READER)));
    let answer = answer.send("GET", "/dossiers", &[("authorization", &with_dpop)], None).await;
    assert_eq!(answer.json()["error"], json!("invalid_dpop_proof"));
}

#[tokio::test]
async fn contract_2_without_tls_nothing_is_said_of_it() {
    let idp = Sandbox::shared();
    let told = metadata(idp).await;
    assert_eq!(told.get("mtls_endpoint_aliases"), None);
    assert!(!told["token_endpoint_auth_methods_supported"].to_string().contains("tls_client_auth"));
    assert!(!idp.data().join("tls").exists() && !idp.table().contains("https:"));
}

#[tokio::test]
async fn contract_2_tls_can_be_taken_up_and_left_on_the_same_data() {
    use std::process::Command;
    let place = tempfile::tempdir().unwrap();
    let base = crate::support::port::ten().to_string();
    let seed = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
        command.arg("--data").arg(place.path()).args(["--seed-only", "--port-base", &base]).args(more);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut admin = Command::new(crate::support::sandbox::program("admin"));
        admin.arg("--config").arg(place.path().join("idp.toml")).args(["client", "show", "dossier-api", "--json"]);
        let shown: Value = serde_json::from_slice(&admin.output().unwrap().stdout).unwrap();
        shown.to_string()
    };
    let serves = |scheme: &str| format!("\"{scheme}://localhost:{}\"", base.parse::<u16>().unwrap() + 6);
    for (options, here, gone) in [(&[][..], "http", "https"), (&["--tls"], "https", "http"), (&[], "http", "https")] {
        let shown = seed(options);
        assert!(shown.contains(&serves(here)) && !shown.contains(&serves(gone)), "{options:?}: {shown}");
    }
}

//! TLS in the program: versions and suites of `protocol.md` 1.4, and certificates that change while it runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openssl::ssl::{SslConnector, SslMethod, SslSessionCacheMode, SslVerifyMode, SslVersion};
use serde_json::json;

use crate::support::certificate::{Wanted, ec_key, make};
use crate::support::provider::{Secured, server};

/// One handshake: the version, the suite, and the certificate that was served.
fn handshake(port: u16, least: SslVersion, most: SslVersion, suites: &str) -> Option<(String, String, Vec<u8>)> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(Some(least)).unwrap();
    builder.set_max_proto_version(Some(most)).unwrap();
    // Level 0: the client would offer even what is forbidden.
    builder.set_cipher_list(&format!("{suites}:@SECLEVEL=0")).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let stream = builder.build().connect("localhost", stream).ok()?;
    let ssl = stream.ssl();
    let certificate = ssl.peer_certificate().unwrap().to_der().unwrap();
    Some((ssl.version_str().to_owned(), ssl.current_cipher().unwrap().name().to_owned(), certificate))
}

fn served(port: u16) -> Vec<u8> {
    handshake(port, SslVersion::TLS1_3, SslVersion::TLS1_3, "ALL").unwrap().2
}

#[tokio::test]
async fn fapi_5_2_versions_and_suites_of_both_listeners() {
    let idp = Secured::new();
    for port in [idp.port, idp.mutual_port] {
        let any = handshake(port, SslVersion::TLS1_2, SslVersion::TLS1_3, "ALL").unwrap();
        assert_eq!(any.0, "TLSv1.3", "preferred");
        for suite in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"] {
            let old = handshake(port, SslVersion::TLS1_2, SslVersion::TLS1_2, suite).unwrap();
            assert_eq!((old.0.as_str(), old.1.as_str()), ("TLSv1.2", suite));
        }
        for suite in [
            "ECDHE-RSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES128-SHA256",
            "ECDHE-RSA-AES128-SHA",
            "AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
        ] {
            assert!(handshake(port, SslVersion::TLS1_2, SslVersion::TLS1_2, suite).is_none(), "{suite}");
        }
        for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
            assert!(handshake(port, version, version, "ALL").is_none(), "{version:?}");
        }
    }
    let answer = idp.visitor().get("/.well-known/openid-configuration").await;
    assert_eq!((answer.status, &answer.json()["issuer"]), (200, &json!("https://localhost")));
    assert!(idp.visitor().get("/").await.header("strict-transport-security").is_some());
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(plain.get(format!("http://127.0.0.1:{}/jwks", idp.port)).send().await.is_err(), "no plain HTTP beside it");
}

#[tokio::test]
async fn rx_08_nothing_can_be_sent_before_the_handshake_ends() {
    let idp = Secured::new();
    let early = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&early);
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    builder.set_new_session_callback(move |_, session| told.lock().unwrap().push(session.max_early_data()));
    let stream = TcpStream::connect(("127.0.0.1", idp.port)).unwrap();
    let mut stream = builder.build().connect("localhost", stream).unwrap();
    stream.write_all(b"GET /jwks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    assert!(answer.starts_with(b"HTTP/1.1 200"), "control");
    let early = early.lock().unwrap();
    assert!(!early.is_empty() && early.iter().all(|bytes| *bytes == 0), "a POST could be replayed: {early:?}");
}

#[tokio::test]
async fn a_certificate_is_taken_up_without_a_restart_and_a_bad_one_is_not() {
    let idp = Secured::new();
    let kept_open = idp.visitor();
    assert_eq!(kept_open.get("/jwks").await.status, 200);
    let second = server(&idp.root);
    idp.install(&second);
    let until = async |wanted: &[u8]| {
        let start = Instant::now();
        while served(idp.port) != wanted || served(idp.mutual_port) != wanted {
            assert!(start.elapsed() < Duration::from_secs(60), "not taken up: {}", idp.provider.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let der = second.certificate.to_der().unwrap();
    until(&der).await;
    assert_eq!(kept_open.get("/jwks").await.status, 200, "the connection of before goes on");

    std::fs::write(idp.provider.path().join("server.pem"), "no certificate").unwrap();
    assert!(idp.provider.tells("tls.certificate_kept", 1));
    assert_eq!(served(idp.port), der, "the one before stays");

    // Another kind of key: an elliptic curve serves TLS 1.3 only.
    let wanted =
        Wanted { subject: &[("CN", "localhost")], dns: Some("localhost"), for_clients: false, ..Wanted::default() };
    let third = make(ec_key(), Some(&idp.root), &wanted);
    idp.install(&third);
    until(&third.certificate.to_der().unwrap()).await;
    assert_eq!(idp.visitor().get("/jwks").await.status, 200);
    assert!(handshake(idp.port, SslVersion::TLS1_2, SslVersion::TLS1_2, "ALL").is_none());
}

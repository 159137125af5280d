//! `security.md` 2.20: what is too much, too slow or of another protocol ends early and costs little.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const FORM: &str = "application/x-www-form-urlencoded";

async fn posted(visitor: &Visitor, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    visitor.send("POST", path, headers, Some(body)).await
}

#[tokio::test]
async fn rx_04_bodies_that_are_too_large_encoded_or_of_too_many_parts() {
    let idp = Sandbox::shared();
    let visitor = idp.visitor();
    // A gzip stream that holds a million zeros, and is short.
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0; 1_000]].concat();
    let fields = |n: usize| (0..n).map(|n| format!("p{n}=1&")).collect::<String>().into_bytes();
    let parts = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(100);
    for path in ["/token", "/par", "/introspect", "/revoke", "/authorize", "/sign-in", "/end-session"] {
        let form = [("content-type", FORM)];
        let at = |size: usize| [b"x=".as_slice(), &vec![b'y'; size - 2]].concat();
        assert_eq!(posted(&visitor, path, &form, at(16 * 1024 + 1)).await.status, 413, "{path}");
        assert_ne!(posted(&visitor, path, &form, at(16 * 1024)).await.status, 413, "{path}: control");
        assert_eq!(posted(&visitor, path, &form, fields(1_000)).await.status, 400, "{path}");
        let packed = [("content-type", FORM), ("content-encoding", "gzip")];
        assert_eq!(posted(&visitor, path, &packed, gzip.clone()).await.status, 415, "{path}: never unpacked");
        let multipart = [("content-type", "multipart/form-data; boundary=x")];
        assert_eq!(posted(&visitor, path, &multipart, parts.clone().into_bytes()).await.status, 415, "{path}");
    }
    let headers = [("content-type", "application/json"), ("authorization", "Bearer x")];
    let document = |size: usize| [b"{\"x\":\"".as_slice(), &vec![b'y'; size - 8], b"\"}"].concat();
    assert_eq!(posted(&visitor, "/register", &headers, document(64 * 1024 + 1)).await.status, 413);
    assert_eq!(posted(&visitor, "/register", &headers, document(64 * 1024)).await.status, 401, "control");
}

#[tokio::test]
async fn n_25_a_head_that_is_too_large() {
    let idp = Sandbox::shared();
    let visitor = idp.visitor();
    let long = "x".repeat(16 * 1024);
    let answer = visitor.get(&format!("/authorize?x={long}")).await;
    assert_eq!((answer.status, answer.page().name()), (414, "error"));
    let large = visitor.send("GET", "/authorize", &[("x-large", &long)], None).await;
    assert_eq!((large.status, large.page().name()), (431, "error"));
    let names: Vec<String> = (0..101).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    if let Ok(answer) = visitor.attempt("GET", "/userinfo", &many, None).await {
        assert!(matches!(answer.status, 400 | 431), "{}", answer.status);
    }
    let answer = visitor.send("GET", "/userinfo", &[("x-large", &long)], None).await;
    assert_eq!((answer.status, answer.json()["error"].clone()), (431, json!("invalid_request")));
    assert_eq!(visitor.send("GET", "/userinfo", &[("x-large", &long[..8_000])], None).await.status, 401, "control");
}

#[tokio::test]
async fn the_sizes_are_what_the_configuration_says() {
    let lines = "header_bytes = 2000\nheaders = 12\nform_bytes = 500\njson_bytes = 600\nparameters = 5\n";
    let idp = Provider::plain(port::one(), &format!("[limits]\n{lines}"));
    let visitor = idp.visitor();
    let form = [("content-type", FORM)];
    let json = [("content-type", "application/json"), ("authorization", "Bearer x")];
    let large = "x".repeat(1_990);
    assert_eq!(visitor.get(&format!("/authorize?x={}", "y".repeat(2_000))).await.status, 414);
    assert_eq!(visitor.send("GET", "/userinfo", &[("x-large", &large)], None).await.status, 431);
    let names: Vec<String> = (0..12).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(visitor.send("GET", "/userinfo", &many, None).await.status, 431);
    assert_eq!(visitor.send("GET", "/userinfo", &many[..4], None).await.status, 401, "control");
    assert_eq!(posted(&visitor, "/token", &form, vec![b'x'; 501]).await.status, 413);
    assert_eq!(posted(&visitor, "/register", &json, vec![b'x'; 601]).await.status, 413);
    assert_eq!(posted(&visitor, "/register", &json, vec![b'x'; 600]).await.status, 401, "control");
    let told = async |body: &str| {
        let answer = posted(&visitor, "/token", &form, body.as_bytes().to_vec()).await;
        answer.json()["error_description"].as_str().unwrap_or_default().to_owned()
    };
    assert!(told("a=1&b=1&c=1&d=1&e=1&f=1").await.contains("too many"));
    assert!(!told("a=1&b=1&c=1&d=1&e=1").await.contains("too many"), "control");
}

/// What a connection says that is sent this and nothing more; it must end by itself.
fn left_alone(sent: &[u8]) -> String {
    let address = Sandbox::shared().issuer.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(sent).unwrap();
    let (begun, mut seen) = (Instant::now(), Vec::new());
    let ended = stream.read_to_end(&mut seen);
    let kind = ended.as_ref().err().map(std::io::Error::kind);
    let open = matches!(kind, Some(std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    assert!(!open, "still open after {:?}", begun.elapsed());
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn rx_01_a_connection_that_says_nothing_is_ended() {
    Sandbox::shared();
    let starts: [&'static [u8]; 3] = [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\n"];
    let tasks = starts.map(|start| tokio::task::spawn_blocking(move || left_alone(start)));
    for task in tasks {
        let told = task.await.unwrap();
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
    }
}

#[tokio::test]
async fn rx_07_http_2_is_not_spoken() {
    let idp = Sandbox::shared();
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let told = tokio::task::spawn_blocking(move || left_alone(settings)).await.unwrap();
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 4"), "no frame of HTTP/2 comes back: {told:?}");
    let headers =
        [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__")];
    let answer = idp.visitor().send("GET", "/jwks", &headers, None).await;
    assert_eq!(answer.status, 200, "an offer to change is not taken up");
}

#[tokio::test]
async fn rx_11_a_flood_of_sign_in_pages_leaves_no_more_than_its_interactions() {
    let idp = Provider::plain(port::one(), "[limits]\npages_per_address = 20\n");
    let client = idp.public(json!({}));
    let mut busy = 0;
    for _ in 0..60 {
        let answer = idp.visitor().open(&Ask::of(&client).target()).await;
        match answer.page().name() {
            "sign-in" => assert_eq!(answer.status, 200),
            other => {
                assert_eq!((other, answer.status), ("busy", 503));
                assert!(answer.header("retry-after").is_some());
                busy += 1;
            }
        }
    }
    assert!(busy > 0, "over the budget nobody begins another");
}

#[tokio::test]
async fn rx_10_interactions_begun_and_left_fill_no_more_than_their_quota() {
    let idp = Provider::plain(port::one(), "[limits]\nopen_interactions = 15\n");
    let client = idp.public(json!({}));
    let mut begun = 0;
    for _ in 0..40 {
        let answer = idp.visitor().open(&Ask::of(&client).target()).await;
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some());
        } else {
            assert_eq!(answer.page().name(), "sign-in");
            begun += 1;
        }
    }
    // What is counted anew every few seconds counts none twice.
    assert!((10..=15).contains(&begun), "{begun}");
    // Endpoints of programs have no part in it.
    assert_eq!(idp.visitor().get("/jwks").await.status, 200);
    let at = idp.visitor().open("/recover?again=1").await;
    let visitor = idp.visitor();
    let at = visitor.open(at.url.as_str()).await;
    let at = visitor.submit(&at, &at.page().press("submit", &[("person_number", "099099999999")], &[])).await;
    assert_eq!(at.status, 503, "recoveries share the quota");
}

#[tokio::test]
async fn rx_13_a_mebibyte_of_combining_marks_costs_no_more_than_its_reading() {
    let idp = Sandbox::shared();
    let visitor = idp.visitor();
    let at = visitor.open("/recover?again=1").await;
    // Marks out of canonical order are the worst of normalisation; as large as a form may be, and far larger.
    for length in [7 * 1024, 1024 * 1024] {
        let evil: String = "a\u{301}\u{323}".chars().cycle().take(length / 2).collect();
        let begun = Instant::now();
        let answer = visitor.submit_once(&at, &at.page().press("submit", &[("person_number", &evil)], &[]), &[]).await;
        assert!(matches!(answer.status, 200 | 400 | 413), "{}", answer.status);
        assert!(begun.elapsed() < Duration::from_secs(3), "{length}: {:?}", begun.elapsed());
    }
}

/// The provider's own limit is set low, so that the test needs no thousands of connections of its own.
#[tokio::test]
async fn rx_14_out_of_file_descriptors_it_pauses_and_recovers() {
    let port = port::one();
    let idp = Provider::plain(port, "");
    let limit = |soft: &str| {
        let pid = idp.pid().to_string();
        let set = std::process::Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={soft}:")]).status();
        assert!(set.unwrap().success());
    };
    let open = std::fs::read_dir(format!("/proc/{}/fd", idp.pid())).unwrap().count();
    limit(&(open + 20).to_string());
    let held: Vec<_> = (0..200).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(idp.is_running(), "no crash: {}", idp.log());
    drop(held);
    limit("4096");
    let begun = Instant::now();
    while idp.visitor().attempt("GET", "/jwks", &[], None).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not recover: {}", idp.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(idp.visitor().get("/jwks").await.status, 200);
}

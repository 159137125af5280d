//! N-26: nobody holds a connection open by sending slowly.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::sandbox::Sandbox;

/// Sends the start of a request and then a byte a second; what came back, and after how long the connection ended.
fn slowly(start: String) -> (String, Duration) {
    let address = Sandbox::shared().issuer.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream.write_all(start.as_bytes()).unwrap();
    let (begun, mut seen, mut chunk) = (Instant::now(), Vec::new(), [0; 4096]);
    while begun.elapsed() < Duration::from_secs(60) {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => seen.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => drop(stream.write_all(b"x")),
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&seen).into_owned(), begun.elapsed())
}

fn post(path: &str, more: &str) -> String {
    let form = "Content-Type: application/x-www-form-urlencoded";
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{form}\r\n{more}\r\n\r\n")
}

#[tokio::test]
async fn n_26_a_body_that_trickles_is_408_and_the_connection_ends() {
    Sandbox::shared();
    let chunked = post("/sign-in", "Transfer-Encoding: chunked") + "1\r\nx\r\nf000\r\n";
    let starts = [post("/token", "Content-Length: 4000") + "grant_type=", chunked];
    let asked = starts.map(|start| tokio::task::spawn_blocking(|| slowly(start)));
    for (asked, kind) in asked.into_iter().zip(["\"error\":\"invalid_request\"", "data-page=\"error\""]) {
        let (answer, took) = asked.await.unwrap();
        let lower = answer.to_ascii_lowercase();
        assert!(answer.starts_with("HTTP/1.1 408"), "{took:?}: {answer}");
        assert!(lower.contains("connection: close") && lower.contains("x-content-type-options: nosniff"), "{answer}");
        assert!(answer.contains(kind), "{answer}");
        assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(50), "{took:?}");
    }
}

#[tokio::test]
async fn n_26_headers_that_trickle_end_the_connection() {
    Sandbox::shared();
    let start = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".to_owned();
    let (answer, took) = tokio::task::spawn_blocking(|| slowly(start)).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(50), "{took:?}");
}

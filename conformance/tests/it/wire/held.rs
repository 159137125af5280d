//! `security.md` RX-01 and N-27 at their size: ten thousand connections that say next to nothing are held at once, stop
//! nobody, and are ended however slowly they go on.

use std::io::ErrorKind;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::ask::Ask;
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::wire::Visitor;

const HELD: usize = 10_000;
/// More of them, for what the provider had open before and closes meanwhile.
const MORE: usize = 100;
/// What either side has open beside them.
const BESIDE: usize = 500;

/// How each begins, in turn. The last goes on a byte at a time.
const BEGUN: [&str; 3] = ["", "G", "GET /jwks HTTP/1.1\r\nHost: localhost\r\nX-Slow: "];

/// Lets a process have so many files open, where the machine allows it to.
fn may_open(pid: u32, files: usize) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    if soft >= files {
        return true;
    }
    let raised = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--nofile={files}:")]).output();
    raised.unwrap().status.success()
}

fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What came before the end of a connection; `None` while it lasts.
fn heard(connection: &TcpStream, so_far: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 1024];
    loop {
        match connection.try_read(&mut piece) {
            Ok(0) => return Some(()),
            Ok(read) => so_far.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            // It was ended while something of ours was still on its way.
            Err(_) => return Some(()),
        }
    }
}

/// A request of each sort, each on a connection of its own: a document, a page that is remembered, a token.
async fn well_meant(idp: &Provider, page: &str, proof: &str) {
    assert_eq!(idp.visitor().get("/jwks").await.status, 200);
    assert_eq!(idp.visitor().open(page).await.page().name(), "sign-in");
    let headers = [("authorization", proof), ("content-type", "application/x-www-form-urlencoded")];
    let body = b"grant_type=client_credentials".to_vec();
    let answer = Visitor::new(&idp.issuer).send("POST", "/token", &headers, Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn rx_01_ten_thousand_slow_connections_are_held_stop_nobody_and_are_ended() {
    let port = port::one();
    // Long enough for all of them to be there at once on a slow machine.
    let idp = Provider::plain(port, "[limits]\nheader_seconds = 20\n");
    for pid in [std::process::id(), idp.pid()] {
        if !may_open(pid, HELD + BESIDE) {
            println!("not run: this machine lets no process have {} files open", HELD + BESIDE);
            return;
        }
    }
    let secret = "one-secret-for-one-service-that-goes-on-working";
    idp.put_client(&json!({
        "client_id": "service", "client_secret": secret, "grant_types": ["client_credentials"], "scope": "api",
        "token_endpoint_auth_method": "client_secret_basic",
    }));
    let page = Ask::of(&idp.public(json!({}))).target();
    let proof = format!("Basic {}", STANDARD.encode(format!("service:{secret}")));
    well_meant(&idp, &page, &proof).await;
    let before = open_files(idp.pid());

    let mut held = Vec::with_capacity(HELD + MORE);
    for n in 0..HELD + MORE {
        let connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let said = BEGUN[n % BEGUN.len()].as_bytes();
        assert_eq!(connection.try_write(said).unwrap(), said.len());
        held.push((connection, Vec::new(), n % BEGUN.len() == 2));
    }
    until("the provider takes no more connections", || open_files(idp.pid()) >= before + HELD).await;
    for _ in 0..10 {
        well_meant(&idp, &page, &proof).await;
    }
    let still = open_files(idp.pid());
    assert!(still >= before + HELD, "all of them were there meanwhile: {still}");

    // Now and then another byte: what is slow is ended like what is silent.
    let begun = Instant::now();
    while !held.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(180), "{} connections live on", held.len());
        held.retain_mut(|(connection, so_far, slow)| {
            if heard(connection, so_far).is_none() {
                if *slow {
                    // Whether it was taken is told by the next reading.
                    connection.try_write(b"x").ok();
                }
                return true;
            }
            let told = String::from_utf8_lossy(so_far);
            assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
            false
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    until("the provider keeps files of connections that ended", || open_files(idp.pid()) < before + BESIDE).await;
    well_meant(&idp, &page, &proof).await;
    assert!(idp.is_running());
}

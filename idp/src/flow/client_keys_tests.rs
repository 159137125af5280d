use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::idp::Surroundings;
use crate::protocol::registration::{Admission, Unknown, admit};
use crate::random::SystemRandom;

/// A portal's server of its keys: what it serves may change, `None` is an error.
struct Portal {
    uri: String,
    serves: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Portal {
    fn open() -> Portal {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://localhost:{}/jwks", listener.local_addr().unwrap().port());
        let portal = Portal { uri, serves: Arc::default(), asked: Arc::default() };
        let (serves, asked) = (Arc::clone(&portal.serves), Arc::clone(&portal.asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                drop(stream.read(&mut [0; 4096]));
                asked.fetch_add(1, Ordering::SeqCst);
                let (status, body) = match serves.lock().unwrap().clone() {
                    Some(body) => ("200 OK", body),
                    None => ("500 Oops", String::new()),
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        });
        portal
    }

    fn serve(&self, kids: &[&str]) {
        // Any point of the curve will do: nothing here verifies a signature.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let keys: Vec<Value> =
            kids.iter().map(|kid| json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})).collect();
        *self.serves.lock().unwrap() = Some(json!({ "keys": keys }).to_string());
    }

    fn fail(&self) {
        *self.serves.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    portal: Portal,
    client: Client,
    _directory: tempfile::TempDir,
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    let portal = Portal::open();
    let file = json!({
        "client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"], "jwks_uri": portal.uri,
        "token_endpoint_auth_method": "private_key_jwt"
    });
    let (client, _) = admit(
        &file,
        &Admission { http_loopback: true, unknown: Unknown::Refused, certificates: true, client_ca: true },
    )
    .unwrap();
    Bench { idp, clock, portal, client, _directory: directory }
}

impl Bench {
    /// Whether the client's keys, as we know them, have this one.
    async fn has(&self, kid: &str) -> bool {
        let keys = client_keys(&self.client, Some(kid), &self.idp).await.unwrap();
        keys.is_some_and(|keys| client::has(&keys, kid))
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(Span::seconds(seconds));
    }
}

#[tokio::test]
async fn ca_11_a_removed_key_goes_and_a_new_one_comes_at_once_but_not_too_often() {
    let bench = bench().await;
    bench.portal.serve(&["a"]);
    assert!(bench.has("a").await && bench.has("a").await);
    assert_eq!(bench.portal.asked(), 1);
    bench.portal.serve(&["b"]);
    assert!(bench.has("b").await, "an unknown kid is asked for at once");
    assert_eq!(bench.portal.asked(), 2);
    assert!(!bench.has("a").await && !bench.has("c").await);
    assert_eq!(bench.portal.asked(), 2, "and then not for half a minute");
    bench.later(29);
    assert!(!bench.has("c").await && bench.portal.asked() == 2);
    bench.later(1);
    bench.portal.serve(&["c"]);
    assert!(bench.has("c").await && bench.portal.asked() == 3);
    // Without any pressure the set follows its server too.
    bench.portal.serve(&["d"]);
    bench.later(119);
    assert!(bench.has("c").await && bench.portal.asked() == 3);
    bench.later(1);
    assert!(!bench.has("c").await && bench.has("d").await);
}

#[tokio::test]
async fn a_portal_that_fails_keeps_its_last_good_set_for_five_minutes() {
    let bench = bench().await;
    bench.portal.serve(&["a"]);
    assert!(bench.has("a").await);
    bench.portal.fail();
    bench.later(299);
    assert!(bench.has("a").await && bench.portal.asked() == 2);
    bench.later(1);
    assert!(!bench.has("a").await, "not a second longer");
    let asked = bench.portal.asked();
    assert!(!bench.has("a").await && bench.portal.asked() == asked, "nor is it asked without end");
    bench.portal.serve(&["a"]);
    bench.later(30);
    assert!(bench.has("a").await);
}

#[tokio::test]
async fn only_a_proper_set_is_taken() {
    for bad in ["", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}"#] {
        let bench = bench().await;
        *bench.portal.serves.lock().unwrap() = Some(bad.to_owned());
        assert!(!bench.has("a").await && bench.portal.asked() == 1, "{bad}");
    }
}

#[tokio::test]
async fn many_at_once_wait_for_one_fetch_and_another_address_starts_anew() {
    let mut bench = bench().await;
    bench.portal.serve(&["a"]);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let (client, idp) = (bench.client.clone(), Arc::clone(&bench.idp));
            tokio::spawn(async move { client_keys(&client, Some("a"), &idp).await.unwrap() })
        })
        .collect();
    for answer in waiting {
        assert!(answer.await.unwrap().is_some());
    }
    assert_eq!(bench.portal.asked(), 1);
    let moved = Portal::open();
    moved.serve(&["a"]);
    bench.client.jwks_uri = Some(moved.uri.clone());
    assert!(bench.has("a").await && moved.asked() == 1);
    bench.client.jwks = Some(r#"{"keys":[]}"#.to_owned());
    assert!(!bench.has("a").await && moved.asked() == 1, "registered keys are the keys");
}

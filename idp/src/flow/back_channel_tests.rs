//! Notices from the act to the portal's door, on a store of its own each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;
use crate::clock::{Clock, FixedClock};
use crate::config::Config;
use crate::domain::account::Account;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::secret::{SessionCookie, Stored};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::{Factor, Moment, PersonNumber};
use crate::flow::logout::sign_out;
use crate::flow::operator::Verdict;
use crate::flow::{account, client, consent, eid_lock};
use crate::idp::Surroundings;
use crate::protocol::subject::sector;
use crate::random::SystemRandom;
use crate::telemetry::Stopwatch;

const AN: &str = "099090000001";
const START: i64 = 1_800_000_000;

/// A portal's door: answers by script, one status a request (the last one ever after; 0 is silence), and keeps what
/// it was sent.
struct Door {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

fn door(script: &'static [u16]) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://127.0.0.1:{}/out", listener.local_addr().unwrap().port());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = Arc::clone(&heard);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let body = body(&mut connection);
            let count = {
                let mut heard = ears.lock().unwrap();
                heard.push(body);
                heard.len()
            };
            match script.get(count - 1).or(script.last()) {
                Some(0) | None => silent.push(connection),
                Some(status) => {
                    let _ = write!(connection, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                }
            }
        }
    });
    Door { address, heard }
}

fn body(connection: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        let length = connection.read(&mut bytes).unwrap_or(0);
        seen.extend_from_slice(&bytes[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        if body.len() >= length.parse::<usize>().unwrap() {
            assert!(head.starts_with("post /out ") && head.contains("content-type: application/x-www-form-urlencoded"));
            return body.to_owned();
        }
    }
}

impl Door {
    fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Header and claims of what arrived, in order.
    fn tokens(&self) -> Vec<(Value, Value)> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .map(|body| {
                let token = body.strip_prefix("logout_token=").unwrap_or_else(|| panic!("{body}"));
                assert!(!token.contains('&'), "no other field");
                let part = |at: usize| {
                    let part = token.split('.').nth(at).unwrap();
                    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
                };
                (part(0), part(1))
            })
            .collect()
    }
}

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    config: Config,
    _directory: tempfile::TempDir,
}

/// On SQLite, and in a schema of its own on PostgreSQL where `IDP_TEST_DATABASE` names one.
async fn benches() -> Vec<Bench> {
    let mut benches = vec![bench(None).await];
    if let Some(url) = store::fresh_schema() {
        benches.push(bench(Some(url)).await);
    }
    benches
}

async fn bench(url: Option<String>) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = url.unwrap_or_else(|| format!("sqlite:{}", directory.path().join("idp.db").display()));
    config.database.migrate = Some(crate::config::Migrate::Auto);
    config.danger_http_loopback = true;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(START)));
    let idp = open(&config, &clock).await;
    let line = json!({"person_number": AN, "name": "An", "account": {"level": 2, "state": "activated"}}).to_string();
    assert!(matches!(account::import(&line, &idp).await.unwrap(), Verdict::Done(_)));
    Bench { idp, clock, config, _directory: directory }
}

async fn open(config: &Config, clock: &Arc<FixedClock>) -> Arc<Idp> {
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    Idp::open_with(config.clone(), surroundings).await.unwrap()
}

impl Bench {
    async fn register(&self, id: &str, address: Option<&str>, session_required: bool) {
        let file = json!({
            "client_id": id, "redirect_uris": ["http://localhost:8081/cb"], "vn_sector": format!("{id}.vn"),
            "id_token_signed_response_alg": "ES256", "backchannel_logout_uri": address,
            "backchannel_logout_session_required": session_required
        });
        let put = client::put(&file.to_string(), &self.idp).await.unwrap();
        assert!(matches!(put, Verdict::Done(_)), "{put:?}");
    }

    async fn account(&self) -> Id<Account> {
        let index = crate::flow::sealed::person_index(&PersonNumber::parse(AN).unwrap(), &self.idp.vault);
        self.idp.store.read(move |db| store::account::find_by_person(db, &index)).await.unwrap().unwrap().id
    }

    /// A session in which these clients take part.
    async fn session(&self, id: &str, clients: &[&str]) -> Session {
        let (account, now) = (self.account().await, self.idp.clock.now());
        let session = Session {
            id: Id::new(id),
            account,
            acquaintance: Acquaintance::default().with(Factor::Password, now),
            opened_at: now,
            seen_at: now,
            ended_at: None,
        };
        let clients: Vec<Id<Client>> = clients.iter().map(|client| Id::new(*client)).collect();
        let opened = session.clone();
        self.idp
            .store
            .transact(move |db| {
                store::session::open(db, &opened, &Stored::<SessionCookie>::of(opened.id.as_str()))?;
                for client in clients {
                    let found = store::client::find(db, &client)?.unwrap().client;
                    store::subject::find_or_put(db, &opened.account, sector(&found), &format!("sub-{client}"))?;
                    store::session::sid(db, &opened.id, &client, &format!("{}-{client}", opened.id))?;
                }
                Ok(())
            })
            .await
            .unwrap();
        session
    }

    async fn sign_out(&self, session: &Session) {
        let (this, session) = (Arc::clone(&self.idp), session.clone());
        self.idp.store.transact(move |db| sign_out(db, &session, &this)).await.unwrap();
    }

    async fn waiting(&self) -> Vec<LogoutNotice> {
        self.idp.store.read(|db| store::outbox::due(db, Moment::from_unix(i64::MAX), &[], 1_000)).await.unwrap()
    }

    /// A round, and the end of every attempt it began.
    async fn round(&self) {
        round(&self.idp).await.unwrap();
        until(|| self.idp.desk.under_way.lock().unwrap().is_empty()).await;
    }

    async fn remembered(&self) -> Vec<(Kind, Value)> {
        let account = self.account().await;
        let events = self.idp.store.read(move |db| store::trail::of_account(db, &account)).await.unwrap();
        let told = |kind| matches!(kind, Kind::LogoutTold | Kind::LogoutNotTold);
        events.into_iter().filter(|event| told(event.kind)).map(|event| (event.kind, event.detail)).collect()
    }
}

async fn until(done: impl Fn() -> bool) {
    let came = tokio::time::timeout(Duration::from_secs(20), async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    came.await.expect("it never came to that");
}

fn order() -> LockOrder {
    LockOrder::official(LockGround::HolderAsks, "C06, 12/QĐ").unwrap()
}

#[tokio::test]
async fn lo_08_sign_out_tells_every_client_of_the_session_its_own_sub_and_sid() {
    for bench in benches().await {
        let (one, two) = (door(&[200]), door(&[204]));
        bench.register("one", Some(&one.address), false).await;
        bench.register("two", Some(&two.address), true).await;
        bench.register("deaf", None, false).await;
        let session = bench.session("s", &["one", "two", "deaf"]).await;
        let other = bench.session("t", &["one"]).await;
        bench.sign_out(&session).await;
        assert_eq!(bench.waiting().await.len(), 2);
        bench.round().await;
        for (door, client) in [(&one, "one"), (&two, "two")] {
            let tokens = door.tokens();
            let [(header, claims)] = tokens.as_slice() else { panic!("{tokens:?}") };
            assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("logout+jwt"), Some("ES256")));
            assert_eq!(claims["aud"], client);
            assert_eq!(
                (&claims["sub"], &claims["sid"]),
                (&json!(format!("sub-{client}")), &json!(format!("s-{client}")))
            );
            assert!(claims.get("nonce").is_none() && claims["jti"].as_str().is_some_and(|jti| jti.len() == 43));
        }
        // RFC 8725 §3.11: it is no ID token of ours, though the same key signed it.
        let token = one.heard.lock().unwrap()[0].trim_start_matches("logout_token=").to_owned();
        assert!(bench.idp.ring.verify_own(&token).is_none());
        assert!(bench.waiting().await.is_empty(), "nothing is told twice");
        bench.sign_out(&session).await;
        assert!(bench.waiting().await.is_empty(), "a session ends once");
        let told = bench.remembered().await;
        assert_eq!(told.len(), 2);
        let detail = json!({"cause": "signed_out", "outcome": "told", "attempts": 1});
        assert!(told.iter().all(|(kind, found)| *kind == Kind::LogoutTold && *found == detail), "{told:?}");
        let live = bench.idp.store.read(move |db| store::session::find(db, &other.id)).await.unwrap().unwrap();
        assert!(live.ended_at.is_none(), "never other devices");
    }
}

#[tokio::test]
async fn n_28_lo_07_three_attempts_then_it_is_given_up() {
    for bench in benches().await {
        let (broken, stubborn, late) = (door(&[500]), door(&[400]), door(&[503, 302, 200]));
        for (id, door) in [("broken", &broken), ("stubborn", &stubborn), ("late", &late)] {
            bench.register(id, Some(&door.address), false).await;
        }
        bench.sign_out(&bench.session("s", &["broken", "stubborn", "late"]).await).await;
        for (pause, attempts, left) in [(0, 1, 2), (4, 1, 2), (1, 2, 2), (59, 2, 2), (1, 3, 0), (300, 3, 0)] {
            bench.clock.advance(Span::seconds(pause));
            bench.round().await;
            assert_eq!((broken.count(), late.count(), stubborn.count()), (attempts, attempts, 1));
            assert_eq!(bench.waiting().await.len(), left, "{attempts}");
        }
        let mut outcomes: Vec<(Kind, String, i64)> = bench
            .remembered()
            .await
            .into_iter()
            .map(|(kind, detail)| {
                (kind, detail["outcome"].as_str().unwrap().to_owned(), detail["attempts"].as_i64().unwrap())
            })
            .collect();
        outcomes.sort_by(|a, b| a.1.cmp(&b.1));
        let expected = [
            (Kind::LogoutNotTold, "refused".to_owned(), 1),
            (Kind::LogoutTold, "told".to_owned(), 3),
            (Kind::LogoutNotTold, "unanswered".to_owned(), 3),
        ];
        assert_eq!(outcomes, expected);
        // Each attempt is a token of its own.
        let jtis: std::collections::BTreeSet<String> =
            late.tokens().iter().map(|(_, claims)| claims["jti"].to_string()).collect();
        assert_eq!(jtis.len(), 3);
    }
}

#[tokio::test]
async fn two_servers_tell_once_and_one_takes_over_from_a_dead_one() {
    for bench in benches().await {
        let portal = door(&[200]);
        bench.register("rp", Some(&portal.address), false).await;
        let second = open(&bench.config, &bench.clock).await;
        for number in 0..20 {
            bench.sign_out(&bench.session(&format!("s{number}"), &["rp"]).await).await;
        }
        let (here, there) = tokio::join!(round(&bench.idp), round(&second));
        here.unwrap();
        there.unwrap();
        until(|| portal.count() >= 20).await;
        until(|| [&bench.idp, &second].iter().all(|idp| idp.desk.under_way.lock().unwrap().is_empty())).await;
        bench.round().await;
        assert_eq!(portal.count(), 20, "each once");
        assert!(bench.waiting().await.is_empty());

        // A server claims and dies: nobody else sends while it might still, then somebody does.
        bench.sign_out(&bench.session("last", &["rp"]).await).await;
        let now = bench.clock.now();
        let claimed = bench
            .idp
            .store
            .transact(move |db| {
                let due = store::outbox::due(db, now, &[], 10)?;
                let claimed = store::outbox::claim(db, &due[0], now + LEASE)?.expect("the first");
                assert!(store::outbox::claim(db, &due[0], now + LEASE)?.is_none(), "one claims");
                Ok(claimed)
            })
            .await
            .unwrap();
        bench.clock.advance(Span::seconds(LEASE.as_seconds() - 1));
        round(&second).await.unwrap();
        assert_eq!(portal.count(), 20);
        bench.clock.advance(Span::seconds(1));
        round(&second).await.unwrap();
        until(|| portal.count() == 21).await;
        until(|| second.desk.under_way.lock().unwrap().is_empty()).await;
        assert!(bench.waiting().await.is_empty());
        // What the dead one would still have said of it counts for nothing.
        let finished = bench.idp.store.transact(move |db| store::outbox::finish(db, &claimed)).await.unwrap();
        assert!(!finished);
        assert_eq!(bench.remembered().await.len(), 21);
    }
}

#[tokio::test]
async fn lo_07_a_silent_portal_holds_up_only_itself() {
    let bench = bench(None).await;
    let (silent, quick) = (door(&[0]), door(&[200]));
    bench.register("silent", Some(&silent.address), false).await;
    bench.register("quick", Some(&quick.address), false).await;
    for number in 0..3 * MOST_PER_CLIENT {
        bench.sign_out(&bench.session(&format!("s{number}"), &["silent"]).await).await;
    }
    bench.sign_out(&bench.session("q", &["quick"]).await).await;
    let begun = Stopwatch::start();
    round(&bench.idp).await.unwrap();
    until(|| quick.count() == 1).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    until(|| silent.count() == MOST_PER_CLIENT).await;
    assert_eq!(bench.idp.desk.busy(), ["silent"]);
    // After two seconds the first are over, and make room for more.
    until(|| bench.idp.desk.busy().is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    round(&bench.idp).await.unwrap();
    until(|| silent.count() > MOST_PER_CLIENT).await;
}

#[tokio::test]
async fn contract_8_a_lock_says_sub_only_and_a_withdrawal_only_one_client() {
    for bench in benches().await {
        let (one, two) = (door(&[200]), door(&[200]));
        bench.register("one", Some(&one.address), false).await;
        bench.register("two", Some(&two.address), true).await;
        let session = bench.session("s", &["one", "two"]).await;
        bench.session("t", &["two"]).await;
        for client in ["one", "two"] {
            let (account, client) = (session.account.clone(), Id::new(client));
            let given = consent_of(&account, &client, bench.clock.now());
            bench.idp.store.transact(move |db| store::consent::record(db, &given.0, &given.1)).await.unwrap();
        }
        let withdraw = async |client: &str| {
            consent::withdraw(session.account.clone(), Id::new(client), session.id.clone(), &bench.idp).await
        };
        assert!(withdraw("one").await.unwrap());
        bench.round().await;
        assert_eq!((one.count(), two.count()), (1, 0));
        assert!(one.tokens()[0].1.get("sid").is_none());
        assert!(!withdraw("one").await.unwrap(), "once");
        // A client that goes by sessions hears of each.
        assert!(withdraw("two").await.unwrap());
        bench.round().await;
        let mut sids: Vec<String> = two.tokens().iter().map(|(_, claims)| claims["sid"].to_string()).collect();
        sids.sort();
        assert_eq!((one.count(), sids), (1, vec!["\"s-two\"".to_owned(), "\"t-two\"".to_owned()]));

        let number = PersonNumber::parse(AN).unwrap();
        eid_lock::lock(&number, order(), &bench.idp).await.unwrap();
        bench.round().await;
        assert_eq!((one.count(), two.count()), (2, 3));
        for (door, at) in [(&one, 1), (&two, 2)] {
            let claims = &door.tokens()[at].1;
            assert!(claims.get("sid").is_none() && claims["sub"].is_string(), "{claims}");
        }
        assert_eq!(bench.remembered().await.last().unwrap().1["cause"], "eid_locked");
    }
}

fn consent_of(
    account: &Id<Account>,
    client: &Id<Client>,
    at: Moment,
) -> (crate::domain::consent::Consent, crate::domain::consent::Receipt) {
    let consent = crate::domain::consent::Consent {
        id: Id::new(format!("consent-{client}")),
        account: account.clone(),
        client: client.clone(),
        purpose: "p".to_owned(),
        asked: Default::default(),
        granted: Default::default(),
        decided_at: at,
    };
    let receipt = crate::domain::consent::Receipt {
        purpose: "p".to_owned(),
        asked: Default::default(),
        granted: Default::default(),
        legal_basis: crate::domain::relying_party::LegalBasis::Consent,
        text_hash: "hash".to_owned(),
        language: "vi".to_owned(),
        authentication_level: 1,
    };
    (consent, receipt)
}

#[tokio::test]
async fn a_client_that_closed_or_moved_is_not_called_where_it_was() {
    let bench = bench(None).await;
    let (old, new, closed) = (door(&[200]), door(&[200]), door(&[200]));
    bench.register("moved", Some(&old.address), false).await;
    bench.register("gone", Some(&old.address), false).await;
    bench.register("closed", Some(&closed.address), false).await;
    bench.sign_out(&bench.session("s", &["moved", "gone", "closed"]).await).await;
    bench.register("moved", Some(&new.address), false).await;
    bench.register("gone", None, false).await;
    let id = Id::new("closed");
    bench.idp.store.transact(move |db| store::client::set_status(db, &id, ClientStatus::Closed)).await.unwrap();
    bench.round().await;
    assert_eq!((old.count(), new.count(), closed.count()), (0, 1, 0));
    let outcomes: Vec<Value> =
        bench.remembered().await.into_iter().map(|(_, detail)| detail["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "no_address").count(), 2, "{outcomes:?}");
    assert!(bench.waiting().await.is_empty());
}

#[tokio::test]
async fn lo_07_an_address_inside_is_never_called() {
    let bench = bench(None).await;
    let inside = door(&[200]);
    // Named, so that it is found out only when the name is resolved.
    let named = inside.address.replace("http://127.0.0.1", "https://localhost");
    bench.register("rp", Some(&named), false).await;
    bench.sign_out(&bench.session("s", &["rp"]).await).await;
    for pause in [0, 5, 60] {
        bench.clock.advance(Span::seconds(pause));
        bench.round().await;
    }
    assert_eq!(inside.count(), 0);
    assert_eq!(bench.remembered().await[0].1["outcome"], "unanswered");
}

/// The session ran out here while a portal still showed pages: signing out there ends it everywhere.
#[tokio::test]
async fn a_session_that_ran_out_is_still_signed_out() {
    let bench = bench(None).await;
    let portal = door(&[200]);
    bench.register("rp", Some(&portal.address), false).await;
    let session = bench.session("s", &["rp"]).await;
    bench.clock.advance(Span::days(2));
    let browser = crate::flow::Browser { session: Some(Stored::of("s")), ..Default::default() };
    let params = crate::protocol::Params::parse("").unwrap();
    for told in [1, 1] {
        crate::flow::logout::end(&params, true, &browser, &bench.idp).await.unwrap();
        bench.round().await;
        assert_eq!(portal.count(), told);
    }
    let ended = bench.idp.store.read(move |db| store::session::find(db, &session.id)).await.unwrap().unwrap();
    assert_eq!(ended.ended_at, Some(bench.clock.now()));
}

//! A portal's door that answers by script, and a bench with a citizen, sessions and clients to tell.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::account::Account;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::secret::{SessionCookie, Stored};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::{Factor, Moment, PersonNumber};
use crate::flow::logout::sign_out;
use crate::flow::operator::Verdict;
use crate::flow::{account, client};
use crate::idp::Surroundings;
use crate::protocol::subject::sector;
use crate::random::SystemRandom;

pub(super) const AN: &str = "099090000001";
const START: i64 = 1_800_000_000;

/// A portal's door: answers by script, one status a request (the last one ever after; 0 is silence), and keeps what
/// it was sent.
pub(super) struct Door {
    pub(super) address: String,
    pub(super) heard: Arc<Mutex<Vec<String>>>,
}

pub(super) fn door(script: &'static [u16]) -> Door {
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
    pub(super) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Header and claims of what arrived, in order.
    pub(super) fn tokens(&self) -> Vec<(Value, Value)> {
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

pub(super) struct Bench {
    pub(super) idp: Arc<Idp>,
    pub(super) clock: Arc<FixedClock>,
    pub(super) config: Config,
    _directory: tempfile::TempDir,
}

/// On SQLite, and in a schema of its own on PostgreSQL where `IDP_TEST_DATABASE` names one.
pub(super) async fn benches() -> Vec<Bench> {
    let mut benches = vec![bench(None).await];
    if let Some(url) = store::fresh_schema() {
        benches.push(bench(Some(url)).await);
    }
    benches
}

pub(super) async fn bench(url: Option<String>) -> Bench {
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

pub(super) async fn open(config: &Config, clock: &Arc<FixedClock>) -> Arc<Idp> {
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    Idp::open_with(config.clone(), surroundings).await.unwrap()
}

impl Bench {
    pub(super) async fn register(&self, id: &str, address: Option<&str>, session_required: bool) {
        let file = json!({
            "client_id": id, "redirect_uris": ["http://localhost:8081/cb"], "vn_sector": format!("{id}.vn"),
            "id_token_signed_response_alg": "ES256", "backchannel_logout_uri": address,
            "backchannel_logout_session_required": session_required
        });
        let put = client::put(&file.to_string(), &self.idp).await.unwrap();
        assert!(matches!(put, Verdict::Done(_)), "{put:?}");
    }

    pub(super) async fn account(&self) -> Id<Account> {
        let index = crate::flow::sealed::person_index(&PersonNumber::parse(AN).unwrap(), &self.idp.vault);
        self.idp.store.read(move |db| store::account::find_by_person(db, &index)).await.unwrap().unwrap().id
    }

    /// A session in which these clients take part.
    pub(super) async fn session(&self, id: &str, clients: &[&str]) -> Session {
        let (account, now) = (self.account().await, self.idp.clock.now());
        let session = Session {
            acting: None,
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

    pub(super) async fn sign_out(&self, session: &Session) {
        let (this, session) = (Arc::clone(&self.idp), session.clone());
        self.idp.store.transact(move |db| sign_out(db, &session, &this)).await.unwrap();
    }

    pub(super) async fn waiting(&self) -> Vec<LogoutNotice> {
        self.idp.store.read(|db| store::outbox::due(db, Moment::from_unix(i64::MAX), &[], 1_000)).await.unwrap()
    }

    /// A round, and the end of every attempt it began.
    pub(super) async fn round(&self) {
        round(&self.idp).await.unwrap();
        until(|| self.idp.desk.under_way.lock().unwrap().is_empty()).await;
    }

    pub(super) async fn remembered(&self) -> Vec<(Kind, Value)> {
        let account = self.account().await;
        let events = self.idp.store.read(move |db| store::trail::of_account(db, &account)).await.unwrap();
        let told = |kind| matches!(kind, Kind::LogoutTold | Kind::LogoutNotTold);
        events.into_iter().filter(|event| told(event.kind)).map(|event| (event.kind, event.detail)).collect()
    }
}

pub(super) async fn until(done: impl Fn() -> bool) {
    let came = tokio::time::timeout(Duration::from_secs(20), async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    came.await.expect("it never came to that");
}

pub(super) fn order() -> LockOrder {
    LockOrder::official(LockGround::HolderAsks, "C06, 12/QĐ").unwrap()
}

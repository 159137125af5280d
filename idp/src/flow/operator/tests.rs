//! The operator's journeys on a fresh SQLite file each.

mod accounts;
mod clients;
mod registrations;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::grant::{Authentication, Grant, Party};
use crate::domain::secret::{SessionCookie, Stored};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::{Acr, Factor, Moment, PersonNumber, Span};
use crate::flow::account::Imported;
use crate::flow::{account, client, eid_lock, trail};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

const AN: &str = "099090000001";
const BINH: &str = "099192000002";
const CHILD: &str = "099216000005";

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    directory: tempfile::TempDir,
}

async fn bench() -> Bench {
    bench_with(|_| {}).await
}

async fn bench_with(set: impl FnOnce(&mut Config)) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    set(&mut config);
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    Bench { idp, clock, directory }
}

impl Bench {
    /// Events of the same second have no order.
    fn tick(&self) {
        self.clock.advance(Span::seconds(1));
    }
}

fn person(number: &str) -> PersonNumber {
    PersonNumber::parse(number).unwrap()
}

fn line(number: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut line = json!({
        "person_number": number,
        "name": "Nguyễn Văn An",
        "account": {"level": 2, "state": "activated", "password": "VNeID#2026", "phone": "+84912000001"},
        "claims": {"nickname": "Bé Na"},
    });
    change(&mut line);
    line.to_string()
}

fn order(ground: LockGround) -> LockOrder {
    LockOrder::official(ground, "C06, 12/QĐ").unwrap()
}

async fn import(text: &str, idp: &Idp) -> Verdict<Imported> {
    account::import(text, idp).await.unwrap()
}

fn imported(created: usize, replaced: usize) -> Verdict<Imported> {
    Verdict::Done(Imported { created, replaced })
}

async fn id_of(number: &str, idp: &Idp) -> Option<Id<Account>> {
    match account::show(&person(number), false, idp).await.unwrap() {
        Verdict::Done(shown) => Some(shown.id),
        Verdict::Refused(_) => None,
    }
}

async fn kinds(number: &str, idp: &Idp) -> Vec<String> {
    let Verdict::Done(events) = trail::export(&person(number), idp).await.unwrap() else { panic!("no trail") };
    events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

/// A sign-in as the provider would have made it, at the client `console`.
async fn signed_in(number: &str, bench: &Bench) -> (Id<Account>, Id<Session>, Id<Grant>) {
    let idp = &bench.idp;
    if matches!(client::show(&Id::new("console"), idp).await.unwrap(), Verdict::Refused(_)) {
        put(&client_file("console"), idp).await;
    }
    let account = id_of(number, idp).await.unwrap();
    let (now, random) = (idp.clock.now(), idp.random.text().unwrap());
    let acquaintance = Acquaintance::default().with(Factor::Password, now);
    let session = Session {
        id: Id::new(format!("session-{random}")),
        acting: None,
        account: account.clone(),
        acquaintance: acquaintance.clone(),
        opened_at: now,
        seen_at: now,
        ended_at: None,
    };
    let cookie = Stored::<SessionCookie>::of(&random);
    let grant_id: Id<Grant> = Id::new(format!("grant-{random}"));
    let (opened, id) = (session.id.clone(), grant_id.clone());
    let (owner, fresh) = (account.clone(), random);
    idp.store
        .transact(move |db| {
            let console: Id<Client> = Id::new("console");
            let sector = store::client::find(db, &console)?.unwrap().client.sector.clone();
            let sub = store::subject::find_or_put(db, &owner, &sector, &format!("sub-{fresh}"))?;
            store::session::open(db, &session, &cookie)?;
            let sid = store::session::sid(db, &session.id, &console, &format!("sid-{fresh}"))?;
            let party = Party::Holder(Authentication {
                account: owner,
                actor: None,
                sub,
                session: session.id,
                sid,
                auth_time: now,
                acr: Acr::Muc1,
                acquaintance,
            });
            store::grant::open(
                db,
                &Grant {
                    id,
                    client: console,
                    party,
                    scope: vec!["openid".to_owned()],
                    claims: Default::default(),
                    service: None,
                    resources: Vec::new(),
                    transaction: None,
                    offline: true,
                    opened_at: now,
                    revoked_at: None,
                },
            )
        })
        .await
        .unwrap();
    (account, opened, grant_id)
}

async fn stands(session: &Id<Session>, grant: &Id<Grant>, idp: &Idp) -> (bool, bool) {
    let (session, grant) = (session.clone(), grant.clone());
    idp.store
        .read(move |db| {
            let session = store::session::find(db, &session)?.unwrap();
            let grant = store::grant::find(db, &grant)?.unwrap();
            Ok((session.ended_at.is_none(), grant.revoked_at.is_none()))
        })
        .await
        .unwrap()
}

fn client_file(id: &str) -> String {
    json!({
        "client_id": id,
        "client_name": {"vi": "Cổng", "en": "Portal"},
        "redirect_uris": ["http://localhost:8081/callback"],
        "scope": "openid",
        "token_endpoint_auth_method": "client_secret_basic",
    })
    .to_string()
}

async fn put(text: &str, idp: &Idp) -> client::Put {
    match client::put(text, idp).await.unwrap() {
        Verdict::Done(put) => put,
        Verdict::Refused(reason) => panic!("{reason}"),
    }
}

fn reason<T: std::fmt::Debug>(verdict: Verdict<T>) -> String {
    match verdict {
        Verdict::Refused(reason) => reason,
        Verdict::Done(done) => panic!("done: {done:?}"),
    }
}

#[tokio::test]
async fn the_console_knows_its_visitor_only_while_the_sign_in_stands() {
    let first = bench().await;
    import(&line(AN, |_| {}), &first.idp).await;
    let (account, _, grant) = signed_in(AN, &first).await;
    let (sub, sid) = names(&grant, &first.idp).await;
    assert_eq!(recognise(&sub, &sid, &first.idp).await.unwrap(), Visitor::WithoutRole);
    assert_eq!(recognise(&sub, "other", &first.idp).await.unwrap(), Visitor::Gone);
    assert_eq!(recognise("other", &sid, &first.idp).await.unwrap(), Visitor::Gone);

    // The same files, opened by a console that knows its operators.
    let directory = first.directory.path().to_owned();
    let second = bench_with(|config| {
        config.keys.directory = directory.join("keys");
        config.database.url = format!("sqlite:{}", directory.join("idp.db").display());
        config.admin.operators = vec![account.to_string()];
    })
    .await;
    assert_eq!(recognise(&sub, &sid, &second.idp).await.unwrap(), Visitor::Operator(account));
    eid_lock::lock(&person(AN), order(LockGround::HolderAsks), &first.idp).await.unwrap();
    assert_eq!(recognise(&sub, &sid, &second.idp).await.unwrap(), Visitor::Gone);
    eid_lock::unlock(&person(AN), order(LockGround::HolderAsks), &first.idp).await.unwrap();
    assert_eq!(recognise(&sub, &sid, &second.idp).await.unwrap(), Visitor::Gone);
}

#[tokio::test]
async fn what_is_kept_for_one_place_opens_nowhere_else() {
    let bench = bench().await;
    let kept = keep("one", &json!({"a": 1}), &bench.idp).unwrap();
    assert_eq!(recall::<Value>("one", &kept, &bench.idp), Some(json!({"a": 1})));
    assert_eq!(recall::<Value>("two", &kept, &bench.idp), None);
    assert_eq!(recall::<Value>("one", "", &bench.idp), None);
    let token = form_token("sid", "form", &bench.idp);
    assert!(form_fits(&token, "sid", "form", &bench.idp));
    assert!(!form_fits(&token, "other", "form", &bench.idp));
    assert!(!form_fits("", "sid", "form", &bench.idp));
}

async fn names(grant: &Id<Grant>, idp: &Idp) -> (String, String) {
    let grant = grant.clone();
    let grant = idp.store.read(move |db| store::grant::find(db, &grant)).await.unwrap().unwrap();
    let holder = grant.holder().unwrap();
    (holder.sub.clone(), holder.sid.clone())
}

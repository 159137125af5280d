//! The operator's journeys on a fresh SQLite file each.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::eid::{LockGround, LockOrder, Turned};
use crate::domain::grant::{Authentication, Grant, Party};
use crate::domain::relying_party::SigningAlg;
use crate::domain::secret::{SessionCookie, Stored};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::{Acr, Factor, Moment, PersonNumber, Span};
use crate::flow::account::Imported;
use crate::flow::keys::{Pace, Stage};
use crate::flow::{account, client, eid_lock, keys, sealed, trail};
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
async fn an_import_is_the_whole_file_or_nothing() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let bad = line(BINH, |line| line["account"]["level"] = 3.into());
    let refused = import(&format!("{}\n{bad}", line(AN, |_| {})), idp).await;
    assert_eq!(reason(refused), "line 2: account.level is 1 or 2");
    assert_eq!(id_of(AN, idp).await, None);
    let orphan = line(CHILD, |line| line["guardian"] = BINH.into());
    let refused = import(&format!("{}\n{orphan}", line(AN, |_| {})), idp).await;
    assert_eq!(reason(refused), "line 2: guardian has no account");
    assert_eq!(id_of(AN, idp).await, None);
}

#[tokio::test]
async fn a_ward_may_stand_above_its_guardian_but_not_be_one() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let ward = line(CHILD, |line| line["guardian"] = AN.into());
    assert_eq!(import(&format!("{ward}\n{}", line(AN, |_| {})), idp).await, imported(2, 0));
    let Verdict::Done(shown) = account::show(&person(CHILD), false, idp).await.unwrap() else { panic!() };
    assert_eq!(shown.guardian.as_deref(), Some("099••••••001"));
    let second = line(BINH, |line| line["guardian"] = CHILD.into());
    assert_eq!(reason(import(&second, idp).await), "line 1: guardian has a guardian");
}

#[tokio::test]
async fn a_replaced_account_keeps_its_id_and_signs_nobody_out_unless_a_factor_changes() {
    let bench = bench().await;
    let idp = &*bench.idp;
    assert_eq!(import(&line(AN, |_| {}), idp).await, imported(1, 0));
    let (account, session, grant) = signed_in(AN, &bench).await;
    let renamed = line(AN, |line| line["name"] = "Nguyễn An".into());
    assert_eq!(import(&renamed, idp).await, imported(0, 1));
    assert_eq!(id_of(AN, idp).await, Some(account.clone()));
    assert_eq!(stands(&session, &grant, idp).await, (true, true));
    for (field, value) in [("password", "Other#2026"), ("phone", "+84912000009"), ("state", "granted")] {
        assert_eq!(import(&line(AN, |_| {}), idp).await, imported(0, 1));
        let (_, session, grant) = signed_in(AN, &bench).await;
        assert_eq!(import(&line(AN, |line| line["account"][field] = value.into()), idp).await, imported(0, 1));
        assert_eq!(stands(&session, &grant, idp).await, (false, false), "{field}");
        assert_eq!(id_of(AN, idp).await, Some(account.clone()));
    }
}

#[tokio::test]
async fn what_is_imported_is_sealed_and_opens_where_it_belongs() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(AN, |line| line["account"]["email"] = "an@example.vn".into()), idp).await;
    let account = id_of(AN, idp).await.unwrap();
    let id = account.clone();
    let claims = idp.store.read(move |db| store::account::claims(db, &id)).await.unwrap();
    let open = |name: &str| {
        let found = claims.iter().find(|claim| claim.claim.as_str() == name).unwrap();
        assert_eq!(found.source, "import");
        sealed::open_claim(&account, found.claim, &found.value, &idp.vault).unwrap()
    };
    assert_eq!(open("name"), "Nguyễn Văn An");
    assert_eq!(open("vn_personal_id"), AN);
    assert_eq!(open("phone_number"), "+84912000001");
    assert_eq!(open("phone_number_verified"), true);
    assert_eq!(open("email_verified"), true);
    assert_eq!(open("vn_eid_state"), "active");
    let moved = claims.iter().find(|claim| claim.claim.as_str() == "nickname").unwrap();
    assert!(sealed::open_claim(&Id::new("another"), moved.claim, &moved.value, &idp.vault).is_err());
    for name in ["idp.db", "idp.db-wal"] {
        let Ok(bytes) = std::fs::read(bench.directory.path().join(name)) else { continue };
        for clear in [AN, "Nguyễn", "Bé Na", "+84912000001", "an@example.vn", "VNeID#2026"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} in {name}");
        }
    }
}

#[tokio::test]
async fn rg_11_an_account_is_shown_masked_and_revealing_it_leaves_a_mark() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(AN, |_| {}), idp).await;
    let Verdict::Done(shown) = account::show(&person(AN), false, idp).await.unwrap() else { panic!() };
    let text = json!(shown).to_string();
    for clear in [AN, "Nguyễn Văn An", "+84912000001", "Bé Na"] {
        assert!(!text.contains(clear), "{clear}");
    }
    assert_eq!(shown.person_number, "099••••••001");
    assert_eq!(kinds(AN, idp).await, ["account_imported"]);
    let Verdict::Done(shown) = account::show(&person(AN), true, idp).await.unwrap() else { panic!() };
    assert_eq!((shown.person_number.as_str(), shown.phone.as_deref()), (AN, Some("+84912000001")));
    assert_eq!(kinds(AN, idp).await, ["account_imported", "trail_exported", "account_revealed"]);
    let listed = account::list(None, 10, idp).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.person_number.as_str()).collect::<Vec<_>>(), ["099••••••001"]);
    assert_eq!(account::list(Some(&listed[0].id), 10, idp).await.unwrap().len(), 0);
}

#[tokio::test]
async fn lk_14_a_lock_ends_everything_and_an_unlock_revives_nothing() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(AN, |_| {}), idp).await;
    let (account, session, grant) = signed_in(AN, &bench).await;
    let locked = |turned, grounds| Verdict::Done(eid_lock::Locked { account: account.clone(), turned, grounds });
    let an = person(AN);
    let a = eid_lock::lock(&an, order(LockGround::HolderAsks), idp).await.unwrap();
    assert_eq!(a, locked(Turned::Changed, vec!["a"]));
    assert_eq!(stands(&session, &grant, idp).await, (false, false));
    let again = eid_lock::lock(&an, order(LockGround::HolderAsks), idp).await.unwrap();
    assert_eq!(again, locked(Turned::Unchanged, vec!["a"]));
    eid_lock::lock(&an, order(LockGround::AuthorityAsks), idp).await.unwrap();
    let one = eid_lock::unlock(&an, order(LockGround::HolderAsks), idp).await.unwrap();
    assert_eq!(one, locked(Turned::Changed, vec!["đ"]));
    let none = eid_lock::unlock(&an, order(LockGround::AuthorityAsks), idp).await.unwrap();
    assert_eq!(none, locked(Turned::Changed, vec![]));
    assert_eq!(stands(&session, &grant, idp).await, (false, false));
    let Verdict::Done(events) = trail::export(&an, idp).await.unwrap() else { panic!() };
    assert_eq!(events[1]["kind"], "eid_locked");
    assert_eq!(events[1]["detail"]["authority"], "C06, 12/QĐ");
    assert_eq!(events.len(), 6);
}

#[tokio::test]
async fn death_is_terminal_for_orders_and_for_imports() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(AN, |_| {}), idp).await;
    eid_lock::lock(&person(AN), order(LockGround::Death), idp).await.unwrap();
    for ground in LockGround::ALL {
        let refused = eid_lock::unlock(&person(AN), order(ground), idp).await.unwrap();
        assert!(reason(refused).contains("death"), "{ground:?}");
    }
    assert!(reason(import(&line(AN, |_| {}), idp).await).contains("death"));
    let still = line(AN, |line| line["eid"] = json!({"state": "locked", "grounds": ["d"]}));
    assert_eq!(import(&still, idp).await, imported(0, 1));
}

#[tokio::test]
async fn an_account_without_an_eid_and_an_unknown_number_cannot_be_locked() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(BINH, |line| line["account"]["level"] = 1.into()), idp).await;
    let ask = async |number| reason(eid_lock::lock(&person(number), order(LockGround::HolderAsks), idp).await.unwrap());
    assert!(ask(BINH).await.contains("no e-ID"));
    assert_eq!(ask(AN).await, "no account has this person number");
}

#[tokio::test]
async fn a_client_keeps_its_secret_its_sector_and_its_suspension() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let first = put(&client_file("portal"), idp).await;
    assert!(first.created);
    assert_eq!(first.secret.as_ref().map(|secret| secret.reveal().len()), Some(43));
    let second = put(&client_file("portal"), idp).await;
    assert!(!second.created && second.secret.is_none());
    let moved = client_file("portal").replace("localhost:8081", "localhost:9999");
    put(&moved, idp).await;
    let Verdict::Done(shown) = client::show(&Id::new("portal"), idp).await.unwrap() else { panic!() };
    assert_eq!(shown["vn_sector"], "localhost:8081");
    let mut other: Value = serde_json::from_str(&moved).unwrap();
    other["vn_sector"] = "elsewhere.vn".into();
    assert!(reason(client::put(&other.to_string(), idp).await.unwrap()).contains("vn_sector is frozen"));

    let id = Id::new("portal");
    assert_eq!(client::suspend(&id, idp).await.unwrap(), Verdict::Done(()));
    put(&client_file("portal"), idp).await;
    let status = async || match client::show(&id, idp).await.unwrap() {
        Verdict::Done(shown) => shown["status"].clone(),
        Verdict::Refused(reason) => panic!("{reason}"),
    };
    assert_eq!(status().await, "suspended");
    assert_eq!(client::resume(&id, idp).await.unwrap(), Verdict::Done(()));
    assert_eq!(status().await, "live");
    assert_eq!(client::close(&id, idp).await.unwrap(), Verdict::Done(()));
    assert!(reason(client::resume(&id, idp).await.unwrap()).contains("closed"));
    assert!(reason(client::put(&client_file("portal"), idp).await.unwrap()).contains("closed"));
    assert!(reason(client::close(&Id::new("none"), idp).await.unwrap()).contains("no client"));
}

#[tokio::test]
async fn a_secret_beside_method_none_and_a_repeated_member_are_refused() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let mut file: Value = serde_json::from_str(&client_file("portal")).unwrap();
    file["token_endpoint_auth_method"] = "none".into();
    file["client_secret"] = "s".repeat(43).into();
    reason(client::put(&file.to_string(), idp).await.unwrap());
    let twice = client_file("portal").replacen('{', r#"{"client_id":"other","#, 1);
    assert!(reason(client::put(&twice, idp).await.unwrap()).contains("client_id"));
    assert!(client::list(idp).await.unwrap().is_empty());
}

#[tokio::test]
async fn rotated_keys_stand_beside_the_old_ones_until_retired() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let before = keys::list(idp).await.unwrap();
    let fresh = keys::rotate(&[SigningAlg::ES256], Pace::Announced, idp).await.unwrap();
    assert_eq!(fresh[0].stage, Stage::Announced);
    assert_eq!(keys::list(idp).await.unwrap().len(), before.len() + 1);
    let old = before.iter().find(|key| key.alg == SigningAlg::ES256).unwrap();
    reason(keys::retire(&old.kid, Pace::Now, idp).await.unwrap());
    bench.clock.advance(Span::hours(24));
    reason(keys::retire(&old.kid, Pace::Announced, idp).await.unwrap());
    bench.clock.advance(Span::hours(25));
    assert_eq!(keys::retire(&old.kid, Pace::Announced, idp).await.unwrap(), Verdict::Done(()));
    let at_once = keys::rotate(&[SigningAlg::ES256], Pace::Now, idp).await.unwrap();
    assert_eq!(at_once[0].use_from, idp.clock.now());
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

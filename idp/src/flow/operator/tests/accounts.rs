//! Accounts and e-IDs: brought in, looked at, locked.

use super::*;
use crate::domain::eid::Turned;
use crate::flow::sealed;

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
    bench.tick();
    assert_eq!(kinds(AN, idp).await, ["account_imported"]);
    bench.tick();
    let Verdict::Done(shown) = account::show(&person(AN), true, idp).await.unwrap() else { panic!() };
    assert_eq!((shown.person_number.as_str(), shown.phone.as_deref()), (AN, Some("+84912000001")));
    bench.tick();
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
    bench.tick();
    let a = eid_lock::lock(&an, order(LockGround::HolderAsks), idp).await.unwrap();
    assert_eq!(a, locked(Turned::Changed, vec!["a"]));
    assert_eq!(stands(&session, &grant, idp).await, (false, false));
    bench.tick();
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
async fn domain_6_2_an_account_without_an_eid_is_locked_too_and_an_unknown_number_is_not() {
    let bench = bench().await;
    let idp = &*bench.idp;
    import(&line(BINH, |line| line["account"]["level"] = 1.into()), idp).await;
    let (account, session, grant) = signed_in(BINH, &bench).await;
    let locked = eid_lock::lock(&person(BINH), order(LockGround::AgreementBroken), idp).await.unwrap();
    assert!(matches!(locked, Verdict::Done(locked) if locked.grounds == ["b"] && locked.account == account));
    let (of, dead) = (session, grant);
    let (ended, revoked) = idp
        .store
        .read(move |db| {
            Ok((store::session::find(db, &of)?.unwrap().ended_at, store::grant::find(db, &dead)?.unwrap().revoked_at))
        })
        .await
        .unwrap();
    assert!(ended.is_some() && revoked.is_some());
    // Importing the record again opens nothing.
    import(&line(BINH, |line| line["account"]["level"] = 1.into()), idp).await;
    let unlocked = eid_lock::unlock(&person(BINH), order(LockGround::AgreementBroken), idp).await.unwrap();
    assert!(matches!(unlocked, Verdict::Done(unlocked) if unlocked.grounds.is_empty()));
    let nobody = eid_lock::lock(&person(AN), order(LockGround::HolderAsks), idp).await.unwrap();
    assert_eq!(reason(nobody), "no account has this person number");
}

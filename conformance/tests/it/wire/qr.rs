//! `security.md` 2.14 and 2.17: signing in by the VNeID app - relay, two phones, expiry, guessing, locks - and the levels
//! an unlock gives.

use serde_json::{Value, json};

use crate::support::app::{Code, Phone, approval, refusal};
use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::holder::Holder;
use crate::support::jwt::claims;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const XT: &str = "urn:vn:eid:xac-thuc:";
const MUC_2_XT: &str = "urn:vn:eid:muc:2:xac-thuc:";

/// From the sign-in page to the page with the code, by its link.
async fn to_qr(visitor: &Visitor, at: &Answer) -> Answer {
    let page = at.page();
    assert_eq!(page.name(), "sign-in", "{}", page.text);
    let link = page.by_id("use-qr").expect("#use-qr").attribute("href").unwrap().to_owned();
    visitor.open(&link).await
}

async fn begun(idp: &Sandbox, client: &RelyingParty) -> (Visitor, Ask, Answer) {
    let (visitor, ask) = (idp.visitor(), Ask::of(client));
    let at = visitor.open(&ask.target()).await;
    let at = to_qr(&visitor, &at).await;
    (visitor, ask, at)
}

/// What the page's own reload brings: it is how a browser without scripts goes on.
async fn reloaded(visitor: &Visitor, at: &Answer) -> Answer {
    visitor.open(at.url.as_str()).await
}

async fn both(idp: &Sandbox) -> (Holder, Phone) {
    let holder = idp.citizen();
    let phone = idp.phone(&holder).await;
    (holder, phone)
}

#[tokio::test]
async fn nd69_3_7_the_unlock_gives_the_level_in_acr_and_amr() {
    let idp = Sandbox::shared();
    let (_, phone) = both(idp).await;
    let client = idp.confidential();
    for (unlock, acr, amr, level) in [
        (vec!["passcode"], "urn:vn:eid:muc:2", json!(["mfa", "pin", "pop"]), 2),
        (vec!["face"], "urn:vn:eid:muc:2:xac-thuc:3", json!(["face", "mfa", "pop"]), 3),
        (vec!["passcode", "face"], "urn:vn:eid:muc:2:xac-thuc:4", json!(["face", "mfa", "pin", "pop"]), 4),
    ] {
        let (visitor, ask, at) = begun(idp, &client).await;
        assert!(at.body.contains("<noscript><meta http-equiv=\"refresh\""), "it works without scripts");
        phone.confirm(&Code::on(&at), &unlock).await;
        let end = reloaded(&visitor, &at).await;
        let code = end.returned().unwrap_or_else(|| panic!("{}", end.page().text)).code();
        let token = claims(redeemed(&client, ask, code).await.id_token());
        let mut seen: Vec<&str> = token["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        seen.sort_unstable();
        assert_eq!((&token["acr"], json!(seen)), (&json!(acr), amr));
        assert_eq!(token["vn_auth_level"], json!(level));
    }
}

#[tokio::test]
async fn contract_4_a_demand_of_level_three_or_four_leads_to_the_app() {
    let idp = Sandbox::shared();
    let (holder, phone) = both(idp).await;
    let client = idp.confidential();
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    for (wanted, unlock, too_weak) in [(3, vec!["face"], vec!["passcode"]), (4, vec!["passcode"], vec![])] {
        let acr = format!("{MUC_2_XT}{wanted}");
        let demand = json!({"id_token": {"acr": {"essential": true, "value": acr}}}).to_string();
        // After a password and a face, level 4 holds already: the second round begins anew.
        let visitor = if wanted == 4 { idp.visitor() } else { visitor_of(&visitor, idp) };
        let ask = Ask::of(&client).with("claims", &demand);
        let mut at = visitor.open(&ask.target()).await;
        if at.page().name() == "sign-in" {
            at = to_qr(&visitor, &at).await;
            phone.confirm(&Code::on(&at), &["passcode", "face"]).await;
        } else {
            assert!(at.page().has("needed"), "the page says what is needed: {}", at.page().text);
            let code = Code::on(&at);
            let scanned = phone.scan(&code).await;
            assert_eq!((&scanned.json()["level"], &scanned.json()["unlock"]), (&json!(wanted), &json!(unlock)));
            let weak = phone.approve(&code, &scanned, &code.number, &too_weak).await;
            assert_eq!(refusal(&weak), "unlock_too_weak");
            let approved = phone.approve(&code, &scanned, &code.number, &unlock).await;
            assert_eq!(approved.status, 200, "{}", approved.body);
        }
        let end = reloaded(&visitor, &at).await;
        let code = end.returned().unwrap_or_else(|| panic!("{}", end.page().text)).code();
        assert_eq!(claims(redeemed(&client, ask, code).await.id_token())["acr"], json!(acr));
    }
    // Without an app: the page that says what to do, then the refusal.
    let other = idp.citizen();
    let stranger = idp.visitor();
    let demand = json!({"id_token": {"acr": {"essential": true, "value": format!("{XT}3")}}}).to_string();
    let at = stranger.open(&Ask::of(&client).with("claims", &demand).target()).await;
    let at = idp.walk(&stranger, at, &other, Will::AllowAll).await;
    assert_eq!(at.page().name(), "level");
    assert!(at.page().text.contains("VNeID"), "{}", at.page().text);
}

fn visitor_of(visitor: &Visitor, idp: &Sandbox) -> Visitor {
    let again = idp.visitor();
    again.set_cookies(visitor.cookies());
    again
}

/// The relay: an attacker begins a sign-in and puts his code before the victim.
#[tokio::test]
async fn lg_31_a_relayed_code_brings_nobody_in() {
    let idp = Sandbox::shared();
    let (_, phone) = both(idp).await;
    let client = idp.confidential();
    let mut sessions = 0;
    for round in 0..10 {
        let (attacker, _, at) = begun(idp, &client).await;
        let code = Code::on(&at);
        let scanned = phone.scan(&code).await;
        let shown = scanned.json();
        // The victim is shown who asks and from where, and the browser.
        assert_eq!(shown["portal"]["en"], json!("Test portal"));
        assert!(shown["network"].is_string() && shown["browser"].is_string() && shown["level"].is_number());
        assert!(shown.get("number").is_none(), "the number is on the screen and nowhere else");
        // The victim sees no number: none, or a guessed one.
        let guessed = if round % 2 == 0 { String::new() } else { code.wrong_number().to_owned() };
        let answers = [
            phone.approve(&code, &scanned, &guessed, &["passcode"]).await,
            phone.say("approve", json!({"ticket": code.ticket(), "challenge": shown["challenge"]})).await,
            phone.say("decline", json!({"ticket": code.ticket()})).await,
        ];
        assert_eq!(refusal(&answers[0]), "wrong_number");
        assert_eq!(refusal(&answers[1]), "invalid_statement", "P13: no approval without a number");
        assert_eq!(answers[2].status, 200, "{}", answers[2].body);
        let after = reloaded(&attacker, &at).await;
        sessions += usize::from(after.returned().is_some());
        assert!(after.page().has("over") && !attacker.cookies().contains_key("__Host-idp_session"));
    }
    assert_eq!(sessions, 0, "P27");
    // And an approval enters the browser that began, not whoever knows its address.
    let (victim, ask, at) = begun(idp, &client).await;
    phone.confirm(&Code::on(&at), &["passcode"]).await;
    let thief = idp.visitor();
    thief.open(&Ask::of(&client).target()).await;
    let stolen = thief.open(at.url.as_str()).await;
    assert!(stolen.returned().is_none() && stolen.page().name() == "error", "{}", stolen.page().text);
    let end = reloaded(&victim, &at).await;
    redeemed(&client, ask, end.returned().unwrap().code()).await;
}

#[tokio::test]
async fn lg_32_of_two_phones_the_first_binds_and_all_are_told() {
    let idp = Sandbox::shared();
    let ((_, one), (other, two)) = (both(idp).await, both(idp).await);
    let client = idp.confidential();
    let (visitor, _, at) = begun(idp, &client).await;
    let code = Code::on(&at);
    let scanned = one.scan(&code).await;
    assert_eq!(refusal(&two.scan(&code).await), "scanned_by_another");
    assert_eq!(refusal(&two.approve(&code, &scanned, &code.number, &["face"]).await), "scanned_by_another");
    assert!(reloaded(&visitor, &at).await.page().has("contested"), "the screen is told");
    assert_eq!(refusal(&one.approve(&code, &scanned, &code.number, &["face"]).await), "contested");
    assert_eq!(idp.trail_count(&other, "app_refused"), 2);
    let mut aware = approval(&code, &scanned, &code.number, &["face"]);
    aware["contested"] = json!(true);
    assert_eq!(one.say("approve", aware.clone()).await.status, 200);
    assert_eq!(refusal(&one.say("approve", aware).await), "taken", "replayed");
    assert!(reloaded(&visitor, &at).await.returned().is_some());
    assert_eq!(refusal(&one.scan(&code).await), "unknown_ticket", "after use");
}

#[tokio::test]
async fn lg_35_tickets_are_not_guessed_and_news_are_not_asked_for_all_day() {
    let idp = Sandbox::shared();
    let (_, phone) = both(idp).await;
    let client = idp.confidential();
    let (visitor, _, at) = begun(idp, &client).await;
    let code = Code::on(&at);
    assert!(code.ticket().len() >= 43, "256 bits");
    let mut words = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..1000 {
        let answer = phone.say("scan", json!({"ticket": crate::support::fresh()})).await;
        *words.entry(refusal(&answer)).or_default() += 1;
    }
    assert_eq!(words.values().sum::<usize>(), 1000);
    assert!(words.keys().all(|word| ["unknown_ticket", "slow_down"].contains(&word.as_str())), "{words:?}");
    assert!(words.contains_key("slow_down"), "{words:?}");
    let news = at.page().by_id("news").unwrap().attribute("data-news").unwrap().to_owned();
    let first = visitor.get(&news).await;
    assert_eq!((first.status, first.json()), (200, json!({"stage": "waiting", "contested": false})));
    let stranger = idp.visitor();
    assert_eq!(stranger.get(&news).await.status, 404);
    let mut slowed = None;
    for _ in 0..150 {
        let answer = visitor.get(&news).await;
        if answer.status == 429 {
            slowed = answer.header("retry-after").map(str::to_owned);
            break;
        }
    }
    assert!(slowed.is_some(), "over the limit: 429 with Retry-After");
}

#[tokio::test]
async fn lg_37_only_the_newest_code_by_its_own_number() {
    let idp = Sandbox::shared();
    let (_, phone) = both(idp).await;
    let client = idp.confidential();
    let (visitor, _, at) = begun(idp, &client).await;
    let old = Code::on(&at);
    let scanned = phone.scan(&old).await;
    let at = visitor.submit(&at, &at.page().press("reload", &[], &[])).await;
    let new = Code::on(&at);
    assert_ne!(new.payload, old.payload);
    assert_eq!(refusal(&phone.approve(&old, &scanned, &old.number, &["passcode"]).await), "superseded");
    assert_eq!(refusal(&phone.scan(&old).await), "superseded");
    // Two sign-ins at once: the number of one does not approve the other.
    let (second, _, beside) = begun(idp, &client).await;
    let other = Code::on(&beside);
    let of_new = phone.scan(&new).await;
    let crossed = json!({"ticket": other.ticket(), "challenge": of_new.json()["challenge"], "number": other.number,
        "unlocked_by": ["face"]});
    assert_eq!(refusal(&phone.say("approve", crossed).await), "not_scanned");
    assert_eq!(phone.approve(&new, &of_new, &new.number, &["passcode"]).await.status, 200);
    assert!(reloaded(&visitor, &at).await.returned().is_some());
    assert!(reloaded(&second, &beside).await.returned().is_none());
}

#[tokio::test]
async fn lk_07_a_lock_reaches_the_app_and_what_it_approved() {
    let idp = Sandbox::shared();
    let (holder, phone) = both(idp).await;
    let client = idp.confidential();
    let (first, _, at_first) = begun(idp, &client).await;
    let (second, _, at_second) = begun(idp, &client).await;
    let code = Code::on(&at_first);
    let scanned = phone.scan(&code).await;
    phone.confirm(&Code::on(&at_second), &["face"]).await;
    idp.lock(&holder);
    assert_eq!(refusal(&phone.approve(&code, &scanned, &code.number, &["face"]).await), "account_barred");
    assert_eq!(refusal(&phone.scan(&code).await), "account_barred");
    for round in ["locked", "unlocked again"] {
        assert!(reloaded(&second, &at_second).await.returned().is_none(), "{round}");
        assert!(reloaded(&first, &at_first).await.returned().is_none(), "{round}");
        if round == "locked" {
            idp.unlock(&holder);
        }
    }
    assert_eq!(refusal(&phone.approve(&code, &scanned, &code.number, &["face"]).await), "cancelled");
    // Control: a new code, the same app.
    let (visitor, _, at) = begun(idp, &client).await;
    phone.confirm(&Code::on(&at), &["face"]).await;
    assert!(reloaded(&visitor, &at).await.returned().is_some());
}

#[tokio::test]
async fn what_only_looks_like_the_app_is_refused_and_changes_nothing() {
    let idp = Sandbox::shared();
    let ((holder, phone), (_, stranger)) = (both(idp).await, both(idp).await);
    let client = idp.confidential();
    let (visitor, _, at) = begun(idp, &client).await;
    let code = Code::on(&at);
    let said = |device: &conformance::device::Device| device.claims("scan", json!({"ticket": code.ticket()})).unwrap();
    let header = json!({"alg": "ES256", "typ": "vneid-app+jwt", "kid": phone.device.id});
    let own = phone.device.signed(&header, &said(&phone.device)).unwrap();
    let parts: Vec<&str> = own.split('.').collect();
    let none = crate::support::base64url(json!({"alg": "none", "kid": phone.device.id}).to_string().as_bytes());
    let mut elsewhere = said(&phone.device);
    elsewhere["aud"] = json!("http://localhost:1");
    for forged in [
        String::new(),
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        stranger.device.signed(&header, &said(&stranger.device)).unwrap(),
        phone.device.signed(&header, &elsewhere).unwrap(),
    ] {
        let answer = phone.post("scan", &forged).await;
        assert_eq!((answer.status, refusal(&answer)), (401, "invalid_statement".to_owned()));
    }
    let state = |at: &Answer| at.page().by_id("news").unwrap().attribute("data-stage").unwrap().to_owned();
    assert_eq!(state(&reloaded(&visitor, &at).await), "waiting");
    assert_eq!(phone.post("scan", &own).await.status, 200, "control");
    assert_eq!(refusal(&phone.post("scan", &own).await), "invalid_statement", "said before");
    // A phone that was removed is nobody's.
    let own_page = idp.visitor();
    let page = own_page.open("/app").await;
    let page = idp.sign_in(&own_page, &page, &holder).await;
    let page = own_page.submit(&page, &page.page().press("remove", &[], &[])).await;
    assert!(page.page().name() == "app" && !page.page().has("remove"), "{}", page.page().text);
    assert_eq!(refusal(&phone.scan(&code).await), "invalid_statement");
    assert!(idp.messages(&holder.phone).await[0].contains("da duoc go khoi"), "the holder is told");
    assert_eq!((idp.trail_count(&holder, "app_bound"), idp.trail_count(&holder, "app_removed")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_approvals_at_once_are_one() {
    let idp = Sandbox::shared();
    let (holder, phone) = both(idp).await;
    let (visitor, _, at) = begun(idp, &idp.confidential()).await;
    let code = Code::on(&at);
    let scanned = phone.scan(&code).await;
    let phone = std::sync::Arc::new(phone);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (phone, said) = (std::sync::Arc::clone(&phone), approval(&code, &scanned, &code.number, &["passcode"]));
        tasks.spawn(async move { phone.say("approve", said).await.status });
    }
    let won = tasks.join_all().await.into_iter().filter(|status| *status == 200).count();
    assert_eq!(won, 1);
    assert_eq!(idp.trail_count(&holder, "app_approved"), 1);
    assert!(reloaded(&visitor, &at).await.returned().is_some());
}

#[tokio::test]
async fn the_app_opens_the_holders_own_pages_and_a_new_phone_replaces_the_old() {
    let idp = Sandbox::shared();
    let (holder, old) = both(idp).await;
    let visitor = idp.visitor();
    let at = visitor.open("/identity").await;
    let at = to_qr(&visitor, &at).await;
    old.confirm(&Code::on(&at), &["passcode"]).await;
    let at = reloaded(&visitor, &at).await;
    assert_eq!(at.page().name(), "identity", "{}", at.page().text);
    // Fresh at level 2 by the app itself: no code by SMS, but it must be said that the old phone goes.
    let at = visitor.open("/app").await;
    let told = visitor.submit(&at, &at.page().press("bind", &[], &[])).await;
    assert!(told.page().has("problem") && !told.page().has("code"));
    let at = visitor.submit(&at, &at.page().press("bind", &[], &["replace"])).await;
    let code = crate::support::app::text_of(&at, "code");
    let (answer, _) = idp.bind(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(refusal(&idp.bind(&code).await.0), "invalid_code");
    let (_, _, at) = begun(idp, &idp.confidential()).await;
    assert_eq!(refusal(&old.scan(&Code::on(&at)).await), "invalid_statement");
    assert_eq!((idp.trail_count(&holder, "app_bound"), idp.trail_count(&holder, "app_removed")), (2, 1));
}

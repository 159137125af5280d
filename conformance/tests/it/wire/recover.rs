//! Recovery of a forgotten password: proof per step, the same answer for every number, level 1 afterwards (P15, LG-01,
//! LG-10, LG-13, LG-19, LG-20).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::{Will, sign_in_form};
use crate::support::holder::{Holder, first_six_digits, record};
use crate::support::page::Submission;
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const NEW: &str = "bốn con trâu gặm cỏ";
/// As `support::holder` gives every card.
pub(super) const CARD: &str = "30/04/2040";

pub(super) fn step(at: &Answer) -> String {
    let page = at.page();
    assert_eq!(page.name(), "recover", "{}", page.text);
    page.all("body").find_map(|body| body.attribute("data-step")).unwrap_or_default().to_owned()
}

pub(super) fn press(at: &Answer, fields: &[(&str, &str)]) -> Submission {
    at.page().press("submit", fields, &[])
}

async fn begin(visitor: &Visitor, number: &str) -> Answer {
    let at = visitor.open("/recover?again=1").await;
    assert_eq!(step(&at), "number");
    visitor.submit(&at, &press(&at, &[("person_number", number)])).await
}

/// Messages leave beside the answer: the code of the newest that has one, once there are this many.
async fn code(idp: &Sandbox, holder: &Holder, messages: usize) -> String {
    let start = Instant::now();
    loop {
        let told = idp.messages(&holder.phone).await;
        if told.len() >= messages {
            let with_code = told.iter().find(|text| text.contains('#')).expect("a code");
            return first_six_digits(with_code);
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{} messages", told.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) async fn told(idp: &Sandbox, holder: &Holder, what: &str) -> String {
    let start = Instant::now();
    loop {
        if let Some(text) = idp.messages(&holder.phone).await.into_iter().find(|text| text.contains(what)) {
            return text;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nothing told of {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) async fn past_the_code(idp: &Sandbox, visitor: &Visitor, holder: &Holder) -> Answer {
    let before = idp.messages(&holder.phone).await.len();
    let at = begin(visitor, &holder.number).await;
    assert_eq!(step(&at), "code");
    let code = code(idp, holder, before + 1).await;
    visitor.submit(&at, &press(&at, &[("otp", &code)])).await
}

/// A device the holder signed in from.
async fn known(idp: &Sandbox, holder: &Holder) -> Visitor {
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&idp.confidential()), holder).await;
    super::logout::sign_out(&visitor).await;
    visitor
}

async fn recovered(idp: &Sandbox, holder: &Holder) -> Visitor {
    let visitor = known(idp, holder).await;
    let at = past_the_code(idp, &visitor, holder).await;
    assert_eq!(step(&at), "new-password");
    let at = visitor.submit(&at, &press(&at, &[("password", NEW), ("password_again", NEW)])).await;
    assert_eq!(step(&at), "done", "{}", at.page().text);
    visitor
}

async fn signs_in(idp: &Sandbox, holder: &Holder, password: &str) -> bool {
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&idp.confidential()).target()).await;
    let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, password)).await;
    at.returned().is_some() || at.page().name() == "consent"
}

#[tokio::test]
async fn journey_6_on_a_known_device_ends_everything_and_comes_back_at_level_1() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let client = idp.client(json!({"grant_types": ["authorization_code", "refresh_token"]}));
    let tokens = idp.offline_tokens(&client, &holder).await;
    let other = idp.visitor();
    idp.authorize(&other, &Ask::of(&client), &holder).await;
    recovered(idp, &holder).await;
    // The old password, the old sessions and what lived offline are gone.
    assert!(!signs_in(idp, &holder, &holder.password).await, "the old password");
    assert_eq!(client.refresh(tokens.refresh()).await.status, 400, "offline grants end (contract 4)");
    assert_eq!(other.open("/identity").await.page().name(), "sign-in", "other sessions end");
    told(idp, &holder, "vua duoc dat lai").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // lg_20: the account signs in, at level 1.
    let holder = Holder { password: NEW.to_owned(), ..holder };
    let back = idp.visitor();
    let tokens = idp.tokens(&back, &client, Ask::of(&client), &holder).await;
    let claims = crate::support::jwt::claims(tokens.id_token());
    assert_eq!(claims["acr"], json!("urn:vn:eid:muc:1"));
    let two = idp.client(json!({"vn_min_account_level": 2}));
    let at = back.open(&Ask::of(&two).target()).await;
    assert_eq!(idp.walk(&back, at, &holder, Will::AllowAll).await.page().name(), "level");
    let strong = idp.client(json!({"vn_min_auth_level": 2}));
    let at = back.open(&Ask::of(&strong).target()).await;
    let at = idp.walk(&back, at, &holder, Will::AllowAll).await;
    assert_eq!(at.page().name(), "level", "the phone is no second factor beside the password it let in");
    let own = back.open("/identity").await;
    assert!(own.page().has("recovered") && own.page().has("phone-counts-from"));
    assert_eq!(idp.trail_count(&holder, "password_changed"), 1);
    // Proofed in person as at enrolment, level 2 is back.
    idp.admin_ok(&["account", "reproof", &holder.number, "--authority", "Công an phường Thử Nghiệm, biên bản 7"]);
    idp.tokens(&idp.visitor(), &two, Ask::of(&two), &holder).await;
    assert_eq!(idp.trail_count(&holder, "holder_reproofed"), 1);
}

#[tokio::test]
async fn journey_6_on_a_strange_device_waits_for_the_cooling_off() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let at = past_the_code(idp, &visitor, &holder).await;
    assert_eq!(step(&at), "second", "a phone alone is not enough");
    for wrong in ["", "x", "31/04/2040", "29/04/2040"] {
        let again = visitor.submit(&at, &press(&at, &[("card_expires", wrong)])).await;
        assert_eq!(step(&again), "second");
    }
    let at = visitor.submit(&at, &press(&at, &[("card_expires", CARD)])).await;
    assert_eq!(step(&at), "waiting", "{}", at.page().text);
    // The page that sets a password cannot be had by posting to it before its time.
    let mut forged = at.page().press("give-up", &[], &[]);
    forged.set("step", "password");
    forged.set("password", NEW);
    forged.set("password_again", NEW);
    assert_eq!(step(&visitor.submit(&at, &forged).await), "waiting");
    assert!(!signs_in(idp, &holder, NEW).await);
    tokio::time::sleep(Duration::from_secs(21)).await;
    let at = visitor.open("/recover").await;
    assert_eq!(step(&at), "new-password");
    let at = visitor.submit(&at, &press(&at, &[("password", NEW), ("password_again", NEW)])).await;
    assert_eq!(step(&at), "done");
    assert!(signs_in(idp, &holder, NEW).await);
}

/// CVE-2026-18963, as wide as a browser can try it: every step posted at every stage.
#[tokio::test]
async fn p15_no_step_is_reached_by_posting_it() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let at = begin(&visitor, &holder.number).await;
    for name in ["password", "card", "unheard-of", ""] {
        let mut forged = press(&at, &[]);
        forged.set("step", name);
        for (field, value) in
            [("password", NEW), ("password_again", NEW), ("card_expires", CARD), ("phone_proved_at", "1")]
        {
            forged.set(field, value);
        }
        assert_eq!(step(&visitor.submit(&at, &forged).await), "code", "{name:?}");
    }
    assert!(!signs_in(idp, &holder, NEW).await);
    assert_eq!(idp.trail_count(&holder, "password_changed"), 0);
}

#[tokio::test]
async fn lg_01_every_number_is_answered_alike() {
    let idp = Sandbox::shared();
    let locked = idp.citizen();
    idp.lock(&locked);
    let granted = idp.holder(1, json!({"account": {"level": 1, "state": "granted", "password": "x y z 1234"}}));
    let phoneless = idp.holder(1, json!({"account": {"level": 1, "state": "activated", "phone": null}}));
    let mut seen = Vec::new();
    for number in ["099099999999", &idp.citizen().number, &locked.number, &granted.number, &phoneless.number] {
        let visitor = idp.visitor();
        let at = begin(&visitor, number).await;
        let wrong = visitor.submit(&at, &press(&at, &[("otp", "000000")])).await;
        let again = visitor.submit(&at, &at.page().press("resend", &[], &[])).await;
        seen.push([at, wrong, again].map(|answer| {
            let mut names: Vec<String> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
            names.sort();
            (answer.status, step(&answer), answer.page().text, names)
        }));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    // Whoever cannot recover hears of it where it is theirs to hear.
    told(idp, &locked, "khong dat lai mat khau qua mang").await;
    assert_eq!(idp.trail_count(&locked, "recovery_refused"), 1);
    let dead = idp.citizen();
    idp.admin_ok(&["eid", "lock", &dead.number, "--ground", "d", "--authority", "UBND phường Thử Nghiệm"]);
    begin(&idp.visitor(), &dead.number).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(idp.messages(&dead.phone).await.is_empty(), "nobody writes to the dead");
}

#[tokio::test]
async fn n_32_known_and_unknown_numbers_take_the_same_time() {
    let idp = Sandbox::shared();
    let (records, holders): (Vec<_>, Vec<_>) = (0..40).map(|_| record(2, json!({}))).unzip();
    idp.import(&records);
    let mut times = [Vec::new(), Vec::new()];
    for (round, holder) in holders.into_iter().enumerate() {
        for (which, number) in [(0, holder.number), (1, format!("09908{:07}", 5_000_000 + round))] {
            let visitor = idp.visitor();
            let at = visitor.open("/recover?again=1").await;
            let form = press(&at, &[("person_number", &number)]);
            let start = Instant::now();
            assert_eq!(visitor.submit_once(&at, &form, &[]).await.status, 303);
            times[which].push(start.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    let apart = known.max(unknown) - known.min(unknown);
    println!("known {known:?}, unknown {unknown:?}");
    assert!(apart < Duration::from_millis(5), "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn lg_10_the_eleventh_code_is_never_evaluated_and_a_new_one_resets_nothing() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let mut at = begin(&visitor, &holder.number).await;
    let right = code(idp, &holder, 1).await;
    for n in 0..10 {
        let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        at = visitor.submit(&at, &press(&at, &[("otp", &wrong)])).await;
        assert_eq!(step(&at), "code");
    }
    assert_eq!(step(&visitor.submit(&at, &press(&at, &[("otp", &right)])).await), "code", "the code is dead");
    // LG-11: the count is the person's, not the code's and not the browser's.
    let another = idp.visitor();
    let at = begin(&another, &holder.number).await;
    let fresh = code(idp, &holder, 2).await;
    assert_eq!(step(&another.submit(&at, &press(&at, &[("otp", &fresh)])).await), "code");
}

#[tokio::test]
async fn lg_13_codes_of_other_purposes_browsers_and_people_are_none_here() {
    let idp = Sandbox::shared();
    let (holder, other) = (idp.citizen(), idp.citizen());
    // A code of a sign-in; before, since a right password ends every recovery under way.
    let client = idp.client(json!({"vn_min_auth_level": 2}));
    let signing = idp.visitor();
    let there = signing.open(&Ask::of(&client).target()).await;
    idp.sign_in(&signing, &there, &holder).await;
    let of_sign_in = idp.otp(&holder.phone).await;
    let visitor = idp.visitor();
    let at = begin(&visitor, &holder.number).await;
    let own = code(idp, &holder, 2).await;
    // Of somebody else's recovery, and of one's own in another browser.
    begin(&idp.visitor(), &other.number).await;
    let of_other = code(idp, &other, 1).await;
    let elsewhere = idp.visitor();
    let there = begin(&elsewhere, &holder.number).await;
    let of_elsewhere = code(idp, &holder, 3).await;
    for foreign in [of_sign_in, of_other, of_elsewhere.clone()] {
        if foreign != own {
            assert_eq!(step(&visitor.submit(&at, &press(&at, &[("otp", &foreign)])).await), "code");
        }
    }
    assert_eq!(step(&elsewhere.submit(&there, &press(&there, &[("otp", &of_elsewhere)])).await), "second");
}

#[tokio::test]
async fn lg_19_another_browser_has_no_part_in_it() {
    let idp = Sandbox::shared();
    let (holder, visitor, thief) = (idp.citizen(), idp.visitor(), idp.visitor());
    let at = past_the_code(idp, &visitor, &holder).await;
    assert_eq!(step(&at), "second");
    let theirs = thief.open("/recover").await;
    assert_eq!(step(&theirs), "number");
    let mut forged = press(&theirs, &[("person_number", &holder.number)]);
    forged.set("step", "card");
    forged.set("card_expires", CARD);
    assert_eq!(step(&thief.submit(&theirs, &forged).await), "number");
}

#[tokio::test]
async fn lg_19_it_is_dead_after_use_a_sign_in_a_lock_and_an_unlock() {
    let idp = Sandbox::shared();
    // Used: the page and its form do nothing a second time.
    let holder = idp.citizen();
    let visitor = recovered(idp, &holder).await;
    assert_eq!(step(&visitor.open("/recover").await), "done");
    // Locked and unlocked again.
    let holder = idp.citizen();
    let visitor = known(idp, &holder).await;
    let at = past_the_code(idp, &visitor, &holder).await;
    assert_eq!(step(&at), "new-password");
    let form = press(&at, &[("password", NEW), ("password_again", NEW)]);
    idp.lock(&holder);
    assert_eq!(step(&visitor.submit(&at, &form).await), "over");
    idp.unlock(&holder);
    assert_eq!(step(&visitor.submit(&at, &form).await), "over");
    assert!(!signs_in(idp, &holder, NEW).await);
    // Whoever knows the password ends everybody's recovery by using it.
    let holder = idp.citizen();
    let visitor = known(idp, &holder).await;
    let at = past_the_code(idp, &visitor, &holder).await;
    assert_eq!(step(&at), "new-password");
    assert!(signs_in(idp, &holder, &holder.password).await);
    let form = press(&at, &[("password", NEW), ("password_again", NEW)]);
    assert_eq!(step(&visitor.submit(&at, &form).await), "over");
    assert!(signs_in(idp, &holder, &holder.password).await);
}

#[tokio::test]
async fn lg_08_a_weak_password_is_refused_in_plain_words() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let visitor = known(idp, &holder).await;
    let mut at = past_the_code(idp, &visitor, &holder).await;
    for (first, second, word) in [
        ("ngắn", "ngắn", "ngắn quá"),
        ("matkhau123", "matkhau123", "nhiều người dùng"),
        ("VNeID#2026", "VNeID#2026", "tên dịch vụ"),
        (holder.number.as_str(), holder.number.as_str(), "số định danh của bạn"),
        ("30-04-1990 nhé", "30-04-1990 nhé", "ngày sinh"),
        (NEW, "khác hẳn cái kia", "chưa giống nhau"),
    ] {
        at = visitor.submit(&at, &press(&at, &[("password", first), ("password_again", second)])).await;
        assert_eq!(step(&at), "new-password");
        assert!(at.page().text.contains(word), "{first}: {}", at.page().text);
        assert!(!at.body.contains(&format!("value=\"{first}\"")), "a password is never sent back");
    }
    let at = visitor.submit(&at, &press(&at, &[("password", NEW), ("password_again", NEW)])).await;
    assert_eq!(step(&at), "done");
}

#[tokio::test]
async fn f_28_of_fifty_new_passwords_at_once_one_is_set() {
    // One of its own: fifty hashes at once would make others' sign-ins wait.
    let idp = &Sandbox::fresh();
    let holder = idp.citizen();
    let visitor = known(idp, &holder).await;
    let at = past_the_code(idp, &visitor, &holder).await;
    let visitor = Arc::new(visitor);
    let mut storm = JoinSet::new();
    for n in 0..50 {
        let password = format!("bốn con trâu thứ {n} gặm cỏ");
        let form = press(&at, &[("password", &password), ("password_again", &password)]);
        let (visitor, at) = (Arc::clone(&visitor), at.clone());
        storm.spawn(async move { visitor.submit_once(&at, &form, &[]).await.status });
    }
    let statuses = storm.join_all().await;
    assert!(statuses.iter().all(|status| matches!(status, 303 | 503)), "{statuses:?}");
    assert_eq!(idp.trail_count(&holder, "password_changed"), 1);
    assert_eq!(idp.trail_count(&holder, "recovery_ended"), 1);
    assert_eq!(step(&visitor.open("/recover").await), "done");
}

#[tokio::test]
async fn n_20_sends_are_bounded_and_strangers_cannot_use_up_the_owners() {
    let idp = Provider::plain(port::one(), "[limits]\notp_sends_per_10_seconds = 9\n");
    let (record, holder) = record(1, json!({}));
    idp.import(&record);
    let client = idp.public(json!({}));
    let owner = idp.visitor();
    let at = owner.open(&Ask::of(&client).target()).await;
    let at = owner.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    assert_ne!(at.page().name(), "sign-in");
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(step(&begin(&idp.visitor(), &holder.number).await));
    }
    assert_eq!(steps, ["code", "code", "code", "number"]);
    assert_eq!(step(&begin(&owner, &holder.number).await), "code", "the owner's device has sends of its own");
    assert_eq!(step(&begin(&idp.visitor(), "099099999998").await), "code", "another number is another count");
}

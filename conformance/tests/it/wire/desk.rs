//! The officer's desk (`domain.md` 1.2, 1.5; journey 11): who may enter it, that a form is one act however often it is
//! sent, that level 2 keeps the subject, that two pairs of eyes are two.

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::holder::{EM, Holder, PHONG};
use crate::support::jwt;
use crate::support::page::Submission;
use crate::support::relying_party::{Proof, RelyingParty};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode};

const AT_ONCE: usize = 50;

/// A sandbox of these tests' own, with both officers signed in once: their phones get one code each.
pub(super) struct Desk {
    pub(super) idp: Sandbox,
    pub(super) one: Visitor,
    pub(super) two: Visitor,
}

pub(super) async fn desk() -> &'static Desk {
    static DESK: OnceCell<Desk> = OnceCell::const_new();
    DESK.get_or_init(async || {
        let idp = Sandbox::fresh();
        let one = signed_in(&idp, &Holder::seeded(EM)).await;
        let two = signed_in(&idp, &Holder::seeded(PHONG)).await;
        Desk { idp, one, two }
    })
    .await
}

/// At the console, as a browser arrives there.
pub(super) async fn signed_in(idp: &Sandbox, holder: &Holder) -> Visitor {
    // The console ends idle connections; a pooled one may be gone when it is used again.
    let console = Visitor::new(&idp.neighbour(1)).with_header("connection", "close");
    let provider = idp.visitor();
    let begun = console.get("/sign-in").await;
    let asked = provider.open(begun.location().expect("off to the provider").as_str()).await;
    let answered = idp.walk(&provider, asked, holder, Will::AllowAll).await;
    let back = console.get(answered.location().expect("back to the console").as_str()).await;
    assert_eq!(back.status, 303, "{}", back.body);
    console
}

/// Finds a person as an officer does; the dossier that opens.
pub(super) async fn found(officer: &Visitor, holder: &Holder) -> Answer {
    let home = officer.get("/desk").await;
    let form = home.page().press("find", &[("person_number", &holder.number)], &[]);
    officer.submit(&home, &form).await
}

fn lock_form(at: &Answer) -> Submission {
    at.page().press("lock", &[("lock-paper", "15/2026")], &["lock-seen"])
}

/// Sends one form fifty times at one moment; every answer.
pub(super) async fn storm(officer: &Visitor, at: &Answer, form: &Submission) -> Vec<Answer> {
    let (to, cookies) = (at.url.join(&form.action).unwrap(), officer.cookies());
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let visitor = Visitor::new(&to.origin().ascii_serialization());
        visitor.set_cookies(cookies.clone());
        let (to, fields) = (to.clone(), form.fields.clone());
        tasks.spawn(async move { visitor.post(to.as_str(), &fields, &[]).await });
    }
    tasks.join_all().await
}

/// All of a storm lead to one place: the act was done once and told fifty times.
pub(super) fn one_place(answers: &[Answer]) -> String {
    let places: Vec<_> = answers.iter().map(|answer| (answer.status, answer.location())).collect();
    assert!(places.iter().all(|place| *place == places[0] && place.0 == 303), "{places:?}");
    places[0].1.as_ref().unwrap().to_string()
}

fn tk01() -> Vec<(&'static str, &'static str)> {
    vec![
        ("card_suffix", "0002"),
        ("card_expires", "31/12/2039"),
        ("face", "FM-2026-0001"),
        ("fingerprint", "VT-2026-0001"),
        ("form", "77/2026"),
    ]
}

/// Takes an application in for somebody at level 1; the page it ends on.
async fn applied(officer: &Visitor, holder: &Holder) -> Answer {
    let person = found(officer, holder).await;
    let at = officer.get(person.page().by_id("register-two").unwrap().attribute("href").unwrap()).await;
    let mut filled = tk01();
    filled.push(("phone", holder.phone.as_str()));
    officer.submit(&at, &at.page().press("submit", &filled, &["phone_own", "seen"])).await
}

pub(super) async fn call(officer: &Visitor, path: &str, key: &str, body: &Value) -> Answer {
    let origin = officer.absolute("/").origin().ascii_serialization();
    let headers = [("content-type", "application/json"), ("origin", origin.as_str()), ("idempotency-key", key)];
    officer.send("POST", path, &headers, Some(body.to_string().into_bytes())).await
}

pub(super) async fn account_of(officer: &Visitor, holder: &Holder) -> String {
    let found = call(officer, "/api/people/find", "looking-up", &json!({"person_number": holder.number})).await;
    found.json()["account"].as_str().unwrap().to_owned()
}

pub(super) fn code(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.body);
    (answer.status, answer.json()["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn only_an_officer_comes_to_the_desk() {
    let desk = desk().await;
    let stranger = Visitor::new(&desk.idp.neighbour(1));
    for path in ["/desk", "/desk/people/x", "/desk/requests/x", "/desk/applications/x"] {
        assert_eq!(stranger.get(path).await.page().name(), "console-entry", "{path}");
    }
    let citizen = signed_in(&desk.idp, &desk.idp.citizen()).await;
    let refused = citizen.get("/desk").await;
    assert_eq!((refused.status, refused.page().name()), (403, "console-without-role"));
    assert_eq!(code(&citizen.get("/api/authority-requests").await), (403, "without_role".to_owned()));
    let open = desk.one.get("/desk").await;
    assert_eq!((open.status, open.page().name()), (200, "desk"), "control");
    let unknown = stranger.get("/api/authority-requests").await;
    assert_eq!(code(&unknown), (401, "no_token".to_owned()));
    assert!(unknown.header("www-authenticate").is_some());
}

#[tokio::test]
async fn d12_a_relying_partys_token_orders_nothing_and_an_officers_does() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.citizen());
    let client = idp.confidential();
    let portal = idp.offline_tokens(&client, &holder).await;
    let secret = std::fs::read_to_string(idp.data().join("secrets/console")).unwrap();
    let console = RelyingParty {
        id: "console".to_owned(),
        redirect: format!("{}/callback", idp.neighbour(1)),
        proof: Proof::Basic(secret.trim().to_owned()),
        metadata: json!({"scope": "openid"}),
        issuer: idp.issuer.clone(),
    };
    let (ask, visitor) = (Ask::of(&console).scope("openid"), idp.visitor());
    let citizen = idp.tokens(&visitor, &console, ask, &holder).await;
    let api = Visitor::new(&idp.neighbour(1));
    for (token, expected) in [(portal.access(), (401, "invalid_token")), (citizen.access(), (403, "without_role"))] {
        let bearer = format!("Bearer {token}");
        let answer = api.send("GET", "/api/authority-requests", &[("authorization", &bearer)], None).await;
        assert_eq!(code(&answer), (expected.0, expected.1.to_owned()));
    }
    assert_eq!(idp.trail_count(&holder, "eid_locked"), 0);
    let officer = idp.tokens(&idp.visitor(), &console, Ask::of(&console).scope("openid"), &Holder::seeded(EM)).await;
    let bearer = format!("Bearer {}", officer.access());
    let answer = api.send("GET", "/api/authority-requests", &[("authorization", &bearer)], None).await;
    assert_eq!(answer.status, 200, "control: {}", answer.body);
}

#[tokio::test]
async fn a_form_of_another_page_or_sign_in_does_nothing() {
    let desk = desk().await;
    let holder = desk.idp.citizen();
    let at = found(&desk.one, &holder).await;
    assert_eq!(at.page().name(), "desk-person");
    assert!(!at.url.as_str().contains(&holder.number) && !at.body.contains(&holder.number), "no number in sight");
    let good = lock_form(&at);
    let with = |name: &str, value: &str| {
        let mut form = good.clone();
        form.fields.iter_mut().filter(|(known, _)| known == name).for_each(|field| field.1 = value.to_owned());
        form
    };
    let theirs = found(&desk.two, &holder).await;
    let foreign = lock_form(&theirs).fields.iter().find(|(name, _)| name == "form_token").unwrap().1.clone();
    for form in [with("form_token", ""), with("form_token", &foreign)] {
        assert_eq!(desk.one.submit_once(&at, &form, &[]).await.status, 400, "CSRF");
    }
    // A number in a note, no word that the holder was seen, no key.
    for form in [with("paper", &holder.number), with("seen", "no"), with("key", "")] {
        let refused = desk.one.submit_once(&at, &form, &[]).await;
        assert_eq!((refused.status, refused.page().name()), (400, "desk-refused"));
    }
    assert_eq!(desk.idp.trail_count(&holder, "eid_locked"), 0);
    assert_eq!(desk.one.submit(&at, &good).await.page().name(), "desk-person", "control");
    assert_eq!(desk.idp.trail_count(&holder, "eid_locked"), 1);
}

#[tokio::test]
async fn d5_a_lock_at_the_desk_sent_fifty_times_is_one_and_ends_everything() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.citizen());
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &holder).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    let at = found(&desk.one, &holder).await;
    one_place(&storm(&desk.one, &at, &lock_form(&at)).await);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    assert_eq!(idp.trail_count(&holder, "eid_locked"), 1);
    let mut told = Vec::new();
    for _ in 0..50 {
        told = idp.messages(&holder.phone).await;
        if told.iter().any(|text| text.contains("da bi khoa")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(told.iter().filter(|text| text.contains("da bi khoa")).count(), 1, "D3: told once");
    let again = found(&desk.one, &holder).await;
    let form = again.page().press("unlock", &[("unlock-paper", "16/2026")], &["unlock-seen"]);
    one_place(&storm(&desk.one, &again, &form).await);
    assert_eq!(idp.trail_count(&holder, "eid_unlocked"), 1);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401, "nothing revives");
    idp.offline_tokens(&client, &holder).await;
}

#[tokio::test]
async fn b9_level_two_keeps_the_subject_and_brings_the_eid_and_its_acr() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.beginner());
    let client = idp.confidential();
    let sub = async |acr: Option<&str>| {
        let mut ask = Ask::of(&client);
        if let Some(acr) = acr {
            let demand = json!({"id_token": {"acr": {"essential": true, "value": acr}}}).to_string();
            ask = ask.with("claims", &demand);
        }
        let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
        let claims = jwt::claims(redeemed(&client, ask, code).await.id_token());
        (claims["sub"].clone(), claims["acr"].clone())
    };
    let (before, acr) = sub(None).await;
    assert_eq!(acr, json!("urn:vn:eid:muc:1"));
    let at = applied(&desk.one, &holder).await;
    assert_eq!(at.page().name(), "desk-enrolment", "{}", at.body);
    assert!(!at.body.contains(&holder.number) && !at.url.as_str().contains(&holder.number));
    let place = one_place(&storm(&desk.one, &at, &at.page().press("grant", &[], &[])).await);
    let done = desk.one.get(&place).await;
    assert!(done.body.contains("data-state=\"activated\""), "{}", done.body);
    assert_eq!(sub(Some("urn:vn:eid:muc:2")).await, (before, json!("urn:vn:eid:muc:2")));
    for (kind, times) in [("level_two_submitted", 1), ("level_two_granted", 1)] {
        assert_eq!(idp.trail_count(&holder, kind), times, "{kind}");
    }
    let person = found(&desk.one, &holder).await;
    assert!(person.body.contains("data-eid=\"active\""), "the e-ID appears");
}

#[tokio::test]
async fn an_application_sent_fifty_times_is_one_and_a_wrong_one_says_which_field() {
    let desk = desk().await;
    let holder = desk.idp.beginner();
    let person = found(&desk.one, &holder).await;
    let at = desk.one.get(person.page().by_id("register-two").unwrap().attribute("href").unwrap()).await;
    let mut filled = tk01();
    filled.push(("phone", holder.phone.as_str()));
    let form = at.page().press("submit", &filled, &["phone_own", "seen"]);
    let mut wrong = form.clone();
    wrong
        .fields
        .iter_mut()
        .filter(|(name, _)| name == "face")
        .for_each(|field| field.1 = "data:image/png;base64,iV".into());
    let refused = desk.one.submit_once(&at, &wrong, &[]).await;
    assert!(refused.status == 422 && refused.body.contains("data-field=\"face\""), "never a picture");
    one_place(&storm(&desk.one, &at, &form).await);
    assert_eq!(desk.idp.trail_count(&holder, "level_two_submitted"), 1);
}

#[tokio::test]
async fn d8_authority_requests_by_the_interface_take_two_pairs_of_eyes() {
    let desk = desk().await;
    let holder = desk.idp.citizen();
    let key = |n: u64| format!("key-{}-{n}", holder.number.get(5..).unwrap());
    let account = account_of(&desk.one, &holder).await;
    let letter = json!({"wish": "lock", "authority": "Viện kiểm sát nhân dân", "paper": "12/2026/QĐ"});
    let path = format!("/api/people/{account}/authority-requests");
    let received = call(&desk.one, &path, &key(1), &letter).await;
    assert_eq!(received.status, 200, "{}", received.body);
    assert_eq!(call(&desk.one, &path, &key(1), &letter).await.json(), received.json(), "same key, same result");
    let other = json!({"wish": "unlock", "authority": "Tòa án", "paper": "13/2026/QĐ"});
    assert_eq!(code(&call(&desk.one, &path, &key(1), &other).await), (422, "key_reused".to_owned()));
    assert_eq!(desk.idp.trail_count(&holder, "authority_request_received"), 1);
    let at = format!("/api/authority-requests/{}", received.json()["request"].as_str().unwrap());
    let accept = json!({"decision": "accept"});
    let decide = format!("{at}/decision");
    assert_eq!(code(&call(&desk.two, &decide, &key(2), &accept).await), (409, "not_forwarded".to_owned()));
    assert_eq!(call(&desk.one, &format!("{at}/forward"), &key(3), &json!({})).await.status, 200);
    assert_eq!(code(&call(&desk.one, &decide, &key(4), &accept).await), (403, "same_eyes".to_owned()));
    let silent = json!({"decision": "refuse"});
    assert_eq!(code(&call(&desk.two, &decide, &key(5), &silent).await), (400, "malformed".to_owned()));
    assert_eq!(desk.idp.trail_count(&holder, "eid_locked"), 0);
    let shown = desk.two.get(&at).await.json();
    assert!(shown["stage"] == "forwarded" && shown["clock"]["overdue"] == false, "{shown}");
    let decided = call(&desk.two, &decide, &key(6), &accept).await;
    assert_eq!(decided.json()["eid"]["grounds"], json!(["đ"]), "{}", decided.body);
    assert_eq!(desk.idp.trail_count(&holder, "eid_locked"), 1);
}

#[tokio::test]
async fn the_interface_reads_only_what_it_describes() {
    let desk = desk().await;
    let body = json!({"person_number": "099090000001"}).to_string();
    let post = async |headers: &[(&str, &str)], body: String| {
        desk.one.send("POST", "/api/people/find", headers, Some(body.into_bytes())).await
    };
    let (origin, kind) = (desk.idp.neighbour(1), ("content-type", "application/json"));
    let ours = ("origin", origin.as_str());
    assert_eq!(post(&[kind, ours], body.clone()).await.status, 200, "control");
    assert_eq!(code(&post(&[kind], body.clone()).await), (403, "cross_site".to_owned()));
    assert_eq!(
        code(&post(&[kind, ("origin", "https://evil.example")], body.clone()).await),
        (403, "cross_site".to_owned())
    );
    assert_eq!(code(&post(&[("content-type", "text/plain"), ours], body).await), (415, "media_type".to_owned()));
    let (more, large) = (json!({"person_number": "1", "x": 1}).to_string(), " ".repeat(64 * 1024 + 1));
    assert_eq!(code(&post(&[kind, ours], more).await), (400, "not_json".to_owned()));
    assert_eq!(code(&post(&[kind, ours], large).await), (413, "too_large".to_owned()));
    assert_eq!(code(&desk.one.get("/api/nothing").await), (404, "not_found".to_owned()));
    let fields = encode(&[("x".to_owned(), "y".repeat(70_000))]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = desk.one.send("POST", "/desk/find", &form, Some(fields.into_bytes())).await;
    assert_eq!(answer.status, 413);
}

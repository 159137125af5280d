//! `/enrol`: registration of level 1 against the sample registers (`domain.md` 6.1, ND69 Art 11(1)).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, pairs};

/// Number, name, birth date, gender: what the sample population database holds, or does not.
pub const MAI: [&str; 4] = ["099198000009", "Ngô Thị Mai", "12/03/1998", "female"];
const HOA: [&str; 4] = ["099199000014", "nguyễn  thị hòa", "05/01/1999", "female"];
const NAM: [&str; 4] = ["099075000011", "Trịnh Văn Nam", "30/04/1975", "male"];
const NO_MATCH: [&str; 4] = ["099188000013", "Lý Thị Hoa", "16/06/1988", "female"];
const NOBODY: [&str; 4] = ["099198999999", "Ngô Thị Mai", "12/03/1998", "female"];
const AN: [&str; 4] = ["099090000001", "Nguyễn Văn An", "19/05/1990", "male"];
const CHILD: [&str; 4] = ["099314000012", "Đỗ Gia Hân", "02/09/2014", "female"];

pub async fn send(visitor: &Visitor, page: &Answer, path: &str, fields: &[(&str, &str)]) -> Answer {
    let parsed = page.page();
    let mut tokens = parsed.all("input").filter(|input| input.attribute("name") == Some("form_token"));
    let token = tokens.next().and_then(|input| input.attribute("value")).expect("a form").to_owned();
    let mut all = pairs(fields);
    all.push(("form_token".to_owned(), token));
    visitor.press(path, &all).await
}

/// Many forms of one page at the same moment.
pub async fn at_once(
    visitor: &Arc<Visitor>,
    page: &Answer,
    path: &'static str,
    forms: Vec<Vec<(String, String)>>,
) -> Vec<Answer> {
    let mut storm = JoinSet::new();
    for form in forms {
        let (visitor, page) = (Arc::clone(visitor), page.clone());
        storm.spawn(async move {
            let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            send(&visitor, &page, path, &fields).await
        });
    }
    storm.join_all().await
}

/// A phone of the test's own, as people write it.
fn fresh_phone() -> String {
    format!("0390{:06}", crate::support::next())
}

pub fn e164(phone: &str) -> String {
    format!("+84{}", &phone[1..])
}

async fn begin(visitor: &Visitor, [number, name, birthdate, gender]: [&str; 4], phone: &str) -> Answer {
    let page = visitor.open("/enrol").await;
    let fields = [
        ("step", "begin"),
        ("person_number", number),
        ("name", name),
        ("birthdate", birthdate),
        ("gender", gender),
        ("phone", phone),
        ("email", ""),
    ];
    send(visitor, &page, "/enrol", &fields).await
}

fn state(answer: &Answer) -> String {
    let page = answer.page();
    page.all("body").find_map(|body| body.attribute("data-state")).unwrap_or_default().to_owned()
}

async fn decided(visitor: &Visitor) -> Answer {
    for _ in 0..120 {
        let page = visitor.open("/enrol").await;
        if state(&page) != "waiting" {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("no decision");
}

/// Through the form and the code, to the page that waits or decides.
pub async fn submitted(sandbox: &Sandbox, visitor: &Visitor, person: [&str; 4], phone: &str) -> Answer {
    let page = begin(visitor, person, phone).await;
    assert!(page.page().has("otp"), "{}", page.body);
    let code = sandbox.otp(&e164(phone)).await;
    send(visitor, &page, "/enrol", &[("step", "code"), ("otp", &code)]).await
}

async fn heard(sandbox: &Sandbox, phone: &str, part: &str) {
    for _ in 0..60 {
        if sandbox.messages(&e164(phone)).await.iter().any(|text| text.contains(part)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("no message with {part}");
}

#[tokio::test]
async fn nd69_11_1_registers_activates_and_signs_in() {
    let sandbox = Sandbox::fresh();
    let (visitor, phone) = (sandbox.visitor(), "0912000009");
    let waiting = submitted(&sandbox, &visitor, MAI, phone).await;
    assert_eq!(waiting.page().name(), "enrol");
    let granted = decided(&visitor).await;
    assert_eq!(state(&granted), "granted", "{}", granted.body);
    heard(&sandbox, phone, "da duoc duyet").await;
    // The request is this browser's: another sees the form.
    assert!(sandbox.visitor().open("/enrol").await.page().has("person_number"));
    let shown: serde_json::Value =
        serde_json::from_str(&sandbox.admin_ok(&["account", "show", MAI[0], "--reveal", "--json"])).unwrap();
    assert_eq!((&shown["level"], &shown["state"]), (&json!(1), &json!("granted")));
    assert_eq!(shown["claims"]["name"]["source"], json!("population-register"));
    assert!(shown["claims"].get("vn_card_expiry").is_none(), "level 1 opens no card: {shown}");
    let answer = super::activate::activated(&sandbox, MAI[0], &e164(phone), "một câu dài dễ nhớ").await;
    assert!(answer.page().has("activated"), "{}", answer.body);
    let stranger = sandbox.visitor();
    let at = stranger.open("/identity").await;
    let form = crate::support::flow::sign_in_form(&at, MAI[0], "một câu dài dễ nhớ");
    let signed_in = stranger.submit(&at, &form).await;
    assert_eq!(signed_in.page().name(), "identity", "{}", signed_in.body);
    assert_eq!(state(&visitor.open("/enrol").await), "activated");
    // Level 1 opens no paper, and a refresh of level 2 refuses what is malformed.
    let refreshed = sandbox.admin_ok(&["account", "refresh", "099188000006", "--json"]);
    let refreshed: serde_json::Value = serde_json::from_str(&refreshed).unwrap();
    assert!(refreshed["stated"].as_array().unwrap().contains(&json!("vn_gplx")), "{refreshed}");
    assert_eq!(refreshed["unanswered"], json!([]));
}

#[tokio::test]
async fn lg_01_the_same_answer_for_a_number_somebody_has_and_one_nobody_has() {
    let sandbox = Sandbox::shared();
    let mut pages = Vec::new();
    for person in [AN, NOBODY, NO_MATCH] {
        let (visitor, phone) = (sandbox.visitor(), fresh_phone());
        let code_page = begin(&visitor, person, &phone).await;
        let code = sandbox.otp(&e164(&phone)).await;
        send(&visitor, &code_page, "/enrol", &[("step", "code"), ("otp", &code)]).await;
        // An's data are right, and the account is there: the page says what it says of a mismatch.
        let refused = decided(&visitor).await;
        assert_eq!(state(&refused), "refused");
        heard(sandbox, &phone, "chua duoc duyet").await;
        let reason = refused.page().text;
        pages.push((
            code_page.status,
            reason.split("39").next().unwrap_or_default().split("20").next().map(str::to_owned),
        ));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{pages:?}");
    heard(sandbox, "0912000001", "Ban da co tai khoan").await;
    // LG-40: nothing of An's account changed.
    assert_eq!(sandbox.admin_ok(&["account", "show", AN[0], "--json"]).matches("\"level\":2").count(), 1);
}

#[tokio::test]
async fn nd69_7_1_reasons_are_told_and_tones_fold() {
    let sandbox = Sandbox::shared();
    for (person, expected, word) in
        [(NAM, "refused", "Thẻ căn cước không còn"), (CHILD, "refused", "người giám hộ"), (HOA, "granted", "được cấp")]
    {
        let (visitor, phone) = (sandbox.visitor(), fresh_phone());
        submitted(sandbox, &visitor, person, &phone).await;
        let page = decided(&visitor).await;
        assert_eq!((state(&page).as_str(), page.body.contains(word)), (expected, true), "{}", page.body);
    }
}

#[tokio::test]
async fn the_card_fills_the_form_in_and_shapes_are_checked() {
    let visitor = Sandbox::shared().visitor();
    let page = visitor.open("/enrol").await;
    let qr = "099198000009||Ngô Thị Mai|12031998|Nữ|Hà Nội|01082022";
    let filled = send(&visitor, &page, "/enrol", &[("step", "begin"), ("prefill", "1"), ("qr", qr)]).await;
    assert_eq!(filled.page().by_id("name").unwrap().attribute("value"), Some("Ngô Thị Mai"));
    assert_eq!(filled.page().by_id("birthdate").unwrap().attribute("value"), Some("12/03/1998"));
    for bad in [[("step", "begin"), ("prefill", "1"), ("qr", "x|y")], [("step", "begin"), ("phone", "1"), ("name", "")]]
    {
        let again = send(&visitor, &page, "/enrol", &bad).await;
        assert!(again.page().has("problem") && again.page().has("person_number"));
    }
    // Without the form's token nothing is kept.
    let forged = visitor.post("/enrol", &pairs(&[("step", "begin")]), &[]).await;
    assert!(forged.page().has("problem") && forged.cookies_named("__Host-idp_enrolment").is_empty());
    let crossed = visitor.post("/enrol", &pairs(&[("step", "begin")]), &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(crossed.status, 403);
}

#[tokio::test]
async fn a_code_submitted_fifty_times_at_once_submits_once() {
    let sandbox = Sandbox::shared();
    let (visitor, phone) = (sandbox.visitor(), fresh_phone());
    let page = begin(&visitor, NOBODY, &phone).await;
    let code = sandbox.otp(&e164(&phone)).await;
    let forms = (0..50).map(|_| pairs(&[("step", "code"), ("otp", &code)])).collect();
    let visitor = Arc::new(visitor);
    for answer in at_once(&visitor, &page, "/enrol", forms).await {
        assert!(answer.status == 200 || answer.status == 503, "{}", answer.status);
    }
    assert_eq!(state(&decided(&visitor).await), "refused");
    heard(sandbox, &phone, "chua duoc duyet").await;
    let told = sandbox.messages(&e164(&phone)).await;
    assert_eq!(told.iter().filter(|text| text.contains("chua duoc duyet")).count(), 1, "{told:?}");
}

#[tokio::test]
async fn lg_11_a_wrong_code_is_counted_and_never_submits() {
    let sandbox = Sandbox::shared();
    let (visitor, phone) = (sandbox.visitor(), fresh_phone());
    let mut page = begin(&visitor, NOBODY, &phone).await;
    let right = sandbox.otp(&e164(&phone)).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..10 {
        page = send(&visitor, &page, "/enrol", &[("step", "code"), ("otp", wrong)]).await;
        assert!(page.page().has("problem"));
    }
    // The brake holds even against the right one.
    let page = send(&visitor, &page, "/enrol", &[("step", "code"), ("otp", &right)]).await;
    assert!(page.page().has("problem") && page.page().has("otp"), "{}", page.body);
}

//! Journey 5, second half, and journey 11: an officer raises somebody to level 2, locks and unlocks by TK03, and two pairs of
//! eyes carry a request of an authority through.

use crate::support::holder::{AN, BINH, DUNG, EM, Holder, PHONG};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

async fn officer(idp: &Sandbox, who: (&str, &str), view: View) -> Screen {
    let officer = Holder::seeded(who);
    let screen = Screen::open(view, "journey-11").await;
    screen.goto(&idp.neighbour(1)).await;
    screen.click("sign-in").await;
    screen.sign_in(&officer).await;
    screen.enter_otp(idp, &officer).await;
    screen.arrives_at("console").await;
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.arrives_at("desk").await;
    screen
}

async fn find(idp: &Sandbox, screen: &Screen, number: &str) {
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.arrives_at("desk").await;
    screen.fill("person_number", number).await;
    screen.click("find").await;
    screen.arrives_at("desk-person").await;
    assert!(!screen.text().await.contains(number), "masked");
}

/// A child of ten without an account comes with Nguyễn Văn An: asked for the guardian first, then registered with him.
async fn child(idp: &Sandbox, screen: &Screen) {
    let number = "099316000021";
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.arrives_at("desk").await;
    screen.fill("person_number", number).await;
    screen.click("find").await;
    screen.arrives_at("desk-nobody").await;
    for guardian in ["", AN.0] {
        for (field, text) in [
            ("person_number", number),
            ("name", "Nguyễn Minh Anh"),
            ("birthdate", &format!("{}-01-01", year() - 10)),
            ("guardian", guardian),
            ("phone", "0912 000 001"),
            ("card_suffix", "0021"),
            ("card_expires", "31/12/2039"),
            ("face", "FM-2026-0002"),
            ("fingerprint", "VT-2026-0002"),
            ("form", "78/2026"),
        ] {
            screen.fill(field, text).await;
        }
        screen.click_first("#gender option[value=female]").await;
        screen.click("phone_own").await;
        screen.click("seen").await;
        screen.click("submit").await;
        if guardian.is_empty() {
            screen.find("refusal").await;
            screen.arrives_at("desk-enrol").await;
        }
    }
    granted(screen).await;
}

/// Her brother of four has no card and gets level 1: asked for it at level 2 first, as whoever does not know the rule would.
async fn small(idp: &Sandbox, screen: &Screen) {
    let number = "099222000022";
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.fill("person_number", number).await;
    screen.click("find").await;
    screen.arrives_at("desk-nobody").await;
    for level in ["level-two", "level-one"] {
        for (field, text) in [
            ("person_number", number),
            ("name", "Nguyễn Minh Đức"),
            ("birthdate", &format!("{}-01-01", year() - 4)),
            ("guardian", AN.0),
            ("phone", "0912 000 001"),
            ("face", if level == "level-two" { "FM-2026-0003" } else { "" }),
            ("fingerprint", if level == "level-two" { "VT-2026-0003" } else { "" }),
            ("form", "79/2026"),
        ] {
            screen.fill(field, text).await;
        }
        screen.click(level).await;
        screen.click_first("#gender option[value=male]").await;
        for tick in ["phone_own", "seen", "no_card"] {
            screen.click(tick).await;
        }
        screen.click("submit").await;
        if level == "level-two" {
            screen.find("refusal").await;
            screen.arrives_at("desk-enrol").await;
        }
    }
    screen.arrives_at("desk-enrolment").await;
    // As another officer finds it: among those that wait.
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.arrives_at("desk").await;
    screen.click_first("#enrolments a").await;
    granted(screen).await;
    assert!(screen.has("register-two").await, "level 1 has no e-ID");
}

async fn granted(screen: &Screen) {
    screen.arrives_at("desk-enrolment").await;
    assert!(screen.find("guardian").await.text().await.unwrap().contains('•'), "masked");
    screen.click("grant").await;
    screen.gone("grant").await;
    screen.click("to-person").await;
    screen.arrives_at("desk-person").await;
}

fn year() -> i64 {
    1970 + crate::support::now() / 31_556_952
}

async fn walked(view: View) {
    let idp = Sandbox::fresh();
    let screen = officer(&idp, EM, view).await;
    // The page of a client, as an operator sees it.
    screen.goto(&format!("{}/clients/national-portal", idp.neighbour(1))).await;
    screen.arrives_at("console-client").await;

    // Journey 5: level 2 for Trần Thị Bình.
    find(&idp, &screen, BINH.0).await;
    screen.click("register-two").await;
    screen.arrives_at("desk-enrol").await;
    for (field, text) in [
        ("phone", "0912 000 002"),
        ("card_suffix", "0002"),
        ("card_expires", "31/12/2039"),
        ("face", "FM-2026-0001"),
        ("fingerprint", "VT-2026-0001"),
        ("form", "77/2026"),
    ] {
        screen.fill(field, text).await;
    }
    screen.click("phone_own").await;
    screen.click("seen").await;
    screen.click("submit").await;
    screen.arrives_at("desk-enrolment").await;
    screen.click("grant").await;
    screen.gone("grant").await;
    screen.arrives_at("desk-enrolment").await;
    screen.click("to-person").await;
    screen.arrives_at("desk-person").await;
    assert!(!screen.has("register-two").await, "the e-ID appears");

    child(&idp, &screen).await;
    small(&idp, &screen).await;

    // The hotline activates Phạm Thị Dung's account.
    find(&idp, &screen, DUNG.0).await;
    screen.click("hotline").await;
    screen.arrives_at("desk-activation").await;
    screen.fill("case", "TD-2026/0117").await;
    screen.click("check-phone").await;
    screen.click("check-card").await;
    screen.click("activate").await;
    screen.arrives_at("desk-person").await;
    assert!(!screen.has("hotline").await, "nothing waits any more");

    // Journey 11: TK03 both ways.
    find(&idp, &screen, AN.0).await;
    screen.fill("lock-paper", "15/2026").await;
    screen.click("lock-seen").await;
    screen.click("lock").await;
    screen.find("grounds").await;
    screen.arrives_at("desk-person").await;
    screen.fill("unlock-paper", "16/2026").await;
    screen.click("unlock-seen").await;
    screen.click("unlock").await;
    screen.gone("grounds").await;

    // A request of an authority: received and forwarded by one, decided by the other.
    screen.click("authority-heading").await;
    screen.click("wish-lock").await;
    screen.fill("authority", "Viện kiểm sát nhân dân thành phố").await;
    screen.fill("authority-paper", "12/2026/QĐ").await;
    screen.click("receive").await;
    screen.arrives_at("desk-request").await;
    screen.click("forward").await;
    screen.find("same-eyes").await;
    screen.arrives_at("desk-request").await;
    screen.goto(&format!("{}/desk", idp.neighbour(1))).await;
    screen.arrives_at("desk").await;
    let other = officer(&idp, PHONG, view).await;
    other.click_first("#requests a").await;
    other.arrives_at("desk-request").await;
    other.click("accept").await;
    other.gone("accept").await;
    other.arrives_at("desk-request").await;
    other.close().await;
    screen.goto(&format!("{}/desk/people/nobody", idp.neighbour(1))).await;
    screen.arrives_at("desk-refused").await;
    screen.close().await;

    // She signs in at level 2 where she could not before.
    let binh = Holder::seeded(BINH);
    let hers = Screen::open(view, "journey-5").await;
    hers.goto(&idp.neighbour(3)).await;
    hers.click("sign-in").await;
    hers.sign_in(&binh).await;
    hers.enter_otp(&idp, &binh).await;
    hers.arrives_at("consent").await;
    hers.close().await;
}

#[tokio::test]
async fn journeys_5_and_11_in_vietnamese() {
    walked(View { language: "vi", script: false, width: 320 }).await;
}

#[tokio::test]
async fn journeys_5_and_11_in_english() {
    walked(View { language: "en", script: true, width: 1280 }).await;
}

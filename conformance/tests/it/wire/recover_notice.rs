//! The holder hears of a recovery somebody began, and stops it (LG-17, LG-38).

use super::recover::{CARD, past_the_code, press, step, told};
use crate::support::ask::Ask;
use crate::support::sandbox::Sandbox;

#[tokio::test]
async fn lg_38_the_notice_lets_its_reader_stop_it_and_names_our_origin_only() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    // LG-17: a forged host changes nothing in what is sent.
    let thief = idp
        .visitor()
        .with_header("x-forwarded-host", "evil.example")
        .with_header("x-forwarded-proto", "https")
        .with_header("forwarded", "host=evil.example");
    let at = past_the_code(idp, &thief, &holder).await;
    assert_eq!(step(&thief.submit(&at, &press(&at, &[("card_expires", CARD)])).await), "waiting");
    let notice = told(idp, &holder, "ma dung").await;
    assert!(notice.contains(&format!("{}/recover?stop=1", idp.issuer)), "{notice}");
    assert!(idp.messages(&holder.phone).await.iter().all(|text| !text.contains("evil")));
    let stop_code = notice.split("ma dung ").nth(1).unwrap().trim_end_matches('.').to_owned();
    let owner = idp.visitor();
    let at = owner.open("/recover?stop=1").await;
    let typed = |number: &str, code: &str| press(&at, &[("person_number", number), ("stop_code", code)]);
    assert_eq!(step(&owner.submit(&at, &typed(&holder.number, "0000-0000")).await), "stop");
    assert_eq!(step(&owner.submit(&at, &typed("099099999999", &stop_code)).await), "stop");
    assert_eq!(step(&owner.submit(&at, &typed(&holder.number, &stop_code)).await), "halted");
    assert_eq!(step(&thief.open("/recover").await), "over");
    told(idp, &holder, "mat khau cu van dung duoc").await;
}

#[tokio::test]
async fn lg_38_whoever_is_signed_in_sees_it_and_stops_it() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let owner = idp.visitor();
    idp.authorize(&owner, &Ask::of(&idp.confidential()), &holder).await;
    assert!(!owner.open("/identity").await.page().has("recovery"));
    let thief = idp.visitor();
    assert_eq!(step(&past_the_code(idp, &thief, &holder).await), "second");
    let at = owner.open("/identity").await;
    let at = owner.submit(&at, &at.page().press("stop-recovery", &[], &[])).await;
    assert!(!at.page().has("recovery") && at.page().has("credential-note"));
    assert_eq!(step(&thief.open("/recover").await), "over");
}

//! Ending sessions from «Danh tính của tôi»: one elsewhere, or every one there is (`contract.md` 8, `security.md` LO-10).

use serde_json::json;

use super::back_channel::{SOON, good, listening, sound};
use crate::support::ask::Ask;
use crate::support::flow::sign_in_form;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const OFFLINE: &str = "openid profile offline_access";

/// Whether the browser is still signed in.
async fn stands(visitor: &Visitor, client: &RelyingParty) -> bool {
    let silent = visitor.get(&Ask::of(client).scope("openid").with("prompt", "none").target()).await;
    let returned = silent.returned().unwrap();
    assert!(returned.get("code").is_some() || returned.get("error") == Some("login_required"), "{returned:?}");
    returned.get("code").is_some()
}

/// The ids of the buttons that end another session.
fn ends(identity: &Answer) -> Vec<String> {
    let page = identity.page();
    let ids = page.all("button").filter_map(|button| button.attribute("id"));
    ids.filter(|id| id.starts_with("end-")).map(str::to_owned).collect()
}

async fn everywhere(visitor: &Visitor) -> Answer {
    let identity = visitor.open("/identity").await;
    assert_eq!(identity.page().name(), "identity");
    visitor.submit(&identity, &identity.page().press("sign-out-everywhere", &[], &[])).await
}

#[tokio::test]
async fn a_session_elsewhere_is_ended_from_here_and_its_portals_are_told() {
    let idp = Sandbox::shared();
    let (door, quiet, holder) = (good(), good(), idp.citizen());
    let (lost, kept) = (listening(idp, &door, json!({})), listening(idp, &quiet, json!({})));
    let (phone, desk) = (idp.visitor(), idp.visitor());
    let there = idp.tokens(&phone, &lost, Ask::of(&lost).scope("openid profile"), &holder).await;
    let here = idp.tokens(&desk, &kept, Ask::of(&kept).scope("openid profile"), &holder).await;

    let identity = desk.open("/identity").await;
    let buttons = ends(&identity);
    assert_eq!(buttons.len(), 1, "this browser's own session ends by signing out");
    let form = identity.page().press(&buttons[0], &[], &[]);
    let mut forged = form.clone();
    forged.remove("form_token");
    assert_eq!(desk.submit_once(&identity, &forged, &[]).await.status, 403);
    assert!(stands(&phone, &lost).await, "control");

    let after = desk.submit(&identity, &form).await;
    assert!(after.page().has("sign-out-everywhere") && ends(&after).is_empty(), "{}", after.body);
    assert!(!stands(&phone, &lost).await);
    assert_eq!(lost.userinfo(there.access()).await.status, 401);
    assert!(stands(&desk, &kept).await);
    assert_eq!(kept.userinfo(here.access()).await.status, 200);
    let claims = sound(idp, &lost, &door.hears(1, SOON).await[0].body).await;
    assert_eq!(claims["sid"], jwt::claims(there.id_token())["sid"]);
    assert!(quiet.heard().is_empty());
    assert_eq!(idp.trail_count(&holder, "sign_out"), 1);
    // Pressed once more, from a page shown before: nothing is left to end.
    assert_eq!(desk.submit(&identity, &form).await.page().name(), "identity");
    assert_eq!(idp.trail_count(&holder, "sign_out"), 1);
}

#[tokio::test]
async fn a_session_of_somebody_else_is_not_ended() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (mine, victim) = (idp.visitor(), idp.visitor());
    idp.tokens(&mine, &client, Ask::of(&client), &holder).await;
    idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
    idp.tokens(&victim, &client, Ask::of(&client), &idp.citizen()).await;
    let other = idp.visitor();
    idp.tokens(&other, &client, Ask::of(&client), &idp.citizen()).await;
    let identity = mine.open("/identity").await;
    let form = identity.page().press(&ends(&identity)[0], &[], &[]);
    // The attacker's own page and form, with the id of the victim's session in it.
    let attackers = other.open("/identity").await;
    let mut stolen = attackers.page().press("sign-out-everywhere", &[], &[]);
    stolen.remove("everywhere");
    let (_, id) = form.fields.iter().find(|(name, _)| name == "session").cloned().unwrap();
    stolen.fields.push(("session".to_owned(), id));
    let answer = other.submit(&attackers, &stolen).await;
    assert_eq!(answer.page().name(), "identity");
    assert_eq!(ends(&mine.open("/identity").await).len(), 1, "still there");
    assert!(stands(&victim, &client).await);
}

#[tokio::test]
async fn everywhere_ends_sessions_offline_grants_and_sign_ins_under_way() {
    let idp = Sandbox::shared();
    let (door, strict, holder) = (good(), good(), idp.citizen());
    let client = listening(idp, &door, json!({}));
    let by_session = listening(idp, &strict, json!({"backchannel_logout_session_required": true}));
    let (desk, phone, halfway) = (idp.visitor(), idp.visitor(), idp.visitor());
    let tokens = idp.tokens(&desk, &client, Ask::of(&client).scope(OFFLINE), &holder).await;
    let others = idp.tokens(&phone, &by_session, Ask::of(&by_session).scope(OFFLINE), &holder).await;
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200, "control");
    // Past the password, before the code.
    let ask = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2");
    let at = halfway.open(&ask.target()).await;
    let otp = idp.sign_in(&halfway, &at, &holder).await;
    assert_eq!(otp.page().name(), "otp");

    assert_eq!(everywhere(&desk).await.page().name(), "signed-out");
    for (visitor, client) in [(&desk, &client), (&phone, &by_session)] {
        assert!(!stands(visitor, client).await);
    }
    for (client, tokens) in [(&client, &tokens), (&by_session, &others)] {
        assert_eq!(client.userinfo(tokens.access()).await.status, 401);
        assert_eq!(client.refresh(tokens.refresh()).await.json()["error"], json!("invalid_grant"));
    }
    let resumed = idp.enter_otp(&halfway, &otp, &holder).await;
    assert!(resumed.returned().and_then(|back| back.get("code").map(str::to_owned)).is_none(), "{}", resumed.body);
    let claims = sound(idp, &by_session, &strict.hears(1, SOON).await[0].body).await;
    assert_eq!(claims["sid"], jwt::claims(others.id_token())["sid"], "it goes by sessions");
    let claims = sound(idp, &client, &door.hears(1, SOON).await[0].body).await;
    assert_eq!(claims["sub"], jwt::claims(tokens.id_token())["sub"]);
    assert!(claims.get("sid").is_none(), "every session of the account");
    let remembered = idp.trail(&holder).into_iter().rfind(|event| event["kind"] == "sign_out").unwrap();
    assert_eq!(remembered["detail"]["reason"], "everywhere");
    // Nothing is locked: the holder comes back at once.
    assert!(idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await.get("code").is_some());
}

#[tokio::test]
async fn lo_10_no_sign_in_that_completes_meanwhile_stays_untracked() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    idp.tokens(&idp.visitor(), &client, Ask::of(&client).scope("openid"), &holder).await;
    let mut survived = 0;
    for _ in 0..8 {
        let (desk, late) = (idp.visitor(), idp.visitor());
        let ask = Ask::of(&client).scope("openid");
        idp.authorize(&desk, &ask, &holder).await;
        let at = late.open(&ask.target()).await;
        let form = sign_in_form(&at, &holder.number, &holder.password);
        let (ended, arrived) = tokio::join!(everywhere(&desk), late.submit(&at, &form));
        assert_eq!(ended.page().name(), "signed-out");
        assert!(arrived.status < 500 && !stands(&desk, &client).await);
        if stands(&late, &client).await {
            survived += 1;
            // It came after the request, so the next one knows of it.
            let again = idp.visitor();
            idp.authorize(&again, &ask, &holder).await;
            assert_eq!(ends(&again.open("/identity").await).len(), 1);
            everywhere(&again).await;
            assert!(!stands(&late, &client).await, "untracked");
        }
    }
    println!("{survived} of 8 signed in after the end");
}

//! «Không phải tôi» (`product.md` journey 7): what is pointed at ends, its portals are told, a case is opened and goes its
//! way in sight of the holder.

use serde_json::{Value, json};

use super::back_channel::{SOON, good, listening, sound};
use crate::support::ask::Ask;
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const OFFLINE: &str = "openid profile offline_access";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1";

fn ids(at: &Answer, prefix: &str) -> Vec<String> {
    let page = at.page();
    let ids = page.all("button").filter_map(|button| button.attribute("id"));
    ids.filter(|id| id.starts_with(prefix)).map(str::to_owned).collect()
}

async fn stands(visitor: &Visitor, client: &RelyingParty) -> bool {
    let silent = visitor.get(&Ask::of(client).scope("openid").with("prompt", "none").target()).await;
    silent.returned().unwrap().get("code").is_some()
}

fn cases(idp: &Sandbox) -> Vec<Value> {
    serde_json::from_str(&idp.admin_ok(&["case", "list", "--all", "--json"])).unwrap()
}

/// The number of the one case of this holder.
fn case_of(idp: &Sandbox, holder: &Holder) -> String {
    let opened = idp.trail(holder).into_iter().find(|event| event["kind"] == "case_opened").unwrap();
    opened["detail"]["case"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_that_was_not_mine_ends_with_all_it_issued_and_a_case_goes_its_way() {
    let idp = Sandbox::shared();
    let (door, holder) = (good(), idp.citizen());
    let client = listening(idp, &door, json!({}));
    let (thief, owner) = (idp.visitor().with_header("user-agent", PHONE), idp.visitor());
    let stolen = idp.tokens(&thief, &client, Ask::of(&client).scope(OFFLINE), &holder).await;
    let own = idp.tokens(&owner, &client, Ask::of(&client).scope("openid profile"), &holder).await;
    let identity = owner.open("/identity").await;
    assert!(identity.page().text.contains("Safari"), "the browser is named");
    let sessions: Vec<String> =
        ids(&identity, "not-me-").into_iter().filter(|id| !id.contains("device") && !id.contains("release")).collect();
    assert_eq!(sessions.len(), 1, "not for this browser's own: {sessions:?}");
    let press = identity.page().press(&sessions[0], &[], &[]);
    let mut forged = press.clone();
    forged.remove("form_token");
    assert_eq!(owner.submit_once(&identity, &forged, &[]).await.status, 403);
    assert!(stands(&thief, &client).await, "control");

    let told = owner.submit(&identity, &press).await;
    assert!(told.page().has("cases"), "{}", told.body);
    let number = case_of(idp, &holder);
    assert!(told.page().has(&format!("case-{number}")));
    assert!(!stands(&thief, &client).await);
    assert_eq!(client.userinfo(stolen.access()).await.status, 401);
    assert_eq!(client.refresh(stolen.refresh()).await.json()["error"], "invalid_grant", "offline too");
    assert_eq!(client.userinfo(own.access()).await.status, 200, "the owner's own stays");
    let claims = sound(idp, &client, &door.hears(1, SOON).await[0].body).await;
    assert_eq!(claims["sid"], jwt::claims(stolen.id_token())["sid"]);
    assert_eq!(ids(&told, "not-me-device").len(), 0, "the thief's device is forgotten");

    // Twice is once.
    owner.submit(&identity, &press).await;
    assert_eq!(cases(idp).iter().filter(|case| case["case"] == json!(number)).count(), 1);
    let messages = idp.messages(&holder.phone).await;
    assert!(messages.iter().filter(|text| text.contains(&number)).count() <= 1);

    // The operators' side, which the holder sees.
    assert!(!idp.admin(&["case", "close", &number, "--by", " ", "--note", "x"]).status.success());
    let shown: Value =
        serde_json::from_str(&idp.admin_ok(&["case", "show", &number, "--by", "Phòng an ninh", "--json"])).unwrap();
    assert_eq!((&shown["step"], &shown["about"]), (&json!("looked_at"), &json!("session")));
    assert!(!shown.to_string().contains(&holder.number) && !shown.to_string().contains(&holder.name));
    idp.admin_ok(&["case", "show", &number, "--by", "Người khác"]);
    idp.admin_ok(&[
        "case",
        "close",
        &number,
        "--by",
        "Phòng an ninh",
        "--note",
        "Đã xác minh, không phải chủ tài khoản.",
    ]);
    assert!(!idp.admin(&["case", "close", &number, "--by", "Ai", "--note", "lần nữa"]).status.success());
    let page = owner.open("/identity").await.page().text;
    assert!(page.contains("Đã xác minh, không phải chủ tài khoản."), "{page}");
    for (kind, count) in [("case_looked_at", 1), ("case_closed", 1)] {
        assert_eq!(idp.trail_count(&holder, kind), count, "{kind}");
    }
    assert!(!idp.admin_ok(&["case", "list"]).contains(&number), "closed ones are not waiting");
}

#[tokio::test]
async fn a_release_and_a_device_that_were_not_mine() {
    let idp = Sandbox::shared();
    let (door, quiet, holder) = (good(), good(), idp.citizen());
    let (client, other) = (listening(idp, &door, json!({})), listening(idp, &quiet, json!({})));
    let (thief, owner) = (idp.visitor().with_header("user-agent", PHONE), idp.visitor());
    let stolen = idp.tokens(&thief, &client, Ask::of(&client).scope(OFFLINE), &holder).await;
    assert_eq!(client.userinfo(stolen.access()).await.status, 200, "a release");
    idp.tokens(&owner, &other, Ask::of(&other).scope("openid"), &holder).await;
    let identity = owner.open("/identity").await;
    let releases = ids(&identity, "not-me-release");
    assert!(!releases.is_empty());
    let told = owner.submit(&identity, &identity.page().press(&releases[0], &[], &[])).await;
    assert!(told.page().has("cases"), "{}", told.body);
    assert!(!stands(&thief, &client).await && stands(&owner, &other).await);
    assert_eq!(client.refresh(stolen.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(door.hears(1, SOON).await.len(), 1);
    assert!(quiet.heard().is_empty(), "a portal that had nothing of it is told nothing");

    // The thief comes back on the same device, unknown now.
    let again = idp.tokens(&thief, &client, Ask::of(&client).scope(OFFLINE), &holder).await;
    let identity = owner.open("/identity").await;
    let devices = ids(&identity, "not-me-device");
    assert_eq!(devices.len(), 1, "only others can be reported: {devices:?}");
    assert_eq!(ids(&identity, "forget-").len(), 2);
    let told = owner.submit(&identity, &identity.page().press(&devices[0], &[], &[])).await;
    assert_eq!(ids(&told, "forget-").len(), 1);
    assert!(!stands(&thief, &client).await && stands(&owner, &other).await);
    assert_eq!(client.userinfo(again.access()).await.status, 401);
    assert_eq!(idp.trail_count(&holder, "case_opened"), 2);
    // Forgetting the device in hand signs nobody out.
    let forgotten = owner.submit(&told, &told.page().press(&ids(&told, "forget-")[0], &[], &[])).await;
    assert!(ids(&forgotten, "forget-").is_empty() && stands(&owner, &other).await);
    assert_eq!(idp.trail_count(&holder, "device_forgotten"), 1);
}

#[tokio::test]
async fn what_is_somebody_elses_cannot_be_reported() {
    let idp = Sandbox::shared();
    let (client, victim, attacker) = (idp.confidential(), idp.citizen(), idp.citizen());
    let (there, elsewhere, mine) = (idp.visitor(), idp.visitor(), idp.visitor());
    let tokens = idp.tokens(&there, &client, Ask::of(&client).scope(OFFLINE), &victim).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    idp.tokens(&elsewhere, &client, Ask::of(&client).scope("openid"), &victim).await;
    idp.tokens(&mine, &client, Ask::of(&client).scope("openid"), &attacker).await;
    let theirs = elsewhere.open("/identity").await;
    let own = mine.open("/identity").await;
    for id in ids(&theirs, "not-me-") {
        let named = theirs.page().press(&id, &[], &[]);
        let mut form = own.page().press("sign-out-everywhere", &[], &[]);
        form.remove("everywhere");
        form.fields.extend(named.fields.into_iter().filter(|(name, _)| name.starts_with("not_me")));
        assert_eq!(mine.submit(&own, &form).await.page().name(), "identity");
    }
    assert!(stands(&there, &client).await);
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    assert_eq!((idp.trail_count(&victim, "case_opened"), idp.trail_count(&attacker, "case_opened")), (0, 0));
}

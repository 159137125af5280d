//! ND69 Art 7(3), 12: an organisation acts through a person of level 2, has no level of its own, and tokens name both.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::family::Organisation;
use crate::support::flow::{Tokens, Will, redeemed};
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

fn portal(idp: &Sandbox) -> RelyingParty {
    idp.client(json!({"vn_holders": ["citizen", "foreigner", "organisation"]}))
}

fn legal(person: &Holder) -> Value {
    json!({"person_number": person.number, "role": "legal"})
}

fn delegate(person: &Holder, by: &Holder) -> Value {
    json!({"person_number": person.number, "role": "delegate", "by": by.number})
}

/// The person signs in and comes to the page that asks for whom.
async fn asked(idp: &Sandbox, visitor: &Visitor, ask: &Ask, person: &Holder) -> Answer {
    let at = visitor.open(&ask.target()).await;
    idp.sign_in(visitor, &at, person).await
}

async fn acts(idp: &Sandbox, client: &RelyingParty, person: &Holder) -> (Visitor, Tokens) {
    let ask = Ask::of(client).scope("openid profile offline_access vn_eid_status");
    let visitor = idp.visitor();
    let at = asked(idp, &visitor, &ask, person).await;
    assert_eq!(at.page().name(), "represent", "{}", at.page().text);
    let at = visitor.submit(&at, &at.page().press("for-1", &[], &[])).await;
    assert_eq!(at.page().name(), "otp", "a representative's own level 2");
    let at = idp.walk(&visitor, at, person, Will::AllowAll).await;
    let code = at.returned().unwrap_or_else(|| panic!("{}: {}", at.page().name(), at.page().text)).code();
    (visitor, redeemed(client, ask, code).await)
}

#[tokio::test]
async fn a7_the_subject_is_the_organisation_and_act_names_the_person() {
    let idp = Sandbox::shared();
    let (client, person) = (portal(idp), idp.citizen());
    let organisation = idp.organisation(json!([legal(&person)]));
    let (visitor, tokens) = acts(idp, &client, &person).await;
    let id_token = jwt::claims(tokens.id_token());
    let userinfo = client.userinfo(tokens.access()).await.json();
    let introspected = client.introspect(tokens.access()).await;
    assert_eq!(userinfo["name"], json!(organisation.name));
    assert!(userinfo.get("vn_personal_id").is_none());
    for told in [&id_token, &userinfo, &introspected] {
        assert_eq!((&told["act"], &told["sub"]), (&id_token["act"], &id_token["sub"]), "{told}");
        // A4: no level of its own, whatever the representative's is.
        assert!(told.get("vn_account_level").is_none(), "{told}");
    }
    assert_eq!((&id_token["vn_auth_level"], &id_token["acr"]), (&json!(2), &json!("urn:vn:eid:muc:2")));
    // The person's own tokens at the same portal have the name `act` said, and nobody acts.
    let (again, ask) = (idp.visitor(), Ask::of(&client));
    let at = asked(idp, &again, &ask, &person).await;
    let end = again.submit(&at, &at.page().press("for-self", &[], &[])).await;
    let own = redeemed(&client, ask, end.returned().unwrap().code()).await;
    let own = jwt::claims(own.id_token());
    assert_eq!((own.get("act"), &own["sub"]), (None, &id_token["act"]["sub"]));
    // The organisation's session goes on at another portal that serves it, and at no other.
    let (second, persons_only) = (portal(idp), idp.confidential());
    assert!(visitor.open(&Ask::of(&second).target()).await.returned().unwrap().get("code").is_some());
    assert_eq!(visitor.open(&Ask::of(&persons_only).target()).await.page().name(), "sign-in");
}

#[tokio::test]
async fn a7_nobody_is_asked_where_there_is_nothing_to_choose() {
    let idp = Sandbox::shared();
    let (open, closed) = (portal(idp), idp.confidential());
    let (person, weak, stranger) = (idp.citizen(), idp.beginner(), idp.citizen());
    idp.organisation(json!([legal(&person)]));
    idp.organisation(json!([legal(&weak)]));
    for (client, holder) in [(&closed, &person), (&open, &weak), (&open, &stranger)] {
        let visitor = idp.visitor();
        let end = asked(idp, &visitor, &Ask::of(client), holder).await;
        assert!(end.returned().is_some_and(|back| back.get("code").is_some()), "{}", end.page().name());
    }
    // Silence chooses nobody: it is the person's own session.
    let visitor = idp.visitor();
    asked(idp, &visitor, &Ask::of(&closed), &person).await;
    let silent = Ask::of(&open).with("prompt", "none");
    assert!(visitor.get(&silent.target()).await.returned().unwrap().get("code").is_some());
    // A choice nobody offered is none.
    let at = visitor.open(&Ask::of(&open).target()).await;
    assert_eq!(at.page().name(), "represent");
    let mut forged = at.page().press("for-1", &[], &[]);
    forged.set("for", "org:0990000001");
    assert_eq!(visitor.submit(&at, &forged).await.page().name(), "represent");
}

#[tokio::test]
async fn domain_6_3_a_new_legal_representative_binds_delegates_anew() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (old, new, clerk) = (idp.citizen(), idp.citizen(), idp.citizen());
    let organisation = idp.organisation(json!([legal(&old), delegate(&clerk, &old)]));
    let (_, by_old) = acts(idp, &client, &old).await;
    let (visitor, by_clerk) = acts(idp, &client, &clerk).await;
    // A delegate bound by somebody who is no legal representative any more is refused in so many words.
    let line = organisation.line(json!([legal(&new), delegate(&clerk, &old)]));
    let file = idp.file("org.jsonl", &line.to_string());
    let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(client.userinfo(by_clerk.access()).await.status, 200, "a refused file changes nothing");

    idp.import(&[organisation.line(json!([legal(&new)]))]);
    for tokens in [&by_old, &by_clerk] {
        assert_eq!(client.userinfo(tokens.access()).await.status, 401);
        verdict::token_error(&client.refresh(tokens.refresh()).await, 400, "invalid_grant");
    }
    assert_eq!(visitor.open(&Ask::of(&client).target()).await.page().name(), "sign-in");
    let (_, by_new) = acts(idp, &client, &new).await;
    assert_eq!(jwt::claims(by_new.id_token())["sub"], jwt::claims(by_old.id_token())["sub"], "one organisation");
    idp.import(&[organisation.line(json!([legal(&new), delegate(&clerk, &new)]))]);
    let (_, again) = acts(idp, &client, &clerk).await;
    assert_eq!(client.userinfo(again.access()).await.status, 200);
    assert_eq!(client.userinfo(by_clerk.access()).await.status, 401, "nothing ended comes back");
    assert_eq!(client.userinfo(by_new.access()).await.status, 200, "and whoever stayed was not disturbed");
}

#[tokio::test]
async fn d11_locks_and_the_end_of_an_organisation_or_its_representative_end_it_all() {
    let idp = Sandbox::shared();
    let (client, person) = (portal(idp), idp.citizen());
    let organisation = idp.organisation(json!([legal(&person)]));
    let order = |act: &str, ground: &str| {
        let number = organisation.number();
        let output = idp.admin(&["eid", act, &number, "--ground", ground, "--authority", "Cục C06"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (_, tokens) = acts(idp, &client, &person).await;
    assert!(order("lock", "d").1.contains("dissolved"));
    assert_eq!(order("lock", "a").0, Some(0));
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    assert_eq!(order("unlock", "a").0, Some(0));
    let (_, tokens) = acts(idp, &client, &person).await;
    idp.lock(&person);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401, "the representative's lock");
    idp.unlock(&person);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    let (_, tokens) = acts(idp, &client, &person).await;
    let mut line = organisation.line(json!([legal(&person)]));
    line["dissolved"] = json!("2024-01-01");
    idp.import(&[line]);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    let visitor = idp.visitor();
    assert!(asked(idp, &visitor, &Ask::of(&client), &person).await.returned().is_some(), "not offered any more");
    // Terminal.
    let file = idp.file("org.jsonl", &organisation.line(json!([legal(&person)])).to_string());
    let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("dissolved"), "{output:?}");
}

#[tokio::test]
async fn a4_what_an_organisations_line_must_say() {
    let idp = Sandbox::shared();
    let (person, other) = (idp.citizen(), idp.citizen());
    let good = |representatives: Value| -> Value {
        let organisation: Organisation = idp.organisation(json!([]));
        organisation.line(representatives)
    };
    let with = |name: &str, value: Value| {
        let mut line = good(json!([legal(&person)]));
        line[name] = value;
        line
    };
    let stranger = json!({"person_number": "099999999999", "role": "legal"});
    let rows = [
        (with("account", json!({"state": "activated", "level": 2})), "account.level is not for an organisation"),
        (with("account", json!({"state": "activated", "password": "x"})), "unknown field \"account.password\""),
        (with("code", json!("12")), "code is a tax code"),
        (with("person_number", json!(person.number)), "unknown field \"person_number\""),
        (with("eid", json!({"state": "active"})), "unknown field \"eid\""),
        (good(json!([stranger])), "somebody without an account"),
        (good(json!([legal(&person), legal(&person)])), "names a person twice"),
        (good(json!([{"person_number": person.number, "role": "delegate"}])), "representatives.by is required"),
        (good(json!([delegate(&person, &other)])), "no legal representative of the line"),
        (good(json!([{"person_number": person.number, "role": "boss"}])), "representatives.role is legal or delegate"),
    ];
    for (line, reason) in rows {
        let file = idp.file("org.jsonl", &line.to_string());
        let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && why.contains(reason), "{reason}: {why}");
    }
    let organisation = idp.organisation(json!([legal(&person), delegate(&other, &person)]));
    let shown = idp.admin_ok(&["account", "show", &organisation.number()]);
    assert!(shown.contains("holder: organisation") && !shown.contains("level:"), "{shown}");
    assert!(shown.contains(" legal") && shown.contains(" delegate") && !shown.contains(&person.number), "{shown}");
}

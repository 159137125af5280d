//! UP-07, UP-10, P26: a link is made by the holder's own proof and nothing else, and ends with all that rests on it.

use serde_json::json;

use crate::support::abroad::{Abroad, back, departed, stopped};
use crate::support::fresh;
use crate::support::op::Manner;

#[tokio::test]
async fn up_07_what_a_provider_asserts_of_a_citizen_links_nobody() {
    let abroad = Abroad::shared();
    let holder = abroad.sandbox.citizen();
    let claims = json!({
        "email": "huong@thu-nghiem.vn", "email_verified": true, "phone_number": holder.phone,
        "phone_number_verified": true, "vn_personal_id": holder.number, "name": holder.name,
        "preferred_username": holder.number,
    });
    let visitor = abroad.sandbox.visitor();
    let manner = Manner { claims: claims.clone(), userinfo: claims, ..Manner::of(&fresh()) };
    let at = abroad.arrive(&visitor, manner).await;
    assert_eq!(at.page().name(), "link");
    assert!(!at.body.contains(&holder.number) && !at.body.contains(&holder.name), "nothing of it is believed or shown");
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in");
    assert!(abroad.sandbox.trail(&holder).iter().all(|event| event["kind"] == "account_imported"));
}

#[tokio::test]
async fn p_26_a_holder_links_signs_in_by_it_and_unlinks() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    assert!(abroad.sandbox.messages(&holder.phone).await[0].contains("vua duoc lien ket"));
    assert_eq!(abroad.sandbox.trail_count(&holder, "upstream_linked"), 1);
    // Two browsers sign in by it, one by password.
    let (first, second, third) = (abroad.sandbox.visitor(), abroad.sandbox.visitor(), abroad.sandbox.visitor());
    for visitor in [&first, &second] {
        let at = abroad.arrive(visitor, Manner::of(&sub)).await;
        assert!(at.body.contains(&holder.name), "{}", at.page().text);
    }
    let door = abroad.door(&third).await;
    let at = abroad.sandbox.sign_in(&third, &door, &holder).await;
    let page = at.page();
    let unlink = page.elements.iter().find_map(|e| e.attribute("id").filter(|id| id.starts_with("unlink-"))).unwrap();
    let gone = third.submit(&at, &page.press(unlink, &[], &[])).await;
    assert_eq!(gone.page().name(), "identity");
    assert!(gone.page().has("link-one"), "it may be linked again");
    // Sessions that came by it ended; the one that did not stands.
    for visitor in [&first, &second] {
        assert_eq!(visitor.open("/identity").await.page().name(), "sign-in");
    }
    assert_eq!(third.open("/identity").await.page().name(), "identity");
    assert!(abroad.sandbox.messages(&holder.phone).await[0].contains("da bo lien ket"));
    assert_eq!(abroad.sandbox.trail_count(&holder, "upstream_unlinked"), 1);
    assert_eq!(
        abroad.arrive(&abroad.sandbox.visitor(), Manner::of(&sub)).await.page().name(),
        "link",
        "a stranger again"
    );
    // The same form again changes nothing.
    let again = third.submit(&at, &page.press(unlink, &[], &[])).await;
    assert_eq!(again.page().name(), "identity");
    assert_eq!(abroad.sandbox.trail_count(&holder, "upstream_unlinked"), 1);
}

#[tokio::test]
async fn up_10_a_proof_is_of_one_browser_one_account_and_one_time() {
    let abroad = Abroad::shared();
    let (holder, other) = (abroad.sandbox.citizen(), abroad.sandbox.citizen());
    let (visitor, thief) = (abroad.sandbox.visitor(), abroad.sandbox.visitor());
    let at = abroad.arrive(&visitor, Manner::of(&fresh())).await;
    // Another browser, with a sign-in of its own.
    abroad.door(&thief).await;
    let target = at.url.to_string();
    stopped(&thief, &thief.get(&target).await, 400, "unasked").await;
    // A form of another page, and one without a token.
    let mut forged = at.page().press("submit", &[("person_number", &holder.number), ("password", "x")], &[]);
    forged.set("form_token", &fresh());
    assert_eq!(visitor.submit_once(&at, &forged, &[]).await.status, 403);
    // A wrong password, a wrong code.
    let wrong = [("person_number", holder.number.as_str()), ("password", "Sai mat khau 1#")];
    let again = visitor.submit(&at, &at.page().press("submit", &wrong, &[])).await;
    assert!(again.page().name() == "link" && again.page().has("problem"));
    // After a wrong one the next waits a second, as at every sign-in.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let code = abroad.prove(&visitor, &again, &holder).await;
    assert!(code.page().has("otp") && code.page().has("holder"), "{}", code.page().text);
    let refused = visitor.submit(&code, &code.page().press("submit", &[("otp", "000000")], &[])).await;
    assert!(refused.page().has("problem"), "{}", refused.page().text);
    // Claimed by one account: nobody else finishes it, though they sign in here meanwhile.
    let jar = visitor.cookies();
    let twin = abroad.sandbox.visitor();
    twin.set_cookies(
        jar.iter().filter(|(name, _)| name.contains("browser")).map(|(n, v)| (n.clone(), v.clone())).collect(),
    );
    let door = abroad.door(&twin).await;
    abroad.sandbox.sign_in(&twin, &door, &other).await;
    let stolen = twin.get(&target).await;
    assert_eq!(stolen.page().code(), "unasked", "{}", stolen.page().text);
    // Control: the right code, twice at once: one link.
    let otp = abroad.sandbox.otp(&holder.phone).await;
    let form = code.page().press("submit", &[("otp", &otp)], &[]);
    let done = visitor.submit(&code, &form).await;
    assert_eq!(done.page().name(), "identity", "{}", done.page().text);
    let twice = visitor.submit_once(&code, &form, &[]).await;
    assert_eq!(twice.page().code(), "unasked", "{}", twice.page().text);
    assert_eq!(abroad.sandbox.trail_count(&holder, "upstream_linked"), 1);
    assert_eq!(abroad.sandbox.trail_count(&other, "upstream_linked"), 0);
}

#[tokio::test]
async fn up_10_a_session_from_before_and_a_code_of_a_sign_in_prove_nothing() {
    let abroad = Abroad::shared();
    let holder = abroad.sandbox.citizen();
    let visitor = abroad.sandbox.visitor();
    let door = abroad.door(&visitor).await;
    let at = abroad.sandbox.sign_in(&visitor, &door, &holder).await;
    // The holder is signed in; the page asks for the password again all the same.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let href = at.page().by_id("link-one").unwrap().attribute("href").unwrap().to_owned();
    let away = departed(&visitor.get(&href).await);
    let code = abroad.one.code(&away, Manner::of(&fresh()));
    let at = visitor.open(&back("one", &away, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
    assert!(at.page().name() == "link" && at.page().has("password") && !at.page().has("otp"), "{}", at.page().text);
    assert!(abroad.sandbox.messages(&holder.phone).await.is_empty());
    let end = abroad.link(&visitor, &at, &holder).await;
    assert_eq!(end.page().name(), "identity");
}

#[tokio::test]
async fn one_subject_is_one_account_and_one_account_one_subject() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    // Another subject for the same account.
    let visitor = abroad.sandbox.visitor();
    let at = abroad.arrive(&visitor, Manner::of(&fresh())).await;
    let end = abroad.prove(&visitor, &at, &holder).await;
    assert_eq!((end.status, end.page().code()), (409, "conflict"), "{}", end.page().text);
    // The same subject for another account: whoever holds it signs in as the one it is linked to.
    let other = abroad.sandbox.citizen();
    let visitor = abroad.sandbox.visitor();
    let door = abroad.door(&visitor).await;
    let at = abroad.sandbox.sign_in(&visitor, &door, &other).await;
    let href = at.page().by_id("link-one").unwrap().attribute("href").unwrap().to_owned();
    let away = departed(&visitor.get(&href).await);
    let code = abroad.one.code(&away, Manner::of(&sub));
    let end = visitor.open(&back("one", &away, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
    assert_eq!(end.page().code(), "conflict", "{}", end.page().text);
    assert!(visitor.open("/identity").await.body.contains(&other.name), "still signed in as before");
    assert_eq!(abroad.sandbox.trail_count(&holder, "upstream_refused"), 2);
}

#[tokio::test]
async fn d_5_a_lock_beats_a_link() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    let visitor = abroad.sandbox.visitor();
    assert_eq!(abroad.arrive(&visitor, Manner::of(&sub)).await.page().name(), "identity");
    // One is under way when the lock comes.
    let late = abroad.sandbox.visitor();
    let departed = abroad.depart(&late, "one").await;
    let code = abroad.one.code(&departed, Manner::of(&sub));
    let pending = abroad.sandbox.visitor();
    let another = abroad.sandbox.citizen();
    let at = abroad.arrive(&pending, Manner::of(&fresh())).await;
    let proving = abroad.prove(&pending, &at, &another).await;
    abroad.sandbox.lock(&holder);
    abroad.sandbox.lock(&another);
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in");
    late.open(&back("one", &departed, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
    assert_eq!(late.open("/identity").await.page().name(), "sign-in");
    // A link that waited for its code is made no more.
    let otp = abroad.sandbox.otp(&another.phone).await;
    pending.submit(&proving, &proving.page().press("submit", &[("otp", &otp)], &[])).await;
    assert_eq!(abroad.sandbox.trail_count(&another, "upstream_linked"), 0);
    // Control: unlocked, the link still stands.
    abroad.sandbox.unlock(&holder);
    assert_eq!(abroad.arrive(&late, Manner::of(&sub)).await.page().name(), "identity");
}

#[tokio::test]
async fn a_link_made_on_the_way_leads_back_to_the_portal() {
    let abroad = Abroad::shared();
    let (holder, client) = (abroad.sandbox.citizen(), abroad.sandbox.confidential());
    let visitor = abroad.sandbox.visitor();
    let ask = crate::support::ask::Ask::of(&client);
    let at = visitor.open(&abroad.on_the_way(&visitor, &ask, Manner::of(&fresh())).await).await;
    let end = abroad.link(&visitor, &at, &holder).await;
    assert!(end.returned().is_some_and(|returned| returned.get("code").is_some()), "{}", end.page().text);
    // And who changes their mind is back at the sign-in page.
    let visitor = abroad.sandbox.visitor();
    let at = abroad.arrive(&visitor, Manner::of(&fresh())).await;
    let back = visitor.submit(&at, &at.page().press("cancel", &[], &[])).await;
    assert_eq!(back.page().name(), "sign-in");
    stopped(&visitor, &visitor.get(at.url.as_str()).await, 400, "unasked").await;
}

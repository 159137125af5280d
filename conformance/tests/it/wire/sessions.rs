//! `security.md` 2.15: cookies, fixation, forged forms.

use crate::support::ask::Ask;
use crate::support::flow::{Will, consent_form, sign_in_form};
use crate::support::sandbox::Sandbox;
use crate::support::wire::Answer;

fn set_cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn se_02_cookie_attributes() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let mut cookies = Vec::new();
    let mut at = visitor.get(&Ask::of(&client).target()).await;
    loop {
        cookies.extend(set_cookies(&at));
        at = match at.location().filter(|to| to.as_str().starts_with(&idp.issuer)) {
            Some(to) => visitor.get(to.as_str()).await,
            None if at.page().name() == "sign-in" => {
                visitor.submit_once(&at, &sign_in_form(&at, &holder.number, &holder.password), &[]).await
            }
            None => break,
        };
    }
    assert!(at.returned().is_some());
    assert!(!cookies.is_empty());
    for cookie in cookies {
        let (name, rest) = cookie.split_once('=').unwrap();
        // The browser-state cookie is for scripts; `check_session` holds it to its own row.
        if name == "idp_state" {
            continue;
        }
        assert!(name.starts_with("__Host-"), "{cookie}");
        let mut parts = rest.split(';').map(str::trim);
        let value = parts.next().unwrap();
        let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        for wanted in ["secure", "httponly", "path=/"] {
            assert!(attributes.iter().any(|attribute| attribute == wanted), "{wanted} is missing on {name}");
        }
        assert!(attributes.iter().any(|a| a == "samesite=lax" || a == "samesite=strict"), "{name}");
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("domain")), "{name}");
        assert!(value.is_empty() || value.len() >= 22 || name.contains("lang"), "{name} is guessable");
        assert!(!value.contains(&holder.number) && !value.starts_with("eyJ"), "{name} is opaque");
    }
}

#[tokio::test]
async fn se_01_a_session_cookie_from_before_sign_in_is_worth_nothing_after() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let victim = idp.visitor();
    let at = victim.open(&Ask::of(&client).target()).await;
    let before = victim.cookies();
    idp.walk(&victim, at, &holder, Will::AllowAll).await;
    let attacker = idp.visitor();
    attacker.set_cookies(before);
    let silent = Ask::of(&client).with("prompt", "none");
    let answer = attacker.get(&silent.target()).await;
    assert_eq!(answer.returned().unwrap().get("error"), Some("login_required"), "fixed before, dead after");
    // Signing in again makes a new value, and the old one ends.
    let old = victim.cookies();
    let at = victim.open(&Ask::of(&client).with("prompt", "login").target()).await;
    idp.walk(&victim, at, &holder, Will::AllowAll).await;
    attacker.set_cookies(old);
    let answer = attacker.get(&silent.target()).await;
    assert_eq!(answer.returned().unwrap().get("error"), Some("login_required"));
    let answer = victim.get(&silent.target()).await;
    assert!(answer.returned().unwrap().get("code").is_some(), "control: the owner stays signed in");
}

#[tokio::test]
async fn se_04_and_se_05_a_forged_form_is_403_and_changes_nothing() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (visitor, other) = (idp.visitor(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile");
    let at = visitor.open(&ask.target()).await;
    let foreign = other.open(&ask.target()).await;
    let form = sign_in_form(&at, &holder.number, &holder.password);
    assert!(form.fields.iter().any(|(name, _)| name == "form_token"), "the form carries its token");
    let mut without = form.clone();
    without.remove("form_token");
    let mut wrong = form.clone();
    wrong.set("form_token", "x");
    let mut foreign_token = form.clone();
    let of_other = sign_in_form(&foreign, "", "").fields.into_iter().find(|(name, _)| name == "form_token").unwrap().1;
    foreign_token.set("form_token", &of_other);
    for forged in [&without, &wrong, &foreign_token] {
        assert_eq!(visitor.submit_once(&at, forged, &[]).await.status, 403);
    }
    for headers in [
        [("origin", "https://evil.vn"), ("sec-fetch-site", "cross-site")],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.localhost"), ("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(visitor.submit_once(&at, &form, &headers).await.status, 403, "{headers:?}");
    }
    // Control: a browser's own headers, and none at all.
    let own = [("origin", idp.issuer.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = visitor.submit_once(&at, &form, &own).await;
    let consent = visitor.follow(answer).await;
    assert_eq!(consent.page().name(), "consent", "{}", consent.body);

    let allow = consent_form(&consent, Will::AllowAll);
    let mut without = allow.clone();
    without.remove("form_token");
    assert_eq!(visitor.submit_once(&consent, &without, &[]).await.status, 403);
    let mut of_sign_in = allow.clone();
    let token = form.fields.iter().find(|(name, _)| name == "form_token").unwrap().1.clone();
    of_sign_in.set("form_token", &token);
    let answer = visitor.submit_once(&consent, &of_sign_in, &[]).await;
    assert_eq!(answer.status, 403, "a token is for one place");
    let still = visitor.get(&Ask::of(&client).scope("openid profile").with("prompt", "none").target()).await;
    assert_eq!(still.returned().unwrap().get("error"), Some("consent_required"), "nothing was stored");
    assert!(visitor.submit(&consent, &allow).await.returned().is_some());
}

#[tokio::test]
async fn se_07_nothing_changes_by_get_or_head() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).scope("openid profile").target()).await;
    let form = sign_in_form(&at, &holder.number, &holder.password);
    let mut target = at.url.join(&form.action).unwrap();
    target.query_pairs_mut().extend_pairs(form.fields.iter().filter(|(name, _)| name != "password"));
    target.query_pairs_mut().append_pair("password", "not-the-real-one");
    for method in ["GET", "HEAD"] {
        let answer = visitor.send(method, target.as_str(), &[], None).await;
        assert!(answer.returned().is_none() && answer.page().name() != "consent", "{method}");
    }
    let consent = visitor.submit(&at, &form).await;
    assert_eq!(consent.page().name(), "consent");
    let allow = consent_form(&consent, Will::AllowAll);
    let mut target = consent.url.join(&allow.action).unwrap();
    target.query_pairs_mut().extend_pairs(&allow.fields);
    let answer = visitor.get(target.as_str()).await;
    assert!(answer.returned().is_none(), "consent is not given by GET");
}

#[tokio::test]
async fn a_finished_interaction_answers_nothing_twice() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let ask = Ask::of(&client).scope("openid profile");
    let at = visitor.open(&ask.target()).await;
    let consent = idp.sign_in(&visitor, &at, &holder).await;
    let allow = consent_form(&consent, Will::AllowAll);
    let first = visitor.submit(&consent, &allow).await.returned().unwrap().code();
    let again = visitor.submit(&consent, &allow).await;
    let second = again.returned().and_then(|returned| returned.get("code").map(str::to_owned));
    assert_ne!(second.as_deref(), Some(first.as_str()));
    assert_eq!(second, None, "the Back button and a second press issue nothing");
}

#[tokio::test]
async fn no_person_number_or_password_ever_stands_in_an_address() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let mut at = visitor.open(&Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2").target()).await;
    for _ in 0..2 {
        let address = at.url.as_str().to_owned();
        assert!(
            !address.contains(&holder.number) && !address.contains("password") && !address.contains(&holder.phone[1..])
        );
        assert!(!at.body.contains(&holder.phone), "a phone is masked on pages");
        at = match at.page().name() {
            "sign-in" => idp.sign_in(&visitor, &at, &holder).await,
            _ => idp.enter_otp(&visitor, &at, &holder).await,
        };
    }
}

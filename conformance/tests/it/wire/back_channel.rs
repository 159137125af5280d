//! OpenID Connect Back-Channel Logout 1.0 (`security.md` LO-07, LO-08, RV-07, LK-16, N-28): real portals' doors, real
//! connections.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::door::{Door, Reply, door};
use crate::support::flow::Tokens;
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode, pairs};

const BYE: &str = "https://rp.gov.vn/bye";
/// How long a first attempt may take to arrive, on a machine that does other things besides.
pub(super) const SOON: Duration = Duration::from_millis(2_500);

pub(super) fn listening(idp: &Sandbox, door: &Door, patch: Value) -> RelyingParty {
    let mut metadata = json!({"backchannel_logout_uri": door.at("/out")});
    crate::support::relying_party::merge(&mut metadata, patch);
    idp.client(metadata)
}

pub(super) fn good() -> Door {
    door(|_, _| Reply::Status(200))
}

async fn end_session(visitor: &Visitor, tokens: &Tokens) -> Answer {
    let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BYE)];
    visitor.open(&format!("/end-session?{}", encode(&pairs(&fields)))).await
}

async fn signed_in(idp: &Sandbox, visitor: &Visitor, client: &RelyingParty, holder: &Holder) -> Tokens {
    idp.tokens(visitor, client, Ask::of(client).scope("openid profile"), holder).await
}

/// The logout token a door heard: the only field of a form.
fn logout_token(body: &str) -> String {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let [(name, token)] = fields.as_slice() else { panic!("{fields:?}") };
    assert_eq!(name, "logout_token");
    token.clone()
}

/// LO-08: everything §2.4 says of it. Returns its claims.
pub(super) async fn sound(idp: &Sandbox, client: &RelyingParty, body: &str) -> Value {
    let token = logout_token(body);
    let (header, _) = jwt::read(&token);
    assert_eq!(header["typ"], "logout+jwt");
    let claims = idp.verified(&token).await;
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(idp.issuer), &json!(client.id)));
    assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(claims.get("nonce").is_none(), "never");
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(exp > iat && exp - iat <= 120, "{claims}");
    assert_eq!(claims["jti"].as_str().map(str::len), Some(43));
    let known = ["iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"];
    assert!(claims.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{claims}");
    claims
}

#[tokio::test]
async fn lo_08_rv_07_sign_out_tells_every_portal_of_the_session_and_no_other() {
    let idp = Sandbox::shared();
    let (one, two, three) = (good(), good(), good());
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let first = listening(idp, &one, json!({}));
    let second = listening(idp, &two, json!({"id_token_signed_response_alg": "RS256"}));
    let elsewhere = listening(idp, &three, json!({}));
    let tokens = signed_in(idp, &visitor, &first, &holder).await;
    let others = signed_in(idp, &visitor, &second, &holder).await;
    signed_in(idp, &idp.visitor(), &elsewhere, &holder).await;
    // RV-07: a token its client gave up does not make the client deaf.
    assert_eq!(second.call("/revoke", &[("token", others.access())]).await.status, 200);
    let begun = Instant::now();
    let answer = end_session(&visitor, &tokens).await;
    assert_eq!(answer.returned().map(|returned| returned.address).as_deref(), Some(BYE));
    assert!(begun.elapsed() < Duration::from_secs(2));
    for (door, client, tokens) in [(&one, &first, &tokens), (&two, &second, &others)] {
        let heard = door.hears(1, SOON).await;
        let (claims, known) = (sound(idp, client, &heard[0].body).await, jwt::claims(tokens.id_token()));
        assert_eq!((&claims["sub"], &claims["sid"]), (&known["sub"], &known["sid"]));
        assert_eq!(heard[0].target, "/out");
    }
    let (_, header) = (jwt::claims(others.id_token()), jwt::read(&logout_token(&two.heard()[0].body)).0);
    assert_eq!(header["alg"], "RS256", "as its ID tokens are signed");
    // CA-17: it passes for nothing else of ours.
    let token = logout_token(&one.heard()[0].body);
    let hint = visitor.open(&format!("/end-session?id_token_hint={token}")).await;
    assert_eq!(hint.page().name(), "error");
    assert_eq!(first.userinfo(&token).await.status, 401);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!((one.heard().len(), two.heard().len(), three.heard().len()), (1, 1, 0), "each once");
    assert_eq!(idp.trail_count(&holder, "logout_told"), 2);
}

#[tokio::test]
async fn lo_07_n_28_bad_portals_hold_up_nobody() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let target = good();
    let there = target.at("/elsewhere");
    let silent = door(|_, _| Reply::Silence);
    let failing = door(|_, before| Reply::Status(if before == 0 { 500 } else { 204 }));
    let moving = door(move |_, _| Reply::Redirect(there.clone()));
    let endless = door(|_, _| Reply::Endless);
    let refusing = door(|_, _| Reply::Status(400));
    let inside = good();
    let fine = good();
    for door in [&silent, &failing, &moving, &endless, &refusing] {
        signed_in(idp, &visitor, &listening(idp, door, json!({})), &holder).await;
    }
    // A name that leads to this machine, over https: found out before anything is called.
    let named = inside.at("/out").replace("http://", "https://");
    let hidden = idp.client(json!({"backchannel_logout_uri": named}));
    signed_in(idp, &visitor, &hidden, &holder).await;
    let tokens = signed_in(idp, &visitor, &listening(idp, &fine, json!({})), &holder).await;
    let begun = Instant::now();
    let answer = end_session(&visitor, &tokens).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "sign-out waits for nobody: {:?}", begun.elapsed());
    assert!(answer.returned().is_some());
    fine.hears(1, SOON).await;
    for door in [&silent, &failing, &moving, &endless, &refusing] {
        door.hears(1, SOON).await;
    }
    // The second attempt comes by itself, to those who did not take the first.
    let again = failing.hears(2, Duration::from_secs(12)).await;
    let pause = again[1].at - again[0].at;
    assert!(pause > Duration::from_secs(3) && pause < Duration::from_secs(11), "{pause:?}");
    assert_ne!(logout_token(&again[0].body), logout_token(&again[1].body));
    silent.hears(2, Duration::from_secs(12)).await;
    moving.hears(2, Duration::from_secs(12)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((refusing.heard().len(), endless.heard().len(), fine.heard().len()), (1, 1, 1));
    assert_eq!((target.heard().len(), inside.heard().len()), (0, 0), "no redirect, no address inside");
    // Told: the good one, the endless one (nobody reads its body) and, at the second attempt, the failing one.
    assert_eq!(idp.trail_count(&holder, "logout_told"), 3);
    assert_eq!(idp.trail_count(&holder, "logout_not_told"), 1, "400 ends it");
    let metrics = Visitor::new(&idp.neighbour(1000)).get("/metrics").await.body;
    for outcome in ["told", "again", "refused"] {
        assert!(metrics.contains(&format!("idp_logout_notices_total{{outcome=\"{outcome}\"}}")), "{outcome}");
    }
}

#[tokio::test]
async fn lk_16_a_lock_is_told_within_a_second_by_sub_alone() {
    let idp = Sandbox::shared();
    let (portal, holder) = (good(), idp.citizen());
    let client = listening(idp, &portal, json!({"backchannel_logout_session_required": true}));
    let tokens = signed_in(idp, &idp.visitor(), &client, &holder).await;
    signed_in(idp, &idp.visitor(), &client, &holder).await;
    idp.lock(&holder);
    let returned = Instant::now();
    let heard = portal.hears(1, SOON).await;
    assert!(heard[0].at.saturating_duration_since(returned) < Duration::from_millis(1_500), "LK-16");
    let claims = sound(idp, &client, &heard[0].body).await;
    assert_eq!(claims["sub"], jwt::claims(tokens.id_token())["sub"]);
    assert!(claims.get("sid").is_none(), "contract 8: every session, none named");
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(portal.heard().len(), 1, "two sessions, one account, one notice");
}

#[tokio::test]
async fn consent_withdrawal_is_told_to_that_portal_alone() {
    let idp = Sandbox::shared();
    let (one, two) = (good(), good());
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let (first, second) = (listening(idp, &one, json!({})), listening(idp, &two, json!({})));
    let tokens = signed_in(idp, &visitor, &first, &holder).await;
    signed_in(idp, &visitor, &second, &holder).await;
    let at = visitor.open("/identity").await;
    let form = at.page().press(&format!("withdraw-{}", first.id), &[], &[]);
    let done = visitor.submit_once(&at, &form, &[]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let heard = one.hears(1, SOON).await;
    let claims = sound(idp, &first, &heard[0].body).await;
    assert_eq!(claims["sub"], jwt::claims(tokens.id_token())["sub"]);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(two.heard().is_empty());
}

#[tokio::test]
async fn another_person_in_the_same_browser_ends_the_first_ones_portals() {
    let idp = Sandbox::shared();
    let (portal, visitor) = (good(), idp.visitor());
    let client = listening(idp, &portal, json!({}));
    let tokens = signed_in(idp, &visitor, &client, &idp.citizen()).await;
    let ask = Ask::of(&client).with("prompt", "login");
    idp.authorize(&visitor, &ask, &idp.citizen()).await;
    let heard = portal.hears(1, SOON).await;
    let claims = sound(idp, &client, &heard[0].body).await;
    assert_eq!(claims["sid"], jwt::claims(tokens.id_token())["sid"]);
}

#[tokio::test]
async fn n_28_what_a_killed_server_had_begun_is_taken_over() {
    let idp = Sandbox::fresh();
    let portal = door(|_, before| if before == 0 { Reply::Silence } else { Reply::Status(200) });
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let client = listening(&idp, &portal, json!({}));
    let tokens = signed_in(&idp, &visitor, &client, &holder).await;
    end_session(&visitor, &tokens).await;
    portal.hears(1, SOON).await;
    idp.kill();
    idp.start();
    let heard = portal.hears(2, Duration::from_secs(30)).await;
    sound(&idp, &client, &heard[1].body).await;
    assert!(heard[1].at - heard[0].at > Duration::from_secs(4), "nobody sends while the first still might");
    let end = Instant::now() + Duration::from_secs(5);
    while idp.trail_count(&holder, "logout_told") == 0 {
        assert!(Instant::now() < end, "not remembered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A browser at one of the sandbox's own portals, with its cookies there.
async fn at_portal(idp: &Sandbox, offset: u16, visitor: &Visitor, holder: &Holder) -> Visitor {
    let portal = Visitor::new(&idp.neighbour(offset));
    let sent = portal.get("/sign-in").await;
    let first = visitor.open(sent.location().unwrap().as_str()).await;
    let end = idp.walk(visitor, first, holder, crate::support::flow::Will::AllowAll).await;
    let back = end.location().unwrap_or_else(|| panic!("{}", end.page().name()));
    let home = portal.open(back.as_str()).await;
    assert!(home.page().has("claims"), "{}", home.page().text);
    portal
}

#[tokio::test]
async fn signing_out_at_one_sandbox_portal_or_a_lock_ends_the_other() {
    let idp = Sandbox::shared();
    let papers = json!({"claims": {
        "address": {"formatted": "Số 7 phố Thử Nghiệm, Hà Nội", "country": "VN"}, "vn_bhxh": "0123456789",
    }});
    for by_lock in [false, true] {
        let (holder, visitor) = (idp.holder(2, papers.clone()), idp.visitor());
        let national = at_portal(idp, 2, &visitor, &holder).await;
        let ministry = at_portal(idp, 3, &visitor, &holder).await;
        assert!(ministry.get("/").await.page().has("claims"), "control");
        if by_lock {
            idp.lock(&holder);
        } else {
            let home = national.get("/").await;
            let form = home.page().press("sign-out", &[], &[]);
            let left = national.submit_once(&home, &form, &[]).await;
            let back = visitor.open(left.location().unwrap().as_str()).await;
            assert!(back.returned().is_some_and(|returned| returned.address.ends_with("/signed-out")));
        }
        let end = Instant::now() + SOON;
        while ministry.get("/").await.page().has("claims") {
            assert!(Instant::now() < end, "the other portal was not told");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let page = ministry.get("/").await.page();
        assert!(page.has("signed-out-elsewhere") && page.has("sign-in"), "{}", page.text);
        assert_eq!(national.get("/").await.page().has("signed-out-elsewhere"), by_lock);
    }
    // What is no logout token of the provider's ends nothing.
    let ministry = Visitor::new(&idp.neighbour(3));
    for fields in [vec![], pairs(&[("logout_token", "a.b.c")])] {
        assert_eq!(ministry.post("/backchannel-logout", &fields, &[]).await.status, 400);
    }
}

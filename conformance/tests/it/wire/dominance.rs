//! `security.md` 5, property 6: lock dominance over every route there is. Each route that gives a holder something is
//! driven for two holders in the same position, one of them locked meanwhile: it gives to the one and not to the other.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::transactions::{asking, details, payer, reference};
use crate::support::abroad::Abroad;
use crate::support::app::{Phone, approval};
use crate::support::ask::Ask;
use crate::support::attempt::{Attempt, Way};
use crate::support::authenticator::{Authenticator, options, posted};
use crate::support::equipped::{Ways, at_qr, proved, typed};
use crate::support::flow::{Will, consent_form, sign_in_form};
use crate::support::holder::Holder;
use crate::support::op::Manner;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::totp::{App, step};
use crate::support::wire::Visitor;

/// What a locked holder, or a client on their behalf, meets at each route of the provider. `security.md` 5 property 6.
/// A route that is not named here fails the test: whoever adds one says what a lock means for it.
const DOMINANCE: &[(&str, Under)] = &[
    ("/.well-known/openid-configuration", Under::Nobody),
    ("/.well-known/oauth-authorization-server", Under::Nobody),
    ("/jwks", Under::Nobody),
    ("/authorize", Under::Refused),
    ("/par", Under::Nobody),
    ("/token", Under::Refused),
    ("/userinfo", Under::Refused),
    ("/introspect", Under::Refused),
    ("/revoke", Under::TakesAway),
    ("/trace", Under::Nobody),
    ("/register", Under::Nobody),
    ("/register/{client_id}", Under::Nobody),
    ("/end-session", Under::TakesAway),
    ("/sign-out", Under::TakesAway),
    ("/signed-out", Under::TakesAway),
    ("/check-session", Under::Nobody),
    ("/", Under::Nobody),
    ("/identity", Under::Refused),
    ("/lock", Under::Refused),
    ("/lock-done", Under::Nobody),
    ("/unlock", Under::Opens),
    ("/enrol", Under::Nobody),
    ("/activate", Under::Nobody),
    ("/passkey", Under::Refused),
    ("/new-passkey", Under::Refused),
    ("/new-totp", Under::Refused),
    ("/recover", Under::Refused),
    ("/qr", Under::Refused),
    ("/qr/stage", Under::Refused),
    ("/app", Under::Refused),
    ("/app/bind", Under::Refused),
    ("/app/scan", Under::Refused),
    ("/app/approve", Under::Refused),
    ("/app/decline", Under::TakesAway),
    ("/upstream/{name}", Under::Nobody),
    ("/upstream/{name}/callback", Under::Refused),
    ("/upstream/{name}/logout", Under::TakesAway),
    ("/link", Under::Refused),
    ("/sign-in", Under::Refused),
    ("/otp", Under::Refused),
    ("/consent", Under::Refused),
    ("/transaction", Under::Refused),
    ("/represent", Under::Refused),
    ("/{explained:level|guardian|locked|not-activated|card-expired}", Under::Explains),
    ("/logo/{client_id}", Under::Nobody),
    ("/assets/{name}", Under::Nobody),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Under {
    /// It asks and answers about no holder.
    Nobody,
    /// It only ends things.
    TakesAway,
    /// It gives nothing to a locked holder: driven below.
    Refused,
    /// It says why.
    Explains,
    /// It removes the holder's own ground and issues nothing.
    Opens,
}

/// One holder in the middle of everything, with one request left to each route.
struct Position {
    holder: Holder,
    /// Signed in at level 2.
    own: Arc<Visitor>,
    /// In an order in which none takes from a later one what it needs.
    left: Vec<(&'static str, Attempt)>,
}

impl Position {
    fn add(&mut self, route: &'static str, way: Way, browser: impl Into<Arc<Visitor>>) {
        self.left.push((route, Attempt { way, browser: browser.into() }));
    }
}

/// Portals: one, one that has no consent yet, one that asks to approve transactions.
struct Portals {
    client: RelyingParty,
    unknown: RelyingParty,
    payer: RelyingParty,
    /// Serves organisations, too.
    business: RelyingParty,
}

async fn position(abroad: &Abroad, portals: &Portals) -> Position {
    let idp = &abroad.sandbox;
    let (holder, own) = (idp.citizen(), Arc::new(idp.visitor()));
    let ways = abroad.equipped(&own, &holder).await;
    let mut at = Position { holder, own, left: Vec::new() };
    issued(idp, portals, &mut at).await;
    step_ups(idp, portals, &mut at, &ways).await;
    consents(idp, portals, &mut at).await;
    sign_ins(abroad, portals, &mut at, &ways).await;
    represents(idp, portals, &mut at, &ways).await;
    by_app(idp, portals, &mut at, ways.phone).await;
    let (browser, page, enter, sub) = abroad.linking(&at.holder).await;
    at.add("/link", Way::Link(Box::new(page), enter, sub), browser);
    changes(idp, portals, &mut at).await;
    // A right password ends it: begun after every one of the making, brought before every one that is left.
    let (browser, page, enter) = idp.recovering(&at.own, &at.holder).await;
    let way = Way::Recover(Box::new(page), enter, "new-password");
    at.left.insert(0, ("/recover", Attempt { way, browser: Arc::new(browser) }));
    at
}

/// What was issued, and what a session is shown.
async fn issued(idp: &Sandbox, portals: &Portals, at: &mut Position) {
    let (client, own) = (&portals.client, Arc::clone(&at.own));
    let ask = || Ask::of(client).scope("openid profile offline_access");
    let tokens = idp.tokens(&own, client, ask(), &at.holder).await;
    let unspent = ask();
    let code = idp.authorize(&own, &unspent, &at.holder).await.code();
    let silent = ask().with("prompt", "none");
    let target = silent.target();
    at.add("/authorize", Way::Open(target, Some((client.clone(), silent))), Arc::clone(&own));
    at.add("/token", Way::Redeem((client.clone(), unspent), code), Arc::clone(&own));
    let refresh = Mutex::new(tokens.refresh().to_owned());
    at.add("/token", Way::Refresh(client.clone(), refresh), Arc::clone(&own));
    at.add("/userinfo", Way::Read(client.clone(), tokens.access().to_owned()), Arc::clone(&own));
    at.add("/introspect", Way::Introspect(client.clone(), tokens.access().to_owned()), Arc::clone(&own));
    for page in ["/identity", "/lock", "/new-passkey", "/app"] {
        at.add(page, Way::Open(page.to_owned(), None), Arc::clone(&own));
    }
}

/// A password was taken; the second factor is to be given, each of them in a browser of its own.
async fn step_ups(idp: &Sandbox, portals: &Portals, at: &mut Position, ways: &Ways) {
    let client = &portals.client;
    for way in ["sms", "app", "passkey"] {
        let (browser, ask, page) = idp.half_way(client, &at.holder).await;
        let (route, page, form) = match way {
            "sms" => {
                let page = browser.submit(&page, &page.page().press("use-sms", &[], &[])).await;
                let form = typed(&page, &idp.otp(&at.holder.phone).await);
                ("/otp", page, form)
            }
            "app" => {
                let form = typed(&page, &ways.unused_code());
                ("/otp", page, form)
            }
            _ => {
                let page = browser.open(&format!("/passkey?{}", page.url.query().unwrap())).await;
                let form = proved(&page, &ways.passkey);
                ("/passkey", page, form)
            }
        };
        at.add(route, Way::Press(Box::new(page), form, Some((client.clone(), ask))), browser);
    }
}

/// What a session is asked to allow.
async fn consents(idp: &Sandbox, portals: &Portals, at: &mut Position) {
    let (unknown, payer, own) = (&portals.unknown, &portals.payer, Arc::clone(&at.own));
    let ask = Ask::of(unknown).scope("openid profile");
    let page = own.open(&ask.target()).await;
    let allow = consent_form(&page, Will::AllowAll);
    at.add("/consent", Way::Press(Box::new(page), allow, Some((unknown.clone(), ask))), Arc::clone(&own));
    let ask = asking(payer, &details(&reference()));
    let page = own.open(&ask.target()).await;
    let page = own.submit(&page, &page.page().press("use-sms", &[], &[])).await;
    let page = idp.enter_otp(&own, &page, &at.holder).await;
    let page = idp.walk(&own, page, &at.holder, Will::AllowAll).await;
    assert_eq!(page.page().name(), "transaction", "{}", page.page().text);
    let allow = page.page().press("allow", &[], &[]);
    at.add("/transaction", Way::Press(Box::new(page), allow, Some((payer.clone(), ask))), own);
}

async fn sign_ins(abroad: &Abroad, portals: &Portals, at: &mut Position, ways: &Ways) {
    let (idp, client) = (&abroad.sandbox, &portals.client);
    let (browser, ask) = (idp.visitor(), Ask::of(client));
    let page = browser.open(&ask.target()).await;
    let form = sign_in_form(&page, &at.holder.number, &at.holder.password);
    at.add("/sign-in", Way::Press(Box::new(page), form, Some((client.clone(), ask))), browser);
    let (browser, ask) = (idp.visitor(), Ask::of(client));
    let page = browser.open(&ask.target()).await;
    let form = proved(&page, &ways.passkey);
    at.add("/sign-in", Way::Press(Box::new(page), form, Some((client.clone(), ask))), browser);
    let (browser, ask) = (idp.visitor(), Ask::of(client));
    let target = abroad.on_the_way(&browser, &ask, Manner::of(&ways.sub)).await;
    at.add("/upstream/{name}/callback", Way::Open(target, Some((client.clone(), ask))), browser);
}

/// Signed in at level 2, asked for whom, and about to say so.
async fn represents(idp: &Sandbox, portals: &Portals, at: &mut Position, ways: &Ways) {
    idp.organisation(json!([{"person_number": at.holder.number, "role": "legal"}]));
    let (browser, ask) = (idp.visitor(), Ask::of(&portals.business));
    let page = browser.open(&ask.target()).await;
    let page = browser.submit(&page, &proved(&page, &ways.passkey)).await;
    assert_eq!(page.page().name(), "represent", "{}", page.page().text);
    let form = page.page().press("for-1", &[], &[]);
    at.add("/represent", Way::Press(Box::new(page), form, Some((portals.business.clone(), ask))), browser);
}

/// Codes for the app: one not seen yet, one that waits for a yes, one that has it.
async fn by_app(idp: &Sandbox, portals: &Portals, at: &mut Position, phone: Phone) {
    let ask = || Ask::of(&portals.client);
    let browser = Arc::new(idp.visitor());
    let asked = ask();
    let (page, code) = at_qr(&browser, &asked).await;
    phone.confirm(&code, &["passcode"]).await;
    let news = page.page().by_id("news").unwrap().attribute("data-news").unwrap().to_owned();
    at.add("/qr/stage", Way::Stage(news), Arc::clone(&browser));
    let asked = Some((portals.client.clone(), asked));
    at.add("/qr", Way::Open(page.url.to_string(), asked), browser);
    let browser = idp.visitor();
    let (_, code) = at_qr(&browser, &ask()).await;
    at.add("/app/scan", Way::Scan(Box::new(Phone::of(phone.device.clone())), code), browser);
    let browser = idp.visitor();
    let (page, code) = at_qr(&browser, &ask()).await;
    let scanned = phone.scan(&code).await;
    let said = approval(&code, &scanned, &code.number, &["face"]);
    at.add("/app/approve", Way::Approve(Box::new(phone), said, Box::new(page)), browser);
}

/// What the holder changes: it takes from what stands.
async fn changes(idp: &Sandbox, portals: &Portals, at: &mut Position) {
    let own = Arc::clone(&at.own);
    let code = idp.binding_code(&own, &at.holder).await;
    at.add("/app/bind", Way::Bind(code, Mutex::default()), idp.visitor());
    let page = own.open("/identity").await;
    let withdraw = page.page().press(&format!("withdraw-{}", portals.client.id), &[], &[]);
    at.add("/identity", Way::Press(Box::new(page), withdraw, None), Arc::clone(&own));
    let page = own.open("/new-passkey").await;
    let made = Authenticator::new(&idp.issuer).make(&options(&page.page()), |_| {});
    let form = posted(&page.page(), &made.json());
    at.add("/new-passkey", Way::Press(Box::new(page), form, None), Arc::clone(&own));
    let page = own.open("/new-totp").await;
    let form = typed(&page, &App::shown(&page).code_at(step()));
    at.add("/new-totp", Way::Press(Box::new(page), form, None), own);
}

#[tokio::test]
async fn property_6_lock_dominance_over_the_route_table() {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../idp/src/web/mod.rs")).unwrap();
    let routes: Vec<&str> = table.split("resource(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 20, "{routes:?}");
    for route in &routes {
        assert!(DOMINANCE.iter().any(|(known, _)| known == route), "{route}: what does a lock mean for it?");
    }
    let abroad = Abroad::shared();
    let idp = &abroad.sandbox;
    let portals = Portals {
        client: idp.confidential(),
        unknown: idp.confidential(),
        payer: payer(idp, json!({})),
        business: idp.client(json!({"vn_holders": ["citizen", "foreigner", "organisation"]})),
    };
    for locked in [false, true] {
        let Position { holder, own, left } = position(abroad, &portals).await;
        for (route, _) in DOMINANCE.iter().filter(|(_, under)| *under == Under::Refused) {
            assert!(left.iter().any(|(driven, _)| driven == route), "{route} is not driven");
        }
        if locked {
            idp.lock(&holder);
        }
        for (route, attempt) in &left {
            let won = attempt.once(idp).await;
            assert_eq!(won.is_refused(), locked, "{route}, {}", if locked { "locked" } else { "control" });
        }
        if locked {
            for (route, attempt) in &left {
                let at = attempt.browser.open("/identity").await;
                assert_eq!(at.page().name(), "sign-in", "{route}: somebody is signed in");
            }
            assert_eq!(idp.trail_count(&holder, "eid_unlocked"), 0);
            assert_eq!(own.open("/").await.status, 200);
        }
    }
}

/// With the session there was and the interaction it was in, a page shows nothing of a locked holder's and takes nothing.
#[tokio::test]
async fn property_6_no_page_shows_a_locked_holder_anything() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    let consent = visitor.open(&Ask::of(&idp.confidential()).scope("openid profile").target()).await;
    let interaction = consent.url.query().unwrap().to_owned();
    let identity = visitor.open("/identity").await;
    assert!(identity.body.contains(&holder.name), "control");
    let token = identity.page().press("sign-out-everywhere", &[], &[]);
    idp.lock(&holder);
    let asked_first = ["/authorize", "/token", "/userinfo", "/introspect", "/sign-in", "/recover"];
    let is_page = |route: &str| !route.starts_with("/app/") && !route.contains('{') && !asked_first.contains(&route);
    let refused = DOMINANCE.iter().filter(|(route, under)| *under == Under::Refused && is_page(route));
    for (page, _) in refused {
        let shown = visitor.open(&format!("{page}?{interaction}")).await;
        assert!(!shown.body.contains(&holder.name), "{page} shows a locked holder");
        assert!(shown.returned().and_then(|back| back.get("code").map(str::to_owned)).is_none(), "{page}");
        let name = shown.page().name().to_owned();
        let led_away = ["sign-in", "locked", "error", "upstream", "qr", ""].contains(&name.as_str());
        assert!(led_away, "{page}: {name}");
        let posted = visitor.post(&format!("{page}?{interaction}"), &token.fields, &[]).await;
        let to = posted.location().map(|to| to.path().to_owned()).unwrap_or_default();
        let refused = posted.status >= 400 || ["/identity", "/lock", "/sign-in"].contains(&to.as_str());
        assert!(refused && !posted.body.contains(&holder.name), "{page}: {} {to}", posted.status);
    }
}

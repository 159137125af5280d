//! `security.md` LK-13, F-31, F-39: a node cut off from the short memory or from the store serves nothing to a holder who
//! was locked meanwhile – it asks SQL, or fails – and does not do so when it is back either.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::backing::Backing;
use crate::support::cable::{Cable, State};
use crate::support::flow::{Tokens, Will, consent_form};
use crate::support::holder::Holder;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

/// A server's host and port, as its URL has them.
fn address(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

/// What one holder holds at the node that will be cut off.
struct Held {
    /// As registered, and as it calls that node.
    registered: RelyingParty,
    client: RelyingParty,
    browser: Visitor,
    tokens: Tokens,
    unspent: (Ask, String),
    consent: Answer,
}

async fn held(idp: &Sandbox, node: &str, holder: &Holder) -> Held {
    let client = idp.confidential();
    let visitor = idp.visitor();
    let ask = || Ask::of(&client).scope("openid profile offline_access");
    let tokens = idp.tokens(&visitor, &client, ask(), holder).await;
    let unspent = ask();
    let code = idp.authorize(&visitor, &unspent, holder).await.code();
    let browser = Visitor::new(node);
    browser.set_cookies(visitor.cookies());
    let consent = browser.open(&Ask::of(&idp.confidential()).scope("openid profile").target()).await;
    assert_eq!(consent.page().name(), "consent", "control");
    // A stranger's page is counted in the short memory.
    assert_eq!(Visitor::new(node).open(&ask().target()).await.page().name(), "sign-in", "control");
    let (registered, client) = (client.clone(), RelyingParty { issuer: node.to_owned(), ..client });
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    assert_eq!(client.introspect(tokens.access()).await["active"], json!(true), "control");
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200, "control");
    let silent = Ask::of(&client).with("prompt", "none");
    assert!(browser.get(&silent.target()).await.returned().unwrap().get("code").is_some(), "control");
    Held { registered, client, browser, tokens, unspent: (unspent, code), consent }
}

/// Every request at once; each refused, or, where the store is out of reach, told to come back.
async fn serves_nothing(held: &Held, fails: bool, what: &str) {
    let Held { registered, client, browser, tokens, unspent: (ask, code), consent } = held;
    let silent = Ask::of(client).with("prompt", "none");
    let (silently, allow) = (silent.target(), consent_form(consent, Will::AllowAll));
    let introspection = [("token", tokens.access())];
    let (read, refreshed, redeemed, told, returned, consented) = tokio::join!(
        client.userinfo(tokens.access()),
        client.refresh(tokens.refresh()),
        client.redeem(code, &ask.verifier),
        client.call("/introspect", &introspection),
        browser.get(&silently),
        browser.submit_once(consent, &allow, &[]),
    );
    if fails {
        for answer in [&read, &refreshed, &redeemed, &told, &returned, &consented] {
            assert_eq!(answer.status, 503, "{what}: {} {}", answer.url.path(), answer.body);
        }
        return;
    }
    assert_eq!(read.status, 401, "{what}: {}", read.body);
    for answer in [&refreshed, &redeemed] {
        verdict::token_error(answer, 400, "invalid_grant");
    }
    assert_eq!(told.json(), json!({"active": false}), "{what}");
    verdict::redirect(&returned, registered, &silent, "login_required");
    let code = consented.returned().and_then(|back| back.get("code").map(str::to_owned));
    assert!(code.is_none(), "{what}: {code:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_13_a_node_cut_off_while_a_lock_is_ordered_serves_nothing() {
    let idp = Sandbox::fresh();
    // F-20: an embedded store has one server.
    let Backing::Servers { database, redis } = &idp.backing else { return };
    let (store, memory) = (Cable::to(&address(database)), Cable::to(&address(redis)));
    let [through_store, through_memory] = [store.instead_of(database), memory.instead_of(redis)];
    let cables = [("IDP_DATABASE__URL", through_store.as_str()), ("IDP_EPHEMERAL__URL", through_memory.as_str())];
    let node = idp.beside_with(&cables).await.unwrap();
    for (what, cable, state) in [
        ("the short memory is gone", &memory, State::Cut),
        ("the short memory is silent", &memory, State::Silent),
        ("the store is gone", &store, State::Cut),
        ("the store is silent", &store, State::Silent),
    ] {
        let holder = idp.citizen();
        let held = held(&idp, &node.address, &holder).await;
        assert!(cable.carried() > 0, "control: the node speaks through the cable");
        cable.be(state);
        tokio::task::block_in_place(|| idp.lock(&holder));
        serves_nothing(&held, std::ptr::eq(cable, &store), what).await;
        cable.be(State::Whole);
        assert!(is_back(&node.address).await, "{what}: the node does not come back");
        serves_nothing(&held, false, &format!("{what}, and back")).await;
    }
}

/// Whether the node reads its store again.
async fn is_back(node: &str) -> bool {
    let visitor = Visitor::new(node);
    for _ in 0..500 {
        let answer = visitor.send("GET", "/userinfo", &[("authorization", "Bearer unknown")], None).await;
        if answer.status == 401 {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    false
}

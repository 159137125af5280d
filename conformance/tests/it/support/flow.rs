//! Journeys through the pages by their stable hooks (`contract.md` 6), from a request to its answer.

use serde_json::Value;

use super::ask::Ask;
use super::holder::Holder;
use super::page::Submission;
use super::relying_party::RelyingParty;
use super::sandbox::Sandbox;
use super::wire::{Answer, Returned, Visitor};

/// What the holder does on the consent page.
#[derive(Clone, Copy, Debug)]
pub enum Will<'a> {
    AllowAll,
    Allow(&'a [&'a str]),
    Deny,
}

/// A redeemed code and what it was asked with.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub body: Value,
    pub code: String,
    pub ask: Ask,
}

impl Tokens {
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    pub fn access(&self) -> &str {
        self.text("access_token")
    }

    pub fn refresh(&self) -> &str {
        self.text("refresh_token")
    }

    pub fn id_token(&self) -> &str {
        self.text("id_token")
    }
}

impl Sandbox {
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.issuer)
    }

    /// Goes through every page the provider shows until it answers the client, or shows a page that asks nothing.
    pub async fn walk(&self, visitor: &Visitor, mut at: Answer, holder: &Holder, will: Will<'_>) -> Answer {
        for _ in 0..8 {
            if at.returned().is_some() {
                return at;
            }
            let page = at.page();
            at = match page.name() {
                "sign-in" => self.sign_in(visitor, &at, holder).await,
                "otp" => self.enter_otp(visitor, &at, holder).await,
                "consent" => visitor.submit(&at, &consent_form(&at, will)).await,
                _ => return at,
            };
        }
        panic!("no end after eight pages, last {:?}", at.page().name());
    }

    pub async fn sign_in(&self, visitor: &Visitor, at: &Answer, holder: &Holder) -> Answer {
        visitor.submit(at, &sign_in_form(at, &holder.number, &holder.password)).await
    }

    pub async fn enter_otp(&self, visitor: &Visitor, at: &Answer, holder: &Holder) -> Answer {
        let otp = self.otp(&holder.phone).await;
        visitor.submit(at, &at.page().press("submit", &[("otp", &otp)], &[])).await
    }

    /// The whole way from the request to the authorization response.
    pub async fn authorize(&self, visitor: &Visitor, ask: &Ask, holder: &Holder) -> Returned {
        let first = visitor.open(&ask.target()).await;
        let end = self.walk(visitor, first, holder, Will::AllowAll).await;
        end.returned().unwrap_or_else(|| {
            let (page, at) = (end.page(), end.url.path());
            panic!(
                "ended at {at} with {}, on page {:?}: {}; headers {:?}",
                end.status,
                page.name(),
                page.text,
                end.headers
            )
        })
    }

    /// The whole way from the request to tokens.
    pub async fn tokens(&self, visitor: &Visitor, client: &RelyingParty, ask: Ask, holder: &Holder) -> Tokens {
        let code = self.authorize(visitor, &ask, holder).await.code();
        redeemed(client, ask, code).await
    }

    /// Tokens of a new visitor with `openid profile offline_access`.
    pub async fn offline_tokens(&self, client: &RelyingParty, holder: &Holder) -> Tokens {
        let ask = Ask::of(client).scope("openid profile offline_access");
        self.tokens(&self.visitor(), client, ask, holder).await
    }
}

pub async fn redeemed(client: &RelyingParty, ask: Ask, code: String) -> Tokens {
    let answer = client.redeem(&code, &ask.verifier).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Tokens { body: answer.json(), code, ask }
}

pub fn sign_in_form(at: &Answer, number: &str, password: &str) -> Submission {
    at.page().press("submit", &[("person_number", number), ("password", password)], &[])
}

pub fn consent_form(at: &Answer, will: Will<'_>) -> Submission {
    let page = at.page();
    let ids: Vec<String> = match will {
        Will::AllowAll => page.boxes().iter().map(|claim| format!("claim-{claim}")).collect(),
        Will::Allow(claims) => claims.iter().map(|claim| format!("claim-{claim}")).collect(),
        Will::Deny => return page.press("deny", &[], &[]),
    };
    for id in &ids {
        assert!(page.has(id), "no #{id} on the consent page");
    }
    page.press("allow", &[], &ids.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Presses `#back-to-client` of a page that says no, link or button.
pub async fn back_to_client(visitor: &Visitor, at: &Answer) -> Answer {
    let page = at.page();
    let back = page.by_id("back-to-client").unwrap_or_else(|| panic!("no #back-to-client on {:?}", page.name()));
    match back.attribute("href") {
        Some(to) => {
            let to = at.url.join(to).unwrap();
            assert_eq!(to.origin(), at.url.origin(), "the answer leaves through our own endpoint");
            visitor.open(to.as_str()).await
        }
        None => visitor.submit(at, &page.press("back-to-client", &[], &[])).await,
    }
}

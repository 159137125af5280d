//! What may succeed before a lock and never after, and what becomes of what it won.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use conformance::device::Device;
use serde_json::{Value, json};

use super::Ground;
use super::field::at_qr;
use crate::support::abroad::back;
use crate::support::app::{Phone, refusal};
use crate::support::ask::Ask;
use crate::support::flow::{Tokens, sign_in_form};
use crate::support::holder::Holder;
use crate::support::op::Manner;
use crate::support::page::Submission;
use crate::support::relying_party::RelyingParty;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

/// Whose code an attempt may win, and what it was asked with.
pub type Asked = (RelyingParty, Ask);

pub enum Way {
    /// A request by its address.
    Open(String, Option<Asked>),
    /// A form of a page that was opened before.
    Press(Box<Answer>, Submission, Option<Asked>),
    Redeem(Asked, String),
    Refresh(RelyingParty, Mutex<String>),
    Read(RelyingParty, String),
    Introspect(RelyingParty, String),
    /// The app approves the sign-in this screen waits with.
    Approve(Box<Phone>, Value, Box<Answer>),
    /// A new app types the holder's code.
    Bind(String, Mutex<Option<Device>>),
    /// The last press of a linking to this subject.
    Link(Box<Answer>, Submission, String),
    /// A step of a recovery, and the one it leads to.
    Recover(Box<Answer>, Submission, &'static str),
}

/// What an attempt brought home, to be found dead afterwards.
pub enum Won {
    Refused,
    /// Nothing that could be used again by itself: whether a session came of it, its browser tells.
    Done,
    Code(Asked, String),
    Tokens(Tokens),
}

pub struct Attack {
    pub name: &'static str,
    pub way: Way,
    /// Whoever signs in or steps up has a browser of their own: it takes the session of its browser further, and a press
    /// under way with the old cookie would be a stranger's (SE-01).
    pub browser: Arc<Visitor>,
    /// Again and again until it comes too late, or once.
    pub again: bool,
    pub after: Duration,
}

/// The new password of a recovery that went through.
pub const NEW_PASSWORD: &str = "bốn con trâu gặm cỏ";

pub fn step_of(at: &Answer) -> String {
    let page = at.page();
    page.all("body").find_map(|body| body.attribute("data-step")).unwrap_or_default().to_owned()
}

/// What an answer to a browser gave: a code, a session, or the thing itself.
fn given(answer: &Answer, asked: Option<&Asked>) -> Won {
    assert!(answer.status < 500, "{} {}", answer.status, answer.body);
    if let (Some(asked), Some(returned)) = (asked, answer.returned())
        && let Some(code) = returned.get("code")
    {
        return Won::Code(asked.clone(), code.to_owned());
    }
    let session = answer.cookies_named("__Host-idp_session");
    let raised = session.iter().any(|cookie| !cookie.contains("Max-Age=0"));
    let done = answer.location().is_some_and(|to| to.query().unwrap_or_default().contains("done="));
    let shown = answer.status == 200 && answer.page().name() == "identity";
    if raised || done || shown { Won::Done } else { Won::Refused }
}

fn done_if(won: bool) -> Won {
    if won { Won::Done } else { Won::Refused }
}

impl Attack {
    pub async fn once(&self, ground: &Ground) -> Won {
        let browser = &self.browser;
        match &self.way {
            Way::Open(target, asked) => given(&browser.get(target).await, asked.as_ref()),
            Way::Press(page, form, asked) => given(&browser.submit_once(page, form, &[]).await, asked.as_ref()),
            Way::Link(page, form, _) => given(&browser.submit_once(page, form, &[]).await, None),
            Way::Redeem((client, ask), code) => {
                let answer = client.redeem(code, &ask.verifier).await;
                if answer.status == 200 {
                    return Won::Tokens(Tokens { body: answer.json(), code: code.clone(), ask: ask.clone() });
                }
                verdict::token_error(&answer, 400, "invalid_grant");
                Won::Refused
            }
            Way::Refresh(client, newest) => {
                let token = newest.lock().unwrap().clone();
                let answer = client.refresh(&token).await;
                if answer.status != 200 {
                    verdict::token_error(&answer, 400, "invalid_grant");
                    return Won::Refused;
                }
                let body = answer.json();
                body["refresh_token"].as_str().unwrap().clone_into(&mut newest.lock().unwrap());
                Won::Tokens(Tokens { body, code: String::new(), ask: Ask::of(client) })
            }
            Way::Read(client, token) => {
                let status = client.userinfo(token).await.status;
                assert!(status == 200 || status == 401, "{status}");
                done_if(status == 200)
            }
            Way::Introspect(client, token) => done_if(client.introspect(token).await["active"] == json!(true)),
            Way::Approve(phone, said, _) => done_if(phone.say("approve", said.clone()).await.status == 200),
            Way::Bind(code, bound) => {
                let (answer, device) = ground.abroad.sandbox.bind(code).await;
                *bound.lock().unwrap() = (answer.status == 200).then_some(device);
                done_if(answer.status == 200)
            }
            Way::Recover(page, form, next) => done_if(step_of(&browser.submit(page, form).await) == *next),
        }
    }

    /// After the lock: nothing of what was won works, and no session came of it.
    pub async fn is_dead(&self, won: &[Won], ground: &Ground, holder: &Holder) {
        let abroad = &ground.abroad;
        let at = self.browser.open("/identity").await;
        assert_eq!(at.page().name(), "sign-in", "{}: a session outlived the lock", self.name);
        for one in won {
            if let Won::Code((client, ask), code) = one {
                verdict::token_error(&client.redeem(code, &ask.verifier).await, 400, "invalid_grant");
            }
        }
        if !won.iter().any(|one| matches!(one, Won::Done)) {
            return;
        }
        match &self.way {
            Way::Approve(_, _, screen) => {
                let end = self.browser.open(screen.url.as_str()).await;
                assert!(end.returned().is_none(), "{}: the approval entered after the lock", self.name);
            }
            Way::Bind(_, bound) => {
                let device = bound.lock().unwrap().take().unwrap();
                let (_, code) = at_qr(&abroad.sandbox.visitor(), &Ask::of(&ground.clients[0])).await;
                assert_eq!(refusal(&Phone::of(device).scan(&code).await), "account_barred");
            }
            Way::Link(_, _, sub) => {
                let stranger = abroad.sandbox.visitor();
                let departed = abroad.depart(&stranger, "plain").await;
                let code = abroad.plain.code(&departed, Manner::of(sub));
                let at = stranger.open(&back("plain", &departed, &[("code", &code)])).await;
                assert_eq!(at.page().name(), "locked", "{}", at.page().text);
            }
            Way::Recover(_, _, "done") => {
                let stranger = abroad.sandbox.visitor();
                let at = abroad.door(&stranger).await;
                let at = stranger.submit(&at, &sign_in_form(&at, &holder.number, NEW_PASSWORD)).await;
                assert_eq!(at.page().name(), "locked", "{}", at.page().text);
            }
            Way::Recover(..) => assert_eq!(step_of(&self.browser.open("/recover").await), "over"),
            _ => {}
        }
    }
}

/// How often each of them won.
#[derive(Default)]
pub struct Tally(std::collections::BTreeMap<&'static str, usize>);

impl Tally {
    pub fn count(&mut self, attack: &Attack, won: &[Won]) {
        let wins = won.iter().filter(|one| !matches!(one, Won::Refused)).count();
        *self.0.entry(attack.name).or_default() += wins;
    }

    pub fn told(&self) -> String {
        self.0.iter().map(|(name, wins)| format!("{name} {wins}")).collect::<Vec<_>>().join(", ")
    }
}

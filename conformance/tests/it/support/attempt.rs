//! One attempt to get something of a holder's, made ready so that a single request is left, and what it brings.

use std::sync::{Arc, Mutex};

use conformance::device::Device;
use serde_json::{Value, json};

use super::app::{Code, Phone};
use super::ask::Ask;
use super::flow::Tokens;
use super::page::Submission;
use super::relying_party::RelyingParty;
use super::sandbox::Sandbox;
use super::verdict;
use super::wire::{Answer, Visitor};

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
    /// The app looks at the sign-in of this code.
    Scan(Box<Phone>, Code),
    /// The app approves the sign-in this screen waits with.
    Approve(Box<Phone>, Value, Box<Answer>),
    /// The screen asks whether it was approved.
    Stage(String),
    /// A new app types the holder's code.
    Bind(String, Mutex<Option<Device>>),
    /// The last press of a linking to this subject.
    Link(Box<Answer>, Submission, String),
    /// A step of a recovery, and the one it leads to.
    Recover(Box<Answer>, Submission, &'static str),
}

pub enum Won {
    Refused,
    /// Nothing that could be used again by itself: whether a session came of it, its browser tells.
    Done,
    Code(Asked, String),
    Tokens(Tokens),
}

impl Won {
    pub fn is_refused(&self) -> bool {
        matches!(self, Won::Refused)
    }
}

pub struct Attempt {
    pub way: Way,
    pub browser: Arc<Visitor>,
}

/// The step a page of several is at.
pub fn step_of(at: &Answer) -> String {
    let page = at.page();
    page.all("body").find_map(|body| body.attribute("data-step")).unwrap_or_default().to_owned()
}

/// Pages that are shown to whoever is signed in.
const OWN: [&str; 5] = ["identity", "lock", "app", "new-passkey", "new-totp"];

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
    done_if(raised || done)
}

fn done_if(won: bool) -> Won {
    if won { Won::Done } else { Won::Refused }
}

impl Attempt {
    pub async fn once(&self, idp: &Sandbox) -> Won {
        let browser = &self.browser;
        match &self.way {
            Way::Open(target, asked) => {
                let answer = browser.get(target).await;
                let shown = answer.status == 200 && OWN.contains(&answer.page().name());
                if shown { Won::Done } else { given(&answer, asked.as_ref()) }
            }
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
            Way::Refresh(client, newest) => refreshed(client, newest).await,
            Way::Read(client, token) => {
                let status = client.userinfo(token).await.status;
                assert!(status == 200 || status == 401, "{status}");
                done_if(status == 200)
            }
            Way::Introspect(client, token) => done_if(client.introspect(token).await["active"] == json!(true)),
            Way::Scan(phone, code) => done_if(phone.scan(code).await.status == 200),
            Way::Approve(phone, said, _) => done_if(phone.say("approve", said.clone()).await.status == 200),
            Way::Stage(target) => done_if(browser.get(target).await.json()["stage"] == json!("approved")),
            Way::Bind(code, bound) => {
                let (answer, device) = idp.bind(code).await;
                *bound.lock().unwrap() = (answer.status == 200).then_some(device);
                done_if(answer.status == 200)
            }
            Way::Recover(page, form, next) => done_if(step_of(&browser.submit(page, form).await) == *next),
        }
    }
}

async fn refreshed(client: &RelyingParty, newest: &Mutex<String>) -> Won {
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

//! A holder with every factor there is, and how far each way in goes before its last request.

use std::time::Duration;

use super::abroad::Abroad;
use super::app::{Code, Phone};
use super::ask::Ask;
use super::authenticator::{Authenticator, options, posted};
use super::fresh;
use super::holder::{Holder, first_six_digits};
use super::op::Manner;
use super::page::Submission;
use super::relying_party::RelyingParty;
use super::sandbox::Sandbox;
use super::totp::{App, step};
use super::wire::{Answer, Visitor};

/// What a holder signs in with.
pub struct Ways {
    pub passkey: Authenticator,
    app: App,
    /// The step whose code set the app up.
    spent: i64,
    pub phone: Phone,
    /// At `one`.
    pub sub: String,
}

impl Ways {
    /// A code of the app that was not used yet, good for at least half a minute.
    pub fn unused_code(&self) -> String {
        self.app.code_at(step().max(self.spent + 1))
    }
}

impl Abroad {
    /// The holder links an account elsewhere and, having proved password and code for it, adds every factor there is.
    pub async fn equipped(&self, own: &Visitor, holder: &Holder) -> Ways {
        let sub = fresh();
        let at = self.arrive(own, Manner::of(&sub)).await;
        assert_eq!(self.link(own, &at, holder).await.page().name(), "identity");
        let at = own.open("/new-passkey").await;
        let mut passkey = Authenticator::new(&self.sandbox.issuer);
        let made = passkey.make(&options(&at.page()), |_| {});
        assert_eq!(own.submit(&at, &posted(&at.page(), &made.json())).await.page().name(), "identity");
        let at = own.open("/new-totp").await;
        let app = App::shown(&at);
        let spent = step();
        let done = own.submit(&at, &typed(&at, &app.code_at(spent))).await;
        assert_eq!(done.page().name(), "identity", "{}", done.page().text);
        let phone = self.sandbox.phone_by(own, holder).await;
        Ways { passkey, app, spent, phone, sub }
    }
}

pub fn typed(at: &Answer, code: &str) -> Submission {
    at.page().press("submit", &[("otp", code)], &[])
}

/// The answer of a page's passkey to its challenge.
pub fn proved(at: &Answer, passkey: &Authenticator) -> Submission {
    posted(&at.page(), &passkey.prove(&options(&at.page()), |_| {}).json())
}

/// From a sign-in page to the code for the app.
pub async fn at_qr(screen: &Visitor, ask: &Ask) -> (Answer, Code) {
    let at = screen.open(&ask.target()).await;
    let link = at.page().by_id("use-qr").expect("#use-qr").attribute("href").unwrap().to_owned();
    let at = screen.open(&link).await;
    let code = Code::on(&at);
    (at, code)
}

impl Sandbox {
    /// A browser whose password was taken and that is asked for a second factor.
    pub async fn half_way(&self, client: &RelyingParty, holder: &Holder) -> (Visitor, Ask, Answer) {
        let demand = serde_json::json!({"id_token": {"acr": {"essential": true, "value": "urn:vn:eid:muc:2"}}});
        let ask = Ask::of(client).scope("openid").with("claims", &demand.to_string());
        let browser = self.visitor();
        let at = browser.open(&ask.target()).await;
        let at = self.sign_in(&browser, &at, holder).await;
        assert_eq!(at.page().name(), "otp", "{}", at.page().text);
        (browser, ask, at)
    }

    /// A recovery on the device of `own`, at the page for its code, with the code typed.
    pub async fn recovering(&self, own: &Visitor, holder: &Holder) -> (Visitor, Answer, Submission) {
        let browser = self.visitor();
        browser.set_cookies(own.cookies().into_iter().filter(|(name, _)| name.ends_with("_device")).collect());
        let at = browser.open("/recover?again=1").await;
        let number = at.page().press("submit", &[("person_number", &holder.number)], &[]);
        let at = browser.submit(&at, &number).await;
        let enter = typed(&at, &self.recovery_code(holder).await);
        (browser, at, enter)
    }

    /// It leaves beside the answer.
    async fn recovery_code(&self, holder: &Holder) -> String {
        for _ in 0..500 {
            let sent = self.messages(&holder.phone).await;
            if let Some(text) = sent.iter().find(|text| text.contains("dat lai mat khau VNeID")) {
                return first_six_digits(text);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no code for the recovery");
    }
}

impl Abroad {
    /// A linking at `plain` to a subject of its own, at its last press.
    pub async fn linking(&self, holder: &Holder) -> (Visitor, Answer, Submission, String) {
        let (sub, browser) = (fresh(), self.sandbox.visitor());
        let at = browser.open(&self.arrival_at_plain(&browser, &sub).await).await;
        let at = self.prove(&browser, &at, holder).await;
        let enter = typed(&at, &self.sandbox.otp(&holder.phone).await);
        (browser, at, enter, sub)
    }

    /// Where a browser comes back to from `plain` as this person.
    pub async fn arrival_at_plain(&self, browser: &Visitor, sub: &str) -> String {
        let departed = self.depart(browser, "plain").await;
        let code = self.plain.code(&departed, Manner::of(sub));
        super::abroad::back("plain", &departed, &[("code", &code)])
    }
}

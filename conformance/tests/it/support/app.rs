//! A VNeID app of the tests: bound through the holder's own page, then speaking JSON to the provider.

use conformance::device::Device;
use serde_json::{Value, json};

use super::holder::Holder;
use super::sandbox::Sandbox;
use super::wire::{Answer, Visitor};

/// A holder's app on its phone.
pub struct Phone {
    pub device: Device,
    visitor: Visitor,
}

/// What a screen shows.
#[derive(Clone, Debug)]
pub struct Code {
    pub payload: String,
    pub number: String,
}

impl Code {
    pub fn on(at: &Answer) -> Code {
        let page = at.page();
        assert_eq!(page.name(), "qr", "{}", page.text);
        let qr = page.by_id("qr").unwrap_or_else(|| panic!("no #qr: {}", page.text));
        assert!(qr.attribute("aria-label").is_some(), "the picture has words");
        Code { payload: qr.attribute("data-payload").unwrap().to_owned(), number: text_of(at, "qr-number") }
    }

    pub fn ticket(&self) -> &str {
        self.payload.split_once('#').unwrap().1
    }

    pub fn wrong_number(&self) -> &'static str {
        if self.number == "00" { "01" } else { "00" }
    }
}

/// The text of an element that holds nothing but text.
pub fn text_of(at: &Answer, id: &str) -> String {
    let (_, rest) = at.body.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no #{id}"));
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

impl Sandbox {
    /// Binds an app as its holder does: signs in, asks for a code, proves the second factor, types the code.
    pub async fn phone(&self, holder: &Holder) -> Phone {
        self.phone_by(&self.visitor(), holder).await
    }

    /// As `phone`, in a browser that may have proved some of it already.
    pub async fn phone_by(&self, visitor: &Visitor, holder: &Holder) -> Phone {
        let (answer, device) = self.bind(&self.binding_code(visitor, holder).await).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["holder"], json!(holder.name));
        Phone::of(device)
    }

    /// The code the holder types into a new app.
    pub async fn binding_code(&self, visitor: &Visitor, holder: &Holder) -> String {
        let mut at = visitor.open("/app").await;
        if at.page().name() == "sign-in" {
            at = self.sign_in(visitor, &at, holder).await;
        }
        assert_eq!(at.page().name(), "app", "{}", at.page().text);
        let replace = at.page().has("replace");
        let ticked: &[&str] = if replace { &["replace"] } else { &[] };
        let mut at = visitor.submit(&at, &at.page().press("bind", &[], ticked)).await;
        if at.page().has("otp") {
            at = self.enter_otp(visitor, &at, holder).await;
        }
        text_of(&at, "code")
    }

    /// A fresh app with this code.
    pub async fn bind(&self, code: &str) -> (Answer, Device) {
        let mut phone = Phone::of(Device::fresh(&self.issuer).unwrap());
        let statement = phone.device.binding(code, "Máy thử nghiệm").unwrap();
        let answer = phone.post("bind", &statement).await;
        if answer.status == 200 {
            phone.device.id = answer.json()["device"].as_str().unwrap().to_owned();
        }
        (answer, phone.device)
    }
}

impl Phone {
    pub fn of(device: Device) -> Phone {
        let visitor = Visitor::new(&device.issuer);
        Phone { device, visitor }
    }

    pub async fn scan(&self, code: &Code) -> Answer {
        let ticket = self.device.understood(&code.payload).expect("a code of our provider");
        self.say("scan", json!({"ticket": ticket})).await
    }

    pub async fn say(&self, act: &str, said: Value) -> Answer {
        let statement = self.device.statement(act, said).unwrap();
        self.post(act, &statement).await
    }

    pub async fn post(&self, act: &str, statement: &str) -> Answer {
        post(&self.visitor, act, statement).await
    }

    pub async fn approve(&self, code: &Code, scanned: &Answer, number: &str, unlock: &[&str]) -> Answer {
        self.say("approve", approval(code, scanned, number, unlock)).await
    }

    /// Scans and approves as the holder would who sits before the screen.
    pub async fn confirm(&self, code: &Code, unlock: &[&str]) {
        let scanned = self.scan(code).await;
        assert_eq!(scanned.status, 200, "{}", scanned.body);
        let approved = self.approve(code, &scanned, &code.number, unlock).await;
        assert_eq!(approved.status, 200, "{}", approved.body);
    }
}

pub fn approval(code: &Code, scanned: &Answer, number: &str, unlock: &[&str]) -> Value {
    let challenge = &scanned.json()["challenge"];
    json!({"ticket": code.ticket(), "challenge": challenge, "number": number, "unlocked_by": unlock})
}

async fn post(visitor: &Visitor, act: &str, statement: &str) -> Answer {
    let body = json!({"statement": statement}).to_string().into_bytes();
    visitor.send("POST", &format!("/app/{act}"), &[("content-type", "application/json")], Some(body)).await
}

/// The word a call was refused with.
pub fn refusal(answer: &Answer) -> String {
    assert!(answer.status >= 400, "not refused: {}", answer.body);
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}

//! Children with their guardians, foreigners and organisations of the tests.

use serde_json::{Value, json};

use super::flow::sign_in_form;
use super::holder::{Holder, record};
use super::relying_party::merge;
use super::sandbox::Sandbox;
use super::wire::{Answer, Visitor};
use super::{next, now};

/// So many years ago, at new year.
pub fn born(years: i64) -> String {
    format!("{}-01-01", 1970 + now() / 31_556_952 - years)
}

impl Sandbox {
    /// A child of ten with level 2, and the guardian, who has level 2 too.
    pub fn family(&self) -> (Holder, Holder) {
        let guardian = self.citizen();
        (guardian.clone(), self.child_of(&guardian, 10))
    }

    pub fn child_of(&self, guardian: &Holder, age: i64) -> Holder {
        self.holder(2, json!({"birthdate": born(age), "guardian": guardian.number}))
    }

    /// A foreigner of level 2; members of `patch` replace the defaults.
    pub fn foreigner(&self, patch: Value) -> Holder {
        let (line, holder) = foreigner(patch);
        self.import(&[line]);
        holder
    }

    /// An organisation with these representatives, by its code.
    pub fn organisation(&self, representatives: Value) -> Organisation {
        let organisation = Organisation::new();
        self.import(&[organisation.line(representatives)]);
        organisation
    }

    /// The guardian opens «Danh tính của tôi» and says so to the one request that waits, with a code where one is due.
    pub async fn guardian_says(&self, visitor: &Visitor, guardian: &Holder, button: &str) -> Answer {
        let mut at = visitor.open("/identity").await;
        for _ in 0..6 {
            at = match at.page().name() {
                "sign-in" => self.sign_in(visitor, &at, guardian).await,
                "otp" => self.enter_otp(visitor, &at, guardian).await,
                "identity" => match waiting(&at, button) {
                    Some(id) => visitor.submit(&at, &at.page().press(&id, &[], &[])).await,
                    None => return at,
                },
                other => panic!("{other}: {}", at.page().text),
            };
        }
        panic!("no end: {}", at.page().text)
    }

    /// The same with one press of the button, whatever comes of it.
    pub async fn guardian_says_once(&self, guardian: &Holder) -> Answer {
        let visitor = self.visitor();
        let at = visitor.open("/identity").await;
        let at = self.sign_in(&visitor, &at, guardian).await;
        let press = |at: &Answer| at.page().press(&waiting(at, "confirm").expect("a request waits"), &[], &[]);
        let otp = visitor.submit(&at, &press(&at)).await;
        let at = self.enter_otp(&visitor, &otp, guardian).await;
        visitor.submit(&at, &press(&at)).await
    }

    /// The child asks and comes to the page that waits for the guardian.
    pub async fn child_waits(&self, visitor: &Visitor, target: &str, child: &Holder) -> Answer {
        let at = visitor.open(target).await;
        let at = visitor.submit(&at, &sign_in_form(&at, &child.number, &child.password)).await;
        assert_eq!(at.page().name(), "guardian", "{}", at.page().text);
        at
    }
}

/// The button of the first request that waits on `/identity`.
pub fn waiting(at: &Answer, button: &str) -> Option<String> {
    let page = at.page();
    let mut ids = page.elements.iter().filter_map(|element| element.attribute("id"));
    ids.find(|id| id.starts_with(&format!("{button}-"))).map(str::to_owned)
}

pub fn foreigner(patch: Value) -> (Value, Holder) {
    let (mut line, mut holder) = record(2, json!({}));
    holder.number = format!("0990000{:09}", next());
    let members = line.as_object_mut().unwrap();
    members.remove("eid");
    members.remove("card");
    merge(
        &mut line,
        json!({
            "holder": "foreigner", "person_number": holder.number, "nationality": "PHL",
            "permit": {"expires": "2040-01-31"}, "passport": {"expires": "2041-01-31"}
        }),
    );
    merge(&mut line, patch);
    (line, holder)
}

pub struct Organisation {
    pub code: String,
    pub name: String,
}

impl Organisation {
    fn new() -> Organisation {
        let n = next();
        Organisation { code: format!("099{n:07}"), name: format!("Công ty TNHH Thử Nghiệm {n}") }
    }

    pub fn line(&self, representatives: Value) -> Value {
        json!({
            "holder": "organisation", "code": self.code, "name": self.name,
            "account": {"state": "activated"}, "representatives": representatives
        })
    }

    /// As the operator's commands name it.
    pub fn number(&self) -> String {
        format!("org:{}", self.code)
    }
}

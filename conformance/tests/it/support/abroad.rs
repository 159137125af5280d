//! A sandbox with other providers to sign in through, and the way there and back.

use std::sync::OnceLock;

use super::ask::Ask;
use super::backing::Backing;
use super::holder::Holder;
use super::op::{CLIENT, Departed, Manner, Op, SECRET};
use super::sandbox::Sandbox;
use super::wire::{Answer, Visitor, encode};

pub struct Abroad {
    pub sandbox: Sandbox,
    /// Names itself in every answer.
    pub one: Op,
    /// Does not, and is not asked to.
    pub plain: Op,
    /// Switched off; only to be linked; under another name; not answering; changing its keys.
    pub off: Op,
    pub only: Op,
    pub wrong: Op,
    pub flaky: Op,
    pub turning: Op,
}

/// The level their `acr` `two` is worth here.
const LEVELS: &str = "levels = {\"two\" = 2, \"four\" = 4}";

impl Abroad {
    pub fn shared() -> &'static Abroad {
        static SHARED: OnceLock<Abroad> = OnceLock::new();
        SHARED.get_or_init(Abroad::open)
    }

    pub fn open() -> Abroad {
        Abroad::on(Backing::fresh())
    }

    /// As `open`, on a backing of the test's own.
    pub fn on(backing: Backing) -> Abroad {
        let usual = || Op::open(serde_json::json!({}));
        let plain = serde_json::json!({"authorization_response_iss_parameter_supported": null});
        let (one, plain, off, only) = (usual(), Op::open(plain), usual(), usual());
        let wrong = Op::open(serde_json::json!({"issuer": "https://op.example.vn"}));
        let (flaky, turning) = (usual(), usual());
        let place = tempfile::tempdir().unwrap().keep();
        std::fs::write(place.join("secret"), SECRET).unwrap();
        let mut text = String::new();
        for (name, op, more) in [
            ("one", &one, LEVELS),
            ("plain", &plain, ""),
            ("off", &off, "enabled = false"),
            ("only", &only, "link_only = true"),
            ("wrong", &wrong, ""),
            ("flaky", &flaky, ""),
            ("turning", &turning, ""),
        ] {
            text.push_str(&format!(
                "[upstream.{name}]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"secret\"\n\
                 name_vi = \"Nơi {name}\"\n{more}\n",
                op.issuer
            ));
        }
        let file = place.join("upstream.toml");
        std::fs::write(&file, text).unwrap();
        let file: &'static str = Box::leak(file.display().to_string().into_boxed_str());
        let options: &'static [&'static str] = Box::leak(Box::new(["--upstream", file]));
        Abroad { sandbox: Sandbox::on(backing, options), one, plain, off, only, wrong, flaky, turning }
    }

    /// The sign-in page of a stranger who opened `/identity`.
    pub async fn door(&self, visitor: &Visitor) -> Answer {
        let at = visitor.open("/identity").await;
        assert_eq!(at.page().name(), "sign-in", "{}", at.page().text);
        at
    }

    /// Presses a provider's button; where that leads, not followed.
    pub async fn press(&self, visitor: &Visitor, name: &str) -> Answer {
        let at = self.door(visitor).await;
        let page = at.page();
        let button = page.by_id(&format!("upstream-{name}")).unwrap_or_else(|| panic!("no #upstream-{name}"));
        let to = at.url.join(button.attribute("href").unwrap()).unwrap();
        visitor.get(to.as_str()).await
    }

    pub async fn depart(&self, visitor: &Visitor, name: &str) -> Departed {
        departed(&self.press(visitor, name).await)
    }

    /// The whole way through `one`, up to the first page here.
    pub async fn arrive(&self, visitor: &Visitor, manner: Manner) -> Answer {
        let departed = self.depart(visitor, "one").await;
        let code = self.one.code(&departed, manner);
        visitor.open(&back("one", &departed, &[("code", &code), ("iss", &self.one.issuer)])).await
    }

    /// Sent to `one` from the sign-in page of this request: where the browser comes back to as this person.
    pub async fn on_the_way(&self, visitor: &Visitor, ask: &Ask, manner: Manner) -> String {
        let at = visitor.open(&ask.target()).await;
        let href = at.page().by_id("upstream-one").unwrap().attribute("href").unwrap().to_owned();
        let departed = departed(&visitor.get(&href).await);
        let code = self.one.code(&departed, manner);
        back("one", &departed, &[("code", &code), ("iss", &self.one.issuer)])
    }

    /// Goes through the linking pages as `holder`.
    pub async fn link(&self, visitor: &Visitor, at: &Answer, holder: &Holder) -> Answer {
        let code = self.prove(visitor, at, holder).await;
        assert_eq!(code.page().name(), "link", "{}", code.page().text);
        let otp = self.sandbox.otp(&holder.phone).await;
        visitor.submit(&code, &code.page().press("submit", &[("otp", &otp)], &[])).await
    }

    /// The first half: number and password.
    pub async fn prove(&self, visitor: &Visitor, at: &Answer, holder: &Holder) -> Answer {
        assert_eq!(at.page().name(), "link", "{}", at.page().text);
        let fields = [("person_number", holder.number.as_str()), ("password", holder.password.as_str())];
        visitor.submit(at, &at.page().press("submit", &fields, &[])).await
    }

    /// A new citizen, linked at `one` under a subject of their own.
    pub async fn linked(&self) -> (Holder, String) {
        let (holder, sub) = (self.sandbox.citizen(), super::fresh());
        let visitor = self.sandbox.visitor();
        let at = self.arrive(&visitor, Manner::of(&sub)).await;
        let end = self.link(&visitor, &at, &holder).await;
        assert_eq!(end.page().name(), "identity", "{}", end.page().text);
        (holder, sub)
    }
}

pub fn departed(away: &Answer) -> Departed {
    assert_eq!(away.status, 303, "{}", away.page().text);
    let to = away.location().unwrap();
    let query: std::collections::BTreeMap<String, String> = to.query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["response_type"], "code");
    Departed {
        state: query["state"].clone(),
        nonce: query["nonce"].clone(),
        challenge: query["code_challenge"].clone(),
    }
}

/// The address a browser comes back to.
pub fn back(name: &str, departed: &Departed, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("state".to_owned(), departed.state.clone())];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    format!("/upstream/{name}/callback?{}", encode(&all))
}

/// A page that says why, by its `data-code`, with somewhere to go and nobody signed in.
pub async fn stopped(visitor: &Visitor, at: &Answer, status: u16, code: &str) {
    let page = at.page();
    assert_eq!((page.name(), page.code()), ("upstream", code), "{}", page.text);
    assert_eq!(at.status, status, "{code}");
    assert!(page.has("other-way") && page.has("reference"), "{code}");
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in", "{code}: nobody is signed in");
}

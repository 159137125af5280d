//! A provider of the tests' own with the clock in hand, phones with their keys, and who opens a page.

use josekit::jwk::KeyPair;
use josekit::jws::{ES256, JwsHeader, serialize_compact};
use serde_json::Value;

use super::super::device::Bound;
use super::super::qr::{Shown, View, Viewer};
use super::super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::app::Place;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::secret::{BrowserCookie, Minted};
use crate::domain::{Moment, PersonNumber, Span};
use crate::flow::authorize::open_interaction;
use crate::flow::operator::Verdict;
use crate::flow::{Answer, Browser};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

pub const NUMBERS: [&str; 2] = ["099090000001", "099192000002"];

pub struct Bench {
    pub idp: Arc<Idp>,
    pub clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

pub async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    config.limits.app_calls_per_10_seconds = 1000;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    let lines: Vec<String> = NUMBERS
        .iter()
        .map(|number| {
            json!({"person_number": number, "name": "Nguyễn Văn An",
                "account": {"level": 2, "state": "activated", "password": "VNeID#2026", "phone": "+84912000001"}})
            .to_string()
        })
        .collect();
    assert!(matches!(crate::flow::account::import(&lines.join("\n"), &idp).await.unwrap(), Verdict::Done(_)));
    Bench { idp, clock, _directory: directory }
}

/// A phone with its key.
pub struct Phone {
    pair: josekit::jwk::alg::ec::EcKeyPair,
    pub device: Id<Device>,
}

impl Phone {
    pub fn signed(&self, header: Value, claims: Value) -> String {
        let mut jws = JwsHeader::new();
        for (name, value) in header.as_object().unwrap() {
            jws.set_claim(name, Some(value.clone())).unwrap();
        }
        let signer = ES256.signer_from_der(self.pair.to_der_private_key()).unwrap();
        serialize_compact(claims.to_string().as_bytes(), &jws, &signer).unwrap()
    }
}

impl Bench {
    pub async fn account(&self, number: &str) -> Id<Account> {
        let index = crate::flow::sealed::person_index(&PersonNumber::parse(number).unwrap(), &self.idp.vault);
        self.idp.store.read(move |db| store::account::find_by_person(db, &index)).await.unwrap().unwrap().id
    }

    pub fn claims(&self, act: &str, said: Value) -> Value {
        let now = self.idp.clock.now().unix();
        let jti = self.idp.random.text().unwrap();
        let mut claims = json!({"aud": "http://localhost:8080", "act": act, "iat": now, "exp": now + 60, "jti": jti});
        claims.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        claims
    }

    pub async fn phone(&self, number: &str) -> Phone {
        let (account, this) = (self.account(number).await, Arc::clone(&self.idp));
        let code = self.idp.store.transact(move |db| device::open_binding(db, &account, &this)).await.unwrap();
        let (mut phone, bound) = self.bind(&code).await;
        phone.device = bound.unwrap().device;
        phone
    }

    pub async fn bind(&self, code: &str) -> (Phone, Result<Bound, Refused>) {
        let phone = Phone { pair: ES256.generate_key_pair().unwrap(), device: Id::new("") };
        let public = serde_json::to_value(phone.pair.to_jwk_public_key()).unwrap();
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": public["x"], "y": public["y"]});
        let header = json!({"alg": "ES256", "typ": "vneid-app+jwt", "jwk": jwk});
        let jws = phone.signed(header, self.claims("bind", json!({"code": code, "name": "Máy của An"})));
        let bound = device::bind(&jws, &self.idp).await.unwrap();
        (phone, bound)
    }

    pub fn statement(&self, phone: &Phone, act: &str, said: Value) -> String {
        let header = json!({"alg": "ES256", "typ": "vneid-app+jwt", "kid": phone.device});
        phone.signed(header, self.claims(act, said))
    }

    /// Somebody who opened «Danh tính của tôi» and is asked to sign in.
    pub async fn visitor(&self) -> (Browser, Id<Interaction>) {
        let cookie: Minted<BrowserCookie> = self.idp.random.mint().unwrap();
        let browser = Browser { browser: Some(cookie.stored()), ..Browser::default() };
        let (this, who) = (Arc::clone(&self.idp), browser.clone());
        let opened = self
            .idp
            .store
            .transact(move |db| open_interaction(db, Destination::OwnPage("/identity".to_owned()), &who, &this));
        (browser, opened.await.unwrap().0)
    }

    pub async fn show(&self, (browser, id): &(Browser, Id<Interaction>), renew: bool) -> Shown {
        let place = Place { country: Some("VN".to_owned()), ..Place::default() };
        let viewer = Viewer { browser, place, agent: "Firefox · Linux".to_owned() };
        qr::show(id.clone(), viewer, renew, &self.idp).await.unwrap()
    }

    pub async fn page(&self, visitor: &(Browser, Id<Interaction>)) -> View {
        match self.show(visitor, false).await {
            Shown::Page(_, view) => *view,
            Shown::Elsewhere(answer) => panic!("went on: {:?}", answer.outcome),
        }
    }

    pub async fn scan(&self, phone: &Phone, view: &View) -> Result<ticket::Scanned, Refused> {
        self.scan_from(phone, view, None).await
    }

    pub async fn scan_from(
        &self,
        phone: &Phone,
        view: &View,
        country: Option<&str>,
    ) -> Result<ticket::Scanned, Refused> {
        let ticket = view.payload.split_once('#').unwrap().1;
        let place = Place { country: country.map(str::to_owned), ..Place::default() };
        ticket::scan(&self.statement(phone, "scan", json!({"ticket": ticket})), place, &self.idp).await.unwrap()
    }

    pub fn approval(&self, phone: &Phone, view: &View, scanned: &ticket::Scanned, number: &str) -> String {
        let ticket = view.payload.split_once('#').unwrap().1;
        let challenge = scanned.challenge.reveal();
        let said = json!({"ticket": ticket, "challenge": challenge, "number": number, "unlocked_by": ["passcode"]});
        self.statement(phone, "approve", said)
    }

    pub async fn approve(&self, phone: &Phone, view: &View, scanned: &ticket::Scanned) -> Result<(), Refused> {
        ticket::approve(&self.approval(phone, view, scanned, &view.number), &self.idp).await.unwrap()
    }

    pub fn later(&self, seconds: i64) {
        self.clock.advance(Span::seconds(seconds));
    }
}

pub fn signed_in(shown: Shown) -> Answer {
    match shown {
        Shown::Elsewhere(answer) if answer.cookies.session.is_some() => answer,
        Shown::Elsewhere(answer) => panic!("elsewhere without a session: {:?}", answer.outcome),
        Shown::Page(_, view) => panic!("still at the page: {}", view.stage.name()),
    }
}

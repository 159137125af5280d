//! What the console remembers of a visitor, sealed in their own browser: a sign-in under way, and a finished one.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use idp::domain::{Fault, Moment, Span};
use idp::flow::operator;
use idp::idp::Idp;
use serde::{Deserialize, Serialize};

use super::provider::{Begun, SignedIn};

const BEGUN: &str = "__Host-console_begun";
const SIGNED_IN: &str = "__Host-console";
const LANGUAGE: &str = "__Host-console_language";

/// `security.md` N-23: a console left alone closes.
const IDLE: Span = Span::minutes(15);

#[derive(Serialize, Deserialize)]
pub struct Visit {
    pub sub: String,
    pub sid: String,
    /// For the sign-out only.
    pub id_token: String,
    seen_at: i64,
}

impl Visit {
    pub fn new(signed_in: SignedIn, now: Moment) -> Self {
        Self { sub: signed_in.sub, sid: signed_in.sid, id_token: signed_in.id_token, seen_at: now.unix() }
    }

    /// The visit of the browser behind a request, if it has not been left alone too long.
    pub fn find(request: &HttpRequest, now: Moment, idp: &Idp) -> Option<Self> {
        let visit: Visit = operator::recall(SIGNED_IN, &find(request, SIGNED_IN)?, idp)?;
        (now.since(Moment::from_unix(visit.seen_at)) < IDLE).then_some(visit)
    }

    pub fn seen(mut self, now: Moment) -> Self {
        self.seen_at = now.unix();
        self
    }

    pub fn cookie(&self, idp: &Idp) -> Result<Cookie<'static>, Fault> {
        Ok(built(SIGNED_IN, operator::keep(SIGNED_IN, self, idp)?))
    }

    pub fn dropped() -> Cookie<'static> {
        dropped(SIGNED_IN)
    }
}

impl Begun {
    pub fn find(request: &HttpRequest, idp: &Idp) -> Option<Self> {
        operator::recall(BEGUN, &find(request, BEGUN)?, idp)
    }

    pub fn cookie(&self, idp: &Idp) -> Result<Cookie<'static>, Fault> {
        Ok(built(BEGUN, operator::keep(BEGUN, self, idp)?))
    }

    pub fn dropped() -> Cookie<'static> {
        dropped(BEGUN)
    }
}

pub fn chosen_language(request: &HttpRequest) -> Option<String> {
    find(request, LANGUAGE)
}

pub fn language_cookie(language: &'static str) -> Cookie<'static> {
    built(LANGUAGE, language.to_owned())
}

/// A cookie sent twice is absent: one of the two was planted.
fn find(request: &HttpRequest, name: &str) -> Option<String> {
    let cookies = request.cookies().ok()?;
    let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
    let value = named.next()?.value().to_owned();
    named.next().is_none().then_some(value)
}

// RFC 6265bis §4.1.3.2: the `__Host-` prefix holds only with Secure, Path=/ and no Domain.
fn built(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).finish()
}

fn dropped(name: &'static str) -> Cookie<'static> {
    let mut cookie = built(name, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

//! The providers the configuration names, each with what is known of it and its breaker, and the way out to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::config::{Config, UpstreamProvider};
use crate::domain::relying_party::SigningAlg;
use crate::domain::secret::BlindIndex;
use crate::domain::{Fault, Moment, Span};
use crate::fetch::Fetch;
use crate::idp::Idp;
use crate::keys::{JWT, unrepeated_object};
use crate::upstream::{Arrived, Breaker, Carried, Carrier, Credential, Failure, Oidc, Pending, Settings};

/// An assertion is used at once.
const ASSERTION_LASTS: Span = Span::seconds(60);

pub struct Upstream {
    pub name: String,
    pub agreed: UpstreamProvider,
    pub oidc: Oidc,
    secret: Option<String>,
    breaker: Mutex<Breaker>,
}

#[derive(Default)]
pub struct Upstreams(BTreeMap<String, Arc<Upstream>>);

impl Upstreams {
    /// Reads each secret: a start without it would fail at the first sign-in instead.
    pub fn open(config: &Config, fetch: &Fetch) -> Result<Upstreams, Fault> {
        let mut opened = BTreeMap::new();
        for (name, agreed) in &config.upstream.0 {
            let secret = match &agreed.client_secret_file {
                None => None,
                Some(path) => {
                    let told =
                        |error| Fault::broken("upstream", format!("upstream.{name}.client_secret_file: {error}"));
                    Some(std::fs::read_to_string(path).map_err(told)?.trim().to_owned())
                }
            };
            let settings = Settings {
                issuer: agreed.issuer.clone(),
                client_id: agreed.client_id.clone(),
                scopes: agreed.scopes.clone(),
                redirect_uri: format!("{}/upstream/{name}/callback", config.issuer),
                object: unrepeated_object,
            };
            let oidc = Oidc::new(settings, Box::new(Out(fetch.clone())));
            let (name, agreed) = (name.clone(), agreed.clone());
            let upstream = Upstream { name: name.clone(), agreed, oidc, secret, breaker: Mutex::default() };
            opened.insert(name, Arc::new(upstream));
        }
        Ok(Upstreams(opened))
    }

    pub fn find(&self, name: &str) -> Option<Arc<Upstream>> {
        self.0.get(name).cloned()
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.0.values()
    }

    pub fn of_issuer(&self, issuer: &str) -> Option<&Arc<Upstream>> {
        self.0.values().find(|upstream| upstream.agreed.issuer == issuer)
    }
}

impl Upstream {
    /// Whether it may be asked now (`security.md` UP-17).
    pub fn admits(&self, now: Moment) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).admits(now)
    }

    /// What came of asking.
    pub fn note<T>(&self, asked: &Result<T, Failure>, now: Moment) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Err(failure) if failure.is_outage() => breaker.failed(now),
            _ => breaker.succeeded(),
        }
    }

    /// How we prove ourselves: the agreed secret, or an assertion by our own signing key (RFC 7523 §3).
    pub fn credential(&self, idp: &Idp) -> Result<Credential, Fault> {
        if let Some(secret) = &self.secret {
            return Ok(Credential::Secret(secret.clone()));
        }
        let (client, now) = (&self.agreed.client_id, idp.clock.now());
        let claims = json!({
            "iss": client, "sub": client, "aud": self.agreed.issuer, "jti": idp.random.text()?,
            "iat": now.unix(), "exp": (now + ASSERTION_LASTS).unix(),
        });
        let claims = claims.as_object().cloned().unwrap_or_default();
        idp.ring.sign(SigningAlg::ES256, JWT, &claims, now).map(Credential::Assertion)
    }

    /// As a subject of this provider is kept: by a keyed digest, apart from every other provider's.
    pub fn subject(&self, sub: &str, idp: &Idp) -> BlindIndex {
        idp.vault.blind_index("upstream.sub", &format!("{}\0{sub}", self.agreed.issuer))
    }

    pub fn session(&self, sid: &str, idp: &Idp) -> BlindIndex {
        idp.vault.blind_index("upstream.sid", &format!("{}\0{sid}", self.agreed.issuer))
    }
}

/// The way out (`security.md` D8).
struct Out(Fetch);

impl Carrier for Out {
    fn carry(&self, request: Carried) -> Pending<'_, Arrived> {
        Box::pin(async move {
            let arrived = self.0.exchange(&request.url, &request.headers, request.form).await?;
            Ok(Arrived { status: arrived.status, content_type: arrived.content_type, body: arrived.body })
        })
    }
}

//! Dossiers: a sample resource server. It holds what portals read for a citizen or for themselves, and knows of a token only
//! what the provider answers when asked.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use idp::clock::{Clock, SystemClock};
use idp::domain::{Acr, Moment};
use idp::protocol::Params;
use idp::protocol::binding::Scheme;
use idp::protocol::step_up::StepUp;
use idp::protocol::userinfo::presented;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::form_urlencoded;

use super::clients::{DOSSIERS, DOSSIERS_READ};

pub struct Dossiers {
    issuer: String,
    /// Its own name: the `resource` clients ask for, and the `aud` it answers to.
    resource: String,
    secret: String,
    http: reqwest::Client,
    introspection: OnceCell<String>,
    clock: Arc<dyn Clock>,
}

/// What the sample holds: nothing about anybody.
const HELD: [(&str, &str); 2] = [("1.004222", "received"), ("2.000815", "returned")];

/// Reading one dossier whole takes level 2; the list does not.
const WHOLE: StepUp = StepUp { acr: Some(Acr::Muc2), max_age: None };

impl Dossiers {
    pub fn new(issuer: String, resource: String, secret: String) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| error.to_string())?;
        let (introspection, clock) = (OnceCell::new(), Arc::new(SystemClock));
        Ok(Self { issuer, resource, secret, http, introspection, clock })
    }

    /// RFC 8414 §3: endpoints are taken from the metadata.
    async fn endpoint(&self) -> Result<&str, String> {
        let found = self.introspection.get_or_try_init(|| async {
            let url = format!("{}/.well-known/oauth-authorization-server", self.issuer);
            let document: Value = self.json(self.http.get(url)).await?;
            let endpoint = document.get("introspection_endpoint").and_then(Value::as_str);
            endpoint.map(str::to_owned).ok_or_else(|| "no introspection endpoint".to_owned())
        });
        found.await.map(String::as_str)
    }

    async fn json(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let body = answer.map_err(|error| error.to_string())?.bytes().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    }

    /// RFC 7662 §2.1: asked anew each time, so that a lock or a revocation holds at once.
    async fn introspect(&self, token: &str) -> Result<Value, String> {
        let request = self.http.post(self.endpoint().await?).basic_auth(DOSSIERS, Some(&self.secret));
        let form: String = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        self.json(request.header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded").body(form)).await
    }
}

/// Why a request is not answered.
#[derive(Debug)]
enum Refusal {
    NoToken,
    Malformed,
    InvalidToken,
    InsufficientScope,
    StepUp(StepUp),
    /// The provider cannot be asked.
    Unknown(String),
}

impl Refusal {
    /// RFC 6750 §3, RFC 9470 §3. Without credentials there is no error to name.
    fn reply(&self) -> HttpResponse {
        let (status, challenge) = match self {
            Refusal::NoToken => (StatusCode::UNAUTHORIZED, String::new()),
            Refusal::Malformed => (StatusCode::BAD_REQUEST, ", error=\"invalid_request\"".to_owned()),
            Refusal::InvalidToken => (StatusCode::UNAUTHORIZED, ", error=\"invalid_token\"".to_owned()),
            Refusal::InsufficientScope => {
                (StatusCode::FORBIDDEN, format!(", error=\"insufficient_scope\", scope=\"{DOSSIERS_READ}\""))
            }
            Refusal::StepUp(step_up) => (
                StatusCode::UNAUTHORIZED,
                format!(", error=\"insufficient_user_authentication\"{}", step_up.parameters()),
            ),
            Refusal::Unknown(detail) => {
                eprintln!("sandbox: dossiers cannot ask the provider: {detail}");
                return HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, "5")).finish();
            }
        };
        let challenge = format!("Bearer realm=\"dossiers\"{challenge}");
        HttpResponse::build(status).insert_header((WWW_AUTHENTICATE, challenge)).finish()
    }
}

/// What an introspection answer comes to: the token must live, be for us, carry the scope, and rest on a sign-in that is
/// strong enough.
fn judge(told: &Value, resource: &str, needed: StepUp, now: Moment) -> Result<(), Refusal> {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let for_us = match told.get("aud") {
        Some(Value::Array(several)) => several.iter().any(|one| one == resource),
        Some(one) => one == resource,
        None => false,
    };
    // A token bound to a key or certificate is no bearer token (RFC 9449 §7.2).
    if told.get("active") != Some(&Value::Bool(true)) || !for_us || told.get("cnf").is_some() {
        return Err(Refusal::InvalidToken);
    }
    if !text("scope").unwrap_or_default().split(' ').any(|scope| scope == DOSSIERS_READ) {
        return Err(Refusal::InsufficientScope);
    }
    let auth_time = told.get("auth_time").and_then(Value::as_i64).unwrap_or_default();
    if !needed.is_met(text("acr").and_then(Acr::parse), Moment::from_unix(auth_time), now) {
        return Err(Refusal::StepUp(needed));
    }
    Ok(())
}

type Shared = web::Data<Dossiers>;

impl Dossiers {
    async fn admit(&self, request: &HttpRequest, needed: StepUp) -> Result<Value, Refusal> {
        let headers: Vec<&str> =
            request.headers().get_all(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default()).collect();
        let query = Params::parse(request.query_string()).map_err(|_| Refusal::Malformed)?;
        let found = presented(&headers, &query, None).map_err(|_| Refusal::Malformed)?;
        // Bearer tokens only: this server checks no proofs.
        let token = found.filter(|found| found.scheme == Scheme::Bearer).ok_or(Refusal::NoToken)?.token;
        let told = self.introspect(&token).await.map_err(Refusal::Unknown)?;
        judge(&told, &self.resource, needed, self.clock.now())?;
        Ok(told)
    }
}

fn answer(body: Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

fn entry((service, state): &(&str, &str)) -> Value {
    json!({ "service": service, "state": state })
}

async fn list(dossiers: Shared, request: HttpRequest) -> HttpResponse {
    match dossiers.admit(&request, StepUp::default()).await {
        Ok(told) => {
            let held: Vec<Value> = HELD.iter().map(entry).collect();
            answer(json!({ "sub": told.get("sub"), "client_id": told.get("client_id"), "dossiers": held }))
        }
        Err(refusal) => refusal.reply(),
    }
}

async fn whole(dossiers: Shared, request: HttpRequest, service: web::Path<String>) -> HttpResponse {
    match dossiers.admit(&request, WHOLE).await {
        Ok(_) => match HELD.iter().find(|(known, _)| *known == service.as_str()) {
            Some(held) => answer(entry(held)),
            None => HttpResponse::NotFound().finish(),
        },
        Err(refusal) => refusal.reply(),
    }
}

async fn home(dossiers: Shared) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "resource": dossiers.resource,
        "authorization_servers": [dossiers.issuer],
        "scopes_supported": [DOSSIERS_READ],
        "bearer_methods_supported": ["header"],
    }))
}

/// Serves it on this machine only, until it is stopped.
pub fn serve(dossiers: Dossiers, port: u16) -> std::io::Result<Server> {
    let dossiers = web::Data::new(dossiers);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(dossiers.clone())
            .route("/", web::get().to(home))
            .route("/dossiers", web::get().to(list))
            .route("/dossiers/{service}", web::get().to(whole))
    })
    .workers(1)
    .disable_signals()
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(2)
    .bind(("127.0.0.1", port))?;
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_what_it_is_for() {
        let good = json!({
            "active": true, "aud": "https://api", "scope": "openid dossiers.read", "acr": "urn:vn:eid:muc:2",
            "auth_time": 900
        });
        let with = |name: &str, value: Value| {
            let mut told = good.clone();
            told[name] = value;
            told
        };
        let now = Moment::from_unix(1000);
        let status = |told: &Value, needed| judge(told, "https://api", needed, now).map_err(|no| no.reply().status());
        assert_eq!(status(&good, WHOLE), Ok(()));
        assert_eq!(status(&with("aud", json!(["https://b", "https://api"])), WHOLE), Ok(()));
        for bad in [
            json!({"active": false}),
            with("active", json!("true")),
            with("cnf", json!({"jkt": "k"})),
            with("aud", json!("https://b")),
            with("aud", json!(["https://b"])),
            with("aud", Value::Null),
        ] {
            assert_eq!(status(&bad, StepUp::default()), Err(StatusCode::UNAUTHORIZED), "{bad}");
        }
        for scope in ["openid", "dossiers.reader", ""] {
            assert_eq!(status(&with("scope", json!(scope)), StepUp::default()), Err(StatusCode::FORBIDDEN));
        }
        let weak = with("acr", json!("urn:vn:eid:muc:1"));
        assert_eq!(status(&weak, StepUp::default()), Ok(()));
        let challenge = judge(&weak, "https://api", WHOLE, now).unwrap_err().reply();
        let header = challenge.headers().get(WWW_AUTHENTICATE).unwrap().to_str().unwrap();
        assert!(
            header.contains("insufficient_user_authentication") && header.contains("acr_values=\"urn:vn:eid:muc:2\"")
        );
    }
}

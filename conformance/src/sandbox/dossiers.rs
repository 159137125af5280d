//! Dossiers: a sample resource server. It holds what portals read for a citizen or for themselves, and knows of a token only
//! what the provider answers when asked, and of its sender what the proof or the client certificate shows.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::{Extensions, Server};
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use idp::clock::{Clock, SystemClock};
use idp::domain::Acr;
use idp::domain::certificate::ClientCertificate;
use idp::domain::relying_party::SigningAlg;
use idp::keys::certificate::{self, Sent as SentCertificate};
use idp::keys::tls::Acceptor;
use idp::protocol::binding::{Possession, Scheme};
use idp::protocol::step_up::StepUp;
use idp::protocol::userinfo::presented;
use idp::protocol::{Error, Params, dpop, mtls};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::form_urlencoded;

use super::clients::{DOSSIERS, DOSSIERS_READ};
use admission::{Door, Sent};
use challenge::Refusal;
use spent::{Outcome, Spent};

mod admission;
mod challenge;
mod spent;

/// RFC 9728 §3.
const METADATA: &str = "/.well-known/oauth-protected-resource";

pub struct Dossiers {
    issuer: String,
    /// Its own name: the `resource` clients ask for, and the `aud` it answers to.
    resource: String,
    secret: String,
    http: reqwest::Client,
    introspection: OnceCell<String>,
    spent: Spent,
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
        let (introspection, spent, clock) = (OnceCell::new(), Spent::default(), Arc::new(SystemClock));
        Ok(Self { issuer, resource, secret, http, introspection, spent, clock })
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

    async fn admit(&self, request: &HttpRequest, needed: StepUp) -> Result<Value, Refusal> {
        let malformed = |error: Error| Refusal::Told(error, Scheme::Bearer);
        let not_read = |_| malformed(Error::invalid_request("RFC 6750 §3.1", "the query cannot be read"));
        let query = Params::parse(request.query_string()).map_err(not_read)?;
        let found = presented(&all(request, AUTHORIZATION.as_str()), &query, None).map_err(malformed)?;
        let found = found.ok_or(Refusal::NoToken)?;
        let refused = |error: Error| Refusal::Told(error, found.scheme);
        let (proof, now) = (self.proof(request, found.scheme, &found.token).map_err(refused)?, self.clock.now());
        let certificate = request.conn_data::<Arc<ClientCertificate>>();
        let certificate = certificate.filter(|certificate| mtls::usable(certificate, now).is_ok());
        let held = Possession {
            jkt: proof.as_ref().map(|proof| proof.jkt.clone()),
            x5t: certificate.map(|certificate| certificate.thumbprint.clone()),
        };
        let told = self.introspect(&found.token).await.map_err(Refusal::Unknown)?;
        let (sent, door) = (Sent { scheme: found.scheme, held }, Door { resource: &self.resource, needed });
        admission::judge(&told, &sent, &door, now).map_err(refused)?;
        // Last, so that only a proof everything else holds for is remembered.
        match proof.map(|proof| self.spent.once(proof.identifier(), now)) {
            None | Some(Outcome::Counts) => Ok(told),
            Some(Outcome::Again) => Err(refused(dpop::replayed())),
            Some(Outcome::Full) => Err(Refusal::Unknown("too many proofs at once".to_owned())),
        }
    }

    fn proof(&self, request: &HttpRequest, scheme: Scheme, token: &str) -> Result<Option<dpop::Proof>, Error> {
        if scheme == Scheme::Bearer {
            return Ok(None);
        }
        let address = [format!("{}{}", self.resource, request.uri().path())];
        let asked = dpop::Request { method: request.method().as_str(), addresses: &address, access_token: Some(token) };
        admission::proof(&all(request, "dpop"), &asked, self.clock.now()).map(Some)
    }

    /// RFC 9728 §2. Client certificates can be shown wherever TLS is spoken.
    fn metadata(&self) -> Value {
        json!({
            "resource": self.resource,
            "authorization_servers": [self.issuer],
            "scopes_supported": [DOSSIERS_READ],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": dpop::ALGS.map(SigningAlg::name),
            "tls_client_certificate_bound_access_tokens": self.resource.starts_with("https:"),
        })
    }
}

fn all<'a>(request: &'a HttpRequest, header: &str) -> Vec<&'a str> {
    request.headers().get_all(header).map(|value| value.to_str().unwrap_or_default()).collect()
}

type Shared = web::Data<Dossiers>;

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
        Err(refusal) => refusal.reply(&dossiers.resource),
    }
}

async fn whole(dossiers: Shared, request: HttpRequest, service: web::Path<String>) -> HttpResponse {
    match dossiers.admit(&request, WHOLE).await {
        Ok(_) => match HELD.iter().find(|(known, _)| *known == service.as_str()) {
            Some(held) => answer(entry(held)),
            None => HttpResponse::NotFound().finish(),
        },
        Err(refusal) => refusal.reply(&dossiers.resource),
    }
}

async fn metadata(dossiers: Shared) -> HttpResponse {
    HttpResponse::Ok().json(dossiers.metadata())
}

/// Called once for each connection that speaks TLS: the certificate the caller proved to hold.
fn note(stream: &dyn Any, connection: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let Some(leaf) = stream.ssl().peer_certificate().and_then(|leaf| leaf.to_der().ok()) else { return };
    // Who issued it is not asked: the token names the one certificate it is bound to (RFC 8705 §3).
    if let Ok(facts) = certificate::read(&SentCertificate { leaf, chain: Vec::new() }, None) {
        connection.insert(Arc::new(facts));
    }
}

/// Serves it on this machine only, until it is stopped.
pub fn serve(dossiers: Dossiers, port: u16, acceptor: Option<Acceptor>) -> std::io::Result<Server> {
    let dossiers = web::Data::new(dossiers);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(dossiers.clone())
            .route("/", web::get().to(metadata))
            .route(METADATA, web::get().to(metadata))
            .route("/dossiers", web::get().to(list))
            .route("/dossiers/{service}", web::get().to(whole))
    })
    .on_connect(note)
    .workers(1)
    .disable_signals()
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(2);
    let server = match acceptor {
        Some(acceptor) => server.bind_openssl(("127.0.0.1", port), acceptor)?,
        None => server.bind(("127.0.0.1", port))?,
    };
    Ok(server.run())
}

//! Fetch: the one outbound HTTP client (`security.md` D8).
//!
//! Owns: what may be connected to, and how much and how long is read. An address a client registered is fetched
//! over https, without redirects, from public addresses only, 64 KiB in 5 s; the operator's own gateway is trusted
//! with its address and nothing else. Must not know: what is fetched, or why.

mod address;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, Response, Url};
use serde_json::Value;

use crate::config::FetchConfig;
use crate::domain::Fault;

const ROOM: &str = "fetch";
const LONGEST: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a fetch brought back.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Cheap to clone. The connections are prepared on first use: loading the system's certificates takes longer than
/// a start should.
#[derive(Clone)]
pub struct Fetch(Arc<Parts>);

struct Parts {
    authorities: Vec<Certificate>,
    /// Lets `http://` on loopback be fetched; the sandbox has nothing else.
    http_loopback: bool,
    strangers: OnceLock<Client>,
    operator: OnceLock<Client>,
}

impl Fetch {
    pub fn new(config: &FetchConfig, danger_http_loopback: bool) -> Result<Fetch, Fault> {
        let authorities = match &config.extra_ca {
            None => Vec::new(),
            Some(path) => {
                let broken = |error: String| Fault::broken(ROOM, format!("{}: {error}", path.display()));
                let pem = std::fs::read(path).map_err(|error| broken(error.to_string()))?;
                Certificate::from_pem_bundle(&pem).map_err(|error| broken(error.to_string()))?
            }
        };
        Ok(Fetch(Arc::new(Parts {
            authorities,
            http_loopback: danger_http_loopback,
            strangers: OnceLock::new(),
            operator: OnceLock::new(),
        })))
    }

    /// Reads what a client registered.
    pub async fn get(&self, url: &str) -> Result<Fetched, Fault> {
        let url = Url::parse(url).map_err(|_| Fault::unavailable(ROOM, "not a URL"))?;
        let client = if self.0.http_loopback && address::is_http_loopback(&url) {
            self.operator()?
        } else {
            address::check(&url).map_err(|reason| Fault::unavailable(ROOM, reason))?;
            self.strangers()?
        };
        let response = client.get(url).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Fault::unavailable(ROOM, format!("answered {}", response.status().as_u16())));
        }
        let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Fetched { content_type, body: read(response).await? })
    }

    /// Posts JSON to an address of the operator's configuration, and answers the status.
    pub async fn post(&self, url: &str, bearer: Option<&str>, body: &Value) -> Result<u16, Fault> {
        let mut request = self.operator()?.post(url).header("content-type", "application/json").body(body.to_string());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let response = request.send().await.map_err(failed)?;
        Ok(response.status().as_u16())
    }

    fn strangers(&self) -> Result<Client, Fault> {
        self.client(&self.0.strangers, |builder| builder.https_only(true).dns_resolver(Arc::new(PublicOnly)))
    }

    fn operator(&self) -> Result<Client, Fault> {
        self.client(&self.0.operator, |builder| builder)
    }

    fn client(
        &self,
        prepared: &OnceLock<Client>,
        narrow: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Client, Fault> {
        if let Some(client) = prepared.get() {
            return Ok(client.clone());
        }
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A proxy of the environment would connect for us, to wherever it likes.
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT);
        for authority in &self.0.authorities {
            builder = builder.add_root_certificate(authority.clone());
        }
        let client = narrow(builder).build().map_err(|error| Fault::broken(ROOM, error))?;
        Ok(prepared.get_or_init(|| client).clone())
    }
}

/// The body, as long as it stays within bounds; what the other side claims about its length is not believed.
async fn read(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(Fault::unavailable(ROOM, "the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Without the URL, which may hold a secret of the operator's.
fn failed(error: reqwest::Error) -> Fault {
    Fault::unavailable(ROOM, error.without_url())
}

/// Resolves a name and hands over its addresses only if all are public. The connection is made to exactly these,
/// so that no second resolution can answer otherwise.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|found| address::is_public(found.ip())) {
                return Err("the name has an address that is not public".into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

//! Fetch: the one outbound HTTP client (`security.md` D8).
//!
//! Owns: what may be connected to, and how much and how long is read. An address a client registered is fetched
//! over https, without redirects, from public addresses only, 64 KiB in 5 s; the operator's own gateway is trusted
//! with its address and nothing else. Must not know: what is fetched, or why.

mod address;
mod exchange;

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
        let (client, url) = self.toward(url)?;
        let response = client.get(url).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Fault::unavailable(ROOM, format!("answered {}", response.status().as_u16())));
        }
        let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Fetched { content_type, body: read(response).await? })
    }

    /// Posts a form to what a client registered, and answers the status. What else the other side says is not read.
    pub async fn tell(&self, url: &str, fields: &[(&str, &str)], within: Duration) -> Result<u16, Fault> {
        let (client, url) = self.toward(url)?;
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
        let response = request.timeout(within).send().await.map_err(failed)?;
        Ok(response.status().as_u16())
    }

    /// The client that may call an address a stranger registered, if any may.
    fn toward(&self, url: &str) -> Result<(Client, Url), Fault> {
        let url = Url::parse(url).map_err(|_| Fault::unavailable(ROOM, "not a URL"))?;
        if self.0.http_loopback && address::is_http_loopback(&url) {
            return Ok((self.operator()?, url));
        }
        address::check(&url).map_err(|reason| Fault::unavailable(ROOM, reason))?;
        Ok((self.strangers()?, url))
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

    /// Posts JSON to an address of the operator's configuration, and answers the status and a bounded body.
    pub async fn ask(
        &self,
        url: &str,
        bearer: Option<&str>,
        body: &Value,
        within: Duration,
    ) -> Result<(u16, Vec<u8>), Fault> {
        let mut request = self.operator()?.post(url).header("content-type", "application/json").body(body.to_string());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let response = request.timeout(within).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        Ok((status, read(response).await?))
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server on loopback that answers one connection, and tells what it was asked.
    fn answer_once(answer: Vec<u8>) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/logo", listener.local_addr().unwrap().port());
        let served = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut asked = vec![0; 4096];
            let mut length = 0;
            // A request with a body may come in two pieces; both end in what is waited for.
            let ends: [&[u8]; 3] = [b"\r\n\r\n", b"}", b"%7D"];
            while !ends.iter().any(|end| asked[..length].ends_with(end)) {
                length += connection.read(&mut asked[length..]).unwrap();
            }
            let _ = connection.write_all(&answer);
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (url, served)
    }

    fn http(status: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    fn fetch(http_loopback: bool) -> Fetch {
        Fetch::new(&FetchConfig::default(), http_loopback).unwrap()
    }

    #[tokio::test]
    async fn d8_reads_64_kib_and_no_more() {
        for (length, read) in [(0, true), (LONGEST, true), (LONGEST + 1, false)] {
            let (url, _served) = answer_once(http("200 OK", &vec![b'x'; length]));
            let fetched = fetch(true).get(&url).await;
            assert_eq!(fetched.as_ref().is_ok_and(|fetched| fetched.body.len() == length), read, "{length}");
            if let Ok(fetched) = fetched {
                assert_eq!(fetched.content_type, "image/png");
            }
        }
    }

    #[tokio::test]
    async fn d8_a_redirect_is_an_error() {
        let (url, _served) = answer_once(http("302 Found\r\nLocation: http://127.0.0.1:1/", b""));
        assert!(fetch(true).get(&url).await.unwrap_err().detail.contains("302"));
    }

    #[tokio::test]
    async fn back_channel_logout_2_5_tells_by_form_and_reads_nothing() {
        let endless = http("200 OK", &vec![b'x'; 4 * LONGEST]);
        let redirect = http("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/", b"");
        for (answer, status) in [(endless, 200), (http("204 No Content", b""), 204), (redirect, 307)] {
            let (url, served) = answer_once(answer);
            // The stub reads to a brace, which a form does not end in unless it is put there.
            let told = fetch(true).tell(&url, &[("logout_token", "a.b.c"), ("end", "}")], Duration::from_secs(2)).await;
            assert_eq!(told.unwrap(), status);
            drop(served);
        }
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/", silent.local_addr().unwrap().port());
        assert!(fetch(true).tell(&url, &[("logout_token", "t")], Duration::from_millis(200)).await.is_err());
        for url in ["http://127.0.0.1:9/", "https://localhost:9/", "https://10.0.0.1/", "http://id.example.vn/"] {
            assert!(fetch(false).tell(url, &[("logout_token", "t")], Duration::from_secs(2)).await.is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn d8_loopback_is_closed_unless_opened() {
        for url in ["http://127.0.0.1:9/", "http://localhost:9/", "https://127.0.0.1:9/", "file:///etc/passwd", "x"] {
            assert!(fetch(false).get(url).await.is_err(), "{url}");
        }
        let named = fetch(true).get("https://localhost:9/").await.unwrap_err();
        assert!(!named.detail.contains("localhost"), "{named}");
    }

    #[tokio::test]
    async fn posts_json_with_the_operators_token() {
        let (url, served) = answer_once(http("202 Accepted", b""));
        let body = serde_json::json!({"to": "+84912345678"});
        assert_eq!(fetch(false).post(&url, Some("key"), &body).await.unwrap(), 202);
        let asked = served.join().unwrap().to_ascii_lowercase();
        assert!(asked.starts_with("post /logo") && asked.contains("authorization: bearer key"), "{asked}");
        assert!(asked.contains("content-type: application/json") && asked.ends_with(&body.to_string()), "{asked}");
    }
}

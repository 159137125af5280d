//! A visitor who speaks raw HTTP: one cookie jar for the provider, no JavaScript, every redirect seen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::page::{Page, Submission};

pub struct Visitor {
    http: reqwest::Client,
    origin: String,
    /// Sent with every request, as a browser's own headers are.
    pub headers: HeaderMap,
    jar: Mutex<BTreeMap<String, String>>,
}

/// One HTTP answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// An authorization response as it reaches the client.
#[derive(Clone, Debug)]
pub struct Returned {
    pub address: String,
    pub fields: Vec<(String, String)>,
    pub by_form: bool,
}

/// What `Retry-After` says where more is asked than the server takes on.
const OVERLOADED: Duration = Duration::from_secs(2);
/// How often a visitor comes back then.
const PATIENCE: usize = 5;

impl Submission {
    fn target(&self, from: &Answer) -> String {
        assert_eq!(self.method, "POST", "a form that changes something posts");
        from.url.join(&self.action).unwrap().into()
    }
}

impl Returned {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> String {
        self.get("code").unwrap_or_else(|| panic!("no code in {self:?}")).to_owned()
    }
}

impl Visitor {
    pub fn new(issuer: &str) -> Visitor {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0)))
            .build()
            .unwrap();
        Visitor { http, origin: issuer.to_owned(), headers: HeaderMap::new(), jar: Mutex::default() }
    }

    /// As `new`, on a connection of the test's own making.
    pub fn on(http: reqwest::Client, origin: &str) -> Visitor {
        Visitor { http, origin: origin.to_owned(), headers: HeaderMap::new(), jar: Mutex::default() }
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Visitor {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn speaking(self, language: &str) -> Visitor {
        self.with_header("accept-language", language)
    }

    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.jar.lock().unwrap().clone()
    }

    pub fn set_cookies(&self, cookies: BTreeMap<String, String>) {
        *self.jar.lock().unwrap() = cookies;
    }

    pub fn absolute(&self, target: &str) -> Url {
        Url::parse(&self.origin).unwrap().join(target).unwrap()
    }

    /// One request and its answer; `Err` when no answer came back (the server died). On a machine that stood still the
    /// server may give a connection up before it reads it; what it did not read is sent again, once (RFC 9110 §15.5.9).
    pub async fn attempt(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let answer = self.attempt_once(method, target, headers, body.clone()).await?;
        if answer.is_unread() { self.attempt_once(method, target, headers, body).await } else { Ok(answer) }
    }

    async fn attempt_once(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let url = self.absolute(target);
        let ours = url.as_str().starts_with(&self.origin);
        let mut request = self.http.request(method.parse().unwrap(), url.clone()).headers(self.headers.clone());
        if ours {
            let cookies = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            if !cookies.is_empty() {
                request = request.header("cookie", cookies.join("; "));
            }
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if ours {
            self.keep_cookies(&headers);
        }
        let body = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer { url, status, headers, body })
    }

    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let answer = self.attempt(method, target, headers, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {}: {error:?}", self.absolute(target).path()))
    }

    /// As `send`, of a program that comes back when a 503 tells it to.
    pub async fn send_again(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut answer = self.send(method, target, headers, Some(body.to_vec())).await;
        for _ in 0..PATIENCE {
            let Some(after) = answer.retry_after().filter(|_| answer.status == 503) else { break };
            tokio::time::sleep(after).await;
            answer = self.send(method, target, headers, Some(body.to_vec())).await;
        }
        answer
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], None).await
    }

    pub async fn post(&self, target: &str, fields: &[(String, String)], headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send("POST", target, &all, Some(encode(fields).into_bytes())).await
    }

    /// Opens an address and follows redirects as long as they stay with the provider.
    pub async fn open(&self, target: &str) -> Answer {
        let first = self.get(target).await;
        self.follow(first).await
    }

    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..12 {
            match answer.location().filter(|to| to.as_str().starts_with(&self.origin)) {
                Some(to) => answer = self.get(to.as_str()).await,
                None => return answer,
            }
        }
        panic!("redirects do not end at {}", answer.url);
    }

    /// Sends a form of `from` and follows where it leads.
    pub async fn submit(&self, from: &Answer, form: &Submission) -> Answer {
        self.press(&form.target(from), &form.fields).await
    }

    /// Posts what a page asks for and follows where it leads. Told that the system is busy, it waits and presses again as
    /// the page says: many tests share one server and its few password hashes a second.
    pub async fn press(&self, target: &str, fields: &[(String, String)]) -> Answer {
        let mut answer = self.post(target, fields, &[]).await;
        for _ in 0..PATIENCE {
            if !answer.is_overloaded() {
                break;
            }
            tokio::time::sleep(OVERLOADED).await;
            answer = self.post(target, fields, &[]).await;
        }
        self.follow(answer).await
    }

    pub async fn submit_once(&self, from: &Answer, form: &Submission, headers: &[(&str, &str)]) -> Answer {
        self.post(&form.target(from), &form.fields, headers).await
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut jar = self.jar.lock().unwrap();
        for cookie in headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = cookie.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let ended = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            if ended || value.is_empty() {
                jar.remove(name.trim());
            } else {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

impl Answer {
    /// The head of the request did not come in time, the server says; ours about a body that did not is a page or JSON.
    fn is_unread(&self) -> bool {
        self.status == 408 && self.body.is_empty()
    }

    /// More work than the server takes on right now; any other 503 is a fault, and no patience helps.
    fn is_overloaded(&self) -> bool {
        self.status == 503 && self.retry_after() == Some(OVERLOADED)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All `Set-Cookie` lines for this name.
    pub fn cookies_named(&self, name: &str) -> Vec<String> {
        let all = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        all.filter(|line| line.split('=').next() == Some(name)).map(str::to_owned).collect()
    }

    pub fn location(&self) -> Option<Url> {
        (300..400).contains(&self.status).then(|| self.header("location").and_then(|to| self.url.join(to).ok()))?
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON ({}): {}", self.status, self.body))
    }

    pub fn page(&self) -> Page {
        Page::parse(&self.body)
    }

    /// The authorization response in this answer: a redirect away from us, or a page that posts itself away.
    pub fn returned(&self) -> Option<Returned> {
        let at_home = |url: &Url| url.origin() == self.url.origin();
        if let Some(to) = self.location().filter(|to| !at_home(to)) {
            let fields = to.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            let raw = self.header("location").unwrap();
            let address = raw.split('?').next().unwrap_or_default().to_owned();
            return Some(Returned { address, fields, by_form: false });
        }
        let page = self.page();
        let form = page.all("form").find(|form| {
            form.attribute("action").and_then(|to| self.url.join(to).ok()).is_some_and(|to| !at_home(&to))
        })?;
        let hidden = page.all("input").filter(|input| input.attribute("type") == Some("hidden"));
        let field = |input: &super::page::Element| {
            Some((input.attribute("name")?.to_owned(), input.attribute("value").unwrap_or_default().to_owned()))
        };
        let address = form.attribute("action").unwrap().to_owned();
        Some(Returned { address, fields: hidden.filter_map(field).collect(), by_form: true })
    }
}

pub fn encode(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

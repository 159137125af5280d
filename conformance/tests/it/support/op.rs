//! Another OpenID Provider on plain TCP: right unless told otherwise. What it does with a code is said when the code is
//! made, so that tests beside each other do not meet.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use serde_json::{Value, json};

use super::relying_party::{key_pair, sign};
use super::{base64url, fresh, now, sha256_base64url};

pub const CLIENT: &str = "idp-as-client";
pub const SECRET: &str = "geheim-geheim-geheim-geheim-geheim-geheim-1";

/// How the token endpoint answers.
#[derive(Clone, Debug, Default)]
pub enum Reply {
    #[default]
    Right,
    /// Status, headers beside, content type, body.
    Raw(u16, String, String, String),
    Endless,
    Silence,
}

/// By what the ID token is signed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Signed {
    #[default]
    Right,
    /// `alg: none`, with and without the dot.
    None,
    /// By the client's secret, or by the public key as a secret.
    Hmac,
    AnotherKey,
    /// Right, and one byte turned.
    Broken,
    /// By the new key of a provider that has just rotated.
    NewKey,
}

#[derive(Clone, Debug, Default)]
pub struct Manner {
    pub sub: String,
    /// Members of the ID token replaced; null leaves one out.
    pub claims: Value,
    pub header: Value,
    pub signed: Signed,
    pub reply: Reply,
    /// Members of the token answer replaced.
    pub answer: Value,
    pub userinfo: Value,
}

impl Manner {
    pub fn of(sub: &str) -> Manner {
        Manner { sub: sub.to_owned(), ..Manner::default() }
    }
}

struct Issued {
    nonce: String,
    challenge: String,
    manner: Manner,
}

#[derive(Default)]
struct Desk {
    codes: BTreeMap<String, Issued>,
    userinfo: BTreeMap<String, Value>,
    /// Requests to the token endpoint: the code and how the client proved itself.
    asked: Vec<(String, bool)>,
    heard: Vec<String>,
    rotated: bool,
    /// Who signs in next where a browser really comes.
    expected: Vec<Manner>,
    /// Everything is answered 500.
    down: bool,
}

pub struct Op {
    pub issuer: String,
    key: Jwk,
    desk: Arc<Mutex<Desk>>,
}

/// What the browser was sent with.
#[derive(Clone, Debug)]
pub struct Departed {
    pub state: String,
    pub nonce: String,
    pub challenge: String,
}

struct House {
    issuer: String,
    discovery: Value,
    key: (Jwk, Value),
    new_key: (Jwk, Value),
    desk: Arc<Mutex<Desk>>,
}

impl Op {
    /// `discovery` replaces members of the document.
    pub fn open(discovery: Value) -> Op {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let desk: Arc<Mutex<Desk>> = Arc::default();
        let key = named(key_pair(), "one");
        let op = Op { issuer: issuer.clone(), key: key.0.clone(), desk: Arc::clone(&desk) };
        let house = Arc::new(House { issuer, discovery, key, new_key: named(key_pair(), "two"), desk });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let house = Arc::clone(&house);
                std::thread::spawn(move || house.answer(stream));
            }
        });
        op
    }

    /// A code for whoever came with `departed`.
    pub fn code(&self, departed: &Departed, manner: Manner) -> String {
        let code = fresh();
        let (nonce, challenge) = (departed.nonce.clone(), departed.challenge.clone());
        self.desk.lock().unwrap().codes.insert(code.clone(), Issued { nonce, challenge, manner });
        code
    }

    /// The next browser that comes is this person's.
    pub fn expect(&self, manner: Manner) {
        self.desk.lock().unwrap().expected.push(manner);
    }

    /// How often the token endpoint was asked for a code.
    pub fn asked(&self, code: &str) -> usize {
        self.desk.lock().unwrap().asked.iter().filter(|(known, _)| known == code).count()
    }

    pub fn proved_itself(&self, code: &str) -> bool {
        self.desk.lock().unwrap().asked.iter().any(|(known, right)| known == code && *right)
    }

    pub fn heard(&self, path: &str) -> usize {
        self.desk.lock().unwrap().heard.iter().filter(|known| *known == path).count()
    }

    pub fn rotate(&self) {
        self.desk.lock().unwrap().rotated = true;
    }

    pub fn fail(&self, down: bool) {
        self.desk.lock().unwrap().down = down;
    }

    /// A logout token; members replaced, null leaves one out.
    pub fn logout_token(&self, header: Value, claims: Value) -> String {
        let mut head = json!({"alg": "ES256", "typ": "logout+jwt", "kid": "one"});
        merge(&mut head, header);
        let mut body = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": now(), "exp": now() + 120, "jti": fresh(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        merge(&mut body, claims);
        signed(&self.key, &head, &without_nulls(body))
    }
}

/// Members of `patch` replace those that stand; where there is no patch, nothing does.
fn merge(into: &mut Value, patch: Value) {
    if !patch.is_null() {
        super::relying_party::merge(into, patch);
    }
}

fn named((mut key, set): (Jwk, Value), kid: &str) -> (Jwk, Value) {
    let mut public = set["keys"][0].clone();
    key.set_key_id(kid);
    public["kid"] = kid.into();
    (key, public)
}

fn without_nulls(mut value: Value) -> Value {
    value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
    value
}

fn signed(key: &Jwk, header: &Value, claims: &Value) -> String {
    let header = without_nulls(header.clone());
    let members: Vec<(&str, Value)> =
        header.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    // The signer names its own key, whatever the header says.
    let mut key = key.clone();
    if let Some(kid) = header["kid"].as_str() {
        key.set_key_id(kid);
    }
    sign(&key, &members, claims)
}

impl House {
    fn answer(&self, mut stream: TcpStream) {
        let Some((method, target, head, body)) = read(&mut stream) else { return };
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let down = {
            let mut desk = self.desk.lock().unwrap();
            desk.heard.push(path.clone());
            desk.down
        };
        if down {
            return say(&mut stream, 500, "", "text/plain", "out of order");
        }
        match (method.as_str(), path.as_str()) {
            (_, "/.well-known/openid-configuration") => {
                let mut document = json!({
                    "issuer": self.issuer,
                    "authorization_endpoint": format!("{}/authorize", self.issuer),
                    "token_endpoint": format!("{}/token", self.issuer),
                    "userinfo_endpoint": format!("{}/userinfo", self.issuer),
                    "jwks_uri": format!("{}/jwks", self.issuer),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                    "authorization_response_iss_parameter_supported": true,
                });
                merge(&mut document, self.discovery.clone());
                say(&mut stream, 200, "", "application/json", &without_nulls(document).to_string());
            }
            (_, "/jwks") => {
                let rotated = self.desk.lock().unwrap().rotated;
                let keys = if rotated { vec![&self.key.1, &self.new_key.1] } else { vec![&self.key.1] };
                say(&mut stream, 200, "", "application/json", &json!({"keys": keys}).to_string());
            }
            ("GET", "/authorize") => self.authorize(&mut stream, &target),
            ("POST", "/token") => self.token(&mut stream, &head, &body),
            (_, "/userinfo") => {
                let bearer = header(&head, "authorization").unwrap_or_default();
                let access = bearer.strip_prefix("Bearer ").unwrap_or_default().to_owned();
                let told = self.desk.lock().unwrap().userinfo.get(&access).cloned();
                match told {
                    Some(claims) => say(&mut stream, 200, "", "application/json", &claims.to_string()),
                    None => say(&mut stream, 401, "", "application/json", "{}"),
                }
            }
            _ => say(&mut stream, 404, "", "text/plain", ""),
        }
    }

    fn authorize(&self, stream: &mut TcpStream, target: &str) {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let asked: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let code = fresh();
        let manner = {
            let mut desk = self.desk.lock().unwrap();
            desk.expected.pop()
        };
        let Some(manner) = manner else { return say(stream, 404, "", "text/plain", "nobody is expected") };
        let (nonce, challenge) = (asked["nonce"].clone(), asked["code_challenge"].clone());
        self.desk.lock().unwrap().codes.insert(code.clone(), Issued { nonce, challenge, manner });
        let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .append_pair("iss", &self.issuer);
        say(stream, 303, &format!("Location: {back}\r\n"), "text/plain", "");
    }

    fn token(&self, stream: &mut TcpStream, head: &str, body: &str) {
        let fields: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let code = fields.get("code").cloned().unwrap_or_default();
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{SECRET}"));
        let proved = header(head, "authorization").as_deref() == Some(&format!("Basic {basic}"));
        let issued = {
            let mut desk = self.desk.lock().unwrap();
            desk.asked.push((code.clone(), proved));
            desk.codes.remove(&code)
        };
        let verifier = fields.get("code_verifier").map(String::as_str).unwrap_or_default();
        // A right provider gives a code once, to its client, for the verifier of its challenge.
        let Some(issued) = issued.filter(|issued| sha256_base64url(verifier) == issued.challenge && proved) else {
            return say(stream, 400, "", "application/json", &json!({"error": "invalid_grant"}).to_string());
        };
        match issued.manner.reply.clone() {
            Reply::Right => {}
            Reply::Raw(status, headers, kind, body) => return say(stream, status, &headers, &kind, &body),
            Reply::Silence => return std::thread::sleep(Duration::from_secs(30)),
            Reply::Endless => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"a\":\"";
                let mut sent = stream.write_all(head.as_bytes());
                while sent.is_ok() {
                    sent = stream.write_all(&[b'x'; 64 * 1024]);
                }
                return;
            }
        }
        let access = fresh();
        let mut userinfo = json!({"sub": issued.manner.sub});
        merge(&mut userinfo, issued.manner.userinfo.clone());
        self.desk.lock().unwrap().userinfo.insert(access.clone(), userinfo);
        let mut answer = json!({
            "access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(&issued, &access),
        });
        merge(&mut answer, issued.manner.answer.clone());
        say(stream, 200, "", "application/json", &without_nulls(answer).to_string());
    }

    fn id_token(&self, issued: &Issued, access: &str) -> String {
        use sha2::{Digest, Sha256};
        let half = &Sha256::digest(access.as_bytes())[..16];
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": issued.manner.sub, "nonce": issued.nonce,
            "iat": now(), "exp": now() + 300, "auth_time": now(), "at_hash": base64url(half),
        });
        merge(&mut claims, issued.manner.claims.clone());
        let claims = without_nulls(claims);
        let mut header = json!({"alg": "ES256", "kid": "one"});
        merge(&mut header, issued.manner.header.clone());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        match issued.manner.signed {
            Signed::Right => signed(&self.key.0, &header, &claims),
            Signed::AnotherKey => signed(&key_pair().0, &header, &claims),
            Signed::NewKey => {
                header["kid"] = "two".into();
                signed(&self.new_key.0, &header, &claims)
            }
            Signed::Broken => {
                let right = signed(&self.key.0, &header, &claims);
                let (rest, signature) = right.rsplit_once('.').unwrap();
                let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
                bytes[0] ^= 1;
                format!("{rest}.{}", URL_SAFE_NO_PAD.encode(bytes))
            }
            Signed::None => format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims)),
            Signed::Hmac => {
                let text = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "one"})), part(&claims));
                let key = openssl::pkey::PKey::hmac(SECRET.as_bytes()).unwrap();
                let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
                signer.update(text.as_bytes()).unwrap();
                format!("{text}.{}", URL_SAFE_NO_PAD.encode(signer.sign_to_vec().unwrap()))
            }
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn read(stream: &mut TcpStream) -> Option<(String, String, String, String)> {
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut bytes).ok().filter(|length| *length > 0)?;
        seen.extend_from_slice(&bytes[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let due: usize = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= due {
            let mut words = head.split(' ');
            let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
            return Some((method, target, head.to_owned(), body.to_owned()));
        }
    }
}

fn say(stream: &mut TcpStream, status: u16, headers: &str, kind: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    drop(stream.write_all(head.as_bytes()));
}

//! The operator's SMS gateway: one POST of `{"to","text"}`.

use std::sync::Arc;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Notice, Pending, ROOM};
use crate::domain::{Fault, Moment};

/// Who makes the connection.
pub trait Post: Send + Sync {
    /// Posts JSON, with a bearer token if there is one, and answers the status.
    fn post<'a>(&'a self, url: &'a str, bearer: Option<&'a str>, body: Value) -> Pending<'a, u16>;
}

pub struct HttpSms {
    url: String,
    token: Option<Zeroizing<String>>,
    post: Arc<dyn Post>,
}

impl HttpSms {
    pub fn new(url: impl Into<String>, token: Option<String>, post: Arc<dyn Post>) -> Self {
        Self { url: url.into(), token: token.map(Zeroizing::new), post }
    }
}

impl Notice for HttpSms {
    fn send<'a>(&'a self, to: &'a str, text: &'a str, _at: Moment) -> Pending<'a, ()> {
        Box::pin(async move {
            let bearer = self.token.as_ref().map(|token| token.as_str());
            match self.post.post(&self.url, bearer, json!({ "to": to, "text": text })).await? {
                200..=299 => Ok(()),
                status => Err(Fault::unavailable(ROOM, format!("the SMS gateway answered {status}"))),
            }
        })
    }
}

//! One register over HTTP: its questions, asked again a bounded number of times, behind its breaker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::breaker::{Bounds, Breaker};
use super::{Address, Ask, Patience, Question, ROOM};
use crate::domain::json::strict;
use crate::domain::{Fault, Moment, PersonNumber, Span};

/// The pause before the first repetition; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Papers nest a few levels.
const DEEPEST: usize = 16;

pub struct Source {
    name: &'static str,
    url: String,
    token: Option<Zeroizing<String>>,
    patience: Patience,
    ask: Arc<dyn Ask>,
    breaker: Mutex<Breaker>,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Source {
    pub(super) fn new(address: Address, patience: Patience, ask: Arc<dyn Ask>) -> Source {
        Source {
            name: address.name,
            url: address.url.trim_end_matches('/').to_owned(),
            token: address.token.map(Zeroizing::new),
            patience,
            ask,
            breaker: Mutex::default(),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// As claims name it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is left alone at the moment.
    pub fn is_open(&self, now: Moment) -> bool {
        self.breaker().is_open(now)
    }

    /// Questions answered and questions that failed, since the start.
    pub fn figures(&self) -> (u64, u64) {
        (self.answered.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    pub(super) async fn person(&self, number: &PersonNumber, now: Moment) -> Result<Value, Fault> {
        self.question("person", &json!({"person_number": number.reveal()}), now).await
    }

    pub(super) async fn events(&self, after: Option<&str>, limit: u32, now: Moment) -> Result<Value, Fault> {
        self.question("events", &json!({"after": after, "limit": limit}), now).await
    }

    async fn question(&self, name: &str, body: &Value, now: Moment) -> Result<Value, Fault> {
        let url = format!("{}/{name}", self.url);
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            if !self.breaker().admit(self.bounds(), now) {
                return Err(Fault::unavailable(ROOM, format!("{} is left alone after failures", self.name)));
            }
            let fault = match self.once(&url, body).await {
                Ok(value) => {
                    self.breaker().succeed();
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(value);
                }
                Err(fault) => fault,
            };
            self.breaker().fail(self.bounds(), now);
            self.failed.fetch_add(1, Ordering::Relaxed);
            if tries >= self.patience.retries {
                return Err(fault);
            }
            tries = tries.saturating_add(1);
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }

    /// A fault names the register and what was wrong with the answer, never what the answer says.
    async fn once(&self, url: &str, body: &Value) -> Result<Value, Fault> {
        let bearer = self.token.as_ref().map(|token| token.as_str());
        let question = Question { url, bearer, body, within: self.patience.within };
        let (status, answer) = self.ask.ask(question).await?;
        if status != 200 {
            return Err(Fault::unavailable(ROOM, format!("{} answered {status}", self.name)));
        }
        let malformed = || Fault::unavailable(ROOM, format!("{} answered malformed JSON", self.name));
        let text = std::str::from_utf8(&answer).map_err(|_| malformed())?;
        strict(text, DEEPEST).map_err(|_| malformed())
    }

    fn bounds(&self) -> Bounds {
        Bounds { failures: self.patience.failures_to_open, pause: Span::seconds(self.patience.open_seconds) }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

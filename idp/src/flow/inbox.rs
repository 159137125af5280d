//! The sandbox's SMS inbox: messages sealed at rest like everything personal, opened for the phone's page only.

use std::sync::Arc;

use serde_json::Value;

use crate::clock::{Clock, Ticks};
use crate::config::{Config, SmsKind};
use crate::domain::secret::Sealed;
use crate::domain::{Fault, Id, Moment};
use crate::fetch::Fetch;
use crate::idp::Idp;
use crate::keys::Vault;
use crate::notice::{HttpSms, Inbox, Notice, Pending, Post, SandboxSms};
use crate::random::Random;
use crate::store::message::SmsMessage;
use crate::store::{self, Store};

const TO_PLACE: &str = "messages.to";
const TEXT_PLACE: &str = "messages.text";

/// One message as the phone shows it.
pub struct Message {
    pub to: String,
    pub text: String,
    pub at: Moment,
}

/// Newest first; `to` is an E.164 number.
pub async fn list(to: Option<&str>, limit: i64, idp: &Idp) -> Result<Vec<Message>, Fault> {
    let index = to.map(|to| idp.vault.blind_index("phone", to));
    let found = idp.store.read(move |db| store::message::list(db, index.as_ref(), limit)).await?;
    found.into_iter().map(|sealed| open(&sealed, idp)).collect()
}

fn open(sealed: &SmsMessage, idp: &Idp) -> Result<Message, Fault> {
    let text = |place, value: &Sealed| {
        let plain = idp.vault.open(place, sealed.id.as_str(), value)?;
        String::from_utf8(plain).map_err(|_| Fault::broken("flow", "message is not text"))
    };
    Ok(Message { to: text(TO_PLACE, &sealed.to)?, text: text(TEXT_PLACE, &sealed.text)?, at: sealed.at })
}

/// Where the sandbox's notices go instead of a network.
pub struct StoredInbox {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub random: Arc<dyn Random>,
    pub clock: Arc<dyn Clock>,
    pub ticks: Arc<Ticks>,
}

impl Inbox for StoredInbox {
    fn keep<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()> {
        Box::pin(async move {
            // Sorts by time, so that the newest of one second comes first too.
            let id: Id<SmsMessage> = self.random.id(self.ticks.next(&*self.clock))?;
            let message = SmsMessage {
                to_index: self.vault.blind_index("phone", to),
                to: self.vault.seal(TO_PLACE, id.as_str(), to.as_bytes())?,
                text: self.vault.seal(TEXT_PLACE, id.as_str(), text.as_bytes())?,
                id,
                at,
            };
            self.store.transact(move |db| store::message::put(db, &message)).await
        })
    }
}

/// The way out to the operator's gateway.
pub struct Gateway(pub Fetch);

impl Post for Gateway {
    fn post<'a>(&'a self, url: &'a str, bearer: Option<&'a str>, body: Value) -> Pending<'a, u16> {
        Box::pin(async move { self.0.post(url, bearer, &body).await })
    }
}

/// Where notices go, by configuration.
pub fn open_notice(config: &Config, inbox: StoredInbox, fetch: &Fetch) -> Result<Arc<dyn Notice>, Fault> {
    match (config.sms.kind, &config.sms.url) {
        (SmsKind::Http, Some(url)) => {
            let token = match &config.sms.token_file {
                Some(path) => {
                    let read = std::fs::read_to_string(path);
                    let text = read.map_err(|error| Fault::unavailable("flow", format!("sms.token_file: {error}")))?;
                    Some(text.trim().to_owned())
                }
                None => None,
            };
            Ok(Arc::new(HttpSms::new(url.clone(), token, Arc::new(Gateway(fetch.clone())))))
        }
        _ => Ok(Arc::new(SandboxSms::new(Arc::new(inbox)))),
    }
}

//! The sandbox's SMS inbox: messages sealed at rest like everything personal, opened for the phone's page only.

use std::sync::Arc;

use crate::domain::secret::Sealed;
use crate::domain::{Fault, Moment};
use crate::idp::Idp;
use crate::keys::Vault;
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
        let plain = idp.vault.open(place, &sealed.id, value)?;
        String::from_utf8(plain).map_err(|_| Fault::broken("flow", "message is not text"))
    };
    Ok(Message { to: text(TO_PLACE, &sealed.to)?, text: text(TEXT_PLACE, &sealed.text)?, at: sealed.at })
}

/// Where the sandbox's notices go instead of a network.
pub struct StoredInbox {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub random: Arc<dyn Random>,
}

impl StoredInbox {
    /// Seals and keeps one message.
    pub async fn keep(&self, to: &str, text: &str, at: Moment) -> Result<(), Fault> {
        let id = self.random.text()?;
        let message = SmsMessage {
            to_index: self.vault.blind_index("phone", to),
            to: self.vault.seal(TO_PLACE, &id, to.as_bytes())?,
            text: self.vault.seal(TEXT_PLACE, &id, text.as_bytes())?,
            id,
            at,
        };
        self.store.transact(move |db| store::message::put(db, &message)).await
    }
}

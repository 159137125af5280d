//! What goes to phones: worded where the decision is made, sent beside the answer.

use std::sync::Arc;

use crate::domain::account::Account;
use crate::domain::eid::LockGround;
use crate::domain::secret::{Minted, Otp};
use crate::domain::{Fault, Id, Span};
use crate::factor::otp::{News, Purpose, news, own_text};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

/// A message to hand to the network once the transaction stands.
pub struct Message {
    to: String,
    text: String,
}

impl Message {
    pub fn code(to: String, code: &Minted<Otp>, purpose: Purpose, idp: &Idp) -> Self {
        Self { to, text: own_text(code.reveal(), purpose, host(&idp.config.issuer)) }
    }

    pub fn news(to: String, what: News<'_>) -> Self {
        Self { to, text: news(what) }
    }

    /// LG-17: the address is the configured one, whatever host the request named.
    pub fn proved(to: String, stop_code: &str, hours: i64, idp: &Idp) -> Self {
        Self::news(to, News::Proved { issuer: &idp.config.issuer, stop_code, hours })
    }
}

/// Sends without being waited for. A message that is lost is logged; the holder can ask for another.
pub fn post(messages: impl IntoIterator<Item = Message>, idp: &Arc<Idp>) {
    for message in messages {
        let this = Arc::clone(idp);
        tokio::spawn(async move {
            if let Err(fault) = this.notice.send(&message.to, &message.text, this.clock.now()).await {
                tracing::error!(%fault, "notice.not_sent");
            }
        });
    }
}

/// The phone on file.
pub fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<String>, Fault> {
    let sealed = store::account::credentials(db, account)?.and_then(|known| known.phone);
    sealed.map(|sealed| sealed::open_phone(account, &sealed, &idp.vault)).transpose()
}

/// Nobody is written to about the dead (LCC Art 34).
pub fn is_dead(account: &Account) -> bool {
    account.eid.as_ref().is_some_and(|eid| eid.grounds().any(|ground| ground == LockGround::Death))
}

pub fn hours(span: Span) -> i64 {
    (span.as_seconds() + 3599) / 3600
}

pub fn host(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, host)| host)
}

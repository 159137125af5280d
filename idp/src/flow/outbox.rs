//! Putting notices into the outbox: whom an act concerns, in the transaction of the act itself. Delivery is
//! `back_channel`.

use std::sync::Arc;

use crate::domain::account::Account;
use crate::domain::outbox::{Cause, LogoutNotice};
use crate::domain::relying_party::{Client, ClientStatus, Registered};
use crate::domain::session::Session;
use crate::domain::{Fault, Id, Moment};
use crate::protocol::logout_token::KEPT;
use crate::protocol::subject::sector;
use crate::store::{self, Db};

/// What happened. Its name makes the names of its notices, so that each client hears of it once.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    pub name: &'a str,
    pub cause: Cause,
    pub at: Moment,
}

/// A session ended: every client that took part in it is told of it by the name it knows it by.
pub fn session_ended(db: &mut Db, session: &Session, occasion: Occasion<'_>) -> Result<(), Fault> {
    for (client, sid) in store::session::clients(db, &session.id)? {
        if let Some(client) = listening(db, &client)? {
            tell(db, (&session.account, &client), Some(sid), occasion)?;
        }
    }
    Ok(())
}

/// Everything of an account ended: every client that may hold something of it is told of the account alone
/// (`contract.md` 8). To be called before anything is ended.
pub fn account_ended(db: &mut Db, account: &Id<Account>, occasion: Occasion<'_>) -> Result<(), Fault> {
    let reached = store::outbox::reached(db, account)?;
    if reached.is_empty() {
        return Ok(());
    }
    let subjects = store::subject::all(db, account)?;
    let listening = store::client::find_all(db, &reached)?.into_iter().filter_map(is_listening);
    let notices: Vec<LogoutNotice> = listening
        .filter_map(|client| {
            // Without a subject no answer ever left for this client.
            let sub = subjects.get(sector(&client))?;
            Some(notice((account, &client), sub.clone(), None, occasion))
        })
        .collect();
    store::outbox::put_all(db, &notices)
}

/// What one client held of an account ended. Back-Channel Logout §2.2: a client that goes by sessions is told of each.
pub fn client_ended(
    db: &mut Db,
    account: &Id<Account>,
    client: &Id<Client>,
    occasion: Occasion<'_>,
) -> Result<(), Fault> {
    let Some(client) = listening(db, client)? else { return Ok(()) };
    if !client.logout.backchannel_logout_session_required {
        return tell(db, (account, &client), None, occasion);
    }
    for sid in store::outbox::sids(db, account, &client.id)? {
        tell(db, (account, &client), Some(sid), occasion)?;
    }
    Ok(())
}

/// The client, if it registered where to be told. A suspended one is told too: it may still show somebody's pages.
fn listening(db: &mut Db, id: &Id<Client>) -> Result<Option<Arc<Client>>, Fault> {
    Ok(store::client::find(db, id)?.and_then(is_listening))
}

fn is_listening(found: Registered) -> Option<Arc<Client>> {
    let listens = found.status != ClientStatus::Closed && found.client.logout.backchannel_logout_uri.is_some();
    listens.then_some(found.client)
}

fn tell(
    db: &mut Db,
    (account, client): (&Id<Account>, &Client),
    sid: Option<String>,
    occasion: Occasion<'_>,
) -> Result<(), Fault> {
    // Without a subject no answer ever left for this client.
    let Some(sub) = store::subject::find(db, account, sector(client))? else { return Ok(()) };
    store::outbox::put(db, &notice((account, client), sub, sid, occasion))
}

fn notice(
    (account, client): (&Id<Account>, &Client),
    sub: String,
    sid: Option<String>,
    occasion: Occasion<'_>,
) -> LogoutNotice {
    let of_session = sid.as_deref().map(|sid| format!("/{sid}")).unwrap_or_default();
    LogoutNotice {
        id: Id::new(format!("{}/{}{of_session}", occasion.name, client.id)),
        cause: occasion.cause,
        client: client.id.clone(),
        account: account.clone(),
        sub,
        sid,
        attempts: 0,
        next_at: occasion.at,
        expires_at: occasion.at + KEPT,
    }
}

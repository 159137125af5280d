//! End of session (OpenID Connect RP-Initiated Logout 1.0): is the holder asked first, and where do they go afterwards.

use crate::domain::relying_party::{ClientStatus, Registered};
use crate::domain::{Client, Id};

use super::authorize::address::{sane_state, with_query};
use super::error::Error;
use super::id_token::Hinted;
use super::params::Params;

/// What `id_token_hint` came to, its signature verified before (`id_token::hinted`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutHint {
    Absent,
    /// Why it is no ID token of ours.
    Invalid(&'static str),
    Valid(Hinted),
}

/// This browser's session, beside the hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// Nobody is signed in here.
    Nobody,
    /// The session the hint's `sid` belongs to.
    Hinted,
    /// Some session, and no hint says it is that one.
    Another,
}

/// Where the person goes afterwards. Made only from a client's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    client: Id<Client>,
    uri: String,
    state: Option<String>,
}

impl Back {
    /// The client whose registration the address is from.
    pub fn client(&self) -> &Id<Client> {
        &self.client
    }

    /// The whole address, with `state` if one was sent and nothing else (RP-Initiated Logout §3).
    pub fn location(&self) -> String {
        with_query(&self.uri, self.state.as_deref().map(|state| ("state", state)))
    }
}

/// How the request goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person is asked; the session lives until they confirm (RP-Initiated Logout §2). Afterwards `back`, or the
    /// signed-out page.
    Confirm { back: Option<Back> },
    /// The session ends now, if there is one.
    Direct { back: Option<Back> },
    /// An error page; no redirect, and the session lives.
    Page(Error),
}

/// The client a request is about: the hint's, else the one named by `client_id`. To be looked up before `end`.
pub fn client_id(params: &Params, hint: &LogoutHint) -> Option<Id<Client>> {
    match hint {
        LogoutHint::Valid(hint) => Some(hint.client.clone()),
        LogoutHint::Absent | LogoutHint::Invalid(_) => params.first("client_id").map(Id::new),
    }
}

/// Decides. `registered` is the client of `client_id`. Only a valid hint makes an address to return to, and only one
/// registered byte for byte (`security.md` LO-02); only a valid hint of the session here ends it without asking.
pub fn end(params: &Params, hint: &LogoutHint, registered: Option<&Registered>, here: Here) -> Ending {
    match decide(params, hint, registered, here) {
        Ok(ending) => ending,
        Err(error) => Ending::Page(error),
    }
}

fn decide(params: &Params, hint: &LogoutHint, registered: Option<&Registered>, here: Here) -> Result<Ending, Error> {
    const CLAUSE: &str = "RP-Initiated Logout §2";
    for name in ["id_token_hint", "post_logout_redirect_uri", "client_id", "logout_hint", "ui_locales"] {
        params.one(name)?;
    }
    let state = sane_state(params)?;
    let hinted = match hint {
        // Without a hint the address is not trusted, whoever is named; the person may still sign out.
        LogoutHint::Absent => return Ok(Ending::Confirm { back: None }),
        LogoutHint::Invalid(reason) => return Err(Error::invalid_request(CLAUSE, format!("id_token_hint {reason}"))),
        LogoutHint::Valid(hinted) => hinted,
    };
    if params.first("client_id").is_some_and(|named| named != hinted.client.as_str()) {
        return Err(Error::invalid_request(CLAUSE, "client_id is not the one id_token_hint was issued to"));
    }
    let back = match params.first("post_logout_redirect_uri") {
        None => None,
        Some(asked) => {
            let client = registered
                .filter(|registered| registered.status == ClientStatus::Live && registered.client.id == hinted.client)
                .filter(|registered| registered.client.post_logout_redirect_uris.iter().any(|uri| uri == asked))
                .ok_or_else(|| Error::invalid_request(CLAUSE, "post_logout_redirect_uri is not registered"))?;
            Some(Back { client: client.client.id.clone(), uri: asked.to_owned(), state: state.map(str::to_owned) })
        }
    };
    Ok(match here {
        Here::Hinted | Here::Nobody => Ending::Direct { back },
        Here::Another => Ending::Confirm { back },
    })
}

#[cfg(test)]
#[path = "logout_tests.rs"]
mod tests;

//! Interaction: an authorization request in progress, bound to the browser that began it.

use super::account::Account;
use super::id::Id;
use super::moment::Moment;
use super::request::AuthorizationRequest;
use super::secret::{BrowserCookie, Stored};

/// What finishing the interaction leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back to the client.
    Client(Box<AuthorizationRequest>),
    /// One of our own pages, by path: a stranger opened `/identity` and signs in first.
    OwnPage(String),
}

#[derive(Clone, Debug)]
pub struct Interaction {
    pub id: Id<Interaction>,
    pub browser: Stored<BrowserCookie>,
    pub destination: Destination,
    /// Who proved a first factor here but may not act, so that their page can be shown once more.
    pub refused: Option<Id<Account>>,
    /// Who proved a factor within this interaction. Until somebody did, nothing was proved for its sake.
    pub proved_by: Option<Id<Account>>,
    /// When that person entered a code sent for this interaction.
    pub confirmed_at: Option<Moment>,
    /// For whom the person here chose to act; themself too is a choice.
    pub chosen: Option<Id<Account>>,
    /// They said before that it is for somebody else.
    pub for_other: bool,
    pub opened_at: Moment,
    pub expires_at: Moment,
    pub finished_at: Option<Moment>,
}

impl Interaction {
    pub fn is_open(&self, now: Moment) -> bool {
        self.finished_at.is_none() && now < self.expires_at
    }

    pub fn request(&self) -> Option<&AuthorizationRequest> {
        match &self.destination {
            Destination::Client(request) => Some(request),
            Destination::OwnPage(_) => None,
        }
    }
}

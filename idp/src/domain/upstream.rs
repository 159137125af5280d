//! Sign-in through another provider: who there is who here, and the steps on the way. A subject there is linked to an
//! account here by the holder alone, never because a name, number, address or phone agrees (`security.md` UP-07).

use super::account::Account;
use super::id::Id;
use super::interaction::Interaction;
use super::moment::Moment;
use super::secret::{BlindIndex, BrowserCookie, Stored, UpstreamState};
use super::session::Session;

/// One subject of one issuer is one account.
#[derive(Clone, Debug)]
pub struct Link {
    pub id: Id<Link>,
    pub account: Id<Account>,
    pub issuer: String,
    pub subject: BlindIndex,
    pub linked_at: Moment,
}

/// A browser sent to another provider and awaited back, once.
#[derive(Clone, Debug)]
pub struct Trip {
    pub state: Stored<UpstreamState>,
    /// The short name of the provider it was sent to.
    pub upstream: String,
    pub interaction: Id<Interaction>,
    pub browser: Stored<BrowserCookie>,
    /// It is to become a link, whoever signs in there.
    pub linking: bool,
    pub begun_at: Moment,
    pub expires_at: Moment,
    pub spent_at: Option<Moment>,
}

impl Trip {
    /// `security.md` UP-04: the answer counts in the browser that was sent away, at the provider it was sent to, once.
    pub fn awaits(&self, upstream: &str, browser: Option<&Stored<BrowserCookie>>, now: Moment) -> bool {
        self.spent_at.is_none() && now < self.expires_at && self.upstream == upstream && browser == Some(&self.browser)
    }
}

/// Somebody the other provider knows and we do not, who may prove to be one of our holders.
#[derive(Clone, Debug)]
pub struct LinkProof {
    pub id: Id<LinkProof>,
    pub upstream: String,
    pub issuer: String,
    pub subject: BlindIndex,
    pub browser: Stored<BrowserCookie>,
    /// In which the holder proves the account here.
    pub interaction: Id<Interaction>,
    /// Which began it all.
    pub origin: Id<Interaction>,
    /// Who proved a password for it: nobody else can finish it.
    pub account: Option<Id<Account>>,
    pub proved_at: Moment,
    pub expires_at: Moment,
    pub spent_at: Option<Moment>,
}

impl LinkProof {
    /// `security.md` UP-10: once, in this browser, in time.
    pub fn is_open(&self, browser: Option<&Stored<BrowserCookie>>, now: Moment) -> bool {
        self.spent_at.is_none() && now < self.expires_at && browser == Some(&self.browser)
    }
}

/// A session that rests on a link.
#[derive(Clone, Debug)]
pub struct Resting {
    pub session: Id<Session>,
    pub link: Id<Link>,
    /// As the other provider knows it.
    pub sid: Option<BlindIndex>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip() -> Trip {
        Trip {
            state: Stored::of("state"),
            upstream: "a".to_owned(),
            interaction: Id::new("i"),
            browser: Stored::of("browser"),
            linking: false,
            begun_at: Moment::from_unix(0),
            expires_at: Moment::from_unix(600),
            spent_at: None,
        }
    }

    #[test]
    fn up_04_an_answer_counts_where_and_when_it_is_awaited() {
        let own: Stored<BrowserCookie> = Stored::of("browser");
        let other: Stored<BrowserCookie> = Stored::of("other");
        let at = Moment::from_unix;
        assert!(trip().awaits("a", Some(&own), at(599)));
        assert!(!trip().awaits("a", Some(&own), at(600)));
        assert!(!trip().awaits("b", Some(&own), at(1)));
        assert!(!trip().awaits("a", Some(&other), at(1)));
        assert!(!trip().awaits("a", None, at(1)));
        assert!(!Trip { spent_at: Some(at(1)), ..trip() }.awaits("a", Some(&own), at(2)));
    }
}

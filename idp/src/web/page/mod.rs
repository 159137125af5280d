//! The citizen's pages.
//!
//! Owns: what each page shows (one plain struct a page, rendered by a template of `web/pages`), the words in both
//! languages, the preview of a claim's value, the text a consent is given to, and the files pages refer to.
//! Must not know: requests, cookies, the store; everything a page needs arrives in its struct.
//!
//! `contract.md` 6 fixes the ids, names and `data-page` values; tests hold every page to them.

pub mod acting;
pub mod app;
pub mod assets;
pub mod calendar;
pub mod consent;
pub mod credentials;
pub mod enrol;
pub mod factors;
pub mod identity;
pub mod leave;
pub mod own_lock;
pub mod picture;
pub mod preview;
pub mod qr;
pub mod recover;
pub mod safety;
pub mod sign_in;
pub mod stop;
pub mod transaction;
pub mod upstream;
pub mod words;

use std::borrow::Cow;
use std::fmt::Display;

use askama::Template;

pub use acting::{Guardian, Represent};
pub use consent::{ClaimView, Consent, PurposeView, ServerView, consent_text};
pub use identity::{Home, Identity};
pub use leave::{ErrorPage, FormPost, SignOut, SignedOut};
pub use preview::preview;
pub use sign_in::{Otp, OtpProblem, SignIn, SignInProblem};
pub use stop::{Lack, Level, Reason, Stop};
pub use transaction::Transaction;

use crate::domain::{Client, Fault};

/// What stands around every page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// `vi` or `en`.
    pub language: &'static str,
    /// Whether the person chose the language on a page: then it stays in the address.
    pub chosen: bool,
    /// The page's own address without `lang`, where its forms post to and its language links lead.
    /// Empty on a page that cannot be opened again by its address: it has no language links.
    pub address: String,
    /// What proves that a form came from our page in this browser. Empty on pages without a form to us.
    pub form_token: String,
}

impl Frame {
    pub fn t(&self, key: &str) -> Cow<'static, str> {
        words::say(self.language, key)
    }

    /// The text in the language the page is not written in.
    pub fn beside(&self, key: &str) -> Cow<'static, str> {
        words::say(self.other(), key)
    }

    pub fn fill(&self, key: &str, name: &str, value: impl Display) -> String {
        words::fill(self.language, key, name, &value.to_string())
    }

    pub fn other(&self) -> &'static str {
        if self.language == words::ENGLISH { words::VIETNAMESE } else { words::ENGLISH }
    }

    /// Where the forms of the page post to.
    pub fn action(&self) -> Cow<'_, str> {
        if self.chosen { Cow::Owned(self.in_language(self.language)) } else { Cow::Borrowed(&self.address) }
    }

    /// One of our own addresses, in the chosen language.
    pub fn link(&self, address: &str) -> String {
        if self.chosen { with_language(address, self.language) } else { address.to_owned() }
    }

    /// The page's own address in a language.
    pub fn in_language(&self, language: &str) -> String {
        with_language(&self.address, language)
    }

    pub fn style(&self) -> &'static str {
        &assets::STYLE.path
    }

    pub fn mark(&self) -> &'static str {
        &assets::MARK.path
    }
}

fn with_language(address: &str, language: &str) -> String {
    let mark = if address.contains('?') { '&' } else { '?' };
    format!("{address}{mark}lang={language}")
}

/// Who asks, as the holder is told.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The client's name.
    pub name: String,
    /// The organisation behind it: the controller of what is released.
    pub organisation: String,
    /// A path of ours that serves the logo, never the client's own address.
    pub logo: Option<String>,
    pub site: Option<String>,
    pub policy: Option<String>,
    pub terms: Option<String>,
}

impl Asker {
    pub fn of(client: &Client, logo: Option<String>, language: &str) -> Asker {
        let web = |address: &Option<String>| address.clone().filter(|address| is_web(address));
        Asker {
            name: client.client_name.in_language(language).to_owned(),
            organisation: client.relying_party.in_language(language).to_owned(),
            logo,
            site: web(&client.client_uri),
            policy: web(&client.policy_uri),
            terms: web(&client.tos_uri),
        }
    }
}

/// Only these may stand in a link: anything else could be script.
fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

fn rendered(page: &impl Template) -> Result<String, Fault> {
    page.render().map_err(|error| Fault::broken("web", error))
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

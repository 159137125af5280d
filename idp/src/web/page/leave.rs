//! Pages on the way out: sign-out, errors that cannot be returned, and the self-posting answer.

use std::borrow::Cow;

use askama::Template;
use url::Url;

use super::{Frame, assets, rendered, words};
use crate::domain::Fault;
use crate::protocol::ErrorCode;

#[derive(Clone, Debug, Template)]
#[template(path = "sign-out.html")]
pub struct SignOut {
    pub frame: Frame,
    /// Who asks for the sign-out, if a client does.
    pub client: Option<String>,
    /// Names of the clients this session signed in to: all of them end.
    pub portals: Vec<String>,
    /// Parameters of the request that must come back with the confirmation.
    pub fields: Vec<(String, String)>,
    /// Where a person who does not confirm goes.
    pub stay: Option<String>,
}

impl SignOut {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "signed-out.html")]
pub struct SignedOut {
    pub frame: Frame,
    /// The client's name and the address it registered to return to.
    pub back: Option<(String, String)>,
    /// Addresses of clients that end their own sessions when they are loaded (Front-Channel Logout §3).
    pub frames: Vec<String>,
}

impl SignedOut {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn script(&self) -> &'static str {
        &assets::SIGNED_OUT.path
    }
}

/// An error that has no trusted address to return to.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    /// An OAuth error code or one of `domain.md` 6.6.
    pub code: String,
    /// The rule that was broken, in the English a portal's team knows (`protocol::Error::told`).
    pub told: String,
    /// The clause it stands in.
    pub clause: Option<String>,
    pub reference: String,
}

impl ErrorPage {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    /// What the page says to a person: of the rule if its leading word is known, else of the code.
    fn plain(&self, part: &str, language: &str) -> Cow<'static, str> {
        let rule = self.told.split_whitespace().next().unwrap_or_default();
        [format!("error.rule.{rule}.{part}"), format!("error.code.{}.{part}", self.code)]
            .iter()
            .find_map(|key| words::find(language, key))
            .unwrap_or_else(|| words::say(language, &format!("error.code.other.{part}")))
    }
}

/// Every code a page can carry besides those of OAuth.
pub const OWN_CODES: [&str; 10] = [
    "vn_level_insufficient",
    "vn_account_not_activated",
    "vn_account_locked",
    "vn_card_expired",
    "vn_otp_expired",
    "vn_qr_expired",
    "vn_web_access_not_granted",
    "vn_identity_mismatch",
    "vn_upstream_unavailable",
    "vn_guardian_required",
];

/// The sentence of `domain.md` 6.6 or of an OAuth code.
pub fn code_text(code: &str, language: &str) -> Cow<'static, str> {
    words::find(language, &format!("error.code.{code}.what"))
        .unwrap_or_else(|| words::say(language, "error.code.other.what"))
}

pub fn error_text(code: ErrorCode, language: &str) -> Cow<'static, str> {
    code_text(code.as_str(), language)
}

/// OAuth 2.0 Form Post Response Mode §2: the answer posts itself; without scripts the person presses the button.
#[derive(Clone, Debug, Template)]
#[template(path = "form-post.html")]
pub struct FormPost {
    pub frame: Frame,
    /// The request's own redirect_uri.
    pub action: String,
    /// The client's name; where it is not at hand, the host of `action` is named.
    pub client: String,
    pub fields: Vec<(String, String)>,
}

impl FormPost {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn destination(&self) -> String {
        if !self.client.is_empty() && self.client != self.action {
            return self.client.clone();
        }
        let host = Url::parse(&self.action).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_default()
    }

    fn script(&self) -> &'static str {
        &assets::FORM_POST.path
    }
}

//! Lifetimes: each may be shortened, none lengthened past its ceiling (`contract.md` 3). Values are seconds.

use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::domain::session::SessionLimits;
use crate::domain::{AuthenticationLevel, Span};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifetimes {
    pub code: Span,
    /// How long a pushed request waits for its browser.
    pub request_uri: Span,
    pub interaction: Span,
    pub otp: Span,
    /// How long a QR code can be scanned, and how long the phone that did may answer.
    pub app_ticket: Span,
    pub app_answer: Span,
    /// How long a code that binds the app to a phone is good for.
    pub app_binding: Span,
    pub access_token: Span,
    pub id_token: Span,
    /// Without use for this long, a refresh token ends.
    pub refresh_token_idle: Span,
    pub session_idle_level_1: Span,
    pub session_absolute_level_1: Span,
    pub session_idle_level_2: Span,
    pub session_absolute_level_2: Span,
}

impl Default for Lifetimes {
    fn default() -> Self {
        let one = SessionLimits::ceiling(AuthenticationLevel::One);
        let two = SessionLimits::ceiling(AuthenticationLevel::Two);
        Self {
            code: Span::seconds(60),
            request_uri: Span::seconds(90),
            interaction: Span::minutes(30),
            otp: Span::minutes(5),
            app_ticket: Span::seconds(60),
            app_answer: Span::seconds(120),
            app_binding: Span::minutes(10),
            access_token: Span::minutes(10),
            id_token: Span::minutes(10),
            refresh_token_idle: Span::days(30),
            session_idle_level_1: one.idle,
            session_absolute_level_1: one.absolute,
            session_idle_level_2: two.idle,
            session_absolute_level_2: two.absolute,
        }
    }
}

impl Lifetimes {
    /// How long a session lives that stands at `level`.
    pub fn session(&self, level: AuthenticationLevel) -> SessionLimits {
        match level {
            AuthenticationLevel::One => {
                SessionLimits { idle: self.session_idle_level_1, absolute: self.session_absolute_level_1 }
            }
            _ => SessionLimits { idle: self.session_idle_level_2, absolute: self.session_absolute_level_2 },
        }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let defaults = Self::default();
        let rows = [
            ("code", self.code, Span::seconds(60)),
            ("request_uri", self.request_uri, Span::seconds(120)),
            ("interaction", self.interaction, defaults.interaction),
            ("otp", self.otp, Span::minutes(10)),
            // `security.md` N-04.
            ("app_ticket", self.app_ticket, Span::seconds(60)),
            ("app_answer", self.app_answer, defaults.app_answer),
            ("app_binding", self.app_binding, defaults.app_binding),
            ("access_token", self.access_token, Span::hours(1)),
            ("id_token", self.id_token, defaults.id_token),
            ("refresh_token_idle", self.refresh_token_idle, defaults.refresh_token_idle),
            ("session_idle_level_1", self.session_idle_level_1, defaults.session_idle_level_1),
            ("session_absolute_level_1", self.session_absolute_level_1, defaults.session_absolute_level_1),
            ("session_idle_level_2", self.session_idle_level_2, defaults.session_idle_level_2),
            ("session_absolute_level_2", self.session_absolute_level_2, defaults.session_absolute_level_2),
        ];
        for (name, span, ceiling) in rows {
            if span < Span::seconds(1) || span > ceiling {
                let reason = format!("must be 1 to {} seconds", ceiling.as_seconds());
                return Err(Invalid::new(format!("lifetimes.{name}"), reason));
            }
        }
        Ok(())
    }
}

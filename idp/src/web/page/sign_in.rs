//! The sign-in page and the page for a code sent to the phone.

use askama::Template;

use super::factors::{PasskeyForm, PasskeyProblem};
use super::upstream::Way;
use super::{Asker, Frame, rendered};
use crate::domain::Fault;

/// Why the page is shown again. An unknown number and a wrong password are one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// The number typed is not twelve digits. Says nothing about any account.
    Malformed,
    Wrong,
    /// Too fast: the next try counts after so many seconds.
    Wait(i64),
    /// No password is tried from this device any more.
    Throttled,
    /// The form was too old, or not ours.
    FormExpired,
}

impl SignInProblem {
    pub const ALL: [SignInProblem; 5] =
        [Self::Malformed, Self::Wrong, Self::Wait(5), Self::Throttled, Self::FormExpired];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Malformed => "sign_in.problem.malformed",
            Self::Wrong => "sign_in.problem.wrong",
            Self::Wait(_) => "sign_in.problem.wait",
            Self::Throttled => "sign_in.problem.throttled",
            Self::FormExpired => "sign_in.problem.form_expired",
        }
    }

    pub(super) fn seconds(self) -> i64 {
        if let Self::Wait(seconds) = self { seconds.max(1) } else { 0 }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "sign-in.html")]
pub struct SignIn {
    pub frame: Frame,
    /// `None` when one of our own pages asks.
    pub asker: Option<Asker>,
    /// The public service the request names.
    pub service: Option<String>,
    /// What was typed before, or what the client suggested.
    pub person_number: String,
    /// A session stands, but a fresh proof is wanted.
    pub again: bool,
    pub problem: Option<SignInProblem>,
    /// `None` where passkeys cannot be used.
    pub passkey: Option<PasskeyForm>,
    pub passkey_problem: Option<PasskeyProblem>,
    /// Other providers one may sign in through.
    pub upstreams: Vec<Way>,
}

impl SignIn {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    /// The page with the code the app scans.
    fn qr(&self) -> String {
        self.frame.link(&self.frame.address.replacen("/sign-in", "/qr", 1))
    }

    fn problem_text(&self) -> Option<String> {
        let problem = self.problem?;
        Some(self.frame.fill(problem.key(), "seconds", problem.seconds()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtpProblem {
    Wrong,
    /// Not a code of the authenticator app, or one used before.
    WrongOfApp,
    /// `vn_otp_expired`
    Expired,
    /// Too many wrong codes: none is tried for so many seconds.
    Throttled(i64),
    /// Too many codes sent: the next may be sent after so many seconds.
    SendWait(i64),
    /// The code could not be handed to the operator.
    NotSent,
    FormExpired,
}

impl OtpProblem {
    pub const ALL: [OtpProblem; 7] = [
        Self::Wrong,
        Self::WrongOfApp,
        Self::Expired,
        Self::Throttled(600),
        Self::SendWait(900),
        Self::NotSent,
        Self::FormExpired,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Wrong => "otp.problem.wrong",
            Self::WrongOfApp => "factors.app.wrong",
            Self::Expired => "otp.problem.vn_otp_expired",
            Self::Throttled(_) => "otp.problem.throttled",
            Self::SendWait(_) => "otp.problem.send_wait",
            Self::NotSent => "otp.problem.not_sent",
            Self::FormExpired => "otp.problem.form_expired",
        }
    }

    pub(super) fn minutes(self) -> i64 {
        if let Self::Throttled(seconds) | Self::SendWait(seconds) = self {
            seconds.max(1).saturating_add(59) / 60
        } else {
            0
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "otp.html")]
pub struct Otp {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    /// Where the code went, by `masked_phone`.
    pub phone: String,
    /// How long a code is good for, in minutes.
    pub minutes: i64,
    /// Tries left, once one was wrong.
    pub remaining: Option<i64>,
    /// A new code was just sent on request.
    pub sent_again: bool,
    pub problem: Option<OtpProblem>,
    /// The code is the authenticator app's, not one that was sent.
    pub app: bool,
    /// A message may be asked for instead.
    pub use_sms: bool,
    /// Where the app's code is taken instead.
    pub use_app: Option<String>,
    /// Where a passkey is taken instead.
    pub use_passkey: Option<String>,
}

impl Otp {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem_text(&self) -> Option<String> {
        let problem = self.problem?;
        Some(self.frame.fill(problem.key(), "minutes", problem.minutes()))
    }

    const fn title(&self) -> &'static str {
        if self.app { "factors.app.title" } else { "otp.title" }
    }

    const fn has_others(&self) -> bool {
        self.use_sms || self.use_app.is_some() || self.use_passkey.is_some()
    }

    fn remaining_text(&self) -> Option<String> {
        let remaining = self.remaining?;
        Some(self.frame.fill("otp.remaining", "count", remaining))
    }
}

/// A phone number with a leading 0 and its middle hidden (`domain.md` 3.8): `+84912345678` is `091••••678`.
pub fn masked_phone(e164: &str) -> String {
    let national = national_phone(e164);
    let length = national.chars().count();
    national.chars().enumerate().map(|(i, c)| if i < 3 || i + 3 >= length { c } else { '•' }).collect()
}

/// `+84912345678` as it is dialled at home: `0912345678`.
pub fn national_phone(e164: &str) -> String {
    e164.strip_prefix("+84").map_or_else(|| e164.to_owned(), |rest| format!("0{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_show_the_first_and_last_three_digits() {
        assert_eq!(masked_phone("+84912345678"), "091••••678");
        assert_eq!(masked_phone("+8613812345678"), "+86••••••••678");
        assert_eq!(masked_phone(""), "");
    }

    #[test]
    fn waits_round_up() {
        assert_eq!(OtpProblem::Throttled(600).minutes(), 10);
        assert_eq!(OtpProblem::SendWait(61).minutes(), 2);
        assert_eq!(OtpProblem::SendWait(-5).minutes(), 1);
        assert_eq!(SignInProblem::Wait(0).seconds(), 1);
    }
}

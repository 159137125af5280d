//! The pages of registration: the form, the code, and where the request stands.

use askama::Template;

use super::{Frame, rendered};
use crate::domain::registration::{Progress, Reason, State};
use crate::domain::{Fault, Moment, Span};

/// What a person typed, shown again as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    pub qr: String,
    pub person_number: String,
    pub name: String,
    pub birthdate: String,
    pub gender: String,
    pub phone: String,
    pub email: String,
}

/// A field that has no shape we take. Says nothing about any person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Qr,
    PersonNumber,
    Name,
    Birthdate,
    Gender,
    Phone,
    Email,
}

impl Field {
    pub const ALL: [Field; 7] =
        [Field::Qr, Field::PersonNumber, Field::Name, Field::Birthdate, Field::Gender, Field::Phone, Field::Email];

    const fn name(self) -> &'static str {
        match self {
            Field::Qr => "qr",
            Field::PersonNumber => "person_number",
            Field::Name => "name",
            Field::Birthdate => "birthdate",
            Field::Gender => "gender",
            Field::Phone => "phone",
            Field::Email => "email",
        }
    }

    /// Where its field stands on the page.
    fn anchor(self) -> &'static str {
        if self == Field::Gender { "gender-female" } else { self.name() }
    }

    fn key(self) -> String {
        format!("enrol.problem.{}", self.name())
    }
}

/// What else can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    FormExpired,
    Wrong,
    Expired,
    /// Guesses pause for so many seconds.
    Wait(i64),
    /// No more messages to this phone for so many seconds.
    SendLimit(i64),
}

impl Trouble {
    pub const ALL: [Trouble; 5] =
        [Trouble::FormExpired, Trouble::Wrong, Trouble::Expired, Trouble::Wait(600), Trouble::SendLimit(900)];

    pub const fn key(self) -> &'static str {
        match self {
            Trouble::FormExpired => "enrol.trouble.form_expired",
            Trouble::Wrong => "enrol.trouble.wrong",
            Trouble::Expired => "enrol.trouble.expired",
            Trouble::Wait(_) => "enrol.trouble.wait",
            Trouble::SendLimit(_) => "enrol.trouble.send_limit",
        }
    }

    /// Rounded up to whole minutes.
    pub(super) fn text(self, frame: &Frame) -> String {
        let minutes = match self {
            Trouble::Wait(seconds) | Trouble::SendLimit(seconds) => seconds.max(1).saturating_add(59) / 60,
            _ => 0,
        };
        frame.fill(self.key(), "minutes", minutes)
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "enrol.html")]
pub struct Enrol {
    pub frame: Frame,
    pub typed: Typed,
    pub fields: Vec<Field>,
    pub trouble: Option<Trouble>,
    /// The card's text filled the form in.
    pub filled: bool,
}

impl Enrol {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn bad(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name() == name)
    }

    fn trouble_text(&self) -> Option<String> {
        self.trouble.map(|trouble| trouble.text(&self.frame))
    }

    /// Where to put it right, and what is wrong.
    fn wrongs(&self) -> Vec<(&'static str, String)> {
        self.fields.iter().map(|field| (field.anchor(), self.frame.t(&field.key()).into_owned())).collect()
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "enrol-code.html")]
pub struct EnrolCode {
    pub frame: Frame,
    /// By `masked_phone`.
    pub phone: String,
    pub minutes: i64,
    pub trouble: Option<Trouble>,
    pub sent_again: bool,
}

impl EnrolCode {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn trouble_text(&self) -> Option<String> {
        self.trouble.map(|trouble| trouble.text(&self.frame))
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "enrol-status.html")]
pub struct EnrolStatus {
    pub frame: Frame,
    pub progress: Progress,
    pub phone: String,
    /// The decision is owed and late.
    pub late: bool,
}

impl EnrolStatus {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    /// What stands, in one word for programs.
    fn state(&self) -> &'static str {
        match self.progress.state {
            State::Draft | State::Submitted | State::Checking => "waiting",
            State::Granted | State::Notified => "granted",
            State::Rejected(_) => "refused",
            State::Activated | State::ActivatedViaHotline => "activated",
            State::ActivationOverdue => "overdue",
        }
    }

    fn key(&self, part: &str) -> String {
        format!("enrol.status.{}.{part}", self.state())
    }

    /// Reasons a stranger learns nothing from are told as one.
    fn reason(&self) -> Option<(String, Vec<String>)> {
        let name = match self.progress.state.reason()? {
            Reason::UnderAge => "under_age",
            Reason::CardNotValid => "card_not_valid",
            Reason::Withdrawn => "withdrawn",
            _ => "not_matched",
        };
        let key = format!("enrol.reason.{name}");
        let what = self.frame.t(&format!("{key}.what")).into_owned();
        Some((what, super::stop::steps(&self.frame, &key)))
    }

    fn submitted(&self) -> Option<String> {
        self.progress.submitted_at.map(super::calendar::minute)
    }

    fn decide_by(&self) -> Option<String> {
        self.progress.decide_by.map(last_day)
    }

    fn activate_by(&self) -> Option<String> {
        self.progress.activate_by.map(last_day)
    }

    fn is_waiting(&self) -> bool {
        self.state() == "waiting"
    }

    fn may_activate(&self) -> bool {
        self.state() == "granted"
    }

    fn may_sign_in(&self) -> bool {
        self.state() == "activated"
    }

    fn may_begin_again(&self) -> bool {
        self.state() == "refused"
    }
}

/// A period ends with its last day; the midnight after it is the next one's.
fn last_day(end: Moment) -> String {
    super::calendar::day(end - Span::seconds(1))
}

/// What the activation page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Number,
    Code,
    Overdue,
    Done,
}

/// What is wrong with the activation form besides `Trouble`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    Number,
    /// The name of a weakness, said by `password.weak.NAME`.
    Weak(&'static str),
    Repeat,
    Trouble(Trouble),
}

#[derive(Clone, Debug, Template)]
#[template(path = "activate.html")]
pub struct Activate {
    pub frame: Frame,
    pub stage: Stage,
    pub person_number: String,
    pub minutes: i64,
    pub slip: Option<Slip>,
}

impl Activate {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem(&self) -> Option<String> {
        Some(match self.slip? {
            Slip::Number => self.frame.t("activate.problem.number").into_owned(),
            Slip::Weak(name) => self.frame.t(&format!("password.weak.{name}")).into_owned(),
            Slip::Repeat => self.frame.t("activate.problem.repeat").into_owned(),
            Slip::Trouble(trouble) => trouble.text(&self.frame),
        })
    }

    fn is(&self, stage: Stage) -> bool {
        self.stage == stage
    }
}

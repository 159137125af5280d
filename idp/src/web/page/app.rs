//! The page on which the holder sees to the phone the VNeID app is bound to.

use askama::Template;

use super::picture::{Picture, picture};
use super::{Frame, calendar, rendered};
use crate::domain::{Fault, Moment};

/// The phone bound now.
#[derive(Clone, Debug)]
pub struct Phone {
    pub name: String,
    pub bound_at: Moment,
    pub used_at: Option<Moment>,
}

/// What the page asks of the holder.
#[derive(Clone, Debug)]
pub enum Ask {
    Nothing,
    /// The code sent to this masked number.
    Otp(String),
    /// To scan or type this in the app.
    Scan {
        code: String,
        payload: String,
        minutes: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It was not said that the old phone may go.
    Confirm,
    Wrong,
    Wait(i64),
    NotSent,
    NoPhone,
}

impl Problem {
    pub const ALL: [Problem; 5] = [Self::Confirm, Self::Wrong, Self::Wait(600), Self::NotSent, Self::NoPhone];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Confirm => "app.problem.confirm",
            Self::Wrong => "app.problem.wrong",
            Self::Wait(_) => "app.problem.wait",
            Self::NotSent => "app.problem.not_sent",
            Self::NoPhone => "app.problem.no_phone",
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "app.html")]
pub struct App {
    pub frame: Frame,
    pub phone: Option<Phone>,
    pub ask: Ask,
    pub problem: Option<Problem>,
    /// The phone was just removed.
    pub removed: bool,
}

impl App {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem_text(&self) -> Option<String> {
        let problem = self.problem?;
        let minutes = if let Problem::Wait(seconds) = problem { seconds.max(1).saturating_add(59) / 60 } else { 0 };
        Some(self.frame.fill(problem.key(), "minutes", minutes))
    }

    fn minute(&self, moment: &Moment) -> String {
        calendar::minute(*moment)
    }

    fn picture(&self, payload: &str) -> Picture {
        picture(payload)
    }
}

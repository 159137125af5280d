//! The page of a recovery: one address, and whatever step is due.

use askama::Template;

use super::{Frame, calendar, rendered};
use crate::domain::recovery::Ending;
use crate::domain::{Fault, Moment};

/// What the page asks for or tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Number,
    Code,
    Second,
    Waiting(Moment),
    NewPassword,
    /// How it ended; `None`: its time was over.
    Over(Option<Ending>),
    /// Where the code of a notice is typed.
    Stop,
    /// That code was right.
    Halted,
}

impl Place {
    /// `data-step`, and the key of its words.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Number => "number",
            Place::Code => "code",
            Place::Second => "second",
            Place::Waiting(_) => "waiting",
            Place::NewPassword => "new-password",
            Place::Over(Some(Ending::Done)) => "done",
            Place::Over(_) => "over",
            Place::Stop => "stop",
            Place::Halted => "halted",
        }
    }
}

/// Why a step is asked for again: the key of its words, and a number in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub key: String,
    pub minutes: i64,
}

#[derive(Clone, Debug, Template)]
#[template(path = "recover.html")]
pub struct Recover {
    pub frame: Frame,
    pub place: Place,
    /// What was typed before.
    pub person_number: String,
    /// How long a code is good for, in minutes.
    pub minutes: i64,
    /// How long a recovery by card waits, in hours.
    pub hours: i64,
    pub problem: Option<Problem>,
}

impl Recover {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn title(&self) -> &'static str {
        match self.place {
            Place::Stop | Place::Halted => "recover.stop.title",
            _ => "recover.title",
        }
    }

    fn problem_text(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(self.frame.fill(&problem.key, "minutes", problem.minutes))
    }

    fn minute(&self, moment: &Moment) -> String {
        calendar::minute(*moment)
    }

    fn over(&self, ending: &Option<Ending>) -> String {
        let name = ending.map_or("expired", Ending::name);
        self.frame.t(&format!("recover.over.{name}")).into_owned()
    }
}

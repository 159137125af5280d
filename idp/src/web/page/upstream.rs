//! Pages of sign-in through other providers: the ways on the sign-in page, the page that links, and the one that says why
//! a visit came to nothing.

use askama::Template;

use super::{Frame, OtpProblem, SignInProblem, calendar, rendered, words};
use crate::domain::{Fault, Moment};

/// A provider one may sign in through, as the sign-in page offers it.
#[derive(Clone, Debug)]
pub struct Way {
    /// Its short name.
    pub name: String,
    pub label: String,
    pub address: String,
    pub ended: bool,
}

/// One that is linked, as «Danh tính của tôi» lists it.
#[derive(Clone, Debug)]
pub struct LinkLine {
    pub id: String,
    pub name: String,
    pub linked_at: Moment,
}

#[derive(Clone, Debug)]
pub enum Asked {
    Password {
        person_number: String,
        problem: Option<SignInProblem>,
    },
    /// `phone` is masked; empty where the account has none.
    Code {
        holder: String,
        phone: String,
        minutes: i64,
        problem: Option<OtpProblem>,
    },
}

#[derive(Clone, Debug, Template)]
#[template(path = "link.html")]
pub struct LinkPage {
    pub frame: Frame,
    pub upstream: String,
    pub asked: Asked,
}

impl LinkPage {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn has_problem(&self) -> bool {
        match &self.asked {
            Asked::Password { problem, .. } => problem.is_some(),
            Asked::Code { problem, .. } => problem.is_some(),
        }
    }

    fn problem_text(&self) -> Option<String> {
        match &self.asked {
            Asked::Password { problem, .. } => {
                let problem = (*problem)?;
                Some(self.frame.fill(problem.key(), "seconds", problem.seconds()))
            }
            Asked::Code { problem, .. } => {
                let problem = (*problem)?;
                Some(self.frame.fill(problem.key(), "minutes", problem.minutes()))
            }
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "upstream.html")]
pub struct UpstreamStop {
    pub frame: Frame,
    /// Why, by its short name.
    pub trouble: &'static str,
    /// The provider as people know it.
    pub upstream: String,
    /// Its last day.
    pub day: Option<Moment>,
    /// Its own words.
    pub said: Option<String>,
    /// Where one signs in another way.
    pub other_way: Option<String>,
    pub reference: String,
}

impl UpstreamStop {
    pub const TROUBLES: [&'static str; 8] =
        ["off", "ended", "link_only", "unavailable", "unasked", "refused", "untrusted", "conflict"];

    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn says(&self, part: &str, language: &str) -> String {
        let key = format!("upstream.trouble.{}.{part}", self.trouble);
        let day = self.day.map(calendar::day).unwrap_or_default();
        words::say(language, &key).replace("%{name}", &self.upstream).replace("%{day}", &day)
    }
}

//! The desk's pages as data.

mod person;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use idp::domain::application::PAPERS;
use idp::domain::authority_request::{Clock, Signed, Stage, Wish};
use idp::flow::officer::authority::Shown;
use idp::flow::officer::{Officer, Refusal, enrol};
use idp::web::page::calendar;

pub use self::person::{activation, person};
use super::enrol::Kept;
use super::{Setting, status};
use crate::web::page::shown;
use crate::web::words::Words;
use crate::web::words::desk::Desk;

/// What was just done, as the address of the page after it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Locked,
    Unlocked,
    Received,
    Forwarded,
    Decided,
    Activated,
}

impl Done {
    const ALL: [Done; 6] =
        [Done::Locked, Done::Unlocked, Done::Received, Done::Forwarded, Done::Decided, Done::Activated];

    pub fn of(wish: Wish) -> Done {
        match wish {
            Wish::Lock => Done::Locked,
            Wish::Unlock => Done::Unlocked,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Done::Locked => "locked",
            Done::Unlocked => "unlocked",
            Done::Received => "received",
            Done::Forwarded => "forwarded",
            Done::Decided => "decided",
            Done::Activated => "activated",
        }
    }

    /// The address of a page that says so.
    pub fn at(self, page: &str) -> String {
        format!("{page}?done={}", self.name())
    }

    pub fn parse(name: &str) -> Option<Done> {
        Self::ALL.into_iter().find(|done| done.name() == name)
    }

    pub fn told(self, desk: Desk) -> &'static str {
        match self {
            Done::Locked => desk.label.done_locked,
            Done::Unlocked => desk.label.done_unlocked,
            Done::Received => desk.label.done_received,
            Done::Forwarded => desk.label.done_forwarded,
            Done::Decided => desk.label.done_decided,
            Done::Activated => desk.label.done_activated,
        }
    }
}

/// What every page has beside its own.
pub struct Frame {
    pub words: &'static Words,
    pub desk: Desk,
    pub is_operator: bool,
    pub sign_out: String,
    pub form_token: String,
    pub key: String,
    /// Where a change of language comes back to.
    pub here: String,
}

impl Frame {
    pub fn of(setting: &Setting<'_>, here: impl Into<String>) -> Frame {
        Frame {
            words: setting.words,
            desk: setting.desk,
            is_operator: setting.is_operator,
            sign_out: setting.sign_out.clone(),
            form_token: setting.form_token.clone(),
            key: setting.key.clone(),
            here: here.into(),
        }
    }
}

/// A clock as it is shown: in words, so that no colour is needed.
pub struct Ticking {
    pub left: String,
    pub until: String,
    pub overdue: bool,
}

impl Ticking {
    pub fn of(clock: Clock, desk: Desk) -> Ticking {
        Ticking { left: desk.of_left(clock.left), until: desk.of_until(clock.until), overdue: clock.is_overdue() }
    }
}

/// A request that waits.
pub struct Waiting {
    pub id: String,
    pub account: String,
    pub person_number: String,
    pub wish: &'static str,
    pub authority: String,
    pub paper: String,
    pub stage: Stage,
    pub stage_told: &'static str,
    pub clock: Option<Ticking>,
}

impl Waiting {
    pub fn of(shown: &Shown, setting: &Setting<'_>) -> Waiting {
        let request = &shown.request;
        Waiting {
            id: request.id.to_string(),
            account: request.account.to_string(),
            person_number: shown.person_number.clone(),
            wish: setting.desk.of_wish(request.letter.wish),
            authority: request.letter.authority.to_string(),
            paper: request.letter.paper.to_string(),
            stage: request.stage(),
            stage_told: setting.desk.of_stage(request.stage()),
            clock: request.clock(setting.now).map(|clock| Ticking::of(clock, setting.desk)),
        }
    }
}

#[derive(Template)]
#[template(path = "desk/home.html")]
struct Home {
    frame: Frame,
    requests: Vec<Waiting>,
    enrolments: Vec<Applying>,
}

#[derive(Template)]
#[template(path = "desk/nobody.html")]
struct Nobody {
    frame: Frame,
    whom: Whom,
    kept: Kept,
    papers: Vec<(&'static str, &'static str)>,
}

/// Why a form is shown again.
pub enum Wrong {
    /// The name of the first field that is not right.
    Field(&'static str),
    /// Somebody else has to come along, or nobody may.
    Refused(Refusal),
}

/// Whom a form is about.
pub struct Whom {
    /// `None`: there is no account yet, and the number is typed.
    pub account: Option<String>,
    /// Masked.
    pub told: String,
}

/// An application that waits.
pub struct Applying {
    id: String,
    person_number: String,
    name: String,
    level: &'static str,
    clock: Option<Ticking>,
}

impl Applying {
    pub fn of(shown: &enrol::Shown, setting: &Setting<'_>) -> Applying {
        Applying {
            id: shown.enrolment.id.to_string(),
            person_number: shown.person_number.clone(),
            name: shown.name.clone(),
            level: setting.desk.of_level(Some(shown.level)),
            clock: shown.clock.map(|clock| Ticking::of(clock, setting.desk)),
        }
    }
}

#[derive(Template)]
#[template(path = "desk/enrol.html")]
struct Form {
    frame: Frame,
    whom: Whom,
    kept: Kept,
    wrong: Option<Wrong>,
    papers: Vec<(&'static str, &'static str)>,
}

pub struct Evidence {
    pub proof: &'static str,
    pub told: &'static str,
    pub reference: String,
    pub at: String,
}

#[derive(Template)]
#[template(path = "desk/enrolment.html")]
pub struct Enrolment {
    pub frame: Frame,
    pub done: Option<&'static str>,
    pub id: String,
    pub account: Option<String>,
    pub person_number: String,
    pub name: String,
    pub is_two: bool,
    pub level: &'static str,
    pub phone: Option<String>,
    pub state: &'static str,
    pub state_told: &'static str,
    pub reason: Option<&'static str>,
    pub clock: Option<Ticking>,
    pub card: String,
    pub evidence: Vec<Evidence>,
    pub papers: Vec<&'static str>,
    pub dependants: usize,
    pub guardian: Option<String>,
    pub examining: bool,
    pub needs_card: bool,
    pub reasons: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "desk/refused.html")]
struct Refused {
    frame: Frame,
    told: &'static str,
    code: &'static str,
    back: String,
}

#[derive(Template)]
#[template(path = "desk/request.html")]
struct Request {
    frame: Frame,
    done: Option<&'static str>,
    waiting: Waiting,
    received: (String, String),
    forwarded: Option<(String, String)>,
    decided: Option<(String, String)>,
    reason: Option<String>,
    same_eyes: bool,
}

pub fn home(setting: &Setting<'_>, requests: Vec<Waiting>, enrolments: Vec<Applying>) -> HttpResponse {
    draw(setting, &Home { frame: Frame::of(setting, "/desk"), requests, enrolments })
}

fn papers(desk: Desk) -> Vec<(&'static str, &'static str)> {
    PAPERS.iter().map(|paper| (*paper, desk.of_paper(paper))).collect()
}

/// Nobody has this number: the form for a new person follows on the same page.
pub fn nobody(setting: &Setting<'_>) -> HttpResponse {
    let whom = Whom { account: None, told: String::new() };
    let (kept, papers) = (Kept::default(), papers(setting.desk));
    draw(setting, &Nobody { frame: Frame::of(setting, "/desk"), whom, kept, papers })
}

/// Form TK01, empty or with what was not right.
pub fn form(setting: &Setting<'_>, whom: Whom, kept: Kept, wrong: Option<Wrong>) -> HttpResponse {
    let here = match &whom.account {
        Some(account) => format!("/desk/people/{account}/level-two"),
        None => "/desk".to_owned(),
    };
    let papers = papers(setting.desk);
    let status = match &wrong {
        None => StatusCode::OK,
        Some(Wrong::Field(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Wrong::Refused(refusal)) => super::status(*refusal),
    };
    let page = Form { frame: Frame::of(setting, here), whom, kept, wrong, papers };
    shown(status, &page, setting.words, setting.console)
}

pub fn refused(setting: &Setting<'_>, refusal: Refusal, back: &str) -> HttpResponse {
    let page = Refused {
        frame: Frame::of(setting, back),
        told: setting.desk.of_refusal(refusal),
        code: refusal.code(),
        back: back.to_owned(),
    };
    shown(status(refusal), &page, setting.words, setting.console)
}

pub fn request(setting: &Setting<'_>, shown: &Shown, done: Option<Done>) -> HttpResponse {
    let request = &shown.request;
    let signed = |signed: &Signed| (who(signed, &setting.officer, setting.desk), calendar::minute(signed.at));
    let page = Request {
        frame: Frame::of(setting, format!("/desk/requests/{}", request.id)),
        done: done.map(|done| done.told(setting.desk)),
        waiting: Waiting::of(shown, setting),
        received: signed(&request.received),
        forwarded: request.forwarded.as_ref().map(signed),
        decided: request.decided.as_ref().map(|(by, _)| signed(by)),
        reason: match &request.decided {
            Some((_, idp::domain::authority_request::Decision::Refuse(reason))) => Some(reason.to_string()),
            _ => None,
        },
        same_eyes: request.received.by == *setting.officer.account(),
    };
    draw(setting, &page)
}

/// An officer goes by the end of their account's id: enough to tell two apart.
pub(super) fn who(signed: &Signed, officer: &Officer, desk: Desk) -> String {
    if signed.by == *officer.account() {
        return desk.label.you.to_owned();
    }
    let id = signed.by.as_str();
    let end: String = id.chars().skip(id.chars().count().saturating_sub(6)).collect();
    format!("{} …{end}", desk.label.officer)
}

pub(super) fn draw(setting: &Setting<'_>, page: &impl Template) -> HttpResponse {
    shown(StatusCode::OK, page, setting.words, setting.console)
}

//! The pages of registration and activation, one of each.

use super::super::enrol::{Activate, Enrol, EnrolCode, EnrolStatus, Field, Slip, Stage, Trouble, Typed};
use super::super::sign_in::masked_phone;
use super::{Page, frame};
use crate::domain::registration::{Progress, Reason, State};
use crate::domain::{Fault, Moment, Span};

fn typed() -> Typed {
    Typed {
        person_number: "099198000009".to_owned(),
        name: "Ngô Thị Mai".to_owned(),
        birthdate: "12/03/1998".to_owned(),
        gender: "female".to_owned(),
        phone: "0912000009".to_owned(),
        ..Typed::default()
    }
}

pub(super) fn pages(language: &'static str) -> Vec<Page> {
    let mut pages: Vec<(String, &str, Result<String, Fault>)> = Vec::new();
    let form = |typed: Typed, fields: Vec<Field>, trouble, filled| {
        Enrol { frame: frame(language, "enrol"), typed, fields, trouble, filled }.render()
    };
    pages.push(("enrol".to_owned(), "enrol", form(Typed::default(), Vec::new(), None, false)));
    pages.push(("enrol-filled".to_owned(), "enrol", form(typed(), Vec::new(), None, true)));
    pages.push(("enrol-wrong".to_owned(), "enrol", form(typed(), Field::ALL.to_vec(), None, false)));
    for trouble in Trouble::ALL {
        let name = format!("enrol-{}", trouble.key());
        pages.push((name.clone(), "enrol", form(typed(), Vec::new(), Some(trouble), false)));
        let phone = masked_phone("+84912000009");
        let code =
            EnrolCode { frame: frame(language, "enrol"), phone, minutes: 5, trouble: Some(trouble), sent_again: false };
        pages.push((format!("{name}-code"), "enrol", code.render()));
        let slip = Some(Slip::Trouble(trouble));
        pages.push((format!("{name}-activate"), "activate", activate(language, Stage::Code, slip)));
    }
    let now = Moment::from_unix(1_795_320_000);
    let progress = Progress {
        submitted_at: Some(now),
        decide_by: Some(now + Span::days(1)),
        activate_by: Some(now + Span::days(7)),
        ..Progress::NEW
    };
    let plain = [State::Checking, State::Notified, State::Activated, State::ActivationOverdue];
    for state in plain.into_iter().chain(Reason::ALL.map(State::Rejected)) {
        let page = EnrolStatus {
            frame: frame(language, "enrol"),
            progress: Progress { state, ..progress },
            phone: masked_phone("+84912000009"),
            late: state == State::Checking,
        };
        let reason = state.reason().map_or("", Reason::name);
        pages.push((format!("enrol-status-{}{reason}", state.name()), "enrol", page.render()));
    }
    for (name, stage, slip) in [
        ("activate", Stage::Number, None),
        ("activate-number", Stage::Number, Some(Slip::Number)),
        ("activate-code", Stage::Code, None),
        ("activate-password", Stage::Code, Some(Slip::Weak("personal"))),
        ("activate-repeat", Stage::Code, Some(Slip::Repeat)),
        ("activate-overdue", Stage::Overdue, None),
        ("activate-done", Stage::Done, None),
    ] {
        pages.push((name.to_owned(), "activate", activate(language, stage, slip)));
    }
    pages.into_iter().map(|(name, page, html)| (name, page, html.unwrap())).collect()
}

fn activate(language: &'static str, stage: Stage, slip: Option<Slip>) -> Result<String, Fault> {
    let person_number = "099195000004".to_owned();
    Activate { frame: frame(language, "activate"), stage, person_number, minutes: 5, slip }.render()
}

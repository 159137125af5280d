//! The pages about one person: the account as it stands, and the hotline's call.

use actix_web::HttpResponse;
use askama::Template;
use idp::domain::Span;
use idp::domain::account::AccountState;
use idp::domain::authority_request::Clock;
use idp::domain::eid::LockGround;
use idp::domain::hotline::{Case, Check};
use idp::flow::officer::authority::Shown;
use idp::flow::officer::dossier::Dossier;
use idp::flow::officer::hotline;
use idp::web::page::calendar;

use super::super::Setting;
use super::{Done, Frame, Ticking, Waiting, draw};
use crate::web::words::desk::Desk;

struct Ground {
    letter: &'static str,
    told: &'static str,
    authority: String,
    since: String,
}

#[derive(Template)]
#[template(path = "desk/person.html")]
struct Person {
    frame: Frame,
    done: Option<&'static str>,
    id: String,
    person_number: String,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    level: &'static str,
    state: &'static str,
    state_name: &'static str,
    /// Nothing opens while it is, with an e-ID or without.
    locked: bool,
    /// Whether the hotline may activate it.
    waiting: bool,
    guardian: bool,
    card: String,
    /// `none`, `active` or `locked`.
    eid: &'static str,
    grounds: Vec<Ground>,
    dead: bool,
    requests: Vec<Waiting>,
}

pub fn person(setting: &Setting<'_>, dossier: &Dossier, done: Option<Done>) -> HttpResponse {
    let (desk, account) = (setting.desk, &dossier.account);
    let expired = account.card_expires.is_some_and(|expires| setting.now >= expires);
    let card = match account.card_expires {
        None => desk.label.card_unknown.to_owned(),
        Some(expires) => {
            // The moment is the midnight after the last day.
            let day = calendar::day(if expired { expires } else { expires - Span::seconds(1) });
            format!("{} {day}", if expired { desk.label.card_expired } else { desk.label.card_valid_until })
        }
    };
    let page = Person {
        frame: Frame::of(setting, format!("/desk/people/{}", account.id)),
        done: done.map(|done| done.told(desk)),
        id: account.id.to_string(),
        person_number: dossier.person_number.clone(),
        name: dossier.name.clone(),
        phone: dossier.phone.clone(),
        email: dossier.email.clone(),
        level: desk.of_level(account.level),
        state: of_state(account.state, desk),
        state_name: account.state.name(),
        guardian: account.guardian.is_some(),
        card,
        locked: account.is_locked(),
        waiting: dossier.waiting.is_some(),
        eid: match &account.eid {
            None => "none",
            Some(eid) if eid.is_active() => "active",
            Some(_) => "locked",
        },
        grounds: dossier
            .grounds
            .iter()
            .map(|(ground, authority, since)| Ground {
                letter: ground.letter(),
                told: desk.of_ground(*ground),
                authority: authority.clone(),
                since: calendar::minute(*since),
            })
            .collect(),
        dead: account.is_locked_on(LockGround::Death),
        requests: dossier
            .requests
            .iter()
            .map(|request| {
                let shown = Shown { request: request.clone(), person_number: dossier.person_number.clone() };
                Waiting::of(&shown, setting)
            })
            .collect(),
    };
    draw(setting, &page)
}

fn of_state(state: AccountState, desk: Desk) -> &'static str {
    match state {
        AccountState::Activated => desk.label.activated,
        AccountState::Granted => desk.label.granted,
    }
}

#[derive(Template)]
#[template(path = "desk/activation.html")]
struct Activation {
    frame: Frame,
    id: String,
    person_number: String,
    name: Option<String>,
    phone: Option<String>,
    state: &'static str,
    /// Until when the holder can without the hotline.
    clock: Option<Ticking>,
    checks: Vec<(&'static str, &'static str)>,
    longest_case: usize,
}

pub fn activation(setting: &Setting<'_>, dossier: &Dossier, waiting: hotline::Waiting) -> HttpResponse {
    let (desk, id) = (setting.desk, &dossier.account.id);
    let page = Activation {
        frame: Frame::of(setting, format!("/desk/people/{id}/activation")),
        id: id.to_string(),
        person_number: dossier.person_number.clone(),
        name: dossier.name.clone(),
        phone: dossier.phone.clone(),
        state: of_state(dossier.account.state, desk),
        clock: waiting.until.map(|until| Ticking::of(Clock::new(until, setting.now), desk)),
        checks: Check::ALL.into_iter().map(|check| (check.name(), desk.of_check(check))).collect(),
        longest_case: Case::LONGEST,
    };
    draw(setting, &page)
}

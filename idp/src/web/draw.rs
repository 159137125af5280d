//! The pages of an interaction, drawn from what a flow read.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

use super::factors;
use super::page::factors::{PasskeyProblem, PasskeyStep};
use super::page::{
    self, Asker, Frame, Guardian, Lack, Level, Otp, OtpProblem, Reason, Represent, SignIn, SignInProblem, Stop,
};
use super::read::{self, Place};
use super::reply::{self, Context};
use super::upstream;
use crate::domain::claim::ClaimName;
use crate::domain::relying_party::Client;
use crate::domain::{Factor, Fault, Holder};
use crate::flow::page::{Setting, View};
use crate::flow::resource::Server;
use crate::flow::step_up::{Complaint, Way};
use crate::flow::{Browser, Step, consent, logo, transaction};
use crate::protocol::release::Offer;

/// What the page is shown again with.
#[derive(Default)]
pub struct Again {
    pub sign_in: Option<SignInProblem>,
    pub otp: Option<OtpProblem>,
    pub person_number: String,
    pub sent: bool,
    pub way: Option<Way>,
    pub passkey: Option<PasskeyProblem>,
}

/// The page of a step.
pub fn drawn(
    step: Step,
    (setting, view): (&Setting, View),
    again: &Again,
    browser: &Browser,
    context: &Context<'_>,
) -> HttpResponse {
    context.note(step.name());
    let language = context.language.code;
    let asker = setting.client.as_deref().map(|client| asker(client, language));
    let service = service(setting, language);
    let leads_to = setting.redirect_uri.as_deref();
    let frame = |subject: &str| frame(step, setting, subject, browser, context);
    let html = match view {
        View::SignIn { again: reauthenticate, passkey } => SignIn {
            frame: frame(""),
            asker,
            service,
            person_number: again.person_number.clone(),
            again: reauthenticate,
            problem: again.sign_in,
            passkey: passkey.as_ref().map(factors::form),
            passkey_problem: again.passkey,
            upstreams: upstream::ways(&setting.interaction, language, context.idp),
        }
        .render(),
        View::Otp(asked) => Otp {
            frame: frame(""),
            asker,
            service,
            phone: page::sign_in::masked_phone(&asked.phone),
            minutes: context.idp.config.lifetimes.otp.as_seconds() / 60,
            remaining: None,
            sent_again: again.sent,
            problem: again.otp.or_else(|| asked.complaint.map(|complaint| otp_problem(complaint, asked.way))),
            app: asked.way == Way::App,
            use_sms: asked.way == Way::App && asked.ways.contains(&Factor::SmsOtp),
            use_app: (asked.way == Way::Sms && asked.ways.contains(&Factor::Totp))
                .then(|| factors::link(Step::Otp, setting, context)),
            use_passkey: asked
                .ways
                .iter()
                .any(|factor| factor.is_passkey())
                .then(|| factors::link(Step::Passkey, setting, context)),
        }
        .render(),
        View::Passkey { challenge, ways } => PasskeyStep {
            frame: frame(""),
            asker,
            service,
            passkey: factors::form(&challenge),
            use_code: ways
                .iter()
                .any(|factor| Step::of_factor(*factor) == Step::Otp)
                .then(|| factors::link(Step::Otp, setting, context)),
            problem: again.passkey,
        }
        .render(),
        View::Consent(view) => match setting.client.as_deref() {
            Some(client) => {
                let shown = consent_page(client, &view.offer, service, &view.values, language);
                let fingerprint = consent::fingerprint(&view.offer);
                let (holder, servers) = (view.holder.clone(), servers(&view.servers, language));
                page::Consent { frame: frame(&fingerprint), holder, servers, ..shown }.render()
            }
            None => Err(Fault::broken("web", "consent without a client")),
        },
        View::Transaction(view) => match setting.client.as_deref() {
            Some(client) => {
                let fingerprint = transaction::fingerprint(&view.transaction, client, language);
                let asker = self::asker(client, language);
                page::Transaction::of(frame(&fingerprint), asker, view.holder, &view.transaction).render()
            }
            None => Err(Fault::broken("web", "a transaction without a client")),
        },
        View::Level(shortfall, holder) => {
            Level { frame: frame(""), asker, service, lack: lack(&shortfall, holder) }.render()
        }
        View::Guardian(waiting) => {
            Guardian { asker, service, ..Guardian::of(frame(""), waiting, setting.interaction.as_str()) }.render()
        }
        View::Represent { own, offered } => {
            Represent { asker, service, ..Represent::of(frame(""), own, &offered) }.render()
        }
        View::Barred(refusal) => Stop {
            frame: frame(""),
            reason: Reason::of(refusal).unwrap_or(Reason::Locked),
            asker,
            back: true,
            retry: None,
            reference: Some(context.reference()),
        }
        .render(),
    };
    reply::page(StatusCode::OK, html, leads_to, context)
}

pub fn frame(step: Step, setting: &Setting, subject: &str, browser: &Browser, context: &Context<'_>) -> Frame {
    let address = format!("/{}?interaction={}", step.name(), setting.interaction);
    let place = format!("{}/{subject}", setting.interaction);
    let place = Place { page: step.name(), subject: &place };
    let token = read::form_token(browser.browser.as_ref(), &place, context.idp);
    let form_token = if subject.is_empty() { token } else { format!("{token}.{subject}") };
    Frame { form_token, ..context.frame(&address) }
}

pub fn asker(client: &Client, language: &str) -> Asker {
    Asker::of(client, logo::path(client), language)
}

pub fn service(setting: &Setting, language: &str) -> Option<String> {
    service_title(setting.client.as_deref()?, setting.service.as_deref(), language)
}

pub fn service_title(client: &Client, code: Option<&str>, language: &str) -> Option<String> {
    client.service(code?).map(|service| service.title.in_language(language).to_owned())
}

fn lack(shortfall: &crate::protocol::authorize::next::Shortfall, holder: Option<Holder>) -> Lack {
    use crate::protocol::authorize::next::ShortfallKind;
    match shortfall.kind {
        ShortfallKind::Account => Lack::AccountLevel(holder.unwrap_or(Holder::Citizen)),
        ShortfallKind::Authentication => match shortfall.needed.authentication {
            Some(level) if level.number() > 2 => Lack::Authentication(level.number()),
            _ => Lack::Phone,
        },
    }
}

/// The consent page as it is shown; without values it is what the recorded text is made of.
pub fn consent_page(
    client: &Client,
    offer: &Offer,
    service: Option<String>,
    values: &BTreeMap<ClaimName, Value>,
    language: &'static str,
) -> page::Consent {
    let purposes = offer
        .purposes
        .iter()
        .map(|asked| page::PurposeView::of(&asked.purpose, &asked.required, &asked.optional, values, language))
        .collect();
    page::Consent {
        frame: Frame { language, chosen: false, address: String::new(), form_token: String::new() },
        asker: asker(client, language),
        service,
        holder: String::new(),
        servers: Vec::new(),
        purposes,
        offline: offer.offline,
        basis: client.legal_basis,
    }
}

pub fn servers(known: &[Server], language: &str) -> Vec<page::ServerView> {
    let view = |server: &Server| page::ServerView {
        name: server.name.in_language(language).to_owned(),
        resource: server.resource.clone(),
    };
    known.iter().map(view).collect()
}

pub const fn otp_problem(complaint: Complaint, way: Way) -> OtpProblem {
    match complaint {
        Complaint::Wrong if matches!(way, Way::App) => OtpProblem::WrongOfApp,
        Complaint::Wrong => OtpProblem::Wrong,
        Complaint::Expired => OtpProblem::Expired,
        Complaint::Wait(span) => OtpProblem::Throttled(span.as_seconds()),
        Complaint::SendLimit(span) => OtpProblem::SendWait(span.as_seconds()),
        Complaint::NotSent => OtpProblem::NotSent,
    }
}

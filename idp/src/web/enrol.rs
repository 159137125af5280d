//! `/enrol`: registration of level 1, from the form to where the request stands. The request is reached by a cookie of its
//! own and by nothing else.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

use super::cookie;
use super::limit::{self, Counted};
use super::page::Frame;
use super::page::enrol::{Enrol, EnrolCode, EnrolStatus, Field, Trouble, Typed};
use super::page::sign_in::masked_phone;
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::domain::enrolment::Particulars;
use crate::domain::registration::State;
use crate::domain::secret::{BrowserCookie, EnrolmentCookie, Minted, Stored};
use crate::domain::{Fault, PersonNumber, card_qr};
use crate::flow::enrol::{self, Application, Begun, Complaint, Status};
use crate::flow::{Browser, Cookies};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: Place<'static> = Place { page: "enrol", subject: "" };

/// What the page is shown again with.
#[derive(Default)]
struct Again {
    typed: Typed,
    fields: Vec<Field>,
    trouble: Option<Trouble>,
    filled: bool,
    sent: bool,
}

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    if let Some(busy) = limit::over(Counted::Page, &request, &context).await {
        return busy;
    }
    let browser = read::browser(&request, context.language.code, &idp);
    let this = idp.clone().into_inner();
    let again = Again { sent: request.query_string().split('&').any(|pair| pair == "sent=1"), ..Again::default() };
    match enrol::status(enrolment(&request).as_ref(), &this).await {
        Ok(status) => drawn(status, again, &browser, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    let typed = typed(&params);
    let this = idp.clone().into_inner();
    let cookie = enrolment(&request);
    let answered = match read::protected(&request, params, &browser, &PLACE, &idp).map(Protected::into_inner) {
        Ok(form) => step(&form, cookie, &browser, &this, &context).await,
        Err(Forged::CrossSite) => {
            context.note("forged");
            let told = "form was not ours, open the page again";
            return reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, &context);
        }
        Err(Forged::Token) => {
            context.note("form_expired");
            let again = Again { typed, trouble: Some(Trouble::FormExpired), ..Again::default() };
            enrol::status(cookie.as_ref(), &this).await.map(|status| drawn(status, again, &browser, &context))
        }
    };
    answered.unwrap_or_else(|fault| reply::page_fault(&fault, &context))
}

async fn step(
    form: &Params,
    cookie: Option<Stored<EnrolmentCookie>>,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let status = enrol::status(cookie.as_ref(), idp).await?;
    match (form.first("step"), cookie, status) {
        (Some("restart"), ..) => {
            let mut response = onward("/enrol", context);
            let dropped = cookie::dropped(cookie::ENROLMENT);
            reply::insert_more(&mut response, SET_COOKIE, &dropped.to_string());
            Ok(response)
        }
        (Some("resend"), Some(cookie), Some(_)) => match enrol::resend(&cookie, idp).await? {
            None => Ok(onward("/enrol?sent=1", context)),
            complaint => shown_again(&cookie, complaint, browser, idp, context).await,
        },
        (Some("code"), Some(cookie), Some(_)) => {
            let code = form.first("otp").unwrap_or_default().to_owned();
            match enrol::submit(&cookie, code, idp).await? {
                None => Ok(onward("/enrol", context)),
                complaint => shown_again(&cookie, complaint, browser, idp, context).await,
            }
        }
        (Some("begin"), _, None) => begin(form, browser, idp, context).await,
        _ => Ok(onward("/enrol", context)),
    }
}

async fn shown_again(
    cookie: &Stored<EnrolmentCookie>,
    complaint: Option<Complaint>,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let status = enrol::status(Some(cookie), idp).await?;
    let again = Again { trouble: complaint.map(trouble), ..Again::default() };
    Ok(drawn(status, again, browser, context))
}

async fn begin(form: &Params, browser: &Browser, idp: &Arc<Idp>, context: &Context<'_>) -> Result<HttpResponse, Fault> {
    let typed = typed(form);
    if form.first("prefill").is_some() {
        return Ok(drawn(None, prefilled(typed), browser, context));
    }
    let application = match application(&typed, context.language.code) {
        Ok(application) => application,
        Err(fields) => return Ok(drawn(None, Again { typed, fields, ..Again::default() }, browser, context)),
    };
    match enrol::begin(application, idp).await? {
        Begun::Again(complaint) => {
            let again = Again { typed, trouble: Some(trouble(complaint)), ..Again::default() };
            Ok(drawn(None, again, browser, context))
        }
        Begun::Sent(minted) => {
            let mut response = onward("/enrol", context);
            let cookie = cookie::enrolment(minted.reveal());
            reply::insert_more(&mut response, SET_COOKIE, &cookie.to_string());
            Ok(response)
        }
    }
}

/// `domain.md` 3.4: the card's text fills the form in, and is not kept.
fn prefilled(typed: Typed) -> Again {
    match card_qr::parse(&typed.qr) {
        None => Again { fields: vec![Field::Qr], typed, ..Again::default() },
        Some(card) => {
            let born = card.birthdate.parse::<NaiveDate>().map(|day| day.format("%d/%m/%Y").to_string());
            let typed = Typed {
                qr: String::new(),
                person_number: card.number.reveal().to_owned(),
                name: card.name,
                birthdate: born.unwrap_or_default(),
                gender: card.gender.to_owned(),
                ..typed
            };
            Again { typed, filled: true, ..Again::default() }
        }
    }
}

fn typed(form: &Params) -> Typed {
    let text = |name: &str| form.first(name).unwrap_or_default().trim().to_owned();
    Typed {
        qr: text("qr"),
        person_number: text("person_number"),
        name: text("name"),
        birthdate: text("birthdate"),
        gender: text("gender"),
        phone: text("phone"),
        email: text("email"),
    }
}

/// Shapes only: nobody is asked about anybody here.
fn application(typed: &Typed, language: &str) -> Result<Application, Vec<Field>> {
    let mut wrong = Vec::new();
    let mut note = |field: Field, fits: bool| {
        if !fits {
            wrong.push(field);
        }
    };
    let number = PersonNumber::parse(&typed.person_number);
    note(Field::PersonNumber, number.is_some());
    let name: String = typed.name.nfc().collect();
    note(Field::Name, (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control));
    let birthdate = day(&typed.birthdate);
    note(Field::Birthdate, birthdate.is_some());
    note(Field::Gender, matches!(typed.gender.as_str(), "female" | "male"));
    let phone = e164(&typed.phone);
    note(Field::Phone, phone.is_some());
    note(Field::Email, typed.email.is_empty() || is_email(&typed.email));
    match (number, birthdate, phone) {
        (Some(number), Some(birthdate), Some(phone)) if wrong.is_empty() => Ok(Application {
            number,
            phone,
            particulars: Particulars {
                name,
                birthdate: birthdate.to_string(),
                gender: typed.gender.clone(),
                email: (!typed.email.is_empty()).then(|| typed.email.clone()),
                language: language.to_owned(),
                ..Particulars::default()
            },
        }),
        _ => Err(wrong),
    }
}

/// As people write it here, or ISO 8601.
fn day(text: &str) -> Option<NaiveDate> {
    let plain = text.replace(['.', '-', ' '], "/");
    let parsed = NaiveDate::parse_from_str(&plain, "%d/%m/%Y").or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d"));
    let first = NaiveDate::from_ymd_opt(1900, 1, 1)?;
    parsed.ok().filter(|day| *day >= first)
}

/// `domain.md` 3.8: a Vietnamese mobile number, with 0 or +84.
fn e164(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '\u{a0}')).collect();
    let rest = plain.strip_prefix("+84").or_else(|| plain.strip_prefix('0'))?;
    let fits =
        rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(['3', '5', '7', '8', '9']);
    fits.then(|| format!("+84{rest}"))
}

fn is_email(text: &str) -> bool {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts = text.split_once('@');
    plain && parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

pub(super) const fn trouble(complaint: Complaint) -> Trouble {
    match complaint {
        Complaint::Wrong => Trouble::Wrong,
        Complaint::Expired => Trouble::Expired,
        Complaint::Wait(span) => Trouble::Wait(span.as_seconds()),
        Complaint::SendLimit(span) => Trouble::SendLimit(span.as_seconds()),
    }
}

fn enrolment(request: &HttpRequest) -> Option<Stored<EnrolmentCookie>> {
    let cookies = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    cookie::find(cookies, cookie::ENROLMENT).map(Stored::of)
}

fn onward(address: &str, context: &Context<'_>) -> HttpResponse {
    reply::see_other(&context.frame(address).action(), context)
}

/// The page for where the request stands; without one, the form.
fn drawn(status: Option<Status>, again: Again, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    let (frame, minted) = match framed(&PLACE, "/enrol", browser, context) {
        Ok(framed) => framed,
        Err(fault) => return reply::page_fault(&fault, context),
    };
    let html = match status {
        None => {
            let Again { typed, fields, trouble, filled, .. } = again;
            Enrol { frame, typed, fields, trouble, filled }.render()
        }
        Some(status) if status.enrolment.progress.state == State::Draft => EnrolCode {
            frame,
            phone: masked_phone(&status.phone),
            minutes: context.idp.config.lifetimes.otp.as_seconds() / 60,
            trouble: again.trouble,
            sent_again: again.sent,
        }
        .render(),
        Some(status) => {
            let (progress, phone, late) = (status.enrolment.progress, masked_phone(&status.phone), status.late);
            EnrolStatus { frame, progress, phone, late }.render()
        }
    };
    let mut response = reply::page(StatusCode::OK, html, None, context);
    reply::set_cookies(&mut response, &Cookies { browser: minted, ..Cookies::default() });
    response
}

/// A frame with a form token. The form is bound to the browser; one that has never been here gets its cookie now.
pub(super) fn framed(
    place: &Place<'_>,
    address: &str,
    browser: &Browser,
    context: &Context<'_>,
) -> Result<(Frame, Option<Minted<BrowserCookie>>), Fault> {
    let minted: Option<Minted<BrowserCookie>> = match browser.browser {
        Some(_) => None,
        None => Some(context.idp.random.mint()?),
    };
    let bound = minted.as_ref().map(Minted::stored).or_else(|| browser.browser.clone());
    let form_token = read::form_token(bound.as_ref(), place, context.idp);
    Ok((Frame { form_token, ..context.frame(address) }, minted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_3_8_phones_and_days_as_people_write_them() {
        for (text, phone) in [
            ("0912345678", Some("+84912345678")),
            ("0912 345 678", Some("+84912345678")),
            ("+84 912.345.678", Some("+84912345678")),
            ("0212345678", None),
            ("91234567", None),
            ("09123456789", None),
            ("+1912345678", None),
            ("", None),
        ] {
            assert_eq!(e164(text).as_deref(), phone, "{text}");
        }
        for (text, iso) in [
            ("19/05/1990", Some("1990-05-19")),
            ("19.5.1990", Some("1990-05-19")),
            ("1990-05-19", Some("1990-05-19")),
            ("31/02/1990", None),
            ("19/05/90", None),
            ("1990", None),
        ] {
            assert_eq!(day(text).map(|day| day.to_string()).as_deref(), iso, "{text}");
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let empty = application(&Typed::default(), "vi").err().unwrap();
        use Field::{Birthdate, Gender, Name, PersonNumber, Phone};
        assert_eq!(empty, [PersonNumber, Name, Birthdate, Gender, Phone]);
        let whole = Typed {
            person_number: "099198000009".to_owned(),
            name: "Ngô Thị Mai".to_owned(),
            birthdate: "12/03/1998".to_owned(),
            gender: "female".to_owned(),
            phone: "0912000009".to_owned(),
            ..Typed::default()
        };
        assert!(application(&whole, "vi").is_ok());
        assert_eq!(application(&Typed { email: "x@y".to_owned(), ..whole }, "vi").err().unwrap(), [Field::Email]);
    }
}

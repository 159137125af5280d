//! Posts of «Danh tính của tôi» that change password or phone, or stop somebody else's recovery. Each ends in a GET of
//! the page, which says how it went.

use std::sync::Arc;

use actix_web::HttpResponse;
use zeroize::Zeroizing;

use super::page::credentials::{Credentials, Note, UnderWay};
use super::reply::{self, Context};
use crate::domain::Fault;
use crate::domain::change::What;
use crate::flow::change::{self, Complaint, Moved, Passwords, shown};
use crate::flow::{Browser, recover};
use crate::idp::Idp;
use crate::protocol::params::Params;

pub fn drawn(shown: shown::Credentials, query: &str) -> Credentials {
    Credentials {
        phone: shown.phone,
        has_password: shown.has_password,
        change: shown.change.map(|change| UnderWay { what: change.what, asked: change.asked, phone: change.phone }),
        phone_counts_from: shown.phone_counts_from,
        recovered_at: shown.recovered_at,
        recovery: shown.recovery,
        note: query.split('&').find_map(|pair| Note::find(pair.strip_prefix("credential=")?)),
    }
}

pub async fn change(
    form: &Params,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let field = |name: &str| form.first(name).unwrap_or_default();
    let secret = |name: &str| Zeroizing::new(field(name).to_owned());
    let (place, moved) = match field("credential") {
        "password" => {
            let typed = Passwords {
                old: secret("old_password"),
                new: secret("new_password"),
                again: secret("new_password_again"),
            };
            ("password", change::password(typed, browser, idp).await?)
        }
        "phone" => ("phone", change::phone(field("new_phone"), browser, idp).await?),
        "code" => ("password", change::code(Some(field("otp").to_owned()), browser, idp).await?),
        "resend" => ("password", change::code(None, browser, idp).await?),
        "cancel" => {
            change::cancel(browser, idp).await?;
            return Ok(again("cancelled", "", context));
        }
        "stop_recovery" => {
            let stopped = recover::stop_as_holder(browser, idp).await?;
            return Ok(again(if stopped { "recovery_stopped" } else { "nothing_to_stop" }, "", context));
        }
        _ => ("", Moved::SignInFirst),
    };
    Ok(match moved {
        Moved::SignInFirst => reply::see_other(&context.frame("/identity").action(), context),
        Moved::Again(complaint) => again(name(complaint), place, context),
        Moved::On(cookies) => with(again("sent", place, context), &cookies),
        Moved::Done(What::Password, cookies) => with(again("password_changed", "", context), &cookies),
        Moved::Done(What::Phone, cookies) => with(again("phone_changed", "", context), &cookies),
    })
}

fn with(mut response: HttpResponse, cookies: &crate::flow::Cookies) -> HttpResponse {
    reply::set_cookies(&mut response, cookies);
    response
}

fn again(note: &str, place: &str, context: &Context<'_>) -> HttpResponse {
    context.note("credential");
    let anchor = if place.is_empty() { String::new() } else { format!("#{place}") };
    let address = context.frame(&format!("/identity?credential={note}")).action().into_owned();
    reply::see_other(&format!("{address}{anchor}"), context)
}

const fn name(complaint: Complaint) -> &'static str {
    match complaint {
        Complaint::WrongPassword => "wrong_password",
        Complaint::SamePassword => "same_password",
        Complaint::Weak(weakness) => weakness.name(),
        Complaint::Differ => "differ",
        Complaint::BadPhone => "bad_phone",
        Complaint::SamePhone => "same_phone",
        Complaint::SignInAgain => "sign_in_again",
        Complaint::WrongCode => "wrong_code",
        Complaint::ExpiredCode => "expired_code",
        Complaint::Wait(_) => "wait",
        Complaint::SendLimit(_) => "send_limit",
    }
}

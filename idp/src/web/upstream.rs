//! Sign-in through other providers: the way there, the way back, the page that links, and the endpoint by which a provider
//! says that a session ended.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use zeroize::Zeroizing;

use super::draw::otp_problem;
use super::headers;
use super::interaction::sign_in_problem;
use super::limit::{self, Counted};
use super::page::upstream::{Asked, LinkPage, UpstreamStop, Way};
use super::page::{OtpProblem, SignInProblem, sign_in};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::config::UpstreamKind;
use crate::domain::Id;
use crate::domain::consent::Bilingual;
use crate::domain::interaction::Interaction;
use crate::domain::upstream::LinkProof;
use crate::flow::linking::{self, Linked, Shown, Stage};
use crate::flow::sign_in::{Form, SignedIn};
use crate::flow::step_up::{Complaint, Way as CodeWay};
use crate::flow::upstream::{self, Begun, Brought, Finished, Stopped, Trouble};
use crate::flow::upstream_logout::{self, Heard};
use crate::flow::{Browser, Step};
use crate::idp::Idp;
use crate::protocol::params::Params;

/// What the sign-in page offers beside the password.
pub fn ways(interaction: &Id<Interaction>, language: &str, idp: &Idp) -> Vec<Way> {
    let now = idp.clock.now();
    let offered = idp.upstreams.all().filter(|known| known.agreed.enabled && !known.agreed.link_only);
    let way = |known: &std::sync::Arc<crate::flow::upstreams::Upstream>| Way {
        name: known.name.clone(),
        label: label(known.agreed.kind, &known.agreed.name(), language),
        address: format!("/upstream/{}?interaction={interaction}", known.name),
        ended: known.agreed.has_ended(now),
    };
    offered.map(way).collect()
}

/// What a holder may still link, of what takes anybody.
pub fn linkable(linked: &[String], language: &str, idp: &Idp) -> Vec<Way> {
    let now = idp.clock.now();
    let open = idp.upstreams.all().filter(|known| known.agreed.enabled && !known.agreed.has_ended(now));
    let free = open.filter(|known| !linked.contains(&known.agreed.issuer));
    let way = |known: &std::sync::Arc<crate::flow::upstreams::Upstream>| Way {
        name: known.name.clone(),
        label: label(known.agreed.kind, &known.agreed.name(), language),
        address: format!("/upstream/{}", known.name),
        ended: false,
    };
    free.map(way).collect()
}

fn label(kind: UpstreamKind, name: &Bilingual, language: &str) -> String {
    let key = match kind {
        UpstreamKind::Authority => "upstream.authority",
        UpstreamKind::Legacy => "upstream.legacy",
    };
    super::page::words::fill(language, key, "name", name.in_language(language))
}

fn context<'a>(request: &'a HttpRequest, idp: &'a web::Data<Idp>) -> Context<'a> {
    Context { request, language: read::language(request, &[]), idp }
}

fn named(request: &HttpRequest) -> &str {
    request.match_info().get("name").unwrap_or_default()
}

/// An opaque value of ours in the query.
fn opaque(request: &HttpRequest, name: &str) -> Option<String> {
    let pair = |pair: &str| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let value = request.query_string().split('&').find_map(pair)?;
    let sane = value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    sane.then_some(value)
}

/// Sends the browser to the other provider. A link and no form: our `form-action` lets no form end elsewhere.
pub async fn begin(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    let browser = read::browser(&request, context.language.code, &idp);
    if let Some(busy) = limit::over(Counted::Page, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    let interaction = opaque(&request, "interaction").map(Id::new);
    match upstream::begin(named(&request), interaction, &browser, &this).await {
        Ok(Begun::Away(url, cookies)) => {
            context.note("upstream");
            let mut response = reply::see_other(&url, &context);
            reply::set_cookies(&mut response, &cookies);
            response
        }
        Ok(Begun::Stopped(stopped)) => stop(&stopped, named(&request), &context),
        Ok(Begun::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Takes what the browser brought back (OIDC Core §3.1.2.5).
pub async fn callback(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    let browser = read::browser(&request, context.language.code, &idp);
    if let Some(busy) = limit::over(Counted::Page, &request, &context).await {
        return busy;
    }
    let name = named(&request);
    let unasked = Stopped { trouble: Trouble::Unasked, interaction: None };
    let Some(brought) = read::query(&request).ok().and_then(|params| brought(&params)) else {
        return stop(&unasked, name, &context);
    };
    let this = idp.clone().into_inner();
    match upstream::finish(name, brought, &browser, &this).await {
        Ok(Finished::Answer(answer)) => reply::outcome(answer, &context),
        Ok(Finished::Stopped(stopped)) => stop(&stopped, name, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Each parameter at most once: of two, somebody planted one.
fn brought(params: &Params) -> Option<Brought> {
    let one = |name: &str| match params.all(name).collect::<Vec<_>>().as_slice() {
        [] => Some(None),
        [value] => Some(Some((*value).to_owned())),
        _ => None,
    };
    Some(Brought {
        state: one("state")??,
        code: one("code")?,
        iss: one("iss")?,
        error: one("error")?,
        error_description: one("error_description")?,
    })
}

fn stop(stopped: &Stopped, name: &str, context: &Context<'_>) -> HttpResponse {
    context.note(stopped.trouble.name());
    let known = context.idp.upstreams.find(name);
    let language = context.language.code;
    let other_way = stopped.interaction.as_ref().map(|id| format!("/{}?interaction={id}", Step::SignIn.name()));
    let page = UpstreamStop {
        frame: context.frame(""),
        trouble: stopped.trouble.name(),
        upstream: known.as_ref().map_or_else(String::new, |known| known.agreed.name().in_language(language).to_owned()),
        // The last day is the one before it ends.
        day: known.and_then(|known| known.agreed.ends()).map(|ends| ends - crate::domain::Span::seconds(1)),
        said: match &stopped.trouble {
            Trouble::Refused(said) => Some(said.clone()),
            _ => None,
        },
        other_way,
        reference: context.reference(),
    };
    let status = match stopped.trouble {
        Trouble::Off => StatusCode::NOT_FOUND,
        Trouble::Ended | Trouble::LinkOnly | Trouble::Refused(_) => StatusCode::OK,
        Trouble::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Trouble::Unasked | Trouble::Untrusted => StatusCode::BAD_REQUEST,
        Trouble::Conflict => StatusCode::CONFLICT,
    };
    let mut response = reply::page(status, page.render(), None, context);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply::insert(&mut response, header::RETRY_AFTER, "30");
    }
    response
}

/// What the page that links is shown again with.
#[derive(Default)]
struct Again {
    sign_in: Option<SignInProblem>,
    otp: Option<OtpProblem>,
    person_number: String,
}

pub async fn link(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(&request, Again::default(), &idp).await
}

async fn show(request: &HttpRequest, again: Again, idp: &web::Data<Idp>) -> HttpResponse {
    let context = context(request, idp);
    let browser = read::browser(request, context.language.code, idp);
    if let Some(busy) = limit::over(Counted::Page, request, &context).await {
        return busy;
    }
    let Some(id) = opaque(request, "proof").map(Id::new) else {
        return stop(&Stopped { trouble: Trouble::Unasked, interaction: None }, "", &context);
    };
    let this = idp.clone().into_inner();
    match linking::show(id.clone(), &browser, &this).await {
        Ok(Shown::Page(view)) => drawn(&id, view, again, &browser, &context),
        Ok(Shown::Stopped(trouble, interaction)) => stop(&Stopped { trouble, interaction }, "", &context),
        Ok(Shown::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn drawn(
    id: &Id<LinkProof>,
    view: linking::View,
    again: Again,
    browser: &Browser,
    context: &Context<'_>,
) -> HttpResponse {
    context.note("link");
    let asked = match view.stage {
        Stage::Prove => Asked::Password { person_number: again.person_number, problem: again.sign_in },
        Stage::Code { holder, phone, complaint } => Asked::Code {
            holder,
            phone: if phone.is_empty() { phone } else { sign_in::masked_phone(&phone) },
            minutes: context.idp.config.lifetimes.otp.as_seconds() / 60,
            problem: again.otp.or_else(|| complaint.map(sent)),
        },
    };
    let token = read::form_token(browser.browser.as_ref(), &place(id.as_str()), context.idp);
    let frame = super::page::Frame { form_token: token, ..context.frame(&format!("/link?proof={id}")) };
    let upstream = view.upstream.in_language(context.language.code).to_owned();
    reply::page(StatusCode::OK, LinkPage { frame, upstream, asked }.render(), None, context)
}

const fn place(proof: &str) -> Place<'_> {
    Place { page: "link", subject: proof }
}

/// The password, the code, another code, or a change of mind.
pub async fn linked(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    let id = opaque(&request, "proof").unwrap_or_default();
    let form = match read::protected(&request, params, &browser, &place(&id), &idp).map(Protected::into_inner) {
        Ok(form) => form,
        Err(Forged::CrossSite | Forged::Token) => {
            context.note("forged");
            let told = "form was not ours or too old, open the page again";
            return reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, &context);
        }
    };
    let (id, this) = (Id::new(id), idp.clone().into_inner());
    if form.first("cancel").is_some() {
        return super::authorize::done(linking::give_up(id, &browser, &this).await, &context);
    }
    let code = form.first("otp").map(str::to_owned);
    let counted = if code.is_some() || form.first("resend").is_some() { Counted::Otp } else { Counted::SignIn };
    if let Some(busy) = limit::over(counted, &request, &context).await {
        return busy;
    }
    if form.first("resend").is_some() {
        return match linking::resend(id, &browser, &this).await {
            Ok(complaint) => show(&request, Again { otp: complaint.map(sent), ..Again::default() }, &idp).await,
            Err(fault) => reply::page_fault(&fault, &context),
        };
    }
    if let Some(code) = code {
        return match linking::confirm(id, code, &browser, &this).await {
            Ok(Linked::Done(answer)) => reply::outcome(answer, &context),
            Ok(Linked::Again(complaint)) => {
                show(&request, Again { otp: Some(sent(complaint)), ..Again::default() }, &idp).await
            }
            Ok(Linked::Stopped(trouble, interaction)) => stop(&Stopped { trouble, interaction }, "", &context),
            Err(fault) => reply::page_fault(&fault, &context),
        };
    }
    password(id, &form, &browser, &context, &idp).await
}

async fn password(
    id: Id<LinkProof>,
    form: &Params,
    browser: &Browser,
    context: &Context<'_>,
    idp: &web::Data<Idp>,
) -> HttpResponse {
    let person_number = form.first("person_number").unwrap_or_default().to_owned();
    let password = Zeroizing::new(form.first("password").unwrap_or_default().to_owned());
    let typed = Form { person_number: person_number.clone(), password, for_other: false };
    let this = idp.clone().into_inner();
    match linking::password(id, typed, browser, &this).await {
        Ok(Some(SignedIn::Done(answer))) => reply::outcome(answer, context),
        Ok(Some(SignedIn::Again(complaint))) => {
            let problem = Some(sign_in_problem(complaint));
            show(context.request, Again { sign_in: problem, person_number, ..Again::default() }, idp).await
        }
        Ok(None) => stop(&Stopped { trouble: Trouble::Unasked, interaction: None }, "", context),
        Err(fault) => reply::page_fault(&fault, context),
    }
}

/// Back-Channel Logout 1.0 §2.5: the other provider's servers say that a session ended there.
pub async fn logout(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::json_unread(&unread, &context),
    };
    let token = match params.all("logout_token").collect::<Vec<_>>().as_slice() {
        [token] => (*token).to_owned(),
        _ => String::new(),
    };
    let this = idp.clone().into_inner();
    match upstream_logout::hear(named(&request), &token, &this).await {
        Ok(Heard::Ended) => reply::json(&json!({}), &context),
        Ok(Heard::Refused) => {
            context.note("logout_refused");
            let told = json!({"error": "invalid_request", "error_description": "logout token is not right"});
            reply::builder(StatusCode::BAD_REQUEST, headers::Answer::Bare, &context).json(told)
        }
        Ok(Heard::Later) => {
            let fault = crate::domain::Fault::unavailable("upstream", "its keys could not be asked for");
            reply::json_fault(&fault, &context)
        }
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

/// Only codes that were sent are asked for here.
const fn sent(complaint: Complaint) -> OtpProblem {
    otp_problem(complaint, CodeWay::Sms)
}

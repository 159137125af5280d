//! Reading requests: parameters with their repeats, the browser's cookies, credentials, and forms whose origin is
//! proved before anything in them can be looked at.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, ORIGIN, USER_AGENT,
};
use actix_web::web::{self, Bytes};

use super::{connection, cookie};
use crate::config::Limits;
use crate::domain::agent::Agent;
use crate::domain::secret::{BrowserCookie, Stored};
use crate::flow::Browser;
use crate::flow::caller::Call;
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::params::Params;

/// RFC 9449 §4.1.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Why a request was not read at all.
#[derive(Clone, Debug)]
pub enum Unread {
    /// 415: not a plain form, or an encoded body.
    MediaType,
    /// 413: the body.
    TooLarge,
    /// 414: the request line.
    LongLine,
    /// 431: the headers, in number or together with the request line in bytes.
    LargeHead,
    /// 408: the body did not arrive in time.
    TooSlow,
    /// 400: the form does not parse.
    Malformed(Error),
}

impl Unread {
    /// The error it comes to, and the status of a request that was not even looked into.
    pub fn refusal(&self) -> (Option<StatusCode>, Error) {
        let (status, told) = match self {
            Unread::Malformed(error) => return (None, error.clone()),
            Unread::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content type is not a form"),
            Unread::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request is too large"),
            Unread::LongLine => (StatusCode::URI_TOO_LONG, "request line is too long"),
            Unread::LargeHead => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers are too many or too large"),
            Unread::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request took too long to arrive"),
        };
        (Some(status), Error::invalid_request("RFC 6749 Appendix B", told))
    }
}

/// Parameters of the query.
pub fn query(request: &HttpRequest) -> Result<Params, Unread> {
    Params::parse_at_most(parameters(request), request.query_string()).map_err(Unread::Malformed)
}

/// How many a query or form may hold.
fn parameters(request: &HttpRequest) -> usize {
    let idp = request.app_data::<web::Data<Idp>>();
    idp.map_or_else(|| Limits::default().parameters, |idp| idp.config.limits.parameters)
}

/// Parameters of a form body (RFC 6749 §4.1.3: `application/x-www-form-urlencoded` in UTF-8 and nothing else).
pub fn form(request: &HttpRequest, body: &Bytes) -> Result<Params, Unread> {
    if !is_form(request) {
        return Err(Unread::MediaType);
    }
    let text = std::str::from_utf8(body).map_err(|_| {
        Unread::Malformed(crate::protocol::Error::invalid_request("RFC 6749 Appendix B", "body is not UTF-8"))
    })?;
    Params::parse_at_most(parameters(request), text).map_err(Unread::Malformed)
}

fn is_form(request: &HttpRequest) -> bool {
    let mut types = request.headers().get_all(CONTENT_TYPE);
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && parts.all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
}

/// The `Authorization` header. One that is sent twice or is not text reads as empty, which no method accepts.
pub fn authorization(request: &HttpRequest) -> Option<&str> {
    match authorizations(request).as_slice() {
        [] => None,
        [one] => Some(one),
        _ => Some(""),
    }
}

/// Every `Authorization` header.
pub fn authorizations(request: &HttpRequest) -> Vec<&str> {
    request.headers().get_all(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default()).collect()
}

/// Whether the request asks for a media type by its name (RFC 9110 §12.5.1); a wildcard does not, and neither does `q=0`.
pub fn accepts(request: &HttpRequest, media_type: &str) -> bool {
    let listed = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(media_type));
        let refused = |parameter: &str| {
            parameter
                .split_once('=')
                .is_some_and(|(name, weight)| name.eq_ignore_ascii_case("q") && weight.parse() == Ok(0.0_f32))
        };
        named && !parts.any(refused)
    })
}

/// A call by a program to one of our endpoints.
pub fn call<'a>(request: &'a HttpRequest, idp: &Idp) -> Call<'a> {
    Call {
        authorization: authorization(request),
        method: request.method().as_str(),
        path: request.path(),
        dpop: request.headers().get_all(DPOP).map(|value| value.to_str().unwrap_or_default()).collect(),
        address: Some(caller(request, idp)),
        certificate: connection::certificate(request, idp),
    }
}

/// The browser as the flows know it.
pub fn browser(request: &HttpRequest, language: &'static str, idp: &Idp) -> Browser {
    let cookies = || request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    Browser {
        session: cookie::find(cookies(), cookie::SESSION).map(Stored::of),
        browser: cookie::find(cookies(), cookie::BROWSER).map(Stored::of),
        device: cookie::find(cookies(), cookie::DEVICE).map(Stored::of),
        state: cookie::find(cookies(), cookie::STATE).map(str::to_owned),
        agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(Agent::of_header),
        address: Some(caller(request, idp)),
        language,
    }
}

/// The address a request came from: the peer's, or, behind a trusted proxy, the last hop the proxy did not vouch for.
pub fn caller(request: &HttpRequest, idp: &Idp) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([127, 0, 0, 1]), |address| address.ip());
    let trusted = |address: IpAddr| idp.config.web.trusts(address);
    if !trusted(peer) {
        return peer;
    }
    let hops: Vec<IpAddr> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|hop| hop.trim().parse().ok())
        .collect();
    hops.into_iter().rev().find(|hop| !trusted(*hop)).unwrap_or(peer)
}

/// The language of a page, and whether the person chose it on the page itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    pub code: &'static str,
    pub chosen: bool,
}

fn known(tag: &str) -> Option<&'static str> {
    let primary = tag.split(['-', '_', ';']).next().unwrap_or_default().trim();
    match primary.to_ascii_lowercase().as_str() {
        "vi" => Some("vi"),
        "en" => Some("en"),
        _ => None,
    }
}

/// The page's own choice, `ui_locales`, `Accept-Language`, else Vietnamese (`contract.md` 6).
pub fn language(request: &HttpRequest, ui_locales: &[String]) -> Language {
    let chosen = request.query_string().split('&').find_map(|pair| known(pair.strip_prefix("lang=")?));
    if let Some(code) = chosen {
        return Language { code, chosen: true };
    }
    let asked = ui_locales.iter().find_map(|tag| known(tag));
    let accepted = || {
        let header = request.headers().get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        header.split(',').take(16).find_map(known)
    };
    Language { code: asked.or_else(accepted).unwrap_or("vi"), chosen: false }
}

/// A form of ours whose token was right: `T` cannot be reached otherwise (`security.md` SE-04, SE-05).
pub struct Protected<T>(T);

impl<T> Protected<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Why a form of ours was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// Posted from another site.
    CrossSite,
    /// The token is missing, stale, or of another browser: show the page again.
    Token,
}

/// What a form token is bound to.
pub struct Place<'a> {
    pub page: &'a str,
    pub subject: &'a str,
}

impl Place<'_> {
    fn bound(&self) -> String {
        format!("{}\0{}", self.page, self.subject)
    }
}

/// The token a form of this browser carries. Bound to the browser, the page and what the page is about.
pub fn form_token(browser: Option<&Stored<BrowserCookie>>, place: &Place<'_>, idp: &Idp) -> String {
    let browser = browser.map_or("", Stored::as_str);
    idp.vault.form_token(browser, &place.bound())
}

/// Checks a posted form. A missing `Origin` or `Sec-Fetch-Site` is no refusal where the token is right
/// (`contract.md` 7).
pub fn protected(
    request: &HttpRequest,
    params: Params,
    browser: &Browser,
    place: &Place<'_>,
    idp: &Idp,
) -> Result<Protected<Params>, Forged> {
    if is_cross_site(request, idp) {
        return Err(Forged::CrossSite);
    }
    let Some(bound) = &browser.browser else { return Err(Forged::Token) };
    let shown = params.first("form_token").unwrap_or_default();
    let shown = shown.split('.').next().unwrap_or_default();
    let same = idp.vault.knows_form_token(bound.as_str(), &place.bound(), shown);
    if same { Ok(Protected(params)) } else { Err(Forged::Token) }
}

/// Whether the browser says that another site made this request.
pub fn is_cross_site(request: &HttpRequest, idp: &Idp) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    header(ORIGIN.as_str()).is_some_and(|origin| origin != idp.config.issuer.as_str())
}

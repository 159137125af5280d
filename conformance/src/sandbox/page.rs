//! Page: the language of a visitor, the headers every answer carries, and the frame around every page.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use url::form_urlencoded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Vi,
    En,
}

impl Language {
    pub fn parse(text: &str) -> Option<Self> {
        match text.split('-').next() {
            Some("vi") => Some(Self::Vi),
            Some("en") => Some(Self::En),
            _ => None,
        }
    }

    pub fn code(self) -> &'static str {
        self.say("vi", "en")
    }

    pub fn say<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }

    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        accepted.split(',').find_map(|range| Self::parse(range.split(';').next()?.trim()))
    }
}

/// Words of ours in both languages.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub vi: &'static str,
    pub en: &'static str,
}

impl Text {
    pub fn say(&self, language: Language) -> &'static str {
        language.say(self.vi, self.en)
    }
}

/// The language of one request, and whether the visitor has just chosen it.
#[derive(Clone, Copy)]
pub struct Choice {
    pub language: Language,
    chosen_now: bool,
}

/// The visitor's own choice, else the one kept in their browser, else what the browser accepts, else Vietnamese.
pub fn choice(request: &HttpRequest, cookie: &str) -> Choice {
    let asked = query(request, "lang").and_then(|text| Language::parse(&text));
    let kept = || request.cookie(cookie).and_then(|kept| Language::parse(kept.value()));
    let language = asked.or_else(kept).or_else(|| Language::accepted(request.headers())).unwrap_or(Language::Vi);
    Choice { language, chosen_now: asked.is_some() }
}

/// The first value of a query parameter; empty counts as absent.
pub fn query(request: &HttpRequest, name: &str) -> Option<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// What stands around the content of every page.
pub struct Frame {
    pub language: Language,
    pub site: &'static str,
    pub accent: &'static str,
    pub page: &'static str,
    pub title: String,
    /// Where the language switch leads back to.
    pub path: String,
}

/// A cookie only this host over a secure connection can set; browsers count localhost as secure.
pub fn host_cookie<'a>(name: &'static str, value: String) -> Cookie<'a> {
    Cookie::build(name, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).finish()
}

/// How a page is answered: rendered, with headers that let nothing run, frame or keep it.
pub struct Reply<'a> {
    pub status: StatusCode,
    /// Where a form of this page may end up besides here: the provider, after a redirect.
    pub form_target: &'a str,
}

impl Reply<'_> {
    pub fn page(&self, page: &impl Template, choice: Choice, cookie: &'static str) -> HttpResponse {
        let Ok(body) = page.render() else { return HttpResponse::InternalServerError().finish() };
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
            self.form_target
        );
        let mut response = HttpResponse::build(self.status);
        guarded(&mut response)
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .content_type("text/html; charset=utf-8");
        if choice.chosen_now {
            response.cookie(host_cookie(cookie, choice.language.code().to_owned()));
        }
        response.body(body)
    }
}

/// The headers of every answer, whatever it holds.
pub fn guarded(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Referrer-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header(("Permissions-Policy", "camera=(), geolocation=(), microphone=()"))
}

/// 303, so that a POST never travels on as a POST.
pub fn see_other(location: &str) -> HttpResponse {
    guarded(&mut HttpResponse::SeeOther()).insert_header(("Location", location)).finish()
}

pub async fn style() -> HttpResponse {
    guarded(&mut HttpResponse::Ok())
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .content_type("text/css; charset=utf-8")
        .body(include_str!("pages/style.css"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn vietnamese_first_then_what_the_visitor_says() {
        let of = |uri: &str, kept: Option<&'static str>, accepted: Option<&str>| {
            let mut request = TestRequest::get().uri(uri);
            if let Some(kept) = kept {
                request = request.cookie(Cookie::new("language", kept));
            }
            if let Some(accepted) = accepted {
                request = request.insert_header((ACCEPT_LANGUAGE, accepted));
            }
            choice(&request.to_http_request(), "language").language.code()
        };
        assert_eq!(of("/", None, None), "vi");
        assert_eq!(of("/", None, Some("fr")), "vi");
        assert_eq!(of("/", None, Some("fr, en-GB;q=0.8")), "en");
        assert_eq!(of("/", Some("vi"), Some("en")), "vi");
        assert_eq!(of("/?lang=en", Some("vi"), None), "en");
        assert_eq!(of("/?lang=%3Cscript%3E", None, None), "vi");
    }
}

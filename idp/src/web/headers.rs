//! Security headers of every answer, as pure builders (`security.md` SE-08 to SE-11, `contract.md` 7).

use std::collections::BTreeSet;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, HeaderName, HeaderValue, PERMISSIONS_POLICY,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use url::{Host, Url};

pub type Header = (HeaderName, HeaderValue);

/// What an answer is, as far as its headers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// HTML. Its forms may lead to us and, by redirect or by a form-post page, to this one address.
    Page { leads_to: Option<&'a str> },
    /// HTML that frames these outside addresses.
    Framing { frames: &'a [String] },
    /// The frame clients' pages keep of ours: theirs to hold, and nothing but our script in it.
    CheckSession,
    /// JSON, a redirect, an empty body: nothing a browser should render, nothing to be kept.
    Bare,
    /// A file whose name changes with its content.
    Asset,
    /// A picture a client registered: shown, never run.
    Picture,
}

/// Opened by itself, a picture may style itself and nothing else.
const PICTURE: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// OpenID Connect Session Management §3.3: any client's page may frame it.
const CHECK_SESSION: &str = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'";

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                           magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Two years, ASVS 3.4.1.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Every header of an answer. `https` says whether the issuer is an https one.
pub fn of(answer: Answer<'_>, https: bool) -> Vec<Header> {
    let (policy, caching) = match answer {
        Answer::Page { leads_to } => (value(&content_policy(leads_to)), "no-store"),
        Answer::Framing { frames } => (value(&framing_policy(frames)), "no-store"),
        Answer::CheckSession => (HeaderValue::from_static(CHECK_SESSION), "no-store"),
        Answer::Bare => (HeaderValue::from_static(NOTHING), "no-store"),
        Answer::Asset => (HeaderValue::from_static(NOTHING), "public, max-age=31536000, immutable"),
        Answer::Picture => (HeaderValue::from_static(PICTURE), "public, max-age=3600"),
    };
    let mut headers = Vec::with_capacity(8);
    let mut say = |name, value| headers.push((name, HeaderValue::from_static(value)));
    say(X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(REFERRER_POLICY, "no-referrer");
    say(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    say(CACHE_CONTROL, caching);
    if answer != Answer::CheckSession {
        say(X_FRAME_OPTIONS, "DENY");
    }
    if matches!(answer, Answer::Page { .. } | Answer::Framing { .. }) {
        say(PERMISSIONS_POLICY, PERMISSIONS);
    }
    if https {
        say(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers.push((CONTENT_SECURITY_POLICY, policy));
    headers
}

/// A policy that cannot be sent allows nothing.
fn value(policy: &str) -> HeaderValue {
    HeaderValue::from_str(policy).unwrap_or_else(|_| HeaderValue::from_static(NOTHING))
}

/// The content security policy of a page. Chromium holds the redirect after a form post to `form-action` too, so
/// the origin of the request's own redirect_uri stands there.
pub fn content_policy(leads_to: Option<&str>) -> String {
    let target = leads_to.and_then(source).map(|source| format!(" {source}")).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'{target}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// `security.md` LO-11: the origins of exactly these frames, each once.
fn framing_policy(frames: &[String]) -> String {
    let origins: BTreeSet<String> = frames.iter().filter_map(|frame| source(frame)).collect();
    let origins: String = origins.iter().map(|origin| format!(" {origin}")).collect();
    let framed = if origins.is_empty() { String::new() } else { format!("; frame-src{origins}") };
    format!("{}{framed}", content_policy(None))
}

/// The source expression of an address: its exact origin. Nothing for what cannot be written as one without
/// opening the policy, such as a host with a `;` in it.
fn source(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    if !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    match url.host()? {
        Host::Domain(host) if host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')) => {}
        Host::Ipv4(_) => {}
        // CSP3 §2.3.1: a source cannot name an IPv6 address, and browsers drop one that does. The port of a native
        // application's loopback listener is as exact as it can be said.
        Host::Ipv6(_) => return Some(format!("{}://*:{}", url.scheme(), url.port_or_known_default()?)),
        Host::Domain(_) => return None,
    }
    Some(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[Header], name: &str) -> Option<String> {
        let mut all = headers.iter().filter(|(header, _)| header.as_str().eq_ignore_ascii_case(name));
        let first = all.next().map(|(_, value)| value.to_str().unwrap().to_owned());
        assert!(all.next().is_none(), "{name} stands twice");
        first
    }

    #[test]
    fn se_08_nothing_can_be_framed() {
        for answer in [Answer::Page { leads_to: None }, Answer::Bare, Answer::Asset, Answer::Picture] {
            let headers = of(answer, true);
            assert_eq!(told(&headers, "X-Frame-Options").as_deref(), Some("DENY"));
            assert!(told(&headers, "Content-Security-Policy").unwrap().contains("frame-ancestors 'none'"));
        }
    }

    #[test]
    fn session_management_3_3_only_the_frame_of_clients_pages_is_framed() {
        let headers = of(Answer::CheckSession, true);
        assert_eq!(told(&headers, "X-Frame-Options"), None);
        let policy = told(&headers, "Content-Security-Policy").unwrap();
        assert_eq!(policy, "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'");
        assert_eq!(told(&headers, "X-Content-Type-Options").as_deref(), Some("nosniff"));
    }

    #[test]
    fn lo_11_a_page_frames_exactly_the_origins_it_must() {
        let frames = ["https://a.vn/out?iss=x&sid=1", "https://b.vn:8443/out", "https://a.vn/other", "https://c;d/"];
        let policy = framing_policy(&frames.map(str::to_owned));
        assert!(policy.ends_with("; frame-src https://a.vn https://b.vn:8443"), "{policy}");
        assert!(policy.starts_with(&content_policy(None)));
        assert_eq!(framing_policy(&[]), content_policy(None));
        let headers = of(Answer::Framing { frames: &[] }, true);
        assert_eq!(told(&headers, "X-Frame-Options").as_deref(), Some("DENY"));
        assert!(told(&headers, "Permissions-Policy").is_some());
    }

    #[test]
    fn se_10_se_11_the_other_headers() {
        let page = of(Answer::Page { leads_to: None }, true);
        assert_eq!(told(&page, "Referrer-Policy").as_deref(), Some("no-referrer"));
        assert_eq!(told(&page, "X-Content-Type-Options").as_deref(), Some("nosniff"));
        assert_eq!(told(&page, "Cross-Origin-Opener-Policy").as_deref(), Some("same-origin"));
        assert_eq!(told(&page, "Cache-Control").as_deref(), Some("no-store"));
        assert_eq!(told(&page, "Strict-Transport-Security").as_deref(), Some("max-age=63072000; includeSubDomains"));
        assert_eq!(told(&of(Answer::Bare, false), "Strict-Transport-Security"), None);
        assert!(told(&of(Answer::Asset, true), "Cache-Control").unwrap().contains("immutable"));
    }

    #[test]
    fn form_action_is_ourselves_and_the_exact_origin_of_the_request() {
        let rows = [
            (None, "form-action 'self';"),
            (Some("https://portal.example.vn/back?x=1"), "form-action 'self' https://portal.example.vn;"),
            (Some("http://localhost:8082/back"), "form-action 'self' http://localhost:8082;"),
            (Some("http://127.0.0.1:51004/cb"), "form-action 'self' http://127.0.0.1:51004;"),
            (Some("http://[::1]:51004/cb"), "form-action 'self' http://*:51004;"),
            (Some("https://a.vn; script-src *"), "form-action 'self';"),
            (Some("https://a;script-src/"), "form-action 'self';"),
            (Some("https://a.vn,b/"), "form-action 'self';"),
            (Some("javascript:alert(1)"), "form-action 'self';"),
            (Some("not an address"), "form-action 'self';"),
        ];
        for (address, expected) in rows {
            let policy = content_policy(address);
            assert!(policy.contains(expected), "{policy}");
            assert!(
                policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'")
            );
            assert_eq!(policy.matches(';').count(), 6, "{policy}");
        }
    }
}

//! Our cookies: their names, their attributes, and how they are read back.

use actix_web::cookie::{Cookie, SameSite, time::Duration};

use crate::domain::Span;

/// The standing sign-in of this browser.
pub const SESSION: &str = "__Host-idp_session";
/// What ties an interaction to the browser that began it.
pub const BROWSER: &str = "__Host-idp_browser";
/// What tells a device the holder used before from a stranger's.
pub const DEVICE: &str = "__Host-idp_device";

/// What shows a registration to the browser that began it, and to no other.
pub const ENROLMENT: &str = "__Host-idp_enrolment";
/// What ties a recovery to the browser that began it. Its owner sets how long it is kept: a recovery may last days.
pub const RECOVERY: &str = "__Host-idp_recovery";

/// What our frame compares for clients' pages (OpenID Connect Session Management §3.2). Named as `security.md` SE-02 has
/// it, apart from the cookies that give a right to something.
pub const STATE: &str = "idp_state";

/// Longer than a request takes with its activation.
const ENROLMENT_LASTS: Span = Span::days(30);

/// Browsers keep no cookie longer than this.
const DEVICE_LASTS: Span = Span::days(400);

/// The session cookie. It has no lifetime of its own: the session's limits are the server's.
pub fn session(value: &str) -> Cookie<'static> {
    built(SESSION, value.to_owned())
}

pub fn browser(value: &str) -> Cookie<'static> {
    built(BROWSER, value.to_owned())
}

pub fn device(value: &str) -> Cookie<'static> {
    let mut cookie = built(DEVICE, value.to_owned());
    cookie.set_max_age(Duration::seconds(DEVICE_LASTS.as_seconds()));
    cookie
}

pub fn enrolment(value: &str) -> Cookie<'static> {
    let mut cookie = built(ENROLMENT, value.to_owned());
    cookie.set_max_age(Duration::seconds(ENROLMENT_LASTS.as_seconds()));
    cookie
}

pub fn recovery(value: &str) -> Cookie<'static> {
    built(RECOVERY, value.to_owned())
}

/// Read by script, and in a frame of another site's page: neither HttpOnly nor held back from other sites. It says that
/// something changed, never who is signed in, and no request of ours trusts it.
pub fn state(value: &str) -> Cookie<'static> {
    let mut cookie = built(STATE, value.to_owned());
    cookie.set_http_only(false);
    cookie.set_same_site(SameSite::None);
    cookie
}

pub fn state_dropped() -> Cookie<'static> {
    let mut cookie = state("");
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// Makes the browser drop a cookie of ours.
pub fn dropped(name: &'static str) -> Cookie<'static> {
    let mut cookie = built(name, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

// RFC 6265bis §4.1.3.2: the `__Host-` prefix holds only with Secure, Path=/ and no Domain.
fn built(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).finish()
}

/// The value of a cookie of ours in the `Cookie` header fields of a request. A cookie sent twice is absent: one of
/// the two was planted. So is a value that is none of ours.
pub fn find<'a>(headers: impl IntoIterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let mut found = None;
    for pair in headers.into_iter().flat_map(|header| header.split(';')) {
        let Some((key, value)) = pair.split_once('=') else { continue };
        if key.trim() == name && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    found.filter(|value| {
        (43..=256).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_";

    #[test]
    fn se_02_every_attribute_is_set() {
        for cookie in [session(VALUE), browser(VALUE), device(VALUE), enrolment(VALUE), dropped(SESSION)] {
            let text = cookie.to_string();
            assert!(text.starts_with("__Host-idp_"), "{text}");
            for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
                assert!(text.contains(attribute), "{text}");
            }
            assert!(!text.contains("Domain"), "{text}");
        }
        assert!(!session(VALUE).to_string().contains("Max-Age"));
        assert!(device(VALUE).to_string().contains("Max-Age=34560000"));
        assert!(dropped(SESSION).to_string().contains("Max-Age=0"));
    }

    #[test]
    fn session_management_3_2_the_state_is_read_by_script_in_a_frame() {
        for cookie in [state(VALUE), state_dropped()] {
            let text = cookie.to_string();
            assert!(text.starts_with("idp_state="), "{text}");
            for attribute in ["; Secure", "; SameSite=None", "; Path=/"] {
                assert!(text.contains(attribute), "{text}");
            }
            assert!(!text.contains("HttpOnly") && !text.contains("Domain"), "{text}");
        }
        assert!(state_dropped().to_string().contains("Max-Age=0"));
    }

    #[test]
    fn a_cookie_sent_twice_or_misshapen_is_absent() {
        let one = format!("a=b; {SESSION}={VALUE}; c=d");
        assert_eq!(find([one.as_str()], SESSION), Some(VALUE));
        assert_eq!(find(["a=b", one.as_str()], SESSION), Some(VALUE));
        assert_eq!(find([one.as_str(), one.as_str()], SESSION), None);
        let twice = format!("{SESSION}={VALUE}; {SESSION}={VALUE}");
        assert_eq!(find([twice.as_str()], SESSION), None);
        let empty_beside = format!("{SESSION}=; {SESSION}={VALUE}");
        assert_eq!(find([empty_beside.as_str()], SESSION), None);
        for bad in ["", "short", "\"quoted\"", &format!("{VALUE}%20"), &"A".repeat(257)] {
            assert_eq!(find([format!("{SESSION}={bad}").as_str()], SESSION), None, "{bad}");
        }
        assert_eq!(find([format!("x{SESSION}={VALUE}").as_str()], SESSION), None);
        assert_eq!(find([""], SESSION), None);
    }
}

//! Addresses a client may register: one written form each, so that comparing bytes compares addresses.

use url::{Host, Url};

/// Longer than any address in use, short enough for every browser.
const LONGEST: usize = 2000;

/// What kind of address was found lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Https,
    /// `http` on `localhost`, `127.0.0.1` or `[::1]`.
    HttpLoopback,
}

/// Reads an absolute address as registered. Refused, with the reason: anything but `https` or loopback `http`, a
/// fragment, user information, wildcards, characters outside printable ASCII, and every spelling a URL parser would
/// rewrite (upper-case hosts, dot segments, default ports, backslashes), so that two parsers cannot disagree about
/// where it leads (RFC 9700 §4.1.3, RFC 3986 §6.2.1; `security.md` 2.2).
pub fn lawful(text: &str) -> Result<(Url, Kind), &'static str> {
    if text.len() > LONGEST {
        return Err("is too long");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters outside printable ASCII");
    }
    if text.contains(['\\', '*', '#', '"', '<', '>', '{', '}', '|', '^', '`']) {
        return Err("has a fragment, a wildcard or a character no address may have");
    }
    let url = Url::parse(text).map_err(|_| "is not an absolute URI")?;
    if !url.username().is_empty()
        || url.password().is_some()
        || text.split(['/', '?']).nth(2).is_some_and(|authority| authority.contains('@'))
    {
        return Err("has user information");
    }
    let kind = match url.scheme() {
        "https" => Kind::Https,
        "http" if is_loopback(&url) => Kind::HttpLoopback,
        _ => return Err("is not an https URI"),
    };
    if !has_proper_host(&url) {
        return Err("has no proper host");
    }
    // An address without a path is the same address with `/`, and may be registered either way.
    let canonical = url.as_str() == text || (!text.ends_with('/') && url.as_str().strip_suffix('/') == Some(text));
    if canonical { Ok((url, kind)) } else { Err("is not written in its canonical form") }
}

/// RFC 3986 §3.2.2, RFC 1123 §2.1: a name as DNS has it, or an address by number.
fn has_proper_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
            (1..=253).contains(&name.len()) && !name.ends_with('.') && name.bytes().all(plain)
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Splits a native application's loopback address, `http://127.0.0.1` or `http://[::1]`, into the part before the
/// port, the port if any, and the part from the path on (RFC 8252 §7.3). Names such as `localhost` do not qualify
/// (RFC 8252 §8.3).
fn native_parts(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (host, rest) = ["http://127.0.0.1", "http://[::1]"]
        .into_iter()
        .find_map(|host| text.strip_prefix(host).map(|rest| (host, rest)))?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (port, path) = rest.split_at_checked(at)?;
    match port.strip_prefix(':') {
        None => port.is_empty().then_some((host, None, path)),
        Some(port) => Some((host, Some(port), path)),
    }
}

/// Whether the address is a native application's: loopback by number, without a port, so that any port will do.
pub fn is_native(registered: &str) -> bool {
    matches!(native_parts(registered), Some((_, None, _)))
}

/// RFC 8252 §7.3: whether `asked` is the native address `registered` with a port chosen at run time.
pub fn is_native_with_port(registered: &str, asked: &str) -> bool {
    let (Some((host, None, path)), Some((asked_host, Some(port), asked_path))) =
        (native_parts(registered), native_parts(asked))
    else {
        return false;
    };
    let plain = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
    host == asked_host && path == asked_path && plain && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9700_4_1_3_only_one_written_form_is_lawful() {
        for good in [
            "https://rp.gov.vn/cb",
            "https://rp.gov.vn/cb?x=1",
            "https://rp.gov.vn",
            "https://rp.gov.vn/",
            "https://rp.gov.vn:8443/cb",
        ] {
            assert!(matches!(lawful(good), Ok((_, Kind::Https))), "{good}");
        }
        for good in ["http://localhost:8082/cb", "http://127.0.0.1/cb", "http://[::1]:1/"] {
            assert!(matches!(lawful(good), Ok((_, Kind::HttpLoopback))), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "rp.gov.vn/cb",
            "https:rp.gov.vn/cb",
            "https:/rp.gov.vn/cb",
            "https:///cb",
            "https://RP.gov.vn/cb",
            "HTTPS://rp.gov.vn/cb",
            "https://rp.gov.vn:443/cb",
            "https://rp.gov.vn/a/../cb",
            "https://rp.gov.vn/%2e%2e/cb",
            "https://rp.gov.vn/./cb",
            "https://rp.gov.vn/cb#",
            "https://rp.gov.vn/cb#f",
            "https://a@rp.gov.vn/cb",
            "https://@rp.gov.vn/cb",
            "https://a:b@rp.gov.vn/cb",
            "https://rp.gov.vn\\evil.vn/cb",
            "https://rp.gov.vn./cb",
            "https://*.gov.vn/cb",
            "https://rp;a.gov.vn/cb",
            "https://rp.'gov.vn/cb",
            "https://rp_a.gov.vn/cb",
            "https://rp.gov.vn/*",
            "https://rp。gov.vn/cb",
            "https://rp.gov.vn/\u{e9}",
            "https://rp.gov.vn/c b",
            "https://rp.gov.vn/cb\n",
            " https://rp.gov.vn/cb",
            "http://rp.gov.vn/cb",
            "http://127.0.0.2/cb",
            "http://localhost.evil.vn/cb",
            "http://2130706433/cb",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "intent://x",
            "custom://cb",
        ] {
            assert!(lawful(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rfc8252_7_3_any_port_on_a_native_loopback_address() {
        let registered = "http://127.0.0.1/cb";
        assert!(is_native(registered) && !is_native("http://127.0.0.1:1/cb") && !is_native("http://localhost/cb"));
        assert!(is_native_with_port(registered, "http://127.0.0.1:49152/cb"));
        assert!(is_native_with_port("http://[::1]/cb", "http://[::1]:49152/cb"));
        for bad in [
            "http://localhost:49152/cb",
            "http://[::1]:49152/cb",
            "http://127.0.0.2:49152/cb",
            "http://127.0.0.1:49152/cb2",
            "http://127.0.0.1:49152/cb?x=1",
            "http://127.0.0.1:049152/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:1@evil.vn/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1.evil.vn/cb",
            "https://127.0.0.1:49152/cb",
            "http://127.0.0.1:49152",
            "http://127.0.0.1:49152/cb#",
        ] {
            assert!(!is_native_with_port(registered, bad), "{bad}");
        }
    }
}

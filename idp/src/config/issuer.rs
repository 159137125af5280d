//! The issuer's form, fixed for life (`contract.md` 8).

use url::{Host, Url};

/// `https://host` in lower case with no port, path or trailing slash; or `http://` on loopback with a port, for
/// development.
pub(super) fn check(issuer: &str) -> Result<(), &'static str> {
    if issuer.is_empty() {
        return Err("is required");
    }
    let url = Url::parse(issuer).map_err(|_| "is not a URL")?;
    let host = url.host().ok_or("has no host")?;
    // Rebuilding and comparing bytes refuses every other spelling of the same address at once: upper case,
    // default ports, user names, paths, trailing slashes, escapes, Unicode hosts.
    match (url.scheme(), url.port()) {
        ("https", None) if !matches!(host, Host::Domain(_)) => Err("names an address, not a host"),
        ("https", None) if issuer == format!("https://{host}") => Ok(()),
        ("http", Some(port)) if is_loopback(&host) && issuer == format!("http://{host}:{port}") => Ok(()),
        ("http", Some(_)) if !is_loopback(&host) => Err("must be https; http is for loopback only"),
        _ => Err("must be https://host, lower case, without port, path or trailing slash, or http://localhost:port"),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_8_issuer_forms() {
        for good in [
            "https://id.example.vn",
            "https://localhost",
            "https://xn--h-kia.vn",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://[::1]:8080",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "id.example.vn",
            "https://",
            "https://id.example.vn/",
            "https://id.example.vn/vneid",
            "https://id.example.vn:443",
            "https://id.example.vn:8443",
            "https://ID.example.vn",
            "HTTPS://id.example.vn",
            "https://id.example.vn?x",
            "https://id.example.vn#",
            "https://a@id.example.vn",
            " https://id.example.vn",
            "https://id.example.vn ",
            "https://hà.vn",
            "https://10.0.0.1",
            "https://[::1]",
            "http://id.example.vn",
            "http://id.example.vn:8080",
            "http://localhost",
            "http://localhost:80",
            "http://localhost:8080/",
            "http://localhost.evil.vn:8080",
            "http://10.0.0.1:8080",
            "ftp://localhost:8080",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}

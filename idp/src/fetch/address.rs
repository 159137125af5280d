//! Which addresses a stranger may send us to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// https to a named host. An address as host would bypass the check of what a name resolves to.
pub(super) fn check(url: &Url) -> Result<(), &'static str> {
    if url.scheme() != "https" {
        return Err("only https is fetched");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user is not fetched");
    }
    if url.domain().is_none() {
        return Err("an address is not fetched, only a name");
    }
    Ok(())
}

pub(super) fn is_http_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether an address is on the public internet, by the IANA special-purpose registries.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let own = matches!((a, b), (0 | 10 | 127, _) | (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168));
    let reserved = matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113))
        || matches!((a, b), (198, 18..=19) | (224..=255, _));
    !own && !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is assigned for the public; inside it, protocols (2001::/23), documentation and 6to4, which
    // carries an IPv4 address of the sender's choice.
    let assigned = (0x2000..=0x3fff).contains(&a);
    let special = matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002 | 0x3fff, _));
    assigned && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_only_public_addresses() {
        for public in ["1.1.1.1", "8.8.8.8", "103.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn d8_only_https_to_a_name() {
        assert_eq!(check(&Url::parse("https://id.example.vn/logo.png").unwrap()), Ok(()));
        for bad in [
            "http://id.example.vn/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://a:b@id.example.vn/",
            "file:///etc/passwd",
            "ftp://id.example.vn/",
        ] {
            assert!(check(&Url::parse(bad).unwrap()).is_err(), "{bad}");
        }
    }
}

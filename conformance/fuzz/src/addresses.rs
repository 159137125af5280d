//! Addresses: those a client may register, and the networks of proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idp::config::Network;
use idp::protocol::uri;
use url::Url;

use crate::made::text;

/// Two parsers agree on where a lawful address leads, and it has no second written form.
pub fn redirect_uri(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok((url, _)) = uri::lawful(one) {
        assert!(url.as_str() == one || url.as_str().strip_suffix('/') == Some(one), "{one} is {url}");
        assert_eq!(url.host_str(), authority(one).map(host), "{one}");
        assert!(matches!(url.scheme(), "https" | "http") && url.fragment().is_none() && url.username().is_empty());
        assert!(one.len() <= 2000);
        // What a browser makes of it relative to anything is itself.
        let elsewhere = Url::parse("https://other.vn/a/").ok().and_then(|base| base.join(one).ok());
        assert_eq!(elsewhere.as_ref(), Some(&url));
    }
    if uri::is_native_with_port(one, other) {
        assert!(uri::is_native(one) && !uri::is_native(other));
        let (one, other) = (Url::parse(one).ok(), Url::parse(other).ok());
        let same = |part: fn(&Url) -> Option<&str>| one.as_ref().and_then(part) == other.as_ref().and_then(part);
        assert!(same(Url::host_str) && same(|url| Some(url.path())) && same(Url::query));
    }
}

/// RFC 3986 §3.2, as its grammar has it.
fn authority(text: &str) -> Option<&str> {
    text.split_once("://")?.1.split(['/', '?', '#']).next()
}

fn host(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => authority.get(..end + 2).unwrap_or(authority),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// A range reads back as written and contains its own address; only the widest contains everything.
pub fn network(input: &[u8]) {
    let Some(Ok(network)) = text(input).map(str::parse::<Network>) else { return };
    let written = network.to_string();
    assert!(written.parse() == Ok(network), "{written}");
    let own = written.split('/').next().and_then(|own| own.parse::<IpAddr>().ok());
    assert!(own.is_some_and(|own| own.to_canonical() != own || network.contains(own)), "{written}");
    let everywhere =
        [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(IpAddr::from).into_iter().all(|one| network.contains(one))
            || [Ipv6Addr::UNSPECIFIED, Ipv6Addr::from([255; 16])]
                .map(IpAddr::from)
                .into_iter()
                .all(|one| network.contains(one));
    assert_eq!(everywhere, written.ends_with("/0"), "{written}");
}

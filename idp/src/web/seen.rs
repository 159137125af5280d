//! What can honestly be said of where a request comes from: the network, the browser, and the place a trusted proxy
//! names. There is no table of places here: without a proxy that knows, nobody knows (`security.md` LG-31, LG-34).

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;

use super::read;
use crate::domain::app::Place;
use crate::idp::Idp;

const LONGEST_CITY: usize = 60;

pub fn place(request: &HttpRequest, idp: &Idp) -> Place {
    let (country, city) = named(request, idp).unwrap_or_default();
    Place { country, city, network: network(read::caller(request, idp)) }
}

/// Only what the proxy before us says, never the caller itself.
fn named(request: &HttpRequest, idp: &Idp) -> Option<(Option<String>, Option<String>)> {
    let name = idp.config.web.geo_header.as_deref()?;
    if !request.peer_addr().is_some_and(|peer| idp.config.web.trusts(peer.ip())) {
        return None;
    }
    let mut values = request.headers().get_all(name);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    Some(parsed(value.to_str().ok()?))
}

/// `VN` or `VN;H%C3%A0%20N%E1%BB%99i`.
fn parsed(value: &str) -> (Option<String>, Option<String>) {
    let (country, city) = value.split_once(';').unwrap_or((value, ""));
    let country = country.trim().to_ascii_uppercase();
    let known = country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase());
    // Percent-decoding is that of one form value; a plus sign is no part of a name either way.
    let city: String = url::form_urlencoded::parse(format!("c={}", city.trim()).as_bytes())
        .find_map(|(name, city)| (name == "c").then(|| city.into_owned()))
        .unwrap_or_default();
    let city: String = city.chars().filter(|letter| !letter.is_control()).take(LONGEST_CITY).collect();
    (known.then_some(country), (!city.is_empty()).then_some(city))
}

/// The network without its tail: enough to tell home from elsewhere.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        address if address.is_loopback() => "localhost".to_owned(),
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            format!("{a}.{b}.•.•")
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            format!("{a:x}:{b:x}:…")
        }
    }
}

/// The browser and system a request says it is from, in words of a short list: nothing of the header itself is shown.
pub fn agent(request: &HttpRequest) -> String {
    let header = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    called(header.unwrap_or_default())
}

fn called(agent: &str) -> String {
    // Most name others beside themselves; the first that fits is the one.
    const BROWSERS: [(&str, &str); 8] = [
        ("coc_coc_browser", "Cốc Cốc"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let words: Vec<&str> = [find(&BROWSERS), find(&SYSTEMS)].into_iter().flatten().collect();
    words.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg_34_a_proxy_names_a_country_and_perhaps_a_city() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("VN"), (some("VN"), None));
        assert_eq!(parsed("vn;H%C3%A0%20N%E1%BB%99i"), (some("VN"), some("Hà Nội")));
        assert_eq!(parsed(" KH ; Phnom%20Penh"), (some("KH"), some("Phnom Penh")));
        for bad in ["", "V", "VNM", "1N", ";", "--"] {
            assert_eq!(parsed(bad).0, None, "{bad}");
        }
        assert_eq!(parsed("VN;a%0Ab&c=d").1, some("ab"));
    }

    #[test]
    fn lg_31_browsers_are_named_by_a_short_list() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36";
        for (agent, expected) in [
            (chrome.to_owned(), "Chrome · Windows"),
            (format!("{chrome} Edg/131.0"), "Edge · Windows"),
            (chrome.replace("Chrome/", "coc_coc_browser/1 Chrome/"), "Cốc Cốc · Windows"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0".to_owned(), "Firefox · Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1".to_owned(),
                "Safari · iPhone",
            ),
            ("<script>".to_owned(), ""),
        ] {
            assert_eq!(called(&agent), expected, "{agent}");
        }
    }

    #[test]
    fn the_tail_of_an_address_is_nobodys_business() {
        for (address, expected) in [
            ("127.0.0.1", "localhost"),
            ("113.161.7.9", "113.161.•.•"),
            ("2402:800:1::9", "2402:800:…"),
            ("::1", "localhost"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }
}

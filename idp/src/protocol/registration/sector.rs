//! The sector a client's pairwise subjects belong to (OIDC Core §8.1), and the list that proves several hosts are one
//! (OIDC Registration §5).

use serde_json::Value;

use crate::domain::{Client, Id};
use crate::protocol::error::Error;
use crate::protocol::json;
use crate::protocol::uri::{self, Kind};

use super::members::Members;
use super::refuse;

const MEMBER: &str = "sector_identifier_uri";

/// `contract.md` 8: `vn_sector`, else the host of `sector_identifier_uri`, else the one host of the redirect URIs, with
/// its port on loopback. A client without any has no holders; it is a sector of its own.
pub(super) fn admit(
    members: &mut Members,
    id: &Id<Client>,
    redirect_uris: &[String],
    identifier: Option<&str>,
) -> Result<String, Error> {
    if let Some(sector) = members.text("vn_sector")? {
        let proper = sector.len() <= 253
            && sector
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
        // What such a client is told may be sent back (RFC 7592 §2.2), though its own id is no host name.
        let own = redirect_uris.is_empty() && identifier.is_none() && sector == id.as_str();
        return if proper || own { Ok(sector) } else { Err(refuse("vn_sector", "is not a lower-case host name")) };
    }
    let mut hosts: Vec<String> = match identifier {
        Some(uri) => host(uri).into_iter().collect(),
        None => redirect_uris.iter().filter_map(|uri| host(uri)).collect(),
    };
    hosts.sort_unstable();
    hosts.dedup();
    let mut hosts = hosts.into_iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(id.as_str().to_owned()),
        (Some(host), None) => Ok(host),
        (Some(_), Some(_)) => Err(refuse("vn_sector", "is missing, and the redirect URIs have several hosts")),
    }
}

fn host(uri: &str) -> Option<String> {
    let (url, kind) = uri::lawful(uri).ok()?;
    let host = url.host_str()?;
    Some(match url.port().filter(|_| kind == Kind::HttpLoopback) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// OIDC Registration §5: the document at `sector_identifier_uri` is a JSON array that holds every redirect URI.
pub fn check(document: &[u8], redirect_uris: &[String]) -> Result<(), Error> {
    let text = std::str::from_utf8(document).map_err(|_| refuse(MEMBER, "holds no text"))?;
    let listed = json::strict(text, 2).ok();
    let Some(Value::Array(listed)) = listed else { return Err(refuse(MEMBER, "holds no JSON array")) };
    match redirect_uris.iter().find(|uri| !listed.iter().any(|entry| entry.as_str() == Some(uri.as_str()))) {
        None => Ok(()),
        Some(missing) => Err(refuse(MEMBER, format!("does not list {missing}"))),
    }
}

/// The document could not be had; the reason is for our log.
pub fn unfetched(reason: &str) -> Error {
    refuse(MEMBER, "could not be fetched").because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_08_the_list_holds_every_redirect_uri() {
        let uris = ["https://a.vn/1".to_owned(), "https://b.vn/2".to_owned()];
        let right = br#"["https://b.vn/2", "https://a.vn/1", "https://c.vn"]"#;
        assert_eq!(check(right, &uris), Ok(()));
        for wrong in [
            &br#"["https://a.vn/1"]"#[..],
            br#"["https://a.vn/1", "https://b.vn/2/"]"#,
            br#"{"uris": ["https://a.vn/1", "https://b.vn/2"]}"#,
            br#"["https://a.vn/1", ["https://b.vn/2"]]"#,
            br#""https://a.vn/1 https://b.vn/2""#,
            b"[",
            b"",
            b"\xff",
        ] {
            assert!(check(wrong, &uris).unwrap_err().told.starts_with(MEMBER), "{wrong:?}");
        }
    }
}

//! How a client hears that a session ended (OIDC Back-Channel Logout §2.2, OIDC Front-Channel Logout §2).

use url::Url;

use super::members::Members;
use super::{Admission, check_address, refuse};
use crate::domain::arrangement::LogoutAddresses;
use crate::protocol::error::Error;

pub(super) fn admit(
    members: &mut Members,
    redirect_uris: &[String],
    admission: &Admission,
) -> Result<LogoutAddresses, Error> {
    let backchannel_logout_uri = address(members, "backchannel_logout_uri", admission)?;
    let frontchannel_logout_uri = address(members, "frontchannel_logout_uri", admission)?;
    // Front-Channel Logout §2: a page of ours frames it, so it stays where the client's other pages are.
    if let Some(uri) = &frontchannel_logout_uri
        && !redirect_uris.iter().any(|known| origin(known) == origin(uri))
    {
        return Err(refuse("frontchannel_logout_uri", format!("{uri} has not the origin of a redirect URI")));
    }
    let flag = |members: &mut Members, member: &str| Ok::<bool, Error>(members.choice(member)?.unwrap_or(false));
    Ok(LogoutAddresses {
        backchannel_logout_uri,
        backchannel_logout_session_required: flag(members, "backchannel_logout_session_required")?,
        frontchannel_logout_uri,
        frontchannel_logout_session_required: flag(members, "frontchannel_logout_session_required")?,
    })
}

/// Back-Channel Logout §2.2: absolute and without a fragment. Ours to call or to frame, so https.
fn address(members: &mut Members, member: &'static str, admission: &Admission) -> Result<Option<String>, Error> {
    let uri = members.text(member)?;
    if let Some(uri) = &uri {
        check_address(member, uri, admission)?;
    }
    Ok(uri)
}

fn origin(uri: &str) -> Option<url::Origin> {
    Url::parse(uri).ok().map(|url| url.origin())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::registration::{Unknown, admit as admit_file};

    fn admitted(patch: &Value, http_loopback: bool) -> Result<LogoutAddresses, String> {
        let mut file =
            json!({"client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb", "https://rp.gov.vn:8443/cb"]});
        if http_loopback {
            file["redirect_uris"] = json!(["http://localhost:8082/cb"]);
        }
        file.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let admitted = admit_file(
            &file,
            &Admission { http_loopback, unknown: Unknown::Refused, certificates: true, client_ca: true },
        );
        admitted.map(|(client, _)| client.logout).map_err(|error| error.told)
    }

    #[test]
    fn back_and_front_channel_logout_2_addresses() {
        let none = admitted(&json!({}), false).unwrap();
        assert_eq!(none, LogoutAddresses::default());
        let both = json!({
            "backchannel_logout_uri": "https://rp.gov.vn/bc?tenant=1", "backchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://rp.gov.vn:8443/fc?x=1", "frontchannel_logout_session_required": true
        });
        let logout = admitted(&both, false).unwrap();
        assert_eq!(logout.backchannel_logout_uri.as_deref(), Some("https://rp.gov.vn/bc?tenant=1"));
        assert!(logout.backchannel_logout_session_required && logout.frontchannel_logout_session_required);
        // Elsewhere than the redirect URIs is right for what we call, and wrong for what we frame.
        assert!(admitted(&json!({"backchannel_logout_uri": "https://api.gov.vn/bc"}), false).is_ok());
        let rows = [
            ("frontchannel_logout_uri", json!("https://other.gov.vn/fc")),
            ("frontchannel_logout_uri", json!("https://rp.gov.vn:9443/fc")),
            ("frontchannel_logout_uri", json!("https://rp.gov.vn/fc#f")),
            ("frontchannel_logout_uri", json!("http://rp.gov.vn/fc")),
            ("backchannel_logout_uri", json!("https://rp.gov.vn/bc#f")),
            ("backchannel_logout_uri", json!("http://rp.gov.vn/bc")),
            ("backchannel_logout_uri", json!("http://localhost:8082/bc")),
            ("backchannel_logout_uri", json!("/bc")),
            ("backchannel_logout_uri", json!("javascript:alert(1)")),
            ("backchannel_logout_uri", json!(["https://rp.gov.vn/bc"])),
            ("backchannel_logout_session_required", json!("yes")),
            ("frontchannel_logout_session_required", json!(1)),
        ];
        for (member, value) in rows {
            let told = admitted(&json!({ member: value.clone() }), false).unwrap_err();
            assert!(told.starts_with(member), "{member} {value}: {told}");
        }
        let loopback = json!({
            "backchannel_logout_uri": "http://localhost:8082/bc", "frontchannel_logout_uri": "http://localhost:8082/fc"
        });
        assert!(admitted(&loopback, true).is_ok());
    }
}

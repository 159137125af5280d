//! OpenID Connect Front-Channel Logout 1.0: the addresses a signed-out page loads, so that portals end their sessions
//! in this browser.

use crate::domain::Client;

use super::authorize::address::with_query;

/// What the page loads for one client, if it registered an address (Front-Channel Logout §2). Both `iss` and `sid` go
/// along for every client: without them any page could make a browser load the address.
pub fn frame(client: &Client, issuer: &str, sid: &str) -> Option<String> {
    let uri = client.logout.frontchannel_logout_uri.as_deref()?;
    Some(with_query(uri, [("iss", issuer), ("sid", sid)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures;

    #[test]
    fn front_channel_logout_2_iss_and_sid_join_a_registered_query() {
        let mut client = fixtures::client("rp", "openid");
        assert_eq!(frame(&client, "https://id.gov.vn", "s"), None);
        for (uri, expected) in [
            ("https://rp.gov.vn/out", "https://rp.gov.vn/out?iss=https%3A%2F%2Fid.gov.vn&sid=s%261"),
            ("https://rp.gov.vn/out?x=1", "https://rp.gov.vn/out?x=1&iss=https%3A%2F%2Fid.gov.vn&sid=s%261"),
        ] {
            client.logout.frontchannel_logout_uri = Some(uri.to_owned());
            assert_eq!(frame(&client, "https://id.gov.vn", "s&1").as_deref(), Some(expected));
        }
    }
}

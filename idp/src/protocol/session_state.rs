//! OIDC Session Management 1.0 §3: what a client's page may ask our frame about, without anybody talking to us.

use sha2::{Digest, Sha256};
use url::Url;

/// `session_state` of an answer (Session Management §3): a salted hash over the client, the origin it asks from and the
/// browser's state, so that no two clients can compare theirs. A browser without a state has the empty one. `None` for
/// an address without an origin of its own.
pub fn session_state(client_id: &str, redirect_uri: &str, browser_state: &str, salt: &str) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    let origin = origin.is_tuple().then(|| origin.ascii_serialization())?;
    let hash = Sha256::digest(format!("{client_id} {origin} {browser_state} {salt}"));
    Some(format!("{hash:x}.{salt}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_management_3_a_salted_hash_over_client_origin_and_state() {
        let state = |client: &str, uri: &str, browser: &str, salt: &str| session_state(client, uri, browser, salt);
        let one = state("rp", "https://rp.gov.vn/cb", "b", "salt").unwrap();
        // sha256("rp https://rp.gov.vn b salt")
        assert_eq!(one, "e9b2d0f308b456455a24386827fc0233a9cd42eadf76390307330cd7b3d6c12f.salt");
        assert_eq!(state("rp", "https://rp.gov.vn/other?x", "b", "salt").unwrap(), one);
        for other in [
            state("rq", "https://rp.gov.vn/cb", "b", "salt"),
            state("rp", "https://rp.gov.vn:8443/cb", "b", "salt"),
            state("rp", "https://rp.gov.vn/cb", "", "salt"),
            state("rp", "https://rp.gov.vn/cb", "b", "tlas"),
        ] {
            assert_ne!(other.unwrap(), one);
        }
        assert_eq!(state("rp", "app:callback", "b", "salt"), None);
        assert!(!one.contains(' '), "Session Management §3: no space");
    }
}

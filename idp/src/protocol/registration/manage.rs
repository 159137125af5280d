//! Who may register and manage a registration, and what a replacement must leave as it is (RFC 7591 §3, RFC 7592 §2).

use serde_json::Value;

use crate::domain::Client;
use crate::domain::relying_party::Registered;
use crate::domain::secret::{ClientSecret, Stored};
use crate::protocol::error::{Error, ErrorCode};

use super::refuse;

/// RFC 7592 §2.2: what we tell and a client never sets.
const OURS: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// RFC 7591 §3: registration is protected; whatever is wrong with the token is told alike.
pub fn not_invited() -> Error {
    Error::new(ErrorCode::InvalidToken, "RFC 7591 §3", "the initial access token is not valid")
}

/// RFC 7592 §2: another client's token, or a client that is gone.
pub fn not_manager() -> Error {
    Error::new(ErrorCode::InvalidToken, "RFC 7592 §2", "the registration access token is not valid")
}

pub fn suspended() -> Error {
    Error::new(ErrorCode::InsufficientScope, "RFC 7592 §2.1", "the client is suspended and may not read or change this")
}

/// RFC 7592 §2.2: the request names this very client, and neither sets what is ours to set nor another secret.
pub fn replaces(request: &Value, client: &Client, existing: &Registered) -> Result<(), Error> {
    if request.get("client_id").and_then(Value::as_str) != Some(client.id.as_str()) {
        return Err(refuse("client_id", "is not this client"));
    }
    if let Some(name) = OURS.into_iter().find(|name| request.get(name).is_some()) {
        return Err(refuse(name, "may not be set"));
    }
    if let Some(secret) = request.get("client_secret") {
        let same = secret.as_str().map(Stored::<ClientSecret>::of) == existing.secret && existing.secret.is_some();
        if !same {
            return Err(refuse("client_secret", "is not the one issued"));
        }
    }
    // OIDC Core §8.1: another sector would give every citizen a second subject here, and a sector kept while the
    // addresses move would let this client know them by a name another host was given.
    if client.sector != existing.client.sector {
        return Err(refuse("redirect_uris", "would move the client to another sector, which is frozen"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::fixtures::{self, SECRET};

    #[test]
    fn rfc7592_2_2_what_a_replacement_leaves_as_it_is() {
        let existing = fixtures::registered(fixtures::client("rp", "openid"));
        let client = &*existing.client;
        for right in [json!({"client_id": "rp"}), json!({"client_id": "rp", "client_secret": SECRET})] {
            assert_eq!(replaces(&right, client, &existing), Ok(()), "{right}");
        }
        for (member, wrong) in [
            ("client_id", json!({})),
            ("client_id", json!({"client_id": "other"})),
            ("client_id", json!({"client_id": ["rp"]})),
            ("client_secret", json!({"client_id": "rp", "client_secret": "another-secret-of-mine"})),
            ("client_secret", json!({"client_id": "rp", "client_secret": 1})),
            ("registration_access_token", json!({"client_id": "rp", "registration_access_token": "x"})),
            ("client_id_issued_at", json!({"client_id": "rp", "client_id_issued_at": 1})),
        ] {
            assert!(replaces(&wrong, client, &existing).unwrap_err().told.starts_with(member), "{wrong}");
        }
        let moved = Client { sector: "evil.vn".to_owned(), ..client.clone() };
        assert_eq!(
            replaces(&json!({"client_id": "rp"}), &moved, &existing).unwrap_err().code,
            ErrorCode::InvalidRedirectUri
        );
    }
}

//! `client_credentials` (RFC 6749 §4.4): a client acting for itself. Nothing about any holder can come of it.

use crate::domain::Client;
use crate::domain::relying_party::GrantType;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::scope as scopes;

use super::request::permitted;

/// The scope of the token: the registered scopes that are not of the catalogue, or those of them that were asked for.
/// Unknown values are ignored. `unauthorized_client` for public clients and those without the grant; `invalid_scope` for
/// a scope of the catalogue, or when nothing asked for is left (`contract.md` 4).
pub fn scope(client: &Client, asked: Option<&str>) -> Result<Vec<String>, Error> {
    permitted(client, GrantType::ClientCredentials)?;
    if client.is_public() {
        let told = "client_credentials is for confidential clients";
        return Err(Error::new(ErrorCode::UnauthorizedClient, "RFC 6749 §4.4", told));
    }
    let refused = |told: &str| Err(Error::new(ErrorCode::InvalidScope, "RFC 6749 §4.4.2", told));
    let own = |scope: &&str| client.has_scope(scope) && !scopes::is_catalogued(scope);
    let Some(asked) = asked else {
        return Ok(client.scope.iter().filter(|scope| own(&scope.as_str())).cloned().collect());
    };
    if scopes::values(asked).any(scopes::is_catalogued) {
        return refused("scope is about citizens and needs one to sign in");
    }
    let mut scope: Vec<String> = Vec::new();
    for value in scopes::values(asked).filter(own) {
        if !scope.iter().any(|known| known == value) {
            scope.push(value.to_owned());
        }
    }
    if scope.is_empty() { refused("scope names nothing this client may ask for") } else { Ok(scope) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::AuthMethod;
    use crate::protocol::fixtures;

    fn service() -> Client {
        Client {
            grant_types: vec![GrantType::ClientCredentials],
            ..fixtures::client("svc", "openid profile reports.read reports.write")
        }
    }

    #[test]
    fn rfc6749_4_4_2_only_registered_scopes_outside_the_catalogue() {
        let rows: [(Option<&str>, Result<&str, ErrorCode>); 8] = [
            (None, Ok("reports.read reports.write")),
            (Some("reports.write"), Ok("reports.write")),
            (Some("reports.write reports.write unknown"), Ok("reports.write")),
            (Some("openid"), Err(ErrorCode::InvalidScope)),
            (Some("reports.read profile"), Err(ErrorCode::InvalidScope)),
            (Some("vn_identity"), Err(ErrorCode::InvalidScope)),
            (Some("offline_access"), Err(ErrorCode::InvalidScope)),
            (Some("unknown"), Err(ErrorCode::InvalidScope)),
        ];
        for (asked, expected) in rows {
            let found = scope(&service(), asked).map(|scope| scope.join(" ")).map_err(|error| error.code);
            assert_eq!(found.as_deref(), expected.as_ref().copied(), "{asked:?}");
        }
    }

    #[test]
    fn rfc6749_4_4_confidential_and_registered_only() {
        let public = Client { token_endpoint_auth_method: AuthMethod::None, ..service() };
        let other = Client { grant_types: vec![GrantType::AuthorizationCode], ..service() };
        for client in [public, other] {
            assert_eq!(scope(&client, None).unwrap_err().code, ErrorCode::UnauthorizedClient);
        }
    }
}

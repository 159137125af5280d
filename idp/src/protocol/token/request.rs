//! What is asked of the token endpoint (RFC 6749 §4.1.3, §4.4.2, §6).

use std::fmt;

use crate::domain::Client;
use crate::domain::relying_party::GrantType;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::params::Params;

/// One request, by grant.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    Code { code: String, redirect_uri: Option<String>, code_verifier: Option<String> },
    Refresh { refresh_token: String, scope: Option<String> },
    ClientCredentials { scope: Option<String> },
}

impl TokenRequest {
    /// The grant as registered and counted.
    pub fn grant(&self) -> GrantType {
        match self {
            TokenRequest::Code { .. } => GrantType::AuthorizationCode,
            TokenRequest::Refresh { .. } => GrantType::RefreshToken,
            TokenRequest::ClientCredentials { .. } => GrantType::ClientCredentials,
        }
    }
}

/// The kind only: the rest are secrets.
impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest({:?})", self.grant())
    }
}

/// Reads the body. `invalid_request` when a parameter is missing or repeated, `unsupported_grant_type` for a grant we do
/// not offer (RFC 6749 §5.2).
pub fn parse(params: &Params) -> Result<TokenRequest, Error> {
    let owned = |name| params.one(name).map(|value| value.map(str::to_owned));
    let needed = |name: &'static str, clause| {
        owned(name)?.ok_or_else(|| Error::invalid_request(clause, format!("{name} is missing")))
    };
    match params.one("grant_type")? {
        Some("authorization_code") => Ok(TokenRequest::Code {
            code: needed("code", "RFC 6749 §4.1.3")?,
            redirect_uri: owned("redirect_uri")?,
            code_verifier: owned("code_verifier")?,
        }),
        Some("refresh_token") => Ok(TokenRequest::Refresh {
            refresh_token: needed("refresh_token", "RFC 6749 §6")?,
            scope: owned("scope")?,
        }),
        Some("client_credentials") => Ok(TokenRequest::ClientCredentials { scope: owned("scope")? }),
        Some(_) => Err(Error::new(ErrorCode::UnsupportedGrantType, "RFC 6749 §5.2", "grant_type is not supported")),
        None => Err(Error::invalid_request("RFC 6749 §4.1.3", "grant_type is missing")),
    }
}

/// RFC 6749 §5.2: a client uses the grants it registered.
pub fn permitted(client: &Client, grant: GrantType) -> Result<(), Error> {
    if client.may_use(grant) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::UnauthorizedClient, "RFC 6749 §5.2", "grant_type is not registered for this client"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_5_2_tk_08_grant_types() {
        let rows: [(&str, Result<GrantType, ErrorCode>); 12] = [
            ("grant_type=authorization_code&code=c", Ok(GrantType::AuthorizationCode)),
            ("grant_type=refresh_token&refresh_token=r", Ok(GrantType::RefreshToken)),
            ("grant_type=client_credentials", Ok(GrantType::ClientCredentials)),
            ("grant_type=password", Err(ErrorCode::UnsupportedGrantType)),
            ("grant_type=implicit", Err(ErrorCode::UnsupportedGrantType)),
            ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", Err(ErrorCode::UnsupportedGrantType)),
            ("grant_type=Authorization_Code&code=c", Err(ErrorCode::UnsupportedGrantType)),
            ("code=c", Err(ErrorCode::InvalidRequest)),
            ("grant_type=authorization_code&grant_type=authorization_code&code=c", Err(ErrorCode::InvalidRequest)),
            ("grant_type=authorization_code", Err(ErrorCode::InvalidRequest)),
            ("grant_type=authorization_code&code=good&code=bad", Err(ErrorCode::InvalidRequest)),
            ("grant_type=refresh_token", Err(ErrorCode::InvalidRequest)),
        ];
        for (text, expected) in rows {
            let found = parse(&Params::parse(text).unwrap());
            assert_eq!(found.map(|request| request.grant()).map_err(|error| error.code), expected, "{text}");
        }
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let request = parse(&Params::parse("grant_type=authorization_code&code=s3cret&code_verifier=s3cret").unwrap());
        assert!(!format!("{request:?}").contains("s3cret"));
    }
}

//! UserInfo (OIDC Core §5.3): who may read it, and what it says.

use serde_json::{Map, Value};

use crate::domain::Client;
use crate::domain::arrangement::Encryption;
use crate::domain::grant::{Authentication, Grant};
use crate::domain::level::Levels;
use crate::domain::relying_party::SigningAlg;

use super::binding::Scheme;
use super::error::{Error, ErrorCode};
use super::id_token::{level_claims, told};
use super::params::Params;
use super::scope;

/// An access token as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    pub token: String,
    pub scheme: Scheme,
}

/// Finds the access token of a request (RFC 6750 §2, RFC 9449 §7.1): `authorization` are all `Authorization` headers, `query` the query
/// string, `form` the body of a POST form. `None` is a request without credentials, answered 401 without an error code
/// (§3.1); a token in the query is never read as one. Two ways at once, or a malformed header, are `invalid_request`.
pub fn presented(authorization: &[&str], query: &Params, form: Option<&Params>) -> Result<Option<Presented>, Error> {
    let malformed = |told: &str| Error::invalid_request("RFC 6750 §3.1", told);
    let in_header = match authorization {
        [] => None,
        [header] => of_header(header).map_err(|()| malformed("authorization header is malformed"))?,
        _ => return Err(malformed("authorization header is repeated")),
    };
    let in_form = form.map(|form| form.one("access_token")).transpose()?.flatten();
    if in_header.is_some() && (in_form.is_some() || query.has("access_token")) {
        return Err(malformed("access_token is sent in more than one way"));
    }
    // RFC 9449 §7.1: only the header has a scheme; what is in a form body is a bearer token.
    let found = in_header.or(in_form.map(|token| (Scheme::Bearer, token)));
    Ok(found.map(|(scheme, token)| Presented { token: token.to_owned(), scheme }))
}

/// RFC 6750 §2.1, RFC 9449 §7.1, with the scheme in any case (RFC 9110 §11.1). Another scheme carries no token.
fn of_header(header: &str) -> Result<Option<(Scheme, &str)>, ()> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ => return Ok(None),
    };
    let token = token.trim_matches(' ');
    let proper = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if proper { Ok(Some((scheme, token))) } else { Err(()) }
}

/// A token that is unknown, expired or revoked, or whose holder may not act: all told alike (RFC 6750 §3.1).
pub fn invalid_token() -> Error {
    Error::new(ErrorCode::InvalidToken, "RFC 6750 §3.1", "the access token is not valid")
}

/// Whether a live token opens userinfo: it must be about a holder (`invalid_token`) and carry `openid`
/// (`insufficient_scope`, OIDC Core §5.3.1). `scope` is the token's own, which may be narrower than the grant's.
pub fn admit<'a>(grant: &'a Grant, scope: &[String]) -> Result<&'a Authentication, Error> {
    let authentication = grant.holder().ok_or_else(|| invalid_token().because("no holder behind this token"))?;
    if scope.iter().any(|scope| scope == scope::OPENID) {
        return Ok(authentication);
    }
    Err(Error::new(ErrorCode::InsufficientScope, "RFC 6750 §3.1", "openid is not in the scope of this token"))
}

/// The answer: `sub`, released claims with values, who acted for the holder, and both levels when given (scope
/// `vn_eid_status`).
pub fn body(holder: &Authentication, released: &Map<String, Value>, levels: Option<Levels>) -> Map<String, Value> {
    let mut body = told(released);
    body.extend(levels.into_iter().flat_map(level_claims));
    body.insert("sub".to_owned(), holder.sub.as_str().into());
    // RFC 8693 §4.1.
    if let Some(actor) = &holder.actor {
        body.insert("act".to_owned(), actor.claim());
    }
    body
}

/// How an answer leaves, by what the client registered and nothing the request says (`security.md` UI-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealing {
    pub signed: Option<SigningAlg>,
    pub encrypted: Option<Encryption>,
}

impl Sealing {
    /// `None`: plain JSON.
    pub fn of(client: &Client) -> Option<Sealing> {
        let signed = client.answers.userinfo_signed_response_alg;
        let encrypted = client.answers.userinfo_encryption();
        (signed.is_some() || encrypted.is_some()).then_some(Sealing { signed, encrypted })
    }
}

/// OIDC Core §5.3.2: as a JWT it says who says it and to whom. It never has a `nonce` or an `exp`: it is no ID token.
pub fn stated(mut body: Map<String, Value>, client: &Client, issuer: &str) -> Map<String, Value> {
    body.insert("iss".to_owned(), issuer.into());
    body.insert("aud".to_owned(), client.id.as_str().into());
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::grant::Party;
    use crate::domain::level::AuthenticationLevel;
    use crate::domain::{AccountLevel, Factor};
    use crate::protocol::fixtures;

    #[test]
    fn rfc6750_2_ui_01_one_way_of_sending_a_token() {
        let none = Params::default();
        let token = Params::parse("access_token=b").unwrap();
        type Row<'a> = (&'a [&'a str], &'a Params, Option<&'a Params>, Result<Option<&'a str>, ()>);
        let rows: [Row<'_>; 18] = [
            (&[], &none, None, Ok(None)),
            (&[], &token, None, Ok(None)),
            (&[], &none, Some(&none), Ok(None)),
            (&[], &none, Some(&token), Ok(Some("b"))),
            (&["Bearer a"], &none, None, Ok(Some("a"))),
            (&["BEARER a"], &none, None, Ok(Some("a"))),
            (&["bearer  a "], &none, Some(&none), Ok(Some("a"))),
            (&["Basic YTpi"], &none, None, Ok(None)),
            (&["DPoP a"], &none, None, Ok(Some("dpop a"))),
            (&["Bearer a"], &none, Some(&token), Err(())),
            (&["Bearer a"], &token, None, Err(())),
            (&["Bearer a", "Bearer a"], &none, None, Err(())),
            (&["dPoP  a"], &none, None, Ok(Some("dpop a"))),
            (&["DPoP a"], &none, Some(&token), Err(())),
            (&["Bearer"], &none, None, Err(())),
            (&["Bearer "], &none, None, Err(())),
            (&["Bearer a b"], &none, None, Err(())),
            (&["Bearer \u{e9}"], &none, None, Err(())),
        ];
        for (headers, query, form, expected) in rows {
            let found = presented(headers, query, form);
            let text = |found: &Presented| match found.scheme {
                Scheme::Bearer => found.token.clone(),
                Scheme::Dpop => format!("dpop {}", found.token),
            };
            assert_eq!(
                found.as_ref().map(|found| found.as_ref().map(text)).map_err(|_| ()),
                expected.map(|expected| expected.map(str::to_owned)),
                "{headers:?} {query:?} {form:?}"
            );
            assert!(found.is_ok_and(|_| true) || expected.is_err());
        }
        let twice = Params::parse("access_token=a&access_token=b").unwrap();
        assert!(presented(&[], &none, Some(&twice)).is_err());
    }

    #[test]
    fn oidc_core_5_3_1_openid_and_a_holder_are_needed() {
        let grant = fixtures::grant("rp", "openid profile");
        assert!(admit(&grant, &grant.scope).is_ok());
        assert_eq!(admit(&grant, &["profile".to_owned()]).unwrap_err().code, ErrorCode::InsufficientScope);
        let own = Grant { party: Party::ClientItself, ..grant };
        assert_eq!(admit(&own, &["openid".to_owned()]).unwrap_err().code, ErrorCode::InvalidToken);
    }

    #[test]
    fn oidc_core_5_3_2_ui_08_golden_claims_of_a_signed_answer() {
        let mut client = fixtures::client("rp", "openid profile");
        assert_eq!(Sealing::of(&client), None);
        client.answers.userinfo_signed_response_alg = Some(SigningAlg::ES256);
        assert_eq!(Sealing::of(&client), Some(Sealing { signed: Some(SigningAlg::ES256), encrypted: None }));
        let told = json!({"sub": "s", "name": "An", "iss": "x", "aud": "x"});
        assert_eq!(
            Value::Object(stated(told.as_object().unwrap().clone(), &client, fixtures::ISSUER)),
            json!({"sub": "s", "name": "An", "iss": fixtures::ISSUER, "aud": "rp"})
        );
    }

    #[test]
    fn oidc_core_5_3_2_nothing_empty_and_sub_always() {
        let released = json!({"name": "An \"x\",\"acr\":\"2\"", "sub": "other", "address": {}, "email": " ", "email_verified": false});
        let levels = Levels { account: Some(AccountLevel::One), authentication: AuthenticationLevel::One };
        let holder = Authentication { sub: "s".to_owned(), ..fixtures::authentication(&[(Factor::Password, 900)]) };
        let body = body(&holder, released.as_object().unwrap(), Some(levels));
        assert_eq!(
            Value::Object(body),
            json!({"sub": "s", "name": "An \"x\",\"acr\":\"2\"", "email_verified": false, "vn_account_level": 1, "vn_auth_level": 1})
        );
    }
}

//! Resource indicators (RFC 8707): which servers a token is for. What one may name is arranged at registration; what a
//! token is for can only shrink from there.

use crate::domain::arrangement::TokenForm;
use crate::domain::relying_party::{ClientStatus, Registered, SigningAlg};
use crate::domain::{AccountLevel, Acr, AuthenticationLevel, Client};

use super::error::{Error, ErrorCode};
use super::params::Params;

/// More resources than any token is for.
const MOST: usize = 10;
/// As long as one is registered at most.
pub const LONGEST: usize = 512;

fn refused(told: &str) -> Error {
    Error::new(ErrorCode::InvalidTarget, "RFC 8707 §2", told)
}

/// The resources a request names, in its order and without repeats: the one parameter that may come more than once.
pub fn asked(params: &Params) -> Result<Vec<String>, Error> {
    let mut named: Vec<String> = Vec::new();
    for resource in params.all("resource").filter(|value| !value.is_empty()) {
        if resource.len() > LONGEST || resource.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(refused("resource is not a URI a server is registered for"));
        }
        if !named.iter().any(|known| known == resource) {
            named.push(resource.to_owned());
        }
    }
    if named.len() > MOST { Err(refused("resource is sent too often")) } else { Ok(named) }
}

/// Whether a client may name these: registered byte for byte, or ourselves, whose userinfo is open to every client.
pub fn permitted(resources: &[String], client: &Client, issuer: &str) -> Result<(), Error> {
    let may = |resource: &&String| *resource == issuer || client.resources.may_ask.contains(resource);
    match resources.iter().find(|resource| !may(resource)) {
        None => Ok(()),
        Some(_) => Err(refused("resource is not registered for this client")),
    }
}

/// RFC 8707 §2.2: of what was granted, what this request names; all of it where it names nothing.
pub fn within(granted: &[String], asked: Vec<String>) -> Result<Vec<String>, Error> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    if asked.iter().all(|resource| granted.contains(resource)) {
        return Ok(asked);
    }
    Err(refused("resource is not among those granted"))
}

/// The form of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    #[default]
    Opaque,
    Jwt(SigningAlg),
}

/// What the server of a resource takes. None that is live, or one that no longer answers for it, and nothing may be issued
/// for it (`security.md` RF-11).
pub fn form(resource: &str, server: Option<&Registered>) -> Result<Form, Error> {
    let arranged = server
        .filter(|server| server.status == ClientStatus::Live)
        .map(|server| &server.client.resources)
        .filter(|arranged| arranged.serves.iter().any(|served| served == resource));
    match arranged {
        None => Err(refused("resource has no server at present")),
        Some(arranged) if arranged.token_form == TokenForm::Jwt => {
            Ok(Form::Jwt(arranged.token_signed_alg.unwrap_or(SigningAlg::ES256)))
        }
        Some(_) => Ok(Form::Opaque),
    }
}

/// One token has one form. Where servers take different ones, the client asks for each on its own.
pub fn common(forms: &[Form]) -> Result<Form, Error> {
    match forms.split_first() {
        None => Ok(Form::Opaque),
        Some((first, rest)) if rest.iter().all(|form| form == first) => Ok(*first),
        Some(_) => Err(refused("resource must be named: those granted take tokens of different forms")),
    }
}

impl Form {
    /// `security.md` D4, N-03: a token verified without asking us outlives a lock, so none states level 2 on either axis. A
    /// server that needs level 2 gets an opaque token, and asks.
    pub fn at(self, acr: Option<Acr>) -> Form {
        let high =
            |acr: Acr| acr.account() == Some(AccountLevel::Two) || acr.authentication() >= AuthenticationLevel::Two;
        if acr.is_some_and(high) { Form::Opaque } else { self }
    }
}

/// What a token is for, and its form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub audience: Vec<String>,
    pub form: Form,
}

/// Whether a token opens what is ours: those for no resource in particular do, and those for us.
pub fn is_ours(audience: &[String], issuer: &str) -> bool {
    audience.is_empty() || audience.iter().any(|resource| resource == issuer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arrangement::Resources;
    use crate::protocol::fixtures::{self, ISSUER, words};

    fn code<T>(found: Result<T, Error>) -> Option<ErrorCode> {
        found.err().map(|error| error.code)
    }

    #[test]
    fn rfc8707_2_what_is_named() {
        let rows = [
            ("", Some("")),
            ("resource=", Some("")),
            ("resource=https://a&resource=https://b&resource=https://a", Some("https://a https://b")),
            ("resource=a%20b", None),
            ("resource=a%00", None),
            ("resource=%C3%A9", None),
        ];
        for (text, expected) in rows {
            let found = asked(&Params::parse(text).unwrap());
            assert_eq!(found.as_ref().ok(), expected.map(words).as_ref(), "{text}");
            assert!(found.is_ok() || code(found) == Some(ErrorCode::InvalidTarget));
        }
        let many = |n: usize| (0..n).map(|i| format!("resource=https://{i}")).collect::<Vec<_>>().join("&");
        assert!(asked(&Params::parse(&many(MOST)).unwrap()).is_ok());
        assert!(asked(&Params::parse(&many(MOST + 1)).unwrap()).is_err());
        assert!(asked(&Params::parse(&format!("resource={}", "a".repeat(LONGEST + 1))).unwrap()).is_err());
    }

    #[test]
    fn rfc8707_2_2_it_only_ever_shrinks() {
        let granted = words("https://a https://b");
        assert_eq!(within(&granted, vec![]), Ok(granted.clone()));
        assert_eq!(within(&granted, words("https://b")), Ok(words("https://b")));
        for wider in ["https://c", "https://a https://c", "https://a/", "HTTPS://a"] {
            assert_eq!(code(within(&granted, words(wider))), Some(ErrorCode::InvalidTarget), "{wider}");
        }
        assert_eq!(code(within(&[], words("https://a"))), Some(ErrorCode::InvalidTarget));

        let client = Client {
            resources: Resources { may_ask: words("https://a"), ..Resources::default() },
            ..fixtures::client("rp", "openid")
        };
        assert_eq!(permitted(&words("https://a https://id.gov.vn"), &client, ISSUER), Ok(()));
        assert_eq!(code(permitted(&words("https://a https://b"), &client, ISSUER)), Some(ErrorCode::InvalidTarget));
    }

    #[test]
    fn rf_11_only_a_live_server_of_the_resource_counts() {
        let server = |resources: Resources| {
            fixtures::registered(Client { resources, ..fixtures::client("api", "reports.read") })
        };
        let opaque = server(Resources { serves: words("https://a"), ..Resources::default() });
        let jwt = |alg| {
            server(Resources {
                serves: words("https://a"),
                token_form: TokenForm::Jwt,
                token_signed_alg: alg,
                ..Resources::default()
            })
        };
        assert_eq!(form("https://a", Some(&opaque)), Ok(Form::Opaque));
        assert_eq!(form("https://a", Some(&jwt(None))), Ok(Form::Jwt(SigningAlg::ES256)));
        assert_eq!(form("https://a", Some(&jwt(Some(SigningAlg::RS256)))), Ok(Form::Jwt(SigningAlg::RS256)));
        assert_eq!(code(form("https://b", Some(&opaque))), Some(ErrorCode::InvalidTarget));
        assert_eq!(code(form("https://a", None)), Some(ErrorCode::InvalidTarget));
        for status in [ClientStatus::Suspended, ClientStatus::Closed] {
            let gone = Registered { status, ..opaque.clone() };
            assert_eq!(code(form("https://a", Some(&gone))), Some(ErrorCode::InvalidTarget));
        }
        let jwt = Form::Jwt(SigningAlg::ES256);
        assert_eq!(common(&[]), Ok(Form::Opaque));
        assert_eq!(common(&[jwt, jwt]), Ok(jwt));
        assert_eq!(code(common(&[jwt, Form::Opaque])), Some(ErrorCode::InvalidTarget));
        assert_eq!(code(common(&[jwt, Form::Jwt(SigningAlg::RS256)])), Some(ErrorCode::InvalidTarget));
    }

    #[test]
    fn d4_n_03_a_token_that_nobody_asks_us_about_never_states_level_2() {
        let jwt = Form::Jwt(SigningAlg::ES256);
        for (acr, expected) in [
            (None, jwt),
            (Some(Acr::Muc1), jwt),
            (Some(Acr::XacThuc1), jwt),
            (Some(Acr::Muc2), Form::Opaque),
            (Some(Acr::XacThuc2), Form::Opaque),
        ] {
            assert_eq!(jwt.at(acr), expected, "{acr:?}");
            assert_eq!(Form::Opaque.at(acr), Form::Opaque);
        }
    }

    #[test]
    fn ui_02_only_tokens_for_us_open_what_is_ours() {
        for (audience, ours) in
            [("", true), (ISSUER, true), ("https://a https://id.gov.vn", true), ("https://a", false)]
        {
            assert_eq!(is_ours(&words(audience), ISSUER), ours, "{audience}");
        }
    }
}

//! How an answer leaves: as plain parameters, or as one signed JWT (JARM, JWT Secured Authorization Response Mode).

use serde_json::{Map, Value};

use crate::domain::relying_party::SigningAlg;
use crate::domain::request::ResponseMode;
use crate::domain::{Client, Id, Moment, Span};
use crate::protocol::error::Error;
use crate::protocol::profile;

use super::address::{Outgoing, with_query};

/// JARM §2.1: short; the code inside lives a minute.
const LIFE: Span = Span::seconds(120);

/// How an answer is signed, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    pub alg: SigningAlg,
    pub audience: Id<Client>,
}

impl Signing {
    /// JARM §3: what the client registered.
    pub fn of(client: &Client) -> Self {
        let registered = client.answers.authorization_signed_response_alg;
        Self { alg: registered.unwrap_or_else(|| profile::default_alg(client.profile)), audience: client.id.clone() }
    }
}

/// The mode of an answer. `pushed`: the request came by PAR, which opens the signed modes to a client that did not
/// register them (`contract.md` 4).
pub fn mode(asked: Option<&str>, client: &Client, pushed: bool) -> Result<ResponseMode, Error> {
    let refused = |told| Err(Error::invalid_request("OAuth Multiple Response Types §2.1", told));
    let signed_open = pushed || client.answers.authorization_signed_response_alg.is_some();
    let mode = match asked {
        None => return Ok(default(client)),
        Some("query") => ResponseMode::Query,
        Some("form_post") => ResponseMode::FormPost,
        // JARM §2.3.4: for a code, `jwt` is `query.jwt`.
        Some("jwt" | "query.jwt") if signed_open => ResponseMode::QueryJwt,
        Some("form_post.jwt") if signed_open => ResponseMode::FormPostJwt,
        Some("jwt" | "query.jwt" | "form_post.jwt") => {
            return refused("response_mode is not registered for this client");
        }
        // RFC 9700 §4.3.1: nothing in a fragment.
        Some(_) => return refused("response_mode is not supported"),
    };
    if profile::must_sign_answers(client) && !mode.is_signed() {
        return refused("response_mode must be a signed one for this client");
    }
    Ok(mode)
}

/// The mode where none was asked for, or none that will do.
pub fn default(client: &Client) -> ResponseMode {
    if profile::must_sign_answers(client) { ResponseMode::QueryJwt } else { ResponseMode::Query }
}

/// JARM §2.1: everything the plain answer would have said, and for whom and how long.
pub fn claims(outgoing: &Outgoing, signing: &Signing, now: Moment) -> Map<String, Value> {
    let mut claims: Map<String, Value> =
        outgoing.fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    claims.insert("aud".to_owned(), signing.audience.as_str().into());
    claims.insert("exp".to_owned(), (now + LIFE).unix().into());
    claims
}

/// JARM §2.3: the one parameter `response`, and nothing plain beside it.
pub fn carried(outgoing: &Outgoing, jwt: &str) -> Outgoing {
    if outgoing.mode.by_form() {
        let fields = vec![("response".to_owned(), jwt.to_owned())];
        return Outgoing { mode: ResponseMode::FormPost, uri: outgoing.uri.clone(), fields, signing: None };
    }
    let uri = with_query(&outgoing.uri, [("response", jwt)]);
    Outgoing { mode: ResponseMode::Query, uri, fields: Vec::new(), signing: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::relying_party::Profile;
    use crate::protocol::fixtures::{self, ISSUER, at};

    fn client(profile: Profile, registered: bool) -> Client {
        let mut client = Client { profile, ..fixtures::client("rp", "openid") };
        client.answers.authorization_signed_response_alg = registered.then_some(SigningAlg::PS256);
        client
    }

    #[test]
    fn jarm_2_3_az_07_who_gets_which_mode() {
        use ResponseMode::{FormPost, FormPostJwt, Query, QueryJwt};
        let (plain, signed) = (client(Profile::Oidc, false), client(Profile::Oidc, true));
        let strict = client(Profile::Fapi2MessageSigning, true);
        let rows: [(Option<&str>, &Client, bool, Option<ResponseMode>); 18] = [
            (None, &plain, false, Some(Query)),
            (Some("query"), &plain, false, Some(Query)),
            (Some("form_post"), &plain, false, Some(FormPost)),
            (Some("jwt"), &plain, false, None),
            (Some("query.jwt"), &plain, false, None),
            (Some("form_post.jwt"), &plain, false, None),
            (Some("jwt"), &plain, true, Some(QueryJwt)),
            (Some("form_post.jwt"), &plain, true, Some(FormPostJwt)),
            (Some("jwt"), &signed, false, Some(QueryJwt)),
            (Some("query.jwt"), &signed, false, Some(QueryJwt)),
            (Some("form_post"), &signed, false, Some(FormPost)),
            (None, &signed, true, Some(Query)),
            (Some("fragment"), &signed, true, None),
            (Some("fragment.jwt"), &signed, true, None),
            (None, &strict, true, Some(QueryJwt)),
            (Some("query"), &strict, true, None),
            (Some("form_post"), &strict, true, None),
            (Some("form_post.jwt"), &strict, true, Some(FormPostJwt)),
        ];
        for (asked, client, pushed, expected) in rows {
            assert_eq!(mode(asked, client, pushed).ok(), expected, "{asked:?} {:?} {pushed}", client.profile);
        }
    }

    #[test]
    fn jarm_2_1_one_parameter_and_nothing_plain_beside_it() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let signing = Signing::of(&client(Profile::Oidc, true));
        assert_eq!(signing.alg, SigningAlg::PS256);
        for (mode, plain) in
            [(ResponseMode::QueryJwt, ResponseMode::Query), (ResponseMode::FormPostJwt, ResponseMode::FormPost)]
        {
            let outgoing = Outgoing {
                mode,
                uri: "https://rp.gov.vn/cb?own=1".to_owned(),
                fields: vec![field("code", "c"), field("state", "st"), field("iss", ISSUER)],
                signing: Some(signing.clone()),
            };
            let claims = claims(&outgoing, &signing, at(1000));
            assert_eq!(
                Value::Object(claims),
                json!({"iss": ISSUER, "aud": "rp", "exp": 1120, "code": "c", "state": "st"})
            );
            let carried = carried(&outgoing, "a.b.c");
            assert_eq!(carried.mode, plain);
            if plain == ResponseMode::Query {
                assert_eq!(
                    (carried.uri.as_str(), carried.fields.len()),
                    ("https://rp.gov.vn/cb?own=1&response=a.b.c", 0)
                );
            } else {
                assert_eq!((carried.uri, carried.fields), (outgoing.uri, vec![field("response", "a.b.c")]));
            }
        }
    }

    #[test]
    fn jarm_3_the_algorithm_where_none_is_registered() {
        assert_eq!(Signing::of(&client(Profile::Oidc, false)).alg, SigningAlg::RS256);
        assert_eq!(Signing::of(&client(Profile::Fapi2, false)).alg, SigningAlg::ES256);
    }
}

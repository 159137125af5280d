use proptest::prelude::*;

use super::*;
use crate::domain::relying_party::{AuthMethod, PkcePolicy};
use crate::domain::secret::Stored;
use crate::domain::{Client, Id};
use crate::protocol::fixtures::{self, CHALLENGE, VERIFIER, at};

const URI: &str = "https://rp.gov.vn/cb";

fn issued() -> IssuedCode {
    IssuedCode {
        hash: Stored::of("code"),
        grant: Id::new("grant-1"),
        client: Id::new("rp"),
        redirect_uri: URI.to_owned(),
        code_challenge: Some(CHALLENGE.to_owned()),
        nonce: None,
        issued_at: at(1000),
        expires_at: at(1060),
        spent_at: None,
        failures: 0,
        dpop_jkt: None,
    }
}

fn rp() -> Client {
    fixtures::client("rp", "openid")
}

fn word(redemption: &Redemption) -> &'static str {
    match redemption {
        Redemption::Entitled => "entitled",
        Redemption::WrongVerifier(_) => "wrong verifier",
        Redemption::Replay(_) => "replay",
        Redemption::Refused(_) => "refused",
    }
}

fn judge(code: &IssuedCode, client: &Client, presented: (Option<&str>, Option<&str>), now: i64) -> Redemption {
    let grant = fixtures::grant("rp", "openid");
    let presented = Presented { redirect_uri: presented.0, code_verifier: presented.1, resources: &[] };
    redeem(code, &grant, &fixtures::authenticated(client), &presented, at(now))
}

#[test]
fn rfc6749_4_1_3_and_rfc7636_4_6_what_a_code_is_bound_to() {
    let good = (Some(URI), Some(VERIFIER));
    let other = fixtures::client("other", "openid");
    let wrong = "a".repeat(43);
    let spent = IssuedCode { spent_at: Some(at(1001)), ..issued() };
    let bare = IssuedCode { code_challenge: None, ..issued() };
    let failed = |failures| IssuedCode { failures, ..issued() };
    type Row<'a> = (&'a str, IssuedCode, Client, (Option<&'a str>, Option<&'a str>), i64, &'a str);
    let rows: Vec<Row<'_>> = vec![
        ("all right", issued(), rp(), good, 1001, "entitled"),
        ("tk_05 at 59 s", issued(), rp(), good, 1059, "entitled"),
        ("tk_05 at 60 s", issued(), rp(), good, 1060, "refused"),
        ("tk_05 at 61 s", issued(), rp(), good, 1061, "refused"),
        ("tk_04 another client", issued(), other.clone(), good, 1001, "refused"),
        ("redirect_uri missing", issued(), rp(), (None, Some(VERIFIER)), 1001, "refused"),
        ("redirect_uri longer", issued(), rp(), (Some("https://rp.gov.vn/cb/"), Some(VERIFIER)), 1001, "refused"),
        ("pk_04 no verifier", issued(), rp(), (Some(URI), None), 1001, "wrong verifier"),
        ("pk_05 wrong verifier", issued(), rp(), (Some(URI), Some(&wrong)), 1001, "wrong verifier"),
        ("plain instead of S256", issued(), rp(), (Some(URI), Some(CHALLENGE)), 1001, "wrong verifier"),
        ("pk_05 four failures", failed(4), rp(), good, 1001, "entitled"),
        ("pk_05 five failures end it", failed(5), rp(), good, 1001, "refused"),
        ("pk_07 verifier without a challenge", bare.clone(), rp(), good, 1001, "refused"),
        ("no challenge, no verifier", bare, rp(), (Some(URI), None), 1001, "entitled"),
        ("tk_01 d11 spent, same client, right verifier", spent.clone(), rp(), good, 1002, "replay"),
        ("d11 and after it expired", spent.clone(), rp(), good, 2000, "replay"),
        ("d11 wrong verifier", spent.clone(), rp(), (Some(URI), Some(&wrong)), 1002, "refused"),
        ("d11 no verifier", spent.clone(), rp(), (Some(URI), None), 1002, "refused"),
        ("d11 another client", spent, other, good, 1002, "refused"),
    ];
    for (name, code, client, presented, now, expected) in rows {
        let found = judge(&code, &client, presented, now);
        assert_eq!(word(&found), expected, "{name}");
        if let Redemption::WrongVerifier(error) | Redemption::Replay(error) | Redemption::Refused(error) = found {
            // Told alike, so that nothing can be learned by trying.
            assert_eq!(
                (error.code.as_str(), error.told.as_str()),
                ("invalid_grant", "the code is not valid"),
                "{name}"
            );
        }
    }
}

#[test]
fn rfc6749_5_2_the_grant_must_be_registered() {
    let client = Client { grant_types: vec![GrantType::ClientCredentials], ..rp() };
    let Redemption::Refused(error) = judge(&issued(), &client, (Some(URI), Some(VERIFIER)), 1001) else { panic!() };
    assert_eq!(error.code.as_str(), "unauthorized_client");
}

proptest! {
    #[test]
    fn every_mutation_of_a_bound_value_refuses(
        which in 0..5_usize,
        place in any::<usize>(),
        letter in "[A-Za-z0-9/._~-]",
        public in any::<bool>(),
        optional in any::<bool>(),
    ) {
        let mut client = rp();
        client.token_endpoint_auth_method = if public { AuthMethod::None } else { AuthMethod::ClientSecretBasic };
        client.pkce = if optional { PkcePolicy::Optional } else { PkcePolicy::Required };
        let change = |text: &str| {
            let mut chars: Vec<char> = text.chars().collect();
            let at = place % chars.len();
            chars[at] = letter.chars().next().unwrap();
            chars.into_iter().collect::<String>()
        };
        let (mut code, mut uri, mut verifier, mut now) = (issued(), URI.to_owned(), VERIFIER.to_owned(), 1030);
        match which {
            0 => code.client = Id::new(change("rp-0123456789")),
            1 => uri = change(URI),
            2 => verifier = change(VERIFIER),
            3 => code.grant = Id::new(change("grant-other")),
            _ => now = 1060 + i64::try_from(place % 100_000).unwrap(),
        }
        let untouched = uri == URI && verifier == VERIFIER && which != 0 && which != 3 && which != 4;
        let found = judge(&code, &client, (Some(&uri), Some(&verifier)), now);
        prop_assert_eq!(found == Redemption::Entitled, untouched, "{:?}", found);
    }
}

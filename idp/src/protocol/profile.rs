//! What a client's `vn_profile` demands of it and of what it sends (FAPI 2.0 Security Profile, FAPI 2.0 Message Signing).
//!
//! Every question is answered from the registration, and asked of the effective request: what is left out is refused like
//! what is wrong, so that nothing escapes a profile by omission.

use crate::domain::relying_party::{AssertionAudience, AuthMethod, PkcePolicy, Profile, SigningAlg};
use crate::domain::{Client, Span};

/// FAPI 2.0 SP §5.4.1: no RSASSA-PKCS1-v1_5.
const FAPI_ALGS: &[SigningAlg] = &[SigningAlg::ES256, SigningAlg::PS256, SigningAlg::EdDSA];

/// `security.md` D14: how far ahead an assertion may expire; an hour as libraries set it, and the clock difference.
const ASSERTION_LIFE: Span = Span::seconds(3610);
const FAPI_ASSERTION_LIFE: Span = Span::seconds(300);

/// FAPI 2.0 SP §5.3.2.2, RFC 9126 §6: only pushed requests.
pub fn must_push(client: &Client) -> bool {
    client.profile.is_fapi() || client.requests.require_pushed_authorization_requests
}

/// FAPI 2.0 MS §5.3.1, RFC 9101 §10.5: only signed request objects.
pub fn must_sign_requests(client: &Client) -> bool {
    client.profile == Profile::Fapi2MessageSigning || client.requests.require_signed_request_object
}

/// FAPI 2.0 MS §5.4: a client of that profile that registered for signed answers gets no others.
pub fn must_sign_answers(client: &Client) -> bool {
    client.profile == Profile::Fapi2MessageSigning && client.answers.authorization_signed_response_alg.is_some()
}

/// RFC 9700 §2.1.1, FAPI 2.0 SP §5.3.2.2: whether a request without `code_challenge` is refused.
pub fn must_prove_key(client: &Client) -> bool {
    client.is_public() || client.profile.is_fapi() || client.pkce == PkcePolicy::Required
}

/// FAPI 2.0 SP §5.3.2.1: whether every access token of this client is bound to a key it proves.
pub fn demands_bound_tokens(client: &Client) -> bool {
    let binding = &client.binding;
    client.profile.is_fapi() || binding.dpop_bound_access_tokens || binding.tls_client_certificate_bound_access_tokens
}

/// FAPI 2.0 SP §5.3.2.1: a client of the profile authenticates with a key, never with a secret.
pub fn may_authenticate_by(profile: Profile, method: AuthMethod) -> bool {
    match method {
        AuthMethod::PrivateKeyJwt | AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth => true,
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::None => !profile.is_fapi(),
    }
}

/// What a client of the profile may sign with, and be answered with.
pub fn signing_algs(profile: Profile) -> &'static [SigningAlg] {
    if profile.is_fapi() { FAPI_ALGS } else { &SigningAlg::ALL }
}

/// OIDC Registration §2 and JARM §3 say RS256 where nothing is registered, which FAPI 2.0 SP §5.4.1 forbids.
pub fn default_alg(profile: Profile) -> SigningAlg {
    if profile.is_fapi() { SigningAlg::ES256 } else { SigningAlg::RS256 }
}

/// How far ahead an assertion of this client may expire.
pub fn longest_assertion_life(client: &Client) -> Span {
    if client.profile.is_fapi() { FAPI_ASSERTION_LIFE } else { ASSERTION_LIFE }
}

/// FAPI 2.0 SP §5.3.2.1: the issuer as one plain string, whatever else is registered.
pub fn takes_token_endpoint_as_audience(client: &Client) -> bool {
    !client.profile.is_fapi() && client.assertion_audience == AssertionAudience::TokenEndpoint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures;

    fn of(profile: Profile) -> Client {
        Client {
            profile,
            pkce: PkcePolicy::Optional,
            assertion_audience: AssertionAudience::TokenEndpoint,
            ..fixtures::client("rp", "openid")
        }
    }

    #[test]
    fn fapi2_sp_5_3_2_what_each_profile_demands() {
        // Profile, then: pushed, signed request, PKCE, bound tokens, secrets allowed, token endpoint as audience.
        let rows = [
            (Profile::Oidc, [false, false, false, false, true, true]),
            (Profile::Fapi2, [true, false, true, true, false, false]),
            (Profile::Fapi2MessageSigning, [true, true, true, true, false, false]),
        ];
        for (profile, expected) in rows {
            let client = of(profile);
            let found = [
                must_push(&client),
                must_sign_requests(&client),
                must_prove_key(&client),
                demands_bound_tokens(&client),
                may_authenticate_by(profile, AuthMethod::ClientSecretBasic),
                takes_token_endpoint_as_audience(&client),
            ];
            assert_eq!(found, expected, "{profile:?}");
            assert!(may_authenticate_by(profile, AuthMethod::PrivateKeyJwt));
            assert_eq!(may_authenticate_by(profile, AuthMethod::None), !profile.is_fapi());
            assert_eq!(signing_algs(profile).contains(&SigningAlg::RS256), !profile.is_fapi());
            assert!(signing_algs(profile).contains(&default_alg(profile)));
        }
    }

    #[test]
    fn rfc9126_6_rfc9101_10_5_a_client_may_ask_for_as_much_by_itself() {
        let mut client = of(Profile::Oidc);
        client.requests.require_pushed_authorization_requests = true;
        client.requests.require_signed_request_object = true;
        client.binding.dpop_bound_access_tokens = true;
        assert!(must_push(&client) && must_sign_requests(&client) && demands_bound_tokens(&client));
        assert_eq!(longest_assertion_life(&client), Span::seconds(3610));
        assert_eq!(longest_assertion_life(&of(Profile::Fapi2)), Span::seconds(300));
    }

    #[test]
    fn fapi2_ms_5_4_signed_answers_once_registered() {
        for (profile, registered, expected) in [
            (Profile::Fapi2MessageSigning, true, true),
            (Profile::Fapi2MessageSigning, false, false),
            (Profile::Fapi2, true, false),
            (Profile::Oidc, true, false),
        ] {
            let mut client = of(profile);
            client.answers.authorization_signed_response_alg = registered.then_some(SigningAlg::ES256);
            assert_eq!(must_sign_answers(&client), expected, "{profile:?} {registered}");
        }
    }
}

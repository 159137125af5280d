//! The `openidconnect` crate, unmodified, as relying party: each way of authentication and each signature it knows. Pushed
//! requests, DPoP and client certificates it does not know; the FAPI profiles are tried by other libraries.

use admin::web::relying_party::{Outbound, verified};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreJwsSigningAlgorithm as Alg,
    CoreRevocableToken,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyAdditionalClaims,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, IntrospectionUrl, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl,
    RevocationUrl, Scope, SubjectIdentifier, TokenIntrospectionResponse, TokenResponse, UserInfoClaims,
};
use serde_json::{Value, json};

use crate::support::flow::Will;
use crate::support::holder::Holder;
use crate::support::relying_party::{Proof, RelyingParty, merge};
use crate::support::sandbox::Sandbox;
use crate::support::wire::Visitor;

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A relying party on the crate, and the person in front of it.
struct Bench {
    idp: &'static Sandbox,
    registered: RelyingParty,
    metadata: ProviderMetadataWithLogout,
    client: Client,
    out: Outbound,
    visitor: Visitor,
    holder: Holder,
}

/// What one sign-in brought.
struct SignedIn {
    nonce: Nonce,
    id_token: CoreIdToken,
    access: AccessToken,
    refresh: openidconnect::RefreshToken,
}

impl Bench {
    async fn new(method: &str, signing: &str, patch: Value) -> Bench {
        let idp = Sandbox::shared();
        let mut all = json!({"token_endpoint_auth_method": method, "id_token_signed_response_alg": signing});
        merge(&mut all, patch);
        let (registered, out) = (idp.client(all), Outbound::new(None).unwrap());
        let issuer = IssuerUrl::new(idp.issuer.clone()).unwrap();
        let send = |request: HttpRequest| out.send(request);
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &send).await.unwrap();
        let secret = match &registered.proof {
            Proof::Basic(secret) | Proof::Post(secret) => Some(ClientSecret::new(secret.clone())),
            _ => None,
        };
        let id = ClientId::new(registered.id.clone());
        let auth = if method == "client_secret_basic" { AuthType::BasicAuth } else { AuthType::RequestBody };
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret)
            .set_redirect_uri(RedirectUrl::new(registered.redirect.clone()).unwrap())
            .set_introspection_url(IntrospectionUrl::new(format!("{}/introspect", idp.issuer)).unwrap())
            .set_revocation_url(RevocationUrl::new(format!("{}/revoke", idp.issuer)).unwrap())
            .set_auth_type(auth);
        Bench { idp, registered, metadata, client, out, visitor: idp.visitor(), holder: idp.citizen() }
    }

    /// The crate knows no `private_key_jwt`; its callers add the assertion.
    fn assertion(&self) -> Vec<(&'static str, String)> {
        match self.registered.proof {
            Proof::Assertion(_) => vec![
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
                ("client_assertion", self.registered.assertion(json!({}))),
            ],
            _ => Vec::new(),
        }
    }

    async fn sign_in(&self) -> SignedIn {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = ["profile", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
        let (url, state, nonce) = self
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let first = self.visitor.open(url.as_str()).await;
        let end = self.idp.walk(&self.visitor, first, &self.holder, Will::AllowAll).await;
        let answer = end.returned().unwrap();
        assert_eq!(answer.get("state"), Some(state.secret().as_str()));
        let code = AuthorizationCode::new(answer.code());
        let mut request = self.client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
        for (name, value) in self.assertion() {
            request = request.add_extra_param(name, value);
        }
        let tokens = request.request_async(&|request| self.out.send(request)).await.unwrap();
        SignedIn {
            nonce,
            id_token: tokens.id_token().unwrap().clone(),
            access: tokens.access_token().clone(),
            refresh: tokens.refresh_token().unwrap().clone(),
        }
    }

    /// The subject of an ID token the crate believes, when it takes no other algorithm than this one.
    fn subject(&self, signed_in: &SignedIn, alg: Alg) -> Option<SubjectIdentifier> {
        let verifier = self.client.id_token_verifier().set_allowed_algs([alg]);
        let claims = verified(&signed_in.id_token, &verifier, &signed_in.nonce, &signed_in.access).ok()?;
        Some(claims.subject().clone())
    }

    async fn name(&self, token: &AccessToken, subject: SubjectIdentifier, signed: bool) -> Option<String> {
        let send = |request: HttpRequest| self.out.send(request);
        let request = self.client.user_info(token.clone(), Some(subject)).unwrap().require_signed_response(signed);
        let told: UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim> = request.request_async(&send).await.ok()?;
        told.name().and_then(|name| name.get(None)).map(|name| name.to_string())
    }

    async fn refreshed(&self, token: &openidconnect::RefreshToken) -> Option<AccessToken> {
        let mut request = self.client.exchange_refresh_token(token).unwrap();
        for (name, value) in self.assertion() {
            request = request.add_extra_param(name, value);
        }
        let tokens = request.request_async(&|request| self.out.send(request)).await.ok()?;
        Some(tokens.access_token().clone())
    }

    async fn is_active(&self, token: &AccessToken) -> bool {
        let mut request = self.client.introspect(token);
        for (name, value) in self.assertion() {
            request = request.add_extra_param(name, value);
        }
        request.request_async(&|request| self.out.send(request)).await.unwrap().active()
    }

    async fn revoke(&self, token: &openidconnect::RefreshToken) {
        // Plain HTTP on this machine: the crate revokes by https only, so the request it would make is made here.
        let refused = self.client.revoke_token(CoreRevocableToken::from(token.clone()));
        assert!(refused.is_err(), "control: the crate still insists on https");
        let answer = self.registered.call("/revoke", &[("token", token.secret())]).await;
        assert_eq!(answer.status, 200);
    }

    /// RP-initiated logout as the crate writes it: where the visitor ends.
    async fn sign_out(&self, id_token: &CoreIdToken) -> String {
        let endpoint = self.metadata.additional_metadata().end_session_endpoint.clone().unwrap();
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(id_token)
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new("https://rp.gov.vn/bye".to_owned()).unwrap())
            .set_state(CsrfToken::new("done".to_owned()));
        let answer = self.visitor.open(request.http_get_url().as_str()).await;
        answer.location().unwrap().to_string()
    }
}

/// Signed userinfo is taken by RS256 only: the crate lets nobody choose another algorithm for it.
async fn whole_life(method: &str, (name, alg): (&str, Alg), other: Alg, userinfo: Option<&str>) {
    let patch = userinfo.map_or(json!({}), |alg| json!({"userinfo_signed_response_alg": alg}));
    let bench = Bench::new(method, name, patch).await;
    let signed_in = bench.sign_in().await;
    assert_eq!(bench.subject(&signed_in, other), None, "{name}: another algorithm is not believed");
    let subject = bench.subject(&signed_in, alg).unwrap_or_else(|| panic!("{name}: not believed"));
    let signed = userinfo.is_some();
    let told = bench.name(&signed_in.access, subject.clone(), signed).await;
    assert_eq!(told.as_deref(), Some(bench.holder.name.as_str()), "{name}, userinfo by {userinfo:?}");
    if !signed {
        assert_eq!(bench.name(&signed_in.access, subject.clone(), true).await, None, "control: it was not signed");
    }
    let stranger = SubjectIdentifier::new("another".to_owned());
    assert_eq!(bench.name(&signed_in.access, stranger, signed).await, None, "control: sub is compared");

    let later = bench.refreshed(&signed_in.refresh).await.unwrap();
    assert_eq!(bench.name(&later, subject, signed).await.as_deref(), Some(bench.holder.name.as_str()));
    if method != "none" {
        assert!(bench.is_active(&later).await);
    }
    let again = bench.sign_in().await;
    bench.revoke(&again.refresh).await;
    assert!(bench.refreshed(&again.refresh).await.is_none());
    assert_eq!(bench.sign_out(&again.id_token).await, "https://rp.gov.vn/bye?state=done");
}

#[tokio::test]
async fn es256_and_the_secret_in_the_header() {
    whole_life("client_secret_basic", ("ES256", Alg::EcdsaP256Sha256), Alg::RsaSsaPkcs1V15Sha256, None).await;
}

#[tokio::test]
async fn rs256_and_the_secret_in_the_body() {
    whole_life("client_secret_post", ("RS256", Alg::RsaSsaPkcs1V15Sha256), Alg::RsaSsaPssSha256, Some("RS256")).await;
}

#[tokio::test]
async fn ps256_and_an_assertion() {
    whole_life("private_key_jwt", ("PS256", Alg::RsaSsaPssSha256), Alg::RsaSsaPkcs1V15Sha256, Some("RS256")).await;
}

#[tokio::test]
async fn eddsa_and_no_secret() {
    whole_life("none", ("EdDSA", Alg::EdDsa), Alg::EcdsaP256Sha256, Some("RS256")).await;
}

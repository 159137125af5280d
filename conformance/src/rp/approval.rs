//! What a citizen approved (RFC 9396): a portal acts on it only after asking the provider, and asking spends it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AccessToken, AdditionalProviderMetadata, HttpRequest, LogoutProviderMetadata, ProviderMetadata};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{Failure, Provider, RelyingParty};

/// What the crate does not read of a provider's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Introspecting {
    introspection_endpoint: Option<String>,
}

impl AdditionalProviderMetadata for Introspecting {}

pub(super) type Metadata = ProviderMetadata<
    LogoutProviderMetadata<Introspecting>,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// One attempt a token: where the answer is lost, the same question is answered again.
const ATTEMPT: &str = "1";

impl RelyingParty {
    /// The transaction a token carries, spent by this very question (RFC 7662, RFC 9396 §9.2).
    pub(super) async fn spend(&self, provider: &Provider, token: &AccessToken) -> Result<Value, Failure> {
        let broken = |why: &str| Failure::Provider(format!("introspection: {why}"));
        let endpoint = provider.metadata.additional_metadata().additional_metadata.introspection_endpoint.as_deref();
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let (id, secret) = (&self.registration.client_id, &self.registration.client_secret);
        let basic = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        let fields = [("token", token.secret().as_str()), ("vn_attempt", ATTEMPT)];
        let body = Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        let mut request = HttpRequest::new(body);
        *request.method_mut() = openidconnect::http::Method::POST;
        *request.uri_mut() =
            endpoint.and_then(|uri| uri.parse().ok()).ok_or_else(|| broken("the provider names no endpoint"))?;
        for (name, value) in [
            ("authorization", format!("Basic {basic}")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ] {
            let value = value.parse().map_err(|_| broken("the credentials do not fit a header"))?;
            request.headers_mut().insert(name, value);
        }
        let response = self.outbound.send(request).await.map_err(|error| broken(&error.to_string()))?;
        let told: Value = serde_json::from_slice(response.body()).map_err(|error| broken(&error.to_string()))?;
        if told.get("active") != Some(&Value::Bool(true)) {
            return Err(Failure::Untrusted("authorization_details"));
        }
        told.get("authorization_details").cloned().ok_or(Failure::Untrusted("authorization_details"))
    }
}

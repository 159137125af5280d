//! Things tests are made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::circumstances::Circumstances;
use crate::domain::claim::ClaimName;
use crate::domain::consent::{Bilingual, Consent, Purpose};
use crate::domain::eid::{ElectronicId, Grounds};
use crate::domain::grant::{Authentication, Grant, Party};
use crate::domain::level::Acr;
use crate::domain::relying_party::{
    AssertionAudience, AuthMethod, ClientStatus, GrantType, LegalBasis, PkcePolicy, Profile, Registered, SigningAlg,
    SubjectType,
};
use crate::domain::request::{AuthorizationRequest, ClaimsRequest, ResponseMode};
use crate::domain::secret::{ClientSecret, Stored};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::standing::{Actor, Asking, Refusal, Standing, Subject, may_act};
use crate::domain::{Account, AccountLevel, AccountState, Client, Factor, Holder, Id, Moment};

pub const ISSUER: &str = "https://id.gov.vn";
pub const SECRET: &str = "a-secret-of-enough-characters";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub fn at(seconds: i64) -> Moment {
    Moment::from_unix(seconds)
}

pub fn claim(name: &str) -> ClaimName {
    ClaimName::find(name).unwrap()
}

pub fn claims(names: &str) -> BTreeSet<ClaimName> {
    names.split_whitespace().map(claim).collect()
}

pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub fn purpose(id: &str, claims: &str, required: &str) -> Purpose {
    Purpose {
        id: id.to_owned(),
        title: Bilingual { vi: id.to_owned(), en: id.to_owned() },
        claims: claims.split_whitespace().map(claim).collect(),
        required: required.split_whitespace().map(claim).collect(),
        sensitive_reason: None,
    }
}

/// A confidential client with one purpose over its scopes' claims.
pub fn client(id: &str, scope: &str) -> Client {
    let of_scopes: Vec<ClaimName> = scope.split_whitespace().flat_map(ClaimName::of_scope).collect();
    let mut whole = purpose("default", "", "");
    whole.claims = of_scopes;
    let name = Bilingual { vi: id.to_owned(), en: id.to_owned() };
    Client {
        id: Id::new(id),
        client_name: name.clone(),
        redirect_uris: vec!["https://rp.gov.vn/cb".to_owned()],
        post_logout_redirect_uris: vec!["https://rp.gov.vn/bye".to_owned()],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        jwks: None,
        scope: words(scope),
        id_token_signed_response_alg: SigningAlg::RS256,
        subject_type: SubjectType::Pairwise,
        default_acr_values: vec![],
        default_max_age: None,
        logo_uri: None,
        client_uri: None,
        policy_uri: None,
        tos_uri: None,
        contacts: vec![],
        relying_party: name,
        min_account_level: None,
        min_auth_level: None,
        acr_demand: false,
        legal_basis: LegalBasis::Consent,
        purposes: if whole.claims.is_empty() { vec![] } else { vec![whole] },
        services: vec![],
        security_level: None,
        profile: Profile::Oidc,
        assertion_audience: AssertionAudience::Issuer,
        sector: "rp.gov.vn".to_owned(),
        sso: true,
        holders: crate::domain::relying_party::persons(),
        pkce: PkcePolicy::Required,
        jwks_uri: None,
        initiate_login_uri: None,
        application: Default::default(),
        requests: Default::default(),
        answers: Default::default(),
        binding: Default::default(),
        logout: Default::default(),
        resources: Default::default(),
    }
}

pub fn registered(client: Client) -> Registered {
    let secret = Some(Stored::<ClientSecret>::of(SECRET));
    Registered { client: Arc::new(client), status: ClientStatus::Live, secret, version: 1 }
}

pub fn request(client: &Client, scope: &str) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: "https://rp.gov.vn/cb".to_owned(),
        response_mode: ResponseMode::Query,
        state: Some("st".to_owned()),
        nonce: Some("n".to_owned()),
        scope: words(scope),
        code_challenge: Some(CHALLENGE.to_owned()),
        prompt: vec![],
        max_age: None,
        acr_values: vec![],
        claims: ClaimsRequest::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        expected: None,
        ui_locales: vec![],
        dpop_jkt: None,
        asked_at: at(1000),
        pushed: None,
    }
}

pub fn acquaintance(proofs: &[(Factor, i64)]) -> Acquaintance {
    proofs.iter().fold(Acquaintance::default(), |known, (factor, when)| known.with(*factor, at(*when)))
}

pub fn account(level: Option<AccountLevel>) -> Account {
    Account {
        id: Id::new("account-1"),
        holder: if level.is_some() { Holder::Citizen } else { Holder::Organisation },
        level,
        state: AccountState::Activated,
        eid: (level == Some(AccountLevel::Two)).then(|| ElectronicId::new(at(0), [], 1)),
        own_locks: Grounds::default(),
        card_expires: None,
        guardian: None,
        circumstances: Circumstances::default(),
        has_phone: true,
        has_password: true,
        has_totp: false,
        passkey: None,
        doubts: Default::default(),
        has_app: false,
    }
}

pub fn session(proofs: &[(Factor, i64)]) -> Session {
    Session {
        id: Id::new("session-1"),
        acting: None,
        account: Id::new("account-1"),
        acquaintance: acquaintance(proofs),
        opened_at: at(0),
        seen_at: at(0),
        ended_at: None,
    }
}

pub fn standing(account: &Account, now: Moment) -> Result<Standing, Refusal> {
    // An organisation acts through a person only.
    let person = Account { id: Id::new("person-1"), ..self::account(Some(AccountLevel::Two)) };
    let actor = (account.holder == Holder::Organisation).then_some(Actor { account: Some(&person), represents: true });
    may_act(Asking { client: None, subject: Subject::Holder(account), actor, grant: None, session: None }, now)
}

pub fn authentication(proofs: &[(Factor, i64)]) -> Authentication {
    let acquaintance = acquaintance(proofs);
    Authentication {
        account: Id::new("account-1"),
        actor: None,
        sub: "sub-1".to_owned(),
        session: Id::new("session-1"),
        sid: "sid-1".to_owned(),
        auth_time: acquaintance.last().unwrap(),
        acr: Acr::Muc1,
        acquaintance,
    }
}

pub fn grant(client: &str, scope: &str) -> Grant {
    Grant {
        id: Id::new("grant-1"),
        client: Id::new(client),
        party: Party::Holder(authentication(&[(Factor::Password, 900)])),
        scope: words(scope),
        claims: ClaimsRequest::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        offline: false,
        opened_at: at(1000),
        revoked_at: None,
    }
}

pub fn consent(client: &str, purpose: &str, asked: &str, granted: &str) -> Consent {
    Consent {
        id: Id::new(format!("consent-{purpose}")),
        account: Id::new("account-1"),
        client: Id::new(client),
        purpose: purpose.to_owned(),
        asked: claims(asked),
        granted: claims(granted),
        decided_at: at(500),
    }
}

/// The client after it proved itself in its registered way.
pub fn authenticated(client: &Client) -> super::token::Authenticated {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let registered = registered(client.clone());
    let claims = serde_json::json!({
        "iss": client.id, "sub": client.id, "aud": ISSUER, "exp": 1060, "jti": "fixture",
    });
    let claims = claims.as_object().unwrap();
    let (header, payload) = (serde_json::Map::new(), serde_json::to_string(claims).unwrap());
    let assertion = super::token::client_auth::VerifiedAssertion { header: &header, claims };
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{SECRET}", client.id));
    let (body, header) = match client.token_endpoint_auth_method {
        AuthMethod::None => (format!("client_id={}", client.id), None),
        AuthMethod::PrivateKeyJwt => (
            format!(
                "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=e30.{}.c2ln",
                URL_SAFE_NO_PAD.encode(payload)
            ),
            None,
        ),
        AuthMethod::ClientSecretPost => (format!("client_id={}&client_secret={SECRET}", client.id), None),
        _ => (String::new(), Some(format!("Basic {basic}"))),
    };
    let params = super::Params::parse(&body).unwrap();
    let credentials = super::token::credentials(&params, header.as_deref()).unwrap();
    let verified = super::token::client_auth::Verified { assertion: Some(&assertion), keys: &[] };
    super::token::prove(&credentials, Some(&registered), &verified, ISSUER, at(1000)).unwrap()
}

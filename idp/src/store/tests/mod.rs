//! Every function of the store on a fresh SQLite file, and on PostgreSQL where `IDP_TEST_DATABASE` names one.
//!
//! Owns the fixtures the test modules share; knows nothing outside this room.

mod app;
mod clients;
mod engine;
mod enrolments;
mod factors;
mod grants;
mod held;
mod people;
mod pushed;
mod races;
mod refresh_cost;
mod refused;
mod sessions;
mod standing;
mod transactions;
mod used;

use std::future::Future;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::account::Import;
use super::{Db, Migrate, Settings, Store, account, client};
use crate::domain::account::{Account, AccountState, Holder};
use crate::domain::circumstances::Circumstances;
use crate::domain::consent::Bilingual;
use crate::domain::eid::{ElectronicId, Grounds, LockGround};
use crate::domain::grant::{Authentication, Grant, IssuedCode, Party};
use crate::domain::relying_party::{
    AssertionAudience, AuthMethod, GrantType, LegalBasis, PkcePolicy, Profile, SigningAlg, SubjectType,
};
use crate::domain::secret::{BlindIndex, Sealed, Stored, minted_before};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::{AccountLevel, Acr, Client, Factor, Fault, Id, Moment};

/// A store of its own on one database, gone with it.
struct Fresh {
    store: Store,
    settings: Settings,
    _directory: Option<tempfile::TempDir>,
}

fn settings(url: String) -> Settings {
    Settings { url, migrate: Migrate::Auto, pool: 4 }
}

fn sqlite() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(format!("sqlite:{}/idp.db", directory.path().display()));
    Fresh { store: Store::open(&settings).unwrap(), settings, _directory: Some(directory) }
}

/// A URL whose connections live in a schema nobody else uses.
pub fn fresh_schema() -> Option<String> {
    let base = std::env::var("IDP_TEST_DATABASE").ok()?;
    let schema = format!("t_{}", uuid::Uuid::now_v7().simple());
    let mut link = PgConnection::establish(&base).unwrap();
    link.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
    let mut url = url::Url::parse(&base).unwrap();
    url.query_pairs_mut().append_pair("options", &format!("-csearch_path={schema}"));
    Some(url.into())
}

fn postgres() -> Option<Fresh> {
    let settings = settings(fresh_schema()?);
    Some(Fresh { store: Store::open(&settings).unwrap(), settings, _directory: None })
}

/// Runs a test once per database.
async fn each<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let fresh = sqlite();
    test(fresh.store.clone()).await;
    if let Some(fresh) = postgres() {
        test(fresh.store.clone()).await;
    }
}

/// The common case: one transaction that does and checks everything.
async fn within(test: impl Fn(&mut Db) -> Result<(), Fault> + Copy + Send + 'static) {
    each(|store| async move { store.transact(test).await.unwrap() }).await;
}

fn t(seconds: i64) -> Moment {
    Moment::from_unix(seconds)
}

/// A value of a dated class, minted then.
fn minted(name: &str, at: Moment) -> String {
    format!("{}{name}", minted_before(at))
}

fn citizen(number: u32) -> Import {
    let id = Id::new(format!("account-{number}"));
    Import {
        account: Account {
            id,
            holder: Holder::Citizen,
            level: Some(AccountLevel::Two),
            state: AccountState::Activated,
            eid: Some(ElectronicId::new(t(100), [], 0)),
            own_locks: Grounds::default(),
            card_expires: Some(t(9_000)),
            guardian: None,
            circumstances: Circumstances::default(),
            has_phone: true,
            has_password: true,
            has_totp: false,
            passkey: None,
            doubts: Default::default(),
            has_app: false,
        },
        person_index: BlindIndex::from_text(format!("index-{number}")),
        person: Sealed::from_text(format!("sealed-{number}")),
        password_hash: Some("$argon2id$".to_owned()),
        phone: Some(Sealed::from_text("sealed-phone".to_owned())),
        phone_index: Some(BlindIndex::from_text("phone-index".to_owned())),
        at: t(1_000),
    }
}

fn locked(number: u32, grounds: &[LockGround]) -> Import {
    let mut import = citizen(number);
    import.account.eid = Some(ElectronicId::new(t(100), grounds.iter().copied(), 0));
    import
}

fn portal(id: &str) -> Client {
    let name = Bilingual { vi: "Cổng".to_owned(), en: "Portal".to_owned() };
    Client {
        id: Id::new(id),
        client_name: name.clone(),
        redirect_uris: vec!["https://portal.example/cb".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode],
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        jwks: None,
        scope: vec!["openid".to_owned()],
        id_token_signed_response_alg: SigningAlg::ES256,
        subject_type: SubjectType::Pairwise,
        default_acr_values: Vec::new(),
        default_max_age: None,
        logo_uri: None,
        client_uri: None,
        policy_uri: None,
        tos_uri: None,
        contacts: Vec::new(),
        relying_party: name,
        min_account_level: None,
        min_auth_level: None,
        acr_demand: false,
        legal_basis: LegalBasis::Consent,
        purposes: Vec::new(),
        services: Vec::new(),
        security_level: None,
        profile: Profile::Oidc,
        assertion_audience: AssertionAudience::Issuer,
        sector: "portal.example".to_owned(),
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

fn session(id: &str, account: &str) -> Session {
    Session {
        id: Id::new(id),
        acting: None,
        account: Id::new(account),
        acquaintance: Acquaintance::default().with(Factor::Password, t(1_000)),
        opened_at: t(1_000),
        seen_at: t(1_000),
        ended_at: None,
    }
}

fn grant(id: &str, account: &str, session: &str) -> Grant {
    Grant {
        id: Id::new(id),
        client: Id::new("portal"),
        party: Party::Holder(Authentication {
            account: Id::new(account),
            actor: None,
            sub: "sub".to_owned(),
            session: Id::new(session),
            sid: "sid".to_owned(),
            auth_time: t(1_000),
            acr: Acr::Muc2,
            acquaintance: Acquaintance::default().with(Factor::Password, t(1_000)).with(Factor::SmsOtp, t(1_001)),
        }),
        scope: vec!["openid".to_owned(), "profile".to_owned()],
        claims: Default::default(),
        service: None,
        resources: vec!["https://api.example".to_owned(), "https://b.example".to_owned()],
        transaction: None,
        offline: false,
        opened_at: t(1_000),
        revoked_at: None,
    }
}

fn code(text: &str, grant: &str) -> IssuedCode {
    IssuedCode {
        hash: Stored::of(text),
        grant: Id::new(grant),
        client: Id::new("portal"),
        redirect_uri: "https://portal.example/cb".to_owned(),
        code_challenge: Some("challenge".to_owned()),
        nonce: None,
        issued_at: t(1_000),
        expires_at: t(1_060),
        spent_at: None,
        failures: 0,
        dpop_jkt: Some("key".to_owned()),
    }
}

/// Two accounts and one client, which most rows hang on.
fn seed(db: &mut Db) -> Result<(), Fault> {
    account::put(db, &citizen(1))?;
    account::put(db, &citizen(2))?;
    client::put(db, &portal("portal"), None, t(1_000))
}

//! What a push leaves behind, on a fresh SQLite file each.

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::relying_party::ClientStatus;
use crate::domain::{Id, Moment};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

async fn bench(quota: u64) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("https://id.gov.vn", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.limits.pushed_requests_per_client = quota;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    for id in ["rp", "other"] {
        let file = json!({"client_id": id, "redirect_uris": ["https://rp.gov.vn/cb"],
            "token_endpoint_auth_method": "client_secret_post", "client_secret": "a-secret-long-enough"});
        super::super::client::put(&file.to_string(), &idp).await.unwrap();
    }
    Bench { idp, clock, _directory: directory }
}

impl Bench {
    async fn push(&self, client: &str, more: &str) -> Pushed {
        push(&Self::params(client, more), &Call::default(), &self.idp).await.unwrap()
    }

    fn params(client: &str, more: &str) -> Params {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let text = format!(
            "client_id={client}&client_secret=a-secret-long-enough&response_type=code&redirect_uri=https://rp.gov.vn/cb\
             &code_challenge={challenge}&code_challenge_method=S256{more}"
        );
        Params::parse(&text).unwrap()
    }

    async fn remembered(&self) -> i64 {
        self.idp.store.read(store::trail::count).await.unwrap()
    }

    async fn taken(&self, request_uri: &str) -> bool {
        let text = format!("request_uri={request_uri}");
        let params = Params::parse(&text).unwrap();
        let reference = par::reference(&params).unwrap().unwrap();
        let client = self.idp.store.read(|db| store::client::find(db, &Id::new("rp"))).await.unwrap();
        take_up(reference, &client.unwrap().client, &self.idp).await.unwrap().is_ok()
    }
}

#[tokio::test]
async fn a_refusal_is_remembered_once_and_changes_nothing_else() {
    let bench = bench(100).await;
    let before = bench.remembered().await;
    for (more, code) in [
        ("&scope=unknown", "invalid_scope"),
        ("&scope=openid&request_uri=urn:ietf:params:oauth:request_uri:x", "invalid_request"),
        ("&scope=openid&request=a.b.c", "request_not_supported"),
        ("&scope=openid&redirect_uri=https://rp.gov.vn/cb", "invalid_request"),
    ] {
        let already = bench.remembered().await;
        match bench.push("rp", more).await {
            Pushed::Refused(error) => assert_eq!(error.code.as_str(), code),
            other => panic!("{more}: {other:?}"),
        }
        assert_eq!(bench.remembered().await, already + 1, "{more}");
    }
    // A stranger is no client of whom anything could be remembered.
    let stranger =
        push(&Params::parse("client_id=nobody&client_secret=x").unwrap(), &Call::default(), &bench.idp).await.unwrap();
    assert!(matches!(stranger, Pushed::Refused(error) if error.code.as_str() == "invalid_client"));
    assert!(matches!(bench.push("rp", "&scope=openid").await, Pushed::Accepted { .. }));
    assert_eq!(bench.remembered().await, before + 4);
}

#[tokio::test]
async fn rfc9126_2_3_pj_17_a_client_over_its_quota_waits_and_leaves_nothing() {
    let bench = bench(3).await;
    let mut accepted = Vec::new();
    for _ in 0..3 {
        match bench.push("rp", "&scope=openid").await {
            Pushed::Accepted { request_uri, expires_in } => {
                assert_eq!(expires_in, Span::seconds(90));
                accepted.push(request_uri);
            }
            other => panic!("{other:?}"),
        }
    }
    let before = bench.remembered().await;
    for _ in 0..3 {
        assert!(
            matches!(bench.push("rp", "&scope=unknown").await, Pushed::TooMany(after) if after == Span::seconds(90))
        );
    }
    assert_eq!(bench.remembered().await, before);
    assert!(matches!(bench.push("other", "&scope=openid").await, Pushed::Accepted { .. }));
    for request_uri in accepted {
        assert!(bench.taken(&request_uri).await);
    }
}

#[tokio::test]
async fn pj_05_nothing_is_taken_up_after_its_end() {
    let bench = bench(3).await;
    let Pushed::Accepted { request_uri, .. } = bench.push("rp", "&scope=openid&state=s").await else {
        panic!("refused")
    };
    bench.clock.advance(Span::seconds(89));
    assert!(bench.taken(&request_uri).await);
    bench.clock.advance(Span::seconds(1));
    assert!(!bench.taken(&request_uri).await);
    let at = Moment::from_unix(1_800_000_001) + Span::hours(2);
    assert_eq!(bench.idp.store.transact(move |db| store::pushed::sweep(db, at, 10)).await.unwrap(), 1);
}

/// Another process changes a client: what this one last read of it lets nobody in and turns nobody away.
#[tokio::test]
async fn a_client_is_judged_as_it_is_now_and_not_as_it_was_last_read() {
    let bench = bench(100).await;
    let rp = || Id::<Client>::new("rp");
    let is_accepted = async || match bench.push("rp", "&scope=openid").await {
        Pushed::Accepted { .. } => true,
        Pushed::Refused(error) => {
            assert!(matches!(error.code.as_str(), "invalid_client" | "invalid_request"), "{error:?}");
            false
        }
        Pushed::TooMany(_) => panic!("over its quota"),
    };
    let registered = bench.idp.store.read(move |db| store::client::find(db, &rp())).await.unwrap().unwrap();
    let kept_at_once = async || {
        let (params, call) = (Bench::params("rp", "&scope=openid"), Call::default());
        let first = async |proved| take_in(&params, &call, proved, &bench.idp).await.map(Some);
        let first = authenticated(&params, &call, &bench.idp, first).await.unwrap().unwrap();
        matches!(first, Some(Pushed::Accepted { .. }))
    };
    assert!(kept_at_once().await && is_accepted().await);
    let set = async |status| {
        let found = bench.idp.store.transact(move |db| store::client::set_status(db, &rp(), status)).await.unwrap();
        assert!(found);
    };
    let put = async |client: &Client, secret: &str| {
        let (client, secret) = (client.clone(), Minted::from_text(secret.to_owned()).stored());
        let at = bench.idp.clock.now();
        bench.idp.store.transact(move |db| store::client::put(db, &client, Some(&secret), at)).await.unwrap();
    };
    let (own, mut moved) = ("a-secret-long-enough", (*registered.client).clone());
    moved.redirect_uris = vec!["https://rp.gov.vn/elsewhere".to_owned()];

    set(ClientStatus::Suspended).await;
    assert!(!kept_at_once().await && bench.idp.store.last_read(&rp()).is_some());
    assert!(!is_accepted().await && !is_accepted().await);
    set(ClientStatus::Live).await;
    assert!(is_accepted().await && is_accepted().await);
    put(&registered.client, "another-secret-as-long").await;
    assert!(!kept_at_once().await);
    assert!(!is_accepted().await && !is_accepted().await);
    put(&registered.client, own).await;
    assert!(is_accepted().await && is_accepted().await);
    put(&moved, own).await;
    assert!(!kept_at_once().await);
    assert!(!is_accepted().await && !is_accepted().await);
    put(&registered.client, own).await;
    assert!(is_accepted().await);
}

//! What a push leaves behind, on a fresh SQLite file each.

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::Moment;
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
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let text = format!(
            "client_id={client}&client_secret=a-secret-long-enough&response_type=code&redirect_uri=https://rp.gov.vn/cb\
             &code_challenge={challenge}&code_challenge_method=S256{more}"
        );
        push(&Params::parse(&text).unwrap(), &Call::default(), &self.idp).await.unwrap()
    }

    async fn remembered(&self) -> i64 {
        self.idp.store.read(store::trail::count).await.unwrap()
    }

    async fn taken(&self, request_uri: &str) -> bool {
        let text = format!("request_uri={request_uri}");
        let params = Params::parse(&text).unwrap();
        let reference = par::reference(&params).unwrap().unwrap();
        let client = self.idp.store.read(|db| store::client::find(db, &crate::domain::Id::new("rp"))).await.unwrap();
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

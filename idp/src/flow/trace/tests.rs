//! What becomes of refusals, on a fresh SQLite file each.

use serde_json::json;

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::Span;
use crate::domain::refused_request::{KEPT, MOST_OF_A_KIND};
use crate::domain::standing::Refusal;
use crate::idp::Surroundings;
use crate::random::SystemRandom;

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("https://id.gov.vn", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    for (id, method) in [("rp", "client_secret_post"), ("other", "client_secret_post"), ("app", "none")] {
        let mut file = json!({"client_id": id, "redirect_uris": ["https://rp.gov.vn/cb"],
            "token_endpoint_auth_method": method});
        if method != "none" {
            file["client_secret"] = "a-secret-long-enough".into();
        }
        super::super::client::put(&file.to_string(), &idp).await.unwrap();
    }
    Bench { idp, clock, _directory: directory }
}

impl Bench {
    fn refuse(&self, client: &str, error: &Error) {
        let reference = "ABCDEFGHJK".to_owned();
        note(Origin { client: Id::new(client), endpoint: Endpoint::Token, reference }, error, Vec::new, &self.idp);
    }

    async fn kept(&self, client: &str) -> Vec<RefusedRequest> {
        flush(&self.idp).await;
        match list(&Id::new(client), Wanted::default(), &self.idp).await.unwrap() {
            Verdict::Done(found) => found,
            Verdict::Refused(why) => panic!("{why}"),
        }
    }

    async fn ask(&self, text: &str) -> Result<Value, Error> {
        flush(&self.idp).await;
        let params = Params::parse(text).unwrap();
        answer(&params, &Call::default(), &self.idp).await.unwrap()
    }

    fn counted(&self, outcome: &str) -> bool {
        let text = self.idp.metrics.render().unwrap();
        text.contains(&format!("idp_refusals_traced_total{{outcome=\"{outcome}\"}}"))
    }
}

fn broken() -> Error {
    Error::invalid_grant("RFC 7636 §4.6", "the code is not valid").explained("wrong verifier")
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_clause_and_what_only_the_team_may_know() {
    let bench = bench().await;
    bench.refuse("rp", &broken().because("for the log only"));
    let kept = bench.kept("rp").await;
    let [refused] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((refused.clause.as_str(), refused.reason.as_deref()), ("RFC 7636 §4.6", Some("wrong verifier")));
    assert_eq!((refused.error.as_str(), refused.told.as_str()), ("invalid_grant", "the code is not valid"));
    assert_eq!((refused.reference.as_str(), refused.at), ("ABCDEFGHJK", bench.idp.clock.now()));
    assert!(bench.kept("other").await.is_empty());
    assert!(!bench.counted("dropped"));
}

#[tokio::test]
async fn what_only_the_log_may_know_of_a_holder_is_in_no_record() {
    let bench = bench().await;
    for refusal in [
        Refusal::ClientNotLive,
        Refusal::GrantRevoked,
        Refusal::SessionEnded,
        Refusal::NotActivated,
        Refusal::Locked,
        Refusal::CardExpired,
        Refusal::GuardianRequired,
        Refusal::NoAccount,
    ] {
        bench.refuse("rp", &crate::protocol::authorize::next::barred_error(refusal));
        bench.refuse("rp", &crate::protocol::userinfo::invalid_token().because(refusal.name()));
    }
    let kept = bench.kept("rp").await;
    assert!(kept.len() > 3);
    for refused in kept {
        assert_eq!(refused.reason, None);
        let of_a_guardian = refused.told.starts_with("guardian_required");
        let alike = ["the citizen cannot use this account now", "the access token is not valid"];
        assert!(of_a_guardian || alike.contains(&refused.told.as_str()), "{}", refused.told);
    }
}

#[tokio::test]
async fn nobody_has_no_team() {
    let bench = bench().await;
    for client in ["nobody", "", &"x".repeat(65)] {
        bench.refuse(client, &broken());
    }
    flush(&bench.idp).await;
    assert!(bench.counted("unknown_client"));
    assert!(
        list(&Id::new("nobody"), Wanted::default(), &bench.idp).await.unwrap()
            == Verdict::refused("no client has this client_id")
    );
}

#[tokio::test]
async fn a_flood_is_counted_and_hides_nothing_else() {
    let bench = bench().await;
    for _ in 0..MOST_OF_A_KIND + 12 {
        bench.refuse("rp", &broken());
    }
    assert_eq!(bench.kept("rp").await.len(), MOST_OF_A_KIND);
    for _ in 0..5 {
        bench.refuse("rp", &broken());
    }
    bench.refuse("rp", &Error::invalid_client("RFC 6749 §5.2", "client authentication failed"));
    bench.refuse("other", &broken());
    let kept = bench.kept("rp").await;
    assert_eq!(kept.iter().map(|refused| refused.repeated).sum::<i64>(), 17);
    assert_eq!(kept.len(), MOST_OF_A_KIND + 1);
    assert_eq!(kept.first().map(|refused| refused.error.as_str()), Some("invalid_client"));
    assert_eq!(bench.kept("other").await.len(), 1);
    assert!(bench.counted("counted"));
    // The next hour has a budget of its own.
    bench.clock.advance(Span::hours(1));
    bench.refuse("rp", &broken());
    assert_eq!(bench.kept("rp").await.len(), MOST_OF_A_KIND + 2);
}

#[tokio::test]
async fn a_client_reads_its_own_and_nobody_elses() {
    let bench = bench().await;
    bench.refuse("rp", &broken());
    let of = |client: &str, more: &str| format!("client_id={client}&client_secret=a-secret-long-enough{more}");
    let own = bench.ask(&of("rp", "")).await.unwrap();
    assert_eq!(own["refused_requests"][0]["clause"], "RFC 7636 §4.6");
    assert_eq!(own["kept_seconds"], KEPT.as_seconds());
    let found = bench.ask(&of("rp", "&reference=abcdefghjk")).await.unwrap();
    assert_eq!(found, own);
    let unknown = bench.ask(&of("rp", "&reference=KJHGFEDCBA")).await.unwrap();
    assert_eq!(unknown["refused_requests"], json!([]));
    assert_eq!(bench.ask(&of("other", "&reference=ABCDEFGHJK")).await.unwrap(), unknown);
    for bad in ["client_id=app", "client_id=rp", "client_id=rp&client_secret=wrong", "client_id=nobody", ""] {
        assert_eq!(bench.ask(bad).await.unwrap_err().code.as_str(), "invalid_client", "{bad}");
    }
    let repeated = bench.ask(&of("rp", "&reference=A&reference=B")).await;
    assert_eq!(repeated.unwrap_err().code.as_str(), "invalid_request");
}

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;

const NOW: Moment = Moment::from_unix(1_795_320_000);

/// Answers the same to every question, and counts them.
struct Always {
    status: u16,
    body: Vec<u8>,
    asked: AtomicUsize,
}

impl Ask for Always {
    fn ask<'a>(&'a self, question: Question<'a>) -> Pending<'a, (u16, Vec<u8>)> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(!question.url.contains("099"), "no number in a URL");
        assert_eq!(question.bearer, Some("key"));
        Box::pin(async { Ok((self.status, self.body.clone())) })
    }
}

fn registry(status: u16, body: &str) -> (Registry, Arc<Always>) {
    let ask = Arc::new(Always { status, body: body.as_bytes().to_vec(), asked: AtomicUsize::new(0) });
    let patience = Patience { within: Duration::from_secs(1), retries: 1, failures_to_open: 3, open_seconds: 30 };
    let address = Address { name: POPULATION, url: "http://localhost:1/".to_owned(), token: Some("key".to_owned()) };
    let made: Arc<dyn Ask> = ask.clone();
    (Registry::new(Some(address), Vec::new(), patience, &made), ask)
}

fn number() -> PersonNumber {
    PersonNumber::parse("099090000001").unwrap()
}

fn person() -> Value {
    json!({"person": {
        "person_number": "099090000001", "name": "Nguyễn Văn An", "birthdate": "1990-05-19", "gender": "male",
        "card": {"status": "valid", "issued": "2021-04-15", "expires": "2030-05-19"},
        "papers": {"vn_tax_code": "099090000001", "vn_gplx": {"number": "1"}, "unheard_of": 1},
    }})
}

async fn found(answer: &str) -> Result<Option<Record>, Fault> {
    registry(200, answer).0.find(&number(), NOW).await
}

#[tokio::test]
async fn reads_a_person_and_refuses_the_paper_that_is_malformed() {
    let record = found(&person().to_string()).await.unwrap().unwrap();
    assert_eq!((record.name.as_str(), record.birthdate.as_str()), ("Nguyễn Văn An", "1990-05-19"));
    assert!(record.card.unwrap().is_valid("2030-05-19".parse().unwrap()));
    assert!(!record.card.unwrap().is_valid("2030-05-20".parse().unwrap()));
    assert_eq!(record.papers.taken.len(), 1);
    assert_eq!(record.papers.refused, [crate::domain::claim::ClaimName::find("vn_gplx").unwrap()]);
    assert!(!format!("{record:?} {:?}", record.papers).contains("Nguyễn"));
    assert!(found(r#"{"person":null}"#).await.unwrap().is_none());
}

#[tokio::test]
async fn co_14_what_is_malformed_is_a_fault_that_quotes_nothing() {
    let mut bad: Vec<String> = vec![
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"person":7}"#.to_owned(),
        r#"{"person":null,"person":null}"#.to_owned(),
        format!(r#"{{"person":{}{}}}"#, "[".repeat(40), "]".repeat(40)),
        person().to_string().replace(r#""gender":"male""#, r#""gender":"male","gender":"male""#),
    ];
    for (member, value) in [
        ("person_number", json!("099090000002")),
        ("name", json!(" ")),
        ("name", json!("An\u{0}")),
        ("birthdate", json!("19/05/1990")),
        ("gender", json!("m")),
        ("card", json!({"status": "lost"})),
        ("card", json!({"status": "valid", "expires": "soon"})),
        ("deceased", json!("no")),
        ("papers", json!([])),
    ] {
        let mut answer = person();
        answer["person"][member] = value;
        bad.push(answer.to_string());
    }
    for answer in bad {
        let fault = found(&answer).await.expect_err(&answer);
        assert!(!fault.detail.contains("099090") && !fault.detail.contains("Nguyễn"), "{fault}");
    }
}

#[tokio::test]
async fn asks_again_a_bounded_number_of_times_then_leaves_it_alone() {
    let (registry, ask) = registry(503, "");
    for asked in [2, 3, 3, 3] {
        assert!(registry.find(&number(), NOW).await.is_err());
        assert_eq!(ask.asked.load(Ordering::SeqCst), asked);
    }
    let source = registry.sources().next().unwrap();
    assert!(source.is_open(NOW));
    assert_eq!(source.figures(), (0, 3));
    // One try after the pause.
    let later = NOW + crate::domain::Span::seconds(30);
    assert!(registry.find(&number(), later).await.is_err());
    assert_eq!(ask.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn only_a_200_is_an_answer() {
    for status in [201, 204, 301, 400, 401, 404, 500] {
        assert!(registry(status, r#"{"person":null}"#).0.find(&number(), NOW).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_feed_passes_over_what_it_cannot_read() {
    let event = |id: &str, kind: &str| json!({"id": id, "person_number": "099090000001", "at": 1, "kind": kind, "source": "c06"});
    let feed = json!({"events": [event("1", "card_revoked"), event("2", "wedding"), event("3", "death")]});
    let page = registry(200, &feed.to_string()).0.events_after(None, 10, NOW).await.unwrap();
    assert_eq!(page.events.len(), 2);
    assert_eq!(page.events[1].kind, RegistryEventKind::Death);
    assert_eq!((page.refused, page.cursor), (vec!["2".to_owned()], Some("3".to_owned())));
    let nameless = json!({"events": [{"kind": "death"}]}).to_string();
    assert!(registry(200, &nameless).0.events_after(None, 10, NOW).await.is_err());
}

#[tokio::test]
async fn without_an_address_there_is_nobody_to_ask() {
    let ask: Arc<dyn Ask> = Arc::new(Always { status: 200, body: Vec::new(), asked: AtomicUsize::new(0) });
    let patience = Patience { within: Duration::from_secs(1), retries: 0, failures_to_open: 1, open_seconds: 1 };
    let registry = Registry::new(None, Vec::new(), patience, &ask);
    assert!(!registry.is_there());
    assert!(registry.find(&number(), NOW).await.is_err());
}

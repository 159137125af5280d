//! A client that is suspended between the reading of its request and the decision on it, on a fresh SQLite file.

use super::*;
use crate::config::Config;
use crate::flow::client;

/// A request of nobody under `prompt=none`, which is answered at once, one way or the other.
async fn pending(idp: &Arc<Idp>) -> Pending {
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let text = format!(
        "client_id=rp&response_type=code&redirect_uri=https://rp.gov.vn/cb&prompt=none\
         &scope=openid&code_challenge={challenge}&code_challenge_method=S256"
    );
    let params = Params::parse(&text).unwrap();
    let client = find_client(&params, idp).await.unwrap().unwrap().client;
    let request = request_object::understood(&params, &client, (&Browser::default(), false), idp).await.unwrap();
    Pending::new(request.unwrap(), client)
}

#[tokio::test]
async fn az_23_a_client_suspended_after_it_was_read_gets_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("https://id.gov.vn", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    let idp = Idp::open(config).await.unwrap();
    let file = json!({"client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"], "scope": "openid",
        "token_endpoint_auth_method": "client_secret_post", "client_secret": "a-secret-long-enough"});
    client::put(&file.to_string(), &idp).await.unwrap();

    let control = proceed(pending(&idp).await, &Browser::default(), &idp).await.unwrap();
    assert!(matches!(control.outcome, Outcome::Returned(_)), "{:?}", control.outcome);

    let read_before = pending(&idp).await;
    client::suspend(&Id::new("rp"), &idp).await.unwrap();
    let late = proceed(read_before, &Browser::default(), &idp).await.unwrap();
    assert!(matches!(late.outcome, Outcome::Shown(_)), "{:?}", late.outcome);
}

//! Clients that register themselves by an operator's invitation, and what the trail keeps of it.

use super::*;
use crate::flow::invitation::{self, Invited, Terms};
use crate::flow::register;
use crate::protocol::ErrorCode;

async fn invited(uses: i64, idp: &Idp) -> Invited {
    let terms = Terms { uses, until: None };
    match invitation::invite(&json!({"scope": "openid email"}), &terms, idp).await.unwrap() {
        Verdict::Done(invited) => invited,
        Verdict::Refused(reason) => panic!("{reason}"),
    }
}

async fn events(idp: &Idp) -> i64 {
    idp.store.read(store::trail::count).await.unwrap()
}

const PORTAL: &str = r#"{"redirect_uris": ["https://rp.gov.vn/cb"]}"#;

#[tokio::test]
async fn rfc7591_3_an_invitation_ends_by_use_by_date_and_by_the_operator() {
    let bench = bench().await;
    let idp = &bench.idp;
    let refused = async |token: &str| register::register(token, PORTAL, idp).await.unwrap().unwrap_err().code;
    let once = invited(1, idp).await;
    assert!(register::register(once.token.reveal(), PORTAL, idp).await.unwrap().is_ok());
    assert_eq!(refused(once.token.reveal()).await, ErrorCode::InvalidToken);

    let revoked = invited(5, idp).await;
    assert_eq!(invitation::revoke(&revoked.id, idp).await.unwrap(), Verdict::Done(()));
    reason(invitation::revoke(&revoked.id, idp).await.unwrap());
    assert_eq!(refused(revoked.token.reveal()).await, ErrorCode::InvalidToken);

    let dated = invited(5, idp).await;
    bench.clock.advance(Span::seconds(dated.expires_at.since(idp.clock.now()).as_seconds() - 1));
    assert!(register::register(dated.token.reveal(), PORTAL, idp).await.unwrap().is_ok());
    bench.tick();
    assert_eq!(refused(dated.token.reveal()).await, ErrorCode::InvalidToken);
    let left: Vec<i64> = invitation::list(idp).await.unwrap().iter().map(|invitation| invitation.uses_left).collect();
    assert_eq!(left, [0, 5, 4]);
    for terms in [
        Terms { uses: 0, until: None },
        Terms { uses: 1, until: Some("2020-01-01".to_owned()) },
        Terms { uses: 1, until: Some("soon".to_owned()) },
    ] {
        reason(invitation::invite(&json!({"scope": "openid"}), &terms, idp).await.unwrap());
    }
    assert!(
        reason(invitation::invite(&json!({"scope": "vn_x"}), &Terms { uses: 1, until: None }, idp).await.unwrap())
            .contains("scope")
    );
}

#[tokio::test]
async fn each_act_and_each_refusal_of_a_known_client_is_remembered_once() {
    let bench = bench().await;
    let idp = &bench.idp;
    let invited = invited(2, idp).await;
    let before = events(idp).await;
    let told = register::register(invited.token.reveal(), PORTAL, idp).await.unwrap().unwrap();
    assert_eq!(events(idp).await, before + 1);
    let id = || Id::new(told["client_id"].as_str().unwrap());
    let token = told["registration_access_token"].as_str().unwrap();
    let wish = |uri: &str| json!({"client_id": told["client_id"], "redirect_uris": [uri]}).to_string();
    assert!(register::replace(id(), token, &wish("https://rp.gov.vn/cb2"), idp).await.unwrap().is_ok());
    assert_eq!(events(idp).await, before + 2);
    for wrong in ["http://rp.gov.vn/cb", "https://evil.vn/cb"] {
        let error = register::replace(id(), token, &wish(wrong), idp).await.unwrap().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRedirectUri);
    }
    assert_eq!(events(idp).await, before + 4);
    // Nobody known: a log line, no event.
    assert!(register::replace(id(), "unknown", &wish("https://rp.gov.vn/cb"), idp).await.unwrap().is_err());
    assert!(register::register("unknown", PORTAL, idp).await.unwrap().is_err());
    assert!(register::read(id(), "unknown", idp).await.unwrap().is_err());
    assert!(register::close(Id::new("other"), token, idp).await.unwrap().is_err());
    assert_eq!(events(idp).await, before + 4);
    let shown = register::read(id(), token, idp).await.unwrap().unwrap();
    assert_eq!(shown["redirect_uris"], json!(["https://rp.gov.vn/cb2"]));
    assert_eq!(register::close(id(), token, idp).await.unwrap(), Ok(()));
    assert_eq!(events(idp).await, before + 5);
    assert!(register::close(id(), token, idp).await.unwrap().is_err());
    assert!(
        reason(client::put(&json!({"client_id": told["client_id"]}).to_string(), idp).await.unwrap())
            .contains("closed")
    );
}

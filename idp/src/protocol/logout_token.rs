//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): what one says, and when it is sent again.

use serde_json::{Map, Value, json};

use crate::domain::outbox::LogoutNotice;
use crate::domain::{Moment, Span};

/// Back-Channel Logout §2.4: told apart from every other token of ours by its type (RFC 8725 §3.11).
pub const TYP: &str = "logout+jwt";

/// The one member of `events`.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long one counts (`security.md` LO-08).
const LIFETIME: Span = Span::minutes(2);

/// The most attempts, and how long after one that failed the next is made (`security.md` N-28): all of them within
/// five minutes.
pub const MOST_ATTEMPTS: i64 = 3;
const FIRST_PAUSE: Span = Span::seconds(5);
const SECOND_PAUSE: Span = Span::minutes(1);

/// After this a notice says nothing of use any more.
pub const KEPT: Span = Span::minutes(5);

/// The claims. Never `nonce`, so that no logout token passes for an ID token.
pub fn claims(notice: &LogoutNotice, issuer: &str, jti: &str, now: Moment) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut state = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    state("iss", issuer.into());
    state("aud", notice.client.as_str().into());
    state("iat", now.unix().into());
    state("exp", (now + LIFETIME).unix().into());
    state("jti", jti.into());
    state("events", json!({ EVENT: {} }));
    state("sub", notice.sub.as_str().into());
    if let Some(sid) = &notice.sid {
        state("sid", sid.as_str().into());
    }
    claims
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Told,
    /// The client heard it and would not take it: saying it again changes nothing.
    Refused,
    Again(Moment),
    GivenUp,
}

/// Decides from the status the client answered, if it answered (Back-Channel Logout §2.8).
pub fn delivery(notice: &LogoutNotice, status: Option<u16>, now: Moment) -> Delivery {
    match status {
        Some(200 | 204) => return Delivery::Told,
        Some(400) => return Delivery::Refused,
        _ => {}
    }
    let pause = if notice.attempts <= 1 { FIRST_PAUSE } else { SECOND_PAUSE };
    let next = now + pause;
    if is_over(notice, next) { Delivery::GivenUp } else { Delivery::Again(next) }
}

/// Whether no attempt may be begun at a moment, or any more.
pub fn is_over(notice: &LogoutNotice, at: Moment) -> bool {
    notice.attempts >= MOST_ATTEMPTS || at >= notice.expires_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Id;
    use crate::domain::outbox::Cause;
    use crate::protocol::fixtures::at;

    fn notice(attempts: i64, sid: Option<&str>) -> LogoutNotice {
        LogoutNotice {
            id: Id::new("act/rp"),
            cause: Cause::SignedOut,
            client: Id::new("rp"),
            account: Id::new("account-1"),
            sub: "sub-1".to_owned(),
            sid: sid.map(str::to_owned),
            attempts,
            next_at: at(1000),
            expires_at: at(1000) + KEPT,
        }
    }

    #[test]
    fn lo_08_back_channel_logout_2_4_exactly_these_claims() {
        let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
        assert_eq!(
            Value::Object(claims(&notice(1, Some("sid-1")), "https://id.gov.vn", "j", at(1000))),
            json!({
                "iss": "https://id.gov.vn", "aud": "rp", "iat": 1000, "exp": 1120, "jti": "j", "events": event,
                "sub": "sub-1", "sid": "sid-1"
            })
        );
        // contract 8: a lock ends every session, so none is named.
        assert_eq!(
            Value::Object(claims(&notice(1, None), "https://id.gov.vn", "j", at(1000))),
            json!({
                "iss": "https://id.gov.vn", "aud": "rp", "iat": 1000, "exp": 1120, "jti": "j", "events": event,
                "sub": "sub-1"
            })
        );
    }

    #[test]
    fn n_28_back_channel_logout_2_8_what_an_answer_means() {
        let rows = [
            (1, Some(200), 1000, Delivery::Told),
            (3, Some(204), 1000, Delivery::Told),
            (1, Some(400), 1000, Delivery::Refused),
            (1, None, 1002, Delivery::Again(at(1007))),
            (1, Some(500), 1000, Delivery::Again(at(1005))),
            (1, Some(302), 1000, Delivery::Again(at(1005))),
            (1, Some(401), 1000, Delivery::Again(at(1005))),
            (1, Some(201), 1000, Delivery::Again(at(1005))),
            (2, Some(503), 1007, Delivery::Again(at(1067))),
            (3, Some(503), 1070, Delivery::GivenUp),
            (3, None, 1070, Delivery::GivenUp),
            // Found late, a notice is not told of late.
            (1, Some(500), 1295, Delivery::GivenUp),
        ];
        for (attempts, status, now, expected) in rows {
            let found = delivery(&notice(attempts, None), status, at(now));
            assert_eq!(found, expected, "{attempts} {status:?} {now}");
        }
        assert!(!is_over(&notice(2, None), at(1299)) && is_over(&notice(2, None), at(1300)));
        assert!(is_over(&notice(3, None), at(1000)));
    }
}

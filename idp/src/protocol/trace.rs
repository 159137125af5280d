//! What the team of a client asks of its own refused requests, and is told. An endpoint of ours, in the manner of
//! introspection (RFC 7662 §2): the client proves who it is and hears of itself alone.

use serde_json::{Map, Value, json};

use crate::domain::Id;
use crate::domain::refused_request::{KEPT, RefusedRequest};

use super::error::Error;
use super::params::Params;

/// Told at once, the newest first.
pub const PAGE: usize = 50;

/// Longer than any reference or id of ours.
const LONGEST: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only what an answer or a page gave this reference.
    pub reference: Option<String>,
    /// Only what came before this one: the next page.
    pub before: Option<Id<RefusedRequest>>,
}

/// RFC 6749 §3.2: a parameter once at most, unknown ones ignored. A reference nobody was given finds nothing.
pub fn wanted(params: &Params) -> Result<Wanted, Error> {
    let short = |text: &&str| text.len() <= LONGEST;
    let too_long = |name: &str| Error::invalid_request("RFC 6749 §3.2", format!("{name} is too long"));
    let text = |name: &'static str| match params.one(name)? {
        Some(text) if !short(&text) => Err(too_long(name)),
        found => Ok(found.map(str::to_owned)),
    };
    Ok(Wanted {
        reference: text("reference")?.map(|text| text.to_ascii_uppercase()),
        before: text("before")?.map(Id::new),
    })
}

/// The answer, with the way to the next page where there is one.
pub fn body(found: &[RefusedRequest]) -> Value {
    let shown: Vec<Value> = found.iter().take(PAGE).map(|refused| Value::Object(described(refused))).collect();
    let mut body = json!({ "refused_requests": shown, "kept_seconds": KEPT.as_seconds() });
    let last = found.len().checked_sub(1).filter(|last| *last >= PAGE).and_then(|_| found.get(PAGE.saturating_sub(1)));
    if let (Some(members), Some(last)) = (body.as_object_mut(), last) {
        members.insert("before".to_owned(), last.id.as_str().into());
    }
    body
}

/// One refusal, as programs read it.
pub fn described(refused: &RefusedRequest) -> Map<String, Value> {
    let members = [
        ("reference", Some(refused.reference.as_str().into())),
        ("at", Some(refused.at.unix().into())),
        ("client_id", Some(refused.client.as_str().into())),
        ("endpoint", Some(refused.endpoint.name().into())),
        ("error", Some(refused.error.as_str().into())),
        ("error_description", Some(refused.told.as_str().into())),
        ("reason", refused.reason.as_deref().map(Value::from)),
        ("clause", Some(refused.clause.as_str().into())),
        ("parameters", Some(json!(refused.parameters))),
        ("repeated", Some(refused.repeated.into())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refused_request::{Endpoint, Parameter, Shown};
    use crate::protocol::fixtures::at;

    fn refused(id: usize, reason: Option<&str>) -> RefusedRequest {
        RefusedRequest {
            id: Id::new(format!("id-{id:03}")),
            client: Id::new("rp"),
            reference: "ABCDEFGHJK".to_owned(),
            at: at(1_000),
            endpoint: Endpoint::EndSession,
            error: "invalid_request".to_owned(),
            told: "it is wrong".to_owned(),
            reason: reason.map(str::to_owned),
            clause: "RFC 6749 §3.1".to_owned(),
            parameters: vec![
                Parameter { name: "scope".to_owned(), shown: Shown::Value("openid".to_owned()) },
                Parameter { name: "state".to_owned(), shown: Shown::Shape("empty".to_owned()) },
            ],
            repeated: 3,
        }
    }

    #[test]
    fn the_answer_says_what_was_refused_and_why() {
        let one = json!({
            "reference": "ABCDEFGHJK", "at": 1_000, "client_id": "rp", "endpoint": "end_session",
            "error": "invalid_request", "error_description": "it is wrong", "reason": "because",
            "clause": "RFC 6749 §3.1", "repeated": 3,
            "parameters": [{"name": "scope", "value": "openid"}, {"name": "state", "shape": "empty"}],
        });
        assert_eq!(body(&[refused(1, Some("because"))]), json!({"refused_requests": [one], "kept_seconds": 604_800}));
        assert_eq!(described(&refused(1, None)).get("reason"), None);
    }

    #[test]
    fn a_page_has_an_end_and_names_the_next() {
        let some = |count: usize| (0..count).map(|n| refused(n, None)).collect::<Vec<_>>();
        for (count, shown, before) in [(0, 0, None), (50, 50, None), (51, 50, Some("id-049"))] {
            let body = body(&some(count));
            assert_eq!(body["refused_requests"].as_array().map(Vec::len), Some(shown));
            assert_eq!(body.get("before").and_then(Value::as_str), before, "{count}");
        }
    }

    #[test]
    fn rfc6749_3_2_parameters_once_and_short() {
        let read = |text: &str| wanted(&Params::parse(text).unwrap());
        assert_eq!(read("").unwrap(), Wanted::default());
        assert_eq!(read("reference=abc&before=&x=1").unwrap().reference.as_deref(), Some("ABC"));
        assert_eq!(read("before=id-1").unwrap().before, Some(Id::new("id-1")));
        for bad in ["reference=a&reference=b", "before=a&before=b", &format!("reference={}", "a".repeat(65))] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

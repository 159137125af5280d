//! What the app of a holder says: statements signed by the key of its device. `keys` verifies the signature; what a
//! statement must say to be believed is judged here (`security.md` LG-31, LG-37; RFC 8725).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::app::Unlock;
use crate::domain::relying_party::SigningAlg;
use crate::domain::{Moment, Span};
use crate::protocol::jti;

/// RFC 8725 §3.11: no token of another kind passes for one.
pub const TYPE: &str = "vneid-app+jwt";
/// Keys of devices are P-256.
pub const ALGS: [SigningAlg; 1] = [SigningAlg::ES256];

const LONGEST_LIFE: Span = Span::seconds(120);
/// `contract.md` 8: clocks ahead by up to this are accepted.
const CLOCK_AHEAD: Span = Span::seconds(10);
const LONGEST_TEXT: usize = 256;
/// In bytes, so that no two statements of a device bear the same.
const SHORTEST_JTI: usize = 16;
const LONGEST_NAME: usize = 60;

/// What a statement is for; none of one kind passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Bind,
    Scan,
    Approve,
    Decline,
}

impl Act {
    pub const fn name(self) -> &'static str {
        match self {
            Act::Bind => "bind",
            Act::Scan => "scan",
            Act::Approve => "approve",
            Act::Decline => "decline",
        }
    }
}

/// A statement to us, for this act and of now. It counts once its identifier was spent.
#[derive(Clone, Debug)]
pub struct Statement {
    pub jti: String,
    pub expires_at: Moment,
    claims: Map<String, Value>,
}

/// The reason otherwise is for our log.
pub fn judge(
    header: &Map<String, Value>,
    claims: Map<String, Value>,
    (issuer, act): (&str, Act),
    now: Moment,
) -> Result<Statement, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Moment::from_unix);
    if header.get("typ").and_then(Value::as_str) != Some(TYPE) {
        return Err("typ");
    }
    // One plain string: a list could name somebody else beside us.
    if text("aud") != Some(issuer) {
        return Err("aud");
    }
    if text("act") != Some(act.name()) {
        return Err("act");
    }
    let Some(jti) = jti::of(&claims).filter(|jti| jti.len() >= SHORTEST_JTI).map(str::to_owned) else {
        return Err("jti");
    };
    let (Some(made_at), Some(expires_at)) = (time("iat"), time("exp")) else { return Err("times") };
    if made_at.since(now) > CLOCK_AHEAD || expires_at <= now || expires_at.since(made_at) > LONGEST_LIFE {
        return Err("not now");
    }
    Ok(Statement { jti, expires_at, claims })
}

impl Statement {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str).filter(|text| text.len() <= LONGEST_TEXT)
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.claims.get(name) == Some(&Value::Bool(true))
    }

    /// What the holder calls the phone: printable, and not long.
    pub fn name(&self) -> Option<&str> {
        let name = self.text("name")?.trim();
        let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
        fits.then_some(name)
    }

    /// How the holder unlocked the app: at least one way, none we do not know.
    pub fn unlocked_by(&self) -> Option<Vec<Unlock>> {
        let named = self.claims.get("unlocked_by")?.as_array()?;
        let names: BTreeSet<&str> = named.iter().map(Value::as_str).collect::<Option<_>>()?;
        let unlocks: Vec<Unlock> = names.into_iter().map(Unlock::parse).collect::<Option<_>>()?;
        (!unlocks.is_empty()).then_some(unlocks)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const US: &str = "https://id.gov.vn";

    fn judged(change: impl FnOnce(&mut Value, &mut Value)) -> Result<Statement, &'static str> {
        let mut header = json!({"alg": "ES256", "typ": TYPE});
        let mut claims = json!({
            "aud": US, "act": "approve", "jti": "0123456789abcdef", "iat": 1000, "exp": 1060,
            "unlocked_by": ["face", "passcode"], "name": " Máy của An ",
        });
        change(&mut header, &mut claims);
        let (Value::Object(header), Value::Object(claims)) = (header, claims) else { panic!("objects") };
        judge(&header, claims, (US, Act::Approve), Moment::from_unix(1000))
    }

    #[test]
    fn rfc8725_3_a_statement_is_for_us_for_this_act_and_for_now() {
        let good = judged(|_, _| {}).unwrap();
        assert_eq!(good.unlocked_by(), Some(vec![Unlock::Face, Unlock::Passcode]));
        assert_eq!((good.name(), good.expires_at.unix()), (Some("Máy của An"), 1060));
        type Change = fn(&mut Value, &mut Value);
        let rows: [(Change, &str); 14] = [
            (|h, _| h["typ"] = "JWT".into(), "typ"),
            (|h, _| h["typ"] = Value::Null, "typ"),
            (|_, c| c["aud"] = "https://other.vn".into(), "aud"),
            (|_, c| c["aud"] = json!([US, "https://other.vn"]), "aud"),
            (|_, c| c["aud"] = format!("{US}/").into(), "aud"),
            (|_, c| c["act"] = "scan".into(), "act"),
            (|_, c| c["jti"] = "short".into(), "jti"),
            (|_, c| c["jti"] = "0123456789abcde\0".into(), "jti"),
            (|_, c| c["jti"] = Value::Null, "jti"),
            (|_, c| c["iat"] = 1011.into(), "not now"),
            (|_, c| c["exp"] = 1000.into(), "not now"),
            (|_, c| c["exp"] = 1121.into(), "not now"),
            (|_, c| c["exp"] = Value::Null, "times"),
            (|_, c| c["iat"] = "1000".into(), "times"),
        ];
        for (index, (change, expected)) in rows.into_iter().enumerate() {
            assert_eq!(judged(change).unwrap_err(), expected, "row {index}");
        }
        assert!(judged(|_, c| c["iat"] = 1010.into()).is_ok());
    }

    #[test]
    fn nd69_art_3_7_only_known_unlocks_count() {
        for bad in [json!(null), json!([]), json!(["voice"]), json!(["face", "voice"]), json!("face"), json!([1])] {
            assert_eq!(judged(|_, c| c["unlocked_by"] = bad.clone()).unwrap().unlocked_by(), None, "{bad}");
        }
        let twice = judged(|_, c| c["unlocked_by"] = json!(["face", "face"])).unwrap();
        assert_eq!(twice.unlocked_by(), Some(vec![Unlock::Face]));
        for bad in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert_eq!(judged(|_, c| c["name"] = bad.into()).unwrap().name(), None);
        }
    }
}

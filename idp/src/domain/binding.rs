//! Confirmation: what the bearer of a token must prove to hold, written down when the token is issued.

use std::fmt;

use serde_json::{Map, Value};

/// A key by its RFC 7638 thumbprint, a certificate by its SHA-256 thumbprint, or both; never neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    jkt: Option<String>,
    x5t: Option<String>,
}

impl Confirmation {
    /// `None` where nothing is to be proved.
    pub fn of(jkt: Option<String>, x5t: Option<String>) -> Option<Confirmation> {
        (jkt.is_some() || x5t.is_some()).then_some(Confirmation { jkt, x5t })
    }

    pub fn jkt(&self) -> Option<&str> {
        self.jkt.as_deref()
    }

    pub fn x5t(&self) -> Option<&str> {
        self.x5t.as_deref()
    }

    /// Reads what `to_string` wrote.
    pub fn parse(text: &str) -> Option<Confirmation> {
        let (mut jkt, mut x5t) = (None, None);
        for part in text.split(' ') {
            let (kind, thumbprint) = part.split_once(':').filter(|(_, thumbprint)| !thumbprint.is_empty())?;
            let place = match kind {
                "jkt" => &mut jkt,
                "x5t" => &mut x5t,
                _ => return None,
            };
            if place.replace(thumbprint.to_owned()).is_some() {
                return None;
            }
        }
        Self::of(jkt, x5t)
    }

    /// The members of `cnf` (RFC 9449 §6.1, RFC 8705 §3.1).
    pub fn members(&self) -> Map<String, Value> {
        let members = [("jkt", &self.jkt), ("x5t#S256", &self.x5t)];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into()))).collect()
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.jkt, &self.x5t) {
            (Some(jkt), Some(x5t)) => write!(f, "jkt:{jkt} x5t:{x5t}"),
            (Some(jkt), None) => write!(f, "jkt:{jkt}"),
            (None, Some(x5t)) => write!(f, "x5t:{x5t}"),
            (None, None) => Ok(()),
        }
    }
}

/// RFC 6749 §7.1, RFC 9449 §5: how a token is presented.
pub fn token_type(confirmation: Option<&Confirmation>) -> &'static str {
    match confirmation.and_then(Confirmation::jkt) {
        Some(_) => "DPoP",
        None => "Bearer",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let text = |text: &str| Some(text.to_owned());
        for (jkt, x5t, cnf) in [
            (text("a"), None, json!({"jkt": "a"})),
            (None, text("b"), json!({"x5t#S256": "b"})),
            (text("a"), text("b"), json!({"jkt": "a", "x5t#S256": "b"})),
        ] {
            let confirmation = Confirmation::of(jkt, x5t).unwrap();
            assert_eq!(Confirmation::parse(&confirmation.to_string()), Some(confirmation.clone()));
            assert_eq!(Value::Object(confirmation.members()), cnf);
        }
        assert_eq!(Confirmation::of(None, None), None);
        for bad in ["", "jkt:", "jkt", "a", "kid:a", "jkt:a jkt:b", "jkt:a ", "jkt:a  x5t:b"] {
            assert_eq!(Confirmation::parse(bad), None, "{bad}");
        }
    }
}

//! Parameters of a query string or form body, with repeats kept so that every rule can see them.

use std::fmt;

use super::error::Error;

/// More fields than any request of ours needs.
const MOST_FIELDS: usize = 100;

/// Decoded `application/x-www-form-urlencoded` fields in the order sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    fields: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string or form body. `invalid_request` on a broken escape, text that is not UTF-8, or more
    /// than 100 fields (RFC 6749 Appendix B).
    pub fn parse(text: &str) -> Result<Params, Error> {
        Self::parse_at_most(MOST_FIELDS, text)
    }

    /// As `parse`, with another bound on the fields.
    pub fn parse_at_most(most: usize, text: &str) -> Result<Params, Error> {
        let mut fields = Vec::new();
        for field in text.split('&').filter(|field| !field.is_empty()) {
            if fields.len() == most {
                return Err(Error::invalid_request("RFC 6749 §3.1", "parameters are too many"));
            }
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            fields.push((decode(name)?, decode(value)?));
        }
        Ok(Params { fields })
    }

    /// Parameters that did not come as a query or form: the members of a request object.
    pub fn of(fields: Vec<(String, String)>) -> Params {
        Params { fields }
    }

    /// These parameters, and of `others` those that are not among them.
    pub fn over(mut self, others: &Params) -> Params {
        let absent: Vec<_> =
            others.fields.iter().filter(|(name, _)| self.all(name).next().is_none()).cloned().collect();
        self.fields.extend(absent);
        self
    }

    /// Everything but these parameters.
    pub fn without(&self, names: &[&str]) -> Params {
        Params { fields: self.fields.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect() }
    }

    /// The one value of a parameter. An empty value counts as absent; a repeated parameter is `invalid_request`.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Error> {
        if self.repeated(name) {
            // RFC 6749 §3.1, §3.2: parameters must not be included more than once.
            return Err(Error::invalid_request("RFC 6749 §3.1", format!("{name} is repeated")));
        }
        Ok(self.first(name))
    }

    /// The first non-empty value of a parameter, repeats ignored.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Whether a parameter was sent more than once, empty values included.
    pub fn repeated(&self, name: &str) -> bool {
        self.all(name).nth(1).is_some()
    }

    /// Whether a parameter was sent with a value at least once.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Every name with its value, as sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether nothing was sent at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Every value of a parameter that may be sent more than once: the boxes of a form.
    pub fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|(name, _)| name)).finish()
    }
}

/// Undoes form encoding of one name or value: `+` is a space, `%XX` a byte, the bytes are UTF-8.
pub(super) fn decode(text: &str) -> Result<String, Error> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(text.to_owned());
    }
    let broken = |why: &'static str| Error::invalid_request("RFC 6749 Appendix B", why);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().and_then(nibble), rest.next().and_then(nibble));
                high.zip(low)
                    .map(|(high, low)| high << 4 | low)
                    .ok_or_else(|| broken("parameters are badly escaped"))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken("parameters are not UTF-8"))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc6749_appendix_b_decoding() {
        let rows = [
            ("a=b", Some("b")),
            ("a=%C3%A9+x%2B", Some("é x+")),
            ("a=", None),
            ("a", None),
            ("b=1", None),
            ("&&a=b&", Some("b")),
            ("a=b=c", Some("b=c")),
            ("%61=b", Some("b")),
        ];
        for (text, expected) in rows {
            assert_eq!(Params::parse(text).unwrap().one("a").unwrap(), expected, "{text}");
        }
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%=1", "a=%c3%28", "a=%+1"] {
            assert_eq!(Params::parse(bad).unwrap_err().code, crate::protocol::ErrorCode::InvalidRequest, "{bad}");
        }
    }

    #[test]
    fn rfc6749_3_1_repeats_are_refused_even_when_empty() {
        for text in ["a=1&a=2", "a=&a=1", "a&a", "a=1&%61=1"] {
            let params = Params::parse(text).unwrap();
            assert!(params.repeated("a") && params.one("a").is_err(), "{text}");
        }
    }

    #[test]
    fn pj_16_a_hundred_fields_and_no_more() {
        let fields = |n: usize| (0..n).map(|i| format!("p{i}=1")).collect::<Vec<_>>().join("&");
        assert!(Params::parse(&fields(100)).is_ok());
        assert!(Params::parse(&fields(101)).is_err());
    }

    #[test]
    fn values_never_show_in_debug() {
        assert!(!format!("{:?}", Params::parse("client_secret=hunter2").unwrap()).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn parsing_is_total_and_undoes_encoding(text in any::<String>(), value in ".{1,40}") {
            let _ = Params::parse(&text);
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let params = Params::parse(&format!("v={encoded}")).unwrap();
            prop_assert_eq!(params.one("v").unwrap(), Some(value.as_str()));
        }
    }
}

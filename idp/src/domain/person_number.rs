//! Số định danh cá nhân: twelve digits, secret in logs, always a string (`domain.md` 3.1). What stands in its place for
//! other holders is kept in the same form: a foreigner's number, and an organisation's code after `org:`.

use std::fmt;

/// Before an organisation's code, which could else be read as a person's number.
const ORGANISATION: &str = "org:";

/// A well-formed personal identification number. Prints masked; `reveal` is the only way out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonNumber(String);

impl PersonNumber {
    /// Twelve ASCII digits and nothing else. Spaces a person types between groups are dropped; the parts of
    /// the number are hints only and decide nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '.')).collect();
        (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// A foreigner's number: digits the system set, of no stated length.
    pub fn parse_foreign(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '.')).collect();
        ((1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// An organisation's tax code or agency code (`domain.md` 3.7).
    pub fn parse_organisation(code: &str) -> Option<Self> {
        let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        let tax = match code.split_once('-') {
            Some((parent, unit)) => digits(parent, 10) && digits(unit, 3),
            None => digits(code, 10) || digits(code, 13),
        };
        let mut groups = code.split('.');
        let agency = code.len() <= 35
            && groups.next().is_some_and(|first| {
                first.len() == 3
                    && first.starts_with(|c: char| ('A'..='Y').contains(&c))
                    && first.bytes().skip(1).all(|b| b.is_ascii_digit())
            })
            && groups
                .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        (tax || agency).then(|| Self(format!("{ORGANISATION}{}", code.replace('-', ""))))
    }

    /// As any holder's record names it; an organisation's with its mark.
    pub fn parse_any(text: &str) -> Option<Self> {
        match text.strip_prefix(ORGANISATION) {
            Some(code) => Self::parse_organisation(code),
            None => Self::parse_foreign(text),
        }
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An identifier with all but its first and last three characters hidden; shorter ones wholly.
pub fn mask(identifier: &str) -> String {
    let length = identifier.chars().count();
    if length <= 6 {
        return "•".repeat(length);
    }
    identifier.chars().enumerate().map(|(i, c)| if i < 3 || i >= length - 3 { c } else { '•' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_and_nothing_else() {
        for good in ["099090000001", "099 090 000 001", "099090 000001"] {
            assert_eq!(PersonNumber::parse(good).map(|n| n.reveal().to_owned()), Some("099090000001".to_owned()));
        }
        for bad in ["", "09909000000", "0990900000011", "09909000000a", "０９９０９０００００００１", "-99090000001"]
        {
            assert!(PersonNumber::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn domain_3_1_and_3_7_the_numbers_of_other_holders() {
        for good in ["5", "099090000001", "12345678901234567890", "12 34"] {
            assert!(PersonNumber::parse_foreign(good).is_some() && PersonNumber::parse_any(good).is_some(), "{good}");
        }
        for bad in ["", "123456789012345678901", "12a", "-5", "１"] {
            assert!(PersonNumber::parse_foreign(bad).is_none() && PersonNumber::parse_any(bad).is_none(), "{bad}");
        }
        assert_eq!(PersonNumber::parse("5"), None);
        for good in ["0100000099", "0100000099-001", "0100000099001", "G09", "G09.99.A1", "A00.1"] {
            let code = PersonNumber::parse_organisation(good).unwrap();
            assert_eq!(PersonNumber::parse_any(code.reveal()).as_ref(), Some(&code), "{good}");
            assert_ne!(PersonNumber::parse_any(good).as_ref(), Some(&code), "{good}");
        }
        for bad in
            ["", "010000009", "0100000099-01", "0100000099-0011", "Z09", "G9", "G09.", "G09.a", "G09..1", "org:G09"]
        {
            assert_eq!(PersonNumber::parse_organisation(bad), None, "{bad}");
        }
    }

    #[test]
    fn prints_masked() {
        let number = PersonNumber::parse("079123456012").unwrap();
        assert_eq!(number.to_string(), "079••••••012");
        assert_eq!(format!("{number:?}"), "079••••••012");
        assert_eq!(mask("abc"), "•••");
    }
}

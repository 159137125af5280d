//! Số định danh cá nhân: twelve digits, secret in logs, always a string (`domain.md` 3.1).

use std::fmt;

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
    fn prints_masked() {
        let number = PersonNumber::parse("079123456012").unwrap();
        assert_eq!(number.to_string(), "079••••••012");
        assert_eq!(format!("{number:?}"), "079••••••012");
        assert_eq!(mask("abc"), "•••");
    }
}

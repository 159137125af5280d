//! Text an officer writes for the record: who asks, by which document, and why. It stands in the trail in clear, so it may
//! not carry what the trail must not.

use std::fmt;

/// One line without control characters and without anything as long as a person number or a phone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement(String);

/// A document number has fewer digits in a row than an identifier of a person (`domain.md` 3: nine and more).
const DIGITS: usize = 9;

impl Statement {
    pub const LONGEST: usize = 300;

    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = !text.is_empty()
            && text.chars().count() <= Self::LONGEST
            && !text.chars().any(char::is_control)
            && longest_run(&text) < DIGITS;
        fits.then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The most digits in a row, with what people put between the groups of a number left out.
fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for letter in text.chars() {
        if letter.is_numeric() {
            run += 1;
            longest = longest.max(run);
        } else if !matches!(letter, ' ' | '.' | '-') {
            run = 0;
        }
    }
    longest
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_something_and_names_nobody_by_number() {
        for (given, kept) in [
            ("  Viện  Kiểm sát\nHà Nội ", Some("Viện Kiểm sát Hà Nội")),
            ("12/2026/QĐ-CQĐT", Some("12/2026/QĐ-CQĐT")),
            ("", None),
            (" \n", None),
            ("về 099192000002", None),
            ("về 099 192 000 002", None),
            ("gọi 0912-000-002", None),
            ("về ０９９１９２０００００２", None),
            ("a\u{7}b", None),
        ] {
            assert_eq!(Statement::parse(given).as_ref().map(Statement::as_str), kept, "{given:?}");
        }
        assert!(Statement::parse(&"ă".repeat(Statement::LONGEST)).is_some());
        assert!(Statement::parse(&"ă".repeat(Statement::LONGEST + 1)).is_none());
    }
}

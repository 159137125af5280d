//! A call to the hotline about an account that waits for its holder (ND69 Art 14(1)): which case it is, and what was checked
//! of who called.

use std::collections::BTreeSet;

/// The hotline's reference of a case. It stands in the trail in clear, so nothing personal fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case(String);

/// A reference has fewer digits in a row than an identifier of a person (`domain.md` 3: nine and more).
const DIGITS: usize = 9;

impl Case {
    pub const LONGEST: usize = 64;

    pub fn parse(text: &str) -> Option<Case> {
        let case = text.trim();
        let written = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '.' | '_' | ' ' | '#');
        let runs = case.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= DIGITS);
        let fits = !case.is_empty() && case.len() <= Self::LONGEST && case.chars().all(written) && !runs;
        fits.then(|| Case(case.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What whoever called was asked. Each is known to more people than the holder, which is why one is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The call comes from the registered phone.
    Phone,
    /// Name and birth date as the population database has them.
    Particulars,
    /// The end of the identity card's number, and until when it is good.
    Card,
}

impl Check {
    pub const ALL: [Check; 3] = [Check::Phone, Check::Particulars, Check::Card];

    pub const fn name(self) -> &'static str {
        match self {
            Check::Phone => "phone",
            Check::Particulars => "particulars",
            Check::Card => "card",
        }
    }

    pub fn parse(name: &str) -> Option<Check> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }
}

/// How many different checks a call takes.
const ENOUGH: usize = 2;

/// A call in which enough was checked. Only `of` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    case: Case,
    checked: BTreeSet<Check>,
}

impl Call {
    pub fn of(case: Case, checked: impl IntoIterator<Item = Check>) -> Option<Call> {
        let checked: BTreeSet<Check> = checked.into_iter().collect();
        (checked.len() >= ENOUGH).then_some(Call { case, checked })
    }

    pub fn case(&self) -> &Case {
        &self.case
    }

    pub fn checked(&self) -> Vec<&'static str> {
        self.checked.iter().map(|check| check.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_reference_and_names_nobody() {
        for (given, kept) in [
            (" TD-2026/0117 ", Some("TD-2026/0117")),
            ("#12 34_5.6", Some("#12 34_5.6")),
            ("12345678", Some("12345678")),
            ("", None),
            ("  ", None),
            ("099090000001", None),
            ("vụ 0117", None),
            ("a\nb", None),
        ] {
            assert_eq!(Case::parse(given).as_ref().map(Case::as_str), kept, "{given:?}");
        }
        assert!(Case::parse(&"a".repeat(64)).is_some() && Case::parse(&"a".repeat(65)).is_none());
    }

    #[test]
    fn two_different_checks_are_a_call_and_one_twice_is_not() {
        let case = || Case::parse("TD-1").unwrap();
        assert!(Call::of(case(), []).is_none());
        for check in Check::ALL {
            assert!(Call::of(case(), [check, check]).is_none(), "{check:?}");
            assert_eq!(Check::parse(check.name()), Some(check));
        }
        let call = Call::of(case(), [Check::Card, Check::Phone]).unwrap();
        assert_eq!(call.checked(), ["phone", "card"]);
        assert_eq!(Call::of(case(), Check::ALL).unwrap().checked().len(), 3);
    }
}

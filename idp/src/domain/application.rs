//! Form TK01 as an officer takes it at the desk (ND69 Art 10(2)): who applies, how they are reached, and the identity check
//! as references, never a picture, a print or a template.

use chrono::NaiveDate;

use super::claim::ClaimName;
use super::level::AccountLevel;
use super::person_number::PersonNumber;
use super::statement::Statement;

/// The number of a match in the identity database: opaque and short, so that nothing else can stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (4..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/'));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The document shown: enough to say which it was, not enough to copy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardShown {
    /// The last four digits of its number.
    pub suffix: String,
    /// The last day it is good for; `None` for a card without an end.
    pub expires: Option<NaiveDate>,
}

impl CardShown {
    pub fn parse(suffix: &str, expires: Option<NaiveDate>) -> Option<Self> {
        let fits = suffix.len() == 4 && suffix.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self { suffix: suffix.to_owned(), expires })
    }

    pub fn is_valid(&self, today: NaiveDate) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }
}

/// Whether a grant waits for a card issued meanwhile: level 2 takes one in force (ND69 Art 7(1)); a child's level 1 takes
/// none, but one that ran out would lock the account as soon as it is made (ND69 Art 15).
pub fn needs_card(level: AccountLevel, shown: Option<&CardShown>, today: NaiveDate) -> bool {
    match shown {
        Some(card) => !card.is_valid(today),
        None => level == AccountLevel::Two,
    }
}

/// What level 2 takes and level 1 does not: the person matched in the identity database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    pub face: Reference,
    pub fingerprint: Reference,
}

/// Which account is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// At the desk only for a child or a ward, who cannot ask for it alone (ND69 Art 10(2)đ).
    LevelOne,
    LevelTwo(Matched),
}

impl Wanted {
    pub const fn level(&self) -> AccountLevel {
        match self {
            Wanted::LevelOne => AccountLevel::One,
            Wanted::LevelTwo(_) => AccountLevel::Two,
        }
    }

    pub const fn matched(&self) -> Option<&Matched> {
        match self {
            Wanted::LevelOne => None,
            Wanted::LevelTwo(matched) => Some(matched),
        }
    }
}

/// The identity check, done in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `None`: the person has no card (ND69 Art 13(2)).
    pub card: Option<CardShown>,
    /// The number the office filed TK01 under.
    pub form: Statement,
}

/// Who the person is; needed where no account says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Stated {
    pub name: String,
    pub birthdate: NaiveDate,
    /// `male` or `female`.
    pub gender: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    pub wanted: Wanted,
    pub number: PersonNumber,
    pub stated: Option<Stated>,
    /// E.164, the person's own subscription.
    pub phone: String,
    pub email: Option<String>,
    pub dependants: Vec<PersonNumber>,
    /// Who registers a child or a ward (ND69 Art 10(2)đ); `None` for whoever registers alone.
    pub guardian: Option<PersonNumber>,
    pub papers: Vec<ClaimName>,
    pub checked: Checked,
}

/// Papers a person may ask to have integrated (ND69 Art 10(2)).
pub const PAPERS: [&str; 5] = ["vn_gplx", "vn_vehicles", "vn_bhyt", "vn_bhxh", "vn_tax_code"];

/// The most dependants one form names.
pub const MOST_DEPENDANTS: usize = 20;

/// A Vietnamese or foreign number as people write it, in E.164.
pub fn phone(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    let text = match text.strip_prefix('0') {
        Some(rest) => format!("+84{rest}"),
        None => text,
    };
    let digits = text.strip_prefix('+')?;
    let fits =
        (8..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(text)
}

pub fn email(text: &str) -> Option<String> {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let (name, host) = text.split_once('@')?;
    (plain && !name.is_empty() && host.contains('.') && !host.contains('@')).then(|| text.to_owned())
}

/// A full name as one line.
pub fn name(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() || c.is_numeric());
    fits.then_some(text)
}

/// dd/MM/yyyy as people write it, or as a date field sends it.
pub fn day(text: &str) -> Option<NaiveDate> {
    ["%d/%m/%Y", "%Y-%m-%d"].into_iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn references_are_opaque_and_short() {
        for (given, fits) in [
            ("FM-2026-000123", true),
            ("a1:b2/c3", true),
            ("abc", false),
            ("data:image/png;base64,iVBORw0KGgo=", false),
            ("hai chữ", false),
        ] {
            assert_eq!(Reference::parse(given).is_some(), fits, "{given}");
        }
        assert!(Reference::parse(&"a".repeat(65)).is_none(), "no template fits");
    }

    #[test]
    fn a_grant_waits_for_a_card_where_level_two_has_none_or_the_one_shown_ran_out() {
        let (today, over) = (day("2026-11-23"), CardShown::parse("0002", Some(day("2026-11-22"))));
        let valid = CardShown::parse("0002", Some(today));
        for (level, shown, needs) in [
            (AccountLevel::One, None, false),
            (AccountLevel::One, valid.as_ref(), false),
            (AccountLevel::One, over.as_ref(), true),
            (AccountLevel::Two, None, true),
            (AccountLevel::Two, valid.as_ref(), false),
            (AccountLevel::Two, over.as_ref(), true),
        ] {
            assert_eq!(needs_card(level, shown, today), needs, "{level:?} {shown:?}");
        }
    }

    #[test]
    fn phones_are_taken_as_people_write_them() {
        for (given, taken) in [
            ("0912 000 002", Some("+84912000002")),
            ("+84 912.000.002", Some("+84912000002")),
            ("912000002", None),
            ("00", None),
            ("+0912000002", None),
        ] {
            assert_eq!(phone(given).as_deref(), taken, "{given}");
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_last_day() {
        let card = CardShown::parse("0002", Some(day("2026-11-23"))).unwrap();
        assert!(card.is_valid(day("2026-11-23")) && !card.is_valid(day("2026-11-24")));
        assert!(CardShown::parse("0002", None).unwrap().is_valid(day("2126-01-01")));
        assert!(CardShown::parse("02", None).is_none() && CardShown::parse("000２", None).is_none());
    }
}

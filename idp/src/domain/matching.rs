//! Matching: whether what an applicant states is what the population database holds (`domain.md` 3.9, ND69 Art 11(1)).

use chrono::{Datelike, NaiveDate};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::enrolment::Particulars;
use super::paper;
use super::register::Record;
use super::registration::Reason;

/// ND69 Art 7(1): from this age on a citizen registers alone.
const OF_AGE: u32 = 14;

/// The marks of the five tones. Hats, breves and horns make other letters and stay where they are.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// What a name is compared by: case folded, spaces collapsed, and the tone of a word put at its end, because «Hòa» and
/// «Hoà» are one name in two spellings. A different tone is a different name, and so is i for y.
pub fn name_key(name: &str) -> String {
    let lower: String = name.nfc().collect::<String>().to_lowercase();
    let words = lower.split_whitespace().map(|word| {
        let (mut tones, letters): (Vec<char>, Vec<char>) = word.nfd().partition(|letter| TONES.contains(letter));
        // Those of several letters come to stand on one, where Unicode orders them by class.
        tones.sort_by_key(|tone| canonical_combining_class(*tone));
        letters.into_iter().chain(tones).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether level 1 may be granted on these facts. What differs is not told apart: whoever fills in the form may be anybody.
pub fn check(stated: &Particulars, held: Option<&Record>, today: NaiveDate) -> Result<(), Reason> {
    let held = held.filter(|held| !held.deceased).ok_or(Reason::NotMatched)?;
    let same = name_key(&stated.name) == name_key(&held.name)
        && is_within(&stated.birthdate, &held.birthdate)
        && stated.gender == held.gender;
    if !same {
        return Err(Reason::NotMatched);
    }
    if age(&stated.birthdate, today).is_none_or(|age| age < OF_AGE) {
        return Err(Reason::UnderAge);
    }
    // ND69 Art 7(1): a citizen of fourteen or more with a valid card.
    match held.card {
        Some(card) if card.is_valid(today) => Ok(()),
        _ => Err(Reason::CardNotValid),
    }
}

/// `domain.md` 3.8: the register may know no more than the year.
fn is_within(stated: &str, held: &str) -> bool {
    paper::date(stated).is_some() && paper::is_birthdate(held) && stated.starts_with(held)
}

fn age(birthdate: &str, today: NaiveDate) -> Option<u32> {
    let born = paper::date(birthdate)?;
    let years = u32::try_from(today.year().checked_sub(born.year())?).ok()?;
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    years.checked_sub(u32::from(!had_birthday))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::PersonNumber;
    use crate::domain::register::{Card, CardStatus, Papers};

    fn record() -> Record {
        Record {
            number: PersonNumber::parse("099198000009").unwrap(),
            name: "Nguyễn Thị Hoà".to_owned(),
            birthdate: "1998-03-12".to_owned(),
            gender: "female".to_owned(),
            card: Some(Card { issued: None, expires: Some("2030-01-01".parse().unwrap()), status: CardStatus::Valid }),
            deceased: false,
            papers: Papers::default(),
        }
    }

    fn stated() -> Particulars {
        Particulars {
            name: "nguyễn thị hòa".to_owned(),
            birthdate: "1998-03-12".to_owned(),
            gender: "female".to_owned(),
            ..Particulars::default()
        }
    }

    fn on(day: &str, stated: &Particulars, held: &Record) -> Result<(), Reason> {
        check(stated, Some(held), day.parse().unwrap())
    }

    #[test]
    fn names_by_their_words_and_tones() {
        for (one, other, same) in [
            ("Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA", true),
            ("Nguyễn  Thị\u{a0}Thúy", "nguyễn thị thuý", true),
            ("Nguye\u{302}\u{303}n Văn An", "Nguyễn Văn An", true),
            ("Đỗ Gia Hân", "đỗ gia hân", true),
            ("Hòa", "Hóa", false),
            ("Thủy", "Thụy", false),
            ("Hân", "Han", false),
            ("Lý", "Lí", false),
            ("Mai Anh", "Maianh", false),
            ("H'Hen Niê", "h'hen niê", true),
        ] {
            assert_eq!(name_key(one) == name_key(other), same, "{one} {other}");
        }
    }

    #[test]
    fn one_thing_that_differs_is_a_mismatch() {
        assert_eq!(on("2026-11-22", &stated(), &record()), Ok(()));
        let wrong = |change: fn(&mut Particulars)| {
            let mut stated = stated();
            change(&mut stated);
            on("2026-11-22", &stated, &record())
        };
        assert_eq!(wrong(|stated| stated.name.push('h')), Err(Reason::NotMatched));
        assert_eq!(wrong(|stated| stated.birthdate = "1998-03-13".to_owned()), Err(Reason::NotMatched));
        assert_eq!(wrong(|stated| stated.birthdate = "1998".to_owned()), Err(Reason::NotMatched));
        assert_eq!(wrong(|stated| stated.gender = "male".to_owned()), Err(Reason::NotMatched));
        assert_eq!(check(&stated(), None, "2026-11-22".parse().unwrap()), Err(Reason::NotMatched));
        assert_eq!(on("2026-11-22", &stated(), &Record { deceased: true, ..record() }), Err(Reason::NotMatched));
        // What the register does not know to the day is compared as far as it knows.
        assert_eq!(on("2026-11-22", &stated(), &Record { birthdate: "1998".to_owned(), ..record() }), Ok(()));
    }

    #[test]
    fn nd69_7_1_of_age_and_with_a_valid_card() {
        assert_eq!(on("2012-03-11", &stated(), &record()), Err(Reason::UnderAge));
        assert_eq!(on("2012-03-12", &stated(), &record()), Ok(()));
        assert_eq!(on("1990-01-01", &stated(), &record()), Err(Reason::UnderAge));
        assert_eq!(on("2030-01-01", &stated(), &record()), Ok(()));
        assert_eq!(on("2030-01-02", &stated(), &record()), Err(Reason::CardNotValid));
        assert_eq!(on("2026-11-22", &stated(), &Record { card: None, ..record() }), Err(Reason::CardNotValid));
        for status in [CardStatus::Revoked, CardStatus::Held, CardStatus::Expired] {
            let card = record().card.map(|card| Card { status, ..card });
            assert_eq!(on("2026-11-22", &stated(), &Record { card, ..record() }), Err(Reason::CardNotValid));
        }
    }

    #[test]
    fn two_tones_in_one_word_stand_as_unicode_orders_them() {
        let key = name_key("\u{1F1A}\u{1E04}");
        assert_eq!((key.as_str(), name_key(&key)), ("\u{3B5}\u{313}b\u{323}\u{300}", key.clone()));
    }

    proptest! {
        #[test]
        fn a_key_says_the_same_of_what_it_made(name in "\\PC{0,60}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key.clone());
            prop_assert_eq!(name_key(&name.to_uppercase().to_lowercase()), name_key(&name.to_lowercase().to_uppercase().to_lowercase()));
        }
    }
}

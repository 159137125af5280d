//! What a new password must not be (`security.md` LG-07, LG-08): asked wherever one is set, never where one is
//! checked, so that a rule added later locks nobody out.
//!
//! Length is counted in characters after NFC, the one normalisation a password goes through before it is hashed:
//! eight at least, no upper bound a person meets. No rule asks for capitals or digits (NIST SP 800-63B §5.1.1.2): they
//! make people write «Matkhau@1», which is refused here because nothing but a common word is left of it.
//!
//! The list in `common.txt` holds words, not passwords: of a candidate, accents, digits put for letters and ornaments
//! are taken away first, so that one line stands for the thousands of variants a list of passwords would have to hold.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

use super::LONGEST;

/// Fewest characters of a new password (NIST SP 800-63B §5.1.1.1).
pub const SHORTEST: usize = 8;

/// As many digits of somebody's own number in a row make a password theirs to guess.
const OWN_DIGITS: usize = 6;
/// Parts of a name shorter than this stand in too many words.
const OWN_LETTERS: usize = 4;
/// A password of fewer different characters is a rhythm, not a secret.
const FEWEST_DIFFERENT: usize = 4;

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("common.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// What is known of the person who chooses. What is not known is left empty.
#[derive(Clone, Copy, Default)]
pub struct Person<'a> {
    pub number: &'a str,
    /// E.164.
    pub phones: &'a [&'a str],
    pub name: &'a str,
    /// ISO 8601.
    pub birthdate: &'a str,
}

/// Why a password is not taken. The page says it by `password.weak.NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weakness {
    TooShort,
    TooLong,
    /// It holds the person number, the phone, the birth date or the name.
    Personal,
    /// It holds the name of this service.
    Service,
    Common,
}

impl Weakness {
    pub const ALL: [Weakness; 5] = [Self::TooShort, Self::TooLong, Self::Personal, Self::Service, Self::Common];

    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Personal => "personal",
            Self::Service => "service",
            Self::Common => "common",
        }
    }
}

/// Whether a person may set this password.
pub fn check_new(password: &str, person: &Person<'_>) -> Result<(), Weakness> {
    // Before anything is computed over it.
    if password.len() > LONGEST {
        return Err(Weakness::TooLong);
    }
    if password.nfc().count() < SHORTEST {
        return Err(Weakness::TooShort);
    }
    let plain = plain(password);
    let letters: Zeroizing<String> = Zeroizing::new(plain.chars().filter(char::is_ascii_alphabetic).collect());
    let unmasked = unmasked(&plain);
    if letters.contains("vneid") || unmasked.contains("vneid") {
        return Err(Weakness::Service);
    }
    if is_personal(&plain, [&letters, &unmasked], person) {
        return Err(Weakness::Personal);
    }
    if is_common(&plain, [&letters, &unmasked]) { Err(Weakness::Common) } else { Ok(()) }
}

/// Lower case, no accents.
fn plain(text: &str) -> Zeroizing<String> {
    let bare = text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase);
    Zeroizing::new(bare.map(|letter| if letter == 'đ' { 'd' } else { letter }).collect())
}

/// Letters only, where a sign or digit that looks like a letter is read as one. A digit at the end is an ornament.
fn unmasked(plain: &str) -> Zeroizing<String> {
    let stem = plain.trim_end_matches(|letter: char| !letter.is_ascii_alphabetic());
    let read = stem.chars().filter_map(|letter| match letter {
        '0' => Some('o'),
        '1' | '!' | '|' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        '8' => Some('b'),
        '9' => Some('g'),
        letter => Some(letter).filter(char::is_ascii_alphabetic),
    });
    Zeroizing::new(read.collect())
}

fn is_personal(plain: &str, readings: [&str; 2], person: &Person<'_>) -> bool {
    let digits: Zeroizing<String> = Zeroizing::new(plain.chars().filter(char::is_ascii_digit).collect());
    let shares_digits = |own: &str| {
        let own: Vec<char> = own.chars().filter(char::is_ascii_digit).collect();
        own.windows(OWN_DIGITS).any(|run| digits.contains(run.iter().collect::<String>().as_str()))
    };
    let phones = person.phones.iter().map(|phone| phone.strip_prefix("+84").unwrap_or(phone));
    if shares_digits(person.number) || phones.into_iter().any(shares_digits) {
        return true;
    }
    if dates(person.birthdate).iter().any(|date| digits.contains(date.as_str())) {
        return true;
    }
    let name = self::plain(person.name);
    let parts: Vec<&str> = name.split_whitespace().collect();
    // «Nguyễn Văn An»: nguyen, nguyenvanan, vanan; «van» and «an» alone stand in too many words.
    let joined = (0..parts.len()).map(|from| parts.iter().skip(from).copied().collect::<String>());
    let mut own = joined.chain(parts.iter().map(|part| (*part).to_owned())).filter(|part| part.len() >= OWN_LETTERS);
    own.any(|part| readings.iter().any(|reading| reading.contains(part.as_str())))
}

/// A birth date as people write it: day first, year first, and both with a short year.
fn dates(iso: &str) -> Vec<String> {
    let mut parts = iso.split('-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else { return Vec::new() };
    let Some(short) = year.get(2..) else { return Vec::new() };
    vec![
        format!("{day}{month}{year}"),
        format!("{year}{month}{day}"),
        format!("{month}{day}{year}"),
        format!("{day}{month}{short}"),
        format!("{short}{month}{day}"),
    ]
}

/// Whether nothing is left of it but common words, digits and ornaments, or it is a rhythm or a run.
fn is_common(plain: &str, readings: [&str; 2]) -> bool {
    let letters: Vec<char> = plain.chars().collect();
    let different: HashSet<&char> = letters.iter().collect();
    if different.len() < FEWEST_DIFFERENT || is_run(&letters) || repeats(&letters) {
        return true;
    }
    // A password of digits alone is a telephone number, a date or a plate.
    if letters.iter().all(|letter| !letter.is_alphabetic() && letter.is_ascii()) {
        return true;
    }
    let foreign = letters.iter().any(|letter| letter.is_alphabetic() && !letter.is_ascii());
    !foreign && readings.iter().any(|reading| !reading.is_empty() && is_made_of_few(reading))
}

/// Whether letters are at most two common words, of which one may stand twice: «matkhaumatkhau», «ilovehanoi». Four
/// words chosen freely are a good password and pass.
fn is_made_of_few(letters: &str) -> bool {
    if COMMON.contains(letters) || letters.len() < OWN_LETTERS {
        return true;
    }
    let mut splits = (1..letters.len()).filter_map(|at| letters.split_at_checked(at));
    splits.any(|(head, tail)| COMMON.contains(head) && (COMMON.contains(tail) || tail.len() < 3))
}

/// Neighbours all along: 12345678, abcdefgh, 87654321.
fn is_run(letters: &[char]) -> bool {
    let steps = letters.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(i64::from(u32::from(*next)) - i64::from(u32::from(*one))),
        _ => None,
    });
    let steps: Vec<i64> = steps.collect();
    let even = steps.iter().filter(|step| step.abs() <= 1).count();
    even * 5 >= steps.len() * 4
}

/// One short piece over and over: abcabcabc, 19901990.
fn repeats(letters: &[char]) -> bool {
    (1..=letters.len() / 2).any(|length| {
        letters.len().is_multiple_of(length) && letters.chunks(length).all(|chunk| letters.starts_with(chunk))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AN: Person<'static> =
        Person { number: "099090000001", phones: &["+84987102634"], name: "Nguyễn Văn An", birthdate: "1990-05-17" };

    #[test]
    fn lg_08_refused_when_set() {
        use Weakness::{Common, Personal, Service, TooLong, TooShort};
        let rows: [(&str, Weakness); 38] = [
            ("", TooShort),
            ("a1#Zk9q", TooShort),
            ("Tiê\u{301}ngX", TooShort),
            ("VNeID#2026", Service),
            ("toi-dung-VNEID-moi-ngay", Service),
            ("vn3id!!9921xk", Service),
            ("my099090000001x", Personal),
            ("qz-090000001-kk", Personal),
            ("so0987102634-kk", Personal),
            ("Xk#987102634", Personal),
            ("17/05/1990#xk", Personal),
            ("xk-19900517-qz", Personal),
            ("xk170590qzrt", Personal),
            ("NguyenVanAn#77", Personal),
            ("v4n4n-rung-xanh", Personal),
            ("nguyễn rừng xanh", Personal),
            ("password", Common),
            ("Password1!", Common),
            ("P@ssw0rd2026", Common),
            ("matkhau123", Common),
            ("Mật khẩu 2026", Common),
            ("M@tkhau@1", Common),
            ("12345678", Common),
            ("123456789@a", Common),
            ("87654321", Common),
            ("abcdefgh", Common),
            ("qwertyuiop", Common),
            ("1q2w3e4r", Common),
            ("aaaaaaaa", Common),
            ("abababab", Common),
            ("abc123abc123", Common),
            ("20102010", Common),
            ("84 90 11 22 33", Common),
            ("Anhyeuem1314", Common),
            ("iloveyou2", Common),
            ("ToiyeuHanoi@99", Common),
            ("Viettel@2025", Common),
            ("Hanoi2026!", Common),
        ];
        for (password, expected) in rows {
            assert_eq!(check_new(password, &AN), Err(expected), "{password:?}");
        }
        assert_eq!(check_new(&"rừng xanh ".repeat(200), &AN), Err(TooLong));
    }

    #[test]
    fn lg_07_what_people_choose_well_is_taken_without_rules_of_form() {
        let long = "con trâu gặm cỏ ven đê chiều mưa tháng bảy nước lên, khói bếp bay";
        assert_eq!(long.chars().count().max(64), long.chars().count(), "longer than 64 characters");
        for good in [
            "trau gam co ven de",
            "Bốn con mèo tam thể",
            "sông-chảy-ngược-dòng",
            "k7#Qz-fjw2",
            "Ph0-bo+sang-som",
            "quả xoài rơi 4 lần",
            "Ti\u{ea}\u{301}ng Việt 🔑\0x ",
            "ночь улица фонарь",
            long,
            "Rung-thong-9-cay",
        ] {
            assert_eq!(check_new(good, &AN), Ok(()), "{good:?}");
        }
        assert_eq!(check_new("v4n4n-rung-xanh", &Person::default()), Ok(()), "only of whom it is the name");
    }

    #[test]
    fn the_list_is_as_its_head_says() {
        assert!(COMMON.len() > 500, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
        for weakness in Weakness::ALL {
            assert!(weakness.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
    }

    proptest! {
        #[test]
        fn a_common_word_is_refused_however_it_is_dressed(
            word in proptest::sample::select(vec!["password", "matkhau", "iloveyou", "qwerty", "hanoi"]),
            tail in "[0-9!@#]{3,8}",
            upper: bool,
        ) {
            let word = if upper { word.to_uppercase() } else { word.to_owned() };
            let dressed = format!("{word}{tail}");
            prop_assert_eq!(check_new(&dressed, &Person::default()), Err(Weakness::Common));
        }

        #[test]
        fn lg_07_nothing_typed_makes_it_fail(password in ".{0,300}", number in "[0-9]{12}", name in ".{0,40}") {
            let person = Person { number: &number, phones: &["+84987102634"], name: &name, birthdate: "1990-05-17" };
            let nfc: String = password.nfc().collect();
            let nfd: String = password.nfd().collect();
            // One password typed on two keyboards is one, lengths in bytes apart.
            if nfd.len() <= LONGEST {
                prop_assert_eq!(check_new(&nfc, &person).is_ok(), check_new(&nfd, &person).is_ok());
            }
        }
    }
}

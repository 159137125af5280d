//! One-time passwords by SMS: what the message says, and to whom one may go.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::throttle::Verdict;
use crate::domain::Span;

/// A service's name takes no more than this of the message, so that it stays one SMS.
const LONGEST_SERVICE: usize = 40;

/// The message of a sign-in code (`security.md` LG-16): names service and purpose, warns, has no link, and ends in
/// the line by which a browser offers the code to our origin only. Unaccented, so that it fits the alphabet of
/// SMS. The code is the first run of six digits, because nothing before it has a digit.
pub fn text(code: &str, service: &str, host: &str) -> String {
    text_to(code, &format!("dang nhap {}", plain(service)), host)
}

/// The same for another act, named without accents.
pub fn text_to(code: &str, act: &str, host: &str) -> String {
    format!("Ma xac thuc {code} de {act}. Tuyet doi khong chia se ma nay cho bat ky ai.\n@{host} #{code}")
}

/// The message of a code that is not for a sign-in: what it is for is a literal of ours, plain and without a digit.
pub fn text_for(code: &str, purpose: &'static str, host: &str) -> String {
    format!("Ma xac thuc {code} de {purpose}. Tuyet doi khong chia se ma nay cho bat ky ai.\n@{host} #{code}")
}

/// What a code is for when no client asks. A code of one purpose never serves another (`security.md` LG-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Recovery,
    /// The owner is there.
    Change,
    /// The new phone is theirs.
    NewPhone,
}

impl Purpose {
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Recovery => "recovery",
            Purpose::Change => "change",
            Purpose::NewPhone => "new_phone",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Purpose::Recovery => "dat lai mat khau VNeID",
            Purpose::Change => "doi mat khau hoac so dien thoai VNeID",
            Purpose::NewPhone => "nhan so nay lam so dien thoai VNeID",
        }
    }
}

/// The message of such a code, of the same form.
pub fn own_text(code: &str, purpose: Purpose, host: &str) -> String {
    let purpose = purpose.told();
    format!("Ma xac thuc {code} de {purpose}. Khong phai ban yeu cau? Tuyet doi khong dua ma cho ai.\n@{host} #{code}")
}

/// What is told to the phone on file, at once, by itself (`security.md` LG-38). Holds no name, no number and no link but
/// to our own origin (LG-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// All proofs of a recovery were given. With where to stop it, the code for that, and the hours it waits.
    Proved {
        issuer: &'a str,
        stop_code: &'a str,
        hours: i64,
    },
    Recovered,
    /// Somebody tried to recover an account that cannot be used.
    CannotRecover,
    PasswordChanged,
    /// To the phone that was on file.
    PhoneReplaced,
    /// To the one that is now.
    PhoneTaken {
        hours: i64,
    },
    Stopped,
}

pub fn news(news: News<'_>) -> String {
    const CALL: &str = "Khong phai ban? Goi 1900.0368 hoac den Cong an xa de khoa tai khoan.";
    match news {
        News::Proved { issuer, stop_code, hours } => {
            let wait = match hours {
                0 => "ngay bay gio".to_owned(),
                hours => format!("sau {hours} gio nua"),
            };
            format!(
                "VNeID: mat khau cua ban se duoc dat lai {wait}. Khong phai ban? Mo {issuer}/recover?stop=1 va nhap ma dung {stop_code}."
            )
        }
        News::Recovered => format!("VNeID: mat khau vua duoc dat lai, moi thiet bi khac da dang xuat. {CALL}"),
        News::CannotRecover => {
            "VNeID: tai khoan cua ban hien khong dat lai mat khau qua mang duoc. Moi goi 1900.0368 hoac den Cong an xa."
                .to_owned()
        }
        News::PasswordChanged => format!("VNeID: mat khau vua duoc doi, moi thiet bi khac da dang xuat. {CALL}"),
        News::PhoneReplaced => format!("VNeID: so dien thoai cua tai khoan vua doi sang so khac. {CALL}"),
        News::PhoneTaken { hours } => {
            format!("VNeID: so nay la so dien thoai moi cua tai khoan, dung duoc cho muc do 2 sau {hours} gio nua.")
        }
        News::Stopped => "VNeID: viec dat lai mat khau da dung, mat khau cu van dung duoc.".to_owned(),
    }
}

/// The message of a code that lets a phone speak for the account: it says so, for whoever reads it out to a stranger.
pub fn binding_text(code: &str, host: &str) -> String {
    format!(
        "Ma xac thuc {code} de gan ung dung VNeID voi dien thoai khac. Ai co ma nay dang nhap duoc thay ban: khong chia se.\n@{host} #{code}"
    )
}

/// The same for a code that links the account to one at another provider.
pub fn linking_text(code: &str, provider: &str, host: &str) -> String {
    let provider = plain(provider);
    format!(
        "Ma xac thuc {code} de lien ket tai khoan voi {provider}. Tuyet doi khong chia se ma nay cho bat ky ai.\n@{host} #{code}"
    )
}

/// Latin letters, digits, spaces and hyphens: no accents, no punctuation a phone would make a link of, no line
/// break that could forge the last line.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'đ' => plain.push('d'),
            'Đ' => plain.push('D'),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => plain.push(letter),
            _ if plain.ends_with(' ') || plain.is_empty() => {}
            _ => plain.push(' '),
        }
        if plain.len() == LONGEST_SERVICE {
            break;
        }
    }
    let plain = plain.trim_end();
    // A name in another script leaves nothing behind.
    if plain.is_empty() { "VNeID".to_owned() } else { plain.to_owned() }
}

/// `security.md` N-21: numbers of Viet Nam only, in E.164. Elsewhere a message costs more than it proves.
pub fn may_receive(phone: &str) -> bool {
    phone.strip_prefix("+84").is_some_and(|rest| {
        (8..=10).contains(&rest.len()) && !rest.starts_with('0') && rest.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// Messages to an account within each window: how many went, or how many may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sends {
    pub burst: i64,
    pub quarter_hour: i64,
    pub day: i64,
}

impl Sends {
    pub const BURST: Span = Span::seconds(10);
    pub const QUARTER_HOUR: Span = Span::minutes(15);
    pub const DAY: Span = Span::hours(24);
}

/// Whether one more may go (N-20). The wait is the longest it can take, since a count does not tell when the
/// oldest message leaves its window.
pub fn may_send(sent: Sends, most: Sends) -> Verdict {
    if sent.day >= most.day {
        return Verdict::Wait(Sends::DAY);
    }
    if sent.quarter_hour >= most.quarter_hour {
        return Verdict::Wait(Sends::QUARTER_HOUR);
    }
    if sent.burst >= most.burst {
        return Verdict::Wait(Sends::BURST);
    }
    Verdict::Allow
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: Sends = Sends { burst: 2, quarter_hour: 3, day: 10 };

    /// As a phone or a test finds the code: the first six digits in a row.
    fn code_of(text: &str) -> String {
        let digits: Vec<char> = text.chars().collect();
        let run = digits.windows(6).find(|run| run.iter().all(char::is_ascii_digit));
        run.unwrap().iter().collect()
    }

    #[test]
    fn lg_16_names_service_and_purpose_warns_and_ends_in_the_origin_line() {
        let text = text("012345", "Cổng Dịch vụ công Quốc gia", "id.example.vn");
        assert!(text.contains("dang nhap Cong Dich vu cong Quoc gia."), "{text}");
        assert!(text.contains("khong chia se ma nay"), "{text}");
        assert_eq!(text.lines().last(), Some("@id.example.vn #012345"));
        assert_eq!(code_of(&text), "012345");
        assert!(text.is_ascii() && !text.contains("://") && text.len() <= 160);
    }

    #[test]
    fn lg_16_codes_of_our_own_are_told_alike_and_news_hold_no_code_and_no_foreign_link() {
        for purpose in [Purpose::Recovery, Purpose::Change, Purpose::NewPhone] {
            let text = own_text("012345", purpose, "id.example.vn");
            assert_eq!((code_of(&text).as_str(), text.lines().last()), ("012345", Some("@id.example.vn #012345")));
            assert!(text.is_ascii() && !text.contains("://") && text.len() <= 160, "{}", text.len());
        }
        let issuer = "https://dangnhap.vneid.gov.vn";
        let proved = News::Proved { issuer, stop_code: "1234-5678", hours: 24 };
        for told in [
            proved,
            News::Recovered,
            News::CannotRecover,
            News::PasswordChanged,
            News::PhoneReplaced,
            News::PhoneTaken { hours: 24 },
            News::Stopped,
        ] {
            let text = news(told);
            assert!(text.is_ascii() && text.len() <= 160, "{} {text}", text.len());
            let digits: Vec<char> = text.chars().collect();
            assert!(!digits.windows(6).any(|run| run.iter().all(char::is_ascii_digit)), "{text}");
            assert_eq!(text.matches("://").count(), text.matches(issuer).count(), "lg_17: {text}");
        }
    }

    #[test]
    fn lg_16_a_service_cannot_smuggle_a_link_a_code_or_a_line() {
        for service in ["https://evil.vn", "evil.vn/x", "999999", "a\n@evil.vn #999999", "Đ\u{300}ất", ""] {
            let text = text("012345", service, "id.example.vn");
            assert_eq!(code_of(&text), "012345", "{text}");
            assert_eq!(text.lines().count(), 2, "{text}");
            let first = text.lines().next().unwrap();
            assert!(!first.contains("evil.vn") && !first.contains('/') && !first.contains('@'), "{text}");
        }
    }

    #[test]
    fn n_21_only_numbers_of_viet_nam() {
        for good in ["+84912345678", "+84241234567", "+842412345678"] {
            assert!(may_receive(good), "{good}");
        }
        for bad in
            ["", "+84", "0912345678", "84912345678", "+84 912345678", "+840912345678", "+1900123456", "+8491234567890"]
        {
            assert!(!may_receive(bad), "{bad}");
        }
    }

    #[test]
    fn n_20_sends() {
        let rows = [
            ((0, 0, 0), Verdict::Allow),
            ((1, 2, 9), Verdict::Allow),
            ((2, 2, 2), Verdict::Wait(Sends::BURST)),
            ((0, 3, 3), Verdict::Wait(Sends::QUARTER_HOUR)),
            ((0, 0, 10), Verdict::Wait(Sends::DAY)),
            ((2, 3, 10), Verdict::Wait(Sends::DAY)),
        ];
        for ((burst, quarter_hour, day), expected) in rows {
            assert_eq!(may_send(Sends { burst, quarter_hour, day }, MOST), expected);
        }
    }

    proptest! {
        #[test]
        fn the_code_is_always_the_first_run_of_six(code in "[0-9]{6}", service in ".{0,80}") {
            let text = text(&code, &service, "localhost");
            prop_assert_eq!(code_of(&text), code);
            prop_assert!(text.is_ascii());
            prop_assert_eq!(text.lines().count(), 2);
        }
    }
}

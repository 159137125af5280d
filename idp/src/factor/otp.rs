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
    let service = plain(service);
    format!(
        "Ma xac thuc {code} de dang nhap {service}. Tuyet doi khong chia se ma nay cho bat ky ai, ke ca can bo. \
         Neu khong phai ban, hay bo qua.\n@{host} #{code}"
    )
}

/// Latin letters, digits, spaces and hyphens: no accents, no punctuation a phone would make a link of, no line
/// break that could forge the last line.
fn plain(text: &str) -> String {
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
    plain.trim_end().to_owned()
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

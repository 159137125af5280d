//! What an applicant and a holder are told by SMS: plain words, no link, no personal data, and no run of six digits, which a
//! phone would take for a code.

use crate::domain::AccountLevel;
use crate::domain::registration::Reason;

/// An account that was activated before has nothing to activate: its level was raised.
pub(super) const fn granted(level: Option<AccountLevel>, activated: bool) -> &'static str {
    match (level, activated) {
        (_, true) => "VNeID: Tai khoan dinh danh dien tu cua ban da duoc nang len muc do 2. Ho tro: 1900.0368",
        (Some(AccountLevel::Two), false) => {
            "VNeID: Tai khoan dinh danh dien tu muc do 2 cua ban da duoc duyet. Hay kich hoat trong 7 ngay ke tu tin nhan \
             nay, tai trang Kich hoat tai khoan. Ho tro: 1900.0368"
        }
        _ => {
            "VNeID: Tai khoan dinh danh dien tu cua ban da duoc duyet. Hay kich hoat trong 7 ngay ke tu tin nhan nay, tai \
             trang Kich hoat tai khoan. Ho tro: 1900.0368"
        }
    }
}

pub(super) const HAS_ACCOUNT: &str = "VNeID: Co nguoi vua dang ky tai khoan bang so dinh danh cua ban. Ban da co tai khoan, \
    khong co gi thay doi. Neu khong phai ban, hay bao 1900.0368";

pub(super) fn refused(reason: Reason) -> &'static str {
    match reason {
        Reason::UnderAge => {
            "VNeID: Ho so dang ky tai khoan chua duoc duyet: nguoi duoi 14 tuoi do nguoi giam ho dang ky tai cong an xa, \
             phuong. Ho tro: 1900.0368"
        }
        Reason::CardNotValid => {
            "VNeID: Ho so dang ky tai khoan chua duoc duyet: the can cuoc khong con gia tri. Hay den cong an xa, phuong de \
             cap doi the. Ho tro: 1900.0368"
        }
        _ => {
            "VNeID: Ho so dang ky tai khoan chua duoc duyet: thong tin khong khop, hoac da co tai khoan. Hay kiem tra lai \
             hoac den cong an xa, phuong. Ho tro: 1900.0368"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_a_phone_and_hold_no_code_and_no_link() {
        for text in Reason::ALL.map(refused).into_iter().chain([
            granted(Some(AccountLevel::One), false),
            granted(Some(AccountLevel::Two), false),
            granted(Some(AccountLevel::Two), true),
            HAS_ACCOUNT,
        ]) {
            assert!(text.is_ascii() && !text.contains("://") && !text.contains("  "), "{text}");
            assert!(text.len() <= 320, "two messages at most: {text}");
            let digits: Vec<char> = text.chars().collect();
            assert!(!digits.windows(6).any(|run| run.iter().all(char::is_ascii_digit)), "{text}");
        }
    }
}

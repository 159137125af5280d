//! What a holder's phone is told when a way to sign in is added or taken away.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    PasskeyAdded,
    PasskeyRemoved,
    TotpAdded,
    TotpRemoved,
}

/// Unaccented, so that it fits the alphabet of SMS; without a link and without a run of digits that passes for a code
/// (`security.md` LG-16, LG-38).
pub const fn text(change: Change) -> &'static str {
    match change {
        Change::PasskeyAdded => {
            "VNeID: tai khoan cua ban vua duoc them mot khoa truy cap (passkey). Neu khong phai ban, goi ngay 1900.0368."
        }
        Change::PasskeyRemoved => {
            "VNeID: mot khoa truy cap (passkey) vua bi go khoi tai khoan cua ban. Neu khong phai ban, goi ngay 1900.0368."
        }
        Change::TotpAdded => {
            "VNeID: tai khoan cua ban vua duoc them ung dung xac thuc. Neu khong phai ban, goi ngay 1900.0368."
        }
        Change::TotpRemoved => {
            "VNeID: ung dung xac thuc vua bi go khoi tai khoan cua ban. Neu khong phai ban, goi ngay 1900.0368."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg_38_one_plain_message_without_a_link_or_what_passes_for_a_code() {
        for change in [Change::PasskeyAdded, Change::PasskeyRemoved, Change::TotpAdded, Change::TotpRemoved] {
            let text = text(change);
            assert!(text.is_ascii() && text.len() <= 160 && !text.contains("://") && !text.contains('@'), "{text}");
            assert!(text.contains("1900.0368") && text.contains("Neu khong phai ban"));
            let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(longest < Some(6), "{text}");
        }
    }
}

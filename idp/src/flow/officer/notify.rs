//! What holders are told by message of an act at the desk. Unaccented, without a link and without anything personal.

use std::sync::Arc;

use crate::domain::{AccountLevel, Fault};
use crate::idp::Idp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A new account is to be activated at this address.
    ToActivate(String),
    /// An account in use was raised.
    LevelTwo,
    NotGranted,
}

/// Which account it is about; a guardian reads it about somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    pub level: AccountLevel,
    pub is_guarded: bool,
}

impl News {
    pub fn text(&self, about: Whose) -> String {
        let (level, whose) = (about.level.number(), if about.is_guarded { "nguoi ban dai dien" } else { "ban" });
        match self {
            News::ToActivate(at) => format!(
                "Tai khoan dinh danh dien tu muc do {level} cua {whose} da duoc cap. Hay kich hoat trong 7 ngay tai {at} . \
                 Qua han, hay goi tong dai ho tro."
            ),
            News::LevelTwo => format!(
                "Tai khoan cua {whose} da len muc do 2 va can cuoc dien tu da duoc cap. Dang nhap nhu truoc. Neu khong \
                 phai ban yeu cau, hay den Cong an cap xa gan nhat."
            ),
            News::NotGranted => format!(
                "Ho so dang ky dinh danh muc do {level} cua {whose} chua duoc chap nhan. Hay den noi da nop ho so de biet \
                 ly do va bo sung."
            ),
        }
    }
}

/// To a phone that is on no account yet.
pub async fn to(phone: &str, text: &str, idp: &Arc<Idp>) -> Result<(), Fault> {
    idp.notice.send(phone, text, idp.clock.now()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guardian_is_told_whose_account_and_which_level() {
        let child = Whose { level: AccountLevel::One, is_guarded: true };
        let own = Whose { level: AccountLevel::Two, is_guarded: false };
        let granted = News::ToActivate("https://id.example/activate".to_owned());
        for (news, about, part) in [
            (&granted, child, "muc do 1 cua nguoi ban dai dien"),
            (&granted, own, "muc do 2 cua ban da"),
            (&News::LevelTwo, own, "Tai khoan cua ban"),
            (&News::NotGranted, child, "muc do 1 cua nguoi ban dai dien"),
        ] {
            let text = news.text(about);
            assert!(text.contains(part) && text.is_ascii(), "{text}");
        }
    }
}

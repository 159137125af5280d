//! What holders are told by message of an act at the desk. Unaccented, without a link and without anything personal.

use std::sync::Arc;

use crate::domain::Fault;
use crate::idp::Idp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A new account is to be activated at this address.
    ToActivate(String),
    /// An account in use was raised.
    LevelTwo,
    NotGranted,
}

impl News {
    fn text(&self) -> String {
        match self {
            News::ToActivate(at) => {
                return format!(
                    "Tai khoan dinh danh dien tu muc do 2 cua ban da duoc cap. Hay kich hoat trong 7 ngay tai {at} . \
                     Qua han, hay goi tong dai ho tro."
                );
            }
            News::LevelTwo => {
                "Tai khoan cua ban da len muc do 2 va can cuoc dien tu da duoc cap. Dang nhap nhu truoc. Neu khong phai \
                 ban yeu cau, hay den Cong an cap xa gan nhat."
            }
            News::NotGranted => {
                "Ho so dang ky dinh danh muc do 2 cua ban chua duoc chap nhan. Hay den noi da nop ho so de biet ly do va \
                 bo sung."
            }
        }
        .to_owned()
    }
}

/// To a phone that is on no account yet.
pub async fn to(phone: &str, news: &News, idp: &Arc<Idp>) -> Result<(), Fault> {
    idp.notice.send(phone, &news.text(), idp.clock.now()).await
}

//! What holders are told by message of an act at the desk. Unaccented, without a link and without anything personal.

use std::sync::Arc;

use crate::domain::account::Account;
use crate::domain::authority_request::Wish;
use crate::domain::{Fault, Id};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The e-ID was locked or unlocked; whether it is active now.
    Turned(Wish, bool),
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
            News::Turned(Wish::Lock, _) => {
                "Can cuoc dien tu cua ban da bi khoa. Moi phien dang nhap da ket thuc. Neu khong phai ban yeu cau, hay \
                 den Cong an cap xa gan nhat."
            }
            News::Turned(Wish::Unlock, true) => {
                "Can cuoc dien tu cua ban da duoc mo khoa. Hay dang nhap lai. Neu khong phai ban yeu cau, hay den Cong \
                 an cap xa gan nhat."
            }
            News::Turned(Wish::Unlock, false) => {
                "Mot can cu khoa can cuoc dien tu cua ban da duoc go. Can cuoc dien tu van bi khoa theo can cu khac. Hay \
                 den Cong an cap xa de biet them."
            }
        }
        .to_owned()
    }
}

/// Tells the holder by the phone on file. The act stands whether the message goes or not.
pub async fn send(account: &Id<Account>, news: News, idp: &Arc<Idp>) {
    if let Err(fault) = try_send(account, &news, idp).await {
        tracing::warn!(%fault, "a holder could not be told of an act at the desk");
    }
}

async fn try_send(account: &Id<Account>, news: &News, idp: &Arc<Idp>) -> Result<(), Fault> {
    let id = account.clone();
    let known = idp.store.read(move |db| store::account::credentials(db, &id)).await?;
    let Some(phone) = known.and_then(|known| known.phone) else { return Ok(()) };
    let to = sealed::open_phone(account, &phone, &idp.vault)?;
    self::to(&to, news, idp).await
}

/// To a phone that is on no account yet.
pub async fn to(phone: &str, news: &News, idp: &Arc<Idp>) -> Result<(), Fault> {
    idp.notice.send(phone, &news.text(), idp.clock.now()).await
}

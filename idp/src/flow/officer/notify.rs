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
}

impl News {
    fn text(&self) -> String {
        match self {
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
    idp.notice.send(&to, &news.text(), idp.clock.now()).await
}

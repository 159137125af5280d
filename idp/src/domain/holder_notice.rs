//! What a holder is told by message, kept until it was handed over. It holds no personal value: whom it goes to is
//! read when it leaves.

use super::account::Account;
use super::case::Case;
use super::confirmation::{Confirmation, WAITS};
use super::eid::LockGround;
use super::id::Id;
use super::moment::{Moment, Span};

/// How often in an hour a guardian who does not answer is told that a child or ward asks; the rest waits on their page.
pub const GUARDIAN_TOLD_AN_HOUR: i64 = 3;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// LCC Art 34(3): told at once, except of death.
    Locked(LockGround),
    Unlocked,
    CaseOpened(Id<Case>),
    CaseClosed(Id<Case>),
    /// ND69 Art 14(2): a child or ward waits for this person's word.
    GuardianAsked(Id<Confirmation>),
}

impl News {
    /// LCC Art 34(3): a, b, c and đ are told; of a death nobody is left to be.
    pub fn of_lock(ground: LockGround) -> Option<News> {
        (ground != LockGround::Death).then_some(News::Locked(ground))
    }

    /// For how long a message is still worth sending.
    pub fn worth_sending(&self) -> Span {
        match self {
            News::GuardianAsked(_) => WAITS,
            _ => Span::days(1),
        }
    }

    /// The word it is kept under and what belongs to it.
    pub fn kept(&self) -> (&'static str, &str) {
        match self {
            News::Locked(ground) => ("locked", ground.letter()),
            News::Unlocked => ("unlocked", ""),
            News::CaseOpened(case) => ("case_opened", case.as_str()),
            News::CaseClosed(case) => ("case_closed", case.as_str()),
            News::GuardianAsked(asked) => ("guardian_asked", asked.as_str()),
        }
    }

    pub fn parse(word: &str, of: &str) -> Option<News> {
        match word {
            "locked" => LockGround::parse(of).map(News::Locked),
            "unlocked" => Some(News::Unlocked),
            "case_opened" => Some(News::CaseOpened(Id::new(of))),
            "case_closed" => Some(News::CaseClosed(Id::new(of))),
            "guardian_asked" => Some(News::GuardianAsked(Id::new(of))),
            _ => None,
        }
    }

    /// The message: Latin letters without accents, as every phone shows them, and never a link (`security.md` LG-16).
    pub fn text(&self) -> String {
        const CALL: &str = "Can giup: 1900.0368.";
        match self {
            News::Locked(ground) => {
                let why = match ground {
                    LockGround::HolderAsks => "theo yeu cau cua ban",
                    LockGround::AgreementBroken => "vi pham thoa thuan su dung ung dung",
                    LockGround::CardWithdrawn => "the can cuoc bi thu hoi hoac tam giu",
                    LockGround::AuthorityAsks => "theo yeu cau cua co quan co tham quyen",
                    LockGround::Death => "theo du lieu dan cu",
                };
                format!(
                    "Tai khoan dinh danh dien tu cua ban da bi khoa: {why}. Neu khong phai ban yeu cau, hay goi ngay. {CALL}"
                )
            }
            News::Unlocked => {
                format!("Tai khoan dinh danh dien tu cua ban da duoc mo khoa. Moi dang nhap lai. {CALL}")
            }
            News::CaseOpened(case) => format!(
                "Da nhan bao cao cua ban, ho so {case}. Phien lien quan da ket thuc, cac cong duoc bao. Hay doi mat khau. {CALL}"
            ),
            News::CaseClosed(case) => {
                format!("Ho so {case} da duoc giai quyet. Xem ket qua tai trang Danh tinh cua toi. {CALL}")
            }
            News::GuardianAsked(_) => format!(
                "Nguoi ban giam ho dang cho ban dong y de dung tai khoan dinh danh. Mo trang Danh tinh cua toi trong 10 phut; neu khong biet viec nay, hay tu choi. {CALL}"
            ),
        }
    }
}

/// One message on its way.
#[derive(Clone, Debug)]
pub struct HolderNotice {
    pub id: Id<HolderNotice>,
    pub account: Id<Account>,
    pub news: News,
    pub attempts: i64,
    pub next_at: Moment,
    pub expires_at: Moment,
}

/// When another attempt is due, after so many: soon at first, then every ten minutes.
pub fn pause(attempts: i64) -> Span {
    match attempts {
        ..=1 => Span::seconds(5),
        2 => Span::seconds(30),
        3 => Span::minutes(2),
        _ => Span::minutes(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_every_ground_is_told_but_death() {
        for ground in LockGround::ALL {
            assert_eq!(News::of_lock(ground).is_some(), ground != LockGround::Death);
        }
    }

    #[test]
    fn news_are_kept_and_read_back_and_fit_a_phone() {
        let case = || Id::new("HS-22222222");
        let grounds = LockGround::ALL.into_iter().filter_map(News::of_lock);
        for news in grounds.chain([
            News::Unlocked,
            News::CaseOpened(case()),
            News::CaseClosed(case()),
            News::GuardianAsked(Id::new("c1")),
        ]) {
            let (word, of) = news.kept();
            assert_eq!(News::parse(word, of), Some(news.clone()));
            assert!(news.text().is_ascii() && !news.text().contains("://"), "{}", news.text());
        }
        assert_eq!(News::parse("locked", "x"), None);
    }
}

//! The officer's desk in both languages: labels, and the words for what the rules name.

mod en;
mod labels;
mod vi;

use idp::domain::authority_request::{Stage, Wish};
use idp::domain::claim::ClaimName;
use idp::domain::eid::LockGround;
use idp::domain::enrolment::Proof;
use idp::domain::hotline::Check;
use idp::domain::registration::{Reason, State};
use idp::domain::{AccountLevel, Moment, Span};
use idp::web::page::calendar;

use self::en::EN;
use self::labels::Labels;
use self::vi::VI;

/// One text in both languages.
#[derive(Clone, Copy)]
pub struct Said {
    pub vi: &'static str,
    pub en: &'static str,
}

pub(super) const fn said(vi: &'static str, en: &'static str) -> Said {
    Said { vi, en }
}

/// The desk's words in one language.
#[derive(Clone, Copy)]
pub struct Desk {
    pub language: &'static str,
    pub label: &'static Labels,
}

impl Desk {
    pub fn of_language(language: &'static str) -> Self {
        let label = if language == "en" { &EN } else { &VI };
        Self { language, label }
    }

    pub fn of(&self, said: Said) -> &'static str {
        if self.language == "en" { said.en } else { said.vi }
    }

    pub fn of_wish(&self, wish: Wish) -> &'static str {
        self.of(match wish {
            Wish::Lock => said("Khóa tài khoản và căn cước điện tử", "Lock the account and its electronic ID"),
            Wish::Unlock => said("Mở khóa tài khoản và căn cước điện tử", "Unlock the account and its electronic ID"),
        })
    }

    pub fn of_stage(&self, stage: Stage) -> &'static str {
        self.of(match stage {
            Stage::Received => said("Đã nhận, chờ chuyển", "Received, to be forwarded"),
            Stage::Forwarded => said("Đã chuyển, chờ quyết định", "Forwarded, to be decided"),
            Stage::Accepted => said("Đã chấp nhận", "Accepted"),
            Stage::Refused => said("Đã từ chối", "Refused"),
        })
    }

    pub fn of_proof(&self, proof: Proof) -> &'static str {
        self.of(match proof {
            Proof::InPerson => said("Gặp trực tiếp", "Met in person"),
            Proof::CardSeen => said("Đã xem thẻ", "Card seen"),
            Proof::FaceMatch => said("Khuôn mặt khớp", "Face matched"),
            Proof::FingerprintMatch => said("Vân tay khớp", "Fingerprints matched"),
            Proof::RegisterMatch => said("Khớp cơ sở dữ liệu dân cư", "Matches the population database"),
            Proof::GuardianPresent => said("Có mặt người giám hộ", "Guardian present"),
            Proof::Form => said("Phiếu TK01", "Form TK01"),
        })
    }

    /// What was checked of whoever called the hotline.
    pub fn of_check(&self, check: Check) -> &'static str {
        self.of(match check {
            Check::Phone => {
                said("Người gọi dùng đúng số điện thoại đã đăng ký.", "The call comes from the registered phone.")
            }
            Check::Particulars => said(
                "Họ tên và ngày sinh người gọi nêu khớp Cơ sở dữ liệu quốc gia về dân cư.",
                "The name and birth date given match the population database.",
            ),
            Check::Card => said(
                "Bốn số cuối và thời hạn thẻ căn cước người gọi nêu là đúng.",
                "The last four digits and the last day of the identity card given are right.",
            ),
        })
    }

    pub fn of_state(&self, state: State) -> &'static str {
        self.of(match state {
            State::Draft => said("Đang lập", "Draft"),
            State::Submitted | State::Checking => said("Đang xem xét", "Being examined"),
            State::Rejected(_) => said("Đã từ chối", "Refused"),
            State::Granted => said("Đã cấp", "Granted"),
            State::Notified => said("Đã cấp, chờ kích hoạt", "Granted, to be activated"),
            State::Activated | State::ActivatedViaHotline => said("Đã cấp, đang dùng", "Granted, in use"),
            State::ActivationOverdue => said("Đã cấp, QUÁ HẠN kích hoạt", "Granted, activation OVERDUE"),
        })
    }

    pub fn of_reason(&self, reason: Reason) -> &'static str {
        self.of(match reason {
            Reason::NotMatched => said("Không khớp cơ sở dữ liệu", "Does not match the register"),
            Reason::UnderAge => said("Chưa đủ tuổi", "Under age"),
            Reason::CardNotValid => said("Không có thẻ còn hạn", "No valid card"),
            Reason::IdentityNotProved => said("Chưa chứng minh được danh tính", "Identity not proved"),
            Reason::PhoneNotOwn => said("Số điện thoại không chính chủ", "The phone is not the person's own"),
            Reason::DossierIncomplete => said("Hồ sơ chưa đầy đủ", "The application is incomplete"),
            Reason::Withdrawn => said("Công dân rút hồ sơ", "The person took it back"),
            Reason::Superseded => said("Đã cấp theo hồ sơ khác", "Granted by another request"),
        })
    }

    pub fn of_paper(&self, paper: &str) -> &'static str {
        let name = ClaimName::find(paper);
        let entry = name.map(|name| name.entry());
        entry.map_or("", |entry| if self.language == "en" { entry.en } else { entry.vi })
    }

    /// What an account has, or is asked for; organisations have none.
    pub fn of_level(&self, level: Option<AccountLevel>) -> &'static str {
        match level {
            Some(AccountLevel::One) => self.label.level_one,
            Some(AccountLevel::Two) => self.label.level_two,
            None => self.label.no_level,
        }
    }

    /// What a field of form TK01 is called where it is not right.
    pub fn of_field(&self, field: &str) -> &'static str {
        match field {
            "level" => self.label.level_wanted,
            "person_number" => self.label.number,
            "name" => self.label.name,
            "birthdate" => self.label.birthdate,
            "gender" => self.label.gender,
            "phone" => self.label.phone,
            "phone_own" => self.label.phone_own,
            "email" => self.label.email,
            "card_suffix" => self.label.card_suffix,
            "card_expires" => self.label.card_until,
            "card_endless" => self.label.card_endless,
            "no_card" => self.label.no_card,
            "face" => self.label.face,
            "fingerprint" => self.label.fingerprint,
            "dependants" => self.label.dependants,
            "guardian" => self.label.guardian_optional,
            "papers" => self.label.papers,
            "seen" => self.label.seen,
            _ => self.label.form_number,
        }
    }

    /// LCC Art 34(1).
    pub fn of_ground(&self, ground: LockGround) -> &'static str {
        self.of(match ground {
            LockGround::HolderAsks => said("a) công dân yêu cầu", "a) the holder asks"),
            LockGround::AgreementBroken => said("b) vi phạm thỏa thuận sử dụng", "b) the agreement was broken"),
            LockGround::CardWithdrawn => said("c) thẻ bị thu hồi hoặc giữ", "c) the card was withdrawn or held"),
            LockGround::Death => said("d) công dân đã chết", "d) the holder died"),
            LockGround::AuthorityAsks => said("đ) cơ quan có thẩm quyền yêu cầu", "đ) an authority asks"),
        })
    }

    /// What a clock shows, in words: how much is left, or that it is overdue.
    pub fn of_left(&self, left: Span) -> String {
        let seconds = left.as_seconds();
        let how_long = self.length(seconds.unsigned_abs());
        match (seconds > 0, self.language) {
            (true, "en") => format!("{how_long} left"),
            (true, _) => format!("còn {how_long}"),
            (false, "en") => format!("OVERDUE by {how_long}"),
            (false, _) => format!("QUÁ HẠN {how_long}"),
        }
    }

    /// A deadline is a midnight; people name the day it ends.
    pub fn of_until(&self, until: Moment) -> String {
        let day = calendar::day(until - Span::seconds(1));
        if self.language == "en" { format!("until the end of {day}") } else { format!("đến hết ngày {day}") }
    }

    fn length(&self, seconds: u64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60);
        let part = |count: u64, vi: &str, one: &str, many: &str| match (count, self.language) {
            (0, _) => None,
            (1, "en") => Some(format!("1 {one}")),
            (_, "en") => Some(format!("{count} {many}")),
            _ => Some(format!("{count} {vi}")),
        };
        let days = part(days, "ngày", "day", "days");
        let hours = part(hours, "giờ", "hour", "hours");
        let parts = match (&days, &hours) {
            (None, _) => vec![hours, part(minutes, "phút", "minute", "minutes")],
            _ => vec![days, hours],
        };
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match (parts.is_empty(), self.language) {
            (true, "en") => "less than a minute".to_owned(),
            (true, _) => "dưới một phút".to_owned(),
            (false, _) => parts.join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use idp::flow::officer::Refusal;

    use super::*;

    #[test]
    fn a_clock_speaks_in_words() {
        let (vi, en) = (Desk::of_language("vi"), Desk::of_language("en"));
        for (seconds, in_vi, in_en) in [
            (90_000, "còn 1 ngày 1 giờ", "1 day 1 hour left"),
            (7_260, "còn 2 giờ 1 phút", "2 hours 1 minute left"),
            (20, "còn dưới một phút", "less than a minute left"),
            (0, "QUÁ HẠN dưới một phút", "OVERDUE by less than a minute"),
            (-172_800, "QUÁ HẠN 2 ngày", "OVERDUE by 2 days"),
        ] {
            assert_eq!(vi.of_left(Span::seconds(seconds)), in_vi);
            assert_eq!(en.of_left(Span::seconds(seconds)), in_en);
        }
        // 2026-11-25 00:00 in Vietnam.
        let midnight = Moment::from_unix(1_795_539_600);
        assert_eq!(vi.of_until(midnight), "đến hết ngày 24/11/2026");
    }

    #[test]
    fn every_refusal_has_words_in_both_languages() {
        for refusal in Refusal::ALL {
            let (vi, en) = (Desk::of_language("vi").of_refusal(refusal), Desk::of_language("en").of_refusal(refusal));
            assert!(!vi.is_empty() && !en.is_empty() && vi != en, "{refusal:?}");
        }
    }
}

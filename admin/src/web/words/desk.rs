//! The officer's desk in both languages.

use idp::domain::authority_request::{Stage, Wish};
use idp::domain::claim::ClaimName;
use idp::domain::eid::LockGround;
use idp::domain::enrolment::Proof;
use idp::domain::registration::{Reason, State};
use idp::domain::{Moment, Span};
use idp::web::page::calendar;

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
}

macro_rules! words {
    ($($name:ident: $vi:expr, $en:expr;)*) => {
        impl Desk {
            $(pub fn $name(&self) -> &'static str {
                self.of(said($vi, $en))
            })*
        }
    };
}

words! {
    title: "Bàn tiếp công dân", "Officer's desk";
    title_note: "Mọi lần tra cứu và thao tác đều ghi tên cán bộ vào nhật ký của công dân.",
        "Every look-up and every act names the officer in the citizen's trail.";
    systems: "Hệ thống kết nối", "Connected systems";
    find_heading: "Tìm công dân", "Find a person";
    find_note: "Nhập số định danh in trên thẻ căn cước của người đang đứng trước bạn.",
        "Enter the number on the card of the person in front of you.";
    number: "Số định danh cá nhân (12 chữ số)", "Person number (12 digits)";
    find: "Tìm", "Find";
    waiting_level_two: "Hồ sơ định danh mức độ 2 đang chờ", "Level 2 requests waiting";
    waiting_authority: "Yêu cầu của cơ quan có thẩm quyền đang chờ", "Requests of authorities waiting";
    none_waiting: "Không có hồ sơ nào đang chờ.", "Nothing is waiting.";
    person: "Công dân", "Person";
    stage: "Bước", "Stage";
    deadline: "Thời hạn", "Deadline";
    open: "Mở", "Open";
    by_whom: "Cơ quan yêu cầu", "Asked by";
    paper: "Văn bản", "Document";
    name: "Họ và tên", "Full name";
    phone: "Số điện thoại", "Phone";
    email: "Thư điện tử", "E-mail";
    level: "Mức độ định danh", "Account level";
    level_one: "Mức độ 1", "Level 1";
    level_two: "Mức độ 2", "Level 2";
    no_level: "Không có", "None";
    state: "Trạng thái", "State";
    activated: "Đã kích hoạt", "Activated";
    granted: "Đã cấp, chưa kích hoạt", "Granted, not activated";
    card: "Thẻ căn cước", "Identity card";
    card_unknown: "Không có thông tin", "Not on file";
    card_valid_until: "Còn hạn đến hết", "Valid until the end of";
    card_expired: "ĐÃ HẾT HẠN từ", "EXPIRED on";
    eid: "Căn cước điện tử", "Electronic ID";
    eid_none: "Chưa có (tài khoản mức độ 1)", "None (a level 1 account)";
    eid_active: "Đang hoạt động", "Active";
    eid_locked: "ĐANG KHÓA", "LOCKED";
    since: "từ", "since";
    guardian: "Có người giám hộ", "Has a guardian";
    history: "Yêu cầu của cơ quan có thẩm quyền về công dân này", "Requests of authorities about this person";
    register_two: "Đăng ký định danh mức độ 2 (TK01)", "Register level 2 (TK01)";
    lock_heading: "Khóa theo yêu cầu của công dân (TK03)", "Lock at the holder's request (TK03)";
    lock_note: "Khóa ngay lập tức: mọi phiên đăng nhập, mã và quyền đã cấp đều chấm dứt. Công dân được báo qua tin nhắn.",
        "Locks at once: every session, code and permission ends. The holder is told by message.";
    unlock_heading: "Mở khóa theo yêu cầu của công dân (TK03)", "Unlock at the holder's request (TK03)";
    unlock_note: "Chỉ gỡ căn cứ do chính công dân yêu cầu. Nếu còn căn cứ khác, căn cước điện tử vẫn bị khóa.",
        "Removes only the ground the holder opened. While another ground is open, the electronic ID stays locked.";
    form_number: "Số lưu phiếu", "Filing number of the form";
    form_number_note: "Số của văn thư, không phải số định danh.", "The office's own number, not a person number.";
    seen: "Tôi đã gặp trực tiếp công dân và đã đối chiếu thẻ căn cước.",
        "I have met the person and checked their identity card.";
    lock: "Khóa ngay", "Lock now";
    unlock: "Mở khóa", "Unlock";
    authority_heading: "Nhận yêu cầu của cơ quan có thẩm quyền", "Take in a request of an authority";
    authority_note: "Công an nơi nhận chuyển trong 1 ngày làm việc; C06 quyết định trong 2 ngày làm việc tiếp theo. Người \
        nhận không được là người quyết định.",
        "The receiving office forwards within 1 working day; C06 decides within 2 more. Whoever receives it may not decide it.";
    authority_name: "Cơ quan yêu cầu", "Authority";
    authority_paper: "Số văn bản yêu cầu", "Number of its document";
    wish: "Nội dung yêu cầu", "What it asks for";
    receive: "Nhận yêu cầu", "Take it in";
    received_by: "Người nhận", "Received by";
    forwarded_by: "Người chuyển", "Forwarded by";
    decided_by: "Người quyết định", "Decided by";
    you: "bạn", "you";
    officer: "cán bộ", "officer";
    forward_heading: "Chuyển đến C06", "Forward to C06";
    forward: "Đã chuyển", "Forwarded";
    decide_heading: "Quyết định", "Decide";
    accept: "Chấp nhận", "Accept";
    refuse: "Từ chối", "Refuse";
    accept_note: "Chấp nhận thì căn cước điện tử được khóa hoặc mở khóa ngay trong cùng một bước.",
        "Accepting locks or unlocks the electronic ID there and then.";
    reason: "Lý do từ chối bằng văn bản", "Reason for refusing, in writing";
    reason_note: "Bắt buộc khi từ chối. Không ghi số định danh hay số điện thoại.",
        "Required for a refusal. No person number or phone.";
    other_eyes: "Bạn là người đã nhận yêu cầu này nên không được quyết định. Một cán bộ khác phải quyết định.",
        "You received this request, so you may not decide it. Another officer must.";
    wait_forward: "Yêu cầu phải được chuyển đi trước khi quyết định.", "It must be forwarded before it can be decided.";
    enrol_heading: "Đăng ký định danh mức độ 2 (TK01)", "Register level 2 (TK01)";
    enrol_note: "Công dân có thẻ còn hạn: quyết định trong 3 ngày làm việc; không có thẻ còn hạn: 7 ngày làm việc.",
        "With a valid card: decided in 3 working days; without one: 7 working days.";
    who_heading: "Công dân", "The person";
    contact_heading: "Liên lạc", "Contact";
    check_heading: "Kiểm tra danh tính", "Identity check";
    more_heading: "Người phụ thuộc và giấy tờ tích hợp", "Dependants and papers to integrate";
    birthdate: "Ngày sinh (ngày/tháng/năm)", "Date of birth (dd/mm/yyyy)";
    gender: "Giới tính", "Gender";
    male: "Nam", "Male";
    female: "Nữ", "Female";
    phone_note: "Ví dụ 0912 000 002", "For example 0912 000 002";
    phone_own: "Đây là số thuê bao chính chủ của công dân.", "The subscription is in the person's own name.";
    email_optional: "Thư điện tử (nếu có)", "E-mail (if any)";
    card_suffix: "Bốn số cuối của thẻ căn cước", "Last four digits of the card number";
    card_until: "Thẻ có giá trị đến ngày (ngày/tháng/năm)", "Card valid until (dd/mm/yyyy)";
    card_endless: "Thẻ không thời hạn", "The card has no end";
    no_card: "Không có thẻ căn cước", "No identity card";
    endless: "không thời hạn", "no end";
    face: "Mã đối chiếu khuôn mặt", "Face match reference";
    fingerprint: "Mã đối chiếu vân tay", "Fingerprint match reference";
    reference_note: "Chỉ ghi mã kết quả của Cơ sở dữ liệu căn cước; không bao giờ ghi ảnh hay mẫu sinh trắc.",
        "Only the result's number in the identity database; never a picture or a template.";
    dependants: "Số định danh của người phụ thuộc, mỗi người một dòng", "Person numbers of dependants, one a line";
    papers: "Giấy tờ muốn tích hợp", "Papers to integrate";
    submit_form: "Nhận hồ sơ", "Take in the application";
    wrong_heading: "Hãy sửa mục chưa đúng:", "Please correct:";
    evidence: "Chứng cứ", "Evidence";
    grant: "Cấp mức độ 2", "Grant level 2";
    grant_note: "Căn cước điện tử được cấp cùng lúc. Công dân được báo qua tin nhắn.",
        "The electronic ID is issued with it. The person is told by message.";
    new_card_until: "Thẻ vừa cấp có giá trị đến ngày (ngày/tháng/năm)", "New card valid until (dd/mm/yyyy)";
    refuse_reason: "Lý do từ chối", "Reason for refusing";
    nobody_heading: "Chưa có tài khoản", "No account yet";
    nobody_note: "Không có tài khoản định danh điện tử nào mang số này. Nếu công dân muốn, hãy đăng ký mức độ 2 cho họ.",
        "No electronic identity account has this number. If the person wishes, register level 2 for them.";
    back: "Về bàn tiếp công dân", "Back to the desk";
    not_done: "Chưa thực hiện", "Not done";
    done_locked: "Đã khóa căn cước điện tử.", "The electronic ID is locked.";
    done_unlocked: "Đã gỡ căn cứ khóa theo yêu cầu của công dân.", "The holder's own lock ground is removed.";
    done_received: "Đã nhận yêu cầu. Đồng hồ đang chạy.", "The request is taken in. Its clock runs.";
    done_forwarded: "Đã ghi nhận việc chuyển.", "Forwarding is recorded.";
    done_decided: "Đã ghi nhận quyết định.", "The decision is recorded.";
}

impl Desk {
    pub fn of_language(language: &'static str) -> Self {
        Self { language }
    }

    pub fn of(&self, said: Said) -> &'static str {
        if self.language == "en" { said.en } else { said.vi }
    }

    pub fn of_wish(&self, wish: Wish) -> &'static str {
        self.of(match wish {
            Wish::Lock => said("Khóa căn cước điện tử", "Lock the electronic ID"),
            Wish::Unlock => said("Mở khóa căn cước điện tử", "Unlock the electronic ID"),
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

    /// What a field of form TK01 is called where it is not right.
    pub fn of_field(&self, field: &str) -> &'static str {
        match field {
            "person_number" => self.number(),
            "name" => self.name(),
            "birthdate" => self.birthdate(),
            "gender" => self.gender(),
            "phone" => self.phone(),
            "phone_own" => self.phone_own(),
            "email" => self.email(),
            "card_suffix" => self.card_suffix(),
            "card_expires" => self.card_until(),
            "card_endless" => self.card_endless(),
            "no_card" => self.no_card(),
            "face" => self.face(),
            "fingerprint" => self.fingerprint(),
            "dependants" => self.dependants(),
            "seen" => self.seen(),
            _ => self.form_number(),
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

//! The console's words in both languages.

pub mod desk;
mod refusals;

pub struct Words {
    pub language: &'static str,
    pub title: &'static str,
    pub welcome: &'static str,
    pub sign_in: &'static str,
    pub sign_out: &'static str,
    pub overview: &'static str,
    pub desk: &'static str,
    pub read_only: &'static str,
    pub clients: &'static str,
    pub client_id: &'static str,
    pub client_name: &'static str,
    pub relying_party: &'static str,
    pub status: &'static str,
    pub invitations: &'static str,
    pub invitation: &'static str,
    pub scope: &'static str,
    pub uses_left: &'static str,
    pub ends: &'static str,
    pub accounts: &'static str,
    pub person_number: &'static str,
    pub level: &'static str,
    pub state: &'static str,
    pub eid: &'static str,
    pub notes: &'static str,
    pub card_expired: &'static str,
    pub has_guardian: &'static str,
    pub more: &'static str,
    pub none: &'static str,
    pub to_start: &'static str,
    pub refused_requests: &'static str,
    pub refused_note: &'static str,
    pub reference: &'static str,
    pub find: &'static str,
    pub at: &'static str,
    pub endpoint: &'static str,
    pub rule: &'static str,
    pub parameters: &'static str,
    pub repeated: &'static str,
    pub all: &'static str,
    pub without_role: Notice,
    pub no_officer: Notice,
    pub refused: Notice,
    pub untrusted: Notice,
    pub away: Notice,
    pub not_found: Notice,
}

/// A page that says one thing and what to do next.
#[derive(Clone, Copy)]
pub struct Notice {
    pub heading: &'static str,
    pub text: &'static str,
}

pub static VI: Words = Words {
    language: "vi",
    title: "Trang quản trị định danh điện tử",
    welcome: "Dành cho cán bộ được giao nhiệm vụ. Mọi thao tác đều được ghi nhật ký.",
    sign_in: "Đăng nhập",
    sign_out: "Đăng xuất",
    overview: "Tổng quan",
    desk: "Bàn tiếp công dân (cán bộ)",
    read_only: "Trang này chỉ để xem. Số định danh được che; xem đầy đủ phải dùng lệnh riêng và được ghi nhật ký.",
    clients: "Hệ thống kết nối",
    client_id: "Mã hệ thống",
    client_name: "Tên",
    relying_party: "Bên sử dụng dịch vụ",
    status: "Tình trạng",
    invitations: "Lời mời tự đăng ký hệ thống",
    invitation: "Mã lời mời",
    scope: "Phạm vi",
    uses_left: "Còn số lần dùng",
    ends: "Hết hạn lúc",
    accounts: "Tài khoản định danh điện tử",
    person_number: "Số định danh cá nhân",
    level: "Mức độ",
    state: "Trạng thái",
    eid: "Căn cước điện tử",
    notes: "Ghi chú",
    card_expired: "Thẻ căn cước hết hạn",
    has_guardian: "Có người giám hộ",
    more: "Xem tiếp",
    none: "Chưa có",
    to_start: "Về trang đầu",
    refused_requests: "Yêu cầu bị từ chối",
    refused_note: "Trong bảy ngày gần đây, mới nhất ở trên, theo giờ Việt Nam. Giá trị bí mật hoặc cá nhân không được lưu, chỉ có độ dài.",
    reference: "Mã tham chiếu",
    find: "Tìm",
    at: "Thời điểm",
    endpoint: "Điểm cuối",
    rule: "Quy tắc bị vi phạm",
    parameters: "Tham số",
    repeated: "lần tiếp theo chỉ được đếm",
    all: "Xem tất cả",
    without_role: Notice {
        heading: "Bạn chưa được giao quyền vào trang quản trị",
        text: "Tài khoản của bạn đăng nhập được nhưng không có vai trò cán bộ. Nếu bạn cần vào đây, hãy đề nghị người \
               phụ trách hệ thống giao quyền; còn không, hãy đăng xuất.",
    },
    no_officer: Notice {
        heading: "Bạn không có vai trò cán bộ tiếp công dân",
        text: "Tài khoản của bạn được xem các hệ thống kết nối, nhưng bàn tiếp công dân chỉ mở cho cán bộ. Vai trò này do \
               người phụ trách vận hành hệ thống định danh giao trong cấu hình (admin.officers), không giao được trên trang \
               này. Nếu bạn cần, hãy đề nghị người đó rồi đăng nhập lại.",
    },
    refused: Notice {
        heading: "Chưa đăng nhập", text: "Việc đăng nhập đã dừng lại. Bạn có thể thử lại từ trang đầu."
    },
    untrusted: Notice {
        heading: "Không thể hoàn tất đăng nhập",
        text: "Lượt đăng nhập này không bắt đầu từ trình duyệt này hoặc đã quá hạn. Hãy đăng nhập lại từ trang đầu.",
    },
    away: Notice {
        heading: "Hệ thống định danh tạm thời chưa trả lời",
        text: "Hãy thử lại sau ít phút. Nếu vẫn vậy, hãy báo người trực vận hành.",
    },
    not_found: Notice { heading: "Không có trang này", text: "Hãy quay về trang đầu." },
};

pub static EN: Words = Words {
    language: "en",
    title: "Electronic identity console",
    welcome: "For officers in charge. Every act is kept in the trail.",
    sign_in: "Sign in",
    sign_out: "Sign out",
    overview: "Overview",
    desk: "Officer's desk",
    read_only: "This page is for reading. Person numbers are masked; seeing one in full takes a command of its own, which \
                the trail remembers.",
    clients: "Connected systems",
    client_id: "Client ID",
    client_name: "Name",
    relying_party: "Relying party",
    status: "Status",
    invitations: "Invitations to register",
    invitation: "Invitation",
    scope: "Scope",
    uses_left: "Uses left",
    ends: "Ends at",
    accounts: "Electronic identity accounts",
    person_number: "Person number",
    level: "Level",
    state: "State",
    eid: "Electronic ID",
    notes: "Notes",
    card_expired: "Identity card expired",
    has_guardian: "Has a guardian",
    more: "More",
    none: "None yet",
    to_start: "Back to the start",
    refused_requests: "Refused requests",
    refused_note: "Of the last seven days, the newest first, in Vietnam time. Secret or personal values are not kept, only their length.",
    reference: "Reference",
    find: "Find",
    at: "Time",
    endpoint: "Endpoint",
    rule: "Broken rule",
    parameters: "Parameters",
    repeated: "more like it, only counted",
    all: "Show all",
    without_role: Notice {
        heading: "You have not been given access to the console",
        text: "Your account can sign in but has no officer's role. If you need to work here, ask the person in charge of \
               the system for access; otherwise sign out.",
    },
    no_officer: Notice {
        heading: "You do not have the officer's role",
        text: "Your account may see the connected systems, but the desk opens only to officers. The role is granted by \
               whoever runs the identity provider, in its configuration (admin.officers); it cannot be granted on these \
               pages. If you need it, ask them, then sign in again.",
    },
    refused: Notice { heading: "Not signed in", text: "The sign-in was stopped. You can try again from the start." },
    untrusted: Notice {
        heading: "The sign-in could not be finished",
        text: "It did not begin in this browser, or too long ago. Please sign in again from the start.",
    },
    away: Notice {
        heading: "The identity provider is not answering",
        text: "Please try again in a few minutes. If it lasts, tell whoever is on duty.",
    },
    not_found: Notice { heading: "There is no such page", text: "Please go back to the start." },
};

impl Words {
    pub fn of(language: &str) -> &'static Words {
        if language == "en" { &EN } else { &VI }
    }

    /// What a client's or an account's state is called.
    pub fn of_state(&self, state: &'static str) -> &'static str {
        let (vi, en) = match state {
            "live" | "active" => ("đang hoạt động", state),
            "suspended" => ("tạm dừng", state),
            "closed" => ("đã đóng", state),
            "granted" => ("đã cấp, chưa kích hoạt", "granted, not activated"),
            "activated" => ("đã kích hoạt", state),
            "locked" => ("đã khóa", state),
            "open" => ("còn hiệu lực", state),
            "used_up" => ("đã dùng hết", "used up"),
            "expired" => ("đã hết hạn", state),
            "revoked" => ("đã thu hồi", state),
            other => (other, other),
        };
        if self.language == "en" { en } else { vi }
    }
}

/// The reader's language: their own choice, else what the browser prefers, else Vietnamese (`contract.md` 6).
pub fn language(chosen: Option<&str>, accept_language: Option<&str>) -> &'static str {
    match chosen {
        Some("en") => return "en",
        Some("vi") => return "vi",
        _ => {}
    }
    let mut best = ("vi", 0u32);
    for part in accept_language.unwrap_or_default().split(',') {
        let mut pieces = part.trim().split(';');
        let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1000, weight);
        let known = match tag.split('-').next() {
            Some("vi") => "vi",
            Some("en") => "en",
            _ => continue,
        };
        if weight > best.1 {
            best = (known, weight);
        }
    }
    best.0
}

/// `0.8` as 800; what does not parse weighs nothing.
fn weight(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole), Ok(fraction)) => whole.saturating_mul(1000).saturating_add(fraction).min(1000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_choice_wins_then_the_browsers_then_vietnamese() {
        let rows = [
            (None, None, "vi"),
            (Some("en"), Some("vi"), "en"),
            (Some("vi"), Some("en"), "vi"),
            (Some("fr"), Some("en"), "en"),
            (None, Some("en-GB,en;q=0.9,vi;q=0.8"), "en"),
            (None, Some("vi-VN,vi;q=0.9,en-US;q=0.6"), "vi"),
            (None, Some("fr-FR, en;q=0.3, vi;q=0.7"), "vi"),
            (None, Some("fr"), "vi"),
            (None, Some("en;q=x"), "vi"),
        ];
        for (chosen, accepted, expected) in rows {
            assert_eq!(language(chosen, accepted), expected, "{chosen:?} {accepted:?}");
        }
    }
}

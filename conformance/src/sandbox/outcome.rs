//! Outcome: a sign-in that came to nothing, in words that say what to do next.

use super::page::Language;
use crate::rp::Failure;

/// What a portal tells about a failure. `code` and `detail` are for its own team.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub title: String,
    pub advice: String,
    pub code: String,
    pub detail: Option<String>,
}

impl Told {
    pub fn of(failure: &Failure, language: Language) -> Told {
        let (code, detail) = match failure {
            Failure::Refused { error, description } => (error.clone(), description.clone()),
            Failure::Untrusted(what) => ("untrusted_answer".to_owned(), Some((*what).to_owned())),
            Failure::Provider(detail) => ("provider_unavailable".to_owned(), Some(detail.clone())),
        };
        let (title, advice) = words(failure, language);
        Told { title: title.to_owned(), advice: advice.to_owned(), code, detail }
    }
}

fn words(failure: &Failure, language: Language) -> (&'static str, &'static str) {
    match failure {
        Failure::Refused { error, description } => refused(error, description.as_deref().unwrap_or_default(), language),
        Failure::Untrusted("acr") => (
            language.say("Mức xác thực chưa đủ", "The sign-in is not strong enough"),
            language.say(
                "Việc này cần mức cao hơn mức bạn vừa đăng nhập. Hãy thử lại và nhập mã gửi tới điện thoại.",
                "This needs a higher level than you signed in with. Try again and enter the code sent to your phone.",
            ),
        ),
        Failure::Untrusted(_) => (
            language.say("Lượt đăng nhập này không còn hiệu lực", "This sign-in is no longer valid"),
            language.say(
                "Có thể bạn đã tải lại trang hoặc mở ở trình duyệt khác. Hãy đăng nhập lại từ đầu.",
                "You may have reloaded the page or opened it in another browser. Please sign in again.",
            ),
        ),
        Failure::Provider(_) => (
            language.say("Chưa kết nối được hệ thống định danh", "The identity service cannot be reached"),
            language.say("Hãy thử lại sau ít phút.", "Please try again in a few minutes."),
        ),
    }
}

/// The leading reason word of `error_description` never changes (`contract.md` 4).
fn refused(error: &str, description: &str, language: Language) -> (&'static str, &'static str) {
    match (error, description.split([' ', ':']).next().unwrap_or_default()) {
        // A portal learns nothing about a lock: one text serves refusal and an account that cannot be used.
        ("access_denied", _) => (
            language.say("Đăng nhập đã dừng lại", "The sign-in was stopped"),
            language.say(
                "Cổng không nhận được thông tin nào của bạn. Nếu bạn đã từ chối chia sẻ, bạn có thể đăng nhập lại bất cứ lúc nào; nếu tài khoản chưa dùng được, trang định danh đã cho biết việc cần làm.",
                "This portal received nothing about you. If you chose not to share, you may sign in again at any time; if your account cannot be used, the identity page has told you what to do.",
            ),
        ),
        ("unmet_authentication_requirements", "guardian_required") => (
            language.say("Cần người đại diện xác nhận", "A guardian must confirm"),
            language.say(
                "Người đại diện hoặc người giám hộ cần xác nhận việc sử dụng tài khoản này.",
                "The parent or guardian has to confirm the use of this account.",
            ),
        ),
        ("unmet_authentication_requirements", "authentication_level") => (
            language.say("Cần xác thực mạnh hơn", "A stronger sign-in is needed"),
            language.say(
                "Dịch vụ này cần thêm mã gửi tới số điện thoại chính chủ của bạn.",
                "This service also needs the code sent to the mobile number in your name.",
            ),
        ),
        ("unmet_authentication_requirements", _) => (
            language.say("Dịch vụ này cần tài khoản định danh mức độ 2", "This service needs a level-2 account"),
            language.say(
                "Mời đến Công an xã, phường hoặc nơi làm căn cước gần nhất để đăng ký mức độ 2, rồi quay lại đây.",
                "Visit the commune police or the nearest ID office to register level 2, then come back here.",
            ),
        ),
        ("temporarily_unavailable" | "server_error", _) => (
            language.say("Hệ thống định danh đang bận", "The identity service is busy"),
            language.say("Hãy thử lại sau ít phút.", "Please try again in a few minutes."),
        ),
        ("login_required" | "interaction_required" | "consent_required", _) => (
            language.say("Cần bạn có mặt để đăng nhập", "You need to be present to sign in"),
            language.say("Hãy bấm nút đăng nhập và làm theo hướng dẫn.", "Press the sign-in button and follow the steps."),
        ),
        _ => (
            language.say("Yêu cầu của cổng chưa được chấp nhận", "The portal's request was not accepted"),
            language.say(
                "Đây là lỗi của cổng, không phải của bạn. Hãy báo cho bộ phận hỗ trợ kèm mã bên dưới.",
                "This is the portal's mistake, not yours. Please report it with the code below.",
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(error: &str, description: &str) -> Failure {
        Failure::Refused { error: error.to_owned(), description: Some(description.to_owned()) }
    }

    #[test]
    fn the_reason_word_decides_what_the_citizen_reads() {
        let title =
            |description| Told::of(&refusal("unmet_authentication_requirements", description), Language::En).title;
        assert_eq!(title("account_level 2 is needed"), "This service needs a level-2 account");
        assert_eq!(title("authentication_level 2 is needed"), "A stronger sign-in is needed");
        assert_eq!(title("guardian_required"), "A guardian must confirm");
    }

    #[test]
    fn code_and_description_reach_the_portal_team_as_they_came() {
        let told = Told::of(&refusal("invalid_scope", "scope x is not registered"), Language::Vi);
        assert_eq!((told.code.as_str(), told.detail.as_deref()), ("invalid_scope", Some("scope x is not registered")));
    }
}

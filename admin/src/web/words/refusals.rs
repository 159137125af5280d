//! Why an act at the desk was not done, and what to do next, in both languages.

use idp::flow::officer::Refusal;

use super::desk::{Desk, said};

impl Desk {
    /// Why an act was not done, and what to do next.
    pub fn of_refusal(&self, refusal: Refusal) -> &'static str {
        self.of(match refusal {
            Refusal::Malformed => said(
                "Có mục còn thiếu hoặc chưa đúng. Lời ghi không được chứa số định danh hay số điện thoại. Hãy quay lại và sửa.",
                "Something is missing or not right. A note may not hold a person number or a phone. Go back and correct it.",
            ),
            Refusal::OfficerGone => said(
                "Quyền của bạn không còn hiệu lực. Hãy đăng nhập lại hoặc hỏi người phụ trách.",
                "Your role no longer holds. Sign in again, or ask the person in charge.",
            ),
            Refusal::KeyReused => said(
                "Biểu mẫu này đã được dùng cho việc khác. Hãy mở lại trang và làm lại.",
                "This form was used for something else. Open the page again and start over.",
            ),
            Refusal::NoAccount => said("Không có tài khoản này. Hãy tìm lại.", "There is no such account. Search again."),
            Refusal::NoRequest => said("Không có yêu cầu này. Hãy về bàn tiếp công dân.", "There is no such request. Go back to the desk."),
            Refusal::Death => said(
                "Căn cước điện tử đã khóa vì công dân đã chết và không được mở lại (Luật Căn cước Điều 34).",
                "The electronic ID is locked because the holder died, and is never unlocked (LCC Art 34).",
            ),
            Refusal::AlreadyForwarded => said("Yêu cầu này đã được chuyển. Hãy mở lại để xem.", "It was forwarded before. Open it again to see."),
            Refusal::NotForwarded => said(
                "Yêu cầu chưa được chuyển đến C06. Hãy chuyển trước.",
                "It has not been forwarded to C06. Forward it first.",
            ),
            Refusal::AlreadyDecided => said("Đã có quyết định trước đó. Hãy mở lại để xem.", "It was decided before. Open it again to see."),
            Refusal::AlreadyOpen => said(
                "Công dân này đang có một hồ sơ chờ quyết định. Hãy mở hồ sơ đó.",
                "This person has an application waiting already. Open that one.",
            ),
            Refusal::AlreadyLevelTwo => said("Công dân này đã có tài khoản mức độ 2.", "This person has level 2 already."),
            Refusal::AlreadyRegistered => said(
                "Công dân này đã có tài khoản. Hãy tìm lại theo số định danh để mở tài khoản đó.",
                "This person has an account already. Search by the number again to open it.",
            ),
            Refusal::LevelOneOnline => said(
                "Người từ đủ 14 tuổi và không cần người đại diện tự đăng ký mức độ 1 trên trang đăng ký. Hãy chọn mức độ 2, hoặc ghi số định danh của người đại diện.",
                "Whoever is 14 or older and needs no guardian asks for level 1 on the registration page. Choose level 2, or put the guardian's number on the form.",
            ),
            Refusal::UnderAge => said(
                "Người dưới 14 tuổi hoặc được giám hộ đăng ký cùng người đại diện. Hãy ghi số định danh của người đại diện vào phiếu.",
                "Whoever is under 14 or a ward is registered together with the guardian. Put the guardian's number on the form.",
            ),
            Refusal::UnderSix => said(
                "Trẻ dưới 6 tuổi chỉ có tài khoản mức độ 1 (Nghị định 69/2024/NĐ-CP Điều 7). Hãy chọn mức độ 1 và để trống các mã đối chiếu.",
                "A child under six has level 1 only (ND69 Art 7). Choose level 1 and leave the match references empty.",
            ),
            Refusal::GuardianUnfit => said(
                "Người đại diện cần có tài khoản mức độ 2 đang dùng được, đúng là người đã ghi nhận (nếu có), và số điện thoại trên phiếu là số của họ.",
                "The guardian needs an open account of level 2, is the one on record where there is one, and the phone on the form is theirs.",
            ),
            Refusal::CardMissing => said(
                "Chưa có thẻ căn cước còn hạn. Hãy nhập hạn của thẻ vừa được cấp rồi cấp.",
                "There is no card in force. Enter the last day of the card issued meanwhile, then grant.",
            ),
            Refusal::NotChecked => said(
                "Cần đối chiếu ít nhất hai thông tin của người gọi trước khi kích hoạt. Hãy quay lại và đối chiếu thêm.",
                "At least two things are checked of whoever calls before an account is activated. Go back and check more.",
            ),
            Refusal::NotWaiting => said(
                "Tài khoản này không chờ tổng đài kích hoạt: công dân đã kích hoạt, hoặc vẫn còn hạn để đặt mật khẩu.",
                "This account does not wait for the hotline: its holder activated it, or may still choose the password.",
            ),
            Refusal::SameEyes => said(
                "Người nhận yêu cầu không được là người quyết định. Hãy để một cán bộ khác quyết định.",
                "Whoever received a request may not decide it. Let another officer decide.",
            ),
        })
    }
}

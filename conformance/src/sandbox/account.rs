//! Account: «my portal account», where a citizen who signed in by VNeID sees what became of the account the portal once
//! issued, and links it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use idp::domain::linking::LinkState;

use super::legacy::{Citizen, Refused};
use super::page::{Frame, Language, query, see_other};
use super::portal::{Portal, Posted};
use super::view::{frame, together};

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    frame: Frame,
    state: &'static str,
    says: (&'static str, &'static str),
    username: Option<&'static str>,
    /// What the portal has on file, where it does not agree.
    recorded: Option<(String, String)>,
    /// The step the state allows: its address and its button.
    step: Option<(&'static str, &'static str)>,
    dossiers: &'static [&'static str],
    problem: Option<&'static str>,
    form_token: String,
}

/// What the portal calls a state, and what to do next.
fn words(state: LinkState, language: Language) -> (&'static str, &'static str) {
    match state {
        LinkState::NoLocalAccount => (
            language.say("Bạn không có tài khoản cũ", "You have no old account"),
            language.say(
                "Cổng không có tài khoản cũ nào mang số định danh của bạn. Không cần làm gì thêm: hãy dùng tài khoản VNeID.",
                "This portal has no old account under your number. There is nothing to do: use your VNeID account.",
            ),
        ),
        LinkState::LinkableVerifiedMatch => (
            language.say("Tài khoản cũ của bạn có thể liên kết", "Your old account can be linked"),
            language.say(
                "Thông tin trong tài khoản cũ khớp với thông tin VNeID xác nhận. Nhập mật khẩu của tài khoản cũ để chứng minh đó là của bạn; hồ sơ cũ sẽ chuyển về đây.",
                "What the old account records agrees with what VNeID vouches for. Enter the old account's password to prove that it is yours; your old files will appear here.",
            ),
        ),
        LinkState::MismatchNeedsUpdate => (
            language.say("Thông tin tài khoản cũ chưa khớp", "The old account does not agree"),
            language.say(
                "Tài khoản cũ mang số định danh của bạn nhưng họ tên hoặc ngày sinh khác với VNeID. Nhập mật khẩu của tài khoản cũ để cập nhật theo VNeID, rồi liên kết.",
                "The old account has your number, but its name or birth date differs from VNeID's. Enter its password to update it from VNeID, then link it.",
            ),
        ),
        LinkState::Linked => (
            language.say("Tài khoản cũ đã liên kết", "Your old account is linked"),
            language.say(
                "Từ nay chỉ cần đăng nhập bằng VNeID. Hồ sơ của tài khoản cũ ở dưới đây.",
                "From now on just sign in by VNeID. The files of the old account are below.",
            ),
        ),
        LinkState::ConflictTwoLocalAccounts => (
            language.say("Có nhiều tài khoản cũ trùng nhau", "More than one old account"),
            language.say(
                "Có hơn một tài khoản cũ mang số định danh của bạn, hoặc tài khoản đó đã liên kết với người khác. Cổng không tự chọn: mời mang thẻ căn cước đến bộ phận một cửa, hoặc gọi 18001096.",
                "More than one old account has your number, or it is linked to somebody else. We do not choose for you: please bring your identity card to a one-stop counter, or call 18001096.",
            ),
        ),
    }
}

fn citizen(portal: &Portal, key: &str) -> Option<(Citizen, String)> {
    let look = |visit: &mut super::visit::Visit| {
        let claims = together(visit.signed_in.as_ref()?);
        Some((Citizen::of(&claims)?, visit.form_token.clone()))
    };
    portal.visits.with(key, portal.clock.now(), look).flatten()
}

pub async fn show(portal: web::Data<Portal>, request: HttpRequest) -> HttpResponse {
    let choice = portal.choice(&request);
    let language = choice.language;
    let Some((citizen, form_token)) = portal.key(&request).and_then(|key| citizen(&portal, &key)) else {
        return see_other("/");
    };
    let standing = portal.old.standing(&citizen);
    let problem = query(&request, "problem").map(|problem| match problem.as_str() {
        "wrong" => language.say("Mật khẩu tài khoản cũ không đúng.", "The old account's password is not right."),
        "wait" => language.say(
            "Thử sai quá nhiều lần. Mời thử lại sau 15 phút.",
            "Too many wrong tries. Please try again in 15 minutes.",
        ),
        _ => language.say(
            "Bước này không còn thực hiện được. Mời xem lại trạng thái.",
            "That step is no longer possible. Please look at the state again.",
        ),
    });
    let page = Account {
        frame: frame(
            &portal,
            language,
            "account",
            "/account",
            language.say("Tài khoản cổng của tôi", "My portal account"),
        ),
        state: standing.state.name(),
        says: words(standing.state, language),
        username: standing.username,
        recorded: standing.recorded.filter(|_| standing.state == LinkState::MismatchNeedsUpdate),
        step: match standing.state {
            LinkState::LinkableVerifiedMatch => {
                Some(("link", language.say("Liên kết tài khoản cũ", "Link the old account")))
            }
            LinkState::MismatchNeedsUpdate => {
                Some(("update", language.say("Cập nhật theo VNeID", "Update from VNeID")))
            }
            _ => None,
        },
        dossiers: standing.dossiers,
        problem,
        form_token,
    };
    portal.reply(StatusCode::OK).page(&page, choice, portal.site.language_cookie)
}

pub async fn link(portal: web::Data<Portal>, request: HttpRequest, posted: Posted) -> HttpResponse {
    step(&portal, &request, &posted, |portal, citizen, password| portal.old.link(citizen, password, portal.clock.now()))
}

pub async fn update(portal: web::Data<Portal>, request: HttpRequest, posted: Posted) -> HttpResponse {
    step(&portal, &request, &posted, |portal, citizen, password| {
        portal.old.update(citizen, password, portal.clock.now())
    })
}

/// Both proofs in one request, and the form counts once.
fn step(
    portal: &Portal,
    request: &HttpRequest,
    posted: &Posted,
    act: impl FnOnce(&Portal, &Citizen, &str) -> Result<(), Refused>,
) -> HttpResponse {
    let Some(key) = portal.key(request) else { return see_other("/") };
    let token = posted.get("form_token").map(String::as_str).unwrap_or_default();
    if portal.visits.with(&key, portal.clock.now(), |visit| visit.spend_token(token)) != Some(true) {
        return see_other("/account?problem=stale");
    }
    let Some((citizen, _)) = citizen(portal, &key) else { return see_other("/") };
    let password = posted.get("old_password").map(String::as_str).unwrap_or_default();
    match act(portal, &citizen, password) {
        Ok(()) => see_other("/account"),
        Err(Refused::Wrong) => see_other("/account?problem=wrong"),
        Err(Refused::Wait) => see_other("/account?problem=wait"),
        Err(Refused::NotNow) => see_other("/account?problem=stale"),
    }
}

//! The pages of passkeys and the authenticator app with everything on them.

use super::super::factors::*;
use super::super::*;
use super::{Page, asker, frame, otp, sign_in};
use crate::domain::Moment;

pub(super) fn form() -> PasskeyForm {
    let options = r#"{"challenge":"AAAA","rpId":"id.example.vn","allowCredentials":[]}"#;
    PasskeyForm { ceremony: "0198c2f0-1".to_owned(), options: options.to_owned() }
}

pub(super) fn lines() -> Vec<PasskeyLine> {
    let at = Moment::from_unix(1_767_200_400);
    let line = |id: &str, label: &str, synced, used_at| PasskeyLine {
        id: id.to_owned(),
        label: label.to_owned(),
        synced,
        created_at: at,
        used_at,
    };
    vec![line("k1", "Điện thoại của tôi", true, Some(at)), line("k2", "YubiKey", false, None)]
}

/// Name, `data-page`, HTML.
pub(super) fn pages(language: &'static str) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut add = |name: String, page, html: Result<String, Fault>| pages.push((name, page, html.unwrap()));
    for problem in PasskeyProblem::ALL {
        let page = SignIn { passkey_problem: Some(problem), ..sign_in(language) };
        add(format!("sign-in-{}", problem.key()), "sign-in", page.render());
    }
    add("sign-in-without-passkeys".to_owned(), "sign-in", SignIn { passkey: None, ..sign_in(language) }.render());
    let link = |page: &str| Some(format!("/{page}?interaction=0198c2f0"));
    for problem in [None, Some(OtpProblem::WrongOfApp)] {
        let page = Otp { app: true, use_sms: true, use_passkey: link("passkey"), problem, ..otp(language) };
        add(format!("app-{}", problem.is_some()), "otp", page.render());
    }
    add("app-alone".to_owned(), "otp", Otp { app: true, ..otp(language) }.render());
    add(
        "otp-others".to_owned(),
        "otp",
        Otp { use_app: link("otp"), use_passkey: link("passkey"), ..otp(language) }.render(),
    );
    for (use_code, problem) in [(link("otp"), None), (None, Some(PasskeyProblem::Refused))] {
        let page = PasskeyStep {
            frame: frame(language, "passkey"),
            asker: Some(asker(language)),
            service: None,
            passkey: form(),
            use_code,
            problem,
        };
        add(format!("passkey-{}", problem.is_some()), "passkey", page.render());
    }
    let new = |passkey, problem| NewPasskey { frame: frame(language, "new-passkey"), passkey, problem };
    add("new-passkey".to_owned(), "new-passkey", new(Some(form()), None).render());
    add("new-passkey-none".to_owned(), "new-passkey", new(None, None).render());
    for problem in NewPasskeyProblem::ALL {
        add(format!("new-passkey-{}", problem.key()), "new-passkey", new(Some(form()), Some(problem)).render());
    }
    for problem in [None, Some(NewTotpProblem::Wrong), Some(NewTotpProblem::Wait(600))] {
        let qr = picture::picture("otpauth://totp/VNeID:099?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=VNeID");
        let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned();
        let page = NewTotp { frame: frame(language, "new-totp"), qr, secret, problem };
        add(format!("new-totp-{problem:?}").replace(['(', ')'], ""), "new-totp", page.render());
    }
    pages
}

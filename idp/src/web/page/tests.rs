use std::collections::BTreeSet;

use super::*;
use crate::domain::relying_party::LegalBasis;
use crate::domain::standing::Refusal;
use crate::protocol::ErrorCode;
use samples::{all, consent, error, form_post, otp, sign_in};

const LANGUAGES: [&str; 2] = ["vi", "en"];

/// The tags of a page, each as the text between `<` and `>`.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
}

fn tag<'a>(html: &'a str, attribute: &str) -> &'a str {
    let mut found = tags(html).into_iter().filter(|tag| tag.contains(attribute));
    let first = found.next().unwrap_or_else(|| panic!("no {attribute}"));
    assert!(found.next().is_none(), "{attribute} stands twice");
    first
}

fn ids(html: &str) -> Vec<&str> {
    html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_page_has_the_stable_frame() {
    for language in LANGUAGES {
        for (name, page, html) in all(language) {
            assert!(html.starts_with("<!doctype html>"), "{name}");
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{name}");
            assert!(html.contains(&format!("<body data-page=\"{page}\"")), "{name}");
            for once in ["<h1", "<title>", "<main", "</main>", "class=\"skip\"", "1900.0368</a>"] {
                assert_eq!(html.matches(once).count(), 1, "{once} in {name}");
            }
            assert!(!html.contains("<title> –"), "{name}");
            let ids = ids(&html);
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "repeated id in {name}: {ids:?}");
        }
    }
}

#[test]
fn every_label_and_description_leads_somewhere() {
    for (name, _, html) in all("vi") {
        let ids = ids(&html);
        for attribute in [" for=\"", " aria-describedby=\"", " aria-labelledby=\"", " href=\"#"] {
            for target in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                for target in target.split(' ') {
                    assert!(ids.contains(&target), "{attribute}{target} in {name}");
                }
            }
        }
        for field in tags(&html).into_iter().filter(|tag| tag.starts_with("input") && !tag.contains("hidden")) {
            let id = field.split(" id=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\"")), "{field} in {name}");
        }
    }
}

#[test]
fn nothing_a_strict_content_policy_would_stop() {
    for (name, page, html) in all("en") {
        for tag in tags(&html) {
            assert!(!tag.contains(" style=") && !tag.starts_with("style"), "{tag} in {name}");
            assert!(!tag.split_whitespace().any(|word| word.starts_with("on")), "{tag} in {name}");
            if tag.starts_with("script") {
                let scripted = ["form-post", "sign-in", "passkey", "new-passkey", "qr"].contains(&page)
                    || name == "signed-out-frames";
                assert!(scripted && tag.contains(" src=\"/assets/"), "{tag} in {name}");
            }
            if tag.starts_with("link") || tag.starts_with("img") {
                assert!(tag.contains("=\"/assets/"), "{tag} in {name}");
            }
        }
        assert!(!html.contains("javascript:"), "{name}");
    }
}

#[test]
fn every_form_to_us_carries_the_token_and_goes_to_its_own_page() {
    for (name, page, html) in all("en") {
        let forms: Vec<&str> = html.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap()).collect();
        for form in &forms {
            assert!(form.starts_with("method=\"post\"") || form.starts_with("id=\"answer\" method=\"post\""), "{name}");
            let ours = form.contains(&format!("name=\"form_token\" value=\"{}\"", samples::TOKEN));
            let own = form.contains(&format!("action=\"/{page}?"))
                || page == "identity" && form.contains("action=\"/identity\"");
            assert_eq!((ours, own), if page == "form-post" { (false, false) } else { (true, true) }, "{name}");
        }
    }
    assert!(sign_in("en").render().unwrap().contains("action=\"/sign-in?interaction=0198c2f0&#38;lang=en\""));
    assert!(sign_in("vi").render().unwrap().contains("action=\"/sign-in?interaction=0198c2f0\""));
}

#[test]
fn contract_6_the_hooks_of_each_page() {
    let expected: [(&str, &[&str]); 23] = [
        ("sign-in", &["person_number", "password", "submit", "use-qr"]),
        ("qr", &["qr", "qr-number", "reload"]),
        ("app", &["back"]),
        ("passkey", &["use-passkey"]),
        ("new-passkey", &["back"]),
        ("new-totp", &["qr", "secret", "otp", "submit"]),
        ("otp", &["otp", "submit"]),
        ("consent", &["allow", "deny", "claim-email", "claim-gender"]),
        ("transaction", &["allow", "deny", "text", "amount", "payee", "identifier"]),
        ("represent", &["for-1", "for-2", "for-self"]),
        ("level", &["back-to-client"]),
        ("guardian", &["back-to-client"]),
        ("locked", &["back-to-client", "unlock"]),
        ("not-activated", &["back-to-client"]),
        ("card-expired", &["back-to-client"]),
        ("busy", &["back-to-client"]),
        ("sign-out", &["confirm"]),
        ("error", &["reference"]),
        (
            "identity",
            &[
                "confirmations",
                "confirm-r1",
                "refuse-r1",
                "sessions",
                "consents",
                "releases",
                "transactions",
                "passkeys",
                "totp",
                "lock",
                "devices",
                "cases",
                "password",
                "phone",
                "app",
                "links",
            ],
        ),
        ("link", &["cancel", "upstream"]),
        ("upstream", &["other-way", "reference"]),
        ("lock", &["confirm", "stay"]),
        ("lock-done", &["unlock"]),
    ];
    for language in LANGUAGES {
        let pages = all(language);
        for (page, hooks) in expected {
            let mut shown = pages
                .iter()
                .filter(|(name, of, _)| *of == page && name != "consent-law" && !name.starts_with("qr-over"))
                .peekable();
            assert!(shown.peek().is_some(), "{page}");
            for (name, _, html) in shown {
                for hook in hooks {
                    assert!(ids(html).contains(hook), "#{hook} in {name}");
                }
            }
        }
    }
    let html = sign_in("vi").render().unwrap();
    assert!(tag(&html, " id=\"person_number\"").contains("autocomplete=\"username webauthn\""));
    assert!(tag(&html, " id=\"person_number\"").contains("inputmode=\"numeric\""));
    assert!(tag(&html, " id=\"password\"").contains("autocomplete=\"current-password\""));
    let html = otp("vi").render().unwrap();
    assert!(tag(&html, " id=\"otp\"").contains("autocomplete=\"one-time-code\""));
    assert!(html.contains("091••••678") && !html.contains("0912345678"));
    let html = error("vi", "invalid_request", "redirect_uri is not registered").render().unwrap();
    assert!(tag(&html, "data-code=").contains("data-code=\"invalid_request\""));
    assert!(html.contains("redirect_uri is not registered") && html.contains("Địa chỉ quay về"));
}

#[test]
fn consent_boxes_are_unticked_and_only_for_what_is_optional() {
    for language in LANGUAGES {
        let html = consent(language, LegalBasis::Consent).render().unwrap();
        let boxes: Vec<&str> = tags(&html).into_iter().filter(|tag| tag.contains("type=\"checkbox\"")).collect();
        let names = ["gender", "email", "phone_number", "address", "vn_vehicles", "vn_tax_code", "vn_ethnicity"];
        assert_eq!(boxes.len(), names.len());
        for (shown, name) in boxes.iter().zip(names) {
            assert_eq!(*shown, format!("input type=\"checkbox\" name=\"claim\" value=\"{name}\" id=\"claim-{name}\""));
        }
        assert!(!html.contains(" checked"));
        assert_eq!(html.matches("<form").count(), 1, "one form");
        for shown in ["03/02/1990", "099090000001", "an.nguyen@example.vn (", "51F12345"] {
            assert!(html.contains(shown), "{shown}");
        }
        assert!(html.contains(if language == "vi" { "dữ liệu nhạy cảm" } else { "sensitive data" }));
    }
}

#[test]
fn by_law_the_page_is_a_notice_without_boxes() {
    let html = consent("vi", LegalBasis::Law).render().unwrap();
    assert!(!html.contains("checkbox") && html.contains("Thông báo"));
    assert!(ids(&html).contains(&"allow") && ids(&html).contains(&"deny"));
    assert!(html.contains("an.nguyen@example.vn") && html.contains("099090000001"));
}

#[test]
fn the_text_of_a_consent_is_what_was_offered_and_nothing_of_the_record() {
    let page = consent("vi", LegalBasis::Consent);
    let text = consent_text(&page);
    assert_eq!(text, consent_text(&consent("vi", LegalBasis::Consent)));
    for part in
        ["language: vi", "controller: Văn phòng Chính phủ", "required: name", "optional: email", "basis: consent"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("099090000001") && !text.contains("Nguyễn Văn An"), "{text}");
    let mut emptied = page.clone();
    emptied.purposes.iter_mut().flat_map(|purpose| &mut purpose.required).for_each(|claim| claim.value.clear());
    emptied.frame.form_token.clear();
    assert_eq!(text, consent_text(&emptied));
    for other in [consent("en", LegalBasis::Consent), consent("vi", LegalBasis::Law)] {
        assert_ne!(text, consent_text(&other));
    }
    let mut fewer = page.clone();
    fewer.purposes[0].optional.pop();
    assert_ne!(text, consent_text(&fewer));
    // RFC 8707: where the access would be used is part of what is decided.
    assert!(text.contains("Kho hồ sơ điện tử https://kho-ho-so.dichvucong.gov.vn/api/dossiers"), "{text}");
    assert_ne!(text, consent_text(&Consent { servers: Vec::new(), ..page.clone() }));
    let mut forged = page;
    forged.asker.name = "A\nbasis: law".to_owned();
    assert_eq!(consent_text(&forged).lines().filter(|line| line.starts_with("basis:")).count(), 1);
}

#[test]
fn se_17_markup_in_any_value_is_only_text() {
    const EVIL: &str = "<script>alert(1)</script>\"' onload=x &amp;";
    let evil = || EVIL.to_owned();
    let asker = Asker {
        name: evil(),
        organisation: evil(),
        logo: Some(evil()),
        site: Some(evil()),
        policy: Some(evil()),
        terms: Some(evil()),
    };
    let mut shared = consent("vi", LegalBasis::Consent);
    shared.holder = evil();
    shared.servers = vec![ServerView { name: evil(), resource: evil() }];
    shared.asker = asker.clone();
    shared.purposes[0].title = evil();
    shared.purposes[0].required[0].value = evil();
    shared.purposes[0].required[1].image = Some(evil());
    shared.purposes[1].sensitive_reason = Some(evil());
    let pages = [
        shared.render(),
        SignIn { asker: Some(asker.clone()), service: Some(evil()), person_number: evil(), ..sign_in("vi") }.render(),
        Otp { asker: Some(asker), phone: evil(), ..otp("vi") }.render(),
        ErrorPage { reference: evil(), clause: Some(evil()), ..error("vi", EVIL, EVIL) }.render(),
        FormPost { action: evil(), client: evil(), fields: vec![(evil(), evil())], ..form_post("vi") }.render(),
    ];
    for html in pages {
        let html = html.unwrap();
        assert!(!html.contains("<script>") && !html.contains("alert(1)</script"), "{html}");
        assert!(!html.contains("\"' onload"), "{html}");
        assert!(!tags(&html).iter().any(|tag| tag.split_whitespace().any(|word| word.starts_with("onload=x\""))));
    }
}

#[test]
fn an_answer_without_a_name_names_its_host() {
    let page = FormPost { client: String::new(), ..form_post("vi") };
    assert!(page.render().unwrap().contains("Bạn sắp trở lại portal.example.vn."));
}

#[test]
fn only_offline_access_left_to_ask_is_said_so() {
    let page = Consent { purposes: Vec::new(), ..consent("vi", LegalBasis::Consent) };
    let html = page.render().unwrap();
    assert!(!html.contains("những thông tin dưới đây") && html.contains("ngay cả khi bạn không đăng nhập"));
    assert_ne!(consent_text(&page), consent_text(&Consent { offline: false, ..page.clone() }));
}

#[test]
fn only_web_addresses_become_links() {
    for bad in ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//a.vn", " https://a.vn", ""] {
        assert!(!is_web(bad), "{bad}");
    }
    assert!(is_web("https://a.vn/chinh-sach"));
}

#[test]
fn every_word_stands_in_both_languages_and_none_is_missing() {
    let keys = |language| -> BTreeSet<String> {
        let backend = crate::_rust_i18n_backend();
        let messages = backend.messages_for_locale(language).unwrap();
        for (key, text) in &messages {
            assert!(!text.trim().is_empty(), "{key} in {language}");
            let composed: String = unicode_normalization::UnicodeNormalization::nfc(text.as_ref()).collect();
            assert_eq!(text.as_ref(), composed, "{key} in {language}");
        }
        messages.into_iter().map(|(key, _)| key.into_owned()).collect()
    };
    assert_eq!(keys("vi"), keys("en"));
    for language in LANGUAGES {
        for (name, _, html) in all(language) {
            assert!(!html.contains("%{"), "an unfilled word in {name}");
            for text in html.split('>').filter_map(|rest| rest.split('<').next()) {
                let looks_like_a_key = |word: &str| {
                    word.contains('.')
                        && word.contains('_')
                        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
                };
                assert!(!text.split_whitespace().any(looks_like_a_key), "a missing word in {name}: {text}");
            }
        }
    }
}

#[test]
fn every_code_has_its_words() {
    for code in ErrorCode::ALL.iter().map(|code| code.as_str()).chain(leave::OWN_CODES) {
        for language in LANGUAGES {
            let html = error(language, code, "something is wrong").render().unwrap();
            assert!(!html.contains("error.code"), "{code}");
            assert!(!leave::code_text(code, language).is_empty());
        }
    }
    let level = leave::code_text("vn_level_insufficient", "vi");
    assert_eq!(level, "Dịch vụ này cần tài khoản định danh mức độ 2. Mời đến Công an xã, phường để đăng ký.");
}

#[test]
fn a_refusal_of_the_holder_has_a_page() {
    assert_eq!(Reason::of(Refusal::Locked), Some(Reason::Locked));
    assert_eq!(Reason::of(Refusal::ClientNotLive), None);
    let html = all("vi").into_iter().find(|(name, ..)| name == "level-citizen").unwrap().2;
    assert!(html.contains("Công an xã, phường") && html.contains("thẻ căn cước") && html.contains("TK01"));
}

#[test]
fn every_note_about_credentials_and_every_weakness_has_its_words() {
    for language in LANGUAGES {
        for note in credentials::Note::ALL {
            assert!(words::find(language, &note.key()).is_some(), "{}", note.key());
        }
        for weakness in crate::factor::password::rules::Weakness::ALL {
            assert!(words::find(language, &format!("password.weak.{}", weakness.name())).is_some());
            assert!(credentials::Note::find(weakness.name()).is_some());
        }
        for problem in ["malformed", "code", "expired", "wait", "send", "card", "card_wait", "form", "nothing"] {
            assert!(words::find(language, &format!("recover.problem.{problem}")).is_some());
        }
    }
    assert!(sign_in("vi").render().unwrap().contains("id=\"recover\" href=\"/recover\""));
}

/// Writes every page to the directory named by `IDP_TEST_PAGES`, for looking at.
#[test]
fn pages_can_be_looked_at() {
    let Some(directory) = std::env::var_os("IDP_TEST_PAGES").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(directory.join("assets")).unwrap();
    for asset in [&*assets::STYLE, &*assets::MARK, &*assets::FORM_POST] {
        std::fs::write(directory.join(asset.path.trim_start_matches('/')), asset.body).unwrap();
    }
    for language in LANGUAGES {
        for (name, _, html) in all(language) {
            std::fs::write(directory.join(format!("{name}.{language}.html")), html).unwrap();
        }
    }
}

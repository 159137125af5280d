//! `/activate` (ND69 Art 14(1)): by a code within the seven days, by the hotline afterwards.

use std::sync::Arc;

use serde_json::json;

use super::enrol::{at_once, send};
use crate::support::holder::{DUNG, Holder, record};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, pairs};

async fn asked(visitor: &Visitor, number: &str) -> Answer {
    let page = visitor.open("/activate").await;
    send(visitor, &page, "/activate", &[("step", "number"), ("person_number", number)]).await
}

/// The code leaves after the answer, so it is waited for.
async fn code(sandbox: &Sandbox, phone: &str, before: usize) -> String {
    for _ in 0..100 {
        if sandbox.messages(phone).await.iter().filter(|text| text.contains("kich hoat tai khoan")).count() > before {
            return sandbox.otp(phone).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no code came");
}

async fn sent(sandbox: &Sandbox, phone: &str) -> usize {
    sandbox.messages(phone).await.iter().filter(|text| text.contains("kich hoat tai khoan")).count()
}

pub async fn activated(sandbox: &Sandbox, number: &str, phone: &str, password: &str) -> Answer {
    let (visitor, before) = (sandbox.visitor(), sent(sandbox, phone).await);
    let page = asked(&visitor, number).await;
    let code = code(sandbox, phone, before).await;
    finish(&visitor, &page, (number, &code), password).await
}

async fn finish(visitor: &Visitor, page: &Answer, (number, code): (&str, &str), password: &str) -> Answer {
    let fields =
        [("step", "code"), ("person_number", number), ("otp", code), ("password", password), ("repeat", password)];
    send(visitor, page, "/activate", &fields).await
}

pub(super) fn waiting(sandbox: &Sandbox) -> Holder {
    let (mut line, holder) = record(1, json!({}));
    let account = line["account"].as_object_mut().unwrap();
    account.insert("state".to_owned(), json!("granted"));
    account.remove("password");
    sandbox.import(&[line]);
    holder
}

#[tokio::test]
async fn the_seeded_holder_activates_once() {
    let sandbox = Sandbox::fresh();
    let dung = Holder::seeded(DUNG);
    let done = activated(&sandbox, &dung.number, &dung.phone, "rừng xanh suối mát").await;
    assert!(done.page().has("activated"), "{}", done.body);
    assert_eq!(sandbox.trail_count(&dung, "account_activated"), 1);
    // Activated, the number gets no more codes, and the page says what it always says.
    let (visitor, before) = (sandbox.visitor(), sandbox.messages(&dung.phone).await.len());
    let page = asked(&visitor, &dung.number).await;
    assert!(page.page().has("otp"));
    let again = finish(&visitor, &page, (&dung.number, "000000"), "rừng xanh suối mát").await;
    assert!(again.page().has("problem"));
    assert_eq!(sandbox.messages(&dung.phone).await.len(), before);
}

#[tokio::test]
async fn lg_01_every_number_gets_the_same_page() {
    let sandbox = Sandbox::shared();
    let holder = waiting(sandbox);
    let mut pages = Vec::new();
    for number in [holder.number.as_str(), "099090000001", "099198999998"] {
        let page = asked(&sandbox.visitor(), number).await;
        pages.push((page.status, page.page().text.clone(), page.headers.len()));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{pages:?}");
}

#[tokio::test]
async fn lg_07_weak_passwords_are_refused_and_spend_no_code() {
    let sandbox = Sandbox::shared();
    let holder = waiting(sandbox);
    let visitor = sandbox.visitor();
    let page = asked(&visitor, &holder.number).await;
    let right = code(sandbox, &holder.phone, 0).await;
    let with_number = format!("abc{}abc", holder.number);
    let with_phone = format!("rừng xanh {}", holder.phone);
    let with_name = format!("rừng xanh {}", holder.name);
    let too_long = "x".repeat(4_097);
    for bad in ["", "ngắn", "Matkhau@1", &with_number, &with_phone, &with_name, &too_long] {
        let again = finish(&visitor, &page, (&holder.number, &right), bad).await;
        assert!(again.page().has("problem") && again.page().has("otp"), "{}", again.body);
    }
    // None of them spent the code: more than 64 characters with accents and a space at the end are taken as they are.
    let long = "ăn quả nhớ kẻ trồng cây, uống nước nhớ nguồn, một câu rất dài mà tôi nhớ được ";
    let done = finish(&visitor, &page, (&holder.number, &right), long).await;
    assert!(done.page().has("activated"), "{}", done.body);
}

#[tokio::test]
async fn a_code_posted_fifty_times_at_once_activates_once() {
    let sandbox = Sandbox::shared();
    let holder = waiting(sandbox);
    let visitor = sandbox.visitor();
    let page = asked(&visitor, &holder.number).await;
    let right = code(sandbox, &holder.phone, 0).await;
    let form = |n: usize| {
        let password = format!("rừng xanh suối mát {n}");
        let (number, code, password) = (holder.number.as_str(), right.as_str(), password.as_str());
        pairs(&[
            ("step", "code"),
            ("person_number", number),
            ("otp", code),
            ("password", password),
            ("repeat", password),
        ])
    };
    let forms = (0..50).map(form).collect();
    let answers = at_once(&Arc::new(visitor), &page, "/activate", forms).await;
    assert_eq!(answers.iter().filter(|answer| answer.page().has("activated")).count(), 1);
    assert_eq!(sandbox.trail_count(&holder, "account_activated"), 1);
}

#[tokio::test]
async fn a_code_counts_in_the_browser_that_asked_for_it() {
    let sandbox = Sandbox::shared();
    let holder = waiting(sandbox);
    let (visitor, thief) = (sandbox.visitor(), sandbox.visitor());
    asked(&visitor, &holder.number).await;
    let right = code(sandbox, &holder.phone, 0).await;
    let page = thief.open("/activate").await;
    let again = finish(&thief, &page, (&holder.number, &right), "mật khẩu của kẻ gian").await;
    assert!(again.page().has("problem"), "{}", again.body);
    assert_eq!(sandbox.trail_count(&holder, "account_activated"), 0);
}

#[tokio::test]
async fn nd69_14_1_the_hotline_activates_and_the_holder_chooses_a_password() {
    let sandbox = Sandbox::shared();
    let holder = waiting(sandbox);
    let refused = sandbox.admin(&["account", "activate", &holder.number, "--hotline-case", "099090000001"]);
    assert_eq!(refused.status.code(), Some(1), "a case names no person");
    sandbox.admin_ok(&["account", "activate", &holder.number, "--hotline-case", "TD-2026/0117"]);
    let twice = sandbox.admin(&["account", "activate", &holder.number, "--hotline-case", "TD-2026/0117"]);
    assert_eq!(twice.status.code(), Some(1));
    let done = activated(sandbox, &holder.number, &holder.phone, "mật khẩu sau tổng đài").await;
    assert!(done.page().has("activated"), "{}", done.body);
    assert_eq!(sandbox.trail_count(&holder, "account_activated"), 2);
}

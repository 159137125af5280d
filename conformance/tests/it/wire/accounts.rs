//! The seeded accounts that cannot be used, and what a portal learns about them: nothing (`contract.md` 4 and 6).

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::{back_to_client, sign_in_form};
use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;

#[tokio::test]
async fn unusable_accounts_end_in_their_page_and_a_bare_access_denied() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let mut told = Vec::new();
    for (who, page) in [(holder::CUONG, "locked"), (holder::DUNG, "not-activated"), (holder::HANH, "card-expired")] {
        let (visitor, holder, ask) = (idp.visitor(), Holder::seeded(who), Ask::of(&client));
        let at = visitor.open(&ask.target()).await;
        // Only after the right password is anything told.
        let wrong = visitor.submit(&at, &sign_in_form(&at, &holder.number, "wrong password")).await;
        assert_eq!(wrong.page().name(), "sign-in");
        let fresh = idp.visitor();
        let at = fresh.open(&ask.target()).await;
        tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
        let at = idp.sign_in(&fresh, &at, &holder).await;
        assert_eq!(at.page().name(), page, "{}", at.page().text);
        let answer = back_to_client(&fresh, &at).await;
        let returned = verdict::redirect(&answer, &client, &ask, "access_denied");
        told.push(returned.get("error_description").map(str::to_owned));
        // No session stands.
        let silent = ask.clone().with("prompt", "none");
        verdict::redirect(&fresh.get(&silent.target()).await, &client, &silent, "login_required");
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "a portal cannot tell them apart: {told:?}");
}

#[tokio::test]
async fn a_child_is_told_to_come_with_the_guardian() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (visitor, ask) = (idp.visitor(), Ask::of(&client));
    let at = visitor.open(&ask.target()).await;
    let at = idp.sign_in(&visitor, &at, &Holder::seeded(holder::KHOI)).await;
    assert_eq!(at.page().name(), "guardian");
    let answer = back_to_client(&visitor, &at).await;
    let returned = verdict::redirect(&answer, &client, &ask, "unmet_authentication_requirements");
    assert!(returned.get("error_description").unwrap().starts_with("guardian_required"));
}

#[tokio::test]
async fn the_seeded_level_one_holder_learns_which_office_upgrades_the_account() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"vn_min_account_level": 2}));
    for (language, office) in [("vi", "Công an"), ("en", "police")] {
        let visitor = idp.visitor().speaking(language);
        let at = visitor.open(&Ask::of(&client).target()).await;
        let at = idp.sign_in(&visitor, &at, &Holder::seeded(holder::BINH)).await;
        let page = at.page();
        assert_eq!((page.name(), page.language()), ("level", language));
        assert!(page.text.to_lowercase().contains(&office.to_lowercase()), "{}", page.text);
    }
}

#[tokio::test]
async fn every_seeded_holder_of_the_contract_is_there_with_its_name() {
    let idp = Sandbox::shared();
    for (number, name) in
        [holder::AN, holder::BINH, holder::CUONG, holder::DUNG, holder::KHOI, holder::HANH, holder::EM]
    {
        assert!(idp.table().contains(number), "{number} is printed before `sandbox ready`");
        let shown = idp.admin_ok(&["account", "show", number]);
        assert!(!shown.contains(number), "identifiers are masked to their first and last three characters");
        let revealed = idp.admin_ok(&["account", "show", number, "--reveal"]);
        assert!(revealed.contains(number) && revealed.contains(name), "{revealed}");
    }
}

#[tokio::test]
async fn account_import_is_whole_or_nothing_and_names_the_line() {
    let idp = Sandbox::shared();
    let (good, holder) = holder::record(1, json!({}));
    let (bad, _) = holder::record(1, json!({"gender": "x"}));
    let (unknown, _) = holder::record(1, json!({"claims": {"vn_nothing": 1}}));
    for second in [bad, unknown] {
        let file = idp.file("accounts.jsonl", &format!("{good}\n{second}\n"));
        let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(why.contains('2'), "the line is named: {why}");
    }
    assert_eq!(idp.admin(&["account", "show", &holder.number]).status.code(), Some(1), "nothing was imported");
    idp.import(&[good]);
    idp.admin_ok(&["account", "show", &holder.number]);
}

#[tokio::test]
async fn command_line_exit_statuses() {
    let idp = Sandbox::shared();
    assert_eq!(idp.admin(&["eid", "lock", "000000000000", "--ground", "a", "--authority", "x"]).status.code(), Some(1));
    assert_eq!(idp.admin(&["eid", "nonsense"]).status.code(), Some(2));
    let holder = idp.citizen();
    let wrong_ground = idp.admin(&["eid", "lock", &holder.number, "--ground", "z", "--authority", "x"]);
    assert!(matches!(wrong_ground.status.code(), Some(1 | 2)));
}

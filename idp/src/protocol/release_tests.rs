use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::consent::Bilingual;
use crate::domain::relying_party::Service;
use crate::protocol::fixtures::{self, at, claim, claims, consent, purpose, words};

const TWO: Option<AccountLevel> = Some(AccountLevel::Two);

fn everything() -> BTreeSet<ClaimName> {
    ClaimName::all().collect()
}

fn rp() -> Client {
    let mut client = fixtures::client("rp", "openid profile email phone vn_identity vn_civil offline_access");
    client.purposes = vec![
        purpose("contact", "email email_verified phone_number", "email"),
        purpose("identity", "name birthdate vn_personal_id vn_religion", ""),
    ];
    client
}

fn names(claims: &BTreeSet<ClaimName>) -> Vec<&'static str> {
    claims.iter().map(|claim| claim.as_str()).collect()
}

fn told(request: &AuthorizationRequest, client: &Client, consents: &[Consent], place: Place) -> Vec<&'static str> {
    names(&narrow(&Asked::from(request), client, TWO, consents, place))
}

fn granted_all() -> Vec<Consent> {
    vec![
        consent("rp", "contact", "email phone_number", "email phone_number"),
        consent(
            "rp",
            "identity",
            "name birthdate vn_personal_id vn_religion",
            "name birthdate vn_personal_id vn_religion",
        ),
    ]
}

#[test]
fn oidc_core_5_4_claims_of_scopes_go_to_userinfo_only() {
    let client = rp();
    let request = fixtures::request(&client, "openid profile email");
    assert_eq!(
        told(&request, &client, &granted_all(), Place::Userinfo),
        ["birthdate", "email", "email_verified", "name"]
    );
    assert!(told(&request, &client, &granted_all(), Place::IdToken).is_empty());
}

#[test]
fn oidc_core_5_5_the_claims_parameter_names_its_place() {
    let client = rp();
    let mut request = fixtures::request(&client, "openid");
    request.claims.userinfo.insert(claim("name"), ClaimRequest { essential: true, ..Default::default() });
    request.claims.id_token.insert(claim("birthdate"), ClaimRequest::default());
    assert_eq!(told(&request, &client, &granted_all(), Place::Userinfo), ["name"]);
    assert_eq!(told(&request, &client, &granted_all(), Place::IdToken), ["birthdate"]);
}

#[test]
fn contract_4_only_registered_scopes_and_declared_purposes() {
    let client = rp();
    let mut request = fixtures::request(&client, "openid profile");
    for name in ["address", "vn_health_record", "vn_ethnicity", "name"] {
        request.claims.userinfo.insert(claim(name), ClaimRequest::default());
    }
    let found: Vec<_> = asked(&Asked::from(&request), &client).into_keys().map(ClaimName::as_str).collect();
    assert_eq!(found, ["birthdate", "name"], "no scope for two of them, no purpose for the third");
    assert!(asked(&Asked { scope: &words("profile email"), ..Asked::from(&request) }, &client).is_empty(), "no openid");
}

#[test]
fn contract_4_a_service_asks_for_its_claims() {
    let mut client = rp();
    let title = Bilingual { vi: "s".into(), en: "s".into() };
    let claims = vec![claim("vn_personal_id")];
    client.services = vec![Service { code: "1".into(), title, min_account_level: None, min_auth_level: None, claims }];
    let mut request = fixtures::request(&client, "openid");
    assert!(told(&request, &client, &granted_all(), Place::Userinfo).is_empty());
    request.service = Some("1".into());
    assert_eq!(told(&request, &client, &granted_all(), Place::Userinfo), ["vn_personal_id"]);
}

#[test]
fn domain_4_levels_hold_claims_back() {
    let client = rp();
    let request = fixtures::request(&client, "openid profile vn_civil");
    let at_level = |level| names(&narrow(&Asked::from(&request), &client, level, &granted_all(), Place::Userinfo));
    assert_eq!(at_level(TWO), ["birthdate", "name", "vn_religion"]);
    assert_eq!(at_level(Some(AccountLevel::One)), ["birthdate", "name"]);
    assert!(at_level(None).is_empty());
}

#[test]
fn ui_05_co_04_consent_is_of_today_and_of_this_client() {
    let client = rp();
    let request = fixtures::request(&client, "openid profile email");
    let told = |consents: &[Consent]| told(&request, &client, consents, Place::Userinfo);
    assert!(told(&[]).is_empty());
    assert_eq!(told(&[consent("rp", "contact", "email", "email")]), ["email", "email_verified"]);
    assert!(told(&[consent("rp", "contact", "email", "")]).is_empty(), "refused");
    assert!(told(&[consent("other", "contact", "email", "email")]).is_empty(), "another client's");
    assert!(told(&[consent("rp", "identity", "email", "email")]).is_empty(), "a purpose that does not declare it");
    assert!(told(&[consent("rp", "gone", "email", "email")]).is_empty(), "a purpose no longer declared");
}

#[test]
fn contract_6_required_and_optional() {
    let client = rp();
    let mut request = fixtures::request(&client, "openid profile email phone");
    request.claims.id_token.insert(claim("birthdate"), ClaimRequest { essential: true, ..Default::default() });
    let offer = offer(&request, &client, TWO, &everything(), &[]);
    let shown: Vec<_> =
        offer.purposes.iter().map(|p| (p.purpose.id.as_str(), p.required.clone(), p.optional.clone())).collect();
    assert_eq!(
        shown,
        [
            ("contact", vec![claim("email")], vec![claim("phone_number")]),
            ("identity", vec![claim("birthdate")], vec![claim("name")]),
        ]
    );
    assert!(!offer.offline && offer.basis == LegalBasis::Consent);
}

#[test]
fn only_what_the_account_has_at_its_level_is_offered() {
    let client = rp();
    let request = fixtures::request(&client, "openid vn_civil email");
    let offered = |level, available: &str| offer(&request, &client, level, &claims(available), &[]);
    assert!(offered(Some(AccountLevel::One), "vn_religion").is_empty());
    assert!(offered(TWO, "name").is_empty());
    assert!(offered(TWO, "email_verified").is_empty(), "a companion is never offered alone");
    assert!(!offered(TWO, "vn_religion").is_empty());
}

#[test]
fn co_01_exactly_the_difference_is_asked_again() {
    let client = rp();
    let mut request = fixtures::request(&client, "openid profile email phone");
    let known = [consent("rp", "contact", "email", "email"), consent("rp", "identity", "name birthdate", "")];
    let shown = offer(&request, &client, TWO, &everything(), &known);
    assert_eq!(shown.purposes.len(), 1);
    assert_eq!(
        (shown.purposes[0].required.len(), shown.purposes[0].optional.as_slice()),
        (0, [claim("phone_number")].as_slice())
    );
    let decided = &answer(&shown, &["phone_number".into(), "name".into()])[0].1;
    assert_eq!(
        (names(&decided.asked), names(&decided.granted)),
        (vec!["email", "phone_number"], vec!["email", "phone_number"])
    );
    // Everything is asked again, and what was not part of the question stays.
    request.prompt = vec![Prompt::Consent];
    request.scope = words("openid profile");
    let again = offer(&request, &client, TWO, &everything(), &known);
    assert_eq!(again.purposes.iter().map(|p| p.purpose.id.as_str()).collect::<Vec<_>>(), ["identity"]);
    let fresh = Consent { decided_at: at(1000), ..known[1].clone() };
    assert!(offer(&request, &client, TWO, &everything(), &[known[0].clone(), fresh]).is_empty(), "answered meanwhile");
}

#[test]
fn prompt_consent_can_take_back_what_it_asks_about_and_nothing_else() {
    let client = rp();
    let mut request = fixtures::request(&client, "openid phone");
    request.prompt = vec![Prompt::Consent];
    let known = [consent("rp", "contact", "email phone_number", "email phone_number")];
    let decided = answer(&offer(&request, &client, TWO, &everything(), &known), &[]).remove(0).1;
    assert_eq!((names(&decided.asked), names(&decided.granted)), (vec!["email", "phone_number"], vec!["email"]));
}

#[test]
fn contract_6_with_basis_law_there_are_no_boxes() {
    let client = Client { legal_basis: LegalBasis::Law, ..rp() };
    let request = fixtures::request(&client, "openid profile email offline_access");
    let notice = offer(&request, &client, TWO, &everything(), &[]);
    assert!(notice.offline && notice.purposes.iter().all(|p| p.optional.is_empty() && !p.required.is_empty()));
    let decided = answer(&notice, &[]);
    assert!(decided.iter().all(|(_, decision)| decision.asked == decision.granted));
    assert!(offer(&request, &client, TWO, &everything(), &granted_all()).is_empty(), "remembered");
    let bare = fixtures::request(&client, "openid offline_access");
    assert!(offer(&bare, &client, TWO, &everything(), &[]).is_empty(), "nothing to release: no page");
}

#[test]
fn contract_4_offline_access_is_a_question_of_its_own() {
    let client = rp();
    let scope = words("openid offline_access");
    let request = fixtures::request(&client, "openid offline_access");
    let shown = offer(&request, &client, TWO, &everything(), &[]);
    assert!(shown.offline && !shown.is_empty() && shown.purposes.is_empty());
    let known = [consent("rp", OFFLINE_PURPOSE, "", "")];
    assert!(offer(&request, &client, TWO, &everything(), &known).is_empty());
    assert!(offline(&scope, &client, &known) && !offline(&scope, &client, &[]));
    assert!(offline(&scope, &Client { legal_basis: LegalBasis::Law, ..rp() }, &[]));
    let no_refresh = Client { grant_types: vec![GrantType::AuthorizationCode], ..rp() };
    assert!(!offline(&scope, &no_refresh, &known) && offer(&request, &no_refresh, TWO, &everything(), &[]).is_empty());
}

#[test]
fn oidc_core_5_5_1_value_and_values() {
    let mut claims = ClaimsRequest::default();
    let values = vec![json!("a"), json!("b")];
    claims.userinfo.insert(claim("name"), ClaimRequest { values, ..Default::default() });
    assert!(fits(&claims, Place::Userinfo, claim("name"), &json!("b")));
    assert!(!fits(&claims, Place::Userinfo, claim("name"), &json!("c")));
    assert!(fits(&claims, Place::IdToken, claim("name"), &json!("c")));
    assert!(fits(&claims, Place::Userinfo, claim("email"), &json!("c")));
}

fn some_claims() -> impl Strategy<Value = BTreeSet<ClaimName>> {
    prop::collection::btree_set(prop::sample::select(ClaimName::all().collect::<Vec<_>>()), 0..12)
}

fn requests(claims: &BTreeSet<ClaimName>) -> std::collections::BTreeMap<ClaimName, ClaimRequest> {
    claims.iter().map(|claim| (*claim, ClaimRequest::default())).collect()
}

prop_compose! {
    fn any_scope()(scopes in prop::sample::subsequence(crate::domain::claim::scopes(), 0..20)) -> Vec<String> {
        scopes.into_iter().map(str::to_owned).collect()
    }
}

prop_compose! {
    fn any_client()(scope in any_scope(), purposes in prop::collection::vec((some_claims(), some_claims()), 0..3)) -> Client {
        let mut client = fixtures::client("rp", "openid");
        client.scope = scope;
        let made = |(i, (claims, required)): (usize, (BTreeSet<ClaimName>, BTreeSet<ClaimName>))| Purpose {
            claims: claims.into_iter().collect(),
            required: required.into_iter().collect(),
            ..purpose(&format!("p{i}"), "", "")
        };
        client.purposes = purposes.into_iter().enumerate().map(made).collect();
        client
    }
}

prop_compose! {
    fn any_consents()(all in prop::collection::vec((0..4_usize, any::<bool>(), some_claims()), 0..4)) -> Vec<Consent> {
        let made = |(i, own, granted): (usize, bool, BTreeSet<ClaimName>)| {
            let client = if own { "rp" } else { "other" };
            Consent { asked: granted.clone(), granted, ..consent(client, &format!("p{i}"), "", "") }
        };
        all.into_iter().map(made).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn released_is_within_asked_and_registered_and_consented_and_level(
        client in any_client(),
        scope in any_scope(),
        userinfo in some_claims(),
        id_token in some_claims(),
        consents in any_consents(),
        level in prop::sample::select(vec![None, Some(AccountLevel::One), Some(AccountLevel::Two)]),
    ) {
        let parameter = ClaimsRequest { userinfo: requests(&userinfo), id_token: requests(&id_token), ..Default::default() };
        let asked_for = Asked { scope: &scope, claims: &parameter, service: None };
        for place in [Place::Userinfo, Place::IdToken] {
            let of_parameter = if place == Place::Userinfo { &userinfo } else { &id_token };
            for claim in narrow(&asked_for, &client, level, &consents, place) {
                let by_scope = place == Place::Userinfo && scope.iter().any(|scope| scope == claim.entry().scope);
                prop_assert!(by_scope || of_parameter.contains(&claim), "asked");
                prop_assert!(scope.iter().any(|scope| scope == "openid"));
                prop_assert!(client.has_scope(claim.entry().scope), "registered");
                prop_assert!(level.is_some_and(|level| level >= claim.entry().level), "level");
                let main = main_claim(claim);
                let consented = consents.iter().any(|consent| {
                    consent.client == client.id && consent.granted.contains(&main)
                        && client.purposes.iter().any(|p| p.id == consent.purpose && p.claims.contains(&main))
                });
                prop_assert!(consented, "consented");
            }
        }
    }

    #[test]
    fn an_answer_only_shrinks_its_offer_and_settles_it(
        client in any_client(),
        scope in any_scope(),
        available in some_claims(),
        consents in any_consents(),
        ticked in some_claims(),
        again in any::<bool>(),
    ) {
        let mut request = fixtures::request(&client, "openid");
        request.scope.extend(scope);
        request.prompt = if again { vec![Prompt::Consent] } else { vec![] };
        let shown = offer(&request, &client, TWO, &available, &consents);
        let ticked: Vec<String> = ticked.iter().map(|claim| claim.to_string()).collect();
        let mut now_live = consents.clone();
        for ((decided_of, decision), offered) in answer(&shown, &ticked).into_iter().zip(&shown.purposes) {
            let before = live(&consents, &client, &decided_of.id);
            for claim in &decision.granted {
                let was = before.is_some_and(|consent| consent.granted.contains(claim));
                let boxed = offered.optional.contains(claim) && ticked.contains(&claim.to_string());
                prop_assert!(was || boxed || offered.required.contains(claim));
            }
            for claim in &offered.optional {
                prop_assert!(available.contains(claim) && client.has_scope(claim.entry().scope));
                prop_assert_eq!(decision.granted.contains(claim), ticked.contains(&claim.to_string()));
            }
            prop_assert!(decision.granted.is_subset(&decision.asked) || before.is_some());
            now_live.retain(|consent| consent.client != client.id || consent.purpose != decided_of.id);
            let (asked, granted) = (decision.asked, decision.granted);
            now_live.push(Consent { asked, granted, decided_at: request.asked_at, ..consent("rp", &decided_of.id, "", "") });
        }
        let left = offer(&request, &client, TWO, &available, &now_live);
        prop_assert!(left.purposes.is_empty(), "asked twice: {:?}", left.purposes);
    }
}

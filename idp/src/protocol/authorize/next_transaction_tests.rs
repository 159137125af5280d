use super::*;
use crate::domain::secret::Sealed;
use crate::domain::transaction::Proposal;

fn paying() -> Case {
    let mut case = case();
    case.request.transaction = Some(Proposal::Kept(Sealed::from_text("v1.x".to_owned())));
    (case.arriving, case.confirmed) = (false, true);
    case.proofs = vec![(Password, 900), (SmsOtp, 1000)];
    case
}

type Row = (&'static str, Change, &'static str);

#[test]
fn rfc9396_what_stands_between_a_request_and_its_approval() {
    let rows: [Row; 13] = [
        ("the page, whatever holds besides", |_| {}, "transaction"),
        ("approved in this step", |c| c.approved = true, "muc:2"),
        ("a code entered elsewhere", |c| c.confirmed = false, "sms_otp"),
        ("approved, and the code was not for it", |c| (c.approved, c.confirmed) = (true, false), "sms_otp"),
        ("no code at all", |c| c.proofs = vec![(Password, 1000)], "sms_otp"),
        ("nobody signed in", |c| c.signed_in = false, "sign-in"),
        ("no password that counts", |c| c.request.max_age = Some(10), "sign-in again"),
        (
            "no phone",
            |c| (c.account.has_phone, c.proofs) = (false, vec![(Password, 900)]),
            "authentication_level 2 is required and cannot be reached",
        ),
        ("a locked holder", |c| c.account.eid = locked(), "barred locked"),
        ("approved by a holder locked meanwhile", |c| (c.approved, c.account.eid) = (true, locked()), "barred locked"),
        ("consent first", |c| c.request.scope.push("profile".into()), "consent"),
        (
            "and no approval instead of it",
            |c| (c.approved, c.request.scope) = (true, fixtures::words("openid profile")),
            "consent",
        ),
        (
            "a weaker level wished for",
            |c| (c.approved, c.request.acr_values) = (true, fixtures::words("urn:vn:eid:muc:1")),
            "muc:1",
        ),
    ];
    for (name, change, expected) in rows {
        let mut case = paying();
        change(&mut case);
        assert_eq!(case.word(), expected, "{name}");
        case.confirmed |= case.request.transaction.is_none();
        assert!(!matches!(case.word().as_str(), "transaction") || case.silent_word() == "interaction_required");
    }
    // An account of level 1 with a phone can approve: what counts are the factors.
    let mut one = paying();
    one.account = fixtures::account(Some(AccountLevel::One));
    assert_eq!(one.word(), "transaction");
}

#[test]
fn nothing_is_issued_for_a_transaction_without_approval_and_a_code_of_its_own() {
    let mut issued = 0;
    super::every::every_case(|case| {
        for (confirmed, approved) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut paying = Case { request: case.request.clone(), client: case.client.clone(), ..super::case() };
            paying.account = case.account.clone();
            (paying.proofs, paying.signed_in, paying.sub) = (case.proofs.clone(), case.signed_in, case.sub);
            (paying.consents, paying.arriving) = (case.consents.clone(), case.arriving);
            (paying.confirmed, paying.approved) = (confirmed, approved);
            paying.request.transaction = Some(Proposal::Kept(Sealed::from_text("v1.x".to_owned())));
            if let Next::Issue(decided) = paying.decide() {
                assert!(confirmed && approved);
                assert_eq!(decided.acquaintance.level(), Some(AuthenticationLevel::Two));
                issued += 1;
            }
            paying.request.prompt = vec![Prompt::None];
            paying.approved = false;
            assert!(matches!(paying.decide(), Next::Refuse(_)), "never in silence");
        }
    });
    assert!(issued > 500, "{issued}");
}

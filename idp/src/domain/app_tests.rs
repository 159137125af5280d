use proptest::prelude::*;

use super::*;

fn device(id: &str, account: &str) -> Device {
    Device {
        id: Id::new(id),
        account: Id::new(account),
        name: Sealed::from_text(String::new()),
        key: String::new(),
        bound_at: Moment::from_unix(0),
        used_at: None,
        removed_at: None,
    }
}

fn ticket() -> Ticket {
    Ticket {
        id: Id::new("t"),
        interaction: Id::new("i"),
        screen: Sealed::from_text(String::new()),
        account: None,
        device: None,
        challenge: None,
        contested: false,
        tries: 0,
        factors: None,
        expires_at: Moment::from_unix(60),
        ended: None,
    }
}

fn scanned() -> Ticket {
    Ticket { account: Some(Id::new("a")), device: Some(Id::new("d")), challenge: Some(Stored::of("c")), ..ticket() }
}

fn approval(challenge: &str, aware: bool) -> Approval {
    Approval { challenge: Stored::of(challenge), aware }
}

#[test]
fn lg_32_the_first_phone_binds_and_others_are_refused() {
    let (own, other) = (device("d", "a"), device("e", "b"));
    let at = Moment::from_unix;
    let rows: [(Ticket, &Device, i64, Result<(), Refused>); 8] = [
        (ticket(), &own, 0, Ok(())),
        (ticket(), &own, 59, Ok(())),
        (ticket(), &own, 60, Err(Refused::Expired)),
        (scanned(), &own, 1, Ok(())),
        (scanned(), &other, 1, Err(Refused::TakenByAnother)),
        (Ticket { account: Some(Id::new("a")), ..ticket() }, &other, 1, Err(Refused::OtherAccount)),
        (Ticket { ended: Some(Ending::Superseded), ..ticket() }, &own, 1, Err(Refused::Ended(Ending::Superseded))),
        (Ticket { factors: Some(vec![]), ..scanned() }, &own, 1, Err(Refused::Ended(Ending::Taken))),
    ];
    for (ticket, by, now, expected) in rows {
        assert_eq!(ticket.scan(by, at(now)), expected, "{ticket:?}");
    }
}

#[test]
fn p13_an_approval_answers_what_this_phone_was_given() {
    let own = device("d", "a");
    let now = Moment::from_unix(1);
    let rows: [(Ticket, Approval, Result<(), Refused>); 6] = [
        (scanned(), approval("c", false), Ok(())),
        (scanned(), approval("x", false), Err(Refused::NotScanned)),
        (ticket(), approval("c", false), Err(Refused::NotScanned)),
        (Ticket { contested: true, ..scanned() }, approval("c", false), Err(Refused::Contested)),
        (Ticket { contested: true, ..scanned() }, approval("c", true), Ok(())),
        (Ticket { tries: MOST_TRIES, ..scanned() }, approval("c", true), Err(Refused::Ended(Ending::Guessed))),
    ];
    for (ticket, approval, expected) in rows {
        assert_eq!(ticket.approve(&own, &approval, now), expected, "{ticket:?}");
    }
}

#[test]
fn nd69_art_3_7_the_least_unlock_that_reaches_the_level() {
    use AuthenticationLevel as N;
    use Unlock::{Face, Passcode};
    let rows: [(Option<N>, &[Factor], &[Unlock]); 9] = [
        (None, &[], &[Passcode]),
        (Some(N::One), &[], &[Passcode]),
        (Some(N::Two), &[], &[Passcode]),
        (Some(N::Three), &[], &[Face]),
        (Some(N::Four), &[], &[Passcode, Face]),
        (Some(N::Three), &[Factor::Password], &[Face]),
        (Some(N::Four), &[Factor::Password], &[Face]),
        (Some(N::Four), &[Factor::SmsOtp], &[Passcode, Face]),
        (Some(N::Four), &[Factor::AppFace], &[Passcode]),
    ];
    for (wanted, proved, expected) in rows {
        assert_eq!(Unlock::towards(wanted, proved), expected, "{wanted:?} {proved:?}");
    }
}

#[test]
fn lg_34_countries_differ_only_where_both_are_known() {
    let at = |country: Option<&str>| Place { country: country.map(str::to_owned), ..Place::default() };
    for (one, two, abroad) in [
        (Some("VN"), Some("KH"), true),
        (Some("VN"), Some("vn"), false),
        (Some("VN"), None, false),
        (None, Some("KH"), false),
        (None, None, false),
    ] {
        assert_eq!(at(one).is_abroad_of(&at(two)), abroad, "{one:?} {two:?}");
    }
}

proptest! {
    /// Whatever became of a ticket, an approval needs a phone that scanned it, its challenge, time, and an open end.
    #[test]
    fn nothing_but_the_bound_phone_in_time_may_approve(
        ended in proptest::option::of(0usize..5), device_is in 0u8..3, contested: bool, tries in 0i64..5,
        spent: bool, now in 0i64..120, aware: bool, challenge in "[cd]",
    ) {
        let ticket = Ticket {
            ended: ended.map(|index| Ending::ALL[index]),
            device: [None, Some(Id::new("d")), Some(Id::new("e"))][usize::from(device_is)].clone(),
            challenge: (device_is > 0).then(|| Stored::of("c")),
            contested, tries,
            factors: spent.then(|| vec![Factor::AppFace]),
            ..ticket()
        };
        let allowed = ticket.approve(&device("d", "a"), &approval(&challenge, aware), Moment::from_unix(now)).is_ok();
        let should = ended.is_none() && device_is == 1 && challenge == "c" && (!contested || aware)
            && tries < MOST_TRIES && !spent && now < 60;
        prop_assert_eq!(allowed, should);
    }
}

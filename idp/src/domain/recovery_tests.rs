use proptest::prelude::*;

use super::*;

const PACE: Pace = Pace { step: Span::minutes(30), cooling_off: Span::hours(24) };

fn at(second: i64) -> Moment {
    Moment::from_unix(second)
}

fn begun(account: Option<&str>) -> Recovery {
    Recovery {
        id: Id::new("r"),
        browser: Stored::of("cookie"),
        person: BlindIndex::from_text("person".to_owned()),
        account: account.map(Id::new),
        code: Some(Stored::of("code")),
        code_expires_at: Some(at(300)),
        phone_proved_at: None,
        second: None,
        ready_at: None,
        stop_code: None,
        began_at: at(0),
        expires_at: at(0) + PACE.step,
        ending: None,
    }
}

#[test]
fn from_the_number_to_the_password_with_a_card() {
    let mut recovery = begun(Some("a"));
    assert_eq!(recovery.stage(at(1)), Stage::PhoneCode);
    recovery.prove_phone(at(2)).unwrap();
    assert_eq!(recovery.stage(at(3)), Stage::SecondProof);
    recovery.prove_second(Second::Card, PACE, at(4)).unwrap();
    let ready = at(4) + PACE.cooling_off;
    assert_eq!(recovery.stage(ready - Span::seconds(1)), Stage::Waiting(ready));
    assert_eq!(recovery.may_set_password(ready - Span::seconds(1)), Err(OutOfTurn));
    assert_eq!(recovery.stage(ready), Stage::NewPassword);
    assert_eq!(recovery.may_set_password(ready).unwrap().as_str(), "a");
    let late = ready + COME_BACK;
    assert_eq!(recovery.stage(late - Span::seconds(1)), Stage::NewPassword);
    assert_eq!(recovery.stage(late), Stage::Over(None));
}

#[test]
fn a_known_device_leaves_no_wait() {
    let mut recovery = begun(Some("a"));
    recovery.prove_phone(at(2)).unwrap();
    recovery.prove_second(Second::KnownDevice, PACE, at(2)).unwrap();
    assert_eq!(recovery.stage(at(2)), Stage::NewPassword);
    assert_eq!(recovery.stage(at(2) + PACE.step), Stage::Over(None), "lg_19: expiry to the second");
}

#[test]
fn nobodys_recovery_proves_nothing() {
    let mut recovery = begun(None);
    assert_eq!(recovery.prove_phone(at(1)), Err(OutOfTurn));
    recovery.phone_proved_at = Some(at(1));
    recovery.second = Some((Second::Card, at(1)));
    recovery.ready_at = Some(at(1));
    assert_eq!(recovery.stage(at(2)), Stage::PhoneCode);
    assert_eq!(recovery.may_set_password(at(2)), Err(OutOfTurn));
}

/// CVE-2026-18963: the mark of one step, set by another way in, let the reset skip a proof. Whatever single facts a row
/// has, all of them are needed.
#[test]
fn p15_no_part_of_the_proofs_is_enough() {
    for mask in 0..16_u8 {
        let has = |bit: u8| mask & (1 << bit) != 0;
        let mut recovery = begun(has(0).then_some("a"));
        recovery.phone_proved_at = has(1).then(|| at(1));
        recovery.second = has(2).then(|| (Second::KnownDevice, at(1)));
        recovery.ready_at = has(3).then(|| at(1));
        assert_eq!(recovery.may_set_password(at(2)).is_ok(), mask == 15, "{mask:04b}");
    }
}

#[test]
fn lg_20_only_being_proofed_again_lifts_the_level() {
    let doubts = |recovered: Option<i64>, reproofed: Option<i64>| Doubts {
        recovered_at: recovered.map(at),
        reproofed_at: reproofed.map(at),
        phone_counts_from: None,
    };
    for (recovered, reproofed, capped) in [
        (None, None, false),
        (None, Some(1), false),
        (Some(5), None, true),
        (Some(5), Some(4), true),
        (Some(5), Some(5), false),
        (Some(5), Some(6), false),
    ] {
        assert_eq!(doubts(recovered, reproofed).caps_level(), capped, "{recovered:?} {reproofed:?}");
    }
    let phone = Doubts { phone_counts_from: Some(at(10)), ..Doubts::default() };
    assert!(!phone.phone_counts(at(9)) && phone.phone_counts(at(10)) && Doubts::default().phone_counts(at(0)));
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Phone,
    Second(Second),
    Set,
    End(Ending),
    Pass(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Phone),
        2 => Just(Act::Second(Second::Card)),
        2 => Just(Act::Second(Second::KnownDevice)),
        4 => Just(Act::Set),
        1 => proptest::sample::select(&Ending::ALL[1..]).prop_map(Act::End),
        3 => proptest::sample::select(&[0, 1, 60, 1_799, 1_800, 86_399, 86_400, 90_000][..]).prop_map(Act::Pass),
    ]
}

proptest! {
    /// Property 5: no path to «set credential» but by both proofs, recorded in this recovery, in order, in time.
    #[test]
    fn property_5_a_password_is_set_only_after_every_proof(known: bool, acts in prop::collection::vec(act(), 0..40)) {
        let (mut recovery, mut now) = (begun(known.then_some("a")), at(0));
        // The model: what was really proved, and when.
        let (mut phone, mut second, mut over) = (None, None, false);
        for act in acts {
            match act {
                Act::Pass(seconds) => now = now + Span::seconds(seconds),
                Act::Phone => {
                    if recovery.prove_phone(now).is_ok() {
                        prop_assert!(known && phone.is_none() && !over);
                        phone = Some(now);
                    }
                }
                Act::Second(kind) => {
                    if recovery.prove_second(kind, PACE, now).is_ok() {
                        prop_assert!(phone.is_some() && second.is_none() && !over);
                        second = Some((kind, now));
                    }
                }
                Act::End(ending) if recovery.ending.is_none() => {
                    recovery.ending = Some((ending, now));
                    over = true;
                }
                Act::End(_) => {}
                Act::Set => {
                    if recovery.may_set_password(now).is_ok() {
                        prop_assert!(known && !over && phone.is_some());
                        let (kind, given) = second.unwrap();
                        prop_assert!(now.since(given) >= kind.wait(PACE.cooling_off));
                        recovery.ending = Some((Ending::Done, now));
                        over = true;
                    }
                }
            }
            // Property 2: what is over stays over.
            if over {
                prop_assert!(matches!(recovery.stage(now), Stage::Over(_)));
            }
        }
    }
}

//! Every act in every stage, and random histories against what they must come to.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;

/// Every day works here: the calendar has its own tests.
fn days(from: Moment, days: u32) -> Moment {
    from + Span::days(i64::from(days))
}

fn signed(by: &str, at: i64) -> Signed {
    Signed { by: Id::new(by), at: Moment::from_unix(at) }
}

fn said(text: &str) -> Statement {
    Statement::parse(text).unwrap()
}

fn received() -> AuthorityRequest {
    let letter = Letter { wish: Wish::Lock, authority: said("Tòa án"), paper: said("12/QĐ") };
    AuthorityRequest::receive(Id::new("r"), Id::new("holder"), letter, signed("one", 0), &days)
}

fn refuse() -> Decision {
    Decision::Refuse(said("thiếu căn cứ"))
}

#[test]
fn d8_one_working_day_then_two_more() {
    let request = received();
    assert_eq!(request.stage(), Stage::Received);
    assert_eq!((request.forward_by.unix(), request.decide_by.unix()), (DAY, 3 * DAY));
    let clock = request.clock(Moment::from_unix(DAY - 1)).unwrap();
    assert!(clock.until.unix() == DAY && !clock.is_overdue(), "the last second still counts");
    assert!(request.clock(Moment::from_unix(DAY)).unwrap().is_overdue());
    // Forwarded early, the two days begin early; forwarded late, they are still two.
    for at in [DAY / 2, 5 * DAY] {
        let forwarded = received().forward(signed("one", at), &days).unwrap();
        assert_eq!(forwarded.stage(), Stage::Forwarded);
        assert_eq!(forwarded.clock(Moment::from_unix(at)).unwrap().left, Span::days(2), "{at}");
    }
}

#[test]
fn every_act_in_every_stage() {
    let forwarded = || received().forward(signed("one", 1), &days).unwrap();
    let accepted = || forwarded().decide(signed("two", 2), Decision::Accept).unwrap();
    let refused = || forwarded().decide(signed("two", 2), refuse()).unwrap();
    assert_eq!((accepted().stage(), refused().stage()), (Stage::Accepted, Stage::Refused));
    let rows = [
        (received(), Ok(Stage::Forwarded), Err(Objection::NotForwarded), Err(Objection::NotForwarded)),
        (forwarded(), Err(Objection::AlreadyForwarded), Ok(Stage::Accepted), Err(Objection::SameEyes)),
        (accepted(), Err(Objection::AlreadyDecided), Err(Objection::AlreadyDecided), Err(Objection::AlreadyDecided)),
        (refused(), Err(Objection::AlreadyDecided), Err(Objection::AlreadyDecided), Err(Objection::AlreadyDecided)),
    ];
    for (request, forward, by_another, by_the_receiver) in rows {
        let stage = request.stage();
        let is = |ended: Result<AuthorityRequest, Objection>| ended.map(|request| request.stage());
        assert_eq!(is(request.clone().forward(signed("one", 9), &days)), forward, "{stage:?} forward");
        assert_eq!(is(request.clone().decide(signed("two", 9), Decision::Accept)), by_another, "{stage:?} decide");
        assert_eq!(is(request.clone().decide(signed("one", 9), Decision::Accept)), by_the_receiver, "{stage:?} same");
        assert_eq!(request.clock(Moment::from_unix(9)).is_none(), request.decided.is_some(), "{stage:?} clock");
    }
}

#[derive(Clone, Debug)]
enum Act {
    Forward(u8),
    Decide(u8, bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![(0..3u8).prop_map(Act::Forward), (0..3u8, any::<bool>()).prop_map(|(by, yes)| Act::Decide(by, yes))]
}

proptest! {
    /// Whatever is tried, in whatever order: forwarded at most once, decided at most once, after that, by other eyes.
    #[test]
    fn random_histories(acts in prop::collection::vec(act(), 0..20)) {
        let names = ["one", "two", "three"];
        let (mut request, mut now) = (received(), 0);
        let (mut forwards, mut decisions) = (0, 0);
        for act in acts {
            now += 1;
            let before = request.clone();
            let ended = match act {
                Act::Forward(by) => request.clone().forward(signed(names[usize::from(by)], now), &days),
                Act::Decide(by, yes) => {
                    let decision = if yes { Decision::Accept } else { refuse() };
                    request.clone().decide(signed(names[usize::from(by)], now), decision)
                }
            };
            if let Ok(after) = ended {
                match act {
                    Act::Forward(_) => forwards += 1,
                    Act::Decide(..) => decisions += 1,
                }
                prop_assert_eq!(&after.letter, &before.letter);
                prop_assert_eq!(&after.received, &before.received);
                request = after;
            }
            prop_assert!(forwards <= 1 && decisions <= forwards);
            if let Some((decider, _)) = &request.decided {
                prop_assert!(decider.by != request.received.by);
                prop_assert!(request.forwarded.as_ref().is_some_and(|forwarded| forwarded.at < decider.at));
            }
        }
    }
}

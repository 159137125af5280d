use proptest::prelude::*;

use super::*;
use crate::domain::Span;

const NOW: Moment = Moment::from_unix(1_795_320_000);

const DOSSIER: Dossier = Dossier { holder: Holder::Citizen, level: Some(AccountLevel::One), on_record: true };

fn states() -> Vec<State> {
    let mut states = vec![
        State::Draft,
        State::Submitted,
        State::Checking,
        State::Granted,
        State::Notified,
        State::Activated,
        State::ActivationOverdue,
        State::ActivatedViaHotline,
    ];
    states.extend(Reason::ALL.map(State::Rejected));
    states
}

fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Submit(DOSSIER),
        Event::Check,
        Event::Grant,
        Event::Notify,
        Event::Activate,
        Event::Lapse,
        Event::ActivateByHotline,
    ];
    events.extend(Reason::ALL.map(Event::Reject));
    events
}

#[test]
fn nd69_13_the_clock_of_every_kind_of_dossier() {
    use Clock::{Days, WorkingDays};
    use Holder::{Citizen, Foreigner, Organisation};
    let (one, two) = (Some(AccountLevel::One), Some(AccountLevel::Two));
    for (holder, level, on_record, clock) in [
        (Citizen, one, true, WorkingDays(1)),
        (Citizen, one, false, WorkingDays(7)),
        (Citizen, two, true, WorkingDays(3)),
        (Citizen, two, false, WorkingDays(7)),
        (Foreigner, one, true, WorkingDays(1)),
        (Foreigner, one, false, WorkingDays(1)),
        (Foreigner, two, true, WorkingDays(3)),
        (Foreigner, two, false, WorkingDays(7)),
        (Organisation, None, true, WorkingDays(3)),
        (Organisation, None, false, Days(15)),
    ] {
        assert_eq!(Dossier { holder, level, on_record }.clock(), clock, "{holder:?} {level:?} {on_record}");
    }
}

#[test]
fn every_event_in_every_state() {
    let live = Progress { activate_by: Some(NOW + Span::days(3)), ..Progress::NEW };
    let over = Progress { activate_by: Some(NOW), ..Progress::NEW };
    for state in states() {
        for event in events() {
            let expected = match (state, event) {
                (State::Draft, Event::Submit(_)) => Some(State::Submitted),
                (State::Submitted, Event::Check) => Some(State::Checking),
                (State::Checking, Event::Grant) => Some(State::Granted),
                (State::Draft | State::Submitted | State::Checking, Event::Reject(reason)) => {
                    Some(State::Rejected(reason))
                }
                (State::Granted, Event::Notify) => Some(State::Notified),
                (State::Granted | State::Notified, Event::Activate) => Some(State::Activated),
                (State::Granted | State::Notified | State::ActivationOverdue, Event::ActivateByHotline) => {
                    Some(State::ActivatedViaHotline)
                }
                _ => None,
            };
            let turned = Progress { state, ..live }.turn(event, NOW).map(|after| after.state);
            assert_eq!(turned, expected, "{state:?} {event:?}");
            // The seven days over, only the hotline is left.
            let expected = match (state, event) {
                (State::Notified, Event::Activate) => None,
                (State::Notified, Event::Lapse) => Some(State::ActivationOverdue),
                _ => expected,
            };
            let turned = Progress { state, ..over }.turn(event, NOW).map(|after| after.state);
            assert_eq!(turned, expected, "overdue {state:?} {event:?}");
        }
    }
}

#[test]
fn nd69_14_1_the_seven_days_run_from_the_notice() {
    let notified = Progress { state: State::Granted, ..Progress::NEW }.turn(Event::Notify, NOW).unwrap();
    let end = notified.activate_by.unwrap();
    assert_eq!(end, calendar::plain_deadline(NOW, 7));
    assert!(notified.turn(Event::Activate, end - Span::seconds(1)).is_some());
    assert!(notified.turn(Event::Activate, end).is_none());
    assert!(notified.turn(Event::Lapse, end - Span::seconds(1)).is_none());
    let overdue = notified.turn(Event::Lapse, end).unwrap();
    assert!(overdue.turn(Event::Activate, end).is_none());
    assert_eq!(overdue.turn(Event::ActivateByHotline, end).unwrap().state, State::ActivatedViaHotline);
}

#[test]
fn words_come_back() {
    for state in states() {
        assert_eq!(State::parse(state.name(), state.reason()), Some(state));
    }
    assert_eq!(State::parse("rejected", None), None);
    assert_eq!(State::parse("open", None), None);
}

proptest! {
    #[test]
    fn a_history_never_grants_what_was_not_checked_nor_activates_what_was_not_granted(
        history in prop::collection::vec((prop::sample::select(events()), 0_i64..500_000), 0..40)
    ) {
        let mut now = NOW;
        let mut at = Progress::NEW;
        let mut seen = vec![State::Draft];
        for (event, passed) in history {
            now = now + Span::seconds(passed);
            let Some(next) = at.turn(event, now) else { continue };
            prop_assert!(at.state.reason().is_none(), "a refusal is final");
            prop_assert!(!matches!(at.state, State::Activated | State::ActivatedViaHotline), "an activation is final");
            at = next;
            seen.push(at.state);
            let had = |state: State| seen.contains(&state);
            if matches!(at.state, State::Granted) {
                prop_assert!(had(State::Submitted) && had(State::Checking));
                prop_assert!(at.decide_by.is_some() && at.decided_at == Some(now));
            }
            if matches!(at.state, State::Activated | State::ActivatedViaHotline | State::ActivationOverdue) {
                prop_assert!(had(State::Granted));
            }
            if at.state == State::Activated {
                prop_assert!(at.activate_by.is_none_or(|end| now < end));
            }
            prop_assert_eq!(at.state.is_open(), at.decided_at.is_none());
        }
    }
}

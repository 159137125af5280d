use super::*;
use crate::domain::enrolment::{Channel, Enrolment, Proof, Vouched};
use crate::domain::registration::{Dossier, Event, Progress, Reason, State};
use crate::store::phone_code::{self, PhoneCode};
use crate::store::{enrolled, registration};

fn enrolment(name: &str) -> Enrolment {
    Enrolment {
        id: Id::new(name),
        holder: Holder::Citizen,
        level: Some(AccountLevel::One),
        channel: Channel::Online,
        progress: Progress::NEW,
        person_index: BlindIndex::from_text("index-1".to_owned()),
        person: Sealed::from_text("sealed-person".to_owned()),
        particulars: Sealed::from_text("sealed-particulars".to_owned()),
        phone: Some(Sealed::from_text("sealed-phone".to_owned())),
        phone_index: Some(BlindIndex::from_text("phone-index".to_owned())),
        phone_proved_at: None,
        account: None,
        officer: None,
        created_at: t(10),
        due_at: None,
        tries: 0,
        version: 0,
    }
}

#[tokio::test]
async fn a_request_comes_back_as_it_was_and_only_the_first_to_change_it_does() {
    within(|db| {
        let mut first = enrolment("one");
        registration::put(db, &first)?;
        let mut second = registration::find(db, &first.id)?.unwrap();
        assert_eq!((second.progress, second.version), (Progress::NEW, 0));
        let dossier = Dossier { holder: Holder::Citizen, level: first.level, on_record: true };
        first.progress = first.progress.turn(Event::Submit(dossier), t(20)).unwrap();
        first.due_at = Some(t(20));
        assert!(registration::save(db, &first)?);
        second.progress = second.progress.turn(Event::Reject(Reason::Withdrawn), t(21)).unwrap();
        assert!(!registration::save(db, &second)?);
        let stands = registration::find(db, &first.id)?.unwrap();
        assert_eq!((stands.progress.state, stands.version), (State::Submitted, 1));
        assert_eq!(stands.progress.decide_by, first.progress.decide_by);
        assert_eq!(registration::due(db, t(19), 9)?.len(), 0);
        assert_eq!(registration::due(db, t(20), 9)?.len(), 1);
        assert_eq!(registration::list(db, Channel::Online, State::Submitted, 9)?.len(), 1);
        assert_eq!(registration::list(db, Channel::Desk, State::Submitted, 9)?.len(), 0);
        let refused = Enrolment { version: 1, progress: second.progress, ..first };
        assert!(registration::save(db, &refused)?);
        let stands = registration::find(db, &refused.id)?.unwrap();
        assert_eq!(stands.progress.state, State::Rejected(Reason::Withdrawn));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn evidence_is_one_of_a_kind() {
    within(|db| {
        let kept = enrolment("two");
        registration::put(db, &kept)?;
        let vouched = |reference: &str, at| Vouched {
            proof: Proof::FaceMatch,
            reference: Sealed::from_text(reference.to_owned()),
            by: "officer".to_owned(),
            at: t(at),
        };
        registration::vouch(db, &kept.id, &vouched("a", 1))?;
        registration::vouch(db, &kept.id, &vouched("b", 2))?;
        assert_eq!(registration::evidence(db, &kept.id)?, [vouched("b", 2)]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn lg_40_a_grant_never_replaces_an_account_and_an_activation_counts_once() {
    within(|db| {
        let mut import = citizen(1);
        import.account.state = AccountState::Granted;
        import.account.eid = None;
        import.password_hash = None;
        assert!(enrolled::create(db, &import)?);
        let mut other = citizen(1);
        other.account.id = Id::new("somebody-else");
        other.account.eid = None;
        assert!(!enrolled::create(db, &other)?);
        let id = import.account.id;
        assert_eq!(account::find_by_person(db, &import.person_index)?.unwrap().id, id);
        assert!(enrolled::activate(db, &id, "$first$", t(2_000))?);
        assert!(!enrolled::activate(db, &id, "$second$", t(2_001))?);
        assert!(!enrolled::activate_by_hotline(db, &id, t(2_002))?);
        assert_eq!(account::credentials(db, &id)?.unwrap().password_hash.as_deref(), Some("$first$"));
        assert_eq!(account::find(db, &id)?.unwrap().state, AccountState::Activated);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_code_is_open_in_a_place_and_counts_once() {
    within(|db| {
        let phone = BlindIndex::from_text("phone-index".to_owned());
        let code = |id: &str, place: &str, at| PhoneCode {
            id: Id::new(id),
            place: place.to_owned(),
            purpose: "enrol".to_owned(),
            phone: phone.clone(),
            code: Stored::from_store(format!("digest-{id}")),
            sent_at: t(at),
            expires_at: t(at + 300),
        };
        phone_code::put(db, &code("a", "here", 1))?;
        phone_code::put(db, &code("b", "there", 1))?;
        phone_code::put(db, &code("c", "here", 2))?;
        assert_eq!(phone_code::find_open(db, "here", "enrol")?.unwrap().id, Id::new("c"));
        assert!(phone_code::find_open(db, "here", "activate")?.is_none());
        assert!(!phone_code::spend(db, &Id::new("a"), t(3))?, "replaced");
        assert!(phone_code::spend(db, &Id::new("c"), t(3))?);
        assert!(!phone_code::spend(db, &Id::new("c"), t(3))?);
        assert_eq!(phone_code::sent_since(db, &phone, t(2))?, 1);
        assert_eq!(phone_code::sent_since(db, &phone, t(1))?, 3);
        Ok(())
    })
    .await;
}

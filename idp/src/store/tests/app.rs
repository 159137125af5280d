use super::*;
use crate::domain::Factor;
use crate::domain::app::{Device, Ending, MOST_TRIES, Ticket};
use crate::store::{account, app};

fn device(id: &str, account: u32) -> Device {
    Device {
        id: Id::new(id),
        account: Id::new(format!("account-{account}")),
        name: Sealed::from_text("sealed-name".to_owned()),
        key: "{}".to_owned(),
        bound_at: t(10),
        used_at: None,
        removed_at: None,
    }
}

fn ticket(id: &str) -> Ticket {
    Ticket {
        id: Id::new(id),
        interaction: Id::new("interaction"),
        screen: Sealed::from_text("sealed-screen".to_owned()),
        account: None,
        device: None,
        challenge: None,
        contested: false,
        tries: 0,
        factors: None,
        expires_at: t(60),
        ended: None,
    }
}

fn people(db: &mut Db) -> Result<(Device, Device), Fault> {
    for number in [1, 2] {
        account::put(db, &citizen(number))?;
    }
    let (one, two) = (device("d1", 1), device("d2", 2));
    app::bind(db, &one)?;
    app::bind(db, &two)?;
    Ok((one, two))
}

#[tokio::test]
async fn one_phone_is_bound_and_an_import_leaves_it() {
    within(|db| {
        let (one, _) = people(db)?;
        let has_app = |db: &mut Db| Ok::<_, Fault>(account::find(db, &one.account)?.unwrap().has_app);
        assert!(has_app(db)?);
        account::put(db, &citizen(1))?;
        assert!(has_app(db)?, "an import replaces the account, not the phone");
        app::note_use(db, &one.id, t(20))?;
        assert_eq!(app::bound(db, &one.account)?.unwrap().used_at, Some(t(20)));
        assert_eq!(app::remove(db, &one.account, t(30))?, Some(one.id.clone()));
        assert!(!has_app(db)? && app::find_device(db, &one.id)?.is_none());
        assert_eq!(app::remove(db, &one.account, t(31))?, None);
        app::bind(db, &device("d3", 1))?;
        assert_eq!(app::bound(db, &one.account)?.unwrap().id, Id::new("d3"));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_code_binds_once_in_time_and_a_new_one_replaces_it() {
    within(|db| {
        let (one, _) = people(db)?;
        let code = |text: &str| BlindIndex::from_text(text.to_owned());
        app::open_binding(db, &one.account, &code("a"), (t(0), t(600)))?;
        assert_eq!(app::find_binding(db, &code("a"), t(599))?, Some(one.account.clone()));
        assert_eq!(app::find_binding(db, &code("a"), t(600))?, None);
        app::open_binding(db, &one.account, &code("b"), (t(1), t(601)))?;
        assert_eq!(app::find_binding(db, &code("a"), t(2))?, None);
        assert!(app::spend_binding(db, &code("b"), t(2))? && !app::spend_binding(db, &code("b"), t(2))?);
        app::open_binding(db, &one.account, &code("c"), (t(3), t(603)))?;
        app::cancel_all(db, &one.account, t(4))?;
        assert!(!app::spend_binding(db, &code("c"), t(5))?, "a lock ends it");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn lg_32_and_37_every_turn_of_a_ticket_is_guarded() {
    within(|db| {
        let (one, two) = people(db)?;
        let challenge = Stored::of("c");
        let secret = |text: &str| Stored::of(text);
        app::show(db, &ticket("t1"), &secret("s1"), t(0))?;
        app::show(db, &ticket("t2"), &secret("s2"), t(1))?;
        assert_eq!(app::find(db, &secret("s1"))?.unwrap().ended, Some(Ending::Superseded));
        assert!(!app::scan(db, &Id::new("t1"), &one, &challenge, (t(2), t(99)))?);
        let id = Id::new("t2");
        assert!(!app::scan(db, &id, &one, &challenge, (t(60), t(99)))?, "too late");
        assert!(!app::approve(db, &id, (&one, &challenge), &[Factor::AppFace], (t(3), t(63)))?, "not scanned");
        assert!(app::scan(db, &id, &one, &challenge, (t(3), t(90)))?);
        assert!(!app::scan(db, &id, &two, &Stored::of("x"), (t(4), t(99)))?, "the first has it");
        app::contest(db, &id)?;
        for tries in 1..=MOST_TRIES {
            assert_eq!(app::charge(db, &id)?, Some(tries));
        }
        assert_eq!(app::charge(db, &id)?, None);
        assert!(!app::approve(db, &id, (&two, &challenge), &[Factor::AppFace], (t(5), t(65)))?);
        assert!(!app::approve(db, &id, (&one, &Stored::of("x")), &[Factor::AppFace], (t(5), t(65)))?);
        assert!(!app::take(db, &id, t(5))?, "nobody approved");
        assert!(app::approve(db, &id, (&one, &challenge), &[Factor::AppFace], (t(5), t(65)))?);
        assert!(!app::approve(db, &id, (&one, &challenge), &[Factor::AppFace], (t(5), t(65)))?, "once");
        let approved = app::newest(db, &Id::new("interaction"))?.unwrap();
        assert_eq!((approved.approved(t(64)), approved.approved(t(65))), (Some(&[Factor::AppFace][..]), None));
        assert!(approved.contested);
        assert!(!app::take(db, &id, t(65))?, "too late");
        assert!(app::take(db, &id, t(64))? && !app::take(db, &id, t(64))?, "once");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn lk_07_what_is_pending_ends_with_its_account_and_its_phone() {
    within(|db| {
        let (one, two) = people(db)?;
        let challenge = Stored::of("c");
        for (id, interaction, by) in [("t1", "i1", &one), ("t2", "i2", &two)] {
            let ticket = Ticket { interaction: Id::new(interaction), ..ticket(id) };
            app::show(db, &ticket, &Stored::of(id), t(0))?;
            assert!(app::scan(db, &ticket.id, by, &challenge, (t(1), t(90)))?);
        }
        assert_eq!(app::cancel_all(db, &one.account, t(2))?, 1);
        assert_eq!(app::find(db, &Stored::of("t1"))?.unwrap().ended, Some(Ending::Cancelled));
        assert_eq!(app::find(db, &Stored::of("t2"))?.unwrap().ended, None);
        app::remove(db, &two.account, t(3))?;
        assert_eq!(app::find(db, &Stored::of("t2"))?.unwrap().ended, Some(Ending::Cancelled));
        assert_eq!(app::sweep(db, t(90), 10)?, 0);
        assert_eq!(app::sweep(db, t(91), 10)?, 2);
        Ok(())
    })
    .await;
}

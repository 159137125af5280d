use super::*;
use crate::domain::recovery::Ending;
use crate::store::db::on_each;
use crate::store::standing::{self, Standing};
use crate::store::{app, change, confirmation, grant, interaction, otp, recovery, session};

type End = fn(&mut Db, &Id<Account>) -> Result<usize, Fault>;

/// One row of each kind, what is seen of it, and what ends it.
fn kinds() -> Vec<(&'static str, Standing, End)> {
    let none = Standing::default();
    let acting = Standing { acting: true, ..none };
    let app = Standing { app: true, ..none };
    vec![
        (
            "INSERT INTO sessions (id, cookie, account_id, acquaintance, opened_at, seen_at)
             VALUES ('s', 'c', 'account-1', '[]', 1, 1)",
            Standing { sessions: true, ..none },
            |db, account| session::end_all(db, account, t(9)),
        ),
        (
            "INSERT INTO sessions (id, cookie, account_id, acquaintance, opened_at, seen_at, acting_id)
             VALUES ('sa', 'ca', 'account-2', '[]', 1, 1, 'account-1')",
            acting,
            |db, account| {
                let acting = session::live_acting(db, account)?;
                acting.iter().try_for_each(|one| session::end(db, &one.id, t(9)).map(drop))?;
                Ok(acting.len())
            },
        ),
        (
            "INSERT INTO grants (id, client_id, account_id, sub, session_id, scope, offline, opened_at)
             VALUES ('g', 'portal', 'account-1', 'sub', 's', '[]', FALSE, 1)",
            Standing { grants: true, ..none },
            |db, account| grant::revoke_all(db, account, t(9), "locked"),
        ),
        (
            "INSERT INTO grants (id, client_id, account_id, actor_id, sub, session_id, scope, offline, opened_at)
             VALUES ('ga', 'portal', 'account-2', 'account-1', 'sub', 's', '[]', FALSE, 1)",
            acting,
            |db, account| grant::revoke_acting(db, account, t(9), "locked"),
        ),
        (
            "INSERT INTO confirmations (id, interaction_id, ward_id, guardian_id, client_id, acquaintance, network,
                 asked_at, expires_at)
             VALUES ('w', 'i', 'account-2', 'account-1', 'portal', '[]', 'n', 1, 99)",
            acting,
            |db, account| confirmation::cancel_all(db, account, t(9)),
        ),
        (
            "INSERT INTO confirmations (id, interaction_id, ward_id, guardian_id, client_id, acquaintance, network,
                 asked_at, expires_at)
             VALUES ('v', 'i', 'account-1', 'account-2', 'portal', '[]', 'n', 1, 99)",
            acting,
            |db, account| confirmation::cancel_all(db, account, t(9)),
        ),
        (
            "INSERT INTO interactions (id, browser, page, account_id, opened_at, expires_at)
             VALUES ('i', 'b', '/identity', 'account-1', 1, 99)",
            Standing { interactions: true, ..none },
            |db, account| interaction::cancel_all(db, account, t(9)),
        ),
        (
            "INSERT INTO otps (id, interaction_id, account_id, purpose, code, sent_at, expires_at)
             VALUES ('o', 'i', 'account-1', 'sign_in', 'c', 1, 99)",
            Standing { otps: true, ..none },
            otp::cancel_all,
        ),
        (
            "INSERT INTO recoveries (id, browser, person_index, account_id, began_at, expires_at)
             VALUES ('r', 'b', 'p', 'account-1', 1, 99)",
            Standing { recoveries: true, ..none },
            |db, account| recovery::end_all(db, account, Ending::Overtaken, t(9)),
        ),
        (
            "INSERT INTO changes (id, account_id, session_id, kind, value, began_at, expires_at)
             VALUES ('c', 'account-1', 's', 'password', 'v', 1, 99)",
            Standing { changes: true, ..none },
            |db, account| change::end_all(db, account, t(9)),
        ),
        (
            "INSERT INTO app_bindings (code, account_id, opened_at, expires_at) VALUES ('b', 'account-1', 1, 99)",
            app,
            |db, account| app::cancel_all(db, account, t(9)).map(|_| 1),
        ),
        (
            "INSERT INTO app_tickets (id, ticket, interaction_id, screen, account_id, contested, tries, made_at, expires_at)
             VALUES ('t', 't', 'i', 's', 'account-1', FALSE, 0, 1, 99)",
            app,
            |db, account| app::cancel_all(db, account, t(9)),
        ),
    ]
}

/// What is not seen is not ended: nothing an account may have is left out, and nobody else's is seen.
#[tokio::test]
async fn everything_that_can_be_ended_is_seen_until_it_is_ended() {
    within(|db| {
        seed(db)?;
        let (one, other) = (Id::new("account-1"), Id::new("account-3"));
        for (row, seen, end) in kinds() {
            assert_eq!(standing::of(db, &one, t(9))?, Standing::default(), "before {row}");
            on_each!(db, |link| diesel::sql_query(row).execute(link))?;
            assert_eq!(standing::of(db, &one, t(9))?, seen, "{row}");
            assert_eq!(standing::of(db, &other, t(9))?, Standing::default(), "{row}");
            assert_eq!(end(db, &one)?, 1, "{row}");
        }
        assert_eq!(standing::of(db, &one, t(9))?, Standing::default());
        Ok(())
    })
    .await;
}

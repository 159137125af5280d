//! Invitations as the operator gives, lists and takes them back (`contract.md` 5). The token leaves once and is kept as
//! a digest; what it allows was checked as a registration would be.

use chrono::{Days, FixedOffset, NaiveDate, NaiveTime};
use serde_json::{Value, json};

use crate::domain::invitation::Invitation;
use crate::domain::secret::{InitialAccessToken, Minted};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, Span};
use crate::flow::operator::Verdict;
use crate::idp::Idp;
use crate::protocol::registration::policy;
use crate::store;

const USUAL_LIFE: Span = Span::days(30);
const MOST_USES: i64 = 100_000;
/// Vietnam, where the operator's dates end.
const OFFSET_SECONDS: i32 = 7 * 3600;

/// What an operator decides besides the policy.
#[derive(Clone, Debug)]
pub struct Terms {
    pub uses: i64,
    /// The last day, `YYYY-MM-DD`; thirty days from now when absent.
    pub until: Option<String>,
}

/// An invitation just given.
#[derive(Debug)]
pub struct Invited {
    pub id: Id<Invitation>,
    /// Nobody can show it again.
    pub token: Minted<InitialAccessToken>,
    pub uses: i64,
    pub expires_at: Moment,
}

/// Gives leave to register clients within a policy, stated in the members of a registration.
pub async fn invite(file: &Value, terms: &Terms, idp: &Idp) -> Result<Verdict<Invited>, Fault> {
    let policy = match policy::read(file) {
        Ok(policy) => policy,
        Err(error) => return Ok(Verdict::Refused(format!("{} ({})", error.told, error.clause))),
    };
    let now = idp.clock.now();
    let expires_at = match &terms.until {
        None => now + USUAL_LIFE,
        Some(date) => match end_of(date) {
            Some(end) if end > now => end,
            Some(_) => return Ok(Verdict::refused("until lies in the past")),
            None => return Ok(Verdict::refused("until is not a date, YYYY-MM-DD")),
        },
    };
    if !(1..=MOST_USES).contains(&terms.uses) {
        return Ok(Verdict::Refused(format!("uses is not a number from 1 to {MOST_USES}")));
    }
    let token: Minted<InitialAccessToken> = idp.random.mint()?;
    let uses_left = terms.uses;
    let invitation = Invitation { id: idp.id()?, policy, uses_left, created_at: now, expires_at, revoked_at: None };
    let (id, stored, event) = (invitation.id.clone(), token.stored(), idp.id::<Event>()?);
    let detail = json!({ "invitation": id, "scope": invitation.policy.scope, "uses": terms.uses });
    idp.store
        .transact(move |db| {
            store::invitation::put(db, &invitation, &stored)?;
            store::trail::append(db, &Event::new(Kind::ClientInvited, now).with(detail), &event)
        })
        .await?;
    Ok(Verdict::Done(Invited { id, token, uses: terms.uses, expires_at }))
}

/// The moment after the last of a day.
fn end_of(date: &str) -> Option<Moment> {
    let next = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?.checked_add_days(Days::new(1))?;
    let midnight = next.and_time(NaiveTime::MIN).and_local_timezone(FixedOffset::east_opt(OFFSET_SECONDS)?);
    Some(Moment::from_unix(midnight.single()?.timestamp()))
}

/// Every invitation ever given, the oldest first.
pub async fn list(idp: &Idp) -> Result<Vec<Invitation>, Fault> {
    idp.store.read(store::invitation::list).await
}

/// Nobody registers by it any more; clients it already brought stay.
pub async fn revoke(id: &Id<Invitation>, idp: &Idp) -> Result<Verdict<()>, Fault> {
    let (id, now, event) = (id.clone(), idp.clock.now(), idp.id::<Event>()?);
    idp.store
        .transact(move |db| {
            if !store::invitation::revoke(db, &id, now)? {
                return Ok(Verdict::refused("no invitation of this id stands"));
            }
            let detail = json!({ "invitation": id });
            store::trail::append(db, &Event::new(Kind::InvitationRevoked, now).with(detail), &event)?;
            Ok(Verdict::Done(()))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_ends_with_the_day_at_home() {
        assert_eq!(end_of("2026-12-31"), Some(Moment::from_unix(1_798_736_400)));
        for bad in ["2026-02-30", "31/12/2026", "", "2026-12-31T00:00:00Z"] {
            assert_eq!(end_of(bad), None, "{bad}");
        }
    }
}

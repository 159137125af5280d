//! An officer proofed the holder in person as at enrolment: what a recovery took from the levels comes back
//! (`security.md` LG-20).

use serde_json::json;

use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, PersonNumber};
use crate::flow::operator::Verdict;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store;

/// `authority`: who proofed, and by which document. It is all that is kept of the proof.
pub async fn reproof(number: &PersonNumber, authority: &str, idp: &Idp) -> Result<Verdict<()>, Fault> {
    let authority = authority.trim().to_owned();
    if authority.is_empty() {
        return Ok(Verdict::refused("the authority that proofed the holder must be named"));
    }
    let (person, now, event) = (sealed::person_index(number, &idp.vault), idp.clock.now(), idp.id::<Event>()?);
    idp.store
        .transact(move |db| {
            let Some(account) = store::account::find_by_person(db, &person)? else {
                return Ok(Verdict::refused("no account has this person number"));
            };
            store::change::reproof(db, &account.id, now)?;
            let detail = json!({"authority": authority, "was_capped": account.doubts.caps_level()});
            store::trail::append(db, &Event::new(Kind::HolderReproofed, now).of(&account.id).with(detail), &event)?;
            Ok(Verdict::Done(()))
        })
        .await
}

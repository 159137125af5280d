//! The trail of one citizen, for the auditor who must prove what happened to them (`contract.md` 5).

use serde_json::{Value, json};

use crate::domain::Fault;
use crate::domain::PersonNumber;
use crate::domain::trail::{Event, Kind};
use crate::flow::operator::Verdict;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store;

/// Every event of the account, oldest first, as JSON objects. The export itself is the account's next event.
pub async fn export(number: &PersonNumber, idp: &Idp) -> Result<Verdict<Vec<Value>>, Fault> {
    let index = sealed::person_index(number, &idp.vault);
    let now = idp.clock.now();
    let id = idp.id::<Event>()?;
    idp.store
        .transact(move |db| {
            let Some(account) = store::account::find_by_person(db, &index)? else {
                return Ok(Verdict::refused("no account has this person number"));
            };
            let events = store::trail::of_account(db, &account.id)?;
            let detail = json!({ "events": events.len() });
            store::trail::append(db, &Event::new(Kind::TrailExported, now).of(&account.id).with(detail), &id)?;
            Ok(Verdict::Done(events.iter().map(written).collect()))
        })
        .await
}

fn written(event: &Event) -> Value {
    json!({
        "at": event.at.unix(),
        "kind": event.kind,
        "account": event.account,
        "client": event.client,
        "session": event.session,
        "reference": event.reference,
        "detail": event.detail,
    })
}

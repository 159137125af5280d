//! Papers of an account, fetched from the registers: who the person is from the population database, and from each
//! ministry's register what it holds. A register that fails leaves what was there; a malformed paper is recorded by its
//! name and never stored.

use std::sync::Arc;

use serde_json::json;

use super::enrol::grant;
use super::operator::Verdict;
use super::sealed;
use crate::domain::account::Holder;
use crate::domain::claim::ClaimName;
use crate::domain::register::{Papers, Record};
use crate::domain::trail::{Event, Kind};
use crate::domain::{AccountLevel, Fault, PersonNumber};
use crate::idp::Idp;
use crate::registry::POPULATION;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What came of a refresh, for the operator who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    pub stated: Vec<ClaimName>,
    /// Papers whose form we do not take.
    pub refused: Vec<ClaimName>,
    /// Registers that could not be asked.
    pub unanswered: Vec<&'static str>,
}

/// Asks every register anew about a holder.
pub async fn refresh(number: PersonNumber, idp: &Arc<Idp>) -> Result<Verdict<Refreshed>, Fault> {
    if !idp.registry.is_there() {
        return Ok(Verdict::refused("registry.url is not set"));
    }
    let index = sealed::person_index(&number, &idp.vault);
    let asked = index.clone();
    let account = idp.store.read(move |db| store::account::find_by_person(db, &asked)).await?;
    let Some(account) = account.filter(|account| account.holder == Holder::Citizen) else {
        return Ok(Verdict::refused("no citizen's account has this person number"));
    };
    let now = idp.clock.now();
    let mut refreshed = Refreshed::default();
    let held = match idp.registry.find(&number, now).await {
        Ok(Some(held)) => Some(held),
        Ok(None) => return Ok(Verdict::refused("the population database does not know the number")),
        Err(fault) => {
            tracing::warn!(%fault, "papers.not_asked");
            refreshed.unanswered.push(POPULATION);
            None
        }
    };
    let mut papers = Vec::new();
    // A level-1 account opens none of what the ministries hold.
    if account.level == Some(AccountLevel::Two) {
        for source in idp.registry.ministries() {
            match idp.registry.papers(source, &number, now).await {
                Ok(found) => papers.push((source.name(), found)),
                Err(fault) => {
                    tracing::warn!(%fault, "papers.not_asked");
                    refreshed.unanswered.push(source.name());
                }
            }
        }
    }
    let this = Arc::clone(idp);
    idp.store.transact(move |db| settle(db, &number, (held, papers), refreshed, &this)).await
}

type Found = (Option<Record>, Vec<(&'static str, Papers)>);

fn settle(
    db: &mut Db,
    number: &PersonNumber,
    (held, papers): Found,
    mut refreshed: Refreshed,
    idp: &Idp,
) -> Result<Verdict<Refreshed>, Fault> {
    let (now, index) = (idp.clock.now(), sealed::person_index(number, &idp.vault));
    let Some(found) = store::account::find_by_person(db, &index)? else {
        return Ok(Verdict::refused("no citizen's account has this person number"));
    };
    store::account::hold(db, &found.id, Hold::Alone)?;
    let (id, level) = (found.id, found.level.unwrap_or(AccountLevel::One));
    let mut claims = Vec::new();
    if let Some(held) = &held {
        claims.extend(grant::identity(&id, held, now, idp)?);
        claims.extend(grant::opened(&id, (POPULATION, level), &held.papers.taken, now, idp)?);
        refreshed.refused.extend(&held.papers.refused);
        // Silence about a card does not make one that never expires.
        if held.card.is_some() {
            store::enrolled::renew_card(db, &id, grant::card_end(held), now)?;
        }
    }
    for (source, papers) in &papers {
        claims.extend(grant::opened(&id, (source, level), &papers.taken, now, idp)?);
        refreshed.refused.extend(&papers.refused);
    }
    store::enrolled::state_claims(db, &id, &claims)?;
    refreshed.stated = claims.iter().map(|claim| claim.claim).collect();
    refreshed.stated.sort();
    let detail = json!({
        "claims": refreshed.stated,
        "malformed": refreshed.refused,
        "unanswered": refreshed.unanswered,
    });
    store::trail::append(db, &Event::new(Kind::PapersRefreshed, now).of(&id).with(detail), &idp.id()?)?;
    Ok(Verdict::Done(refreshed))
}

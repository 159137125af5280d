//! Cases as operators see them: what waits, the first look, and the answer the holder reads.

use serde::Serialize;
use serde_json::json;

use super::notices;
use super::operator::Verdict;
use crate::domain::case::{Case, Step, Taken};
use crate::domain::holder_notice::News;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Account, Fault, Id};
use crate::idp::Idp;
use crate::store::{self, Db};

/// How many one list shows.
const LISTED: i64 = 500;
/// Longer is no answer to read on a telephone.
const LONGEST_NOTE: usize = 500;

/// One case without anything personal.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub case: Id<Case>,
    pub account: Id<Account>,
    pub about: &'static str,
    pub step: &'static str,
    pub steps: Vec<ShownStep>,
}

#[derive(Debug, Serialize)]
pub struct ShownStep {
    pub step: &'static str,
    pub at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Shown {
    fn of(case: Case) -> Shown {
        let step = case.step().unwrap_or(Step::Opened).name();
        let steps = case.steps.into_iter().map(|taken| ShownStep {
            step: taken.step.name(),
            at: taken.at.unix(),
            by: taken.by,
            note: taken.note,
        });
        Shown { about: case.about.name(), step, steps: steps.collect(), case: case.id, account: case.account }
    }
}

/// Those that wait, the longest first; with `closed`, all.
pub async fn list(closed: bool, idp: &Idp) -> Result<Vec<Shown>, Fault> {
    let cases = idp.store.read(move |db| store::case::list(db, closed, LISTED)).await?;
    Ok(cases.into_iter().map(Shown::of).collect())
}

/// One case. The first look by an operator is a step its holder sees.
pub async fn show(id: Id<Case>, by: String, idp: &Idp) -> Result<Verdict<Shown>, Fault> {
    step(id, Step::LookedAt, (by, None), idp).await
}

/// The answer. The holder is told that there is one.
pub async fn close(id: Id<Case>, by: String, note: String, idp: &Idp) -> Result<Verdict<Shown>, Fault> {
    if note.trim().is_empty() || note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control) {
        return Ok(Verdict::refused("a case is closed with a note of one line the holder can read"));
    }
    step(id, Step::Closed, (by, Some(note)), idp).await
}

async fn step(
    id: Id<Case>,
    step: Step,
    (by, note): (String, Option<String>),
    idp: &Idp,
) -> Result<Verdict<Shown>, Fault> {
    if by.trim().is_empty() {
        return Ok(Verdict::refused("--by must name who looks at the case"));
    }
    let at = idp.clock.now();
    let (event, notice) = (idp.id::<Event>()?, idp.id()?);
    idp.store
        .transact(move |db| {
            let Some(case) = store::case::find(db, &id)? else { return Ok(Verdict::refused("no such case")) };
            if step == Step::Closed && case.step() == Some(Step::Closed) {
                return Ok(Verdict::refused("the case is closed"));
            }
            let taken = Taken { step, at, by: Some(by), note };
            if case.may_take(step) && store::case::take(db, &id, &taken)? {
                remember(db, &case, &taken, &event)?;
                if step == Step::Closed {
                    notices::put(db, &notice, (&case.account, News::CaseClosed(id.clone())), at)?;
                }
            }
            Ok(match store::case::find(db, &id)? {
                Some(case) => Verdict::Done(Shown::of(case)),
                None => Verdict::refused("no such case"),
            })
        })
        .await
}

fn remember(db: &mut Db, case: &Case, taken: &Taken, event: &Id<Event>) -> Result<(), Fault> {
    let kind = if taken.step == Step::Closed { Kind::CaseClosed } else { Kind::CaseLookedAt };
    let event_of = Event::new(kind, taken.at).of(&case.account).with(json!({"case": case.id, "by": taken.by}));
    store::trail::append(db, &event_of, event)
}

//! Cases, each with the steps it took. Of two who take the same step at once, one does.

use std::collections::HashMap;

use diesel::prelude::*;

use super::columns::known;
use super::db::{Db, on_each};
use super::schema::{case_steps, cases};
use crate::domain::account::Account;
use crate::domain::case::{About, Case, Step, Taken};
use crate::domain::{Fault, Id, Moment};

/// Opens a case, unless one about the same thing is open: its number is the answer then, and nothing was made.
pub fn open(
    db: &mut Db,
    case: &Id<Case>,
    account: &Id<Account>,
    (about, subject): (About, &str),
    at: Moment,
) -> Result<(Id<Case>, bool), Fault> {
    let made = on_each!(db, |link| diesel::insert_into(cases::table)
        .values((
            cases::id.eq(case.as_str()),
            cases::account_id.eq(account.as_str()),
            cases::about.eq(about.name()),
            cases::subject.eq(subject),
            cases::opened_at.eq(at.unix()),
        ))
        .on_conflict_do_nothing()
        .execute(link))?;
    if made > 0 {
        return Ok((case.clone(), true));
    }
    let there: String = on_each!(db, |link| cases::table
        .filter(cases::account_id.eq(account.as_str()))
        .filter(cases::about.eq(about.name()))
        .filter(cases::subject.eq(subject))
        .filter(cases::closed_at.is_null())
        .select(cases::id)
        .get_result(link))?;
    Ok((Id::new(there), false))
}

/// False when the case took this step before.
pub fn take(db: &mut Db, case: &Id<Case>, taken: &Taken) -> Result<bool, Fault> {
    let made = on_each!(db, |link| diesel::insert_into(case_steps::table)
        .values((
            case_steps::case_id.eq(case.as_str()),
            case_steps::step.eq(taken.step.name()),
            case_steps::at.eq(taken.at.unix()),
            case_steps::by_whom.eq(taken.by.as_deref()),
            case_steps::note.eq(taken.note.as_deref()),
        ))
        .on_conflict_do_nothing()
        .execute(link))?;
    if made > 0 && taken.step == Step::Closed {
        on_each!(db, |link| diesel::update(cases::table.find(case.as_str()))
            .set(cases::closed_at.eq(taken.at.unix()))
            .execute(link))?;
    }
    Ok(made > 0)
}

type Row = (String, String, String);

pub fn find(db: &mut Db, id: &Id<Case>) -> Result<Option<Case>, Fault> {
    let row: Option<Row> = on_each!(db, |link| cases::table
        .find(id.as_str())
        .select((cases::id, cases::account_id, cases::about))
        .get_result(link)
        .optional())?;
    Ok(with_steps(db, row.into_iter().collect())?.pop())
}

/// The newest first.
pub fn of_account(db: &mut Db, account: &Id<Account>, limit: i64) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| cases::table
        .filter(cases::account_id.eq(account.as_str()))
        .order((cases::opened_at.desc(), cases::id))
        .limit(limit)
        .select((cases::id, cases::account_id, cases::about))
        .load(link))?;
    with_steps(db, rows)
}

/// Open ones, the longest waiting first; with `closed`, every one there is.
pub fn list(db: &mut Db, closed: bool, limit: i64) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| {
        let all = cases::table.order((cases::opened_at, cases::id)).limit(limit);
        let columns = (cases::id, cases::account_id, cases::about);
        if closed {
            all.select(columns).load(link)
        } else {
            all.filter(cases::closed_at.is_null()).select(columns).load(link)
        }
    })?;
    with_steps(db, rows)
}

fn with_steps(db: &mut Db, rows: Vec<Row>) -> Result<Vec<Case>, Fault> {
    type Kept = (String, String, i64, Option<String>, Option<String>);
    let ids: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    let kept: Vec<Kept> = on_each!(db, |link| case_steps::table
        .filter(case_steps::case_id.eq_any(&ids))
        .order((case_steps::at, case_steps::case_id))
        .select((case_steps::case_id, case_steps::step, case_steps::at, case_steps::by_whom, case_steps::note))
        .load(link))?;
    let mut steps: HashMap<String, Vec<Taken>> = HashMap::new();
    for (case, step, at, by, note) in kept {
        let step = known(Step::parse(&step), "case_steps")?;
        steps.entry(case).or_default().push(Taken { step, at: Moment::from_unix(at), by, note });
    }
    rows.into_iter()
        .map(|(id, account, about)| {
            let mut steps = steps.remove(&id).unwrap_or_default();
            steps.sort_by_key(|taken| taken.step);
            let about = known(About::parse(&about), "cases")?;
            Ok(Case { id: Id::new(id), account: Id::new(account), about, steps })
        })
        .collect()
}

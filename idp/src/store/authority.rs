//! Requests of authorities. Each step is one conditional update; the row refuses that the same officer receives and decides.

use diesel::prelude::*;

use super::columns::{at, known};
use super::db::{Db, on_each};
use super::schema::authority_requests as table;
use crate::domain::authority_request::{AuthorityRequest, Decision, Letter, Signed, Stage, Wish};
use crate::domain::statement::Statement;
use crate::domain::{Account, Fault, Id, Moment};

const PLACE: &str = "authority_requests";

#[derive(Queryable, Selectable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    account_id: String,
    wish: String,
    authority: String,
    paper: String,
    stage: String,
    received_by: String,
    received_at: i64,
    forward_by: i64,
    forwarded_by: Option<String>,
    forwarded_at: Option<i64>,
    decide_by: i64,
    decided_by: Option<String>,
    decided_at: Option<i64>,
    reason: Option<String>,
}

impl Row {
    fn decode(self) -> Result<AuthorityRequest, Fault> {
        let stage = known(Stage::parse(&self.stage), PLACE)?;
        let decided = match (signed(self.decided_by, self.decided_at), stage) {
            (Some(by), Stage::Accepted) => Some((by, Decision::Accept)),
            (Some(by), Stage::Refused) => Some((by, Decision::Refuse(said(&self.reason.unwrap_or_default())?))),
            (None, Stage::Received | Stage::Forwarded) => None,
            _ => return known(None, PLACE),
        };
        let request = AuthorityRequest {
            id: Id::new(self.id),
            account: Id::new(self.account_id),
            letter: Letter {
                wish: known(Wish::parse(&self.wish), PLACE)?,
                authority: said(&self.authority)?,
                paper: said(&self.paper)?,
            },
            received: Signed { by: Id::new(self.received_by), at: Moment::from_unix(self.received_at) },
            forward_by: Moment::from_unix(self.forward_by),
            forwarded: signed(self.forwarded_by, self.forwarded_at),
            decide_by: Moment::from_unix(self.decide_by),
            decided,
        };
        known((request.stage() == stage).then_some(request), PLACE)
    }
}

fn signed(by: Option<String>, when: Option<i64>) -> Option<Signed> {
    Some(Signed { by: Id::new(by?), at: at(when)? })
}

fn said(text: &str) -> Result<Statement, Fault> {
    known(Statement::parse(text), PLACE)
}

pub fn put(db: &mut Db, request: &AuthorityRequest) -> Result<(), Fault> {
    let letter = &request.letter;
    on_each!(db, |link| diesel::insert_into(table::table)
        .values((
            table::id.eq(request.id.as_str()),
            table::account_id.eq(request.account.as_str()),
            table::wish.eq(letter.wish.name()),
            table::authority.eq(letter.authority.as_str()),
            table::paper.eq(letter.paper.as_str()),
            table::stage.eq(request.stage().name()),
            table::received_by.eq(request.received.by.as_str()),
            table::received_at.eq(request.received.at.unix()),
            table::forward_by.eq(request.forward_by.unix()),
            table::decide_by.eq(request.decide_by.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, id: &Id<AuthorityRequest>) -> Result<Option<AuthorityRequest>, Fault> {
    let row: Option<Row> =
        on_each!(db, |link| table::table.find(id.as_str()).select(Row::as_select()).first(link).optional())?;
    row.map(Row::decode).transpose()
}

/// False when it is not waiting to be forwarded any more.
pub fn forward(db: &mut Db, request: &AuthorityRequest) -> Result<bool, Fault> {
    let by = request.forwarded.as_ref();
    let changed = on_each!(db, |link| diesel::update(
        table::table.find(request.id.as_str()).filter(table::stage.eq(Stage::Received.name()))
    )
    .set((
        table::stage.eq(Stage::Forwarded.name()),
        table::forwarded_by.eq(by.map(|by| by.by.as_str())),
        table::forwarded_at.eq(by.map(|by| by.at.unix())),
        table::decide_by.eq(request.decide_by.unix()),
    ))
    .execute(link))?;
    Ok(changed > 0)
}

/// False when it does not wait for a decision, or waits for one by other eyes than these.
pub fn decide(db: &mut Db, id: &Id<AuthorityRequest>, by: &Signed, decision: &Decision) -> Result<bool, Fault> {
    let (stage, reason) = match decision {
        Decision::Accept => (Stage::Accepted, None),
        Decision::Refuse(reason) => (Stage::Refused, Some(reason.as_str())),
    };
    let changed = on_each!(db, |link| diesel::update(
        table::table
            .find(id.as_str())
            .filter(table::stage.eq(Stage::Forwarded.name()))
            .filter(table::received_by.ne(by.by.as_str()))
    )
    .set((
        table::stage.eq(stage.name()),
        table::decided_by.eq(by.by.as_str()),
        table::decided_at.eq(by.at.unix()),
        table::reason.eq(reason),
    ))
    .execute(link))?;
    Ok(changed > 0)
}

/// What waits for somebody, the most urgent first.
pub fn open(db: &mut Db, limit: i64) -> Result<Vec<AuthorityRequest>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| table::table
        .filter(table::stage.eq_any([Stage::Received.name(), Stage::Forwarded.name()]))
        .order((table::decide_by, table::id))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Everything ever asked about an account, the newest first.
pub fn of_account(db: &mut Db, account: &Id<Account>, limit: i64) -> Result<Vec<AuthorityRequest>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| table::table
        .filter(table::account_id.eq(account.as_str()))
        .order((table::received_at.desc(), table::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

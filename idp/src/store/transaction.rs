//! Transactions holders approved: one row each, approved once per client and reference, spent once.

use diesel::prelude::*;

use super::columns::known;
use super::db::{Db, on_each};
use super::schema::transactions;
use crate::domain::account::Account;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::transaction::{Approved, Spent, Transaction};
use crate::domain::{Client, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = transactions)]
struct Row {
    id: String,
    client_id: String,
    reference: String,
    account_id: String,
    grant_id: String,
    details: String,
    language: String,
    approved_at: i64,
    spent_at: Option<i64>,
    spent_by: Option<String>,
    attempt: Option<String>,
}

impl Row {
    fn decode(self) -> Result<Approved, Fault> {
        let spent = match self.spent_at {
            None => None,
            Some(at) => Some(Spent {
                at: Moment::from_unix(at),
                by: Id::new(known(self.spent_by, "transactions")?),
                attempt: self.attempt,
            }),
        };
        Ok(Approved {
            id: Id::new(self.id),
            client: Id::new(self.client_id),
            reference: BlindIndex::from_text(self.reference),
            account: Id::new(self.account_id),
            grant: Id::new(self.grant_id),
            details: Sealed::from_text(self.details),
            language: self.language,
            approved_at: Moment::from_unix(self.approved_at),
            spent,
        })
    }
}

/// False when this client's reference was approved before: the unique key decides.
pub fn approve(db: &mut Db, approved: &Approved) -> Result<bool, Fault> {
    let inserted = on_each!(db, |link| diesel::insert_into(transactions::table)
        .values((
            transactions::id.eq(approved.id.as_str()),
            transactions::client_id.eq(approved.client.as_str()),
            transactions::reference.eq(approved.reference.as_str()),
            transactions::account_id.eq(approved.account.as_str()),
            transactions::grant_id.eq(approved.grant.as_str()),
            transactions::details.eq(approved.details.as_str()),
            transactions::language.eq(approved.language.as_str()),
            transactions::approved_at.eq(approved.approved_at.unix()),
        ))
        .on_conflict((transactions::client_id, transactions::reference))
        .do_nothing()
        .execute(link))?;
    Ok(inserted > 0)
}

pub fn is_known(db: &mut Db, client: &Id<Client>, reference: &BlindIndex) -> Result<bool, Fault> {
    let found: Option<String> = on_each!(db, |link| transactions::table
        .filter(transactions::client_id.eq(client.as_str()))
        .filter(transactions::reference.eq(reference.as_str()))
        .select(transactions::id)
        .get_result(link)
        .optional())?;
    Ok(found.is_some())
}

pub fn find(db: &mut Db, id: &Id<Transaction>) -> Result<Option<Approved>, Fault> {
    let row: Option<Row> = on_each!(db, |link| transactions::table
        .find(id.as_str())
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// True for exactly one caller, ever.
pub fn spend(db: &mut Db, id: &Id<Transaction>, spent: &Spent) -> Result<bool, Fault> {
    let changed = on_each!(db, |link| diesel::update(
        transactions::table.find(id.as_str()).filter(transactions::spent_at.is_null())
    )
    .set((
        transactions::spent_at.eq(spent.at.unix()),
        transactions::spent_by.eq(spent.by.as_str()),
        transactions::attempt.eq(spent.attempt.as_deref()),
    ))
    .execute(link))?;
    Ok(changed > 0)
}

/// The latest an account approved, the newest first.
pub fn of_account(db: &mut Db, account: &Id<Account>, limit: i64) -> Result<Vec<Approved>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| transactions::table
        .filter(transactions::account_id.eq(account.as_str()))
        .order((transactions::approved_at.desc(), transactions::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

//! A holder's decisions, one live per client and purpose. What was superseded or withdrawn stays as evidence.

use diesel::prelude::*;

use super::columns::{claim_words, claims, word};
use super::db::{Db, on_each};
use super::schema::{accounts, consents};
use crate::domain::account::Account;
use crate::domain::consent::{Consent, Receipt};
use crate::domain::{Client, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = consents)]
struct Row {
    id: String,
    account_id: String,
    client_id: String,
    purpose: String,
    asked: String,
    granted: String,
    decided_at: i64,
}

impl Row {
    fn decode(self) -> Result<Consent, Fault> {
        Ok(Consent {
            id: Id::new(self.id),
            account: Id::new(self.account_id),
            client: Id::new(self.client_id),
            purpose: self.purpose,
            asked: claims(&self.asked, "consents")?,
            granted: claims(&self.granted, "consents")?,
            decided_at: Moment::from_unix(self.decided_at),
        })
    }
}

pub fn live(db: &mut Db, account: &Id<Account>, client: &Id<Client>) -> Result<Vec<Consent>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| consents::table
        .filter(consents::account_id.eq(account.as_str()))
        .filter(consents::client_id.eq(client.as_str()))
        .filter(consents::ended_at.is_null())
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

pub fn all_live(db: &mut Db, account: &Id<Account>) -> Result<Vec<Consent>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| consents::table
        .filter(consents::account_id.eq(account.as_str()))
        .filter(consents::ended_at.is_null())
        .order((consents::client_id, consents::purpose))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Records a decision in place of the live one on the same purpose.
pub fn record(db: &mut Db, consent: &Consent, receipt: &Receipt) -> Result<(), Fault> {
    // Changes nothing, but holds the account's row until the commit: two answers to one page queue here instead
    // of meeting at the unique index.
    on_each!(db, |link| diesel::update(accounts::table.find(consent.account.as_str()))
        .set(accounts::state.eq(accounts::state))
        .execute(link))?;
    on_each!(db, |link| diesel::update(
        consents::table
            .filter(consents::account_id.eq(consent.account.as_str()))
            .filter(consents::client_id.eq(consent.client.as_str()))
            .filter(consents::purpose.eq(consent.purpose.as_str()))
            .filter(consents::ended_at.is_null())
    )
    .set((consents::ended_at.eq(consent.decided_at.unix()), consents::ended_by.eq("superseded")))
    .execute(link))?;
    let (asked, granted) = (claim_words(&consent.asked), claim_words(&consent.granted));
    let basis = word(&receipt.legal_basis)?;
    on_each!(db, |link| diesel::insert_into(consents::table)
        .values((
            consents::id.eq(consent.id.as_str()),
            consents::account_id.eq(consent.account.as_str()),
            consents::client_id.eq(consent.client.as_str()),
            consents::purpose.eq(consent.purpose.as_str()),
            consents::asked.eq(asked.as_str()),
            consents::granted.eq(granted.as_str()),
            consents::decided_at.eq(consent.decided_at.unix()),
            consents::legal_basis.eq(basis.as_str()),
            consents::text_hash.eq(receipt.text_hash.as_str()),
            consents::language.eq(receipt.language.as_str()),
            consents::authentication_level.eq(i16::from(receipt.authentication_level)),
            consents::actor_id.eq(receipt.actor.as_ref().map(Id::as_str)),
        ))
        .execute(link))?;
    Ok(())
}

pub fn withdraw(db: &mut Db, account: &Id<Account>, client: &Id<Client>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        consents::table
            .filter(consents::account_id.eq(account.as_str()))
            .filter(consents::client_id.eq(client.as_str()))
            .filter(consents::ended_at.is_null())
    )
    .set((consents::ended_at.eq(at.unix()), consents::ended_by.eq("withdrawn")))
    .execute(link))?)
}

/// `domain.md` 6.4: a death closes every consent. The column knows no third word; the trail says why.
pub fn close_all(db: &mut Db, account: &Id<Account>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(
        consents::table.filter(consents::account_id.eq(account.as_str())).filter(consents::ended_at.is_null())
    )
    .set((consents::ended_at.eq(at.unix()), consents::ended_by.eq("withdrawn")))
    .execute(link))?)
}

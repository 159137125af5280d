//! Who may act for an organisation.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::columns::{at as moment, known};
use super::db::{Db, on_each};
use super::schema::representations;
use crate::domain::account::Account;
use crate::domain::circumstances::{Representation, Role, represents};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = representations)]
struct Row {
    organisation_id: String,
    person_id: String,
    role: String,
    bound_by: Option<String>,
    from_at: i64,
    until_at: Option<i64>,
}

impl Row {
    fn decode(self) -> Result<Representation, Fault> {
        Ok(Representation {
            organisation: Id::new(self.organisation_id),
            person: Id::new(self.person_id),
            role: known(Role::parse(&self.role), "representations")?,
            bound_by: self.bound_by.map(Id::new),
            from: Moment::from_unix(self.from_at),
            until: moment(self.until_at),
        })
    }
}

/// Everybody on record for an organisation, those whose time is over included.
pub fn of_organisation(db: &mut Db, organisation: &Id<Account>) -> Result<Vec<Representation>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| representations::table
        .filter(representations::organisation_id.eq(organisation.as_str()))
        .order(representations::person_id)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// The organisations a person represents now.
pub fn of_person(db: &mut Db, person: &Id<Account>, now: Moment) -> Result<Vec<Id<Account>>, Fault> {
    let named: Vec<String> = on_each!(db, |link| representations::table
        .filter(representations::person_id.eq(person.as_str()))
        .select(representations::organisation_id)
        .load(link))?;
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = on_each!(db, |link| representations::table
        .filter(representations::organisation_id.eq_any(&named))
        .select(Row::as_select())
        .load(link))?;
    let mut records: BTreeMap<Id<Account>, Vec<Representation>> = BTreeMap::new();
    for row in rows {
        let record = row.decode()?;
        records.entry(record.organisation.clone()).or_default().push(record);
    }
    records.retain(|_, records| represents(records, person, now));
    Ok(records.into_keys().collect())
}

/// Replaces everybody on record for an organisation.
pub fn replace(db: &mut Db, organisation: &Id<Account>, records: &[Representation]) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(
        representations::table.filter(representations::organisation_id.eq(organisation.as_str()))
    )
    .execute(link))?;
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            (
                representations::organisation_id.eq(organisation.as_str()),
                representations::person_id.eq(record.person.as_str()),
                representations::role.eq(record.role.name()),
                representations::bound_by.eq(record.bound_by.as_ref().map(Id::as_str)),
                representations::from_at.eq(record.from.unix()),
                representations::until_at.eq(record.until.map(Moment::unix)),
            )
        })
        .collect();
    on_each!(db, |link| diesel::insert_into(representations::table).values(&rows).execute(link))?;
    Ok(())
}

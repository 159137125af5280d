//! The sandbox phone's inbox, sealed like everything that names a person.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::messages;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{Fault, Id, Moment};

#[derive(Clone, Debug)]
pub struct SmsMessage {
    pub id: Id<SmsMessage>,
    pub to_index: BlindIndex,
    pub to: Sealed,
    pub text: Sealed,
    pub at: Moment,
}

type Row = (String, String, String, String, i64);

pub fn put(db: &mut Db, message: &SmsMessage) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(messages::table)
        .values((
            messages::id.eq(message.id.as_str()),
            messages::to_index.eq(message.to_index.as_str()),
            messages::to_phone.eq(message.to.as_str()),
            messages::body.eq(message.text.as_str()),
            messages::at.eq(message.at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// The newest first, of one phone or of all.
pub fn list(db: &mut Db, to: Option<&BlindIndex>, limit: i64) -> Result<Vec<SmsMessage>, Fault> {
    let rows: Vec<Row> = match to {
        Some(index) => on_each!(db, |link| messages::table
            .filter(messages::to_index.eq(index.as_str()))
            .order((messages::at.desc(), messages::id.desc()))
            .limit(limit)
            .load(link))?,
        None => on_each!(db, |link| messages::table
            .order((messages::at.desc(), messages::id.desc()))
            .limit(limit)
            .load(link))?,
    };
    let decode = |(id, to_index, to, text, at): Row| SmsMessage {
        id: Id::new(id),
        to_index: BlindIndex::from_text(to_index),
        to: Sealed::from_text(to),
        text: Sealed::from_text(text),
        at: Moment::from_unix(at),
    };
    Ok(rows.into_iter().map(decode).collect())
}

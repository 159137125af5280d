//! Signing keys, retired ones included: they still check an `id_token_hint`.

use diesel::prelude::*;

use super::columns::{at as moment, known};
use super::db::{Db, on_each};
use super::schema::signing_keys;
use crate::domain::key::StoredKey;
use crate::domain::relying_party::SigningAlg;
use crate::domain::secret::Sealed;
use crate::domain::{Fault, Moment};

/// The oldest first.
pub fn list(db: &mut Db) -> Result<Vec<StoredKey>, Fault> {
    type Row = (String, String, String, String, i64, i64, Option<i64>);
    let rows: Vec<Row> = on_each!(db, |link| signing_keys::table
        .order((signing_keys::published_at, signing_keys::kid))
        .select((
            signing_keys::kid,
            signing_keys::alg,
            signing_keys::private,
            signing_keys::public,
            signing_keys::published_at,
            signing_keys::use_from,
            signing_keys::retired_at,
        ))
        .load(link))?;
    rows.into_iter()
        .map(|(kid, alg, private, public, published, from, retired)| {
            Ok(StoredKey {
                kid,
                alg: known(SigningAlg::parse(&alg), "signing_keys")?,
                private: Sealed::from_text(private),
                public,
                published_at: Moment::from_unix(published),
                use_from: Moment::from_unix(from),
                retired_at: moment(retired),
            })
        })
        .collect()
}

pub fn put(db: &mut Db, key: &StoredKey) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::kid.eq(key.kid.as_str()),
            signing_keys::alg.eq(key.alg.name()),
            signing_keys::private.eq(key.private.as_str()),
            signing_keys::public.eq(key.public.as_str()),
            signing_keys::published_at.eq(key.published_at.unix()),
            signing_keys::use_from.eq(key.use_from.unix()),
            signing_keys::retired_at.eq(key.retired_at.map(Moment::unix)),
        ))
        .execute(link))?;
    Ok(())
}

/// False when it was retired before, or is unknown.
pub fn retire(db: &mut Db, kid: &str, at: Moment) -> Result<bool, Fault> {
    let retired =
        on_each!(db, |link| diesel::update(signing_keys::table.find(kid).filter(signing_keys::retired_at.is_null()))
            .set(signing_keys::retired_at.eq(at.unix()))
            .execute(link))?;
    Ok(retired > 0)
}

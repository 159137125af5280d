//! Passkeys: whose a credential is, and what its last use changed.

use diesel::prelude::*;

use super::columns::at;
use super::db::{Db, on_each};
use super::schema::accounts;
use super::schema::passkeys;
use crate::domain::account::Account;
use crate::domain::passkey::{self, Passkey};
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{Factor, Fault, Id, Moment};

/// A passkey with its sealed parts.
#[derive(Clone, Debug)]
pub struct Kept {
    pub passkey: Passkey,
    /// What signatures are verified with.
    pub kept: Sealed,
    /// The name its holder gave it.
    pub label: Sealed,
}

type Row = (String, String, String, String, bool, i64, i64, Option<i64>);

fn decode((id, account, kept, label, synced, sign_count, created, used): Row) -> Kept {
    Kept {
        passkey: Passkey {
            id: Id::new(id),
            account: Id::new(account),
            synced,
            sign_count,
            created_at: Moment::from_unix(created),
            used_at: at(used),
        },
        kept: Sealed::from_text(kept),
        label: Sealed::from_text(label),
    }
}

/// As `accounts.passkey` names what an account has.
pub(super) fn strongest(kind: &str) -> Option<Factor> {
    match kind {
        "bound" => Some(Factor::Passkey),
        "synced" => Some(Factor::SyncedPasskeyAtOne),
        _ => None,
    }
}

/// False when the credential is registered already, to whomever (WebAuthn §7.1).
pub fn put(db: &mut Db, kept: &Kept, credential: &BlindIndex) -> Result<bool, Fault> {
    let passkey = &kept.passkey;
    let made = on_each!(db, |link| diesel::insert_into(passkeys::table)
        .values((
            passkeys::id.eq(passkey.id.as_str()),
            passkeys::account_id.eq(passkey.account.as_str()),
            passkeys::credential.eq(credential.as_str()),
            passkeys::kept.eq(kept.kept.as_str()),
            passkeys::label.eq(kept.label.as_str()),
            passkeys::synced.eq(passkey.synced),
            passkeys::sign_count.eq(passkey.sign_count),
            passkeys::created_at.eq(passkey.created_at.unix()),
        ))
        .on_conflict(passkeys::credential)
        .do_nothing()
        .execute(link))?;
    if made == 0 {
        return Ok(false);
    }
    summarise(db, &passkey.account)?;
    Ok(true)
}

/// The oldest first.
pub fn of_account(db: &mut Db, account: &Id<Account>) -> Result<Vec<Kept>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| passkeys::table
        .filter(passkeys::account_id.eq(account.as_str()))
        .order((passkeys::created_at, passkeys::id))
        .select((
            passkeys::id,
            passkeys::account_id,
            passkeys::kept,
            passkeys::label,
            passkeys::synced,
            passkeys::sign_count,
            passkeys::created_at,
            passkeys::used_at,
        ))
        .load(link))?;
    Ok(rows.into_iter().map(decode).collect())
}

pub fn find_by_credential(db: &mut Db, credential: &BlindIndex) -> Result<Option<Kept>, Fault> {
    let row: Option<Row> = on_each!(db, |link| passkeys::table
        .filter(passkeys::credential.eq(credential.as_str()))
        .select((
            passkeys::id,
            passkeys::account_id,
            passkeys::kept,
            passkeys::label,
            passkeys::synced,
            passkeys::sign_count,
            passkeys::created_at,
            passkeys::used_at,
        ))
        .get_result(link)
        .optional())?;
    Ok(row.map(decode))
}

/// Records a use. False when another use was recorded since it was read: of two signatures with one count, one counts.
pub fn used(db: &mut Db, before: &Passkey, (count, kept): (i64, &Sealed), at: Moment) -> Result<bool, Fault> {
    let written = on_each!(db, |link| diesel::update(
        passkeys::table.find(before.id.as_str()).filter(passkeys::sign_count.eq(before.sign_count))
    )
    .set((passkeys::sign_count.eq(count), passkeys::kept.eq(kept.as_str()), passkeys::used_at.eq(at.unix())))
    .execute(link))?;
    Ok(written > 0)
}

/// False when it is not this account's.
pub fn rename(db: &mut Db, account: &Id<Account>, id: &Id<Passkey>, label: &Sealed) -> Result<bool, Fault> {
    let written = on_each!(db, |link| diesel::update(
        passkeys::table.find(id.as_str()).filter(passkeys::account_id.eq(account.as_str()))
    )
    .set(passkeys::label.eq(label.as_str()))
    .execute(link))?;
    Ok(written > 0)
}

/// False when it is not this account's, or not any more.
pub fn remove(db: &mut Db, account: &Id<Account>, id: &Id<Passkey>) -> Result<bool, Fault> {
    let removed = on_each!(db, |link| diesel::delete(
        passkeys::table.find(id.as_str()).filter(passkeys::account_id.eq(account.as_str()))
    )
    .execute(link))?;
    summarise(db, account)?;
    Ok(removed > 0)
}

/// The account's own row tells what there is, so that a sign-in reads one row.
fn summarise(db: &mut Db, account: &Id<Account>) -> Result<(), Fault> {
    let synced: Vec<bool> = on_each!(db, |link| passkeys::table
        .filter(passkeys::account_id.eq(account.as_str()))
        .select(passkeys::synced)
        .load(link))?;
    let kind = passkey::strongest(synced).map(|factor| if factor == Factor::Passkey { "bound" } else { "synced" });
    on_each!(db, |link| diesel::update(accounts::table.find(account.as_str()))
        .set(accounts::passkey.eq(kind))
        .execute(link))?;
    Ok(())
}

/// What the account's passkeys know it by: random, so that a lost device tells nobody whose it was.
pub fn user_handle(db: &mut Db, account: &Id<Account>) -> Result<Option<String>, Fault> {
    let row: Option<Option<String>> = on_each!(db, |link| accounts::table
        .find(account.as_str())
        .select(accounts::user_handle)
        .get_result(link)
        .optional())?;
    Ok(row.flatten())
}

/// Gives the account a handle where it has none; the answer is the one it has.
pub fn user_handle_or(db: &mut Db, account: &Id<Account>, fresh: &str) -> Result<String, Fault> {
    on_each!(db, |link| diesel::update(
        accounts::table.find(account.as_str()).filter(accounts::user_handle.is_null())
    )
    .set(accounts::user_handle.eq(fresh))
    .execute(link))?;
    user_handle(db, account)?.ok_or_else(|| Fault::broken("store", "an account vanished"))
}

//! The device an app is bound to, the codes that bind one, and the tickets it answers. Every turn of a ticket is one
//! conditional update: its affected rows decide.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at, json, known, to_json};
use super::db::{Db, on_each};
use super::schema::accounts;
use super::schema::{app_bindings, app_devices, app_tickets};
use crate::domain::account::Account;
use crate::domain::app::{Device, Ending, MOST_TRIES, Ticket};
use crate::domain::interaction::Interaction;
use crate::domain::secret::{AppChallenge, AppTicket, BlindIndex, Sealed, Stored};
use crate::domain::{Factor, Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = app_devices)]
struct DeviceRow {
    id: String,
    account_id: String,
    name: String,
    key: String,
    bound_at: i64,
    used_at: Option<i64>,
    removed_at: Option<i64>,
}

impl From<DeviceRow> for Device {
    fn from(row: DeviceRow) -> Device {
        Device {
            id: Id::new(row.id),
            account: Id::new(row.account_id),
            name: Sealed::from_text(row.name),
            key: row.key,
            bound_at: Moment::from_unix(row.bound_at),
            used_at: at(row.used_at),
            removed_at: at(row.removed_at),
        }
    }
}

/// Opens a code in place of any other of the account.
pub fn open_binding(
    db: &mut Db,
    account: &Id<Account>,
    code: &BlindIndex,
    (opened_at, expires_at): (Moment, Moment),
) -> Result<(), Fault> {
    spend_bindings(db, account, opened_at)?;
    on_each!(db, |link| diesel::insert_into(app_bindings::table)
        .values((
            app_bindings::code.eq(code.as_str()),
            app_bindings::account_id.eq(account.as_str()),
            app_bindings::opened_at.eq(opened_at.unix()),
            app_bindings::expires_at.eq(expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// Whose code it is, if it is open.
pub fn find_binding(db: &mut Db, code: &BlindIndex, now: Moment) -> Result<Option<Id<Account>>, Fault> {
    let account: Option<String> = on_each!(db, |link| app_bindings::table
        .find(code.as_str())
        .filter(app_bindings::spent_at.is_null())
        .filter(app_bindings::expires_at.gt(now.unix()))
        .select(app_bindings::account_id)
        .get_result(link)
        .optional())?;
    Ok(account.map(Id::new))
}

/// False when it was spent before.
pub fn spend_binding(db: &mut Db, code: &BlindIndex, now: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        app_bindings::table.find(code.as_str()).filter(app_bindings::spent_at.is_null())
    )
    .set(app_bindings::spent_at.eq(now.unix()))
    .execute(link))?;
    Ok(spent > 0)
}

/// Codes that would bind a phone.
#[auto_type]
pub(super) fn open_codes<'a>(account: &'a str) -> _ {
    app_bindings::table.filter(app_bindings::account_id.eq(account)).filter(app_bindings::spent_at.is_null())
}

fn spend_bindings(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(open_codes(account.as_str()))
        .set(app_bindings::spent_at.eq(now.unix()))
        .execute(link))?;
    Ok(())
}

/// Binds a device. The one bound before must have been removed: the unique index decides.
pub fn bind(db: &mut Db, device: &Device) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(app_devices::table)
        .values((
            app_devices::id.eq(device.id.as_str()),
            app_devices::account_id.eq(device.account.as_str()),
            app_devices::name.eq(device.name.as_str()),
            app_devices::key.eq(device.key.as_str()),
            app_devices::bound_at.eq(device.bound_at.unix()),
        ))
        .execute(link))?;
    note_device(db, &device.account, Some(&device.id))
}

/// Removes whatever device is bound, with its open approvals. `None`: there was none.
pub fn remove(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<Option<Id<Device>>, Fault> {
    let Some(device) = bound(db, account)? else { return Ok(None) };
    on_each!(db, |link| diesel::update(
        app_devices::table.find(device.id.as_str()).filter(app_devices::removed_at.is_null())
    )
    .set(app_devices::removed_at.eq(now.unix()))
    .execute(link))?;
    on_each!(db, |link| diesel::update(
        app_tickets::table.filter(app_tickets::device_id.eq(device.id.as_str())).filter(app_tickets::ended.is_null())
    )
    .set(app_tickets::ended.eq(Ending::Cancelled.name()))
    .execute(link))?;
    note_device(db, account, None)?;
    Ok(Some(device.id))
}

fn note_device(db: &mut Db, account: &Id<Account>, device: Option<&Id<Device>>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(account.as_str()))
        .set(accounts::app_device.eq(device.map(Id::as_str)))
        .execute(link))?;
    Ok(())
}

/// The device bound now.
pub fn bound(db: &mut Db, account: &Id<Account>) -> Result<Option<Device>, Fault> {
    let row: Option<DeviceRow> = on_each!(db, |link| app_devices::table
        .filter(app_devices::account_id.eq(account.as_str()))
        .filter(app_devices::removed_at.is_null())
        .select(DeviceRow::as_select())
        .get_result(link)
        .optional())?;
    Ok(row.map(Device::from))
}

/// A device by its name, unless it was removed.
pub fn find_device(db: &mut Db, id: &Id<Device>) -> Result<Option<Device>, Fault> {
    let row: Option<DeviceRow> = on_each!(db, |link| app_devices::table
        .find(id.as_str())
        .filter(app_devices::removed_at.is_null())
        .select(DeviceRow::as_select())
        .get_result(link)
        .optional())?;
    Ok(row.map(Device::from))
}

pub fn note_use(db: &mut Db, id: &Id<Device>, now: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(app_devices::table.find(id.as_str()))
        .set(app_devices::used_at.eq(now.unix()))
        .execute(link))?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = app_tickets)]
struct TicketRow {
    id: String,
    interaction_id: String,
    screen: String,
    account_id: Option<String>,
    device_id: Option<String>,
    challenge: Option<String>,
    contested: bool,
    tries: i16,
    factors: Option<String>,
    expires_at: i64,
    ended: Option<String>,
}

impl TicketRow {
    fn decode(self) -> Result<Ticket, Fault> {
        Ok(Ticket {
            id: Id::new(self.id),
            interaction: Id::new(self.interaction_id),
            screen: Sealed::from_text(self.screen),
            account: self.account_id.map(Id::new),
            device: self.device_id.map(Id::new),
            challenge: self.challenge.map(Stored::from_store),
            contested: self.contested,
            tries: self.tries.into(),
            factors: self.factors.map(|text| json(&text, "app_tickets")).transpose()?,
            expires_at: Moment::from_unix(self.expires_at),
            ended: self.ended.map(|name| known(Ending::parse(&name), "app_tickets")).transpose()?,
        })
    }
}

/// Shows a ticket in place of the one its interaction has, which is superseded (`security.md` LG-37).
pub fn show(db: &mut Db, ticket: &Ticket, secret: &Stored<AppTicket>, now: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(
        app_tickets::table
            .filter(app_tickets::interaction_id.eq(ticket.interaction.as_str()))
            .filter(app_tickets::ended.is_null())
    )
    .set(app_tickets::ended.eq(Ending::Superseded.name()))
    .execute(link))?;
    on_each!(db, |link| diesel::insert_into(app_tickets::table)
        .values((
            app_tickets::id.eq(ticket.id.as_str()),
            app_tickets::ticket.eq(secret.as_str()),
            app_tickets::interaction_id.eq(ticket.interaction.as_str()),
            app_tickets::screen.eq(ticket.screen.as_str()),
            app_tickets::account_id.eq(ticket.account.as_ref().map(Id::as_str)),
            app_tickets::contested.eq(false),
            app_tickets::tries.eq(0),
            app_tickets::made_at.eq(now.unix()),
            app_tickets::expires_at.eq(ticket.expires_at.unix()),
        ))
        // Of two tabs that show the page at once, one makes the ticket and both show it.
        .on_conflict_do_nothing()
        .execute(link))?;
    Ok(())
}

/// The newest of an interaction, ended or not.
pub fn newest(db: &mut Db, interaction: &Id<Interaction>) -> Result<Option<Ticket>, Fault> {
    let row: Option<TicketRow> = on_each!(db, |link| app_tickets::table
        .filter(app_tickets::interaction_id.eq(interaction.as_str()))
        .order(app_tickets::id.desc())
        .select(TicketRow::as_select())
        .first(link)
        .optional())?;
    row.map(TicketRow::decode).transpose()
}

pub fn find(db: &mut Db, secret: &Stored<AppTicket>) -> Result<Option<Ticket>, Fault> {
    let row: Option<TicketRow> = on_each!(db, |link| app_tickets::table
        .filter(app_tickets::ticket.eq(secret.as_str()))
        .select(TicketRow::as_select())
        .get_result(link)
        .optional())?;
    row.map(TicketRow::decode).transpose()
}

/// Binds a ticket to the first device that scans it. False when another was first, or it can be scanned no more.
pub fn scan(
    db: &mut Db,
    id: &Id<Ticket>,
    by: &Device,
    challenge: &Stored<AppChallenge>,
    (now, answer_by): (Moment, Moment),
) -> Result<bool, Fault> {
    let changed = on_each!(db, |link| diesel::update(
        app_tickets::table
            .find(id.as_str())
            .filter(app_tickets::ended.is_null())
            .filter(app_tickets::factors.is_null())
            .filter(app_tickets::expires_at.gt(now.unix()))
            .filter(app_tickets::device_id.is_null().or(app_tickets::device_id.eq(by.id.as_str())))
            .filter(app_tickets::account_id.is_null().or(app_tickets::account_id.eq(by.account.as_str())))
    )
    .set((
        app_tickets::device_id.eq(by.id.as_str()),
        app_tickets::account_id.eq(by.account.as_str()),
        app_tickets::challenge.eq(challenge.as_str()),
        app_tickets::expires_at.eq(answer_by.unix()),
    ))
    .execute(link))?;
    Ok(changed > 0)
}

/// Another device scanned it too: its screen and the first device are told.
pub fn contest(db: &mut Db, id: &Id<Ticket>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(app_tickets::table.find(id.as_str()))
        .set(app_tickets::contested.eq(true))
        .execute(link))?;
    Ok(())
}

/// Charges one try at the number, before it is looked at. `None`: none is left. Else how many were made.
pub fn charge(db: &mut Db, id: &Id<Ticket>) -> Result<Option<i64>, Fault> {
    let most = i16::try_from(MOST_TRIES).unwrap_or(i16::MAX);
    let tries: Option<i16> =
        on_each!(db, |link| diesel::update(app_tickets::table.find(id.as_str()).filter(app_tickets::tries.lt(most)))
            .set(app_tickets::tries.eq(app_tickets::tries + 1))
            .returning(app_tickets::tries)
            .get_result(link)
            .optional())?;
    Ok(tries.map(i64::from))
}

/// The approval. False when it can be answered no more: of many at once one counts.
pub fn approve(
    db: &mut Db,
    id: &Id<Ticket>,
    (by, challenge): (&Device, &Stored<AppChallenge>),
    factors: &[Factor],
    (now, take_by): (Moment, Moment),
) -> Result<bool, Fault> {
    let factors = to_json(&factors)?;
    let changed = on_each!(db, |link| diesel::update(
        app_tickets::table
            .find(id.as_str())
            .filter(app_tickets::ended.is_null())
            .filter(app_tickets::factors.is_null())
            .filter(app_tickets::expires_at.gt(now.unix()))
            .filter(app_tickets::device_id.eq(by.id.as_str()))
            .filter(app_tickets::challenge.eq(challenge.as_str()))
    )
    .set((app_tickets::factors.eq(factors.as_str()), app_tickets::expires_at.eq(take_by.unix())))
    .execute(link))?;
    Ok(changed > 0)
}

/// Ends an open one. False when it had ended before.
pub fn end(db: &mut Db, id: &Id<Ticket>, ending: Ending) -> Result<bool, Fault> {
    let ended =
        on_each!(db, |link| diesel::update(app_tickets::table.find(id.as_str()).filter(app_tickets::ended.is_null()))
            .set(app_tickets::ended.eq(ending.name()))
            .execute(link))?;
    Ok(ended > 0)
}

/// An approval becomes a sign-in once.
pub fn take(db: &mut Db, id: &Id<Ticket>, now: Moment) -> Result<bool, Fault> {
    let taken = on_each!(db, |link| diesel::update(
        app_tickets::table
            .find(id.as_str())
            .filter(app_tickets::ended.is_null())
            .filter(app_tickets::factors.is_not_null())
            .filter(app_tickets::expires_at.gt(now.unix()))
    )
    .set(app_tickets::ended.eq(Ending::Taken.name()))
    .execute(link))?;
    Ok(taken > 0)
}

/// Tickets nobody answered yet.
#[auto_type]
pub(super) fn open_tickets<'a>(account: &'a str) -> _ {
    app_tickets::table.filter(app_tickets::account_id.eq(account)).filter(app_tickets::ended.is_null())
}

/// Ends what an account has pending: tickets and codes that would bind a phone.
pub fn cancel_all(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<usize, Fault> {
    spend_bindings(db, account, now)?;
    Ok(on_each!(db, |link| diesel::update(open_tickets(account.as_str()))
        .set(app_tickets::ended.eq(Ending::Cancelled.name()))
        .execute(link))?)
}

/// Forgets up to `limit` of each that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| app_tickets::table
        .filter(app_tickets::expires_at.lt(before.unix()))
        .order(app_tickets::expires_at)
        .limit(limit)
        .select(app_tickets::id)
        .load(link))?;
    let codes: Vec<String> = on_each!(db, |link| app_bindings::table
        .filter(app_bindings::expires_at.lt(before.unix()))
        .order(app_bindings::expires_at)
        .limit(limit)
        .select(app_bindings::code)
        .load(link))?;
    let tickets =
        on_each!(db, |link| diesel::delete(app_tickets::table.filter(app_tickets::id.eq_any(&stale))).execute(link))?;
    let bindings = on_each!(db, |link| diesel::delete(app_bindings::table.filter(app_bindings::code.eq_any(&codes)))
        .execute(link))?;
    Ok(tickets + bindings)
}

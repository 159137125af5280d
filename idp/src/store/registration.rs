//! Registration requests with what was vouched for in them. Every change matches the version it was decided on.

use diesel::prelude::*;

use super::columns::{at, known};
use super::db::{Db, on_each};
use super::schema::{enrolment_evidence, enrolments};
use crate::domain::account::{Account, Holder};
use crate::domain::enrolment::{Channel, Enrolment, Proof, Vouched};
use crate::domain::registration::{Progress, Reason, State};
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{AccountLevel, Fault, Id, Moment};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = enrolments)]
struct Row {
    id: String,
    holder: String,
    level: Option<i16>,
    channel: String,
    state: String,
    reason: Option<String>,
    person_index: String,
    person: String,
    particulars: String,
    phone: Option<String>,
    phone_index: Option<String>,
    phone_proved_at: Option<i64>,
    account_id: Option<String>,
    officer_id: Option<String>,
    created_at: i64,
    submitted_at: Option<i64>,
    decide_by: Option<i64>,
    decided_at: Option<i64>,
    notified_at: Option<i64>,
    activate_by: Option<i64>,
    due_at: Option<i64>,
    tries: i64,
    version: i64,
}

impl Row {
    fn encode(enrolment: &Enrolment) -> Row {
        let progress = &enrolment.progress;
        let unix = |moment: Option<Moment>| moment.map(Moment::unix);
        Row {
            id: enrolment.id.as_str().to_owned(),
            holder: enrolment.holder.name().to_owned(),
            level: enrolment.level.map(|level| level.number().into()),
            channel: enrolment.channel.name().to_owned(),
            state: progress.state.name().to_owned(),
            reason: progress.state.reason().map(|reason| reason.name().to_owned()),
            person_index: enrolment.person_index.as_str().to_owned(),
            person: enrolment.person.as_str().to_owned(),
            particulars: enrolment.particulars.as_str().to_owned(),
            phone: enrolment.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            phone_index: enrolment.phone_index.as_ref().map(|index| index.as_str().to_owned()),
            phone_proved_at: unix(enrolment.phone_proved_at),
            account_id: enrolment.account.as_ref().map(|id| id.as_str().to_owned()),
            officer_id: enrolment.officer.as_ref().map(|id| id.as_str().to_owned()),
            created_at: enrolment.created_at.unix(),
            submitted_at: unix(progress.submitted_at),
            decide_by: unix(progress.decide_by),
            decided_at: unix(progress.decided_at),
            notified_at: unix(progress.notified_at),
            activate_by: unix(progress.activate_by),
            due_at: unix(enrolment.due_at),
            tries: enrolment.tries,
            version: enrolment.version,
        }
    }

    fn decode(self) -> Result<Enrolment, Fault> {
        const PLACE: &str = "enrolments";
        let reason = self.reason.map(|name| known(Reason::parse(&name), PLACE)).transpose()?;
        let level = self.level.map(|number| known(AccountLevel::from_number(number.into()), PLACE));
        Ok(Enrolment {
            id: Id::new(self.id),
            holder: known(Holder::parse(&self.holder), PLACE)?,
            level: level.transpose()?,
            channel: known(Channel::parse(&self.channel), PLACE)?,
            progress: Progress {
                state: known(State::parse(&self.state, reason), PLACE)?,
                submitted_at: at(self.submitted_at),
                decide_by: at(self.decide_by),
                decided_at: at(self.decided_at),
                notified_at: at(self.notified_at),
                activate_by: at(self.activate_by),
            },
            person_index: BlindIndex::from_text(self.person_index),
            person: Sealed::from_text(self.person),
            particulars: Sealed::from_text(self.particulars),
            phone: self.phone.map(Sealed::from_text),
            phone_index: self.phone_index.map(BlindIndex::from_text),
            phone_proved_at: at(self.phone_proved_at),
            account: self.account_id.map(Id::new),
            officer: self.officer_id.map(Id::new),
            created_at: Moment::from_unix(self.created_at),
            due_at: at(self.due_at),
            tries: self.tries,
            version: self.version,
        })
    }
}

pub fn put(db: &mut Db, enrolment: &Enrolment) -> Result<(), Fault> {
    let row = Row::encode(enrolment);
    on_each!(db, |link| diesel::insert_into(enrolments::table).values(&row).execute(link))?;
    Ok(())
}

/// False when somebody changed it since it was read; nothing is written then. On success the row's version is one more.
pub fn save(db: &mut Db, enrolment: &Enrolment) -> Result<bool, Fault> {
    let row = Row::encode(enrolment);
    let saved = on_each!(db, |link| diesel::update(
        enrolments::table.find(row.id.as_str()).filter(enrolments::version.eq(row.version))
    )
    .set((
        enrolments::level.eq(row.level),
        enrolments::state.eq(row.state.as_str()),
        enrolments::reason.eq(row.reason.as_deref()),
        enrolments::particulars.eq(row.particulars.as_str()),
        enrolments::phone.eq(row.phone.as_deref()),
        enrolments::phone_index.eq(row.phone_index.as_deref()),
        enrolments::phone_proved_at.eq(row.phone_proved_at),
        enrolments::account_id.eq(row.account_id.as_deref()),
        enrolments::officer_id.eq(row.officer_id.as_deref()),
        enrolments::submitted_at.eq(row.submitted_at),
        enrolments::decide_by.eq(row.decide_by),
        enrolments::decided_at.eq(row.decided_at),
        enrolments::notified_at.eq(row.notified_at),
        enrolments::activate_by.eq(row.activate_by),
        enrolments::due_at.eq(row.due_at),
        enrolments::tries.eq(row.tries),
        enrolments::version.eq(enrolments::version + 1),
    ))
    .execute(link))?;
    Ok(saved > 0)
}

pub fn find(db: &mut Db, id: &Id<Enrolment>) -> Result<Option<Enrolment>, Fault> {
    let row: Option<Row> =
        on_each!(db, |link| enrolments::table.find(id.as_str()).select(Row::as_select()).first(link).optional())?;
    row.map(Row::decode).transpose()
}

/// The requests of a person, the newest first.
pub fn of_person(db: &mut Db, index: &BlindIndex, limit: i64) -> Result<Vec<Enrolment>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| enrolments::table
        .filter(enrolments::person_index.eq(index.as_str()))
        .order((enrolments::created_at.desc(), enrolments::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// The newest request an account was granted by or upgraded by; one that is still examined or was refused is neither.
pub fn of_account(db: &mut Db, account: &Id<Account>) -> Result<Option<Enrolment>, Fault> {
    let granted =
        [State::Granted, State::Notified, State::Activated, State::ActivationOverdue, State::ActivatedViaHotline];
    let row: Option<Row> = on_each!(db, |link| enrolments::table
        .filter(enrolments::account_id.eq(account.as_str()))
        .filter(enrolments::state.eq_any(granted.map(State::name)))
        .order((enrolments::created_at.desc(), enrolments::id.desc()))
        .select(Row::as_select())
        .first(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// Requests of one channel in one state, the most urgent first.
pub fn list(db: &mut Db, channel: Channel, state: State, limit: i64) -> Result<Vec<Enrolment>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| enrolments::table
        .filter(enrolments::channel.eq(channel.name()))
        .filter(enrolments::state.eq(state.name()))
        .order((enrolments::decide_by, enrolments::id))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Requests a worker is to look at now, the longest waiting first.
pub fn due(db: &mut Db, now: Moment, limit: i64) -> Result<Vec<Enrolment>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| enrolments::table
        .filter(enrolments::due_at.le(now.unix()))
        .order((enrolments::due_at, enrolments::id))
        .limit(limit)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Takes the place of an earlier piece of the same kind.
pub fn vouch(db: &mut Db, enrolment: &Id<Enrolment>, vouched: &Vouched) -> Result<(), Fault> {
    let proof = vouched.proof.name();
    on_each!(db, |link| diesel::delete(enrolment_evidence::table.find((enrolment.as_str(), proof))).execute(link))?;
    on_each!(db, |link| diesel::insert_into(enrolment_evidence::table)
        .values((
            enrolment_evidence::enrolment_id.eq(enrolment.as_str()),
            enrolment_evidence::proof.eq(proof),
            enrolment_evidence::reference.eq(vouched.reference.as_str()),
            enrolment_evidence::recorded_by.eq(vouched.by.as_str()),
            enrolment_evidence::recorded_at.eq(vouched.at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn evidence(db: &mut Db, enrolment: &Id<Enrolment>) -> Result<Vec<Vouched>, Fault> {
    let rows: Vec<(String, String, String, i64)> = on_each!(db, |link| enrolment_evidence::table
        .filter(enrolment_evidence::enrolment_id.eq(enrolment.as_str()))
        .order((enrolment_evidence::recorded_at, enrolment_evidence::proof))
        .select((
            enrolment_evidence::proof,
            enrolment_evidence::reference,
            enrolment_evidence::recorded_by,
            enrolment_evidence::recorded_at,
        ))
        .load(link))?;
    rows.into_iter()
        .map(|(proof, reference, by, recorded)| {
            Ok(Vouched {
                proof: known(Proof::parse(&proof), "enrolment_evidence")?,
                reference: Sealed::from_text(reference),
                by,
                at: Moment::from_unix(recorded),
            })
        })
        .collect()
}

/// Forgets up to `limit` drafts begun before a moment: nobody ever sent them.
pub(super) fn sweep_drafts(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| enrolments::table
        .filter(enrolments::channel.eq(Channel::Online.name()))
        .filter(enrolments::state.eq(State::Draft.name()))
        .filter(enrolments::created_at.lt(before.unix()))
        .order(enrolments::created_at)
        .limit(limit)
        .select(enrolments::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(enrolments::table.filter(enrolments::id.eq_any(&stale))).execute(link))?)
}

//! What a line says of holders who are no citizens: a foreigner's papers, an organisation's representatives.

use serde_json::Value;

use super::{Members, date, day_after, foreign_number, person_number};
use crate::domain::circumstances::Role;
use crate::domain::{AccountLevel, Holder, Moment, PersonNumber, Span};

/// Of a foreigner or an organisation.
pub struct Own {
    pub holder: Holder,
    /// ISO 3166-1 alpha-3.
    pub nationality: Option<String>,
    pub permit_expires: Option<Moment>,
    pub passport_expires: Option<Moment>,
    pub dissolved_at: Option<Moment>,
    pub representatives: Vec<Representative>,
}

/// Somebody who may act for the organisation of the line.
pub struct Representative {
    pub number: PersonNumber,
    pub role: Role,
    /// The legal representative who bound a delegate.
    pub bound_by: Option<PersonNumber>,
    /// From the import on, where the line says nothing.
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

pub(super) fn number(record: &mut Members, holder: Holder) -> Result<PersonNumber, String> {
    let found = match holder {
        Holder::Citizen => person_number(record.text("person_number")?, "person_number")?,
        Holder::Foreigner => foreign_number(record.text("person_number")?, "person_number")?,
        Holder::Organisation => {
            let code = record.text("code")?.ok_or("code is required")?;
            return PersonNumber::parse_organisation(&code)
                .ok_or_else(|| "code is a tax code of 10 or 13 digits, or an agency code".to_owned());
        }
    };
    found.ok_or_else(|| "person_number is required".to_owned())
}

/// ND69 Art 7(3): an organisation's account has no level.
pub(super) fn level(account: &mut Members, holder: Holder) -> Result<Option<AccountLevel>, String> {
    match (holder, account.take("level")) {
        (Holder::Organisation, None) => Ok(None),
        (Holder::Organisation, Some(_)) => Err("account.level is not for an organisation".to_owned()),
        (_, None) => Err("account.level is required".to_owned()),
        (_, Some(level)) => {
            let level = level.as_i64().and_then(AccountLevel::from_number);
            level.map(Some).ok_or_else(|| "account.level is 1 or 2".to_owned())
        }
    }
}

pub(super) fn own(record: &mut Members, holder: Holder) -> Result<Own, String> {
    let mut own = Own {
        holder,
        nationality: None,
        permit_expires: None,
        passport_expires: None,
        dissolved_at: None,
        representatives: Vec::new(),
    };
    match holder {
        Holder::Citizen => {}
        Holder::Foreigner => {
            own.nationality = Some(nationality(record)?);
            own.permit_expires = Some(expiry(record, "permit")?.ok_or("permit.expires is required")?);
            own.passport_expires = expiry(record, "passport")?;
        }
        Holder::Organisation => {
            own.dissolved_at = day(record.text("dissolved")?, "dissolved")?;
            own.representatives = representatives(record.take("representatives"))?;
        }
    }
    Ok(own)
}

fn nationality(record: &mut Members) -> Result<String, String> {
    let code = record.text("nationality")?.ok_or("nationality is required")?;
    let proper = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) && code != "VNM";
    if proper { Ok(code) } else { Err("nationality is a foreign country as three letters (ISO 3166-1)".to_owned()) }
}

/// A paper is good to the end of its last day.
fn expiry(record: &mut Members, paper: &'static str) -> Result<Option<Moment>, String> {
    let Some(mut section) = record.section(paper)? else { return Ok(None) };
    let field = section.field("expires");
    let last = date(section.text("expires")?, &field)?;
    section.end()?;
    last.map(|last| day_after(last).ok_or_else(|| format!("{field} is too far ahead"))).transpose()
}

/// The beginning of a day in Vietnam.
fn day(text: Option<String>, field: &str) -> Result<Option<Moment>, String> {
    let day = date(text, field)?.and_then(|day| day.and_hms_opt(0, 0, 0));
    Ok(day.map(|midnight| Moment::from_unix(midnight.and_utc().timestamp()) - Span::hours(7)))
}

fn representatives(list: Option<Value>) -> Result<Vec<Representative>, String> {
    let list = match list {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("representatives is a list".to_owned()),
    };
    let mut found: Vec<Representative> = Vec::new();
    for one in list {
        let Value::Object(members) = one else { return Err("representatives is a list of objects".to_owned()) };
        let mut one = Members { path: "representatives", members };
        let representative = representative(&mut one)?;
        one.end()?;
        if found.iter().any(|known| known.number == representative.number) {
            return Err("representatives names a person twice".to_owned());
        }
        found.push(representative);
    }
    let is_legal = |number: &PersonNumber| found.iter().any(|one| one.number == *number && one.role == Role::Legal);
    // `domain.md` 6.3: after a change of legal representative every delegate is bound anew, in so many words.
    if found.iter().filter_map(|one| one.bound_by.as_ref()).any(|by| !is_legal(by)) {
        return Err("representatives.by is no legal representative of the line".to_owned());
    }
    Ok(found)
}

fn representative(one: &mut Members) -> Result<Representative, String> {
    let field = "representatives.person_number";
    let number = foreign_number(one.text("person_number")?, field)?.ok_or_else(|| format!("{field} is required"))?;
    let role = one.one_of("role", &["legal", "delegate"])?.as_deref().and_then(Role::parse);
    let role = role.ok_or("representatives.role is required")?;
    let bound_by = foreign_number(one.text("by")?, "representatives.by")?;
    match (role, &bound_by) {
        (Role::Delegate, None) => return Err("representatives.by is required for a delegate".to_owned()),
        (Role::Legal, Some(_)) => return Err("representatives.by is for a delegate only".to_owned()),
        _ => {}
    }
    let from = day(one.text("from")?, "representatives.from")?;
    let until = date(one.text("until")?, "representatives.until")?.and_then(day_after);
    Ok(Representative { number, role, bound_by, from, until })
}

//! The lines of an account file, parsed and checked before anything is touched (`contract.md` 5). A reason names the
//! field and the rule, never the value: the file is full of personal data and the reason goes to a terminal.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use crate::domain::birth::Birth;
use crate::domain::claim::ClaimName;
use crate::domain::eid::LockGround;
use crate::domain::{AccountLevel, AccountState, Holder, Moment, PersonNumber, Span};
use crate::factor::password::is_acceptable;
use crate::protocol::json;

/// How deep a claim may nest.
const DEEPEST: usize = 16;

/// One line, ready to be sealed and stored.
pub struct Record {
    /// Counted from one, as editors do.
    pub line: usize,
    pub number: PersonNumber,
    /// What holders other than citizens have of their own.
    pub own: Own,
    pub born: Option<Birth>,
    /// Under guardianship at any age, where the line says so or not.
    pub ward: Option<bool>,
    /// `None` for an organisation.
    pub level: Option<AccountLevel>,
    pub state: AccountState,
    pub password: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// The open lock grounds of the e-ID; `None` without one.
    pub eid: Option<BTreeSet<LockGround>>,
    pub card_expires: Option<Moment>,
    pub guardian: Option<PersonNumber>,
    /// Given and derived ones together.
    pub claims: BTreeMap<ClaimName, Value>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Rejection {
    pub line: usize,
    pub reason: String,
}

/// The whole file or the first line that cannot be taken.
pub fn parse(text: &str) -> Result<Vec<Record>, Rejection> {
    let mut records = Vec::new();
    let mut seen = HashMap::new();
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = index.saturating_add(1);
        if raw.trim().is_empty() {
            continue;
        }
        let record = record(line, raw).map_err(|reason| Rejection { line, reason })?;
        if let Some(first) = seen.insert(record.number.clone(), line) {
            return Err(Rejection { line, reason: format!("person_number is the same as on line {first}") });
        }
        records.push(record);
    }
    Ok(records)
}

fn record(line: usize, raw: &str) -> Result<Record, String> {
    let parsed = json::strict(raw, DEEPEST).map_err(|error| not_json(&error))?;
    let Value::Object(members) = parsed else { return Err("a line is one JSON object".to_owned()) };
    let mut record = Members { path: "", members };
    let holder = record.one_of("holder", &["citizen", "foreigner", "organisation"])?;
    let holder = holder.as_deref().and_then(Holder::parse).unwrap_or(Holder::Citizen);
    let number = holders::number(&mut record, holder)?;
    let name = nfc_line(record.text("name")?.ok_or("name is required")?, "name")?;
    let (birthdate, gender) = match holder {
        Holder::Organisation => (None, None),
        _ => (birth(record.text("birthdate")?)?, record.one_of("gender", &["male", "female"])?),
    };
    let mut account = record.section("account")?.ok_or("account is required")?;
    let level = holders::level(&mut account, holder)?;
    let state = account.one_of("state", &["granted", "activated"])?.ok_or("account.state is required")?;
    let state = AccountState::parse(&state).ok_or("account.state is required")?;
    let (password, phone) = match holder {
        // ND69 Art 12: a representative signs in, with their own account.
        Holder::Organisation => (None, None),
        _ => (password(account.text("password")?)?, phone(account.text("phone")?)?),
    };
    let email = email(account.text("email")?)?;
    account.end()?;
    let own = holders::own(&mut record, holder)?;
    // ND69 Art 9(3): the card and the e-ID are a citizen's.
    let (eid, mut card) = match (holder, level) {
        (Holder::Citizen, Some(level)) => (eid(record.section("eid")?, level)?, record.section("card")?),
        _ => (None, None),
    };
    let expires = card.as_mut().map(|card| card.text("expires")).transpose()?.flatten();
    let expires = date(expires, "card.expires")?;
    card.map_or(Ok(()), Members::end)?;
    let guardian = match holder {
        Holder::Organisation => None,
        Holder::Foreigner => foreign_number(record.text("guardian")?, "guardian")?,
        Holder::Citizen => person_number(record.text("guardian")?, "guardian")?,
    };
    let ward = if guardian.is_some() { record.yes_or_no("ward")? } else { None };
    if guardian.as_ref() == Some(&number) {
        return Err("guardian is the holder".to_owned());
    }
    let given = record.section("claims")?.map_or(Ok(BTreeMap::new()), claims)?;
    record.end()?;

    let mut claims = Stated(given);
    if holder != Holder::Organisation {
        claims.state("vn_personal_id", number.reveal().into(), "person_number")?;
    }
    if let Some(nationality) = &own.nationality {
        claims.state("nationalities", vec![nationality.as_str()].into(), "nationality")?;
    }
    claims.state("name", name.into(), "name")?;
    if let Some(birthdate) = birthdate {
        claims.state("birthdate", birthdate.to_string().into(), "birthdate")?;
    }
    if let Some(gender) = gender {
        claims.state("gender", gender.into(), "gender")?;
    }
    if let Some(phone) = &phone {
        claims.state("phone_number", phone.as_str().into(), "account.phone")?;
        claims.state("phone_number_verified", true.into(), "account.phone")?;
    }
    if let Some(email) = email {
        claims.state("email", email.into(), "account.email")?;
        claims.state("email_verified", true.into(), "account.email")?;
    }
    if eid.is_some() {
        // The only state in which anything is released: a locked holder acts nowhere.
        claims.state("vn_eid_state", "active".into(), "eid")?;
    }
    if let Some(expires) = expires {
        claims.state("vn_card_expiry", expires.to_string().into(), "card.expires")?;
    }
    let card_expires = expires.map(|day| day_after(day).ok_or("card.expires is too far ahead")).transpose()?;
    let claims = claims.0;
    let born = birthdate;
    Ok(Record { line, number, own, born, ward, level, state, password, phone, eid, card_expires, guardian, claims })
}

/// The parser counts lines too, but sees only this one.
fn not_json(error: &str) -> String {
    let (error, column) = error.split_once(" at line 1 column ").unwrap_or((error, ""));
    if column.is_empty() { format!("not JSON: {error}") } else { format!("not JSON: {error} at column {column}") }
}

/// An object of the line with the members still to be read. Null equals absent.
struct Members {
    path: &'static str,
    members: Map<String, Value>,
}

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    fn field(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.nfc().collect())),
            Some(_) => Err(format!("{} is a text", self.field(name))),
        }
    }

    fn one_of(&mut self, name: &str, values: &[&str]) -> Result<Option<String>, String> {
        let text = self.text(name)?;
        if text.as_deref().is_some_and(|text| !values.contains(&text)) {
            return Err(format!("{} is {}", self.field(name), values.join(" or ")));
        }
        Ok(text)
    }

    fn yes_or_no(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(answer)) => Ok(Some(answer)),
            Some(_) => Err(format!("{} is true or false", self.field(name))),
        }
    }

    fn section(&mut self, name: &'static str) -> Result<Option<Members>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Members { path: name, members })),
            Some(_) => Err(format!("{name} is an object")),
        }
    }

    fn end(self) -> Result<(), String> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("unknown field {:?}", self.field(name))),
        }
    }
}

/// Claims given, to which what the other fields say is added. A file that says two things is not taken.
struct Stated(BTreeMap<ClaimName, Value>);

impl Stated {
    fn state(&mut self, name: &str, value: Value, from: &str) -> Result<(), String> {
        let claim = ClaimName::find(name).ok_or_else(|| format!("unknown claim {name:?}"))?;
        match self.0.insert(claim, value.clone()) {
            Some(given) if given != value => Err(format!("claims.{name} contradicts {from}")),
            _ => Ok(()),
        }
    }
}

fn claims(section: Members) -> Result<BTreeMap<ClaimName, Value>, String> {
    let mut claims = BTreeMap::new();
    for (name, value) in section.members {
        let claim = ClaimName::find(&name).ok_or_else(|| format!("unknown claim {name:?}"))?;
        if !value.is_null() {
            claims.insert(claim, shaped(claim, nfc(value))?);
        }
    }
    Ok(claims)
}

/// OIDC Core §5.1 fixes the JSON type of the standard claims; old libraries fail on any other.
fn shaped(claim: ClaimName, value: Value) -> Result<Value, String> {
    let name = claim.as_str();
    let (fits, shape) = match name {
        "email_verified" | "phone_number_verified" => (value.is_boolean(), "true or false"),
        "updated_at" => (value.is_number(), "a number"),
        "address" => (value.is_object(), "an object"),
        _ if !name.starts_with("vn_") && matches!(claim.entry().scope, "profile" | "email" | "phone") => {
            (value.is_string(), "a text")
        }
        _ => (true, ""),
    };
    if fits { Ok(value) } else { Err(format!("claims.{name} is {shape}")) }
}

fn nfc(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.nfc().collect()),
        Value::Array(items) => items.into_iter().map(nfc).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, nfc(value))).collect(),
        other => other,
    }
}

fn person_number(text: Option<String>, field: &str) -> Result<Option<PersonNumber>, String> {
    text.map(|text| PersonNumber::parse(&text).ok_or_else(|| format!("{field} is twelve digits"))).transpose()
}

fn foreign_number(text: Option<String>, field: &str) -> Result<Option<PersonNumber>, String> {
    let digits = |text: String| PersonNumber::parse_foreign(&text).ok_or_else(|| format!("{field} is 1 to 20 digits"));
    text.map(digits).transpose()
}

fn birth(text: Option<String>) -> Result<Option<Birth>, String> {
    text.map(|text| Birth::parse(&text).ok_or("birthdate is a date as YYYY-MM-DD, or a year as YYYY".to_owned()))
        .transpose()
}

fn nfc_line(text: String, field: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(format!("{field} is one line of 1 to 200 characters")) }
}

fn date(text: Option<String>, field: &str) -> Result<Option<NaiveDate>, String> {
    text.map(|text| {
        // chrono takes one-digit months too; ISO 8601 does not.
        let date = (text.len() == 10).then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()).flatten();
        date.ok_or_else(|| format!("{field} is a date as YYYY-MM-DD"))
    })
    .transpose()
}

/// A card is good to the end of its last day, in Vietnamese time.
fn day_after(day: NaiveDate) -> Option<Moment> {
    let midnight = day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?;
    Some(Moment::from_unix(midnight.and_utc().timestamp()) - Span::hours(7))
}

/// `security.md` LG-07: what sign-in would refuse before hashing is refused here too.
fn password(text: Option<String>) -> Result<Option<String>, String> {
    match text {
        Some(text) if !is_acceptable(&text) => Err("account.password is 1 to 1024 bytes".to_owned()),
        other => Ok(other),
    }
}

fn phone(text: Option<String>) -> Result<Option<String>, String> {
    let fits = |text: &str| {
        text.strip_prefix('+').is_some_and(|digits| {
            (8..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
        })
    };
    match text {
        Some(text) if !fits(&text) => Err("account.phone is E.164, such as +849xxxxxxxx".to_owned()),
        other => Ok(other),
    }
}

fn email(text: Option<String>) -> Result<Option<String>, String> {
    let fits = |text: &str| {
        let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        plain
            && text
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
    };
    match text {
        Some(text) if !fits(&text) => Err("account.email is an email address".to_owned()),
        other => Ok(other),
    }
}

/// ND69 Art 28(2): the e-ID comes with level 2 and only with it.
fn eid(section: Option<Members>, level: AccountLevel) -> Result<Option<BTreeSet<LockGround>>, String> {
    let Some(mut eid) = section else { return Ok((level == AccountLevel::Two).then(BTreeSet::new)) };
    if level == AccountLevel::One {
        return Err("eid comes with account.level 2 only".to_owned());
    }
    let locked = eid.one_of("state", &["active", "locked"])?.as_deref() == Some("locked");
    let letters = match eid.take("grounds") {
        None => Vec::new(),
        Some(Value::Array(letters)) => letters,
        Some(_) => return Err("eid.grounds is a list of a, b, c, d, đ".to_owned()),
    };
    eid.end()?;
    let grounds =
        letters.iter().map(|letter| letter.as_str().and_then(LockGround::parse)).collect::<Option<BTreeSet<_>>>();
    let grounds = grounds.ok_or("eid.grounds is a list of a, b, c, d, đ")?;
    match (locked, grounds.is_empty()) {
        (true, true) => Err("eid.state locked needs eid.grounds (LCC Art 34)".to_owned()),
        (false, false) => Err("eid.grounds without eid.state locked".to_owned()),
        _ => Ok(Some(grounds)),
    }
}

mod holders;
pub use holders::{Own, Representative};

#[cfg(test)]
mod tests;

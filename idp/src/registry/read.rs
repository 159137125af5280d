//! Reading a register's answer. It is judged like any other input: what has no form we know is refused.

use chrono::NaiveDate;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::{Card, CardStatus, EventPage, Paper, Papers, Record, RegistryEvent, RegistryEventKind};
use crate::domain::claim::ClaimName;
use crate::domain::{Moment, PersonNumber, paper};

type Read<T> = Result<T, &'static str>;

/// `{"person": null}` for a number the register does not know: a missing page is not a missing person.
fn person<'a>(answer: &'a Value, number: &PersonNumber) -> Read<Option<&'a Map<String, Value>>> {
    let person = match answer.get("person") {
        Some(Value::Null) => return Ok(None),
        Some(Value::Object(person)) => person,
        _ => return Err("an answer without person"),
    };
    let answered = person.get("person_number").and_then(Value::as_str).and_then(PersonNumber::parse);
    if answered.as_ref() != Some(number) {
        return Err("an answer about somebody else");
    }
    Ok(Some(person))
}

pub(super) fn record(answer: &Value, number: &PersonNumber) -> Read<Option<Record>> {
    let Some(person) = person(answer, number)? else { return Ok(None) };
    let name: String = text(person, "name")?.nfc().collect();
    if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err("a name that is none");
    }
    let birthdate = text(person, "birthdate")?;
    if !paper::is_birthdate(birthdate) {
        return Err("a birth date that is none");
    }
    let gender = text(person, "gender")?;
    if !matches!(gender, "male" | "female") {
        return Err("a gender we do not know");
    }
    let deceased = match person.get("deceased") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(deceased)) => *deceased,
        Some(_) => return Err("deceased is true or false"),
    };
    Ok(Some(Record {
        number: number.clone(),
        name: name.trim().to_owned(),
        birthdate: birthdate.to_owned(),
        gender: gender.to_owned(),
        card: card(person.get("card"))?,
        deceased,
        papers: claims(person.get("papers"))?,
    }))
}

pub(super) fn papers(answer: &Value, number: &PersonNumber) -> Read<Papers> {
    match person(answer, number)? {
        Some(person) => claims(person.get("papers")),
        None => Ok(Papers::default()),
    }
}

fn card(value: Option<&Value>) -> Read<Option<Card>> {
    let card = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(card)) => card,
        Some(_) => return Err("a card that is none"),
    };
    let status = CardStatus::parse(text(card, "status")?).ok_or("a card status we do not know")?;
    Ok(Some(Card { issued: date(card.get("issued"))?, expires: date(card.get("expires"))?, status }))
}

/// One malformed paper does not spoil the others.
fn claims(value: Option<&Value>) -> Read<Papers> {
    let stated = match value {
        None | Some(Value::Null) => return Ok(Papers::default()),
        Some(Value::Object(stated)) => stated,
        Some(_) => return Err("papers that are none"),
    };
    let mut papers = Papers::default();
    for (name, value) in stated {
        // A register may know more than the catalogue: what is not in it is not ours to keep.
        let Some(claim) = ClaimName::find(name) else { continue };
        match paper::accept(claim, value) {
            Some(value) => papers.taken.push(Paper { claim, value }),
            None => papers.refused.push(claim),
        }
    }
    Ok(papers)
}

pub(super) fn events(answer: &Value) -> Read<EventPage> {
    let Some(Value::Array(listed)) = answer.get("events") else { return Err("an answer without events") };
    let mut page = EventPage::default();
    for value in listed {
        // Without a name the feed could not go on from here.
        let id = value.get("id").and_then(Value::as_str).filter(|id| is_name(id)).ok_or("an event without a name")?;
        match event(id, value) {
            Some(event) => page.events.push(event),
            None => page.refused.push(id.to_owned()),
        }
        page.cursor = Some(id.to_owned());
    }
    Ok(page)
}

fn event(id: &str, value: &Value) -> Option<RegistryEvent> {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let kind = word("kind")?;
    let expires = date(value.get("expires")).ok()?;
    Some(RegistryEvent {
        id: id.to_owned(),
        person_number: PersonNumber::parse(word("person_number")?)?,
        at: Moment::from_unix(value.get("at").and_then(Value::as_i64)?),
        kind: RegistryEventKind::parse(kind, expires)?,
        source: word("source").filter(|source| is_name(source))?.to_owned(),
    })
}

/// What may stand in the trail beside an event of ours.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

fn text<'a>(of: &'a Map<String, Value>, name: &str) -> Read<&'a str> {
    of.get(name).and_then(Value::as_str).ok_or("a member that should be a text")
}

fn date(value: Option<&Value>) -> Read<Option<NaiveDate>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => paper::date(text).map(Some).ok_or("a date that is none"),
        Some(_) => Err("a date that is none"),
    }
}

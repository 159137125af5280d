//! The members of a client file, taken one by one so that what is left over is unknown. A null member counts as absent.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::consent::Bilingual;
use crate::protocol::error::Error;

use super::refuse;

/// Longer than any list or text a registration needs.
const MOST_ITEMS: usize = 200;
const LONGEST_TEXT: usize = 4000;

pub(super) struct Members(Map<String, Value>);

/// The same words in both languages.
pub(super) fn both(text: &str) -> Bilingual {
    Bilingual { vi: text.to_owned(), en: text.to_owned() }
}

impl Members {
    pub(super) fn of(file: &Value) -> Result<Self, Error> {
        let members = file.as_object().ok_or_else(|| refuse("the file", "is not a JSON object"))?;
        Ok(Self(members.iter().filter(|(_, value)| !value.is_null()).map(|(n, v)| (n.clone(), v.clone())).collect()))
    }

    pub(super) fn take(&mut self, member: &str) -> Option<Value> {
        self.0.remove(member)
    }

    /// A value of a closed set or shape; anything else is refused with the reason.
    pub(super) fn choice<T: DeserializeOwned>(&mut self, member: &str) -> Result<Option<T>, Error> {
        let read =
            |value| serde_json::from_value(value).map_err(|error| refuse(member, format!("is not valid: {error}")));
        self.take(member).map(read).transpose()
    }

    pub(super) fn text(&mut self, member: &str) -> Result<Option<String>, Error> {
        match self.take(member) {
            None => Ok(None),
            Some(Value::String(text)) if is_line(&text) => Ok(Some(text)),
            Some(_) => Err(refuse(member, "is not one line of text")),
        }
    }

    pub(super) fn texts(&mut self, member: &str) -> Result<Vec<String>, Error> {
        let texts: Vec<String> = self.choice(member)?.unwrap_or_default();
        if texts.len() <= MOST_ITEMS && texts.iter().all(|text| is_line(text)) {
            Ok(texts)
        } else {
            Err(refuse(member, "is not a list of lines of text"))
        }
    }

    /// One text for both languages, or one for each: as `{vi, en}`, or by language tags (RFC 7591 §2.2), of which the
    /// untagged member and then the other language stand in for a missing one.
    pub(super) fn bilingual(&mut self, member: &str) -> Result<Option<Bilingual>, Error> {
        let (vi, en) = (self.text(&format!("{member}#vi"))?, self.text(&format!("{member}#en"))?);
        let words = match self.take(member) {
            None => match vi.as_ref().or(en.as_ref()) {
                None => return Ok(None),
                Some(only) => both(only),
            },
            Some(Value::String(text)) => both(&text),
            Some(value) => serde_json::from_value(value).map_err(|_| refuse(member, "is neither text nor {vi, en}"))?,
        };
        let words = Bilingual { vi: vi.unwrap_or(words.vi), en: en.unwrap_or(words.en) };
        if is_line(&words.vi) && is_line(&words.en) {
            Ok(Some(words))
        } else {
            Err(refuse(member, "is not one line of text"))
        }
    }

    pub(super) fn number(&mut self, member: &str, least: u64, most: u64) -> Result<Option<u64>, Error> {
        match self.take(member) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(refuse(member, format!("is not a whole number from {least} to {most}"))),
            },
        }
    }

    pub(super) fn level(&mut self, member: &str, most: u8) -> Result<Option<u8>, Error> {
        Ok(self.number(member, 1, most.into())?.and_then(|number| u8::try_from(number).ok()))
    }

    /// RFC 7591 would ignore what is left; an operator is better told.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(unknown) => Err(refuse(unknown, "is not known")),
        }
    }
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

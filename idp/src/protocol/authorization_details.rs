//! Rich authorization requests (RFC 9396) for exactly one type, `vn_transaction`: an act the holder approves in words.
//!
//! ```json
//! [{"type": "vn_transaction", "identifier": "fee-2026-0001",
//!   "text": {"vi": "Nộp lệ phí cấp hộ chiếu.", "en": "Pay the passport fee."},
//!   "amount": {"currency": "VND", "value": "200000"}, "payee": "Cục Quản lý xuất nhập cảnh"}]
//! ```
//!
//! `identifier`: the client's own reference, 1 to 64 of `[A-Za-z0-9._-]`, approved once. `text`: `vi`, and `en` if the
//! client has it, 1 to 500 characters on at most 10 lines. `amount`, `payee`: may be left out; whole đồng, one line of
//! up to 140 characters. There is nothing else: which server it is for is said by `resource` (RFC 8707).

use serde_json::{Map, Value, json};

use crate::domain::Client;
use crate::domain::transaction::{DetailsType, Dong, Spent, Transaction, Words};

use super::error::{Error, ErrorCode};
use super::json;
use super::params::Params;

const PARAMETER: &str = "authorization_details";

/// Bytes of the parameter: more than both texts need with every character escaped, and half of what a form may hold.
const LONGEST: usize = 8192;
/// `[{"text":{"vi":…}}]`.
const DEEPEST: usize = 3;
const LONGEST_IDENTIFIER: usize = 64;
const LONGEST_TEXT: usize = 500;
const MOST_LINES: usize = 10;
const LONGEST_PAYEE: usize = 140;
const LONGEST_VALUE: usize = 15;

/// RFC 9396 §5.
fn refused(told: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidAuthorizationDetails, "RFC 9396 §5", format!("{PARAMETER} {told}"))
}

/// The transaction a request asks for, if it asks for one and its client may.
pub fn asked(params: &Params, client: &Client) -> Result<Option<Transaction>, Error> {
    let Some(text) = params.one(PARAMETER)? else { return Ok(None) };
    let transaction = parse(text)?;
    // RFC 9396 §10: only the types a client registered.
    if client.requests.authorization_details_types.contains(&DetailsType::VnTransaction) {
        Ok(Some(transaction))
    } else {
        Err(refused("type is not registered for this client"))
    }
}

/// RFC 9396 §6: a code stands for one approval, which is carried whole; nothing is narrowed at the token endpoint, and
/// nothing is approved there.
pub fn not_at_token_endpoint(params: &Params) -> Result<(), Error> {
    match params.one(PARAMETER)? {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorCode::InvalidAuthorizationDetails,
            "RFC 9396 §6",
            "authorization_details is not taken at the token endpoint",
        )),
    }
}

/// What a client is told whose identifier was approved before.
pub fn approved_before() -> Error {
    refused("identifier was approved before")
}

/// Reads the parameter (RFC 9396 §2). Everything that is not exactly the shape above is refused (§5).
pub fn parse(text: &str) -> Result<Transaction, Error> {
    if text.len() > LONGEST {
        return Err(refused("is too large"));
    }
    let value = json::strict(text, DEEPEST).map_err(|error| refused("is not proper JSON").because(error))?;
    let Value::Array(details) = value else { return Err(refused("is not a JSON array")) };
    let mut details = details.into_iter();
    match (details.next(), details.next()) {
        (Some(one), None) => transaction(Members::of(one, "holds what is not an object")?),
        (None, _) => Err(refused("is empty")),
        // One page approves one act: a second would be approved in passing.
        (Some(_), Some(_)) => Err(refused("holds more than one transaction")),
    }
}

/// The members of one object, taken one by one so that what is left over is unknown.
struct Members(Map<String, Value>);

impl Members {
    fn of(value: Value, otherwise: &str) -> Result<Self, Error> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(refused(otherwise)),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(format!("{name} is not text"))),
        }
    }

    fn needed(&mut self, name: &str) -> Result<String, Error> {
        self.text(name)?.ok_or_else(|| refused(format!("{name} is missing")))
    }

    fn part(&mut self, name: &str) -> Result<Option<Members>, Error> {
        self.0.remove(name).map(|value| Members::of(value, &format!("{name} is not an object"))).transpose()
    }

    /// RFC 9396 §5: an unknown member is refused, since ignoring it would approve something else than was asked.
    fn end(self) -> Result<(), Error> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(unknown) => {
                let name: String = unknown.chars().take(LONGEST_IDENTIFIER).collect();
                Err(refused(format!("member {name} is not known")))
            }
        }
    }
}

fn transaction(mut members: Members) -> Result<Transaction, Error> {
    // RFC 9396 §2: the type decides what else may stand there.
    if members.needed("type")? != DetailsType::VnTransaction.name() {
        return Err(refused("type is not known"));
    }
    let identifier = members.needed("identifier")?;
    if !is_identifier(&identifier) {
        return Err(refused("identifier is not 1 to 64 characters of [A-Za-z0-9._-]"));
    }
    let text = words(members.part("text")?.ok_or_else(|| refused("text is missing"))?)?;
    let amount = members.part("amount")?.map(amount).transpose()?;
    let payee = members.text("payee")?;
    if payee.as_deref().is_some_and(|payee| !is_line(payee)) {
        return Err(refused("payee is not one line of up to 140 visible characters"));
    }
    members.end()?;
    Ok(Transaction { identifier, text, amount, payee })
}

/// A name of the caller's own choosing, safe in every log and column.
pub fn is_identifier(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=LONGEST_IDENTIFIER).contains(&text.len()) && text.bytes().all(plain)
}

fn words(mut members: Members) -> Result<Words, Error> {
    let words = Words { vi: members.needed("vi")?, en: members.text("en")? };
    members.end()?;
    for (name, text) in [("vi", Some(&words.vi)), ("en", words.en.as_ref())] {
        if text.is_some_and(|text| !is_text(text)) {
            return Err(refused(format!("text {name} is not up to 500 visible characters on up to 10 lines")));
        }
    }
    Ok(words)
}

fn amount(mut members: Members) -> Result<Dong, Error> {
    if members.needed("currency")? != "VND" {
        return Err(refused("amount currency is not VND"));
    }
    let value = members.needed("value")?;
    members.end()?;
    let whole = value.len() <= LONGEST_VALUE && value.bytes().all(|byte| byte.is_ascii_digit());
    // One way to write an amount, so that what is shown and what is carried cannot differ.
    let value = value.parse().ok().filter(|_| whole && !value.starts_with('0'));
    value.map(Dong).ok_or_else(|| refused("amount value is not a whole number of dong, as text"))
}

fn is_text(text: &str) -> bool {
    let short = text.chars().count() <= LONGEST_TEXT && text.split('\n').count() <= MOST_LINES;
    short && text.trim() == text && !text.is_empty() && text.chars().all(|c| c == '\n' || is_visible(c))
}

fn is_line(text: &str) -> bool {
    let short = text.chars().count() <= LONGEST_PAYEE;
    short && text.trim() == text && !text.is_empty() && text.chars().all(is_visible)
}

/// `security.md` RG-14, Unicode TR36 §2.8: nothing that turns the text around it, hides in it, or is shown otherwise by
/// every font: what is approved is what was read.
fn is_visible(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{10ffff}');
    !c.is_control() && !hidden
}

/// Whether a spending is the first one told again: by the same server, in the attempt it named. An attempt nobody named
/// is never repeated.
pub fn is_repeated(first: &Spent, again: &Spent) -> bool {
    first.by == again.by && first.attempt.is_some() && first.attempt == again.attempt
}

/// The approved transaction as it is carried: in the token response, in a JWT access token and at introspection
/// (RFC 9396 §7, §9.1, §9.2).
pub fn stated(transaction: &Transaction) -> Value {
    let mut one = Map::new();
    let mut state = |name: &str, value: Value| drop(one.insert(name.to_owned(), value));
    state("type", DetailsType::VnTransaction.name().into());
    state("identifier", transaction.identifier.as_str().into());
    state("text", json!(transaction.text));
    if let Some(Dong(value)) = transaction.amount {
        state("amount", json!({"currency": "VND", "value": value.to_string()}));
    }
    if let Some(payee) = &transaction.payee {
        state("payee", payee.as_str().into());
    }
    Value::Array(vec![Value::Object(one)])
}

#[cfg(test)]
#[path = "authorization_details_tests.rs"]
mod tests;

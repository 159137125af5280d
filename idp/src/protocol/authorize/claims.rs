//! The `claims` parameter (OIDC Core §5.5): JSON from outside, reduced to what the catalogue knows.

use serde_json::{Map, Value};

use crate::domain::claim::ClaimName;
use crate::domain::request::{ClaimRequest, ClaimsRequest};
use crate::protocol::error::Error;
use crate::protocol::json;

/// `{"userinfo":{"claim":{"values":[{…}]}}}`, with room for an object value.
const DEEPEST: usize = 8;
/// More alternatives for one claim than anyone can mean.
const MOST_VALUES: usize = 50;

fn malformed(told: impl Into<String>) -> Error {
    Error::invalid_request("OIDC Core §5.5", told)
}

/// Reads the parameter. Unknown members and unknown claims are ignored (OIDC Core §5.5); anything malformed, a repeated
/// member included, is `invalid_request`.
pub fn parse(text: &str) -> Result<ClaimsRequest, Error> {
    let value = json::strict(text, DEEPEST).map_err(|error| malformed("claims is not proper JSON").because(error))?;
    let Value::Object(places) = value else { return Err(malformed("claims is not a JSON object")) };
    let mut request = ClaimsRequest::default();
    let mut subs = Vec::new();
    for (place, members) in places {
        let in_id_token = match place.as_str() {
            "userinfo" => false,
            "id_token" => true,
            _ => continue,
        };
        let members = match members {
            Value::Null => continue,
            Value::Object(members) => members,
            _ => return Err(malformed(format!("claims {place} is not a JSON object"))),
        };
        for (name, wanted) in members {
            let asked = one(&name, wanted)?;
            if name == "sub" {
                subs.extend(asked.values);
            } else if name == "acr" {
                // Userinfo never states how the holder signed in.
                request.acr = if in_id_token { Some(asked) } else { request.acr };
            } else if let Some(claim) = ClaimName::find(&name) {
                let place = if in_id_token { &mut request.id_token } else { &mut request.userinfo };
                place.insert(claim, asked);
            }
        }
    }
    request.sub = subject(subs)?;
    Ok(request)
}

/// OIDC Core §5.5.1: `null`, or an object with `essential`, `value`, `values` (and `purpose`, OpenID Identity Assurance).
fn one(name: &str, wanted: Value) -> Result<ClaimRequest, Error> {
    let members = match wanted {
        Value::Null => return Ok(ClaimRequest::default()),
        Value::Object(members) => members,
        _ => return Err(malformed(format!("claims member {name} is neither null nor an object"))),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(malformed(format!("claims member {name} has an essential that is not a boolean"))),
    };
    Ok(ClaimRequest { essential, values: values(name, &members)?, purpose: purpose(name, &members)? })
}

fn values(name: &str, members: &Map<String, Value>) -> Result<Vec<Value>, Error> {
    let mut values: Vec<Value> = members.get("value").cloned().into_iter().collect();
    match members.get("values") {
        None => {}
        Some(Value::Array(more)) if more.len() <= MOST_VALUES => values.extend(more.iter().cloned()),
        Some(_) => return Err(malformed(format!("claims member {name} has values that are not a short array"))),
    }
    Ok(values)
}

fn purpose(name: &str, members: &Map<String, Value>) -> Result<Option<String>, Error> {
    match members.get("purpose") {
        None => Ok(None),
        Some(Value::String(text)) if (3..=300).contains(&text.chars().count()) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(format!("claims member {name} has a purpose that is not 3 to 300 characters"))),
    }
}

/// OIDC Core §5.5.1: a requested `sub` value is the only subject that will do, so there can be but one.
fn subject(subs: Vec<Value>) -> Result<Option<String>, Error> {
    let mut only: Option<String> = None;
    for sub in subs {
        let Value::String(sub) = sub else { return Err(malformed("claims member sub is not text")) };
        if only.as_ref().is_some_and(|known| *known != sub) {
            return Err(malformed("claims member sub names more than one subject"));
        }
        only = Some(sub);
    }
    Ok(only)
}

//! A registration as its client is told it (RFC 7591 §3.2.1): all registered metadata, in the standards' own forms.

use serde_json::{Map, Value};

use crate::domain::relying_party::GrantType;
use crate::domain::{Client, Fault};

/// Members without a value are left out: RFC 7591 §2 reads their absence the same way.
pub fn describe(client: &Client) -> Result<Map<String, Value>, Fault> {
    let broken = |error: serde_json::Error| Fault::broken("protocol", error);
    let Value::Object(mut members) = serde_json::to_value(client).map_err(broken)? else { return Ok(Map::new()) };
    members.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    // What a server is told of its tokens concerns nobody else.
    if client.resources.serves.is_empty() {
        members.remove("vn_token_form");
    }
    // RFC 7591 §2: absent would mean authorization_code.
    members.entry("grant_types").or_insert_with(|| Value::Array(Vec::new()));
    members.insert("scope".to_owned(), client.scope.join(" ").into());
    if let Some(jwks) = &client.jwks {
        members.insert("jwks".to_owned(), serde_json::from_str(jwks).map_err(broken)?);
    }
    // RFC 7591 §2.2: the untagged name is the one most people read here.
    members.insert("client_name".to_owned(), client.client_name.vi.as_str().into());
    if client.client_name.vi != client.client_name.en {
        members.insert("client_name#vi".to_owned(), client.client_name.vi.as_str().into());
        members.insert("client_name#en".to_owned(), client.client_name.en.as_str().into());
    }
    // RFC 7591 §2: absent would mean code.
    let types: &[&str] = if client.may_use(GrantType::AuthorizationCode) { &["code"] } else { &[] };
    members.insert("response_types".to_owned(), types.into());
    Ok(members)
}

//! What an invitation lets a client register (`contract.md` 4): the policy fills what a request omits, and the result
//! never exceeds it (`security.md` RG-05).

use serde_json::{Map, Value};

use crate::domain::claim::ClaimName;
use crate::domain::consent::Purpose;
use crate::domain::invitation::Policy;
use crate::domain::relying_party::{AssertionAudience, GrantType, LegalBasis, PkcePolicy, Profile};
use crate::domain::{Client, Fault, Id};
use crate::protocol::error::Error;
use crate::protocol::scope;

use super::members::Members;
use super::{purposes, refuse, requests, scopes};

/// Reads a policy as an operator states it, in the members of a registration.
pub fn read(file: &Value) -> Result<Policy, Error> {
    let mut members = Members::of(file)?;
    let scope = scopes(&mut members)?;
    let policy = Policy {
        purposes: purposes::admit(&mut members, &scope)?,
        scope,
        grant_types: members
            .choice("grant_types")?
            .unwrap_or_else(|| vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
        authorization_details_types: requests::details_types(&mut members)?,
        legal_basis: members.choice("vn_legal_basis")?.unwrap_or(LegalBasis::Consent),
        pkce: members.choice("vn_pkce")?.unwrap_or(PkcePolicy::Required),
        assertion_audience: members.choice("vn_assertion_audience")?.unwrap_or(AssertionAudience::Issuer),
        min_account_level: members.level("vn_min_account_level", 2)?,
        min_auth_level: members.level("vn_min_auth_level", 4)?,
        acr_demand: members.choice("vn_acr_demand")?,
        profile: members.choice("vn_profile")?.unwrap_or(Profile::Oidc),
        relying_party: members.bilingual("vn_relying_party")?,
    };
    members.finish()?;
    if policy.grant_types.is_empty() { Err(refuse("grant_types", "is empty")) } else { Ok(policy) }
}

/// The client file a request amounts to under a policy, for `admit`. What is ours to decide is taken from the policy
/// whatever was asked; a client may ask for less, or hold itself to more.
pub fn fill(request: &Value, policy: &Policy, id: &Id<Client>) -> Result<Result<Value, Error>, Fault> {
    let granted = serde_json::to_value(policy).map_err(|error| Fault::broken("protocol", error))?;
    let Some(asked) = request.as_object() else { return Ok(Err(refuse("the registration", "is not a JSON object"))) };
    Ok(filled(asked, policy, &granted, id))
}

fn filled(asked: &Map<String, Value>, policy: &Policy, granted: &Value, id: &Id<Client>) -> Result<Value, Error> {
    check_names(asked)?;
    check_grants(asked, policy)?;
    check_details_types(asked, policy)?;
    let scope = scope(asked, policy)?;
    let purposes = narrowed(&policy.purposes, &scope);
    if purposes.is_empty() && !policy.purposes.is_empty() && has_claims(&scope) {
        return Err(refuse("scope", "has claims that stand in no purpose of the invitation"));
    }
    let purposes = serde_json::to_value(purposes).map_err(|_| refuse("vn_purposes", "cannot be written"))?;
    // `contract.md` 8: only an operator registers public subjects; secrets and identifiers are minted here.
    let ours = |name: &str| name.starts_with("vn_") || matches!(name, "client_id" | "client_secret" | "subject_type");
    let mut file: Map<String, Value> =
        asked.iter().filter(|(name, _)| !ours(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut put = |name: &str, value: Value| drop(file.insert(name.to_owned(), value));
    put("client_id", id.as_str().into());
    put("scope", scope.join(" ").into());
    if asked.get("authorization_details_types").is_none_or(Value::is_null) {
        put("authorization_details_types", granted.get("authorization_details_types").cloned().unwrap_or_default());
    }
    put("vn_purposes", purposes);
    for name in ["vn_legal_basis", "vn_profile", "vn_relying_party"] {
        put(name, granted.get(name).cloned().unwrap_or_default());
    }
    for name in ["vn_min_account_level", "vn_min_auth_level"] {
        put(name, higher(asked.get(name), granted.get(name)));
    }
    // Each of these narrows by one value only.
    let public = asked.get("token_endpoint_auth_method").and_then(Value::as_str) == Some("none");
    let narrow = [
        ("vn_pkce", Value::from("required"), public),
        ("vn_assertion_audience", Value::from("issuer"), false),
        ("vn_acr_demand", Value::from(true), false),
    ];
    for (name, narrower, always) in narrow {
        let chosen = always || asked.get(name) == Some(&narrower);
        put(name, if chosen { narrower } else { granted.get(name).cloned().unwrap_or_default() });
    }
    if asked.get("vn_sso") == Some(&Value::from(false)) {
        put("vn_sso", false.into());
    }
    Ok(Value::Object(file))
}

/// The greater of two levels; what is no number is left for `admit` to refuse.
fn higher(asked: Option<&Value>, granted: Option<&Value>) -> Value {
    let granted = granted.cloned().unwrap_or_default();
    match asked {
        None | Some(Value::Null) => granted,
        Some(asked) if asked.as_u64() < granted.as_u64() && asked.is_u64() => granted,
        Some(asked) => asked.clone(),
    }
}

/// RFC 7591 §2: what is asked and allowed; without a wish, all that is allowed.
fn scope(asked: &Map<String, Value>, policy: &Policy) -> Result<Vec<String>, Error> {
    let text = match asked.get("scope") {
        None | Some(Value::Null) => return Ok(policy.scope.clone()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(refuse("scope", "is not text")),
    };
    let mut scope: Vec<String> = Vec::new();
    for value in scope::values(text) {
        if policy.scope.iter().any(|allowed| allowed == value) && !scope.iter().any(|known| known == value) {
            scope.push(value.to_owned());
        }
    }
    if scope.is_empty() { Err(refuse("scope", "has nothing the invitation allows")) } else { Ok(scope) }
}

fn check_grants(asked: &Map<String, Value>, policy: &Policy) -> Result<(), Error> {
    let Some(Value::Array(grants)) = asked.get("grant_types") else { return Ok(()) };
    for grant in grants {
        let known: Option<GrantType> = serde_json::from_value(grant.clone()).ok();
        if !known.is_some_and(|grant| policy.grant_types.contains(&grant)) {
            return Err(refuse("grant_types", format!("has {grant}, which the invitation does not allow")));
        }
    }
    Ok(())
}

/// RFC 9396 §10: a type the invitation does not name is the operator's to allow.
fn check_details_types(asked: &Map<String, Value>, policy: &Policy) -> Result<(), Error> {
    const MEMBER: &str = "authorization_details_types";
    let Some(Value::Array(types)) = asked.get(MEMBER) else { return Ok(()) };
    let allowed = |name: &Value| policy.authorization_details_types.iter().any(|known| name == known.name());
    match types.iter().find(|name| !allowed(name)) {
        None => Ok(()),
        Some(beyond) => Err(refuse(MEMBER, format!("has {beyond}, which the invitation does not allow"))),
    }
}

/// `security.md` RG-14: a name nobody reviews must not turn the text around it (Unicode TR36 §2.8).
fn check_names(asked: &Map<String, Value>) -> Result<(), Error> {
    let turning = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    for (name, value) in asked {
        let shown = name.split('#').next().is_some_and(|name| name == "client_name" || name == "contacts");
        if shown && value.to_string().chars().any(turning) {
            return Err(refuse(name, "has a character that cannot be seen"));
        }
    }
    Ok(())
}

fn has_claims(scope: &[String]) -> bool {
    scope.iter().any(|scope| ClaimName::of_scope(scope).next().is_some())
}

/// The purposes without claims whose scope was not asked for.
fn narrowed(purposes: &[Purpose], scope: &[String]) -> Vec<Purpose> {
    let covered = |claim: &ClaimName| scope.iter().any(|scope| scope == claim.entry().scope);
    let narrow = |purpose: &Purpose| Purpose {
        claims: purpose.claims.iter().copied().filter(covered).collect(),
        required: purpose.required.iter().copied().filter(covered).collect(),
        ..purpose.clone()
    };
    purposes.iter().map(narrow).filter(|purpose| !purpose.claims.is_empty()).collect()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;

//! Purposes and services: every claim a client may ask for stands in a purpose, and under a scope it registered
//! (`contract.md` 4; ND 13 Art 11(4): one consent a purpose).

use crate::domain::claim::ClaimName;
use crate::domain::consent::{Bilingual, OFFLINE_PURPOSE, Purpose};
use crate::domain::relying_party::Service;
use crate::protocol::error::Error;

use super::members::Members;
use super::refuse;

const MOST_PURPOSES: usize = 50;
const MOST_SERVICES: usize = 2000;

/// The purposes of the file; without any, one over all claims of the registered scopes, if they have claims.
pub(super) fn admit(members: &mut Members, scope: &[String]) -> Result<Vec<Purpose>, Error> {
    let given: Option<Vec<Purpose>> = members.choice("vn_purposes")?;
    let Some(purposes) = given.filter(|purposes| !purposes.is_empty()) else { return Ok(default(scope)) };
    if purposes.len() > MOST_PURPOSES {
        return Err(refuse("vn_purposes", "are too many"));
    }
    for (i, purpose) in purposes.iter().enumerate() {
        if !is_code(&purpose.id) || purpose.id == OFFLINE_PURPOSE {
            return Err(refuse(
                "vn_purposes",
                "has an id that is not up to 64 characters of [A-Za-z0-9._-], or reserved",
            ));
        }
        if purposes.iter().skip(i + 1).any(|other| other.id == purpose.id) {
            return Err(refuse("vn_purposes", format!("has the id {} twice", purpose.id)));
        }
        if purpose.claims.is_empty() || purpose.title.vi.trim().is_empty() || purpose.title.en.trim().is_empty() {
            return Err(refuse("vn_purposes", format!("{} has no claims or no title", purpose.id)));
        }
        for claim in &purpose.claims {
            check_claim("vn_purposes", *claim, scope)?;
            if claim.entry().with.is_some_and(|main| purpose.claims.iter().all(|other| other.as_str() != main)) {
                return Err(refuse(
                    "vn_purposes",
                    format!("{} has {claim} without the claim it goes with", purpose.id),
                ));
            }
        }
        if let Some(stray) = purpose.required.iter().find(|claim| !purpose.claims.contains(claim)) {
            return Err(refuse(
                "vn_purposes",
                format!("{} requires {stray}, which is not among its claims", purpose.id),
            ));
        }
    }
    Ok(purposes)
}

fn default(scope: &[String]) -> Vec<Purpose> {
    let claims: Vec<ClaimName> = scope.iter().flat_map(|scope| ClaimName::of_scope(scope)).collect();
    if claims.is_empty() {
        return Vec::new();
    }
    let title = Bilingual {
        vi: "Đăng nhập và sử dụng dịch vụ".to_owned(),
        en: "Sign in and use the service".to_owned(),
    };
    vec![Purpose { id: "default".to_owned(), title, claims, required: Vec::new(), sensitive_reason: None }]
}

/// The services of the file, each with levels that exist and claims that could be released.
pub(super) fn services(members: &mut Members, scope: &[String], purposes: &[Purpose]) -> Result<Vec<Service>, Error> {
    let services: Vec<Service> = members.choice("vn_services")?.unwrap_or_default();
    if services.len() > MOST_SERVICES {
        return Err(refuse("vn_services", "are too many"));
    }
    for (i, service) in services.iter().enumerate() {
        if !is_code(&service.code) || services.iter().skip(i + 1).any(|other| other.code == service.code) {
            return Err(refuse("vn_services", "has a code twice, or not of up to 64 characters of [A-Za-z0-9._-]"));
        }
        let within = |level: Option<u8>, most: u8| level.is_none_or(|level| (1..=most).contains(&level));
        if !within(service.min_account_level, 2) || !within(service.min_auth_level, 4) {
            return Err(refuse("vn_services", format!("{} has a level that does not exist", service.code)));
        }
        for claim in &service.claims {
            check_claim("vn_services", *claim, scope)?;
            let main = claim.entry().with.unwrap_or(claim.as_str());
            if !purposes.iter().flat_map(|purpose| &purpose.claims).any(|listed| listed.as_str() == main) {
                return Err(refuse(
                    "vn_services",
                    format!("{} asks for {claim}, which stands in no purpose", service.code),
                ));
            }
        }
    }
    Ok(services)
}

fn check_claim(member: &str, claim: ClaimName, scope: &[String]) -> Result<(), Error> {
    if scope.iter().any(|scope| scope == claim.entry().scope) {
        return Ok(());
    }
    Err(refuse(member, format!("has {claim}, whose scope {} is not registered", claim.entry().scope)))
}

fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

//! Resources (RFC 8707): those a client answers for, the form of the tokens it takes, and those it may ask tokens for.

use crate::domain::arrangement::{Resources, TokenForm};
use crate::domain::relying_party::AuthMethod;
use crate::protocol::error::Error;
use crate::protocol::resource::LONGEST;

use super::members::Members;
use super::{Admission, check_address, refuse};

/// More than any server answers for, or any portal calls.
const MOST: usize = 50;

pub(super) fn admit(members: &mut Members, method: AuthMethod, admission: &Admission) -> Result<Resources, Error> {
    let serves = identifiers(members, "vn_serves", admission)?;
    let token_form = members.choice::<TokenForm>("vn_token_form")?;
    let token_signed_alg = members.choice("vn_token_signed_alg")?;
    // RFC 7662 §2.1: who cannot prove who it is learns nothing of a token.
    if !serves.is_empty() && method == AuthMethod::None {
        return Err(refuse("vn_serves", "stands with a public client"));
    }
    if serves.is_empty() && token_form.is_some() {
        return Err(refuse("vn_token_form", "stands without vn_serves"));
    }
    let token_form = token_form.unwrap_or_default();
    if token_form == TokenForm::Opaque && token_signed_alg.is_some() {
        return Err(refuse("vn_token_signed_alg", "stands without vn_token_form jwt"));
    }
    Ok(Resources { serves, token_form, token_signed_alg, may_ask: identifiers(members, "vn_resources", admission)? })
}

/// RFC 8707 §2: absolute and without a fragment; ours are https, each once.
fn identifiers(members: &mut Members, member: &str, admission: &Admission) -> Result<Vec<String>, Error> {
    let named = members.texts(member)?;
    if named.len() > MOST {
        return Err(refuse(member, format!("has more than {MOST} resources")));
    }
    let mut identifiers: Vec<String> = Vec::new();
    for resource in named {
        check_address(member, &resource, admission)?;
        if resource.len() > LONGEST {
            return Err(refuse(member, format!("has a resource longer than {LONGEST} characters")));
        }
        if !identifiers.contains(&resource) {
            identifiers.push(resource);
        }
    }
    Ok(identifiers)
}

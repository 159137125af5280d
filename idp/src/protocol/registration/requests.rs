//! How a client must ask and how it is answered, as registered (RFC 9126 §6, RFC 9101 §10.5, OIDC Registration §2, JARM §3),
//! within what its profile allows (FAPI 2.0 SP §5.3.2, §5.4.1).

use crate::domain::arrangement::RequestRules;
use crate::domain::relying_party::{AssertionAudience, AuthMethod, PkcePolicy, Profile, SigningAlg};
use crate::domain::transaction::DetailsType;
use crate::protocol::error::Error;
use crate::protocol::profile as demands;

use super::members::Members;
use super::{Admission, check_address, refuse};

/// OIDC Registration §2 lets a server set a bound.
const MOST_REQUEST_URIS: usize = 20;
const LONGEST_FRAGMENT: usize = 512;

/// `vn_profile`, if the client authenticates as it demands.
pub(super) fn profile(members: &mut Members, method: AuthMethod) -> Result<Profile, Error> {
    let profile = members.choice("vn_profile")?.unwrap_or(Profile::Oidc);
    if !demands::may_authenticate_by(profile, method) {
        return Err(refuse("token_endpoint_auth_method", "is not one vn_profile allows"));
    }
    Ok(profile)
}

/// An algorithm answers to this client are signed with.
pub(super) fn alg(members: &mut Members, member: &'static str, profile: Profile) -> Result<Option<SigningAlg>, Error> {
    let alg = members.choice(member)?;
    if alg.is_some_and(|alg| !demands::signing_algs(profile).contains(&alg)) {
        return Err(refuse(member, "is not one vn_profile allows"));
    }
    Ok(alg)
}

/// The members of `RequestRules`. Objects are verified with the client's keys, so rules about them need some.
pub(super) fn rules(
    members: &mut Members,
    profile: Profile,
    has_keys: bool,
    admission: &Admission,
) -> Result<RequestRules, Error> {
    let pushed: Option<bool> = members.choice("require_pushed_authorization_requests")?;
    if profile.is_fapi() && pushed == Some(false) {
        return Err(refuse("require_pushed_authorization_requests", "is false, and vn_profile demands it"));
    }
    let signed: Option<bool> = members.choice("require_signed_request_object")?;
    if profile == Profile::Fapi2MessageSigning && signed == Some(false) {
        return Err(refuse("require_signed_request_object", "is false, and vn_profile demands it"));
    }
    let rules = RequestRules {
        require_pushed_authorization_requests: pushed.unwrap_or(profile.is_fapi()),
        require_signed_request_object: signed.unwrap_or(profile == Profile::Fapi2MessageSigning),
        request_object_signing_alg: alg(members, "request_object_signing_alg", profile)?,
        request_uris: request_uris(members, profile, admission)?,
        authorization_details_types: details_types(members)?,
    };
    let speaks_of_objects = rules.require_signed_request_object
        || rules.request_object_signing_alg.is_some()
        || !rules.request_uris.is_empty();
    if speaks_of_objects && !has_keys {
        return Err(refuse("jwks", "is missing, and request objects are verified with it"));
    }
    Ok(rules)
}

/// RFC 9396 §10: each once, and none we do not know.
pub(super) fn details_types(members: &mut Members) -> Result<Vec<DetailsType>, Error> {
    let mut types: Vec<DetailsType> = members.choice("authorization_details_types")?.unwrap_or_default();
    types.dedup();
    Ok(types)
}

/// OIDC Registration §2: https, with a fragment that tells one version from another (OIDC Core §6.2).
fn request_uris(members: &mut Members, profile: Profile, admission: &Admission) -> Result<Vec<String>, Error> {
    const MEMBER: &str = "request_uris";
    let uris = members.texts(MEMBER)?;
    if uris.len() > MOST_REQUEST_URIS {
        return Err(refuse(MEMBER, format!("has more than {MOST_REQUEST_URIS} entries")));
    }
    if profile.is_fapi() && !uris.is_empty() {
        return Err(refuse(MEMBER, "stands beside a vn_profile under which nothing is fetched"));
    }
    for uri in &uris {
        let (address, fragment) = uri.split_once('#').unwrap_or((uri, ""));
        check_address(MEMBER, address, admission)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~=".contains(&byte);
        if fragment.len() > LONGEST_FRAGMENT || !fragment.bytes().all(plain) {
            return Err(refuse(MEMBER, format!("{uri} has a fragment that is no digest")));
        }
    }
    Ok(uris)
}

/// RFC 9700 §2.1.1: a public client cannot do without; FAPI 2.0 SP §5.3.2.2: nor can one of that profile.
pub(super) fn pkce(members: &mut Members, method: AuthMethod, profile: Profile) -> Result<PkcePolicy, Error> {
    let policy = members.choice("vn_pkce")?.unwrap_or(PkcePolicy::Required);
    if policy == PkcePolicy::Optional && method == AuthMethod::None {
        return Err(refuse("vn_pkce", "is optional for a public client"));
    }
    if policy == PkcePolicy::Optional && profile.is_fapi() {
        return Err(refuse("vn_pkce", "is optional, and vn_profile demands it"));
    }
    Ok(policy)
}

/// `security.md` D14: under FAPI always the issuer.
pub(super) fn audience(members: &mut Members, profile: Profile) -> Result<AssertionAudience, Error> {
    let audience = members.choice("vn_assertion_audience")?.unwrap_or(AssertionAudience::Issuer);
    if audience == AssertionAudience::TokenEndpoint && profile.is_fapi() {
        return Err(refuse("vn_assertion_audience", "is token_endpoint, and vn_profile demands issuer"));
    }
    Ok(audience)
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;

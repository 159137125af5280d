//! What the client's tokens are bound to (RFC 9449 §5.2).

use crate::domain::arrangement::Binding;
use crate::protocol::error::Error;

use super::members::Members;

pub(super) fn admit(members: &mut Members) -> Result<Binding, Error> {
    Ok(Binding {
        dpop_bound_access_tokens: members.choice("dpop_bound_access_tokens")?.unwrap_or(false),
        ..Binding::default()
    })
}

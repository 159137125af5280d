//! The last step of an authorization response: signed where its mode asks for that, after everything was recorded, so that no
//! signature is made while others wait for the store.

use super::Returned;
use crate::domain::Fault;
use crate::idp::Idp;
use crate::protocol::authorize::{Outgoing, answer};

/// The answer as it goes on the wire: by query or by form.
pub fn leave(returned: Returned, idp: &Idp) -> Result<Outgoing, Fault> {
    let outgoing = returned.outgoing;
    let Some(signing) = &outgoing.signing else { return Ok(outgoing) };
    let now = idp.clock.now();
    let jwt = idp.ring.sign(signing.alg, "JWT", &answer::claims(&outgoing, signing, now), now)?;
    Ok(answer::carried(&outgoing, &jwt))
}

//! What a registration says of the application besides (OIDC Registration §2, RFC 7591 §2).

use crate::domain::arrangement::Application;
use crate::domain::relying_party::SigningAlg;
use crate::protocol::error::Error;

use super::members::Members;
use super::{Admission, page};

pub(super) fn admit(
    members: &mut Members,
    assertion_alg: Option<SigningAlg>,
    admission: &Admission,
) -> Result<Application, Error> {
    Ok(Application {
        application_type: members.choice("application_type")?.unwrap_or_default(),
        require_auth_time: members.choice("require_auth_time")?.unwrap_or(false),
        sector_identifier_uri: page(members, "sector_identifier_uri", admission)?,
        token_endpoint_auth_signing_alg: assertion_alg,
        software_id: members.text("software_id")?,
        software_version: members.text("software_version")?,
    })
}

//! What the client's tokens are bound to, and the subject of its certificate (RFC 9449 §5.2, RFC 8705 §2.1.2, §3.4).

use std::net::IpAddr;

use crate::domain::arrangement::Binding;
use crate::domain::relying_party::AuthMethod;
use crate::protocol::error::Error;
use crate::protocol::{mtls, name};

use super::members::Members;
use super::{Admission, refuse};

pub(super) fn admit(members: &mut Members, method: AuthMethod, admission: &Admission) -> Result<Binding, Error> {
    let binding = Binding {
        dpop_bound_access_tokens: members.choice("dpop_bound_access_tokens")?.unwrap_or(false),
        tls_client_certificate_bound_access_tokens: members
            .choice("tls_client_certificate_bound_access_tokens")?
            .unwrap_or(false),
        tls_client_auth_subject_dn: members.text("tls_client_auth_subject_dn")?,
        tls_client_auth_san_dns: members.text("tls_client_auth_san_dns")?,
        tls_client_auth_san_uri: members.text("tls_client_auth_san_uri")?,
        tls_client_auth_san_ip: members.text("tls_client_auth_san_ip")?,
        tls_client_auth_san_email: members.text("tls_client_auth_san_email")?,
    };
    check_offered(&binding, method, admission)?;
    check_subject(&binding, method)?;
    Ok(binding)
}

/// What this server cannot do is not registered.
fn check_offered(binding: &Binding, method: AuthMethod, admission: &Admission) -> Result<(), Error> {
    if mtls::is_by_certificate(method) && !admission.certificates {
        return Err(refuse("token_endpoint_auth_method", "needs mutual TLS, which is not offered here"));
    }
    if method == AuthMethod::TlsClientAuth && !admission.client_ca {
        return Err(refuse(
            "token_endpoint_auth_method",
            "needs an authority for client certificates, and none is set",
        ));
    }
    if binding.tls_client_certificate_bound_access_tokens && !admission.certificates {
        let why = "needs mutual TLS, which is not offered here";
        return Err(refuse("tls_client_certificate_bound_access_tokens", why));
    }
    Ok(())
}

/// RFC 8705 §2.1.2: exactly one way of naming the subject, and only where a subject is looked at.
fn check_subject(binding: &Binding, method: AuthMethod) -> Result<(), Error> {
    let ways = [
        ("tls_client_auth_subject_dn", &binding.tls_client_auth_subject_dn),
        ("tls_client_auth_san_dns", &binding.tls_client_auth_san_dns),
        ("tls_client_auth_san_uri", &binding.tls_client_auth_san_uri),
        ("tls_client_auth_san_ip", &binding.tls_client_auth_san_ip),
        ("tls_client_auth_san_email", &binding.tls_client_auth_san_email),
    ];
    let mut given = ways.into_iter().filter(|(_, value)| value.is_some()).map(|(member, _)| member);
    match (method == AuthMethod::TlsClientAuth, given.next(), given.next()) {
        (true, Some(_), None) | (false, None, _) => {}
        (true, None, _) => {
            return Err(refuse("tls_client_auth_subject_dn", "or one of the tls_client_auth_san_ members is missing"));
        }
        (true, Some(_), Some(second)) => return Err(refuse(second, "is one way too many of naming the subject")),
        (false, Some(member), _) => return Err(refuse(member, "stands beside another method than tls_client_auth")),
    }
    if let Some(Err(why)) = binding.tls_client_auth_subject_dn.as_deref().map(name::parse) {
        return Err(refuse("tls_client_auth_subject_dn", why));
    }
    if binding.tls_client_auth_san_ip.as_deref().is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
        return Err(refuse("tls_client_auth_san_ip", "is not an IP address"));
    }
    Ok(())
}

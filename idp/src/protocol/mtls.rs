//! Mutual TLS (RFC 8705): does this certificate authenticate this client? The facts of the certificate are read by
//! `keys`; the key it holds was proved in the handshake.

use std::net::IpAddr;

use crate::domain::Moment;
use crate::domain::arrangement::Binding;
use crate::domain::certificate::ClientCertificate;
use crate::domain::relying_party::{AuthMethod, Client};

use super::name;

/// Whether it is a certificate for a TLS client, now (RFC 5280 §4.1.2.5, §4.2.1.12). One that is not counts as none.
pub fn usable(certificate: &ClientCertificate, now: Moment) -> Result<(), &'static str> {
    if let Some(reason) = certificate.unfit {
        return Err(reason);
    }
    if now < certificate.not_before {
        return Err("it is not valid yet");
    }
    if now > certificate.not_after {
        return Err("it has expired");
    }
    Ok(())
}

/// Whether the client authenticates itself by certificate.
pub const fn is_by_certificate(method: AuthMethod) -> bool {
    matches!(method, AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth)
}

/// RFC 8705 §2. `registered` are the thumbprints of the client's registered keys. The reason is for our log.
pub fn authenticates(
    client: &Client,
    certificate: Option<&ClientCertificate>,
    registered: &[String],
    now: Moment,
) -> Result<(), &'static str> {
    let certificate = certificate.ok_or("client certificate is missing")?;
    usable(certificate, now)?;
    match client.token_endpoint_auth_method {
        AuthMethod::TlsClientAuth if !certificate.is_issued => Err("no trusted authority issued the certificate"),
        AuthMethod::TlsClientAuth if !names(certificate, &client.binding) => Err("certificate names another subject"),
        AuthMethod::TlsClientAuth => Ok(()),
        AuthMethod::SelfSignedTlsClientAuth => {
            let jkt = certificate.jkt.as_ref().ok_or("certificate has a key of no registered kind")?;
            if registered.contains(jkt) { Ok(()) } else { Err("certificate has a key that is not registered") }
        }
        _ => Err("method is not the registered one"),
    }
}

/// RFC 8705 §2.1.2: the one registered way of naming the subject.
fn names(certificate: &ClientCertificate, binding: &Binding) -> bool {
    if let Some(subject) = &binding.tls_client_auth_subject_dn {
        return name::parse(subject).is_ok_and(|subject| name::is_same(&subject, &certificate.subject));
    }
    if let Some(dns) = &binding.tls_client_auth_san_dns {
        // RFC 4343: host names have no case.
        return certificate.dns.iter().any(|name| name.eq_ignore_ascii_case(dns));
    }
    if let Some(uri) = &binding.tls_client_auth_san_uri {
        return certificate.uris.contains(uri);
    }
    if let Some(ip) = &binding.tls_client_auth_san_ip {
        return ip.parse::<IpAddr>().is_ok_and(|ip| certificate.ips.contains(&ip));
    }
    let email = binding.tls_client_auth_san_email.as_ref();
    email.is_some_and(|email| certificate.emails.iter().any(|known| same_mailbox(known, email)))
}

/// RFC 5280 §7.5: the host without case, the local part as it stands.
fn same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, host)), Some((other_local, other_host))) => {
            local == other_local && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "mtls_tests.rs"]
mod tests;

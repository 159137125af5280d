//! TLS of our own: the certificates our listeners serve, kept fresh, and those that callers show.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::Fault;
use crate::domain::certificate::ClientCertificate;
use crate::idp::Idp;
use crate::keys::certificate::{self, Authorities, Sent};
pub use crate::keys::tls::Acceptor;
use crate::keys::tls::{self, Asks, Served};

/// What the listeners serve with, and whom they trust to vouch for clients.
pub struct Tls {
    /// The public listener's; none where it speaks plain HTTP.
    public: Option<Arc<Served>>,
    /// That of the listener that asks for certificates.
    mutual: Option<Arc<Served>>,
    authorities: Option<Authorities>,
}

impl Tls {
    pub fn open(config: &Config) -> Result<Tls, Fault> {
        let files = config.tls.certificate.as_deref().zip(config.tls.key.as_deref());
        let serve = |asks| files.map(|(certificate, key)| Served::open(certificate, key, asks)).transpose();
        Ok(Tls {
            public: if config.issuer.starts_with("https:") { serve(Asks::Nothing)? } else { None },
            mutual: if config.mtls.listen.is_some() { serve(Asks::Certificate)? } else { None },
            authorities: config
                .mtls
                .client_ca
                .as_deref()
                .map(|path| Authorities::open(path, config.mtls.client_crl.as_deref()))
                .transpose()?,
        })
    }

    /// What the public listener accepts connections with, when it speaks TLS.
    pub fn public(&self) -> Result<Option<Acceptor>, Fault> {
        self.public.as_ref().map(tls::acceptor).transpose()
    }

    pub fn mutual(&self) -> Result<Option<Acceptor>, Fault> {
        self.mutual.as_ref().map(tls::acceptor).transpose()
    }

    /// Takes up certificates that changed. What cannot be read is told once, and the one before goes on being served.
    pub fn refresh(&self) {
        for served in [&self.public, &self.mutual].into_iter().flatten() {
            match served.refresh() {
                Ok(false) => {}
                Ok(true) => tracing::info!("tls.certificate_changed"),
                Err(fault) => tracing::error!(%fault, "tls.certificate_kept"),
            }
        }
        match self.authorities.as_ref().map_or(Ok(false), Authorities::refresh) {
            Ok(false) => {}
            Ok(true) => tracing::info!("tls.authorities_changed"),
            Err(fault) => tracing::error!(%fault, "tls.authorities_kept"),
        }
    }

    fn edition(&self) -> u64 {
        self.authorities.as_ref().map_or(0, Authorities::edition)
    }
}

/// A certificate shown in a handshake, judged by the authorities of that moment.
pub struct Shown {
    sent: Sent,
    edition: u64,
    facts: Option<Arc<ClientCertificate>>,
}

impl Shown {
    pub fn of(leaf: Vec<u8>, chain: Vec<Vec<u8>>, idp: &Idp) -> Shown {
        let (sent, edition) = (Sent { leaf, chain }, idp.tls.edition());
        let facts = facts(&sent, idp);
        Shown { sent, edition, facts }
    }

    /// The facts as they are now: one revoked since the handshake is no longer what it was. One that cannot be read
    /// counts as none.
    pub fn facts(&self, idp: &Idp) -> Option<Arc<ClientCertificate>> {
        if self.edition == idp.tls.edition() { self.facts.clone() } else { facts(&self.sent, idp) }
    }
}

fn facts(sent: &Sent, idp: &Idp) -> Option<Arc<ClientCertificate>> {
    let read = certificate::read(sent, idp.tls.authorities.as_ref());
    read.map(Arc::new).map_err(|reason| tracing::warn!(reason, "certificate.unreadable")).ok()
}

/// The facts of a certificate a trusted proxy states, in its header and that of the chain (RFC 9440 §2).
pub fn stated(leaf: &str, chain: &[&str], idp: &Idp) -> Option<Arc<ClientCertificate>> {
    let Some(leaf) = certificate::of_header(leaf) else {
        tracing::warn!("certificate_header.unreadable");
        return None;
    };
    let chain = chain.iter().filter_map(|one| certificate::of_header(one)).collect();
    facts(&Sent { leaf, chain }, idp)
}

//! The certificate we serve TLS with, taken up again from its files without a restart, and the versions and suites we
//! speak.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SniError, SslAcceptor, SslAcceptorBuilder, SslContext, SslContextBuilder, SslFiletype, SslMethod,
    SslOptions, SslSessionCacheMode, SslVerifyMode, SslVersion,
};

use super::ROOM;
use crate::domain::Fault;

/// FAPI 1 and CIBA permit nothing else under TLS 1.2, and FAPI 2.0 permits these.
const SUITES_1_2: &str = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";

/// Whether a listener asks callers for a certificate. It never insists: that is for the client's registration to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    Certificate,
}

/// A certificate chain with its key, as last read well.
pub struct Served {
    certificate: PathBuf,
    key: PathBuf,
    asks: Asks,
    current: RwLock<SslContext>,
    read_at: Mutex<Stamp>,
}

type Stamp = [Option<SystemTime>; 2];

impl Served {
    pub fn open(certificate: &Path, key: &Path, asks: Asks) -> Result<Arc<Served>, Fault> {
        let stamp = stamp(certificate, key);
        let context = context(certificate, key, asks).map_err(|error| unread(certificate, &error))?;
        Ok(Arc::new(Served {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            asks,
            current: RwLock::new(context),
            read_at: Mutex::new(stamp),
        }))
    }

    /// Reads the files again if they changed. On an error what was served goes on being served, and is read again
    /// when the files change once more.
    pub fn refresh(&self) -> Result<bool, Fault> {
        let found = stamp(&self.certificate, &self.key);
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if *read_at == found {
            return Ok(false);
        }
        *read_at = found;
        let context =
            context(&self.certificate, &self.key, self.asks).map_err(|error| unread(&self.certificate, &error))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(true)
    }

    fn current(&self) -> SslContext {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn unread(path: &Path, error: &ErrorStack) -> Fault {
    Fault::unavailable(ROOM, format!("{} or its key: {error}", path.display()))
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|found| found.modified()).ok())
}

/// A listener's TLS, ready to be bound.
pub type Acceptor = SslAcceptorBuilder;

/// What a listener is opened with. Every new connection takes the certificate that is current then.
pub fn acceptor(served: &Arc<Served>) -> Result<Acceptor, Fault> {
    let build = || {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        configure(&mut builder, &served.certificate, &served.key, served.asks)?;
        let served = Arc::clone(served);
        // Called whether or not the caller named a host.
        builder.set_servername_callback(move |ssl, _| {
            ssl.set_ssl_context(&served.current()).map_err(|_| SniError::ALERT_FATAL)
        });
        Ok(builder)
    };
    build().map_err(|error| unread(&served.certificate, &error))
}

fn context(certificate: &Path, key: &Path, asks: Asks) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_server())?;
    configure(&mut builder, certificate, key, asks)?;
    builder.set_alpn_select_callback(|_, offered| {
        const HTTP_1_1: &[u8] = b"http/1.1";
        // RFC 7301 §3.1: names, each after its length.
        offered
            .windows(9)
            .find_map(|name| name.strip_prefix(b"\x08").filter(|name| *name == HTTP_1_1))
            .ok_or(AlpnError::NOACK)
    });
    Ok(builder.build())
}

/// Alike for the listener and for every certificate it takes up later.
fn configure(builder: &mut SslContextBuilder, certificate: &Path, key: &Path, asks: Asks) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_cipher_list(SUITES_1_2)?;
    builder.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::NO_COMPRESSION);
    builder.set_certificate_chain_file(certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    builder.check_private_key()?;
    if asks == Asks::Certificate {
        // Any certificate will do for the handshake, which proves its key: whose it is, the registration says.
        builder.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        // A resumed session would show a certificate whose key nobody proved again.
        builder.set_options(SslOptions::NO_TICKET);
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_num_tickets(0)?;
    }
    Ok(())
}

//! The certificate of a caller: from the TLS layer of our own listener, or from the header of a proxy the operator
//! trusts for it. From anybody else that header is forged (`security.md` MT-05).

use std::any::Any;
use std::sync::Arc;

use actix_tls::accept::openssl::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

use crate::domain::certificate::ClientCertificate;
use crate::flow::tls::{self, Shown};
use crate::idp::Idp;

/// What proxies call the header; any of them from a stranger is worth a line in the log.
const KNOWN: [&str; 5] =
    ["client-cert", "x-client-cert", "x-ssl-client-cert", "x-forwarded-client-cert", "x-forwarded-tls-client-cert"];

/// Called once for each connection of the listener that asks for certificates.
pub fn note(stream: &dyn Any, connection: &mut Extensions, idp: &Idp) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let Some(leaf) = stream.ssl().peer_certificate().and_then(|leaf| leaf.to_der().ok()) else { return };
    let chain = stream.ssl().peer_cert_chain().into_iter().flatten();
    let chain = chain.filter_map(|other| other.to_der().ok()).collect();
    connection.insert(Shown::of(leaf, chain, idp));
}

/// The certificate of a request, if any.
pub fn certificate(request: &HttpRequest, idp: &Idp) -> Option<Arc<ClientCertificate>> {
    let mtls = &idp.config.mtls;
    let is_trusted = request.peer_addr().is_some_and(|peer| mtls.trusts(peer.ip()));
    if !is_trusted {
        let forged = |name: &&str| request.headers().contains_key(*name);
        if let Some(header) = KNOWN.iter().copied().chain([mtls.certificate_header.as_str()]).find(forged) {
            tracing::warn!(header, "certificate_header.forged");
        }
        return request.conn_data::<Shown>()?.facts(idp);
    }
    let mut stated =
        request.headers().get_all(mtls.certificate_header.as_str()).filter_map(|value| value.to_str().ok());
    // Two of them: one was planted before the proxy added its own.
    let (Some(leaf), None) = (stated.next(), stated.next()) else { return None };
    let chain = request.headers().get_all("client-cert-chain").filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = chain.flat_map(|value| value.split(',')).map(str::trim).collect();
    tls::stated(leaf, &chain, idp)
}

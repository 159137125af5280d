//! Listening: the public listener, the one that asks clients for certificates, and the operations one, with bounds on
//! what a caller may hold open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web;
use actix_web::{App, HttpServer};
use futures_util::future::join_all;

use super::{connection, operations, routes, watch};
use crate::domain::Fault;
use crate::flow::tls::Acceptor;
use crate::idp::Idp;

/// Serves until asked to stop, then finishes what is under way.
pub async fn serve(idp: Arc<Idp>) -> Result<(), Fault> {
    let public = public(&idp)?;
    let mutual = mutual(&idp)?;
    let operations = operations_server(&idp)?;
    let handles: Vec<_> = [Some(public.handle()), mutual.as_ref().map(Server::handle)].into_iter().flatten().collect();
    let operations_handle = operations.handle();
    let watcher = Arc::clone(&idp);
    let keeper = tokio::spawn(crate::flow::keep::keep(Arc::clone(&idp)));
    let teller = tokio::spawn(crate::flow::back_channel::deliver(Arc::clone(&idp)));
    let notifier = tokio::spawn(crate::flow::notices::deliver(Arc::clone(&idp)));
    let follower = tokio::spawn(crate::flow::registry_events::follow(Arc::clone(&idp)));
    let tracer = tokio::spawn(crate::flow::trace::write(Arc::clone(&idp)));
    let registrar = tokio::spawn(crate::flow::enrol::decide(Arc::clone(&idp)));
    let last = Arc::clone(&idp);
    let stopper = tokio::spawn(async move {
        stop_signal().await;
        // Readiness goes first, so that a balancer stops sending.
        watcher.stop();
        join_all(handles.iter().map(|handle| handle.stop(true))).await;
        operations_handle.stop(false).await;
    });
    let mutual = async move {
        match mutual {
            Some(server) => server.await,
            None => Ok(()),
        }
    };
    let (served, served_mutual, _) = tokio::join!(public, mutual, operations);
    keeper.abort();
    teller.abort();
    notifier.abort();
    follower.abort();
    tracer.abort();
    registrar.abort();
    crate::flow::trace::flush(&last).await;
    stopper.abort();
    served.and(served_mutual).map_err(|error| Fault::unavailable("web", error))
}

fn public(idp: &Arc<Idp>) -> Result<Server, Fault> {
    listener(idp, idp.config.listen, idp.tls.public()?)
}

/// The same routes, where callers are asked for a certificate.
fn mutual(idp: &Arc<Idp>) -> Result<Option<Server>, Fault> {
    let Some(listen) = idp.config.mtls.listen else { return Ok(None) };
    listener(idp, listen, idp.tls.mutual()?).map(Some)
}

fn listener(idp: &Arc<Idp>, listen: SocketAddr, acceptor: Option<Acceptor>) -> Result<Server, Fault> {
    let (data, noting) = (web::Data::from(Arc::clone(idp)), Arc::clone(idp));
    let limits = &idp.config.limits;
    let mut server =
        HttpServer::new(move || App::new().app_data(data.clone()).wrap(from_fn(watch::watch)).configure(routes))
            .on_connect(move |stream, connection| connection::note(stream, connection, &noting))
            .client_request_timeout(Duration::from_secs(limits.header_seconds))
            .client_disconnect_timeout(Duration::from_secs(1))
            .keep_alive(Duration::from_secs(75))
            .shutdown_timeout(idp.config.web.shutdown_seconds)
            .disable_signals();
    if let Some(workers) = idp.config.web.workers {
        server = server.workers(workers);
    }
    let bound = match acceptor {
        Some(acceptor) => server.bind_openssl(listen, acceptor),
        None => server.bind(listen),
    };
    Ok(bound.map_err(|error| cannot_listen(listen, &error))?.run())
}

fn operations_server(idp: &Arc<Idp>) -> Result<Server, Fault> {
    let data = web::Data::from(Arc::clone(idp));
    let listen = idp.config.operations.listen;
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(operations::routes))
        .workers(1)
        .disable_signals()
        .bind(listen)
        .map_err(|error| cannot_listen(listen, &error))?;
    Ok(server.run())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Fault {
    Fault::unavailable("web", format!("cannot listen on {address}: {error}"))
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

//! Listening: the public listener and the operations one, with bounds on what a caller may hold open.

use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web;
use actix_web::{App, HttpServer};

use super::{operations, routes, watch};
use crate::domain::Fault;
use crate::idp::Idp;

/// Serves until asked to stop, then finishes what is under way.
pub async fn serve(idp: Arc<Idp>) -> Result<(), Fault> {
    let public = public(&idp)?;
    let operations = operations_server(&idp)?;
    let (handle, operations_handle) = (public.handle(), operations.handle());
    let watcher = Arc::clone(&idp);
    let keeper = tokio::spawn(crate::flow::keep::keep(Arc::clone(&idp)));
    let teller = tokio::spawn(crate::flow::back_channel::deliver(Arc::clone(&idp)));
    let stopper = tokio::spawn(async move {
        stop_signal().await;
        // Readiness goes first, so that a balancer stops sending.
        watcher.stop();
        handle.stop(true).await;
        operations_handle.stop(false).await;
    });
    let (served, _) = tokio::join!(public, operations);
    keeper.abort();
    teller.abort();
    stopper.abort();
    served.map_err(|error| Fault::unavailable("web", error))
}

fn public(idp: &Arc<Idp>) -> Result<actix_web::dev::Server, Fault> {
    let data = web::Data::from(Arc::clone(idp));
    let limits = &idp.config.limits;
    let mut server =
        HttpServer::new(move || App::new().app_data(data.clone()).wrap(from_fn(watch::watch)).configure(routes))
            .client_request_timeout(Duration::from_secs(limits.header_seconds))
            .client_disconnect_timeout(Duration::from_secs(1))
            .keep_alive(Duration::from_secs(75))
            .shutdown_timeout(idp.config.web.shutdown_seconds)
            .disable_signals();
    if let Some(workers) = idp.config.web.workers {
        server = server.workers(workers);
    }
    let server = server.bind(idp.config.listen).map_err(|error| cannot_listen(idp.config.listen, &error))?;
    Ok(server.run())
}

fn operations_server(idp: &Arc<Idp>) -> Result<actix_web::dev::Server, Fault> {
    let data = web::Data::from(Arc::clone(idp));
    let listen = idp.config.operations.listen;
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(operations::routes))
        .workers(1)
        .disable_signals()
        .bind(listen)
        .map_err(|error| cannot_listen(listen, &error))?;
    Ok(server.run())
}

fn cannot_listen(address: std::net::SocketAddr, error: &std::io::Error) -> Fault {
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

//! The console: whoever was given a role signs in through the provider. Operators see clients and accounts, officers act
//! at their desk.
//!
//! Owns: the console's pages, its sign-in and its cookies. Must not know: SQL, tokens of anybody else, or a person
//! number in clear. It keeps nothing itself: what it must remember of a visitor travels sealed in the visitor's
//! browser, and whether the sign-in still stands is asked of the provider's store on every request
//! (`flow::operator`), so any number of consoles may run side by side and a lock closes them all.

pub mod desk;
mod door;
mod operations;
pub(crate) mod page;
pub mod patience;
mod provider;
pub mod relying_party;
pub(crate) mod session;
mod trace;
pub(crate) mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use idp::idp::Idp;

use provider::Provider;

/// What every handler is given.
pub struct Console {
    pub(crate) idp: Arc<Idp>,
    provider: Provider,
    /// Where browsers find us, without a trailing slash.
    pub(crate) public_url: String,
}

impl Console {
    pub fn new(idp: Arc<Idp>) -> Result<Self, String> {
        let provider = Provider::new(&idp.config)?;
        let public_url = idp.config.admin.public_url();
        Ok(Self { idp, provider, public_url })
    }

    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Every route of the console.
pub fn routes(service: &mut web::ServiceConfig) {
    service
        .route("/", web::get().to(door::overview))
        .route("/clients/{client_id}", web::get().to(trace::show))
        .route("/sign-in", web::get().to(door::sign_in))
        .route("/language", web::get().to(door::language))
        .route("/callback", web::get().to(door::callback))
        .route("/sign-out", web::post().to(door::sign_out))
        .route("/console.css", web::get().to(page::style))
        .configure(desk::routes)
        .configure(crate::api::routes)
        .default_service(web::to(door::not_found));
}

/// A running console. It stops when told to, never by a signal of its own accord: another program may hold it.
pub struct Started {
    pub console: Server,
    pub operations: Server,
}

impl Started {
    pub fn handles(&self) -> [ServerHandle; 2] {
        [self.console.handle(), self.operations.handle()]
    }
}

/// Binds `admin.listen` and `admin.operations_listen`. The servers run once they are awaited.
pub fn start(idp: Arc<Idp>) -> io::Result<Started> {
    let console = web::Data::new(Console::new(Arc::clone(&idp)).map_err(io::Error::other)?);
    let (listen, operations_listen) = (idp.config.admin.listen, idp.config.admin.operations_listen);
    let grace = idp.config.web.shutdown_seconds;
    let headers = Duration::from_secs(idp.config.limits.header_seconds);
    let app = move || App::new().app_data(console.clone()).wrap(from_fn(patience::bounded)).configure(routes);
    let console = HttpServer::new(app)
        .workers(1)
        .client_request_timeout(headers)
        .disable_signals()
        .shutdown_timeout(grace)
        .bind(listen)
        .map_err(|error| taken("admin.listen", listen, &error))?
        .run();
    let idp = web::Data::from(idp);
    let operations = HttpServer::new(move || App::new().app_data(idp.clone()).configure(operations::routes))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind(operations_listen)
        .map_err(|error| taken("admin.operations_listen", operations_listen, &error))?
        .run();
    Ok(Started { console, operations })
}

fn taken(key: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{key} {address}: {error}"))
}

/// Runs the console until the process is asked to stop.
pub async fn serve(idp: Arc<Idp>) -> io::Result<()> {
    let started = start(idp)?;
    let handles = started.handles();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        for handle in handles {
            handle.stop(true).await;
        }
    });
    tokio::try_join!(started.console, started.operations).map(|_| ())
}

#[cfg(test)]
mod tests;

//! How much a request may be (`security.md` N-25) and how long it may take: its body to arrive, its answer to be made
//! (N-26). The time for its headers is the server's own setting, in `serve`.

use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::ConnectionType;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, BytesMut, PayloadConfig};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, Resource};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::read::{Unread, language};
use super::reply::{self, Context};
use super::token;
use crate::config::Limits;
use crate::domain::Fault;
use crate::idp::Idp;
use crate::protocol;

/// What a body may be.
#[derive(Clone, Copy)]
enum Room {
    Form,
    Document,
}

impl Room {
    const fn of(self, limits: &Limits) -> usize {
        match self {
            Room::Form => limits.form_bytes,
            Room::Document => limits.json_bytes,
        }
    }
}

/// A resource whose requests are bounded. Per resource and not around the whole application: only a request
/// that was routed already may be kept for the answer that comes too late.
pub fn resource(
    path: &str,
) -> Resource<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    bounded_resource(path).wrap(from_fn(|request, next| bounded(request, next, Room::Form)))
}

/// A resource that takes a JSON document.
pub fn roomy_resource(
    path: &str,
) -> Resource<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    bounded_resource(path).wrap(from_fn(|request, next| bounded(request, next, Room::Document)))
}

/// The framework's own bound on bodies stands back behind ours.
fn bounded_resource(path: &str) -> Resource {
    web::resource(path).app_data(PayloadConfig::new(usize::MAX))
}

async fn bounded(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    room: Room,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(idp) = request.app_data::<web::Data<Idp>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let limits = &idp.config.limits;
    let mut payload = request.take_payload();
    if let Err(unread) = head(request.request(), limits).and_then(|()| plain(request.request())) {
        let response = refused(&unread, request.request(), &idp);
        return Ok(request.into_response(response).map_body(|_, body| Unfinished::boxed(body, payload)));
    }
    let body = timeout(Duration::from_secs(limits.body_seconds), whole(&mut payload, room.of(limits))).await;
    match body.unwrap_or(Err(Unread::TooSlow)) {
        Ok(body) => request.set_payload(arrived(body)),
        Err(unread) => {
            let response = refused(&unread, request.request(), &idp);
            return Ok(request.into_response(response).map_body(|_, body| Unfinished::boxed(body, payload)));
        }
    }
    let kept = request.request().clone();
    match timeout(Duration::from_secs(limits.handler_seconds), next.call(request)).await {
        Ok(answer) => Ok(answer?.map_into_boxed_body()),
        Err(_) => {
            let response = answer_is_late(&kept, &idp);
            Ok(ServiceResponse::new(kept, response))
        }
    }
}

/// The request line, then each header with its colon, its space and the end of its line.
fn head(request: &HttpRequest, limits: &Limits) -> Result<(), Unread> {
    let line = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if line > limits.header_bytes {
        return Err(Unread::LongLine);
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let fits = request.headers().len() <= limits.headers && line + headers <= limits.header_bytes;
    if fits { Ok(()) } else { Err(Unread::LargeHead) }
}

/// `security.md` RX-04: a body is read as it was sent, for the framework would unpack it into any size.
fn plain(request: &HttpRequest) -> Result<(), Unread> {
    if request.headers().contains_key(CONTENT_ENCODING) { Err(Unread::MediaType) } else { Ok(()) }
}

async fn whole(payload: &mut Payload, limit: usize) -> Result<Bytes, Unread> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let cut_off = |_| Unread::Malformed(protocol::Error::invalid_request("RFC 9112 §8", "body was cut off"));
        body.extend_from_slice(&chunk.map_err(cut_off)?);
        if body.len() > limit {
            return Err(Unread::TooLarge);
        }
    }
    Ok(body.freeze())
}

fn arrived(body: Bytes) -> Payload {
    Payload::Stream { payload: Box::pin(futures_util::stream::iter([Ok::<_, PayloadError>(body)])) }
}

/// RFC 9110 §15.5.9: the connection ends, since the rest of the body may still come.
fn refused(unread: &Unread, request: &HttpRequest, idp: &Idp) -> HttpResponse {
    let mut response = match program(request, idp) {
        Some(context) => reply::json_unread(unread, &context),
        None => reply::page_unread(unread, &person(request, idp)),
    };
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// An answer to a request whose body did not end. The server would read a chunked body that nobody wants any more for
/// as long as it comes; while somebody still holds it, the connection is closed behind the answer.
struct Unfinished {
    answer: BoxBody,
    _payload: Payload,
}

impl Unfinished {
    fn boxed(answer: BoxBody, payload: Payload) -> BoxBody {
        BoxBody::new(Self { answer, _payload: payload })
    }
}

impl MessageBody for Unfinished {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

fn answer_is_late(request: &HttpRequest, idp: &Idp) -> HttpResponse {
    let fault = Fault::overloaded("web", "the answer took too long");
    match program(request, idp) {
        Some(context) => reply::json_fault(&fault, &context),
        None => reply::page_fault(&fault, &person(request, idp)),
    }
}

fn program<'a>(request: &'a HttpRequest, idp: &'a Idp) -> Option<Context<'a>> {
    let programs = ["/par", "/token", "/userinfo", "/introspect", "/revoke", "/register", "/trace"];
    let first = request.path().split_inclusive('/').take(2).collect::<String>();
    programs.contains(&first.trim_end_matches('/')).then(|| token::context(request, idp))
}

fn person<'a>(request: &'a HttpRequest, idp: &'a Idp) -> Context<'a> {
    Context { request, language: language(request, &[]), idp }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::{App, test};

    use super::*;
    use crate::config::Config;
    use crate::web::watch;

    async fn never() -> HttpResponse {
        std::future::pending().await
    }

    /// What `path` answers when its handler never does.
    async fn answer(path: &str) -> (u16, String, bool) {
        let place = tempfile::tempdir().unwrap();
        let mut config = Config::new("http://localhost:8080", place.path().join("keys"));
        config.database.url = format!("sqlite:{}", place.path().join("idp.db").display());
        config.danger_http_loopback = true;
        config.limits.handler_seconds = 1;
        let idp: Arc<Idp> = Idp::open(config).await.unwrap();
        let app = App::new()
            .app_data(web::Data::from(idp))
            .wrap(from_fn(watch::watch))
            .service(resource("/token").route(web::post().to(never)))
            .service(resource("/identity").route(web::get().to(never)));
        let app = test::init_service(app).await;
        let request = if path == "/token" { test::TestRequest::post() } else { test::TestRequest::get() };
        let response = test::call_service(&app, request.uri(path).to_request()).await;
        let (status, waits) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        (status, String::from_utf8_lossy(&test::read_body(response).await).into_owned(), waits)
    }

    #[actix_web::test]
    async fn n_26_an_answer_that_takes_too_long_is_503() {
        let (status, body, waits) = answer("/token").await;
        assert_eq!((status, waits), (503, true), "{body}");
        assert!(body.contains("temporarily_unavailable"), "{body}");
        let (status, body, waits) = answer("/identity").await;
        assert_eq!((status, waits), (503, true), "{body}");
        assert!(body.contains("data-page=\"busy\""), "{body}");
    }
}

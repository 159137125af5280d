//! The door: HTTP in, HTTP out.
//!
//! Owns: reading requests into the words of the flows, replies, cookies, headers, pages, per-address limits, and the
//! table of routes below. Must not know: SQL, Redis, keys, or any rule of the protocol.

pub mod activate;
pub mod app;
pub mod authorize;
pub mod challenge;
pub mod check_session;
pub mod connection;
pub mod cookie;
mod credentials;
pub mod device;
mod draw;
pub mod enrol;
mod factors;
pub mod headers;
pub mod identity;
pub mod interaction;
pub mod introspect;
pub mod limit;
pub mod logout;
pub mod operations;
mod own_form;
pub mod own_lock;
pub mod page;
pub mod par;
pub mod patience;
pub mod qr;
pub mod read;
pub mod recover;
pub mod refusal;
pub mod register;
pub mod reply;
pub mod revoke;
pub mod seen;
pub mod serve;
pub mod token;
pub mod trace;
pub mod upstream;
pub mod userinfo;
pub mod watch;
pub mod well_known;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use patience::{resource, roomy_resource};
pub use serve::serve;

/// Every public route, on one screen. `operations` has its own listener and is never public.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/.well-known/openid-configuration")
                .route(web::get().to(well_known::metadata))
                .route(web::method(Method::OPTIONS).to(well_known::preflight)),
        )
        .service(resource("/.well-known/oauth-authorization-server").route(web::get().to(well_known::metadata)))
        .service(resource("/jwks").route(web::get().to(well_known::jwks)))
        .service(resource("/authorize").route(web::get().to(authorize::get)).route(web::post().to(authorize::post)))
        .service(resource("/par").route(web::post().to(par::post)))
        .service(
            resource("/token")
                .route(web::post().to(token::post))
                .route(web::method(Method::OPTIONS).to(token::preflight)),
        )
        .service(
            resource("/userinfo")
                .route(web::get().to(userinfo::get))
                .route(web::post().to(userinfo::post))
                .route(web::method(Method::OPTIONS).to(token::preflight)),
        )
        .service(resource("/introspect").route(web::post().to(introspect::post)))
        .service(
            resource("/revoke")
                .route(web::post().to(revoke::post))
                .route(web::method(Method::OPTIONS).to(token::preflight)),
        )
        .service(resource("/trace").route(web::post().to(trace::post)))
        .service(roomy_resource("/register").route(web::post().to(register::post)))
        .service(
            roomy_resource("/register/{client_id}")
                .route(web::get().to(register::show))
                .route(web::put().to(register::put))
                .route(web::delete().to(register::delete)),
        )
        .service(resource("/end-session").route(web::get().to(logout::get)).route(web::post().to(logout::post)))
        .service(resource("/sign-out").route(web::get().to(logout::show)).route(web::post().to(logout::confirm)))
        .service(resource("/signed-out").route(web::get().to(logout::done)))
        .service(resource("/check-session").route(web::get().to(check_session::show)))
        .service(resource("/").route(web::get().to(identity::home)))
        .service(resource("/identity").route(web::get().to(identity::show)).route(web::post().to(identity::change)))
        .service(resource("/lock").route(web::get().to(own_lock::show_lock)).route(web::post().to(own_lock::lock)))
        .service(resource("/lock-done").route(web::get().to(own_lock::lock_done)))
        .service(
            resource("/unlock").route(web::get().to(own_lock::show_unlock)).route(web::post().to(own_lock::unlock)),
        )
        .service(resource("/enrol").route(web::get().to(enrol::show)).route(web::post().to(enrol::post)))
        .service(resource("/activate").route(web::get().to(activate::show)).route(web::post().to(activate::post)))
        .service(
            resource("/sign-in")
                .route(web::get().to(interaction::sign_in))
                .route(web::post().to(interaction::password)),
        )
        .service(resource("/otp").route(web::get().to(interaction::otp)).route(web::post().to(interaction::code)))
        .service(resource("/passkey").route(web::get().to(factors::step)).route(web::post().to(factors::prove)))
        .service(
            resource("/new-passkey")
                .route(web::get().to(factors::new_passkey))
                .route(web::post().to(factors::make_passkey)),
        )
        .service(
            resource("/new-totp").route(web::get().to(factors::new_totp)).route(web::post().to(factors::confirm_totp)),
        )
        .service(resource("/qr").route(web::get().to(qr::show)).route(web::post().to(qr::renew)))
        .service(resource("/qr/stage").route(web::get().to(qr::stage)))
        .service(resource("/app").route(web::get().to(device::show)).route(web::post().to(device::change)))
        .service(resource("/app/bind").route(web::post().to(app::bind)))
        .service(resource("/app/scan").route(web::post().to(app::scan)))
        .service(resource("/app/approve").route(web::post().to(app::approve)))
        .service(resource("/app/decline").route(web::post().to(app::decline)))
        .service(
            resource("/consent").route(web::get().to(interaction::consent)).route(web::post().to(interaction::decide)),
        )
        .service(
            resource("/transaction")
                .route(web::get().to(interaction::transaction))
                .route(web::post().to(interaction::approve)),
        )
        .service(
            resource("/{explained:level|guardian|locked|not-activated|card-expired}")
                .route(web::get().to(interaction::explained))
                .route(web::post().to(interaction::give_up)),
        )
        .service(
            resource("/represent")
                .route(web::get().to(interaction::represent))
                .route(web::post().to(interaction::choose)),
        )
        .service(resource("/recover").route(web::get().to(recover::show)).route(web::post().to(recover::post)))
        .service(resource("/upstream/{name}").route(web::get().to(upstream::begin)))
        .service(resource("/upstream/{name}/callback").route(web::get().to(upstream::callback)))
        .service(resource("/upstream/{name}/logout").route(web::post().to(upstream::logout)))
        .service(resource("/link").route(web::get().to(upstream::link)).route(web::post().to(upstream::linked)))
        .service(resource("/logo/{client_id}").route(web::get().to(well_known::logo)))
        .service(resource("/assets/{name}").route(web::get().to(well_known::asset)))
        .default_service(web::to(well_known::nothing_here));
}

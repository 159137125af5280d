//! Run: starts every part in one process, says when each answers, and stops them together.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;
use idp::clock::SystemClock;
use idp::config::Config;
use idp::domain::Fault;
use idp::flow::inbox;
use idp::idp::Idp;
use idp::keys::tls::{Asks, Served, acceptor};
use idp::store::Store;
use openidconnect::core::CoreJwsSigningAlgorithm;
use serde_json::Value;

use super::app::{Phones, bind_first};
use super::applicants::APPLICANTS;
use super::authority::{Certificates, SERVER};
use super::clients::{CONSOLE, DOSSIERS, MINISTRY, NATIONAL, READER, registrations};
use super::dossiers::{self, Dossiers};
use super::legacy::{OLD_PASSWORD, OldAccounts};
use super::people::{Door, OPERATORS, PASSWORD, PEOPLE};
use super::phone::{self, Inbox, Message, RegisterAt};
use super::portal::{self, Portal};
use super::ports::{Ports, origin, secure_origin};
use super::registry::{self, Register};
use super::seed::{operators, seed};
use super::setup::{Options, REGISTRY, client_secret, configuration, directory, write_configuration};
use super::site::{MINISTRY_SITE, NATIONAL_SITE, Site};
use super::upstream;
use super::visit::Visits;
use crate::rp::{Registration, RelyingParty};

/// How long every part may take to answer before the start counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sets up, seeds, and unless only that was asked, runs until the process is told to stop.
pub async fn run(options: &Options) -> Result<(), String> {
    let directory = directory(&options.directory)?;
    if options.ports.speak_tls() {
        Certificates::of(&directory).complete()?;
    }
    let before = configuration(options, &directory, Vec::new());
    before.check().map_err(|invalid| invalid.to_string())?;
    let _log = idp::telemetry::log::init(&before.telemetry).map_err(told)?;
    if options.reset {
        Store::reset(&before.database.url).map_err(told)?;
    }
    let config = seeded(options, &directory, before).await?;
    let path = write_configuration(&config, &directory)?;
    if options.seed_only {
        println!("seeded; the configuration is {}", path.display());
        return Ok(());
    }
    let idp = Idp::open(config).await.map_err(told)?;
    serve(options.ports, &directory, idp).await
}

/// Seeds a store and answers the configuration that names the operators found in it: their ids exist only now.
async fn seeded(options: &Options, directory: &Path, config: Config) -> Result<Config, String> {
    client_secret(directory, REGISTRY)?;
    let mut secrets = Vec::new();
    for client in [NATIONAL, MINISTRY, CONSOLE, DOSSIERS] {
        secrets.push((client, client_secret(directory, client)?));
    }
    let mut registrations: Vec<Value> = registrations(options.ports, |client| {
        secrets.iter().find(|(id, _)| *id == client).map(|(_, secret)| secret.clone()).unwrap_or_default()
    });
    if let Some(downstream) = &options.downstream {
        registrations.push(upstream::registration(downstream, &client_secret(directory, upstream::DOWNSTREAM)?));
        upstream::write(options.ports, directory)?;
    }
    let idp = Idp::open(config).await.map_err(unopened)?;
    seed(&registrations, options.ports, &idp).await?;
    bind_first(&Phones::at(directory, &idp.config.issuer)?, &idp).await?;
    Ok(configuration(options, directory, operators(&idp).await?))
}

async fn serve(ports: Ports, directory: &Path, idp: Arc<Idp>) -> Result<(), String> {
    let mut others = Parts::default();
    let console = admin::web::start(Arc::clone(&idp)).map_err(|error| {
        format!("the console on ports {} and {}: {error}", ports.console(), ports.console_operations())
    })?;
    others.hold(console.console);
    others.hold(console.operations);
    for (site, port) in [(&NATIONAL_SITE, ports.national()), (&MINISTRY_SITE, ports.ministry())] {
        let portal = portal(site, port, ports, directory)?;
        others.hold(portal::serve(portal, port).map_err(|error| format!("port {port}: {error}"))?);
    }
    let register = RegisterAt(format!("{}/enrol", origin(ports.provider())));
    let phones = Phones::at(directory, &idp.config.issuer)?;
    let phone = phone::serve(inbox_of(Arc::clone(&idp)), register, phones, ports.phone());
    others.hold(phone.map_err(|error| format!("port {}: {error}", ports.phone()))?);

    others.hold(resource_server(ports, directory)?);
    let registers = registry::serve(Register::new(&client_secret(directory, REGISTRY)?), ports.registry());
    others.hold(registers.map_err(|error| format!("port {}: {error}", ports.registry()))?);

    print_table(ports);
    if ports.speak_tls() {
        print_certificates(ports, &Certificates::of(directory));
    }
    let provider = idp::web::serve(idp);
    let mut provider = std::pin::pin!(provider);
    let served = tokio::select! {
        served = &mut provider => Some(served),
        answered = all_answer(ports, directory) => { answered?; None }
    };
    let served = match served {
        Some(served) => served,
        None => {
            println!("sandbox ready");
            std::io::stdout().flush().map_err(|error| error.to_string())?;
            // The provider ends by a signal to the process; everything else ends with it.
            provider.await
        }
    };
    others.stop().await;
    served.map_err(told)
}

fn told(fault: Fault) -> String {
    fault.to_string()
}

/// A store belongs to one issuer and one set of keys for life; here there is no harm in leaving it.
fn unopened(fault: Fault) -> String {
    let advice = if fault.detail.contains("was made with another") {
        "; take another --data, or empty the store with --reset"
    } else {
        ""
    };
    format!("{fault}{advice}")
}

/// The servers beside the provider.
#[derive(Default)]
struct Parts {
    handles: Vec<ServerHandle>,
}

impl Parts {
    fn hold(&mut self, server: Server) {
        self.handles.push(server.handle());
        rt::spawn(server);
    }

    async fn stop(self) {
        for handle in self.handles {
            handle.stop(true).await;
        }
    }
}

fn portal(site: &'static Site, port: u16, ports: Ports, directory: &Path) -> Result<Portal, String> {
    let registration = Registration {
        issuer: origin(ports.provider()),
        client_id: site.client.to_owned(),
        client_secret: client_secret(directory, site.client)?,
        redirect_uri: format!("{}/callback", origin(port)),
        signing: CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    };
    Ok(Portal {
        site,
        origin: origin(port),
        issuer: registration.issuer.clone(),
        relying_party: RelyingParty::new(registration).map_err(|failure| format!("{failure:?}"))?,
        visits: Visits::default(),
        clock: Arc::new(SystemClock),
        old: if site.client == NATIONAL { OldAccounts::seeded() } else { OldAccounts::default() },
    })
}

fn resource_server(ports: Ports, directory: &Path) -> Result<Server, String> {
    let (issuer, secret) = (origin(ports.provider()), client_secret(directory, DOSSIERS)?);
    let dossiers = Dossiers::new(issuer, ports.dossiers_origin(), secret)?;
    let acceptor = if ports.speak_tls() {
        let certificates = Certificates::of(directory);
        let served = Served::open(&certificates.certificate(SERVER), &certificates.key(SERVER), Asks::Certificate);
        Some(served.and_then(|served| acceptor(&served)).map_err(told)?)
    } else {
        None
    };
    let port = ports.dossiers();
    dossiers::serve(dossiers, port, acceptor).map_err(|error| format!("port {port}: {error}"))
}

fn inbox_of(idp: Arc<Idp>) -> Inbox {
    Arc::new(move |to, limit| {
        let idp = Arc::clone(&idp);
        Box::pin(async move {
            let found = inbox::list(to.as_deref(), limit, &idp).await?;
            Ok(found.into_iter().map(|kept| Message { to: kept.to, text: kept.text, at: kept.at }).collect())
        })
    })
}

/// Waits until each port answers a stranger.
async fn all_answer(ports: Ports, directory: &Path) -> Result<(), String> {
    let http = client(ports, directory)?;
    let mut doors = vec![
        (ports.provider(), "/.well-known/openid-configuration"),
        (ports.provider_operations(), "/readyz"),
        (ports.console_operations(), "/readyz"),
        (ports.console(), "/"),
        (ports.national(), "/"),
        (ports.ministry(), "/"),
        (ports.phone(), "/"),
        (ports.registry(), "/"),
    ];
    let mut secure = vec![(ports.dossiers(), "/")];
    if ports.speak_tls() {
        secure.push((ports.mutual(), "/jwks"));
    } else {
        doors.append(&mut secure);
    }
    let plain = doors.into_iter().map(|(port, path)| format!("http://127.0.0.1:{port}{path}"));
    let secure = secure.into_iter().map(|(port, path)| format!("https://127.0.0.1:{port}{path}"));
    let urls: Vec<String> = plain.chain(secure).collect();
    let waiting = async {
        for url in urls {
            while !answers(&http, &url).await {
                rt::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    rt::time::timeout(PATIENCE, waiting).await.map_err(|_| "not every port answered in time".to_owned())
}

/// What asks them: it trusts our own authority where there is one, and nobody else.
fn client(ports: Ports, directory: &Path) -> Result<reqwest::Client, String> {
    let told = |error: reqwest::Error| error.to_string();
    let mut http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(2));
    if ports.speak_tls() {
        let path = Certificates::of(directory).authority();
        let pem = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        http = http.tls_certs_only([reqwest::Certificate::from_pem(&pem).map_err(told)?]);
    }
    http.build().map_err(told)
}

async fn answers(http: &reqwest::Client, url: &str) -> bool {
    let answer = http.get(url).send().await;
    answer.is_ok_and(|answer| answer.status().is_success() || answer.status().is_redirection())
}

/// Everything personal that is printed is printed here, before the last line.
fn print_table(ports: Ports) {
    println!("{:<28}{:<16}{:<13}WHAT TO TRY", "URL", "PERSON NUMBER", "PASSWORD");
    for person in PEOPLE {
        let url = origin(match person.door {
            Door::National => ports.national(),
            Door::Ministry => ports.ministry(),
            Door::Console => ports.console(),
        });
        println!("{url:<28}{:<16}{PASSWORD:<13}{} · {}", person.number, person.name, person.hint);
    }
    let desk = format!("{}/desk", origin(ports.console()));
    let officers = OPERATORS.join(" and ");
    println!("{desk:<28}{:<16}{:<13}the officer's desk opens to {officers}: level 2, TK03, hotline, requests", "", "");
    for one in APPLICANTS {
        let url = format!("{}/enrol", origin(ports.provider()));
        println!("{url:<28}{:<16}{:<13}{} · {} · {}", one.number, "", one.name, one.birthdate, one.hint);
    }
    let account = format!("{}/account", origin(ports.national()));
    let what = "after signing in: link the portal account you had before VNeID";
    println!("{account:<28}{:<16}{OLD_PASSWORD:<13}{what}", "");
    for (url, what) in [
        (origin(ports.registry()), "the sample registers: who can register, events, moods"),
        (origin(ports.phone()), "the phone: codes sent by SMS arrive here"),
        (
            format!("{}/app", origin(ports.phone())),
            "the VNeID app on that phone: scans the QR code of the sign-in page",
        ),
        (origin(ports.provider()), "the provider, discovery at /.well-known/openid-configuration"),
        (
            format!("{}/identity", origin(ports.provider())),
            "add a passkey or an authenticator app here, then sign in with it; devices, consents, lock",
        ),
        (format!("{}/recover", origin(ports.provider())), "a forgotten password: two proofs, then a day's wait"),
        (ports.dossiers_origin(), "a resource server: /dossiers for a token with resource and scope dossiers.read"),
    ] {
        println!("{url:<28}{:<16}{:<13}{what}", "", "");
    }
}

/// What speaks TLS here, and whom to trust for it.
fn print_certificates(ports: Ports, certificates: &Certificates) {
    let url = secure_origin(ports.mutual());
    println!("{url:<28}{:<16}{:<13}the provider over TLS, where clients show certificates", "", "");
    println!("the certificate authority of both: {}", certificates.authority().display());
    let (certificate, key) = (certificates.certificate(READER), certificates.key(READER));
    println!("client {READER} shows: {} with {}", certificate.display(), key.display());
}

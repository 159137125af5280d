//! `sandbox`: provider, console, two portals and a phone on this machine, with invented people to try.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use conformance::sandbox::ports::Ports;
use conformance::sandbox::run::run;
use conformance::sandbox::setup::Options;
use conformance::sandbox::upstream;
use idp::config::UpstreamConfig;

#[derive(Parser)]
#[command(
    name = "sandbox",
    version,
    about = "The whole provider on one machine, with portals, a phone and invented people"
)]
struct Arguments {
    /// Where everything is kept: store, keys, secrets and the configuration it runs on.
    #[arg(long, value_name = "DIR", default_value = "./.sandbox")]
    data: PathBuf,
    /// Empties the store first.
    #[arg(long)]
    reset: bool,
    /// `postgres://…` or `sqlite:PATH`, instead of a file in DIR.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// `redis://…`, instead of memory of this process.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// The provider's port; the others are counted from it.
    #[arg(long, value_name = "N", default_value = "8080", value_parser = ports)]
    port_base: Ports,
    /// Speaks TLS too: the provider at N+5, where clients may show certificates, and the resource server at N+6, by an
    /// authority of its own in DIR/tls. The issuer stays http://localhost:N.
    #[arg(long)]
    tls: bool,
    /// Other providers to sign in through: a file with `[upstream.NAME]` sections as in idp.toml.
    #[arg(long, value_name = "FILE", value_parser = upstreams)]
    upstream: Option<UpstreamConfig>,
    /// Serves the provider at ORIGIN as its upstream: registers it, and writes what its `--upstream` wants to
    /// DIR/upstream.toml.
    #[arg(long, value_name = "ORIGIN")]
    downstream: Option<String>,
    /// Migrates, seeds, writes the configuration and ends.
    #[arg(long)]
    seed_only: bool,
}

fn ports(text: &str) -> Result<Ports, String> {
    let base = text.parse().map_err(|_| "not a port".to_owned())?;
    Ports::from_base(base).ok_or_else(|| "must be 1 to 64534: the highest port is N+1001".to_owned())
}

fn upstreams(text: &str) -> Result<UpstreamConfig, String> {
    upstream::read(std::path::Path::new(text))
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        directory: arguments.data,
        reset: arguments.reset,
        database_url: arguments.database_url,
        redis_url: arguments.redis_url,
        ports: arguments.port_base.with_tls(arguments.tls),
        seed_only: arguments.seed_only,
        upstream: arguments.upstream.unwrap_or_default(),
        downstream: arguments.downstream,
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sandbox: {reason}");
            ExitCode::from(1)
        }
    }
}

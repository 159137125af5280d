//! The provider's program: `serve`, `check-config`, `migrate`, `keys`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use idp::config::Config;
use idp::domain::relying_party::SigningAlg;
use idp::flow;
use idp::flow::keys::Pace;
use idp::flow::operator::Verdict;
use idp::idp::Idp;
use idp::store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "idp", version, about = "OpenID Connect provider")]
struct Arguments {
    /// The TOML file to read; `./idp.toml` when it is not given.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until asked to stop.
    Serve,
    /// Prints the effective settings, secrets hidden.
    CheckConfig,
    /// Brings the schema up to date, or says where it stands.
    Migrate {
        #[command(subcommand)]
        step: Migrate,
    },
    /// Rotates, lists and retires signing keys.
    Keys {
        #[command(subcommand)]
        step: Keys,
    },
}

#[derive(Subcommand)]
enum Migrate {
    /// Runs what is pending.
    Up,
    /// Lists every migration and whether it ran.
    Status,
}

#[derive(Subcommand)]
enum Keys {
    /// Makes a new key for each algorithm; it signs after 24 hours of being published.
    Rotate {
        /// Sign with the new keys at once: for emergencies, clients may still hold the old set.
        #[arg(long)]
        now: bool,
    },
    /// Lists the keys.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Takes one key out of use.
    Retire {
        kid: String,
        /// Do not wait until everything it signed has expired.
        #[arg(long)]
        now: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(invalid) => return refused(&invalid),
    };
    if let Command::CheckConfig = arguments.command {
        print!("{}", config.effective());
        return ExitCode::SUCCESS;
    }
    let _log = match idp::telemetry::log::init(&config.telemetry) {
        Ok(log) => log,
        Err(fault) => return refused(&fault),
    };
    let system = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refused(&error),
    };
    let done = system.block_on(async {
        match arguments.command {
            Command::Serve => serve(config).await,
            Command::Migrate { step } => migrate(&config, &step),
            Command::Keys { step } => keys(config, step).await,
            Command::CheckConfig => Ok(()),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => refused(&reason),
    }
}

fn refused(reason: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("idp: {reason}");
    ExitCode::from(1)
}

async fn serve(config: Config) -> Result<(), String> {
    let idp = Idp::open(config).await.map_err(|fault| fault.to_string())?;
    idp.store.claim_server().map_err(|fault| fault.to_string())?;
    tracing::info!(issuer = %idp.config.issuer, listen = %idp.config.listen, "serve.started");
    idp::web::serve(idp).await.map_err(|fault| fault.to_string())
}

fn migrate(config: &Config, step: &Migrate) -> Result<(), String> {
    let url = &config.database.url;
    match step {
        Migrate::Up => {
            for name in Store::migrate_up(url).map_err(|fault| fault.to_string())? {
                println!("ran {name}");
            }
            println!("the schema is up to date");
        }
        Migrate::Status => {
            for (name, ran) in Store::status(url).map_err(|fault| fault.to_string())? {
                println!("{} {name}", if ran { "ran    " } else { "pending" });
            }
        }
    }
    Ok(())
}

async fn keys(config: Config, step: Keys) -> Result<(), String> {
    let idp = Idp::open(config).await.map_err(|fault| fault.to_string())?;
    let told = |fault: idp::domain::Fault| fault.to_string();
    match step {
        Keys::Rotate { now } => {
            let pace = if now { Pace::Now } else { Pace::Announced };
            for key in flow::keys::rotate(&SigningAlg::ALL, pace, &idp).await.map_err(told)? {
                println!("{} {} signs from {}", key.alg.name(), key.kid, key.use_from.unix());
            }
        }
        Keys::List { json } => {
            for key in flow::keys::list(&idp).await.map_err(told)? {
                let (alg, stage) = (key.alg.name(), key.stage.name());
                if json {
                    println!(
                        "{}",
                        serde_json::json!({"kid": key.kid, "alg": alg, "stage": stage, "use_from": key.use_from})
                    );
                } else {
                    println!("{alg:6} {stage:11} {}", key.kid);
                }
            }
        }
        Keys::Retire { kid, now } => {
            let pace = if now { Pace::Now } else { Pace::Announced };
            if let Verdict::Refused(reason) = flow::keys::retire(&kid, pace, &idp).await.map_err(told)? {
                return Err(reason);
            }
            println!("retired {kid}");
        }
    }
    Ok(())
}
